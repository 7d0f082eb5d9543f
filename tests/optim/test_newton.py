"""Saddle-free Newton, dense and Krylov, against its formula written out."""
import numpy as np
import pytest

from minigrad.backend import to_host, xp
from optim import Objective
from optim.second_order.newton import DAMPINGS, SaddleFreeNewton


def quadratic(A):
    A = xp.asarray(A)
    return Objective(lambda t: 0.5 * (t * (t @ A)).sum(axis=-1))


def walk(opt, objective, theta, steps):
    theta = xp.asarray(theta)
    state = opt.init(theta)
    for _ in range(steps):
        theta, state, loss = opt.step(objective, theta, state)
    return to_host(theta), state


def symmetric(n, seed):
    A = np.random.default_rng(seed).standard_normal((n, n))
    return (A + A.T) / 2


@pytest.mark.parametrize("gam", [1.0, 0.1, 0.01])
@pytest.mark.parametrize("k", [None, 2])
def test_undamped_doubles_the_escaping_coordinate(gam, k):
    """lam x^2/2 - gam y^2/2: x goes to 0 in one step, y to 2y whatever gam is. From 1e-8 to 1 that
    takes 27 steps.
    """
    objective = quadratic(np.diag([1.0, -gam]))
    theta, _ = walk(SaddleFreeNewton(k, damping=0.0), objective, [0.7, 1e-8], 1)
    np.testing.assert_allclose(theta, [0.0, 2e-8], atol=1e-15)
    y, _ = walk(SaddleFreeNewton(damping=0.0), objective, [0.0, 1e-8], 26)
    assert abs(y[1]) < 1 < 2 * abs(y[1])


@pytest.mark.parametrize("damping", [0.0, 0.3])
def test_the_formula(damping):
    A, x = symmetric(6, 0), np.random.default_rng(1).standard_normal(6)
    lam, Q = np.linalg.eigh(A)
    expected = x - Q @ np.diag(1 / (np.abs(lam) + damping)) @ Q.T @ A @ x
    for opt in (SaddleFreeNewton(damping=damping), SaddleFreeNewton(6, damping),
                SaddleFreeNewton(99, damping)):
        theta, state = walk(opt, quadratic(A), x, 1)
        np.testing.assert_allclose(theta, expected, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(to_host(state["d"]), expected - x, rtol=1e-9, atol=1e-11)


def test_krylov_step_with_the_previous_direction():
    """Second step: the space is span{g, Hg, previous step}, orthonormalised here by QR."""
    A, x = symmetric(8, 2), np.random.default_rng(3).standard_normal(8)
    opt, objective = SaddleFreeNewton(2, damping=0.1, lr=0.5), quadratic(A)
    first, state = walk(opt, objective, x, 1)
    second, _ = walk(opt, objective, x, 2)
    g = A @ first
    V = np.linalg.qr(np.stack([g, A @ g, first - x], axis=1))[0]
    lam, S = np.linalg.eigh(V.T @ A @ V)
    W = V @ S
    np.testing.assert_allclose(second, first - 0.5 * W @ ((W.T @ g) / (np.abs(lam) + 0.1)),
                               rtol=1e-9)


def test_outside_the_krylov_space_nothing_moves():
    A = np.diag([1.0, 2.0, -3.0, 5.0])
    theta, _ = walk(SaddleFreeNewton(4, damping=0.0), quadratic(A), [1.0, 0.0, 1.0, 0.0], 1)
    np.testing.assert_allclose(theta, [0.0, 0.0, 2.0, 0.0], atol=1e-12)


def test_damping_by_lowest_loss():
    """Of the seven candidates the one that ends lowest; here a quartic valley where long steps
    overshoot.
    """
    objective = Objective(lambda t: (t * t * t * t).sum(axis=-1) - (t * t).sum(axis=-1))
    x = np.array([0.4, 0.41])
    landed, _ = walk(SaddleFreeNewton(), objective, x, 1)
    heights = []
    for damping in DAMPINGS:
        theta, _ = walk(SaddleFreeNewton(damping=damping), objective, x, 1)
        heights.append(float(objective.value(xp.asarray(theta))))
    assert float(objective.value(xp.asarray(landed))) == pytest.approx(min(heights))


@pytest.mark.parametrize("damping", [None, 0.05])
def test_a_batch_of_points_is_stepped_row_by_row(damping):
    objective = Objective(lambda t: (t * t * t * t).sum(axis=-1) - (t * t).sum(axis=-1))
    points = np.random.default_rng(0).standard_normal((5, 3))
    together, _ = walk(SaddleFreeNewton(damping=damping), objective, points, 3)
    alone = [walk(SaddleFreeNewton(damping=damping), objective, row, 3)[0] for row in points]
    np.testing.assert_allclose(together, alone, rtol=1e-9)


def test_flat_directions_and_zero_gradient_stay():
    theta, _ = walk(SaddleFreeNewton(damping=0.0), quadratic(np.diag([1.0, 0.0])), [1.0, 5.0], 1)
    np.testing.assert_allclose(theta, [0.0, 5.0], atol=1e-15)
    for k in (None, 2):
        theta, _ = walk(SaddleFreeNewton(k, damping=0.0), quadratic(np.diag([1.0, -1.0])),
                        [0.0, 0.0], 2)
        assert theta.tolist() == [0.0, 0.0]


def test_cost_and_dtype():
    objective = quadratic(symmetric(8, 0))
    walk(SaddleFreeNewton(3, damping=0.1), objective, np.ones(8), 1)
    assert objective.hvps == 3
    walk(SaddleFreeNewton(damping=0.1), objective, np.ones(8), 1)
    assert objective.hvps == 11 and objective.values == 0
    small = Objective(lambda t: (t * t).sum(axis=-1))
    for k in (None, 2):
        assert walk(SaddleFreeNewton(k), small, np.ones(4, dtype=np.float32),
                    2)[0].dtype == np.float32


def test_errors():
    with pytest.raises(ValueError, match="SaddleFreeNewton: k must be at least 1, got 0"):
        SaddleFreeNewton(0)
    with pytest.raises(ValueError, match="damping must be >= 0, got -1"):
        SaddleFreeNewton(damping=-1)
    with pytest.raises(ValueError, match="lr must be > 0, got 0"):
        SaddleFreeNewton(lr=0)
    with pytest.raises(ValueError, match=r"steps one point at a time, got theta of shape \(2, 8\)"):
        walk(SaddleFreeNewton(3), quadratic(np.eye(8)), np.ones((2, 8)), 1)
