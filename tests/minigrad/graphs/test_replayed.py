"""The same graphs recorded and repeated: `replay` bit for bit, `graph.rerun` with nodes changed."""
import numpy as np
import pytest

import minigrad as mg
from minigrad import graph as walk
from minigrad.backend import on_device, to_host, xp
from tests.minigrad.graphs.programs.drawn import NAMES, alone, graph
from tests.minigrad.graphs.programs.program import (by_minigrad, evaluate, height, leaves_of, ours,
                                                    weighed)


def check_replay(program):
    """A recording gives at three other points what the tape gives, to the last bit."""
    x, f = leaves_of(program), height(program)
    if not x:
        return
    fast = mg.replay(f, x)
    for seed, far in enumerate((0.01, 0.5, 3.0)):
        rng = np.random.default_rng(seed)
        z = [np.asarray(a + far * rng.standard_normal(a.shape)) for a in x]
        with np.errstate(all="ignore"):                     # far away there are logs of nothing
            (y, g), (right, gradient) = fast(z), mg.value_and_grad(f)(z)
        np.testing.assert_array_equal(y, right)
        for a, b in zip(g, gradient):
            np.testing.assert_array_equal(a, b)


def check_rerun(program, seed):
    """A calculation done again with something added to one of its nodes, against by hand."""
    x, rng = leaves_of(program), np.random.default_rng(seed)
    made = [k for k, line in enumerate(program.lines) if line.name != "leaf"
            and program.values[k].dtype.kind == "f" and program.values[k].size]
    if not x or not made:
        return
    at = int(rng.choice(made))
    added = xp.asarray(rng.standard_normal(program.values[at].shape) * 0.1)
    weights = [xp.asarray(w) for w in program.slopes_of(program.weights)]
    found = {}

    def total(values):
        return sum(mg.sum(weighed(v, w)) for v, w in zip(program.slopes_of(values), weights))

    def f(x):
        values = ours(program)(x)
        y, node = total(values), values[at]
        alone_here = sum(v is node for v in values) == 1        # dropout may hand through
        if isinstance(node, mg.Tensor) and node.number and alone_here:
            again = walk.rerun(y, {node.number: added})
            found["again"], found["same"] = mg.constant(again), mg.constant(walk.rerun(y, {}))
        return y
    y = mg.value_and_grad(f)(x)[0]
    if found:
        np.testing.assert_array_equal(to_host(found["same"]), to_host(y))
        right = by_hand(program, x, at, added, total)
        np.testing.assert_allclose(to_host(found["again"]), to_host(right), rtol=1e-11, atol=1e-11)


def by_hand(program, x, at, added, total):
    """The height where the value of line `at` has something added to it."""
    def given(a):
        return xp.asarray(a) if isinstance(a, np.ndarray) else "float64"

    def call(line, inputs, settings):
        y = by_minigrad(line, inputs, settings)
        return y + added if line is program.lines[at] else y
    return total(evaluate(call, program, x, given, base=ours(program)(x)))


def check(function, label, program, *rest):
    try:
        function(program, *rest)
    except Exception as error:
        raise AssertionError(f"{label}, {program.names()}: {error}") from error


@pytest.mark.skipif(on_device, reason="replay repeats calls of NumPy")
def test_a_recording_is_the_tape():
    for seed in range(8):
        check(check_replay, f"graph {seed}", graph(seed))
    for name in NAMES:
        check(check_replay, name, alone(name, 0))


@pytest.mark.slow
@pytest.mark.skipif(on_device, reason="replay repeats calls of NumPy")
def test_a_recording_is_the_tape_many_times():
    for seed in range(8, 400):
        check(check_replay, f"graph {seed}", graph(seed))
    for name in NAMES:
        for k in range(1, 8):
            check(check_replay, name, alone(name, k, long=k > 4))


def test_a_calculation_done_again():
    for seed in range(30):
        check(check_rerun, f"graph {seed}", graph(seed), seed)


@pytest.mark.slow
def test_a_calculation_done_again_many_times():
    for seed in range(30, 1000):
        check(check_rerun, f"graph {seed}", graph(seed), seed)
