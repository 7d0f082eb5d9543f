"""Saddles that are known exactly, and the Mueller-Brown surface."""
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from problems.landscape.critical.points import find_critical_point
from problems.potentials import MuellerBrown
from problems.saddles import (RayleighQuartic, ScalarNet, StrictSaddle, classical_saddle,
                              monkey_saddle)


def spectrum(f, theta):
    theta = xp.asarray(theta, dtype=float)
    apply = mg.hvp(f, theta)
    return np.linalg.eigvalsh(np.stack([to_host(apply(xp.asarray(e))) for e in np.eye(len(theta))]))


def test_two_saddles():
    np.testing.assert_allclose(spectrum(classical_saddle, [0, 0]), [-2, 10])
    assert not spectrum(monkey_saddle, [0, 0]).any()
    assert float(monkey_saddle(xp.asarray([2.0, 1.0]))) == 2.0
    assert float(classical_saddle(xp.asarray([1.0, 2.0]))) == 1.0


@pytest.mark.parametrize("point, eig", [
    ((0, 0), (-2, 2)), ((1, 1), (0, 4)), ((2, .5), (0, 8.5)), ((4, .25), (0, 32.125)),
    ((0, 0, 0), (0, 0, 0)), ((1, 1, 1), (0, 0, 6)), ((2, 1, .5), (0, 0, 10.5)),
    ((2, 2, .5, .5), (0, 0, 0, 17))])
def test_scalar_nets(point, eig):
    net = ScalarNet(len(point))
    np.testing.assert_allclose(spectrum(net, point), eig, atol=1e-12)
    if math.prod(point) == 1:
        assert float(net.sharpness(xp.asarray(point, dtype=float))) == pytest.approx(eig[-1])


def test_scalar_net_paths():
    """The straight line between two minima has a barrier, the curve (a, 1/a) none."""
    net, t = ScalarNet(2), np.linspace(0, 1, 1001)[:, None]
    for a, b, barrier in (((1, 1), (-1, -1), 1.0), ((2, .5), (.5, 2), 0.31640625)):
        line = xp.asarray((1 - t) * np.array(a) + t * np.array(b))
        assert float(xp.max(net(line))) == pytest.approx(barrier, abs=1e-12)
    a = np.exp(t)
    assert float(xp.max(net(xp.asarray(np.hstack([a, 1 / a]))))) < 1e-30


def test_strict_saddle():
    saddle = StrictSaddle(4, 0.3)
    np.testing.assert_allclose(spectrum(saddle, [0.1, 2, 3, 4]), [-0.3, 1, 1, 1])
    rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((4, 4)))[0]
    turned = StrictSaddle(4, 0.3, rotation)
    x = np.random.default_rng(1).standard_normal((5, 4))
    np.testing.assert_allclose(to_host(turned(xp.asarray(x))),
                               to_host(saddle(xp.asarray(x @ rotation.T))))
    np.testing.assert_allclose(to_host(turned.escaping(xp.asarray(x))), (x @ rotation.T)[:, -1])
    np.testing.assert_allclose(to_host(saddle.escaping(xp.asarray(x))), x[:, -1])
    np.testing.assert_allclose(spectrum(turned, x[0]), [-0.3, 1, 1, 1])


def test_rayleigh_quartic():
    """diag(4, 3, 2, 1): heights -4, -2.25, -1, -.25 with index 0, 1, 2, 3; 0 has index 4."""
    points = RayleighQuartic([4.0, 3.0, 2.0, 1.0]).critical_points()
    found = [(f, k) for _, f, k in points]
    assert found == [(-4.0, 0), (-2.25, 1), (-1.0, 2), (-0.25, 3), (0.0, 4)]
    A = np.random.default_rng(0).standard_normal((6, 6))
    quartic = RayleighQuartic(A + A.T)
    lam = np.linalg.eigvalsh(A + A.T)
    for x, f, k in quartic.critical_points():
        assert float(quartic(x)) == pytest.approx(f, abs=1e-12)
        assert float(xp.max(xp.abs(mg.grad(quartic)(x)))) < 1e-11
        eig = spectrum(quartic, x)
        assert np.sum(eig < -1e-9) == k
        if f < 0:
            l = math.sqrt(-4 * f)
            others = l - lam[np.abs(lam - l) > 1e-9]
            np.testing.assert_allclose(eig, np.sort(np.append(others, 2 * l)), atol=1e-9)
    assert quartic.minimum == quartic.critical_points()[0][1]


def test_mueller_brown():
    surface = MuellerBrown()
    known = [*zip(surface.minima, surface.minima_heights, [0] * 3),
             *zip(surface.saddles, surface.saddle_heights, [1] * 2)]
    eig = [(410.5311347, 4068.198955), (543.8361890, 3005.395865), (221.0374729, 1479.197022),
           (-735.2472621, 510.8865655),
           (-750.8626628, 490.2407081)]
    points = find_critical_point(surface, xp.asarray([where for where, _, _ in known]) + 0.01)
    for (where, f, k), curvatures, point in zip(known, eig, points):
        assert point.converged and point.index == k
        np.testing.assert_allclose(to_host(point.theta), where, atol=2e-10)
        assert point.f == pytest.approx(f, abs=5e-8)
        np.testing.assert_allclose(point.eig, curvatures, rtol=1e-8)
    mg.check_hvp(surface, surface.start(np.random.default_rng(0)), np.random.default_rng(1))


def test_errors():
    with pytest.raises(ValueError, match="StrictSaddle: needs d >= 2 and gam > 0, got d=1"):
        StrictSaddle(1)
    with pytest.raises(ValueError, match="ScalarNet: depth must be at least 2, got 1"):
        ScalarNet(1)
    with pytest.raises(ValueError, match="RayleighQuartic: A must be symmetric"):
        RayleighQuartic([[1.0, 2.0], [0.0, 1.0]])
