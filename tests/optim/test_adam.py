"""Adam, AdamW and NAdam against scalar loops, their first step, and PyTorch."""
import math

import numpy as np
import pytest

from optim import Adam, AdamW, NAdam
from tests.optim.moves import moves


@pytest.mark.parametrize("b1, b2", [(0.9, 0.999), (0.0, 0.8), (0.99, 0.0)])
@pytest.mark.parametrize("kind", ["adam", "adamw", "nadam"])
def test_agrees_with_a_scalar_loop(kind, b1, b2):
    rng = np.random.default_rng(0)
    grads, start, lr, eps = rng.normal(size=(8, 2)), rng.normal(size=2), 0.1, 1e-3
    lam = 0.0 if kind == "adam" else 0.2
    make = {"adam": Adam, "adamw": AdamW, "nadam": NAdam}[kind]
    own = {} if kind == "adam" else {"decay": lam}
    points = moves(make(lr, beta1=b1, beta2=b2, eps=eps, **own), grads, start)
    for i in range(2):
        m, v, p = 0.0, 0.0, start[i]
        for t, g in enumerate(grads[:, i], start=1):
            m = b1 * m + (1 - b1) * g
            v = b2 * v + (1 - b2) * g * g
            if kind == "nadam":
                n = b1 * m / (1 - b1 ** (t + 1)) + (1 - b1) * g / (1 - b1**t)
            else:
                n = m / (1 - b1**t)
            p = p - lr * n / (math.sqrt(v / (1 - b2**t)) + eps) - lr * lam * p
            assert points[t - 1, i] == pytest.approx(p, rel=1e-12)


def test_first_step_is_the_rate():
    """... in every coordinate, whatever the gradient; and no memory can change it."""
    for b1, b2 in ((0.9, 0.999), (0.5, 0.5)):
        step = moves(Adam(0.01, beta1=b1, beta2=b2), [[1e-3, -50.0]], [0.0, 0.0])[0]
        np.testing.assert_allclose(step, [-0.01, 0.01], rtol=2e-5)             # ε/|g| = 1e-5


def test_decay_is_per_unit_lr_and_outside_of_the_scaling():
    theta = np.array([2.0, -4.0])
    for lr in (0.1, 0.01):
        plain = moves(AdamW(lr, decay=0.0), [[1e3, 1e-3]], theta)[0]
        decayed = moves(AdamW(lr, decay=0.3), [[1e3, 1e-3]], theta)[0]
        np.testing.assert_allclose(decayed - plain, -lr * 0.3 * theta, rtol=1e-12)


@pytest.mark.peers
@pytest.mark.parametrize("kind, lam", [("Adam", 0.0), ("AdamW", 0.1)])
def test_agrees_with_torch(kind, lam):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    grads, start = rng.normal(size=(20, 5)), rng.normal(size=5)
    p = torch.tensor(start, requires_grad=True)
    other = getattr(torch.optim, kind)([p], lr=0.03, betas=(0.8, 0.95), weight_decay=lam)
    for g in grads:
        p.grad = torch.tensor(g)
        other.step()
    own = {"decay": lam} if kind == "AdamW" else {}
    ours = {"Adam": Adam, "AdamW": AdamW}[kind](0.03, beta1=0.8, beta2=0.95, **own)
    np.testing.assert_allclose(moves(ours, grads, start)[-1], p.detach().numpy(), rtol=1e-12)


@pytest.mark.peers
def test_torch_nadam_is_ours_with_its_warmup_off():
    """PyTorch multiplies β₁ by 1 - .96^(ψ t)/2 at step t: with large ψ that is over at once."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(2)
    grads, start = rng.normal(size=(20, 5)), rng.normal(size=5)
    ends = {}
    for psi in (1e9, 0.004):
        p = torch.tensor(start, requires_grad=True)
        other = torch.optim.NAdam([p], lr=0.03, betas=(0.8, 0.95), momentum_decay=psi)
        for g in grads:
            p.grad = torch.tensor(g)
            other.step()
        ends[psi] = p.detach().numpy()
    ours = moves(NAdam(0.03, beta1=0.8, beta2=0.95), grads, start)[-1]
    np.testing.assert_allclose(ours, ends[1e9], rtol=1e-7)      # it multiplies its β₁ in float32
    assert np.abs(ours - ends[0.004]).max() > 1e-3
