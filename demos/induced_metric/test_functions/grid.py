"""The experiment: five functions, six optimizers, every configuration of each one's grid."""

import runpy
import time
from functools import partial
from pathlib import Path

from optim import SGD, Adam, InducedMetric, LogInducedMetric, NAdam, Objective, RMSInducedMetric
from optim.parallel import run_all
from optim.sweep import best, grid, sweep, trace
from minigrad import xp
from problems.functions import FUNCTIONS

STEPS = 1000
TASKS = {                                               # start, and the height to arrive at
    "beale": ((0.0, 0.0), 1e-7),
    "rosenbrock": ((0.0, 0.0), 1e-7),
    "himmelblau": ((0.0, 0.0), 1e-6),
    "ackley": ((2.0, 2.0), 1e-6),
    "rastrigin": ((2.0, 2.0), 1e-6),
}
LR = [1e-6, 1e-5, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0]           # 1e-5 twice, as published
MU, XI = [0.0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99], [0.01, 0.1, 1.0, 10.0]
MEAN_SQUARE = [0.8, 0.85, 0.9, 0.99, 0.999]


OPTIMIZERS = {
    "log": (partial(LogInducedMetric, beta=0.0, on_nonpositive="ascend"),
            grid(lr=LR, momentum=MU, xi=XI)),
    "rms": (partial(RMSInducedMetric, beta=0.0),
            grid(lr=LR, momentum=MU, xi=XI, beta_rms=MEAN_SQUARE)),
    "plain": (partial(InducedMetric, beta=0.0), grid(lr=LR, momentum=MU, xi=XI)),
    "Adam": (Adam, grid(lr=LR, beta1=MU, beta2=MEAN_SQUARE)),
    "NAdam": (NAdam, grid(lr=LR, beta1=MU, beta2=MEAN_SQUARE, muon_beta=[0.9, 0.99, 0.99])),
    "SGD": (SGD, grid(lr=LR, momentum=MU)),
}
# Published as Muon, which treats a vector as NAdam does: the last axis of its grid does nothing.
del OPTIMIZERS["NAdam"][1]["muon_beta"]


def carry_out(work, jobs, progress):
    """{key: what run_cell(*arguments) returned} for work = {key: arguments}.

    progress  called with a text and, where known, the fraction done
    """
    if jobs > 1:
        return dict(zip(work, run_all(run_cell, work.values(), jobs, progress)))
    cost = {key: configurations(cell[1]) * len(cell[2]) for key, cell in work.items()}
    results, done = {}, 0
    for key, cell in work.items():
        results[key] = run_cell(*cell)
        done += cost[key]
        progress(" ".join(map(str, key)), done / sum(cost.values()))
    return results


def configurations(optimizer):
    return len(OPTIMIZERS[optimizer][1]["lr"])


def distinct_configurations(optimizer):
    """How many configurations of its grid differ from all others."""
    settings = zip(*(values.tolist() for values in OPTIMIZERS[optimizer][1].values()))
    return len(set(settings))


def run_cell(function, optimizer, starts, shift=0.0, only=None):
    """An optimizer's grid, or configuration number `only` of it, on a function: (Runs, seconds)."""
    build, settings = OPTIMIZERS[optimizer]
    if only is not None:
        settings = {name: values[[only]] for name, values in settings.items()}
    began = time.perf_counter()
    runs = sweep(Objective(FUNCTIONS[function], replay=True), build, settings, starts, steps=STEPS,
                 tolerance=TASKS[function][1], shift=shift)
    return runs, time.perf_counter() - began


def own_optimizer(path):
    """(name, build, settings) of an optimizer of one's own, from a Python file with

        build      called as build(**settings) with arrays (n, 1): an optimizer class will do
        settings   its configurations, made by optim.grid
    """
    if not Path(path).is_file():
        raise ValueError(f"--own {path}: there is no such file. Name a Python file with build and "
                         "settings.")
    found = runpy.run_path(str(path))
    if not callable(found.get("build")) or not isinstance(found.get("settings"), dict):
        raise ValueError(f"--own {path}: needs build, a class or function that makes the optimizer, "
                         "and settings, made by optim.grid(lr=[...], ...).")
    return Path(path).stem, found["build"], found["settings"]


def own_runs(build, settings):
    """{function: Runs} of any optimizer from the published starts: what the six are held to."""
    return {f: sweep(Objective(FUNCTIONS[f], replay=True), build, settings, [start], steps=STEPS,
                     tolerance=tolerance) for f, (start, tolerance) in TASKS.items()}


def trace_best(function, optimizer, runs):
    """The best run of a cell from the published start, with its path: (settings, Trace).

    It is run again as a batch of one, so that it rounds as the sweep did.
    """
    build, grids = OPTIMIZERS[optimizer]
    start, tolerance = TASKS[function]
    settings = {name: float(values[best(runs)]) for name, values in grids.items()}
    one = build(**{name: xp.asarray([[value]]) for name, value in settings.items()})
    return settings, trace(Objective(FUNCTIONS[function]), one, xp.asarray([start]),
                           steps=STEPS, tolerance=tolerance)
