"""Objective(replay=True): the same numbers, recorded once points of one kind come often."""
import threading

import numpy as np
import pytest

import minigrad as mg
import optim
from minigrad.backend import name as backend
from minigrad.replay import often
from problems import Network
from problems.functions import FUNCTIONS
from problems.networks.mlp import MLP

pytestmark = pytest.mark.skipif(backend != "numpy", reason="what is repeated are calls of NumPy")
TIMES = often.AFTER + 10


def same(replayed, plain, points):
    for theta in points:
        (a, g), (b, h) = replayed.value_and_grad(theta), plain.value_and_grad(theta)
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(g, h)
        assert g.flags.c_contiguous == h.flags.c_contiguous and g.dtype == h.dtype
    assert replayed.gradients == plain.gradients


def made(objective):
    """Recordings that it holds."""
    return [r for some in objective.recordings.values() for r in some.seen.values()
            if type(r) is not int]


@pytest.mark.parametrize("name", ["rosenbrock", "ackley", "rastrigin"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_batches_of_points_of_test_functions(name, order):
    rng = np.random.default_rng(0)
    pair = optim.Objective(FUNCTIONS[name], replay=True), optim.Objective(FUNCTIONS[name])
    same(*pair, [np.array(rng.standard_normal((7, 2)), order=order) for _ in range(TIMES)])
    assert len(made(pair[0])) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_small_network_on_its_data_and_on_another_batch(dtype):
    rng = np.random.default_rng(0)
    problem = Network(MLP((4, 8, 3)), (rng.standard_normal((16, 4)), np.arange(16) % 3), dtype)
    pair = optim.Objective(problem, replay=True), optim.Objective(problem)
    same(*pair, [problem.start(rng) for _ in range(TIMES)])
    assert len(made(pair[0])) == 1
    for objective in pair:
        objective.batch = tuple(a[:5] for a in problem.data)
    assert not made(pair[0])
    same(*pair, [problem.start(rng) for _ in range(TIMES)])


def test_several_batches_clipping_and_what_cannot_be_recorded():
    rng = np.random.default_rng(0)
    problem = Network(MLP((4, 8, 3)), dtype="float64")
    batches = [(rng.standard_normal((n, 4)), np.arange(n) % 3) for n in (5, 9)]
    how = {"batches": batches, "clip": 0.1}
    pair = optim.Objective(problem, replay=True, **how), optim.Objective(problem, **how)
    same(*pair, [problem.start(rng) for _ in range(TIMES)])
    assert len(made(pair[0])) == 2

    def branches(theta):
        return mg.sum(theta * theta) * (2.0 if float(mg.constant(theta)[0]) > 0 else 1.0)
    pair = optim.Objective(branches, replay=True), optim.Objective(branches)
    same(*pair, [rng.standard_normal(3) for _ in range(TIMES)])


def test_results_are_the_callers_own_and_old_recordings_go():
    objective = optim.Objective(FUNCTIONS["sphere"], replay=True)
    for n in range(1, 8):
        kept = [objective.value_and_grad(np.full((n, 2), float(k)))[1] for k in range(TIMES)]
        assert [g[0, 0] for g in kept] == [2.0 * k for k in range(TIMES)]
    assert len(made(objective)) == often.KEPT


def test_threads_have_recordings_of_their_own():
    objective, wrong = optim.Objective(FUNCTIONS["rastrigin"], replay=True), []
    plain = optim.Objective(FUNCTIONS["rastrigin"])

    def work(seed):
        rng = np.random.default_rng(seed)
        for _ in range(300):
            theta = rng.standard_normal((50, 2))
            if not (objective.value_and_grad(theta)[1] == plain.value_and_grad(theta)[1]).all():
                wrong.append(seed)
    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert not wrong


def test_a_sweep_makes_the_same_runs():
    settings = optim.grid(lr=np.geomspace(1e-4, 1.0, 12), momentum=[0.0, 0.9])
    runs = [optim.sweep(optim.Objective(FUNCTIONS["himmelblau"], replay=replay), optim.SGD, settings,
                        np.array([[-0.3, -0.9]]), steps=200, tolerance=1e-8)
            for replay in (False, True)]
    np.testing.assert_array_equal(runs[0].updates, runs[1].updates)
    np.testing.assert_array_equal(runs[0].values, runs[1].values)
    assert (runs[0].updates > 0).any() and (runs[0].updates == 0).any()


def test_replay_is_true_or_false():
    with pytest.raises(TypeError, match="Objective: replay must be True or False"):
        optim.Objective(FUNCTIONS["sphere"], replay="yes")
