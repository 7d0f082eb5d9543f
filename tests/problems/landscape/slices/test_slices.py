"""Slices: the centre is the point, chunks change nothing, and bad input is named."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from optim import Objective
from problems import Network
from problems.networks.cnn import CNN
from problems.landscape.slices.convexity import curvature_map
from problems.landscape.slices.directions import random_pair
from problems.landscape.slices.planes import grid, line_scan, plane_scan
from problems.networks.mlp import MLP

RNG = np.random.default_rng(0)
A = RNG.standard_normal((6, 6))
A = A + A.T
THETA, D1, D2 = (xp.asarray(RNG.standard_normal(6)) for _ in range(3))


def f(w):
    """A height for (..., 6): a quadratic and a ripple."""
    return 0.5 * mg.sum(w * (w @ xp.asarray(A)), axis=-1) + mg.sum(mg.sin(3.0 * w), axis=-1)


def by_hand(a, b=0.0):
    w = to_host(THETA) + a * to_host(D1) + b * to_host(D2)
    return 0.5 * w @ A @ w + np.sin(3 * w).sum()


@pytest.mark.parametrize("low, high, count", [(-1, 1, 51), (-0.3, 0.3, 7), (-1.7, 0.9, 20), (-0.01, 5, 31)])
def test_the_grid_contains_zero_exactly_and_covers_its_range(low, high, count):
    g = grid(low, high, count)
    assert np.count_nonzero(g == 0.0) == 1
    assert g[0] <= low + 1e-12 and g[-1] >= high - 1e-12
    np.testing.assert_allclose(np.diff(g), g[1] - g[0], rtol=1e-9)
    assert count <= len(g) <= count + 1


def test_line_and_plane_against_a_loop():
    objective = Objective(f)
    line = line_scan(objective, THETA, D1, grid(count=11))
    np.testing.assert_allclose(line.heights, [by_hand(a) for a in line.alphas], rtol=1e-12)
    plane = plane_scan(objective, THETA, D1, D2, grid(count=5), grid(-0.5, 0.5, 7))
    assert plane.heights.shape == (7, 5)                               # rows are d2, columns d1
    np.testing.assert_allclose(plane.heights, [[by_hand(a, b) for a in plane.alphas] for b in plane.betas],
                               rtol=1e-12)


def test_the_centre_is_the_point_and_the_point_is_untouched():
    objective, before = Objective(f), to_host(THETA).copy()
    height = float(objective.value(THETA))
    line, plane = line_scan(objective, THETA, D1), plane_scan(objective, THETA, D1, D2, grid(count=9))
    assert len(line.heights) == 51
    assert line.centre == plane.centre == height
    assert line.heights[25] == pytest.approx(height, abs=1e-12)
    assert plane.heights[4, 4] == pytest.approx(height, abs=1e-12)
    assert np.array_equal(to_host(THETA), before)


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_chunks_change_nothing(chunk):
    objective = Objective(f)
    whole = plane_scan(objective, THETA, D1, D2, grid(count=5))
    np.testing.assert_allclose(plane_scan(objective, THETA, D1, D2, grid(count=5), chunk=chunk).heights,
                               whole.heights, rtol=1e-13)


def test_no_chunk_is_larger_than_asked():
    sizes = []

    class Watching:
        def value(self, theta):
            sizes.append(theta.shape[0] if theta.ndim == 2 else 0)
            return f(theta)

    plane_scan(Watching(), THETA, D1, D2, grid(count=5), chunk=4)
    assert max(sizes) == 4 and sum(sizes) == 25


def test_float32_points_stay_float32():
    seen = set()

    class Watching:
        def value(self, theta):
            seen.add(str(theta.dtype))
            return f(theta)

    plane_scan(Watching(), THETA.astype("float32"), D1.astype("float32"), D2.astype("float32"), grid(count=3))
    assert seen == {"float32"}


def test_curvature_map_of_a_quadratic_is_constant():
    H = xp.asarray(A)
    ends = np.linalg.eigvalsh(A)[[0, -1]]
    m = curvature_map(Objective(lambda w: 0.5 * mg.sum(w * (H @ w))), THETA, D1, D2, np.random.default_rng(0),
                      grid(count=3))
    np.testing.assert_allclose(m.lam_min, ends[0], rtol=1e-9)
    np.testing.assert_allclose(m.lam_max, ends[1], rtol=1e-9)
    np.testing.assert_allclose(m.ratio, -ends[0] / ends[1], rtol=1e-9)


def test_curvature_map_against_the_dense_hessian_off_centre():
    a, b = 0.7, -0.4
    m = curvature_map(Objective(f), THETA, D1, D2, np.random.default_rng(0), np.array([0.0, a]), np.array([0.0, b]))
    w = to_host(THETA) + a * to_host(D1) + b * to_host(D2)
    eigenvalues = np.linalg.eigvalsh(A - 9 * np.diag(np.sin(3 * w)))
    assert m.lam_min[1, 1] == pytest.approx(eigenvalues[0], rel=1e-8)
    assert m.lam_max[1, 1] == pytest.approx(eigenvalues[-1], rel=1e-8)


@pytest.mark.parametrize("model, inputs", [(MLP((5, 7, 3)), (20, 5)), (CNN((1, 4, 4), 3, (2, 3), 3), (20, 1, 4, 4))],
                         ids=["batched", "looped"])
def test_a_plane_of_a_network_is_the_loss_at_each_of_its_points(model, inputs):
    rng = np.random.default_rng(0)
    problem = Network(model, (rng.standard_normal(inputs), rng.integers(0, 3, inputs[0])))
    theta = problem.start(rng)
    pair = random_pair(theta, problem.layout, rng)
    plane = plane_scan(Objective(problem), theta, pair.d1, pair.d2, grid(count=3))
    expected = [[float(problem.loss(theta + float(a) * pair.d1 + float(b) * pair.d2)) for a in plane.alphas]
                for b in plane.betas]
    np.testing.assert_allclose(plane.heights, expected, rtol=1e-12)
    assert plane.heights[1, 1] == pytest.approx(float(problem.loss(theta)), rel=1e-12)


def scan(theta=THETA, d1=D1, d2=D2, **settings):
    return plane_scan(Objective(f), theta, d1, d2, **settings)


@pytest.mark.parametrize("call, match", [
    (lambda: grid(count=50), r"even count, 50, has no point at the centre. Take 51"),
    (lambda: grid(0.0, 1.0, 11), r"must contain the centre 0"),
    (lambda: grid(count=1), r"at least 3 points"),
    (lambda: scan(xp.asarray([np.nan, 1, 2, 3, np.inf, 5])), r"plane_scan: theta has 2 entries of 6 that are NaN"),
    (lambda: scan(d2=xp.zeros(7)), r"direction of shape \(7,\) at a point of shape \(6,\)"),
    (lambda: scan(d1=xp.zeros(6)), r"a direction is zero or not finite"),
    (lambda: scan(d2=-2.0 * D1), r"parallel"),
    (lambda: scan(xp.stack([THETA, THETA])), r"theta must be one point"),
    (lambda: scan(chunk=0), r"chunk must be at least 1"),
    (lambda: line_scan(Objective(f), THETA, D1[:5]), r"line_scan: a direction of shape \(5,\)"),
    (lambda: line_scan(Objective(lambda w: mg.sum(mg.log(w - w), axis=-1)), THETA, D1), r"the loss at theta is -inf"),
])
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_bad_input(call, match):
    with pytest.raises(ValueError, match=match):
        call()
