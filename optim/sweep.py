"""Many configurations of one optimizer, run as one batch of points.

Row i of the batch is one run: its point is theta[i], its hyper-parameters are row i of arrays
(n, 1). An optimizer written over the last axis then makes all runs at once, for the price of a
few. Runs that have arrived, or have left for infinity, leave the batch, so that the work
shrinks as the sweep goes on.

    settings = grid(lr=[0.01, 0.1, 1.0], momentum=[0.0, 0.9])          # 6 configurations
    runs = sweep(objective, SGD, settings, starts, steps=1000, tolerance=1e-6)
    runs.updates[0]                                                     # (6,), 0: never arrived
"""

import copy
import itertools
import math
from typing import NamedTuple

import numpy as np

from minigrad.backend import float_of, to_host, xp

ROWS = 8192                                             # of one batch: its arrays stay in cache


class Runs(NamedTuple):
    """What came of s starts times n configurations, on the host.

    updates  (s, n) number of the first update after which the height is <= tolerance, 0 if none is
    values   (s, n) the height then, else the last one; inf for a run that left for infinity
    """

    updates: np.ndarray
    values: np.ndarray


def grid(**axes):
    """All combinations of the listed values, the last name varying fastest: {name: (n,)}."""
    table = np.array(list(itertools.product(*axes.values())), float)
    return {name: table[:, i] for i, name in enumerate(axes)}


def sweep(objective, build, settings, starts, *, steps, tolerance, shift=0.0, progress=None):
    """Run every configuration from every start.

    objective  Objective of a landscape that takes batches of points
    build      build(**settings) -> optimizer, called with arrays (rows, 1)
    settings   {name: (n,)}, as made by `grid`; equal configurations are run once
    starts     (s, d) points
    steps      updates given to each run; height and gradient are evaluated once per update
    tolerance  a run has arrived when its height is at most that
    shift      added to the loss that the optimizer is told, not to the height that is judged
    progress   called with the fraction done, after each batch
    returns    Runs
    """
    lengths = {name: len(values) for name, values in settings.items()}
    n = next(iter(lengths.values()), 0)
    if n == 0 or set(lengths.values()) != {n}:
        raise ValueError(f"sweep: settings must list equally many values, got {lengths}.")
    starts = xp.asarray(starts)
    if starts.ndim != 2:
        raise ValueError(f"sweep: starts must have shape (s, d), got {tuple(starts.shape)}.")
    distinct, place = np.unique(np.stack(list(settings.values())), axis=1, return_inverse=True)
    settings, n, s = dict(zip(settings, distinct)), distinct.shape[1], starts.shape[0]
    updates, values = np.zeros((s, n), int), np.full((s, n), np.inf)
    for i in range(0, s, max(1, ROWS // n)):
        part = starts[i:i + max(1, ROWS // n)]
        rows = part.shape[0]
        columns = {name: xp.asarray(np.tile(v, rows)[:, None], dtype=starts.dtype)
                   for name, v in settings.items()}
        result = _run(objective, build(**columns), xp.repeat(part, n, axis=0),
                      steps, tolerance, shift)
        updates[i:i + rows], values[i:i + rows] = (to_host(a).reshape(rows, n) for a in result)
        if progress is not None:
            progress((i + rows) / s)
    return Runs(updates[:, place], values[:, place])


def _run(objective, optimizer, theta, steps, tolerance, shift):
    """One batch: (updates (n,), values (n,)) of its rows."""
    n = theta.shape[0]
    updates, values = xp.zeros(n, int), xp.full(n, xp.inf)
    theta = _by_column(theta)
    state = optimizer.init(theta)
    row, running = xp.arange(n), xp.ones(n, bool)
    with np.errstate(all="ignore"):                     # runs may overflow: that is a result
        for t in range(steps + 1):
            loss, g = objective.value_and_grad(theta)
            stopped = ~((loss > tolerance) & (loss < xp.inf))       # arrived, inf or nan
            if t == 0:
                stopped[:] = False                      # heights are judged after updates
            stopped &= running
            if stopped.any():
                arrived = stopped & (loss <= tolerance)
                updates[row[arrived]], values[row[arrived]] = t, loss[arrived]
                running &= ~stopped
                left = int(running.sum())
                if left == 0:
                    break
                if left < 0.9 * row.size:
                    theta, g, loss, row, state, optimizer = _keep(
                        running, theta, g, loss, row, state, optimizer)
                    running = xp.ones(left, bool)
            if t == steps:
                values[row[running]] = loss[running]
                break
            delta, state = optimizer.update(g, loss + shift, theta, state)
            theta = theta + delta
    return updates, values


def _by_column(theta):
    """theta (n, d) laid out coordinate by coordinate: operations then run along the long axis."""
    return xp.asfortranarray(theta)


def _keep(rows, theta, g, loss, row, state, optimizer):
    """The batch without its retired rows: in theta, in the state, and in the optimizer."""
    n = theta.shape[0]

    def kept(a):
        if not isinstance(a, xp.ndarray) or a.ndim == 0 or a.shape[0] != n:
            return a
        return a[rows] if a.ndim == 1 else _by_column(a[rows])

    smaller = copy.copy(optimizer)
    vars(smaller).update({name: kept(value) for name, value in vars(optimizer).items()})
    return (kept(theta), kept(g), kept(loss), kept(row),
            {name: kept(value) for name, value in state.items()}, smaller)


def best(runs, start=0):
    """Index of the best configuration from one start: the fewest updates, the first among equals;
    where none arrived, the lowest height."""
    updates, values = runs.updates[start], runs.values[start]
    if (updates > 0).any():
        return int(np.argmin(np.where(updates > 0, updates, np.iinfo(int).max)))
    return int(np.argmin(values))


class Trace(NamedTuple):
    """One run, remembered, on the host.

    points   (k, d), from the start on
    heights  (k,)
    factors  (k-1,) the metric factors s of an optimizer that has them, else an empty array
    """

    points: np.ndarray
    heights: np.ndarray
    factors: np.ndarray


def trace(objective, optimizer, theta, *, steps, tolerance):
    """One run from theta (d,), or a batch of one (1, d), until it arrives, leaves for infinity or
    has made its steps."""
    points, heights, factors = [theta], [], []
    state = optimizer.init(theta)
    with np.errstate(all="ignore"):
        for t in range(steps + 1):
            loss, g = objective.value_and_grad(theta)
            heights.append(float_of(loss.reshape(())))
            if t == steps or (t > 0 and not tolerance < heights[-1] < math.inf):
                break
            delta, state = optimizer.update(g, loss, theta, state)
            theta = theta + delta
            points.append(theta)
            if "s" in state:
                factors.append(float_of(state["s"].reshape(())))
    points = to_host(xp.stack(points)).reshape(-1, theta.shape[-1])
    return Trace(points, np.array(heights), np.array(factors))
