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
