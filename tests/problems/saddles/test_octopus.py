"""The octopus: known values, smooth along the tube, saddles and minimum where they should be."""
import itertools
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from problems.saddles.octopus import Octopus

GOLDEN = [((.25, .5, -.125), 2.482261033, (-1.359140914, 4.077422743, -1.019355686)),
          ((1.5, .25, .5), -16.08659088, (-13.36842509, .3397852286, 4.077422743)),
          ((3.5, .5, .25), -82.74203444, (-4.077422743, -2.718281828, 2.038711371)),
          ((3.5, 1.75, -.5), -111.7552642, (-4.077422743, -17.80421506, 2.014820222)),
          ((3.5, 4.5, 1.25), -175.0787775, (-4.077422743, 4.077422743, -8.282264946))]


def slope(octopus, points):
    f, pull = mg.vjp(octopus.loss, xp.asarray(points))
    return to_host(f), to_host(pull(xp.ones_like(f)))


def hessian(octopus, point):
    apply = mg.hvp(octopus.loss, xp.asarray(point))
    return np.stack([to_host(apply(xp.asarray(e))) for e in np.eye(octopus.d)])


def test_constants():
    octopus = Octopus(3, 1.5, 1.0)
    assert octopus.nu == pytest.approx(84.35839046, abs=5e-9)
    assert octopus.minimum == pytest.approx(-253.0751714, abs=5e-8)
    assert Octopus(2).slowdown(0.25) == pytest.approx(1 + math.log(2) / math.log(1.5))
    assert Octopus(2).slowdown(0.25) == pytest.approx(2.71, abs=5e-3)


@pytest.mark.parametrize("where, f, g", GOLDEN)
def test_values_and_gradients(where, f, g):
    octopus = Octopus(3, 1.5, 1.0)
    value, gradient = slope(octopus, math.e * np.array(where))
    assert value == pytest.approx(f, rel=1e-9)
    np.testing.assert_allclose(gradient, g, rtol=2e-9)


def test_batches_and_reflections():
    octopus = Octopus(3, 1.5, 1.0)
    points = math.e * np.abs([where for where, _, _ in GOLDEN])
    signs = np.array(list(itertools.product([-1, 1], repeat=3)))
    f, g = slope(octopus, points[:, None, :] * signs)                    # (5, 8, 3)
    alone, steep = slope(octopus, points)
    np.testing.assert_allclose(f, np.repeat(alone[:, None], 8, axis=1), rtol=1e-12)
    np.testing.assert_allclose(g * signs, np.repeat(steep[:, None, :], 8, axis=1), rtol=1e-12)


@pytest.mark.parametrize("d, L, gam", [(1, 1.0, 1.0), (3, 1.5, 1.0), (5, 2.0, 0.3)])
def test_saddles_and_minimum(d, L, gam):
    octopus = Octopus(d, L, gam)
    for k in range(d):
        f, g = slope(octopus, octopus.saddle(k))
        assert f == pytest.approx(-k * octopus.nu) and np.abs(g).max() < 1e-12
        eig = np.linalg.eigvalsh(hessian(octopus, octopus.saddle(k)))
        np.testing.assert_allclose(eig, [-2 * gam] + [2 * L] * (d - 1), atol=1e-10)
    f, g = slope(octopus, np.array(octopus.minimisers[0]))
    assert f == pytest.approx(octopus.minimum) and not g.any()


@pytest.mark.parametrize("border", [1.0, 2.0])
def test_two_derivatives_are_continuous_along_the_tube(border):
    """Walking coordinate 1 through tau and 2 tau with the others small: f, g and H do not jump."""
    octopus = Octopus(3, 1.5, 1.0)
    here, there = ([border * octopus.tau + s, 1e-9, 0.0] for s in (-1e-7, 1e-7))
    (f0, g0), (f1, g1) = slope(octopus, here), slope(octopus, there)
    assert f0 == pytest.approx(f1, abs=1e-5)
    np.testing.assert_allclose(g0, g1, atol=1e-4)
    np.testing.assert_allclose(hessian(octopus, here), hessian(octopus, there), atol=1e-4)


def test_derivatives():
    rng = np.random.default_rng(0)
    octopus = Octopus(4, 1.2, 0.7)
    for where in ((0.3, 0.2, -0.4, 0.1), (1.5, -0.4, 0.2, 0.1), (3.2, 1.4, 0.2, 0.3)):
        mg.check_gradient(octopus.loss, xp.asarray(octopus.tau * np.array(where)), rng)
        mg.check_hvp(octopus.loss, xp.asarray(octopus.tau * np.array(where)), rng)


def test_float32_and_start():
    octopus = Octopus(3)
    start = octopus.start(np.random.default_rng(0))
    assert start.shape == (3,) and float(xp.max(xp.abs(start))) <= 1.0
    assert octopus.loss(start.astype("float32")).dtype == np.float32


def test_errors():
    with pytest.raises(ValueError, match="Octopus: needs .* gam > 0 .* got d=3, L=0.5, gam=1.0"):
        Octopus(3, 0.5, 1.0)
    with pytest.raises(ValueError, match=r"slowdown: lr must lie in \(0, 1/\(2 L\)\), got 0.5"):
        Octopus(3).slowdown(0.5)
    with pytest.raises(ValueError, match="there are saddles 0 to 2, got k=3"):
        Octopus(3).saddle(3)
