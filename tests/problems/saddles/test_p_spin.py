"""The spherical p-spin: its derivatives, its symmetry, the law of index and height."""
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from problems.landscape.critical.points import find_critical_point
from problems.saddles.p_spin import PSpin, semicircle_index


def test_semicircle_index():
    np.testing.assert_allclose(semicircle_index(np.array([0, .25, .5, .75, .9, 1, 3, -2])),
                               [.5, .3425188212, .1955011095, .07214680641, .01869303673, 0, 0,
                                1], atol=5e-11)
    t = np.linspace(-1, 0, 200001)                                  # the integral itself, at q = .3
    inside = np.clip(1 - (t - 0.3)**2, 0, None)**0.5 * (t > -0.7) * 2 / math.pi
    assert semicircle_index(0.3) == pytest.approx(np.trapezoid(inside, t), abs=1e-7)


def test_constants():
    spin = PSpin(5, 3, np.random.default_rng(0))
    assert spin.threshold == pytest.approx(-1.632993162, abs=5e-10)
    assert spin.radius == pytest.approx(4.898979486, abs=5e-10)
    assert spin.index_law(spin.threshold) == pytest.approx(0.0, abs=1e-12)
    assert spin.index_law(0.0) == 0.5
    J = to_host(spin.J)
    np.testing.assert_allclose(J, J.transpose(2, 0, 1))
    np.testing.assert_allclose(J, J.transpose(1, 0, 2))


@pytest.mark.parametrize("p", [2, 3, 4])
def test_against_the_plain_sum(p):
    rng = np.random.default_rng(p)
    spin = PSpin(4, p, rng)
    s = to_host(spin.start(rng))
    total = 0.0
    for place in np.ndindex(*(4,) * p):
        total += to_host(spin.J)[place] * math.prod(s[i] for i in place)
    assert s @ s == pytest.approx(4.0)
    assert float(spin.loss(xp.asarray(s))) == pytest.approx(4 ** (-(p - 1) / 2) * total)
    assert float(spin.energy(xp.asarray(s))) == pytest.approx(float(spin.loss(xp.asarray(s))) / 4)


@pytest.mark.parametrize("p", [2, 3, 4])
def test_riemannian_derivatives_are_those_of_the_projected_height(p):
    """On the sphere minigrad's gradient of `loss` is the Riemannian one; at a critical point so is
    the Hessian.
    """
    rng = np.random.default_rng(p)
    spin = PSpin(6, p, rng)
    s = spin.start(rng, 3)
    heights, pull = mg.vjp(spin.loss, s)
    np.testing.assert_allclose(to_host(pull(xp.ones_like(heights))), to_host(spin.gradient(s)),
                               atol=1e-12)
    mg.check_hvp(spin.loss, s[0], rng)
    points = [q for q in find_critical_point(spin, spin.start(rng, 20)) if q.converged]
    assert points
    for q in points[:3]:
        apply = mg.hvp(spin.loss, q.theta)
        H = np.stack([to_host(apply(xp.asarray(e))) for e in np.eye(6)])
        np.testing.assert_allclose(H, to_host(spin.hessian(q.theta)), atol=1e-7)
        assert float(xp.linalg.norm(spin.hessian(q.theta) @ q.theta)) < 1e-10
        assert to_host(spin.hessian(q.theta)).trace() == pytest.approx(np.sum(q.eig))


def test_variance_of_the_height():
    """H has mean 0 and variance N over the couplings, up to 1/N (repeated indices weigh more)."""
    rng = np.random.default_rng(0)
    heights = []
    for _ in range(400):
        spin = PSpin(12, 3, rng)
        heights.append(float(spin.loss(spin.start(rng))))
    assert np.var(heights) == pytest.approx(12.0, rel=0.25) and abs(np.mean(heights)) < 0.7


def test_index_grows_with_height():
    """p = 3, N = 20, 200 starts: correlation and distance from the law of infinite N (N = 30 in the
    demo).
    """
    spin = PSpin(20, 3, np.random.default_rng(1))
    points = find_critical_point(spin, spin.start(np.random.default_rng(2), 200), method="newton")
    good = [q for q in points if q.converged]
    E, alpha = np.array([q.f / 20 for q in good]), np.array([q.index / 19 for q in good])
    assert len(good) > 80 and np.corrcoef(E, alpha)[0, 1] > 0.95
    assert np.sqrt(np.mean((alpha - spin.index_law(E))**2)) < 0.06


def test_errors():
    with pytest.raises(ValueError, match="PSpin: needs N >= 2 and p >= 2, got N=1, p=3"):
        PSpin(1, 3, np.random.default_rng(0))
    with pytest.raises(ValueError, match="PSpin: the couplings are random. Pass rng="):
        PSpin(4)
