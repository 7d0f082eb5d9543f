"""Sweeps: many configurations as one batch against one run after the other."""

import importlib
import itertools
import math

import numpy as np
import pytest

import optim
from minigrad import to_host, xp
from minigrad.backend import on_device
from optim.coordinatewise.adam import Adam
from optim.rates.induced_metric import InducedMetric, LogInducedMetric, RMSInducedMetric
from optim.objective import Objective
from optim.coordinatewise.sgd import SGD
from optim.sweep import Runs, best, grid, sweep, trace


def valley(theta):
    """(1 - x)² + 5 (y - x²)², the shape of Rosenbrock's."""
    x, y = theta[..., 0], theta[..., 1]
    return (1.0 - x) ** 2 + 5.0 * (y - x * x) ** 2


GRIDS = {
    SGD: grid(lr=[1e-6, 0.01, 0.03, 0.1, 10.0], momentum=[0.0, 0.5, 0.9]),
    Adam: grid(lr=[0.001, 0.1, 1.0], beta1=[0.0, 0.9], beta2=[0.9, 0.999]),
    InducedMetric: grid(lr=[0.01, 0.1, 1.0], momentum=[0.0, 0.9], xi=[0.01, 1.0]),
    LogInducedMetric: grid(lr=[0.01, 0.1, 1.0], momentum=[0.0, 0.9], xi=[0.01, 1.0]),
    RMSInducedMetric: grid(lr=[0.01, 0.1, 10.0], momentum=[0.0, 0.9], xi=[0.01, 1.0]),
}


def one_by_one(build, settings, starts, steps, tolerance):
    """The same runs, each alone, by `Optimizer.step`."""
    n = len(next(iter(settings.values())))
    updates, values = np.zeros((len(starts), n), int), np.full((len(starts), n), np.inf)
    objective = Objective(valley)
    for (i, start), j in itertools.product(enumerate(starts), range(n)):
        optimizer = build(**{name: float(v[j]) for name, v in settings.items()})
        theta = xp.asarray(start)
        state = optimizer.init(theta)
        for t in range(1, steps + 1):
            with np.errstate(all="ignore"):
                theta, state, _ = optimizer.step(objective, theta, state)
                height = float(objective.value(theta))
            if not math.isfinite(height):
                break
            if height <= tolerance:
                updates[i, j], values[i, j] = t, height
                break
            if t == steps:
                values[i, j] = height
    return Runs(updates, values)


@pytest.mark.parametrize("build", list(GRIDS), ids=lambda c: c.__name__)
def test_a_sweep_is_its_runs_one_by_one(build):
    starts = np.array([[0.0, 0.0], [-1.0, 1.5]])
    together = sweep(Objective(valley), build, GRIDS[build], starts, steps=60, tolerance=1e-3)
    alone = one_by_one(build, GRIDS[build], starts, 60, 1e-3)
    np.testing.assert_array_equal(together.updates, alone.updates)
    slack = 1e-4 if on_device else 1e-6     # Adam at rate 1 makes 1e7 roundings of one in 60 steps
    np.testing.assert_allclose(together.values, alone.values, rtol=slack)
    assert (together.updates > 0).any() and (together.updates == 0).any()   # both kinds occur


def test_runs_that_leave_for_infinity_say_so():
    runs = sweep(Objective(valley), SGD, grid(lr=[0.01, 10.0]), [[2.0, 2.0]], steps=30, tolerance=0)
    assert runs.updates.tolist() == [[0, 0]]
    assert np.isfinite(runs.values[0, 0]) and runs.values[0, 1] == np.inf


def test_retired_runs_cost_nothing():
    """Ten runs arrive in one update (lr 0.5), ten never do: two batches of 20, then 99 of 10."""
    objective = Objective(lambda theta: (theta * theta).sum(-1))
    starts = np.random.default_rng(0).uniform(1, 2, (10, 2))
    sweep(objective, SGD, grid(lr=[0.5, 1e-9]), starts, steps=100, tolerance=1e-12)
    assert objective.gradients == 2 * 20 + 99 * 10


def test_equal_configurations_are_run_once():
    objective = Objective(valley)
    settings = grid(lr=[0.1, 0.01, 0.1], momentum=[0.5, 0.0])
    runs = sweep(objective, SGD, settings, [[0.0, 0.0]], steps=10, tolerance=0.0)
    assert objective.gradients == 4 * 11
    alone = one_by_one(SGD, settings, [[0.0, 0.0]], 10, 0.0)
    np.testing.assert_allclose(runs.values, alone.values, rtol=1e-12)


def test_batches_of_any_size_give_the_same_runs(monkeypatch):
    starts = np.random.default_rng(0).uniform(-1, 1, (5, 2))
    arguments = Objective(valley), Adam, GRIDS[Adam], starts
    whole = sweep(*arguments, steps=40, tolerance=1e-2)
    done = []
    module = importlib.import_module("optim.sweep")         # optim.sweep itself is the function
    monkeypatch.setattr(module, "ROWS", 30)                 # two starts of twelve configurations
    parts = sweep(*arguments, steps=40, tolerance=1e-2, progress=done.append)
    np.testing.assert_array_equal(whole.updates, parts.updates)
    np.testing.assert_allclose(whole.values, parts.values, rtol=1e-9)
    assert done == [0.4, 0.8, 1.0]


def test_the_shift_is_told_to_the_optimizer_but_not_judged():
    """Descent on log(L + c) by hand; arrival is still judged on L."""
    c, lr, xi, theta, updates = 0.5, 0.3, 0.01, np.array([1.0, 0.5]), 0
    while theta @ theta > 1e-3:
        L, g = theta @ theta + c, 2 * theta
        theta = theta - lr * L / (L * L + xi * (g @ g)) * g
        updates += 1
    square = Objective(lambda theta: (theta * theta).sum(-1))

    def build(**settings):
        return LogInducedMetric(beta=0.0, momentum=0.0, **settings)

    runs = sweep(square, build, grid(lr=[lr], xi=[xi]), [[1.0, 0.5]], steps=200, tolerance=1e-3,
                 shift=c)
    assert runs.updates[0, 0] == updates
    assert runs.values[0, 0] == pytest.approx(theta @ theta, rel=1e-12)


def test_heights_are_judged_after_updates_only():
    square = Objective(lambda theta: (theta * theta).sum(-1))
    runs = sweep(square, SGD, grid(lr=[0.5]), [[0.0, 0.0]], steps=3, tolerance=1.0)
    assert runs.updates[0, 0] == 1


def test_grid_lists_combinations_with_the_last_name_fastest():
    settings = grid(lr=[1.0, 2.0], momentum=[0.0, 0.5, 0.9])
    assert settings["lr"].tolist() == [1, 1, 1, 2, 2, 2]
    assert settings["momentum"].tolist() == [0, 0.5, 0.9, 0, 0.5, 0.9]


def test_best_takes_the_fewest_updates_then_the_first_then_the_lowest():
    runs = Runs(np.array([[0, 7, 5, 5], [0, 0, 0, 0]]),
                np.array([[0.1, 0, 0, 0], [3, 2, np.inf, 4]]))
    assert best(runs) == 2 and best(runs, 1) == 1


@pytest.mark.parametrize("build", list(GRIDS), ids=lambda c: c.__name__)
def test_trace_is_a_run_of_the_sweep_with_its_path(build):
    objective, settings = Objective(valley), GRIDS[build]
    runs = sweep(objective, build, settings, [[0.0, 0.0]], steps=60, tolerance=1e-3)
    i = best(runs)
    optimizer = build(**{name: xp.asarray([[v[i]]]) for name, v in settings.items()})
    path = trace(objective, optimizer, xp.zeros((1, 2)), steps=60, tolerance=1e-3)
    optimizer = build(**{name: float(v[i]) for name, v in settings.items()})
    alone = trace(objective, optimizer, xp.zeros(2), steps=60, tolerance=1e-3)
    np.testing.assert_allclose(path.points, alone.points, rtol=1e-6)
    assert len(path.points) == len(path.heights) == runs.updates[0, i] + 1
    assert path.heights[-1] == pytest.approx(runs.values[0, i], rel=1e-6)
    heights = to_host(objective.value(xp.asarray(path.points)))
    np.testing.assert_allclose(heights, path.heights, rtol=1e-12)
    has_factor = build in (InducedMetric, LogInducedMetric, RMSInducedMetric)
    assert len(path.factors) == (len(path.heights) - 1 if has_factor else 0)


def test_they_stand_in_optim_too():
    runs = optim.sweep(Objective(valley), optim.SGD, optim.grid(lr=[0.01, 0.1]), [[0.0, 0.0]],
                       steps=20, tolerance=1.0)
    assert optim.best(runs) in (0, 1)
    assert importlib.import_module("optim.sweep").sweep is optim.sweep


def test_bad_calls():
    objective = Objective(valley)
    with pytest.raises(ValueError, match="settings must list equally many values, got {'lr': 2"):
        sweep(objective, SGD, {"lr": [1, 2], "momentum": [0]}, [[0.0, 0.0]], steps=1, tolerance=0)
    with pytest.raises(ValueError, match=r"sweep: starts must have shape \(s, d\), got \(2,\)"):
        sweep(objective, SGD, grid(lr=[1.0]), [0.0, 0.0], steps=1, tolerance=0)
