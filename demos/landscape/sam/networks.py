"""Networks trained by SGD, SAM and ASAM on several data sets, and two measures of flatness.

lambda_max of a cross-entropy falls with the loss, so at the end of training it compares how well
the methods fit as much as where they fit. Beside the end it is therefore taken at matched loss: in
each run at the point whose training loss is nearest to the higher of the two final losses compared.
"""
from typing import NamedTuple

import numpy as np

from minigrad.backend import to_host, xp
from optim import ASAM, SAM, SGD, Objective, cosine
from optim.training import train
from problems import Network
from problems.data import clusters
from problems.landscape.curvature.sharpness import adaptive_sharpness, sam_sharpness, top_curvature
from problems.networks.mlp import MLP

RADII = (0.0, 0.05, 0.2, 0.5)                       # SGD and three SAMs: one batch of points
NAMES = ("SGD", *(f"SAM {rho}" for rho in RADII[1:]), "ASAM 2")
QUANTITIES = ("accuracy", "loss", "lambda_max", "s2", "adaptive")


class Fitted(NamedTuple):
    """One data set. ends (methods, starts, quantities) at the end of training;
    matched (2, starts, 3): loss, lambda_max, adaptive sharpness of SGD and SAM .2 at one loss."""

    ends: np.ndarray
    matched: np.ndarray


def fit(seed, starts, steps):
    """Train `starts` networks by every method on the data set of this seed."""
    data = clusters.load(seed, n_train=200, n_test=4000, label_noise=0.2)
    model = MLP((10, 64, 64, 5), "gelu", "he")
    problem, rng = Network(model, data.train, "float32"), np.random.default_rng([seed, 1])
    batches = [data.train.take(xp.asarray(rng.integers(0, 200, 32))) for _ in range(steps)]
    theta = xp.stack([problem.start(rng) for _ in range(starts)])
    base = SGD(cosine(0.05, steps), momentum=0.9)
    several = SAM(base, xp.asarray(np.repeat(RADII, starts)[:, None]))
    adaptive = ASAM(base, 2.0, layout=problem.layout)
    passed = []                                         # points of the first batch, on the way
    points = [train(problem, optimizer, batches, rng=rng, epochs=1, theta=w, progress=None,
                    evaluate=remember, evaluate_every=steps // 60).theta
              for optimizer, w, remember in (
                  (several, xp.tile(theta, (4, 1)), lambda w: passed.append(w) or 0.0),
                  (adaptive, theta, lambda w: 0.0))]
    exact = Network(model, data.train)                      # measured in float64
    objective, rows = Objective(exact), []
    for w in xp.concatenate(points).astype("float64"):
        logits = model.apply(exact.params(w), data.test.inputs)
        rows.append([float(xp.mean(xp.argmax(logits, axis=-1) == data.test.targets)),
                     float(objective.value(w)), top_curvature(objective, w, rng, 20).value,
                     sam_sharpness(objective, w, 0.05).value,
                     adaptive_sharpness(objective, w, 0.5).value])
    way = xp.stack(passed).astype("float64").reshape(len(passed), len(RADII), starts, -1)
    return Fitted(np.asarray(rows).reshape(len(NAMES), starts, -1),
                  matched(objective, way[:, [0, RADII.index(0.2)]], rng))


def matched(objective, way, rng):
    """way (times, 2, starts, d): both methods at the loss that the slower of them ends with."""
    times, methods, starts, d = way.shape
    losses = to_host(objective.value(way.reshape(-1, d))).reshape(times, methods, starts)
    level = losses[-1].max(axis=0)
    nearest = np.abs(np.log(losses / level)).argmin(axis=0)             # (methods, starts)
    found = np.empty((methods, starts, 3))
    for m, s in np.ndindex(methods, starts):
        w = way[nearest[m, s], m, s]
        found[m, s] = (losses[nearest[m, s], m, s], top_curvature(objective, w, rng, 20).value,
                       adaptive_sharpness(objective, w, 0.5).value)
    return found


def rank_correlation(x, y):
    """Spearman's: the correlation of the ranks, without ties."""
    return float(np.corrcoef(np.argsort(np.argsort(x)), np.argsort(np.argsort(y)))[0, 1])
