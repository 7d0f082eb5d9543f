"""SGD against a scalar loop, closed forms, and PyTorch."""
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from optim import SGD, Objective
from tests.optim.moves import moves


@pytest.mark.parametrize("mu, tau, nesterov, lam", [
    (0.0, 0.0, False, 0.0), (0.0, 0.4, False, 0.2), (0.9, 0.0, False, 0.0), (0.9, 0.9, False, 0.1),
    (0.7, 0.3, False, 0.0), (0.9, 0.0, True, 0.1)])
def test_agrees_with_a_scalar_loop(mu, tau, nesterov, lam):
    rng = np.random.default_rng(0)
    grads, start, lr = rng.normal(size=(8, 2)), rng.normal(size=2), 0.1
    opt = SGD(lr, momentum=mu, dampening=tau, nesterov=nesterov, decay=lam)
    points = moves(opt, grads, start)
    for i in range(2):
        v, p = 0.0, start[i]
        for step, g in enumerate(grads[:, i]):
            v = mu * v + (1 - tau) * g
            u = g + mu * v if nesterov else v
            p = p - lr * u - lr * lam * p
            assert points[step, i] == pytest.approx(p, rel=1e-13)


def test_rates_on_a_parabola():
    """On h x²/2 plain descent multiplies by 1 - ηh; a heavy ball, when it swings, by √μ."""
    h, lr = 2.0, 0.3
    objective = Objective(lambda x: 0.5 * h * mg.sum(x * x, axis=-1))
    opt, x = SGD(lr), xp.asarray([1.0])
    state = opt.init(x)
    for _ in range(5):
        x, state, _ = opt.step(objective, x, state)
    assert float(x[0]) == pytest.approx((1 - lr * h) ** 5, rel=1e-13)

    mu = 0.81                                       # complex roots of z² - (1+μ-ηh) z + μ: |z| = √μ
    opt, x = SGD(lr, momentum=mu), xp.asarray([1.0])
    z = np.roots([1.0, -(1 + mu - lr * h), mu])
    state, before = opt.init(x), x
    for _ in range(40):
        before, (x, state, _) = x, opt.step(objective, x, state)
    amplitude = abs(to_host(x)[0] - z[0] * to_host(before)[0])
    first = abs((1 - lr * h) - z[0])                # |x_1 - z_0 x_0|, which shrinks by √μ a step
    assert amplitude == pytest.approx(first * math.sqrt(mu) ** 39, rel=1e-9)


def test_heavy_ball_moves_as_far_as_a_larger_rate():
    points = moves(SGD(0.01, momentum=0.9), np.ones((300, 1)), [0.0])
    assert points[-1, 0] - points[-2, 0] == pytest.approx(-0.01 / (1 - 0.9), rel=1e-9)


def test_nesterov_asks_for_momentum_alone():
    with pytest.raises(ValueError, match="SGD: nesterov needs dampening = 0, got 0.5"):
        SGD(momentum=0.9, dampening=0.5, nesterov=True)
    with pytest.raises(ValueError, match="SGD: nesterov needs a momentum above 0"):
        SGD(nesterov=True)


@pytest.mark.peers
@pytest.mark.parametrize("hyper, peer", [
    (dict(), dict()), (dict(momentum=0.9), dict(momentum=0.9)),
    (dict(momentum=0.9, nesterov=True), dict(momentum=0.9, nesterov=True))])
def test_agrees_with_torch(hyper, peer):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    grads, start = rng.normal(size=(20, 5)), rng.normal(size=5)
    p = torch.tensor(start, requires_grad=True)
    other = torch.optim.SGD([p], lr=0.03, **peer)
    for g in grads:
        p.grad = torch.tensor(g)
        other.step()
    ours = moves(SGD(0.03, **hyper), grads, start)[-1]
    np.testing.assert_allclose(ours, p.detach().numpy(), rtol=1e-12)
