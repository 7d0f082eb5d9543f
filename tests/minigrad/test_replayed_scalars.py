"""Programs on a few numbers as Python's own arithmetic: the bits that NumPy gives, or none at all."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import name as backend
from minigrad.replay.compiler import compiled, original
from minigrad.replay.noting import recorded
from minigrad.replay.scalars import unrolled
from problems.functions import FUNCTIONS
from tests.minigrad.test_replay import agrees, same

pytestmark = pytest.mark.skipif(backend != "numpy", reason="what is repeated are calls of NumPy")

PLAIN = {"sphere", "booth", "three_hump_camel", "styblinski_tang", "beale", "himmelblau",
         "rosenbrock"}
FAR = [np.array(x) for x in ([0.0, -0.0], [1e200, -1e200], [np.inf, 1.0], [-np.inf, np.inf],
                             [np.nan, 2.0], [5e-324, -1e-160], [1e308, 1e308])]


def program(f, *points):
    """What `replay` makes its choice from: (instructions, points, results) of a function of arrays
    (of NumPy, with noted arrays), the results as a list."""
    points = [np.array(x, order="K") for x in points]
    with recorded() as recording:
        results = recording.plain(f(*map(recording.noted, points)))
    results = [original(np.asarray(r), recording.steps) for r in results]
    steps, results = compiled(recording.steps, points, results)
    return steps, points, results


def text(f, *points):
    return unrolled(*program(f, *points))


def signs(y, g):
    """Of zeros too; a NaN has none that anybody promises."""
    return [np.signbit(number) and not np.isnan(number) for number in (y, *g)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_polynomials_are_unrolled_and_others_are_not(name):
    x = np.array([0.5, -0.25])
    f = mg.value_and_grad(FUNCTIONS[name])
    assert (text(lambda x: list(f(x)), x) is not None) == (name in PLAIN)


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_the_bits_are_the_tapes_also_where_numbers_end(name):
    rng = np.random.default_rng(0)
    fast, tape = mg.replay(FUNCTIONS[name], FAR[0]), mg.value_and_grad(FUNCTIONS[name])
    with np.errstate(all="ignore"):
        for x in [*FAR, *rng.standard_normal((100, 2)) * 10.0**rng.integers(-9, 9, (100, 1))]:
            (y, g), (z, h) = fast(x), tape(x)
            same([y, g], [z, h])
            assert type(y) is type(z) and type(g) is type(h)
            np.testing.assert_array_equal(signs(y, g), signs(z, h))


def test_points_of_several_axes_and_trees():
    rng = np.random.default_rng(1)
    square = lambda x: mg.sum(mg.sum(x * x.T * 3.0, axis=-1), axis=-1)
    agrees(square, rng.random((2, 2)), rng.random((3, 2, 2)))
    agrees(square, np.asfortranarray(rng.random((2, 2))), rng.random((3, 2, 2)))
    tree = lambda p: p["a"] * p["b"][0] - mg.sum(p["b"] * p["b"])
    trees = [{"a": rng.random(()), "b": rng.random(2)} for _ in range(4)]
    agrees(tree, trees[0], trees[1:])


def views(x):
    y = mg.backend.xp.zeros((2, 3))
    y[0] = x[::-1]
    y[1, 1:] = x[:2] * y[0, 1:]
    y[:, 0] = -y[:, 2]
    return [y, y[:, None, 0] * x]


def overlaps(x):
    y = x * 2.0
    y[:] = y[::-1] * 1.0 - 0.5
    y += y
    y[1:] -= y[:-1]
    return [y]


def numbers_of_other_kinds(x):
    return [x * 2 - np.float32(0.1), (1 - x) * -0.0, x + np.inf, -(x * np.nan), x * True]


def other_shapes(x):
    y = mg.backend.xp.zeros((2, 3))
    y[0] = x[None, :] * 2.0
    y[1] = x.reshape(1, 1, 3)
    np.negative(x, out=y[:, ::-1])
    z = mg.backend.xp.zeros((2, 3))
    np.subtract(x[0], 1.0, out=z)
    return [y, z, np.add.reduce(y[:, :1], axis=0), np.add.reduce(y[:1, :2], axis=(0, 1)),
            x * [1.0, 2, -3.0] + (0.5, 1, 2)]


@pytest.mark.parametrize("f", [views, overlaps, numbers_of_other_kinds, other_shapes])
def test_parts_of_arrays_keep_their_places(f):
    run = text(f, np.ones(3))
    for x in np.random.default_rng(2).standard_normal((20, 3)):
        same(run(x), f(x.copy()))


STAYS = {
    "division": lambda x: [x / x],
    "a function": lambda x: [np.sqrt(x) * 2.0],
    "a sum of three": lambda x: [np.add.reduce(x)],
    "a product of matrices": lambda x: [x @ x],
    "whole numbers": lambda x: [x.astype(int) * 2],
    "single precision": lambda x: [x.astype("float32") * 2.0],
    "places by values": lambda x: [x[np.argsort(x)] * 2.0],
    "where": lambda x: [np.add(x, x, out=x * 1.5, where=np.array([True, False, True]))],
    "a sum along no axis": lambda x: [np.add.reduce(x[:2], axis=())],
    "nothing": lambda x: [x[:0] * mg.backend.xp.ones(0)],
    "a larger array": lambda x: [x[:, None, None] * np.ones((3, 3))],
}


@pytest.mark.parametrize("name", STAYS)
def test_everything_else_stays_with_numpy(name):
    x = np.array([3.0, 1.0, 2.0])
    assert text(lambda x: [x * x - 1.0], x) is not None
    assert text(STAYS[name], x) is None


def test_of_many_numbers_numpy_is_the_quicker():
    assert text(lambda x: [x * x], np.ones(10)) is not None
    assert text(lambda x: [x * x], np.ones(11)) is None
    assert text(lambda x: [x * x], np.ones(10, "float32")) is None


def test_points_without_numbers():
    y, g = mg.replay(lambda x: mg.sum(x * x), np.zeros(0))(np.zeros(0))
    assert y == 0.0 and g.shape == (0,)
    y, g = mg.replay(lambda x: x * x * [3.0][0], np.array(2.0))(np.array(-1.5))
    assert y == 6.75 and g == -9.0


def test_results_are_arrays_of_their_own():
    fast = mg.replay(FUNCTIONS["booth"], np.ones(2))
    y, g = fast(np.array([1.0, 2.0]))
    _, h = fast(np.array([1.0, 2.0]))
    assert g is not h and g.flags.owndata and g.flags.writeable and type(y) is np.float64
