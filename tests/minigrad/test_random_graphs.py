"""1,000 random expression graphs: gradient and HVP against differences, and against torch."""
from types import SimpleNamespace

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from tests.minigrad.random_graphs import evaluate, program
from tests.minigrad.test_layouts import fortran, read_only, strided

LAYOUTS = (xp.asarray, fortran, strided, read_only)

ours = SimpleNamespace(
    tanh=mg.tanh, sin=mg.sin, cos=mg.cos, arctan=mg.arctan, sigmoid=mg.sigmoid, exp=mg.exp,
    softplus=mg.softplus, log1p=mg.log1p, sqrt=mg.sqrt, gelu=mg.gelu, silu=mg.silu,
    sum=lambda x, a: mg.sum(x, axis=a), mean=lambda x, a: mg.mean(x, axis=a),
    logsumexp=lambda x, a: mg.logsumexp(x, axis=a), softmax=lambda x, a: mg.softmax(x, axis=a),
    standardize=lambda x, a: mg.standardize(x, axis=a, eps=0.1),
    reshape=lambda x, s: mg.reshape(x, shape=s), transpose=lambda x, s: mg.transpose(x, axes=s),
    total=lambda values: sum(mg.sum(v) for v in values))


@pytest.mark.parametrize("hundred", range(10))
def test_gradients_and_products_of_random_graphs(hundred):
    for seed in range(100 * hundred, 100 * hundred + 100):
        inputs, lines = program(seed)
        x = [xp.asarray(a) for a in inputs]
        f = lambda x: evaluate(ours, x, lines)
        rng = np.random.default_rng(seed)
        try:
            mg.check_gradient(f, x, rng, directions=1)
            mg.check_hvp(f, x, rng, directions=1)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error


@pytest.mark.peers
def test_random_graphs_agree_with_torch():
    torch = pytest.importorskip("torch")
    F = torch.nn.functional
    theirs = SimpleNamespace(
        tanh=torch.tanh, sin=torch.sin, cos=torch.cos, arctan=torch.atan, sigmoid=torch.sigmoid,
        exp=torch.exp, softplus=F.softplus, log1p=torch.log1p, sqrt=torch.sqrt,
        gelu=lambda x: F.gelu(x, approximate="tanh"), silu=F.silu,
        sum=torch.sum, mean=torch.mean, logsumexp=torch.logsumexp, softmax=torch.softmax,
        standardize=lambda x, a: (x - x.mean(a, keepdim=True)) / torch.sqrt(
            x.var(a, keepdim=True, correction=0) + 0.1),
        reshape=torch.reshape, transpose=lambda x, s: x.permute(s),
        total=lambda values: sum(torch.sum(v) for v in values))
    for seed in range(1000):
        inputs, lines = program(seed)
        x = [LAYOUTS[(seed + k) % 4](xp.asarray(a)) for k, a in enumerate(inputs)]
        v = [xp.asarray(np.random.default_rng(seed).standard_normal(a.shape)) for a in inputs]
        f = lambda x: evaluate(ours, x, lines)
        value, g = mg.value_and_grad(f)(x)
        Hv = mg.hvp(f, x)(v)
        t = [torch.tensor(a, requires_grad=True) for a in inputs]
        y = evaluate(theirs, t, lines)
        tg = torch.autograd.grad(y, t, create_graph=True, materialize_grads=True)
        s = sum((a * torch.tensor(to_host(b))).sum() for a, b in zip(tg, v))
        tH = torch.autograd.grad(s, t, materialize_grads=True) if s.requires_grad else [a * 0 for a in tg]
        assert float(value) == pytest.approx(y.item(), rel=1e-10, abs=1e-10), seed
        for a, b in zip([*g, *Hv], [*tg, *tH]):
            np.testing.assert_allclose(to_host(a), b.detach().numpy(), rtol=1e-10, atol=1e-10,
                                       err_msg=f"seed {seed}")
