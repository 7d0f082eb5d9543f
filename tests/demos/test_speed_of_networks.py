"""The engines of `demos speed` agree, and ours keeps up with NumPy written by hand."""
import time
from importlib import import_module

import numpy as np
import pytest

import minigrad as mg
from demos.speed.timing import measure
from demos.speed.transformer_by_hand import loss_and_gradient
from minigrad.backend import name as backend
from minigrad.tree import leaves_of
from problems import Network
from problems.networks.transformer import Transformer

pytestmark = pytest.mark.skipif(backend != "numpy", reason="the timings are of NumPy")


def transformer(**settings):
    rng = np.random.default_rng(0)
    model = Transformer(65, heads=4, **settings)
    batch = tuple(rng.integers(0, 65, (32, model.context)) for _ in range(2))
    problem = Network(model, batch)
    return problem, problem.params(problem.start(rng)), batch


def test_the_transformer_by_hand_is_the_transformer():
    problem, params, batch = transformer(layers=2, width=16, context=8)
    loss, g = mg.value_and_grad(problem.tree_loss)(params)
    by_hand, h = loss_and_gradient(params, *batch, heads=4)
    assert float(loss) == pytest.approx(float(by_hand), rel=1e-12)
    for a, b in zip(leaves_of(g), leaves_of(h), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-13)


@pytest.mark.slow
def test_the_tape_costs_little_over_numpy_by_hand():
    """Best of ten each, in turn, in one process; 1.1 is the aim, 1.3 leaves room for noise."""
    mg.keep_heap()
    problem, params, batch = transformer(layers=2, width=128, context=64)
    params = mg.tree.rebuild(params, [a.astype("float32") for a in leaves_of(params)])
    gradient = mg.value_and_grad(problem.tree_loss)
    works = lambda: gradient(params), lambda: loss_and_gradient(params, *batch, heads=4)
    times = [[], []]
    for _ in range(10):
        for work, spent in zip(works, times):
            start = time.process_time()
            work()
            spent.append(time.process_time() - start)
    assert min(times[0]) <= 1.3 * min(times[1])


@pytest.mark.slow
@pytest.mark.peers
@pytest.mark.parametrize("group", ["transformer", "lstm", "cnn", "mlp", "functions"])
def test_all_engines_agree_before_they_are_timed(group):
    """`measure` raises if they do not; every ratio that is claimed gets a number."""
    for peer in ("torch", "autograd", "jax", "micrograd"):
        pytest.importorskip(peer)
    for case in import_module(f"demos.speed.{group}").cases():
        timings = measure(case, rounds=2)
        assert {t.claim for t in timings} == {claim for claim, *_ in case.ratios}
        assert all(t.ratio > 0 for t in timings)
