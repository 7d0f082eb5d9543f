"""SAM slides to the flat end of a valley of minima; flatter is not the same as more accurate.

Question   does sharpness-aware minimisation find flat minima, and do they generalise better?
Expected   on (1 - ab)^2, where all of ab = 1 is optimal and lambda_max = 2(a^2 + b^2) >= 4, SAM
           ends below 4.2 while descent stops above 18. On small networks it lowers lambda_max,
           but the most accurate setting is not the flattest one.
Time       about 20 s; --quick 4 s.
Source     Foret et al. 2021, arXiv:2010.01412; Kwon et al. 2021, arXiv:2102.11600 (ASAM).

The networks: 10-64-64-5 on 200 points of Gaussian clusters, a fifth of the labels redrawn. Their
units are smooth (GELU): the Hessian of a ReLU network leaves out the kinks, difference quotients
count them at random. lambda_max of a cross-entropy falls with the loss: read the two together.
"""
import json
from pathlib import Path

import numpy as np

from demos.evidence import ratio_of_medians
from demos.landscape.sam.picture import draw
from minigrad.backend import to_host, xp
from optim import ASAM, SAM, SGD, Objective, cosine
from optim.descent import descent
from optim.training import train
from problems import Network
from problems.data import clusters
from problems.landscape.curvature.sharpness import adaptive_sharpness, sam_sharpness, top_curvature
from problems.networks.mlp import MLP
from problems.saddles import ScalarNet

SOURCE = "arXiv:2010.01412"
PUBLISHED = json.loads((Path(__file__).parents[1] / "published" / "sam.json").read_text())
RADII = (0.0, 0.05, 0.2, 0.5)                       # SGD and three SAMs: one batch of points
VALLEY = ScalarNet(2)                               # (1 - ab)^2
NAMES = ("SGD", *(f"SAM {rho}" for rho in RADII[1:]), "ASAM 2")


def follow(optimizer, points, steps):
    """The path (steps + 1, n, 2) of n points (n, 2) down the valley."""
    run = descent(optimizer, VALLEY, xp.asarray(points), steps=steps)
    return to_host(xp.stack([theta for _, theta, _, _ in run]))


def slide(args, report):
    steps, start = 4000 if args.quick else 20000, [3.0, 0.4]
    paths = {"descent, lr .02": follow(SGD(0.02), [start], steps)[:, 0],
             "descent, lr .2": follow(SGD(0.2), [start], 400)[:, 0]}
    slid = follow(SAM(SGD(0.02), rho=xp.asarray([[0.05], [0.1], [0.2]])), [start] * 3, steps)
    paths.update({f"SAM, rho {rho}": slid[:, k] for k, rho in enumerate((".05", ".1", ".2"))})
    lam = {name: 2.0 * (path**2).sum(axis=1) for name, path in paths.items()}
    report.table(["(1 - ab)^2 from (3, .4)", "steps", "a", "b", "lambda at 2000", "at the end"],
                 [[name, len(path) - 1, *path[-1], lam[name][:2001][-1], lam[name][-1]]
                  for name, path in paths.items()])
    stops = lam["descent, lr .02"][-1]
    report.claim("descent stops where it meets the valley: lambda_max", stops, at_least=18.0)
    report.claim("SAM slides to the flat end, where lambda_max = 4", lam["SAM, rho .2"][-1],
                 at_most=4.2)
    return paths, lam


def fit(seed, starts, steps):
    """(methods, starts, quantities): accuracy, training loss, lambda_max, S2, adaptive S2."""
    data = clusters.load(seed, n_train=200, n_test=4000, label_noise=0.2)
    model = MLP((10, 64, 64, 5), "gelu", "he")
    problem, rng = Network(model, data.train, "float32"), np.random.default_rng([seed, 1])
    batches = [data.train.take(xp.asarray(rng.integers(0, 200, 32))) for _ in range(steps)]
    theta = xp.stack([problem.start(rng) for _ in range(starts)])
    base = SGD(cosine(0.05, steps), momentum=0.9)
    several = SAM(base, xp.asarray(np.repeat(RADII, starts)[:, None]))
    adaptive = ASAM(base, 2.0, layout=problem.layout)
    points = [train(problem, optimizer, batches, rng=rng, epochs=1, theta=w, progress=None).theta
              for optimizer, w in ((several, xp.tile(theta, (4, 1))), (adaptive, theta))]
    problem, rows = Network(model, data.train), []          # measured in float64
    objective = Objective(problem)
    for theta in xp.concatenate(points).astype("float64"):
        logits = model.apply(problem.params(theta), data.test.inputs)
        rows.append([float(xp.mean(xp.argmax(logits, axis=-1) == data.test.targets)),
                     float(objective.value(theta)), top_curvature(objective, theta, rng, 20).value,
                     sam_sharpness(objective, theta, 0.05).value,
                     adaptive_sharpness(objective, theta, 0.5).value])
    return np.asarray(rows).reshape(len(NAMES), starts, -1)


def run(args, report):
    paths, lam = slide(args, report)
    sets, starts, steps = (1, 2, 500) if args.quick else (2, 8, 1500)
    report.progress("training networks")
    rows = np.concatenate([fit(args.seed + k, starts, steps) for k in range(sets)], axis=1)
    middle = np.median(rows, axis=1)
    report.table(["method", "accuracy", "train loss", "lambda_max (S1)", "S2, rho .05", "adaptive"],
                 [[name, *middle[k]] for k, name in enumerate(NAMES)],
                 title=f"Networks, medians over {sets} data sets x {starts} starts")
    if not args.quick:
        rng, best = np.random.default_rng(args.seed), int(np.argmax(middle[:, 0]))
        ratio = ratio_of_medians(rng, rows[0, :, 2] / rows[2, :, 2], [1.0])
        report.claim("SAM .2 lowers lambda_max: SGD's / its own, run by run", *ratio, at_least=1.0)
        report.claim("SAM .2 lowers lambda_max at least fivefold", *ratio, at_least=5.0)
        report.claim(f"flattest is not best: rank in flatness of the most accurate, {NAMES[best]}",
                     int((middle[:, 2] <= middle[best, 2]).sum()), at_least=2)
    report.table(["published", "plain", "SAM", "ASAM"], PUBLISHED["rows"], PUBLISHED["title"])
    report.data.update(methods=NAMES, rows=rows)
    if report.plotting:
        draw(report, paths, lam, NAMES, rows)
