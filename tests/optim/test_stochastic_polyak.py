"""Rates from heights: scalar loops from the papers, bounds in [γ/(1+γL), γ], refusals."""
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from optim import (NGN, NGNM, SGD, AdaGradNorm, DecSPS, NormalizedSGD, Objective, StochasticPolyak,
                   polynomial)


def bowl(theta):
    """2x² + 0.3, by the last axis."""
    return 2.0 * mg.sum(theta * theta, axis=-1) + 0.3


def first_rate(method, theta=(1.5,)):
    theta = xp.asarray(np.array(theta, float))
    loss, g = Objective(bowl).value_and_grad(theta)
    _, state = method.update(g, loss, theta, method.init(theta))
    return float(state["gamma"])


@pytest.mark.parametrize("method, rate", [
    (StochasticPolyak(1.0, c=0.5, minimum=0.3), 0.25), (StochasticPolyak(1.0, c=0.5), 0.8 / 3),
    (StochasticPolyak(0.1, c=0.5), 0.1), (NGN(1.0), 4.8 / 22.8), (NGN(0.1), 0.1 / 1.375)])
def test_rates_by_hand(method, rate):
    """f = 4.8, g = 6 at x = 1.5: SPS 4.5/18, 4.8/18 and the cap; NGN 1/(1 + 36/9.6), .1/1.375."""
    assert first_rate(method) == pytest.approx(rate, rel=1e-14)


GRADS = np.random.default_rng(1).normal(size=(9, 3))
HEIGHTS = np.random.default_rng(2).uniform(0.2, 3.0, 9)


def rates(method):
    theta, found = xp.zeros(3), []
    state = method.init(theta)
    for g, f in zip(GRADS, HEIGHTS):
        delta, state = method.update(xp.asarray(g), xp.asarray(f), theta, state)
        np.testing.assert_allclose(to_host(delta), -float(state["gamma"]) * g, rtol=1e-14)
        found.append(float(state["gamma"]))
    return found


def test_sps_with_growth_is_the_loop():
    before, expected = None, []
    for g, f in zip(GRADS, HEIGHTS):
        cap = 2.0 if before is None else min(2.0, 1.1 * before)
        before = min((f - 0.1) / (0.7 * (g @ g)), cap)
        expected.append(before)
    found = rates(StochasticPolyak(2.0, c=0.7, minimum=0.1, growth=1.1))
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert len(set(np.round(found, 12))) > 4                     # the limits do not always bind


def test_sps_minima_may_change_from_sample_to_sample():
    lowest = 0.9 * HEIGHTS
    found = rates(StochasticPolyak(1e9, c=0.5, minimum=lambda step: lowest[step]))
    np.testing.assert_allclose(found, 0.2 * HEIGHTS / np.sum(GRADS**2, axis=1), rtol=1e-12)


def test_decsps_is_the_loop_and_falls():
    c = [1.5 * math.sqrt(k + 1) for k in range(9)]
    gamma, expected = 0.6, []
    for k, (g, f) in enumerate(zip(GRADS, HEIGHTS)):
        gamma = min((f - 0.1) / (g @ g), c[max(k - 1, 0)] * gamma) / c[k]
        expected.append(gamma)
    found = rates(DecSPS(0.6, c=1.5, minimum=0.1))
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    assert all(b <= a for a, b in zip(found, found[1:]))


def test_decreasing_ngn_is_the_loop():
    eta = [0.8 / math.sqrt(k + 1) for k in range(9)]
    expected = [e / (1 + e * (g @ g) / (2 * f)) for e, g, f in zip(eta, GRADS, HEIGHTS)]
    np.testing.assert_allclose(rates(NGN(polynomial(0.8))), expected, rtol=1e-14)


@pytest.mark.parametrize("largest", [False, True])
def test_adagrad_norm_is_the_loop(largest):
    b2, top, expected = 0.25, 0.0, []
    for g in GRADS:
        top = max(top, g @ g) if largest else g @ g
        b2 += top
        expected.append(0.3 / math.sqrt(b2))
    np.testing.assert_allclose(rates(AdaGradNorm(0.3, b0=0.5, largest=largest)), expected,
                               rtol=1e-14)


def test_ngn_m_is_the_heavy_ball_of_ngn():
    def path(method, steps=12):
        theta, points = xp.asarray([1.0, -0.5]), []
        state = method.init(theta)
        for _ in range(steps):
            theta, state, _ = method.step(Objective(bowl), theta, state)
            points.append(to_host(theta))
        return points

    x, before, expected = np.array([1.0, -0.5]), np.array([1.0, -0.5]), []
    for _ in range(12):
        f, g = 2.0 * x @ x + 0.3, 4.0 * x
        gamma = 0.5 / (1 + 0.5 * (g @ g) / (2 * f))
        x, before = x - 0.2 * gamma * g + 0.8 * (x - before), x
        expected.append(x)
    np.testing.assert_allclose(path(NGNM(0.5, momentum=0.8)), expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(path(NGNM(0.5, momentum=0.0)), path(NGN(0.5)), rtol=1e-14)


def test_normalised_steps_have_the_length_of_the_schedule():
    method = NormalizedSGD(polynomial(2.0, 0.75), share=polynomial(1.0, 0.5))
    theta, m = xp.zeros(3), np.zeros(3)
    state = method.init(theta)
    for k, g in enumerate(GRADS):
        delta, state = method.update(xp.asarray(g), xp.asarray(1.0), theta, state)
        share, eta = (k + 1) ** -0.5, 2.0 * (k + 1) ** -0.75
        m = (1 - share) * m + share * g
        np.testing.assert_allclose(to_host(delta), -eta * m / np.linalg.norm(m), rtol=1e-12)
    still, _ = method.update(xp.zeros(3), xp.asarray(1.0), theta, method.init(theta))
    assert not to_host(still).any()


@pytest.mark.parametrize("seed", range(10))
def test_bounds_of_the_rates_on_quadratics(seed):
    """On an L-smooth f >= 0: min{1/(2cL), γ_b} <= SPS <= γ_b and γ/(1+γL) <= NGN <= γ."""
    rng = np.random.default_rng(seed)
    curvature, gamma, c = rng.uniform(0.1, 9, 4), 10.0 ** rng.uniform(-2, 3), rng.uniform(0.3, 2)
    f = lambda x: 0.5 * mg.sum(xp.asarray(curvature) * x * x, axis=-1) + 1e-3   # noqa: E731
    L, theta = curvature.max(), xp.asarray(rng.normal(size=(50, 4)))
    loss, g = Objective(f).value_and_grad(theta)
    for method, low in ((NGN(gamma), gamma / (1 + gamma * L)),
                        (StochasticPolyak(gamma, c=c, minimum=1e-3), min(0.5 / (c * L), gamma))):
        _, state = method.update(g, loss, theta, method.init(theta))
        found = to_host(state["gamma"])
        assert low * (1 - 1e-12) <= found.min() and found.max() <= gamma


def test_ngn_never_diverges_where_descent_does():
    theta, far = xp.asarray([3.0, -1.0]), xp.asarray([3.0, -1.0])
    method, plain = NGN(1e3), SGD(1e3)
    state, other = method.init(theta), plain.init(far)
    for _ in range(100):
        theta, state, _ = method.step(Objective(bowl), theta, state)
    for _ in range(5):
        far, other, _ = plain.step(Objective(bowl), far, other)
    assert np.linalg.norm(to_host(theta)) < 3.2 and np.linalg.norm(to_host(far)) > 1e9


def test_a_flat_point_takes_the_largest_rate():
    for method in (StochasticPolyak(0.7), NGN(0.7)):
        assert first_rate(method, (0.0,)) == 0.7


def test_refusals():
    theta = xp.asarray([[1.0], [2.0]])
    for method in (NGN(), NGNM()):
        with pytest.raises(ValueError, match=rf"{type(method).__name__}: needs a loss > 0, got "
                                             r"-0.5 at step 1\. Add a constant"):
            method.update(theta, xp.asarray([1.0, -0.5]), theta, method.init(theta))
    for method in (StochasticPolyak(minimum=2.0), DecSPS(minimum=2.0)):
        with pytest.raises(ValueError, match=r"minimum lies 1.5 above its loss at step 1\. Give a"):
            method.update(theta, xp.asarray([3.0, 0.5]), theta, method.init(theta))
    with pytest.raises(ValueError, match=r"NormalizedSGD: share must lie in \(0, 1\], got 0"):
        NormalizedSGD(share=0.0)
    with pytest.raises(ValueError, match=r"StochasticPolyak: c must lie in \(0, inf\), got -1"):
        StochasticPolyak(c=-1.0)
    with pytest.raises(ValueError, match=r"polynomial: power must lie in \[0, inf\), got -1"):
        polynomial(1.0, -1)
