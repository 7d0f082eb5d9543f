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

import numpy as np

import minigrad as mg
from minigrad.backend import to_host, xp

from problems.landscape.slices.planes import CHUNK


class Barrier(NamedTuple):
    """The barrier of a path, with the profile it was read from (arrays on the host).

    height      B >= 0
    above_ends  max_t L - max(L(0), L(1)), >= 0: the climb seen from the higher end
    t           where B is attained
    gain        what the last refinement added to B: how far it may still be off
    ts          (m,) the positions evaluated, in order
    losses      (m,) the heights there
    also        name -> (m,) further measures at the same points (accuracy, test loss, ...)
    """

    height: float
    above_ends: float
    t: float
    gain: float
    ts: Any
    losses: Any
    also: dict


def linear_path(start, end):
    """The straight line t -> (1 - t) start + t end, exact at both ends."""
    if start.shape != end.shape or start.ndim != 1:
        raise ValueError(f"linear_path: needs two points of one shape (d,), got {start.shape} and "
                         f"{end.shape}. Do both belong to the same network?")

    def phi(t):
        t = xp.asarray(t, dtype=start.dtype)[..., None]
        return (1.0 - t) * start + t * end

    return phi


def barrier(objective, path, points=25, refinements=3, also=None, chunk=None):
    """Highest rise of a path above the line between its ends.

    objective    heights of points, `Objective(problem)`
    path         t (m,) -> points (m, d): `linear_path(a, b)`, a curve of `curves`, ...
    points       evenly spaced positions to begin with, both ends included
    refinements  how often the neighbourhood of the highest one is cut into eight more
    also         name -> function of points (m, d) with values (m,), as {"accuracy": accuracy(net)}
    chunk        points evaluated at once; None takes as many as make 2^20 numbers
    """
    if points < 3:
        raise ValueError(f"barrier: needs at least 3 points, got {points}. 25 is a good number.")
    measures = {"loss": objective.value, **(also or {})}
    ts = np.linspace(0.0, 1.0, points)
    found = profile(measures, path, ts, chunk)
    first, last = found["loss"][0], found["loss"][-1]
    if not (np.isfinite(first) and np.isfinite(last)):
        raise ValueError(f"barrier: the loss at the ends of the path is {first} and {last}. "
                         "Did the training diverge?")
    width, gain = 1.0 / (points - 1), 0.0
    for _ in range(refinements):
        rise = found["loss"] - (1.0 - ts) * first - ts * last
        top = ts[rise.argmax()]
        new = np.setdiff1d(np.clip(top + width * np.linspace(-0.8, 0.8, 9), 0.0, 1.0), ts)
        if new.size:
            more = profile(measures, path, new, chunk)
            ts, order = np.unique(np.concatenate([ts, new]), return_index=True)
            found = {name: np.concatenate([found[name], more[name]])[order] for name in found}
        gain = float((found["loss"] - (1.0 - ts) * first - ts * last).max() - rise.max())
        width *= 0.2
    losses = found.pop("loss")
    rise = losses - (1.0 - ts) * first - ts * last
    return Barrier(float(rise.max()), float(losses.max() - max(first, last)),
                   float(ts[rise.argmax()]), gain, ts, losses, found)


def profile(measures, path, ts, chunk=None):
    """name -> values (m,) on the host of each measure at path(ts), ts (m,) on the host.

    measures   name -> function of points (m, d) with values (m,)
    """
    chunk = max(1, CHUNK // path(0.0).shape[-1]) if chunk is None else chunk
    parts = {name: [] for name in measures}
    for i in range(0, len(ts), chunk):
        points = path(xp.asarray(ts[i:i + chunk]))
        for name, measure in measures.items():
            parts[name].append(to_host(measure(points)))
    return {name: np.concatenate(part) for name, part in parts.items()}


def accuracy(network, batch=None):
    """The share of right answers as a function of points: (..., d) -> (...).

    network  a Network whose model gives logits (..., B, C);   batch  (inputs, labels), or its data
    """
    inputs, labels = network.data if batch is None else batch
    inputs, labels = xp.asarray(inputs), xp.asarray(labels)

    def share(theta):
        if theta.ndim > 1 and not network.batched:
            return xp.stack([share(point) for point in theta])
        with mg.no_grad():
            logits = network.model.apply(network.params(theta), inputs)
        right = (logits.argmax(axis=-1) == labels).astype(theta.dtype)
        return right.mean(axis=tuple(range(-labels.ndim, 0)))

    return share
