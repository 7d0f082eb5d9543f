"""1,000 random graphs over all public operations against torch: value, gradient, product, third.

Where the two differ by convention there is nothing to compare, and the graphs keep clear of it:
mean, variance, maximum, logsumexp and softmax of nothing are refused here, and NaN, -inf or nothing
there. At ties and kinks they choose the same slope: `test_ties_and_kinks`.
"""
import functools
import importlib
import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from tests.minigrad.graphs.programs.drawn import NAMES, alone, graph, seeds
from tests.minigrad.graphs.programs.program import Skip, height, leaves_of, ours
from tests.minigrad.graphs.test_inputs import LAYOUTS

pytestmark = pytest.mark.peers

GRAPHS = 1000
LAYOUT = [xp.asarray, *LAYOUTS.values()]

# Of the largest entry. Both sides round in float64: some twenty operations with gains up to about a
# hundred, 1e-16 * 20 * 100 = 2e-13. The worst of the thousand is 1.2e-13.
CLOSE = 1e-11
# In float32 torch itself is the measure: by how much its float32 is off its float64. Ours may be
# off three times as much, for its sums have another order, and by 3e-6 (2^-23 * 20) in any case.
# That is enough for all graphs but a few with large gains, where torch may be lucky: its mean of
# 1,560 equal numbers is exact. They get what float64 moves by if every operation is off by NOISE,
# seventeen roundings of float32.
TIMES, LEAST, NOISE = 3.0, 3e-6, 1e-6


@pytest.fixture(scope="module")
def peer():
    """The operations in torch, on one thread: arrays are small."""
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield importlib.import_module("tests.minigrad.graphs.truth.in_torch")
    torch.set_num_threads(threads)


def single(arrays):
    """Rounded to numbers that float32 has too."""
    return [a.astype("float32").astype(float) for a in arrays]


def direction(program):
    """A vector like the leaves, of length one."""
    rng = np.random.default_rng(8)
    v = [rng.standard_normal(a.shape) for a in program.leaves]
    size = np.sqrt(sum((a * a).sum() for a in v)) or 1.0
    return single([a / size for a in v])


def by_minigrad(program, v, dtype, orders, turn):
    """As `in_torch.derivatives`. Every array has a layout, in turn."""
    turns = itertools.count(turn)

    def laid_out(a):
        return LAYOUT[next(turns) % len(LAYOUT)](a)
    x, v = ([laid_out(xp.asarray(a.astype(dtype))) for a in b] for b in (program.leaves, v))
    f = height(program, dtype, laid_out)
    y, g = mg.value_and_grad(f)(x)
    Hv, pullback = mg.vjp(lambda x: mg.hvp(f, x)(v), x)
    found = [[y, *ours(program, dtype, laid_out)(x)], g, Hv, pullback(v) if orders == 3 else []]
    return [[to_host(a) for a in arrays] for arrays in found[:orders + 1]]


ORDERS = ("value", "gradient", "product", "third order")


def check(peer, program, turn, orders=3, operations=None):
    """Both dtypes against torch; how many orders were compared."""
    program = replace(program, leaves=single(program.leaves))
    v, operations = direction(program), operations or peer.IN_TORCH
    try:
        right = peer.derivatives(program, v, "float64", orders, operations)
    except RuntimeError as error:
        if "must be contiguous" not in str(error):          # third slopes of some convolutions
            raise
        return check(peer, program, turn, 2, operations)
    rough = peer.derivatives(program, v, "float32", orders, operations)
    double, short = (by_minigrad(program, v, dtype, orders, turn)
                     for dtype in ("float64", "float32"))
    room = functools.cache(lambda: moved(peer, program, v, orders, operations, right))
    for name, *arrays in zip(ORDERS, double, short, right, rough):
        for a, low, b, low_b in zip(*arrays, strict=True):
            size = 1.0 + largest(b)
            near(a, b, CLOSE * size, name)
            reach = np.nan_to_num(TIMES * largest(low_b - b)) + LEAST * size    # torch: 0 * inf
            if largest(low - b) > reach:
                reach += room()[name]
            near(low, b, reach, f"{name} in float32")
            assert low.dtype == low_b.dtype and a.dtype == b.dtype, name
    return orders


def moved(peer, program, v, orders, operations, right):
    """By how much the values and slopes of each order move if every operation of floats errs by
    NOISE of its result, all entries alike; the most of a few times."""
    rng = np.random.default_rng(5)

    def off(operation):
        def erring(*inputs, **settings):
            y = operation(*inputs, **settings)
            return y * (1 + rng.choice([-NOISE, NOISE])) if y.is_floating_point() else y
        return erring
    erring = {name: off(operation) for name, operation in operations.items()}
    most = dict.fromkeys(ORDERS, 0.0)
    for _ in range(4):
        off_by = peer.derivatives(program, v, "float64", orders, erring)
        for name, *arrays in zip(ORDERS, right, off_by):
            most[name] = max(most[name], *(largest(a - b) for a, b in zip(*arrays)))
    return most


def largest(a):
    return np.abs(a).max(initial=0)


def near(a, b, reach, name):
    assert a.shape == b.shape and largest(a - b) <= reach, (name, a, b)


def checked(peer, label, program, turn, *rest):
    try:
        return check(peer, program, turn, *rest)
    except Exception as error:
        raise AssertionError(f"{label}, {program.names()}: {error}") from error


def test_a_thousand_random_graphs(peer):
    orders, compared, odd = Counter(), Counter(), Counter()
    for seed in range(GRAPHS):
        program = graph(seed)
        orders[checked(peer, f"graph {seed}", program, seed)] += 1
        compared.update(set(program.names()))
        odd.update(oddities(program))
    assert set(compared) == set(mg.ops.__all__) and min(compared.values()) >= GRAPHS // 20, compared
    assert orders[3] >= 0.99 * GRAPHS, orders
    assert min(odd[name] for name in ("empty axis", "axis of one", "negative axis")) >= 50, odd


def oddities(program):
    """What of the odd there is in a program."""
    shapes = {v.shape for v in program.values}
    axes = {a for line in program.lines for a in np.atleast_1d(line.settings.get("axis") or 0)}
    return {name for name, there in {
        "empty axis": any(0 in s for s in shapes), "axis of one": any(1 in s for s in shapes),
        "negative axis": any(a < 0 for a in axes)}.items() if there}


def test_each_operation_alone(peer):
    """In all its ways, with empty axes too where it has a value; torch's own normalisations."""
    for name in NAMES:
        for turn in seeds(name, 4):
            checked(peer, f"{name} {turn}", alone(name, turn), turn)
            try:
                program = alone(name, turn, zeros=True)
            except Skip:                                    # the maximum of nothing
                continue
            checked(peer, f"{name} {turn}, empty", program, turn)
    for name in peer.OWN:
        for turn in range(8):
            checked(peer, name, alone(name, turn), turn, 2, {**peer.IN_TORCH, **peer.OWN})


def test_every_public_operation_has_a_translation(peer):
    missing, gone = (set(mg.ops.__all__) - set(peer.IN_TORCH),
                     set(peer.IN_TORCH) - set(mg.ops.__all__))
    assert not missing, f"translate these too, in truth/in_torch.py: {sorted(missing)}"
    assert not gone, f"no operations any more: {sorted(gone)}"


KINKS = {
    "abs": [[0.0, 1.0]], "relu": [[0.0, 1.0]], "sign": [[0.0, 1.0]], "norm": [[0.0, 0.0]],
    "maximum": [[1.0, 1.0], [1.0, 0.0]], "minimum": [[1.0, 1.0], [1.0, 0.0]],
    "max": [[1.0, 1.0, 0.0]], "min": [[1.0, 1.0, 2.0]], "max_pool": [np.ones((1, 2, 2, 1))],
    "prod": [[0.0, 0.0, 2.0]], "clip": [[0.0, 0.5, 1.0, 2.0]], "sqrt": [[0.0, 1.0]],
}


@pytest.mark.parametrize("name", KINKS)
def test_ties_and_kinks(peer, name):
    """Of the slopes there are both take the same: 0 in a valley, 1/n for each of n equal ones, the
    first of a window, that of the inside at a bound.
    """
    import torch
    x, settings = [np.array(a) for a in KINKS[name]], {"low": 0.0, "high": 1.0} if (
        name == "clip") else {}
    with np.errstate(divide="ignore"):                      # the root of 0: infinity
        g = mg.grad(lambda x: mg.sum(getattr(mg, name)(*x, **settings)))([xp.asarray(a) for a in x])
    t = [torch.tensor(a, requires_grad=True) for a in x]
    right = torch.autograd.grad(peer.IN_TORCH[name](*t, **settings).sum(), t)
    for a, b in zip(g, right):
        np.testing.assert_array_equal(to_host(a), b.numpy())
