"""Directions: the scale of every filter, what is left alone, and curvature's own directions."""
import numpy as np
import pytest

import minigrad as mg
from minigrad import Layout
from minigrad.backend import to_host, xp
from optim import Objective
from problems.landscape.slices.directions import (cosine, eigen_directions, normalise, random_direction,
                                           random_pair)

TREE = {"conv": {"K": np.ones((4, 3, 2, 2)), "b": np.ones(4)}, "dense": {"W": np.ones((5, 3)), "b": np.ones(3)},
        "norm": {"gain": np.ones(5), "shift": np.ones(5)}, "tokens": {"E": np.ones((6, 2))}}
LAYOUT = Layout(TREE)
FILTER_AXES = {"conv.K": 0, "dense.W": 1, "tokens.E": 0}


def point(seed=0):
    return xp.asarray(np.random.default_rng(seed).standard_normal(LAYOUT.size))


def parts(flat):
    flat = to_host(flat)
    return {e.name: flat[e.start:e.stop].reshape(e.shape) for e in LAYOUT.entries}


def filters(array, axis):
    return np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1)


# Golden digits: W = [[3,4],[0,2]], d = [[1,0],[1,1]].
@pytest.mark.parametrize("leaf, expected", [
    ("E", [[5, 0], [1.414213562, 1.414213562]]),                              # filters are rows
    ("W", [[2.121320344, 0], [2.121320344, 4.472135955]]),                    # filters are columns
])
def test_two_by_two(leaf, expected):
    layout = Layout({leaf: np.zeros((2, 2))})
    d = normalise(xp.asarray([1.0, 0, 1, 1]), xp.asarray([3.0, 4, 0, 2]), layout)
    np.testing.assert_allclose(to_host(d).reshape(2, 2), expected, rtol=3e-10, atol=1e-15)


def test_filter_norms_are_the_weights_own():
    theta = point()
    d, w = parts(random_direction(theta, LAYOUT, np.random.default_rng(1))), parts(theta)
    for name, axis in FILTER_AXES.items():
        ours, theirs = (np.linalg.norm(filters(x[name], axis), axis=1) for x in (d, w))
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)                   # 1e-10 guards the division
        other = 1 if axis == 0 else 0                                         # the wrong axis must not fit
        assert not np.allclose(np.linalg.norm(filters(d[name], other), axis=1),
                               np.linalg.norm(filters(w[name], other), axis=1), rtol=1e-3)


@pytest.mark.parametrize("axis, shape", [(-1, (1, 1, 1, 4)), (0, (3, 1, 1, 1)), (2, (1, 1, 2, 1))])
def test_filters_of_a_kernel_are_counted_where_it_was_declared(axis, shape):
    """A kernel (3, 3, 2, 4) under a name of its own: each slice along the axis gets its own length."""
    rng = np.random.default_rng(0)
    d, W = (rng.standard_normal((3, 3, 2, 4)) for _ in range(2))
    layout = Layout({"k": xp.zeros(W.shape)}, {"k": ("weight", axis)})
    found = to_host(normalise(xp.asarray(d.ravel()), xp.asarray(W.ravel()), layout)).reshape(W.shape)
    others = tuple(a for a in range(4) if a != axis % 4)
    scale = np.sqrt((W**2).sum(others, keepdims=True) / (d**2).sum(others, keepdims=True))
    assert scale.shape == shape
    np.testing.assert_allclose(found, d * scale, rtol=1e-9)


def test_filters_nobody_declared():
    layout, theta = Layout({"heads": xp.zeros((2, 3, 4))}), xp.ones(24)
    with pytest.raises(ValueError, match=r"Layout: heads has shape \(2, 3, 4\), and which of its 3"):
        normalise(theta, theta, layout)
    np.testing.assert_allclose(to_host(normalise(theta, 2.0 * theta, layout, norm="layer")), 2.0)


@pytest.mark.parametrize("size", [1e-200, 1.0, 1e200])
def test_angles_and_filters_of_any_size(size):
    a, b = xp.asarray([3.0 * size, 4.0 * size]), xp.asarray([0.0, 2.0 * size])
    assert cosine(a, b) == pytest.approx(0.8, rel=1e-15)
    d = normalise(xp.ones(2), a, Layout({"W": xp.zeros((2, 1))}))
    np.testing.assert_allclose(to_host(d), 5.0 * size / 2**0.5, rtol=1e-9)      # 1e-10 is added


def test_ignored_kinds_are_exactly_zero_and_others_can_be_included():
    d = parts(random_direction(point(), LAYOUT, np.random.default_rng(1)))
    for name in ("conv.b", "dense.b", "norm.gain", "norm.shift"):
        assert np.array_equal(d[name], np.zeros_like(d[name]))
    full = parts(random_direction(point(), LAYOUT, np.random.default_rng(1), ignore=()))
    assert all(np.all(part != 0) for part in full.values())


def test_layer_and_weight_modes():
    theta = point()
    d, w = parts(random_direction(theta, LAYOUT, np.random.default_rng(1), norm="layer")), parts(theta)
    assert np.linalg.norm(d["dense.W"]) == pytest.approx(np.linalg.norm(w["dense.W"]), rel=1e-9)
    raw = parts(random_direction(theta, LAYOUT, np.random.default_rng(1), norm="none"))
    entry = parts(random_direction(theta, LAYOUT, np.random.default_rng(1), norm="weight"))
    np.testing.assert_allclose(entry["conv.K"], raw["conv.K"] * np.abs(w["conv.K"]), rtol=1e-14)


def test_same_seed_same_plane_and_the_point_is_untouched():
    theta = point()
    before = to_host(theta).copy()
    a, b = (random_pair(theta, LAYOUT, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(to_host(a.d1), to_host(b.d1)) and np.array_equal(to_host(a.d2), to_host(b.d2))
    assert np.array_equal(to_host(theta), before)
    assert a.cosine == pytest.approx(cosine(a.d1, a.d2), abs=0)


def test_a_pair_is_orthogonal_before_normalisation():
    pair = random_pair(point(), LAYOUT, np.random.default_rng(2), norm="none", ignore=())
    assert abs(pair.cosine) < 1e-14
    assert 0 < abs(random_pair(point(), LAYOUT, np.random.default_rng(2)).cosine) < 0.5


def test_float32_stays_float32():
    theta = point().astype("float32")
    assert random_direction(theta, LAYOUT, np.random.default_rng(0)).dtype == theta.dtype


def test_eigen_directions_carry_their_second_difference():
    """Along a unit eigenvector the second difference of a quadratic is the eigenvalue; random ones see tr/n."""
    rng = np.random.default_rng(0)
    Q, _ = np.linalg.qr(rng.standard_normal((30, 30)))
    eigenvalues = np.linspace(-2.0, 9.0, 30)
    A = xp.asarray(Q * eigenvalues @ Q.T)
    objective = Objective(lambda w: 0.5 * mg.sum(w * (A @ w)))
    w = xp.asarray(rng.standard_normal(30))
    for which, expected in (("top", (9.0, eigenvalues[-2])), ("ends", (9.0, -2.0))):
        pair, values = eigen_directions(objective, w, rng, which=which)
        np.testing.assert_allclose(values, expected, rtol=1e-8)
        for d, value in zip(pair[:2], values):
            h = 1e-2
            second = (objective.value(w + h * d) - 2 * objective.value(w) + objective.value(w - h * d)) / h**2
            assert float(second) == pytest.approx(value, rel=1e-8)


@pytest.mark.parametrize("which, expected", [("top", (4.0, 4.0)), ("ends", (4.0, -1.0))])
def test_eigen_directions_of_a_multiple_eigenvalue(which, expected):
    """Every plane of the eigenspace will do; both directions lie in it and are orthogonal."""
    lam = xp.asarray([4.0, 4.0, 4.0, 1.0, 0.0, -1.0, -1.0])
    objective = Objective(lambda w: 0.5 * mg.sum(lam * w * w, axis=-1))
    pair, values = eigen_directions(objective, xp.zeros(7), np.random.default_rng(0), which)
    assert values == pytest.approx(expected) and abs(pair.cosine) < 1e-12
    for d, value in zip(pair[:2], values):
        np.testing.assert_allclose(to_host(lam * d), value * to_host(d), atol=1e-10)
    bowl = Objective(lambda w: mg.sum(w * w, axis=-1))
    assert eigen_directions(bowl, xp.zeros(5), np.random.default_rng(0), which)[1] == pytest.approx((2.0, 2.0))
    with pytest.raises(ValueError, match="a plane needs two directions, theta has 1"):
        eigen_directions(bowl, xp.zeros(1), np.random.default_rng(0), which)


@pytest.mark.parametrize("call, match", [
    (lambda: random_direction(point(), LAYOUT, np.random.default_rng(0), norm="filters"), r"unknown norm 'filters'"),
    (lambda: normalise(point()[:-1], point(), LAYOUT), r"normalise: direction \(\d+,\) and point .* another network"),
    (lambda: eigen_directions(None, point(), None, which="all"), r"which must be 'top' or 'ends'"),
])
def test_bad_arguments(call, match):
    with pytest.raises(ValueError, match=match):
        call()
