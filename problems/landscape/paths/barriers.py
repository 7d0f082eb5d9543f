"""How high is the ridge between two points, along a line or a curve?

A path is a function from t in [0, 1] to points: phi(t) (m, d) for t (m,). Its barrier is what rises
above the straight interpolation of the end heights,

    B = max_t [ L(phi(t)) - (1 - t) L(phi(0)) - t L(phi(1)) ]

Two independently trained networks have a high barrier on the straight line and a tiny one on a
suitable curve (`curves`), or on the line itself after permuting hidden units (`matching`). The ends
count, so B >= 0; along any line inside a convex basin B = 0.

The loss has to be a function of the point: dropout off, fixed data, and normalisation statistics
recomputed at each point (layer normalisation and the statistics of the batch at hand need nothing).
"""
from typing import Any, NamedTuple

import minigrad as mg
from minigrad.backend import xp
from minigrad.kinds import array, expects, function, having, whole
from problems.landscape.doors import heights_of
from problems.problem import pair

from .heights import measure, profile, warn                     # noqa: F401  profile: its old home
from .path import Straight


class Barrier(NamedTuple):
    """The barrier of a path, with the profile it was read from (arrays on the host).

    height      B >= 0, infinite where the loss is NaN on the way
    above_ends  max_t L - max(L(0), L(1)), >= 0: the climb seen from the higher end
    t           where B is attained
    gain        what the last steps of refining added to B: how far it may still be off
    ts          (m,) the positions evaluated, in order
    losses      (m,) the heights there
    also        name -> (m,) further measures at the same points (accuracy, test loss, ...)
    not_finite  how many of the heights are NaN or infinite; with one NaN the barrier is infinite
    """

    height: float
    above_ends: float
    t: float
    gain: float
    ts: Any
    losses: Any
    also: dict
    not_finite: int = 0


def linear_path(start, end):
    """The straight line t -> (1 - t) start + t end, exact at both ends."""
    return Straight(start, end, name="linear_path")


@expects(objective=heights_of, path=function, points=whole(), refinements=whole(0),
         chunk=whole(1))
def barrier(objective, path, points=25, refinements=3, also=None, chunk=None):
    """Highest rise of a path above the line between its ends.

    objective    heights of points, `Objective(problem)`
    path         t (m,) -> points (m, d): `linear_path(a, b)`, a curve of `curves`, ...
    points       positions at equal distances to begin with, both ends included
    refinements  the place of the top is narrowed to 0.2^refinements of their spacing
    also         name -> function of points (m, d) with values (m,), as {"accuracy": accuracy(net)}
    chunk        points evaluated at once; None takes as many as make 2^20 numbers
    """
    width = None if refinements < 1 else 2.0 * 0.2**refinements / max(points - 1, 1)
    found = measure("barrier", objective, path, points, 1, width, also, chunk)
    warn("barrier", found)
    return Barrier(found.above_chord, found.above_higher, found.t_chord, found.gain, found.ts,
                   found.heights, found.also, found.not_finite)


@expects(network=having("data", "params", "model"))
def accuracy(network, batch=None):
    """The share of right answers as a function of points: (..., d) -> (...).

    network  a Network whose model gives logits (..., B, C);   batch  (inputs, labels), or its data

    Where a logit is NaN the answer is wrong: a network that has diverged knows no class.
    """
    inputs, labels = pair(network.data if batch is None else batch)
    inputs, labels = xp.asarray(inputs), xp.asarray(labels)

    def share(theta):
        if array("accuracy", "theta", theta).ndim > 1 and not network.batched:
            return xp.stack([share(point) for point in theta])
        with mg.no_grad():
            logits = network.model.apply(network.params(theta), inputs)
        known = ~xp.isnan(logits).any(axis=-1)
        right = (known & (logits.argmax(axis=-1) == labels)).astype(theta.dtype)
        return right.mean(axis=tuple(range(-labels.ndim, 0)))

    return share
