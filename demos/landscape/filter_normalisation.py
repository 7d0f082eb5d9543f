"""Filter normalisation undoes the scale of layers exactly, that of single units not at all.

Question   two points of one ReLU network that compute the same function: which slices of the loss,
           and which measures of sharpness, can tell them apart?
Expected   scaling a layer by c and the next by 1/c changes raw slices, lambda_max and SAM's
           sharpness, and leaves filter- and layer-normalised slices alone (1e-8). A factor of its
           own for each unit does change them; weight-normalised slices and the adaptive sharpness
           (eta = 0) see neither.
Time       about 2 s; --quick 1 s.
Source     Li et al. 2018, arXiv:1712.09913; Dinh et al. 2017, arXiv:1703.04933; Kwon et al. 2021,
           arXiv:2102.11600.

The network: ReLU 10-32-32-5 on 300 points of Gaussian clusters, trained for 500 steps. The claims
are identities, or their absence: one network decides them. Nothing was scanned.
"""
import numpy as np

from minigrad.backend import xp
from optim import SGD, Objective, cosine
from optim.training import train
from problems import Network
from problems.data import clusters
from problems.landscape import (adaptive_sharpness, grid, keskar_sharpness, rescale, rescaling_test,
                                sam_sharpness, top_curvature)
from problems.networks.mlp import MLP

SOURCE = "arXiv:1712.09913"
FACTORS = (1.0, 4.0, 10.0)


def trained(seed):
    rng = np.random.default_rng(seed)
    data = clusters.load(seed, n_train=300, dtype="float64").train
    problem = Network(MLP((10, 32, 32, 5), "relu", "he"), data)
    batches = [data.take(xp.asarray(rng.integers(0, 300, 64))) for _ in range(500)]
    optimizer = SGD(cosine(0.05, 500), momentum=0.9)
    run = train(problem, optimizer, batches, rng=rng, epochs=1, progress=None)
    return problem, run.theta, rng


def run(args, report):
    problem, theta, rng = trained(args.seed)
    objective, layout = Objective(problem), problem.layout
    d = xp.asarray(rng.standard_normal(layout.size))
    alphas = grid(count=21 if args.quick else 81)
    per_unit = np.exp(rng.normal(0.0, 1.0, 32))
    points = {f"c = {c:g}": rescale(theta, layout, "layers.0", "layers.1", c) for c in FACTORS}
    points["c_i per unit"] = rescale(theta, layout, "layers.0", "layers.1", per_unit)

    rows = []
    for name, point in points.items():
        top = top_curvature(objective, point, np.random.default_rng(args.seed))
        rows.append([name, float(objective.value(point)), top.value,
                     sam_sharpness(objective, point, 0.05, steps=1).value,
                     keskar_sharpness(objective, point).value,
                     adaptive_sharpness(objective, point, 0.05, steps=1).value])
    headers = ["same function", "loss", "lambda_max (S1)", "S2, rho .05", "S3, %", "adaptive"]
    report.table(headers, rows, title="Four points of one function, three sharpnesses and a fourth")
    values = np.asarray([row[1:] for row in rows])

    lines, gaps = {}, {}
    for norm in ("none", "filter", "layer", "weight"):
        for name, point in points.items():
            v = 0.1 * d if norm == "none" else d
            lines[norm, name], gaps[norm, name] = rescaling_test(
                objective, layout, theta, point, v, norm, alphas)[1:]
    report.table(["direction", *points], [[norm, *(f"{gaps[norm, name]:.1e}" for name in points)]
                                          for norm in ("none", "filter", "layer", "weight")],
                 title="Largest difference from the slice at c = 1, relative to its height")

    rounding = dict(origin="paper", where="Li et al., section on filter normalisation; Dinh et al.",
                    how="exact arithmetic, float64, tolerance for rounding", why="1e-16 times the "
                    "number of operations, with room")
    seen = dict(origin="paper", where="Dinh et al. 2017: rescaled layers",
                how="exact: one network, no randomness left", why="plain to the eye in a picture")
    report.claim("the function is the same at all four points (relative spread of the loss)",
                 np.ptp(values[:, 0]) / values[0, 0], at_most=1e-10, **rounding)
    for norm in ("filter", "layer"):
        report.claim(f"{norm}-normalised slices do not see the scale of a layer, c = 10",
                     gaps[norm, "c = 10"], at_most=1e-8, **rounding)
    report.claim("raw slices do", gaps["none", "c = 10"], at_least=0.1, **seen)
    report.claim("filter-normalised slices do see a factor for each unit",
                 gaps["filter", "c_i per unit"], at_least=0.01, **{
                     **seen, "origin": "ours", "where": "a counter-example of this project"})
    report.claim("weight-normalised slices do not", gaps["weight", "c_i per unit"], at_most=1e-8,
                 **{**rounding, "origin": "ours", "where": "the same counter-example"})
    report.claim("the adaptive sharpness is the same at all four points (relative spread)",
                 np.ptp(values[:, 4]) / values[0, 4], at_most=1e-8,
                 **{**rounding, "where": "Kwon et al. 2021: scale invariance"})
    report.claim("lambda_max is not (largest / smallest)",
                 values[:, 1].max() / values[:, 1].min(), at_least=2.0, **seen)
    report.data.update(rows=rows, gaps={f"{norm}, {name}": gaps[norm, name] for norm, name in gaps})
    if report.plotting:
        draw(report, points, lines, alphas)


def draw(report, points, lines, alphas):
    figure, axes = report.subplots(2, 2, figsize=(9.0, 6.4), sharex=True)
    titles = {"none": "Raw direction (x 0.1): the scale of a layer changes the picture",
              "filter": "Filter-normalised: one c cancels, a c$_i$ per unit does not",
              "layer": "Layer-normalised: the same", "weight": "Weight-normalised: both cancel"}
    styles = [("#b5123e", "-", 2.6), ("#3b6fb6", "--", 1.8), ("#e8b62e", ":", 2), ("0.2", "-", 1)]
    for ax, (norm, title) in zip(axes.flat, titles.items()):
        for name, (colour, style, width) in zip(points, styles):
            ax.semilogy(alphas, lines[norm, name].heights, style, color=colour, linewidth=width,
                        label=name)
        ax.set_title(title)
    axes[0, 0].legend(fontsize=8)
    for ax in axes[1]:
        ax.set_xlabel("step along the direction")
    for ax in axes[:, 0]:
        ax.set_ylabel("training loss")
    report.figure(figure)
