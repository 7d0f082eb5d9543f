"""Many configurations of one optimizer, run as one batch of points.

Row i of the batch is one run: its point is theta[i], its hyper-parameters are row i of arrays
(n, 1). An optimizer written over the last axis then makes all runs at once, for the price of a
few. Runs that have arrived, or have left for infinity, leave the batch, so that the work
shrinks as the sweep goes on.

    settings = grid(lr=[0.01, 0.1, 1.0], momentum=[0.0, 0.9])          # 6 configurations
    runs = sweep(objective, SGD, settings, starts, steps=1000, tolerance=1e-6)
    runs.updates[0]                                                     # (6,), 0: never arrived
"""

import itertools
import math
from typing import NamedTuple

import numpy as np

from minigrad.arguments import count, function, numbers, point, real, short
from minigrad.backend import float_of, to_host, xp

from .descent import descent
from .objective import points as points_of
from .optimizer import Optimizer

ROWS = 8192                                             # of one batch: its arrays stay in cache
RIDE = 200                                              # finished rows may stay in it where another
                                                        # shape would have to be recorded anew


class Runs(NamedTuple):
    """What came of s starts times n configurations, on the host.

    updates  (s, n) number of the first update after which the height is <= tolerance, 0 if none is
    values   (s, n) the height then, else the last one; inf for a run that left for infinity
    """

    updates: np.ndarray
    values: np.ndarray


def grid(**axes):
    """All combinations of the listed values, the last name varying fastest: {name: (n,)}."""
    axes = {name: numbers("grid", name, values, ndim=1) for name, values in axes.items()}
    for name, values in axes.items():
        if not values.size:
            raise ValueError(f"grid: {name} lists no value. Give at least one.")
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
    function("sweep", "build", build)
    function("sweep", "progress", progress, optional=True)
    steps = count("sweep", "steps", steps, least=0)
    tolerance, shift = real("sweep", "tolerance", tolerance), real("sweep", "shift", shift)
    if not isinstance(settings, dict):
        raise TypeError(f"sweep: settings must be a dict of lists, got {short(settings)}. "
                        "Make one by grid(lr=[...], ...).")
    settings = {name: numbers("sweep", name, values, ndim=1) for name, values in settings.items()}
    lengths = {name: len(values) for name, values in settings.items()}
    n = next(iter(lengths.values()), 0)
    if n == 0 or set(lengths.values()) != {n}:
        raise ValueError(f"sweep: settings must list equally many values, got {lengths}.")
    starts = xp.asarray(numbers("sweep", "starts", starts) if not isinstance(starts, xp.ndarray)
                        else point("sweep", starts, "starts"))
    if starts.ndim != 2 or starts.shape[1] == 0:
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
    place = place.reshape(-1)                               # NumPy 2.0.0 gives it two axes
    return Runs(updates[:, place], values[:, place])


def _run(objective, optimizer, theta, steps, tolerance, shift):
    """One batch: (updates (n,), values (n,)) of its rows."""
    n, ride = theta.shape[0], RIDE if getattr(objective, "replay", False) else 0
    updates, values = xp.zeros(n, int), xp.full(n, xp.inf)
    row, running = xp.arange(n), xp.ones(n, bool)       # which run each row is; has it retired?
    # Coordinate by coordinate in memory: operations then run along the long axis.
    run = descent(optimizer, objective, xp.asfortranarray(theta), steps=steps, shift=shift)
    for t, theta, loss, state in run:
        stopped = ((loss > tolerance) & (loss < xp.inf)) < running      # arrived, inf or nan
        if t > 0 and xp.count_nonzero(stopped):         # heights are judged after updates
            arrived = stopped & (loss <= tolerance)
            updates[row[arrived]], values[row[arrived]] = t, loss[arrived]
            running &= ~stopped
            left = int(running.sum())
            if left == 0:
                break
            if row.size - left > max(ride, 0.1 * row.size):
                _, theta, loss, state = run.send(running)
                row, running = row[running], xp.ones(left, bool)
    if bool(running.any()):                             # all steps made
        values[row[running]] = loss[running]
    return updates, values


def best(runs, start=0):
    """Index of the best configuration from one start: the fewest updates, the first among equals;
    where none arrived, the lowest height."""
    if not isinstance(runs, Runs):
        raise TypeError(f"best: runs must be what sweep returned, got {short(runs)}.")
    if count("best", "start", start, least=-len(runs.updates)) >= len(runs.updates):
        raise ValueError(f"best: there are {len(runs.updates)} starts, got start={start}.")
    updates, values = runs.updates[start], runs.values[start]
    if (updates > 0).any():
        return int(np.argmin(np.where(updates > 0, updates, np.iinfo(int).max)))
    return int(np.argmin(values))


class Trace(NamedTuple):
    """One run, remembered, on the host.

    points   (k, d), from the start on
    heights  (k,)
    traces   {name: (k-1,), or (k-1, L) of L numbers}: what the method leaves in its state under
             `traces`, after each step
    """

    points: np.ndarray
    heights: np.ndarray
    traces: dict

    @property
    def factors(self):
        """The metric factors s (k-1,) of an optimizer that has them, else an empty array."""
        return self.traces.get("s", np.array([]))


def trace(objective, optimizer, theta, *, steps, tolerance):
    """One run from theta (d,), or a batch of one (1, d), until it arrives, leaves for infinity or
    has made its steps."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"trace: needs an optimizer, got {short(optimizer)}.")
    tolerance = real("trace", "tolerance", tolerance)
    if points_of(point("trace", theta)) != 1:
        raise ValueError(f"trace: follows one point (d,) or (1, d), got shape {theta.shape}.")
    points, heights, traces = [], [], {name: [] for name in optimizer.traces}
    for t, theta, loss, state in descent(optimizer, objective, theta, steps=steps):
        points.append(to_host(theta).reshape(-1))
        heights.append(float_of(loss.reshape(())))
        for name in traces if t else ():
            traces[name].append(np.array(to_host(state[name])).squeeze())   # () or (L,)
        if t > 0 and not tolerance < heights[-1] < math.inf:
            break
    traces = {name: np.array(numbers) for name, numbers in traces.items()}
    return Trace(np.array(points), np.array(heights), traces)
