"""The three meanings of sharpness on quadratics, where each is known, and their differences elsewhere."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from optim import Objective
from problems.landscape.curvature.sharpness import (adaptive_sharpness, keskar_sharpness, sam_sharpness,
                                          top_curvature)

RNG = np.random.default_rng(0)
Q, _ = np.linalg.qr(RNG.standard_normal((8, 8)))
EIGENVALUES = np.array([0.0, 0.1, 0.2, 0.5, 0.7, 1.0, 2.0, 7.0])
H = xp.asarray(Q * EIGENVALUES @ Q.T)
QUADRATIC = Objective(lambda w: 0.5 * mg.sum(w * (w @ H), axis=-1))


def test_s2_at_a_minimum_is_half_rho_squared_lambda_max():
    got = sam_sharpness(QUADRATIC, xp.zeros(8), rho=0.3, steps=60, rng=np.random.default_rng(1))
    assert got.value == pytest.approx(0.5 * 0.3**2 * 7.0, rel=1e-9)
    assert got.settled
    assert float(xp.linalg.norm(got.e)) == pytest.approx(0.3, rel=1e-12)


def test_s1_with_its_residual():
    got = top_curvature(QUADRATIC, xp.asarray(RNG.standard_normal(8)), np.random.default_rng(0))
    assert got.value == pytest.approx(7.0, rel=1e-10)
    assert got.residual < 1e-8 and got.converged


def test_one_step_is_the_papers_estimate_and_more_steps_never_lower_it():
    w = xp.asarray(RNG.standard_normal(8))
    _, g = QUADRATIC.value_and_grad(w)
    e = 0.3 * g / xp.linalg.norm(g)
    one = sam_sharpness(QUADRATIC, w, rho=0.3, steps=1)
    assert one.value == pytest.approx(float(QUADRATIC.value(w + e) - QUADRATIC.value(w)), rel=1e-12)
    assert not one.settled
    values = [sam_sharpness(QUADRATIC, w, rho=0.3, steps=k).value for k in (1, 2, 5, 20)]
    assert values == sorted(values) and values[-1] > values[0]


def test_s2_reaches_the_maximum_on_a_circle():
    """Two parameters: the oracle is a scan of the circle's 20,000 points."""
    objective = Objective(lambda w: (1.0 - w[..., 0] * w[..., 1]) ** 2)
    w = np.array([2.0, 0.6])
    angles = np.linspace(0, 2 * np.pi, 20001)
    circle = w + 0.2 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    expected = ((1 - circle[:, 0] * circle[:, 1]) ** 2).max() - (1 - 1.2) ** 2
    assert sam_sharpness(objective, xp.asarray(w), rho=0.2, steps=50).value == pytest.approx(expected, rel=1e-6)


def test_s3_on_a_separable_quadratic():
    """Every corner of the box is a maximum: sum lam_i (eps (|w_i| + 1))^2 / 2 at the minimum w = 0."""
    lam = xp.asarray([1.0, 2.0, 5.0])
    objective = Objective(lambda w: 0.5 * mg.sum(lam * w * w, axis=-1))
    got = keskar_sharpness(objective, xp.zeros(3), eps=0.01, rng=np.random.default_rng(0))
    assert got.value == pytest.approx(100 * 0.5 * 8.0 * 1e-4, rel=1e-12)
    away = keskar_sharpness(objective, xp.asarray([1.0, -3.0, 0.0]), eps=0.01)
    w = np.array([1.0, -3.0, 0.0])
    corner = w + 0.01 * (np.abs(w) + 1) * np.array([1, -1, 1])
    ground = 0.5 * float(to_host(lam) @ w**2)
    expected = 100 * (0.5 * to_host(lam) @ corner**2 - ground) / (1 + ground)
    assert away.value <= expected * (1 + 1e-12)
    assert away.value >= 0.99 * expected                       # the third sign is a tie at w = 0


def test_the_adaptive_number_ignores_a_rescaling_that_the_others_see():
    """f = (w2 relu(w1) - 1)^2 at (2, .3) and at (8, .075): one function, one adaptive sharpness."""
    objective = Objective(lambda w: (w[..., 1] * mg.relu(w[..., 0]) - 1.0) ** 2)
    a, b = xp.asarray([2.0, 0.3]), xp.asarray([8.0, 0.075])
    rng = np.random.default_rng(0)
    assert (adaptive_sharpness(objective, a, 0.1).value
            == pytest.approx(adaptive_sharpness(objective, b, 0.1).value, rel=1e-12))
    for measure in (lambda w: sam_sharpness(objective, w, 0.1).value, lambda w: keskar_sharpness(objective, w).value,
                    lambda w: top_curvature(objective, w, rng).value):
        assert abs(measure(b) / measure(a) - 1.0) > 0.1


@pytest.mark.parametrize("curvatures", [(1, -10), (1, -1000), (2, 1, -3, 0), (1e-3, -10, -10, -10)])
@pytest.mark.parametrize("seed", range(3))
def test_at_a_saddle_the_rise_is_that_of_the_positive_curvature(curvatures, seed):
    """Ball: rho^2 lambda_max / 2. Box: a side of every direction that bends up, the middle of the
    others. However much larger the negative curvature is.
    """
    lam = xp.asarray(curvatures, dtype=float)
    objective, w = Objective(lambda w: 0.5 * mg.sum(lam * w * w, axis=-1)), xp.zeros(len(curvatures))
    ball = sam_sharpness(objective, w, 1.0, rng=np.random.default_rng(seed))
    assert ball.value == pytest.approx(0.5 * max(curvatures), rel=1e-9) and ball.settled
    stretched = adaptive_sharpness(objective, w, 0.1, eta=10.0, rng=np.random.default_rng(seed))
    assert stretched.value == pytest.approx(0.5 * max(curvatures), rel=1e-9) and stretched.settled
    box = keskar_sharpness(objective, w, 0.1, rng=np.random.default_rng(seed))
    assert box.value == pytest.approx(0.5 * sum(max(c, 0) for c in curvatures), rel=1e-6)


def test_at_a_maximum_nothing_settles():
    objective = Objective(lambda w: -mg.sum(w * w, axis=-1))
    for measure in (lambda w, rng: sam_sharpness(objective, w, 0.1, rng=rng),
                    lambda w, rng: keskar_sharpness(objective, w, rng=rng)):
        got = measure(xp.zeros(3), np.random.default_rng(0))
        assert got.value == 0.0 and not got.settled and not to_host(got.e).any()


def test_both_ends_of_the_top_direction_are_tried():
    """A network of two weights at its minimum rises differently on the two sides; oracle: the disc
    on a grid of 41 x 40,001 points. Every seed gives the higher side.
    """
    w, rho = np.array([1.0, 1.0]), 0.2
    angles, radii = np.linspace(0, 2 * np.pi, 40001), np.linspace(0, rho, 41)[:, None, None]
    disc = w + radii * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    expected = ((1 - disc[..., 0] * disc[..., 1]) ** 2).max()
    objective = Objective(lambda w: (1.0 - w[..., 0] * w[..., 1]) ** 2)
    for seed in range(10):
        got = sam_sharpness(objective, xp.asarray(w), rho, rng=np.random.default_rng(seed))
        assert got.value == pytest.approx(expected, rel=1e-7) and got.settled


def highest_of_a_quadratic(H, g, rho):
    """max of <g, e> + <e, H e>/2 over |e| <= rho: e = (mu - H)^-1 g with mu >= lambda_max, by the
    secular equation; or inside, where H is negative definite enough.
    """
    lam, Q = np.linalg.eigh(H)
    c = Q.T @ g
    size = lambda mu: np.linalg.norm(c / (mu - lam))                                  # noqa: E731
    mu = 0.0
    if lam[-1] > -1e-12 or size(0.0) > rho:
        low, high = max(0.0, lam[-1]) + 1e-14, max(0.0, lam[-1]) + 1e6
        for _ in range(200):
            mu = 0.5 * (low + high)
            low, high = (mu, high) if size(mu) > rho else (low, mu)
    e = Q @ (c / (mu - lam))
    return g @ e + 0.5 * e @ H @ e


@pytest.mark.parametrize("seed", range(30))
def test_indefinite_quadratics_with_a_slope(seed):
    """What has settled lies within 1 % of the exact maximum, and never above it."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 15))
    A, g = rng.standard_normal((n, n)), rng.standard_normal(n) * rng.choice([0.01, 1.0, 10.0])
    H = 0.5 * (A + A.T) + rng.choice([-3.0, 0.0, 3.0]) * np.eye(n)
    slope, bend = xp.asarray(g), xp.asarray(H)
    objective = Objective(lambda w: mg.sum(slope * w, axis=-1) + 0.5 * mg.sum(w * (w @ bend), axis=-1))
    got = sam_sharpness(objective, xp.zeros(n), 0.5, rng=rng)
    exact = highest_of_a_quadratic(H, g, 0.5)
    assert (0.99 if got.settled else 0.9) * exact <= got.value <= exact * (1 + 1e-9)


@pytest.mark.parametrize("p", [1.5, 2.0, 4.0, np.inf])
def test_the_step_stays_in_the_ball(p):
    rng = np.random.default_rng(3)
    w = xp.asarray(rng.standard_normal(8))
    objective = Objective(lambda w: mg.sum(mg.sin(3.0 * w), axis=-1) * mg.sum(w, axis=-1))
    got = adaptive_sharpness(objective, w, 0.2, p=p, rng=rng)
    u = np.abs(to_host(got.e) / to_host(w))
    assert got.value > 0 and (u.max() if np.isinf(p) else (u**p).sum() ** (1 / p)) <= 0.2 * (1 + 1e-12)
    assert got.value == pytest.approx(float(objective.value(w + got.e) - objective.value(w)), rel=1e-9)


def test_a_problem_or_a_function_will_do():
    f = lambda w: mg.sum(w * w, axis=-1)                                              # noqa: E731
    w = xp.asarray([1.0, 2.0])
    assert sam_sharpness(f, w, 0.1).value == sam_sharpness(Objective(f), w, 0.1).value
    assert keskar_sharpness(f, w).value == keskar_sharpness(Objective(f), w).value


def test_the_point_is_untouched():
    w = xp.asarray(RNG.standard_normal(8))
    before = to_host(w).copy()
    sam_sharpness(QUADRATIC, w, 0.1), keskar_sharpness(QUADRATIC, w), adaptive_sharpness(QUADRATIC, w, 0.1)
    assert np.array_equal(to_host(w), before)


@pytest.mark.parametrize("call, match", [
    (lambda: sam_sharpness(QUADRATIC, xp.ones(8), rho=0.0), r"sam_sharpness: rho must be positive, got 0"),
    (lambda: keskar_sharpness(QUADRATIC, xp.ones(8), eps=-1.0), r"keskar_sharpness: eps must be positive"),
    (lambda: sam_sharpness(QUADRATIC, xp.ones(8), rho=0.1, steps=0), r"steps must be at least 1"),
    (lambda: sam_sharpness(QUADRATIC, xp.zeros(8), rho=0.1), r"gradient at theta is zero.*Pass rng="),
])
def test_bad_arguments(call, match):
    with pytest.raises(ValueError, match=match):
        call()


@pytest.mark.parametrize("unit", [1e-200, 1e-14, 1.0, 1e200])
@pytest.mark.parametrize("p, steps", [(2.0, 1), (2.0, 20), (3.0, 20), (np.inf, 20)])
def test_the_rise_has_the_unit_of_the_loss(unit, p, steps):
    slope = xp.asarray([3.0, -4.0])
    got = sam_sharpness(lambda w: unit * mg.sum(slope * w, axis=-1), xp.zeros(2), 0.5, p=p,
                        steps=steps, rng=np.random.default_rng(0))
    q = 1.0 / (1.0 - 1.0 / p)
    assert got.value / unit == pytest.approx(0.5 * (3.0**q + 4.0**q) ** (1.0 / q), rel=1e-3)


def test_where_the_ball_is_a_point_nothing_rises():
    got = adaptive_sharpness(QUADRATIC, xp.zeros(8), 1.0, rng=np.random.default_rng(0))
    assert got.value == 0.0 and not got.settled and not got.e.any()


@pytest.mark.parametrize("ground, match", [
    (-1.0, r"keskar_sharpness: a share of 1 \+ L\(w\) means nothing where that is 0"),
    (-3.0, r"where that is -2\. Add a constant"), (np.inf, "the loss at theta is inf"),
])
def test_a_relative_rise_needs_a_positive_loss(ground, match):
    with pytest.raises(ValueError, match=match):
        keskar_sharpness(lambda w: mg.sum(w * w, axis=-1) + ground, xp.zeros(2),
                         rng=np.random.default_rng(0))
