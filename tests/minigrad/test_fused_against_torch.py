"""Fused operations on arrays of random sizes and layouts against torch: value, gradient, product."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from tests.minigrad.test_layouts import fortran, read_only, strided

LAYOUTS = (xp.asarray, fortran, strided, read_only)


def cases(F, torch, n, m, k):
    """(name, shapes, ours, torch's): n rows, m and k columns, each from 1 up."""
    def wide(x, K, b):
        return F.conv2d(x.permute(0, 3, 1, 2), K, b, padding=1).permute(0, 2, 3, 1)
    return [
        ("linear", [(n, m), (m, k), (k,)], mg.linear, lambda x, W, b: x @ W + b),
        ("layer_norm", [(n, m), (m,), (m,)], mg.layer_norm,
         lambda x, a, b: F.layer_norm(x, (m,), a, b, 1e-6)),
        ("batch_norm", [(n + 1, m), (m,), (m,)], mg.batch_norm,
         lambda x, a, b: F.batch_norm(x, None, None, a, b, True)),
        ("attention", [(n, m), (k, m), (k, m)], mg.attention,
         lambda q, s, v: torch.softmax(q @ s.T / m**0.5, -1) @ v),
        ("conv2d", [(n, m, k, 2), (3, 2, 2, 2), (3,)],
         lambda x, K, b: mg.conv2d(x, K, b, padding=1), wide),
        ("mean_squared_error", [(n, m), (n, m)], mg.mean_squared_error, F.mse_loss),
        ("log_softmax", [(n, m)], mg.log_softmax, lambda x: torch.log_softmax(x, -1)),
        ("var", [(n, m)], lambda x: mg.var(x, axis=-1), lambda x: x.var(-1, correction=0)),
        ("cross_entropy", [(n, m)], lambda z: mg.softmax_cross_entropy(z, xp.arange(n) % m),
         lambda z: F.cross_entropy(z, torch.arange(n) % m)),
        ("embedding", [(m, k)], lambda E: mg.embedding(E, xp.arange(3 * n) % m),
         lambda E: E[torch.arange(3 * n) % m]),
        ("empty_rows", [(0, m), (m, k), (k,)], mg.linear, lambda x, W, b: x @ W + b),
        ("empty_sum", [(n, 0), (0, k)], mg.matmul, torch.matmul),
        ("prod", [(n, m)], lambda x: mg.prod(x, axis=-2), lambda x: x.prod(-2)),
    ]


@pytest.mark.peers
def test_fused_operations_agree_with_torch():
    """float64 to 1e-10 of the largest entry."""
    torch = pytest.importorskip("torch")
    for seed in range(100):
        rng = np.random.default_rng(seed)
        n, m, k = (int(i) for i in rng.integers(1, 5, 3))
        for name, shapes, ours, theirs in cases(torch.nn.functional, torch, n, m, k):
            host = [rng.standard_normal(s) for s in shapes]
            x = [LAYOUTS[(seed + i) % 4](xp.asarray(a)) for i, a in enumerate(host)]
            v = [rng.standard_normal(s) for s in shapes]
            f = lambda x: mg.sum(mg.sin(ours(*x)))
            value, g = mg.value_and_grad(f)(x)
            Hv = mg.hvp(f, x)([xp.asarray(a) for a in v])
            t = [torch.tensor(a, requires_grad=True) for a in host]
            y = torch.sin(theirs(*t)).sum()
            tg = torch.autograd.grad(y, t, create_graph=True, materialize_grads=True)
            s = sum((a * torch.tensor(b)).sum() for a, b in zip(tg, v))
            tH = torch.autograd.grad(s, t, materialize_grads=True)
            for a, b in zip([value, *g, *Hv], [y, *tg, *tH]):
                b = b.detach().numpy()
                np.testing.assert_allclose(
                    to_host(a), b, rtol=0, atol=1e-10 * max(1.0, np.abs(b).max(initial=0)),
                    err_msg=f"{name}, seed {seed}, sizes {n, m, k}")
