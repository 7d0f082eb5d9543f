"""RMSprop against a scalar loop, its first step, and PyTorch."""
import math

import numpy as np
import pytest

from optim import RMSprop
from tests.optim.moves import moves


@pytest.mark.parametrize("beta, mu, lam", [(0.99, 0.0, 0.0), (0.9, 0.5, 0.1), (0.0, 0.0, 0.0)])
def test_agrees_with_a_scalar_loop(beta, mu, lam):
    rng = np.random.default_rng(0)
    grads, start, lr, eps = rng.normal(size=(8, 2)), rng.normal(size=2), 0.1, 1e-3
    points = moves(RMSprop(lr, beta_rms=beta, eps=eps, momentum=mu, decay=lam), grads, start)
    for i in range(2):
        r, u, p = 0.0, 0.0, start[i]
        for step, g in enumerate(grads[:, i]):
            r = beta * r + (1 - beta) * g * g
            u = mu * u + g / (math.sqrt(r) + eps)
            p = p - lr * u - lr * lam * p
            assert points[step, i] == pytest.approx(p, rel=1e-12)


def test_a_steady_gradient_moves_lr_whatever_its_size():
    points = moves(RMSprop(0.01, beta_rms=0.9), np.tile([1e-3, 50.0], (300, 1)), [0.0, 0.0])
    np.testing.assert_allclose(points[-1] - points[-2], -0.01, rtol=1e-4)
    np.testing.assert_allclose(points[0], -0.01 / math.sqrt(0.1), rtol=1e-4)   # η/√(1-β) at first


@pytest.mark.peers
@pytest.mark.parametrize("mu", [0.0, 0.8])
def test_agrees_with_torch(mu):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    grads, start = rng.normal(size=(20, 5)), rng.normal(size=5)
    p = torch.tensor(start, requires_grad=True)
    other = torch.optim.RMSprop([p], lr=0.03, alpha=0.95, momentum=mu)
    for g in grads:
        p.grad = torch.tensor(g)
        other.step()
    ours = moves(RMSprop(0.03, beta_rms=0.95, momentum=mu), grads, start)[-1]
    np.testing.assert_allclose(ours, p.detach().numpy(), rtol=1e-11)
