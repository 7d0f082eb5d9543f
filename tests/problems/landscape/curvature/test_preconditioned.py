"""Preconditioned curvature against dense matrices; the threshold against the iteration itself."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from optim import Adam, Objective, SGD, descent
from problems import Network
from problems.landscape.curvature import (
    HessianOp, PreconditionedOp, adam_preconditioner, adam_threshold, dense_hessian, lanczos,
    preconditioned_sharpness, threshold, top_curvature)
from problems.networks.mlp import MLP


def trained(steps=40, d=(4, 6, 3)):
    """A network under way with Adam: (objective, theta, p)."""
    rng = np.random.default_rng(0)
    x, y = xp.asarray(rng.standard_normal((30, d[0]))), xp.asarray(rng.integers(0, d[-1], 30))
    problem = Network(MLP(d, "tanh"), (x, y))
    adam, objective = Adam(0.01), Objective(problem)
    for _, theta, _, state in descent(adam, objective, problem.start(rng), steps=steps):
        pass
    return objective, theta, adam_preconditioner(adam, state)


def test_lanczos_agrees_with_the_dense_matrix():
    """To 1e-10 of the largest eigenvalue: both ends, and the vector brought back is P⁻¹ H's."""
    objective, theta, p = trained()
    H, scale = to_host(dense_hessian(HessianOp(objective, theta))), to_host(p)
    exact = np.linalg.eigvalsh(H / np.sqrt(np.outer(scale, scale)))
    op = PreconditionedOp(HessianOp(objective, theta), p)
    ritz = lanczos(op, op.n, "both", rng=np.random.default_rng(1))
    assert abs(ritz.values[-1] - exact[-1]) <= 1e-10 * exact[-1]
    assert abs(ritz.values[0] - exact[0]) <= 1e-10 * exact[-1]
    general = np.sort(np.linalg.eigvals(H / scale[:, None]).real)
    np.testing.assert_allclose(exact, general, atol=1e-9 * exact[-1])
    w = to_host(op.back(ritz.vectors[-1]))
    np.testing.assert_allclose(H @ w / scale, exact[-1] * w, atol=1e-8 * exact[-1] * abs(w).max())


def test_the_sharpness_says_how_sure_it_is():
    objective, theta, p = trained()
    few = preconditioned_sharpness(objective, theta, p, np.random.default_rng(2), m=8)
    all_ = preconditioned_sharpness(objective, theta, p, np.random.default_rng(2), m=60)
    assert few.value <= all_.value * (1 + 1e-12) and few.value + few.residual >= all_.value * 0.999
    low, high = few.interval()
    assert low <= all_.value <= high


def test_ones_change_nothing():
    objective, theta, p = trained()
    plain = top_curvature(objective, theta, np.random.default_rng(3), 20).value
    same = preconditioned_sharpness(objective, theta, xp.ones_like(p), np.random.default_rng(3), 20)
    assert same.value == pytest.approx(plain, rel=1e-13)


@pytest.mark.parametrize("beta1, times_lr", [(0.0, 2.0), (0.5, 6.0), (0.9, 38.0)])
def test_the_threshold_is_where_the_iteration_starts_to_grow(beta1, times_lr):
    edge = adam_threshold(0.02, beta1)
    assert edge == pytest.approx(times_lr / 0.02, rel=1e-12)
    assert edge == pytest.approx(threshold((1 - beta1) * 0.02, beta1, "momentum"), rel=1e-12)

    def growth(lam):                                    # of (x, m), one step
        step = np.array([[1 - 0.02 * (1 - beta1) * lam, -0.02 * beta1], [(1 - beta1) * lam, beta1]])
        return max(abs(np.linalg.eigvals(step)))

    assert growth(0.999 * edge) < 1.0 < growth(1.001 * edge)


@pytest.mark.parametrize("share, grows", [(0.97, False), (1.03, True)])
def test_adam_itself_on_a_quadratic(share, grows):
    """With β₂ near 1 and a long past, so that v stays what it is."""
    adam, theta = Adam(0.1, beta2=1 - 1e-9), xp.asarray([1.0, -1.0])
    state = adam.init(theta)
    state["t"] += 10**7
    state["v"] += xp.asarray([4.0, 0.25]) * (1 - (1 - 1e-9)**1e7) / 1e-9    # P = (2, 0.5)
    p = to_host(adam_preconditioner(adam, state))
    np.testing.assert_allclose(p, [2.0, 0.5], rtol=1e-5)
    H = np.diag(p) * share * adam_threshold(0.1)        # both coordinates at this share
    x = np.array([1e-12, 1e-12])                        # gradients too small to move P
    size = []
    for _ in range(60):
        delta, state = adam.update(xp.asarray(H @ x), None, theta, state)
        x = x + to_host(delta)
        size.append(np.abs(x).max())
    assert (max(size[-20:]) > 10 * max(size[:20])) == grows
    assert grows or max(size[-20:]) < max(size[:20])


def test_the_preconditioner_is_that_of_the_step():
    """The displacement is -η m/p with m from a loop, β₁'s correction inside p."""
    adam, theta, rng = Adam(0.05, beta1=0.8, beta2=0.9, eps=1e-3), xp.zeros(3), np.random.default_rng(4)
    state, m, v = adam.init(theta), np.zeros(3), np.zeros(3)
    for t in range(1, 8):
        g = rng.standard_normal(3)
        delta, state = adam.update(xp.asarray(g), None, theta, state)
        delta = to_host(delta).copy()
        m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g * g
        p = to_host(adam_preconditioner(adam, {**state, "t": np.array(t)}))
        np.testing.assert_allclose(p, (1 - 0.8**t) * (np.sqrt(v / (1 - 0.9**t)) + 1e-3), rtol=1e-12)
        np.testing.assert_allclose(delta, -0.05 * m / p, rtol=1e-12)


def test_single_precision_stays_single():
    p = xp.asarray([1.0, 4.0], dtype="float32")
    op = PreconditionedOp(xp.eye(2, dtype="float32"), p)
    assert op.matvec(xp.ones(2, dtype="float32")).dtype == "float32"
    np.testing.assert_allclose(to_host(op.matvec(xp.ones(2, dtype="float32"))), [1.0, 0.25])


def bowl(w):
    return mg.sum(mg.square(w), axis=-1)


@pytest.mark.parametrize("call, message", [
    (lambda: PreconditionedOp(xp.eye(2), xp.zeros(2)), "positive and finite, got 0"),
    (lambda: PreconditionedOp(xp.eye(2), xp.ones(3)), r"shape \(2,\)"),
    (lambda: adam_threshold(0.1, 1.0), "0 <= beta1 < 1, got lr 0.1, beta1 1.0"),
    (lambda: adam_threshold(0.0), "needs lr > 0"),
    (lambda: adam_preconditioner(Adam(), Adam().init(xp.ones(2))), "t = 0. Take a step first"),
    (lambda: adam_preconditioner(Adam(), SGD().init(xp.ones(2))), "without v"),
    (lambda: adam_preconditioner(SGD(), {}), "must have beta1"),
    (lambda: preconditioned_sharpness(bowl, xp.ones(2), xp.ones(3), np.random.default_rng(0)),
     r"shape \(2,\)")])
def test_bad_input_is_told(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()
