"""Paths: ends, velocities against differences, lengths known in closed form, Parseval, splines."""
import math

import numpy as np
import pytest

from minigrad.backend import to_host, xp
from problems.landscape.paths.path import Arc, Bezier, Fourier, Polygon, Straight
from problems.landscape.paths.spline import Spline


def points(k, d=5, seed=0):
    return xp.asarray(np.random.default_rng(seed).standard_normal((k, d)))


def every_path(seed=0):
    P = points(6, seed=seed)
    return [Straight(P[0], P[1]), Polygon(P), Polygon(P, np.linspace(0, 1, 6)), Spline(P),
            Spline(P[:3]), Bezier(P), Bezier(P[:2]), Fourier(P[0], P[1], P[2:]), Arc(P[0], P[1]),
            Arc(P[0], P[1], [("a", slice(0, 2)), ("b", slice(2, 5))])]


NAMES = ("straight", "polygon", "polygon in t", "spline", "parabola", "Bezier", "line", "Fourier",
         "arc", "arc by parts")
EACH = pytest.mark.parametrize("which", range(len(NAMES)), ids=NAMES)


@EACH
def test_ends_are_exact_and_shapes_follow_t(which):
    path = every_path()[which]
    both = to_host(path(xp.asarray([0.0, 1.0])))
    if "arc" in NAMES[which]:
        assert np.allclose(both, [to_host(path.start), to_host(path.end)], rtol=0, atol=2e-16)
    else:
        assert np.array_equal(both, [to_host(path.start), to_host(path.end)])
    assert path(0.3).shape == (5,) and path(xp.zeros((4, 2))).shape == (4, 2, 5)
    assert np.allclose(to_host(path(xp.asarray([0.3]))[0]), to_host(path(0.3)), atol=1e-15)


@EACH
def test_velocity_is_the_derivative_and_length_the_sum_of_short_chords(which):
    path = every_path(1)[which]
    t, h = np.array([0.0371, 0.2113, 0.5237, 0.8779]), 1e-6
    ahead, behind = to_host(path(xp.asarray(t + h))), to_host(path(xp.asarray(t - h)))
    v = to_host(path.velocity(xp.asarray(t)))
    assert np.allclose(v, (ahead - behind) / (2 * h), rtol=1e-6, atol=1e-7)
    assert np.allclose(path.speed(t), np.linalg.norm(v, axis=1), rtol=1e-14)
    fine = to_host(path(xp.asarray(path.breaks(20000))))      # corners among them
    chords = np.linalg.norm(np.diff(fine, axis=0), axis=1).sum()
    assert abs(path.length() - chords) < 1e-6 * chords


@EACH
def test_dtype_stays(which):
    kind = type(every_path()[which])
    P = points(6).astype("float32")
    path = (kind(P[0], P[1], P[2:]) if kind is Fourier else kind(P[0], P[1])
            if kind in (Straight, Arc) else kind(P))
    assert path(0.5).dtype == xp.float32 and path(xp.linspace(0, 1, 3)).dtype == xp.float32
    assert path.velocity(0.5).dtype == xp.float32


def test_lengths_in_closed_form():
    a, b = xp.asarray([3.0, 0.0]), xp.asarray([0.0, 3.0])
    assert abs(Straight(a, b).length() - 3 * math.sqrt(2)) < 1e-14
    assert abs(Arc(a, b).length() - 3 * math.pi / 2) < 1e-13
    assert abs(Polygon(xp.asarray([[0.0, 0.0], [3.0, 4.0], [3.0, 10.0]])).length() - 11.0) < 1e-13
    parabola = Bezier(xp.asarray([[0.0, 0.0], [0.5, 0.0], [1.0, 1.0]]))           # y = x²
    exact = math.sqrt(5) / 2 + math.asinh(2.0) / 4
    assert abs(parabola.length() - exact) < 1e-13


def test_a_polygon_by_arc_length_has_constant_speed_and_passes_its_points():
    P = points(7)
    path = Polygon(P)
    assert np.ptp(path.speed(np.linspace(0.01, 0.99, 57))) < 1e-12 * path.length()
    assert np.array_equal(to_host(path(xp.asarray(path.knots))), to_host(P))
    twice = Polygon(xp.asarray([[0.0], [1.0], [1.0], [3.0]]))                     # a point twice
    assert np.allclose(to_host(twice(xp.asarray([0.0, 1 / 6, 1 / 3, 1.0])))[:, 0], [0, .5, 1, 3])


@pytest.mark.parametrize("K", [2, 3, 4, 5, 9])
def test_a_spline_through_a_cubic_is_the_cubic(K):
    """Exact for polynomials of degree min(3, K - 1), at uneven knots too."""
    rng = np.random.default_rng(K)
    knots = np.concatenate([[0.0], np.sort(rng.uniform(0.1, 0.9, K - 2)), [1.0]])
    c = rng.standard_normal((4, 3)) * (np.arange(4) < K)[:, None]
    P = np.vander(knots, 4, increasing=True) @ c
    t = np.linspace(0, 1, 41)
    path = Spline(xp.asarray(P), knots)
    assert np.allclose(to_host(path(xp.asarray(t))), np.vander(t, 4, increasing=True) @ c,
                       atol=1e-13)


def test_a_spline_has_two_continuous_derivatives():
    path, h = Spline(points(6)), 1e-4
    for knot in path.knots[1:-1]:
        left = to_host(path(xp.asarray(knot - h * np.arange(3))))
        right = to_host(path(xp.asarray(knot + h * np.arange(3))))
        second = [(p[0] - 2 * p[1] + p[2]) / h**2 for p in (left, right)]
        assert np.allclose(*second, atol=0.2 * np.abs(second).max())     # third derivatives · 2h
        assert np.allclose(to_host(path.velocity(knot - 1e-9)), to_host(path.velocity(knot + 1e-9)),
                           rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("K", [1, 2, 5, 8])
def test_parseval(K):
    """∫ |φ'|² dt = |θ₁ - θ₀|² + ½ Σ (kπ)² |a_k|², the integral by Gauss' rule."""
    P = points(K + 2, seed=K)
    path = Fourier(P[0], P[1], P[2:])
    x, w = np.polynomial.legendre.leggauss(80)
    energy = 0.5 * w @ path.speed(0.5 + 0.5 * x) ** 2
    a, k = to_host(P[2:]), np.arange(1, K + 1)
    exact = to_host(((P[1] - P[0]) ** 2).sum()) + 0.5 * ((k * math.pi) ** 2 @ (a * a).sum(axis=1))
    assert abs(energy - exact) < 1e-12 * exact


def test_a_fourier_path_reversed_has_alternating_signs():
    P = points(6)
    signs = xp.asarray([[1.0], [-1.0], [1.0], [-1.0]])
    back = Fourier(P[1], P[0], P[2:] * signs)
    t = xp.linspace(0, 1, 37)
    assert np.allclose(to_host(back(1.0 - t)), to_host(Fourier(P[0], P[1], P[2:])(t)), atol=1e-14)


def test_errors():
    P = points(3)
    with pytest.raises(ValueError, match=r"Straight: needs two points .* \(5,\) and \(4,\)"):
        Straight(P[0], P[1][:4])
    with pytest.raises(ValueError, match=r"Polygon: needs at least two points, .* \(1, 5\)"):
        Polygon(P[:1])
    with pytest.raises(ValueError, match="needs one knot for each of the 3 points"):
        Polygon(P, [0.0, 1.0])
    with pytest.raises(ValueError, match="Spline: two neighbouring points coincide"):
        Spline(xp.asarray([[0.0], [1.0], [1.0], [2.0]]))
    with pytest.raises(ValueError, match=r"Fourier: coefficients \(5,\) between ends"):
        Fourier(P[0], P[1], P[2])
    with pytest.raises(ValueError, match="Arc: the whole points in opposite directions"):
        Arc(P[0], -P[0])


@pytest.mark.parametrize("size", [1e-200, 1.0, 1e200])
def test_an_arc_of_any_size_is_an_arc(size):
    """cos w of lengths whose squares are no numbers."""
    middle = to_host(Arc(xp.asarray([size, 0.0]), xp.asarray([0.0, size]))(0.5))
    assert np.allclose(middle / size, math.sqrt(0.5), rtol=1e-14)
