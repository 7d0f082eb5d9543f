"""Walks until something has happened, and the ramp on which 1/eps^2 and 1/eps^4 are counted."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from optim import SGD, PerturbedGD, PerturbedSGD, SaddleFreeNewton, escape_steps
from problems.landscape.critical.escape import walk
from problems.functions.ramp import Ramp
from problems.saddles import Octopus, StrictSaddle


def test_walk_counts_steps():
    saddle = StrictSaddle(2, 1.0)
    theta = xp.asarray([[0.0, 1e-3], [1.0, 2.0], [3.0, 1e-8]])
    found = walk(SGD(0.1), saddle, theta, lambda t: abs(saddle.escaping(t)) > 1.0)
    assert found.steps.tolist() == [escape_steps(y, 1.0, .1, 1.0) for y in (1e-3, 2.0, 1e-8)]
    assert found.path.shape == (195, 3, 2) and found.gradients == 3 * 194
    np.testing.assert_allclose(found.path[1], to_host(theta) * [0.9, 1.1])


def test_walk_gives_up():
    saddle = StrictSaddle(2, 1.0)
    found = walk(SGD(0.1), saddle, xp.asarray([[1.0, 0.0]]), lambda t: abs(t[:, 1]) > 1.0, limit=7)
    assert found.steps.tolist() == [np.inf] and len(found.path) == 8
    with pytest.raises(ValueError, match=r"hitting_times: theta must be a batch of points \(n, d\)"):
        walk(SGD(0.1), saddle, xp.asarray([1.0, 0.0]), lambda t: t > 1.0)


@pytest.mark.parametrize("gam, newton_steps", [(1.0, 27), (0.1, 27)])
def test_who_leaves_a_strict_saddle(gam, newton_steps):
    """Ten dimensions, lr .1, nine starts with N(0, 1) across: medians of 61 and 120 at gam = 1."""
    saddle, rng = StrictSaddle(10, gam), np.random.default_rng(0)
    theta = rng.standard_normal((9, 10))

    def median(opt, y0, limit=20_000):
        theta[:, -1] = y0
        done = walk(opt, saddle, xp.asarray(theta), lambda t: abs(t[:, -1]) > 1.0, limit)
        return np.median(done.steps)

    descent = median(SGD(0.1), 1e-8)
    assert descent == escape_steps(1e-8, 1.0, 0.1, gam)
    assert median(SGD(0.1), 0.0, 300) == np.inf
    noisy, kicked = median(PerturbedSGD(0.1, 0.01, rng), 0.0), median(PerturbedGD(0.1, rng), 0.0)
    assert noisy < kicked < 0.75 * descent
    assert median(SaddleFreeNewton(), 1e-8) == newton_steps


def test_rounding_is_noise_enough_in_turned_coordinates():
    """On the stable manifold descent stays for ever, unless rounding (1e-16 or so) pushes it off."""
    rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0]
    inside = np.array([1.0, -2.0, 0.5, 1.0, 0.0])
    for turned, expected in ((False, np.inf), (True, escape_steps(1e-16, 1.0, 0.1, 1.0))):
        saddle = StrictSaddle(5, 1.0, rotation if turned else None)
        start = xp.asarray(rotation.T @ inside if turned else inside)[None]
        done = walk(SGD(0.1), saddle, start, lambda t: abs(saddle.escaping(t)) > 1.0, 1000)
        assert done.steps[0] == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("L, low, high", [
    (1.0, 400, 300), pytest.param(1.5, 1000, 300, marks=pytest.mark.slow)])
def test_the_octopus_holds_descent_and_not_kicks(L, low, high):
    octopus, rng = Octopus(5, L), np.random.default_rng(1)
    starts = xp.asarray(rng.uniform(-1, 1, (15, 5)))
    tau = octopus.tau
    kicks = PerturbedGD(1 / (4 * L), rng, r=tau / 100, g_thres=tau / 100, t_thres=1)
    plain, kicked = (walk(opt, octopus, starts, lambda t: octopus(t) <= 0.999 * octopus.minimum)
                     for opt in (SGD(1 / (4 * L)), kicks))
    assert np.median(plain.steps) > low and np.median(kicked.steps) < high


def test_ramp():
    ramp = Ramp(0.2, l=2.0, height=3.0)
    assert float(ramp(ramp.start())) == pytest.approx(3.0) and ramp.width == 0.1
    points = np.array([[-5.0], [0.05], [0.0999], [0.1001], [7.0]])
    g = to_host(mg.grad(lambda t: ramp(t).sum())(xp.asarray(points)))[:, 0]
    np.testing.assert_allclose(g, [-0.2, 0.1, 0.1998, 0.2, 0.2], rtol=1e-12)
    np.testing.assert_allclose(to_host(ramp.steepness(xp.asarray(points))), np.abs(g))
    exact = walk(SGD(0.5), ramp, ramp.start()[None], lambda t: ramp.steepness(t) <= 0.1)
    assert exact.steps[0] == pytest.approx(2.0 * 3.0 / 0.2**2, rel=0.02)    # l height/slope^2
    with pytest.raises(ValueError, match="Ramp: needs slope > 0, l > 0 and a height of at least"):
        Ramp(1.0, height=0.1)


def test_the_noise_floor_of_the_ramp():
    """At rest E|f'|^2 = lr l s^2/2 (to first order in lr l): here .02 * 1 * 1/2, over 4000 runs."""
    ramp, noise = Ramp(5.0, height=20.0), PerturbedSGD(0.02, 1.0, np.random.default_rng(0))
    done = walk(noise, ramp, xp.zeros((4000, 1)), lambda t: t[:, 0] > 99, 400)
    assert np.mean(done.path[-1]**2) == pytest.approx(0.01, rel=0.1)
