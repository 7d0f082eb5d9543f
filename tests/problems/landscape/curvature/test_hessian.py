"""Hessian-vector products: known digits, three independent implementations, batches, bad input."""
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from optim.objective import Objective
from problems.landscape.curvature import (HessianOp, MatrixOp, dense_hessian, dense_hessians, hvp,
                                          index, lanczos, trace)

X = np.array([[-.8, .6], [-1, -.4], [.3, 1.2], [.3, .8]])
Y = np.array([1.2, -.9, .2, 0.0])
THETA = np.array([-.6, -.9, .3, -1.2, 0, .1, .7, 1.2, 1.2])
V = np.array([-1.2, 1, .2, -.4, 1.1, -.5, .6, -.9, -.2])
EIG = [-1.2686936742, -.7538186108, -.3982257179, -.2202999045, -.0191560604, .0375362911,
       .3717873420, 1.1826040654,
       1.9350024106]


def tanh_net(theta, batch=None, mean=True):
    """2-2-1 with rows of W1 as units: sum (w2 . tanh(W1 x + b1) + b2 - y)^2 / 2n."""
    x, y = (xp.asarray(X), xp.asarray(Y)) if batch is None else batch
    W1, b1, w2, b2 = theta[..., :4], theta[..., 4:6], theta[..., 6:8], theta[..., 8:]
    W1 = W1.reshape(theta.shape[:-1] + (2, 2))
    h = mg.tanh(x @ mg.swapaxes(W1, a=-1, b=-2) + mg.expand_dims(b1, axis=-2))
    error = mg.sum(h * mg.expand_dims(w2, axis=-2), axis=-1) + b2 - y
    return mg.mean(error * error, axis=-1) * 0.5


def r_operator(theta, v, x, y):
    """The R-operator of the same net, by hand: push a tangent through the forward pass and through
    the backward pass.

    phi' = 1 - h^2, phi'' = -2 h phi'.  Pearlmutter 1994; returns (gradient, H v).
    """
    W, b, w, c = theta[:4].reshape(2, 2), theta[4:6], theta[6:8], theta[8]
    VW, vb, vw, vc = v[:4].reshape(2, 2), v[4:6], v[6:8], v[8]
    h = np.tanh(x @ W.T + b)
    Rz = x @ VW.T + vb
    d1, Rh = 1 - h * h, (1 - h * h) * Rz
    # adjoint of the output
    e, Re = (h @ w + c - y) / len(y), (Rh @ w + h @ vw + vc) / len(y)
    d = d1 * np.outer(e, w)
    Rd = -2 * h * Rh * np.outer(e, w) + d1 * (np.outer(Re, w) + np.outer(e, vw))
    gradient = np.concatenate([(d.T @ x).ravel(), d.sum(0), h.T @ e, [e.sum()]])
    product = np.concatenate([(Rd.T @ x).ravel(), Rd.sum(0), Rh.T @ e + h.T @ Re, [Re.sum()]])
    return gradient, product


def test_the_tanh_net_to_its_digits():
    theta, v = xp.asarray(THETA), xp.asarray(V)
    objective = Objective(tanh_net)
    loss, g = objective.value_and_grad(theta)
    assert float(loss) == pytest.approx(1.2307648007, abs=5e-11)
    np.testing.assert_allclose(
        to_host(g), [-.118621771, -.2246921044, -.7297196100, -.4816402041, .0409212471,
                     .6178544836, .7062571868, .4966134059, .3449029824], atol=1e-9)
    op = HessianOp(tanh_net, theta)
    np.testing.assert_allclose(
        to_host(op.matvec(v)),
        [.3196669917, .0896405658, -.0089930421, .6358492595, -.4816844160, .3020572851,
         -.0952190479, -.5293601136, .4371687457], atol=1e-10)
    H = to_host(dense_hessian(op))
    np.testing.assert_allclose(np.linalg.eigvalsh(H), EIG, atol=1e-10)
    assert index(op) == 5 == index(xp.asarray(H))
    assert np.trace(H) == pytest.approx(.8667361412, abs=1e-10)
    assert np.sum(H * H) == pytest.approx(7.6677303671, abs=1e-9)
    ritz = lanczos(op, 9, "both", rng=np.random.default_rng(0))
    np.testing.assert_allclose(ritz.values, [EIG[0], EIG[-1]], atol=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_three_implementations_agree(seed):
    rng = np.random.default_rng(seed)
    theta, v = rng.standard_normal(9), rng.standard_normal(9)
    exact = to_host(hvp(tanh_net, xp.asarray(theta), xp.asarray(v)))
    differences = to_host(hvp(tanh_net, xp.asarray(theta), xp.asarray(v), mode="fd"))
    gradient, pushed = r_operator(theta, v, X, Y)
    np.testing.assert_allclose(to_host(Objective(tanh_net).value_and_grad(xp.asarray(theta))[1]),
                               gradient, atol=1e-12)
    np.testing.assert_allclose(exact, pushed, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(differences, pushed, rtol=0, atol=1e-6 * np.linalg.norm(pushed))


@pytest.mark.parametrize("mode", ["ror", "fd"])
def test_symmetric_and_linear(mode):
    rng = np.random.default_rng(1)
    op = HessianOp(tanh_net, xp.asarray(THETA), mode=mode)
    u, v = (xp.asarray(rng.standard_normal(9)) for _ in range(2))
    tight = 1e-12 if mode == "ror" else 1e-8
    here, there = float(xp.vdot(u, op.matvec(v))), float(xp.vdot(v, op.matvec(u)))
    assert here == pytest.approx(there, abs=tight)
    both = op.matvec(2.0 * u - 3.0 * v)
    np.testing.assert_allclose(to_host(both), to_host(2.0 * op.matvec(u) - 3.0 * op.matvec(v)),
                               atol=50 * tight)
    assert op.calls == 5
    zero = op.matvec(xp.zeros(9))
    assert not np.any(to_host(zero))


@pytest.mark.parametrize("mode", ["ror", "fd"])
def test_batches_are_weighted_by_their_size(mode):
    """7 and 3 examples must give what 10 give."""
    rng = np.random.default_rng(2)
    x, y = xp.asarray(rng.standard_normal((10, 2))), xp.asarray(rng.standard_normal(10))
    theta, v = xp.asarray(THETA), xp.asarray(V)
    whole = HessianOp(tanh_net, theta, [(x, y)], mode).matvec(v)
    parts = HessianOp(tanh_net, theta, [(x[:7], y[:7]), (x[7:], y[7:])], mode).matvec(v)
    np.testing.assert_allclose(to_host(parts), to_host(whole),
                               atol=1e-12 if mode == "ror" else 1e-8)


def test_linearised_once():
    """However many products are taken, the loss is traced once."""
    calls = []

    def loss(theta):
        calls.append(1)
        return tanh_net(theta)

    op = HessianOp(loss, xp.asarray(THETA))
    traced = len(calls)
    for _ in range(10):
        op.matvec(xp.asarray(V))
    assert traced <= 2 and len(calls) == traced


def test_batches_of_points():
    rng = np.random.default_rng(3)
    points = xp.asarray(rng.standard_normal((4, 9)))
    H = to_host(dense_hessians(tanh_net, points))
    for i in range(4):
        np.testing.assert_allclose(H[i], to_host(dense_hessian(HessianOp(tanh_net, points[i]))),
                                   atol=1e-12)


def test_softmax_regression_at_zero():
    """H = (X^T X/n) kron (I/K - 11^T/K^2): lambda_max = lambda_max(X^T X/n)/K, trace = tr(X^T
    X/n)(K-1)/K, nullity >= d.
    """
    x = np.array([[-2., 9, 8], [-5, 2, 6], [9, -7, -9], [6, -1, 8], [-2, -3, 6], [8, 8, 6]])
    K, labels = 4, xp.asarray([0, 1, 2, 3, 0, 1])

    def loss(theta):
        return mg.softmax_cross_entropy(xp.asarray(x) @ theta.reshape(3, K), labels)

    op = HessianOp(loss, xp.zeros(12))
    H = to_host(dense_hessian(op))
    np.testing.assert_allclose(H, np.kron(x.T @ x / 6, np.eye(K) / K - np.ones((K, K)) / K**2),
                               atol=1e-12)
    eig = np.linalg.eigvalsh(H)
    assert eig[-1] == pytest.approx(18.78761264, abs=5e-9)
    assert eig.sum() == pytest.approx(92.375, abs=1e-10)
    assert np.sum(np.abs(eig) < 1e-10) >= 3 and index(op) == 0
    ritz = lanczos(op, 9, rng=np.random.default_rng(0))
    assert ritz.values[-1] == pytest.approx(18.78761264, abs=5e-9)
    found = trace(op, 36, "hutch++", rng=np.random.default_rng(0))
    assert found.estimate == pytest.approx(92.375, abs=1e-9)


def test_index_is_invariant_where_it_should_be():
    rng = np.random.default_rng(4)
    A = rng.standard_normal((12, 12))
    A = A + A.T
    Q, D = np.linalg.qr(rng.standard_normal((12, 12)))[0], np.diag(rng.uniform(0.1, 5.0, 12))
    k = index(xp.asarray(A))
    assert k == np.sum(np.linalg.eigvalsh(A) < 0)
    assert index(xp.asarray(Q @ A @ Q.T)) == k == index(xp.asarray(D @ A @ D))
    assert abs(np.linalg.eigvalsh(D @ A @ D)[-1] - np.linalg.eigvalsh(A)[-1]) > 0.1
    assert index(xp.asarray(np.diag([-1.0, -1e-12, 1.0]))) == 1
    assert index(xp.asarray(np.diag([-1.0, -1e-2, 1.0])), tol=0.1) == 1


def test_float32_stays():
    theta = xp.asarray(THETA, dtype=np.float32)

    def loss(t):
        return mg.sum(t * t * t)

    op = HessianOp(loss, theta)
    assert op.matvec(theta).dtype == np.float32
    np.testing.assert_allclose(to_host(op.matvec(theta)), 6 * THETA**2, rtol=1e-5)
    rough = HessianOp(loss, theta, mode="fd").matvec(theta)
    assert rough.dtype == np.float32
    np.testing.assert_allclose(to_host(rough), 6 * THETA**2, atol=0.05)


def test_errors():
    theta = xp.asarray(THETA)
    broken = THETA.copy()
    broken[[1, 4]] = math.nan
    with pytest.raises(ValueError,
                       match="HessianOp: theta has 2 entries that are NaN or infinite, of 9"):
        HessianOp(tanh_net, xp.asarray(broken))
    with pytest.raises(ValueError,
                       match=r"theta must be one flat point \(n,\), got shape \(2, 9\)"):
        HessianOp(tanh_net, xp.stack([theta, theta]))
    with pytest.raises(ValueError, match="unknown mode 'rop'"):
        HessianOp(tanh_net, theta, mode="rop")
    with pytest.raises(ValueError, match="the list of batches is empty"):
        HessianOp(tanh_net, theta, batches=[])
    with pytest.raises(TypeError, match="an Objective has its own batch"):
        HessianOp(Objective(tanh_net), theta, batches=[(X, Y)])
    with pytest.raises(ValueError,
                       match=r"HessianOp: the operator takes vectors of shape \(9,\), got \(8,\)"):
        HessianOp(tanh_net, theta).matvec(xp.ones(8))
    with pytest.raises(ValueError, match="MatrixOp: the operator takes vectors"):
        MatrixOp(np.eye(3)).matvec(xp.ones(2))
    asymmetric = np.array([[1.0, 2.0], [0.0, 1.0]])
    with pytest.raises(ValueError, match="dense_hessian: the operator is not symmetric"):
        dense_hessian(asymmetric)
    with pytest.raises(ValueError, match="index: the operator is not symmetric"):
        index(xp.asarray(asymmetric))
