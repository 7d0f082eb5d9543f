"""Planes of trajectories: PCA against a planted plane, least squares against a skew basis, walks against theory."""
import math

import numpy as np
import pytest

from minigrad.backend import to_host, xp
from problems.landscape.slices.trajectory import pca_directions, project, random_walk, random_walk_share


def planted(T=12, d=40, seed=0):
    """A trajectory in a known plane through its last point."""
    rng = np.random.default_rng(seed)
    Q, _ = np.linalg.qr(rng.standard_normal((d, 2)))
    c = rng.standard_normal((T, 2)) * [3.0, 1.0]
    c[-1] = 0.0
    return rng.standard_normal(d) + c @ Q.T, Q


def test_pca_finds_the_plane_and_contains_the_last_point():
    points, Q = planted()
    pca = pca_directions(xp.asarray(points))
    V = to_host(pca.directions)
    np.testing.assert_allclose(V @ V.T, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(V @ Q @ Q.T, V, atol=1e-12)             # inside the planted plane
    assert sum(pca.explained) == pytest.approx(1.0, abs=1e-12)
    seen = project(xp.asarray(points), pca.origin, pca.directions)
    np.testing.assert_allclose(seen.distances, 0.0, atol=1e-12)
    assert np.array_equal(seen.coordinates[-1], [0.0, 0.0])


def test_centring_moves_the_plane_off_the_last_point():
    rng = np.random.default_rng(3)
    points = xp.asarray(rng.standard_normal((9, 20)).cumsum(axis=0))
    for centre, near in ((False, True), (True, False)):
        pca = pca_directions(points, centre=centre)
        last = project(points, pca.origin, pca.directions).distances[-1]
        assert (last < 1e-12) == near


def test_projection_is_least_squares_in_a_skew_basis():
    """Neither unit nor orthogonal; the oracle is lstsq. Dividing dot products by lengths would fail."""
    rng = np.random.default_rng(5)
    basis = rng.standard_normal((2, 25)) * [[0.3], [4.0]]
    basis[1] += 3.0 * basis[0]
    points, origin = rng.standard_normal((7, 25)), rng.standard_normal(25)
    got = project(xp.asarray(points), xp.asarray(origin), xp.asarray(basis))
    expected, *_ = np.linalg.lstsq(basis.T, (points - origin).T, rcond=None)
    np.testing.assert_allclose(got.coordinates, expected.T, rtol=1e-10)
    np.testing.assert_allclose(got.distances, np.linalg.norm(points - origin - expected.T @ basis, axis=1), rtol=1e-10)


@pytest.mark.parametrize("centre, first", [(True, 6 / math.pi**2), (False, 8 / math.pi**2)])
def test_a_random_walk_fills_its_plane(centre, first):
    """Shares of 400 steps in 4000 dimensions come within a per cent of the limit (a fixed seed)."""
    shares = pca_directions(random_walk(400, 4000, np.random.default_rng(0)), centre=centre).explained
    assert random_walk_share(1, centre) == pytest.approx(first)
    np.testing.assert_allclose(shares, [random_walk_share(k, centre) for k in (1, 2)], atol=0.01)
    assert sum(random_walk_share(k, centre) for k in range(1, 20000)) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("call, match", [
    (lambda: pca_directions(xp.zeros((3, 5)), k=3), r"3 points in 5 dimensions have at most 2 directions, asked for 3"),
    (lambda: pca_directions(xp.ones((4, 5))), r"never moves"),
    (lambda: project(xp.zeros((3, 5)), xp.zeros(5), xp.ones((2, 6))), r"differ in dimension"),
    (lambda: project(xp.zeros((3, 5)), xp.zeros(5), xp.ones((2, 5))), r"linearly dependent"),
])
def test_bad_arguments(call, match):
    with pytest.raises(ValueError, match=match):
        call()
