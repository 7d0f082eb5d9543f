"""The transformer: size, formula position by position, causality, dropout, sampling, torch."""
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from minigrad.tree import leaves_of
from problems.problem import Network
from problems.networks.transformer import Transformer
from tests.problems.model_checks import (check_against_torch, check_float32, check_kinds,
                                         check_landscape, check_layers, integers)

V, B, T = 7, 2, 5


def small(**settings):
    default = dict(layers=2, width=8, heads=2, context=6, feedforward=12)
    return Transformer(V, **{**default, **settings})


def batch(seed=0, texts=B):
    rng = np.random.default_rng(seed)
    return integers(rng, V, texts, T), integers(rng, V, texts, T)


def test_the_published_model_has_842_817_parameters():
    model = Transformer(65, layers=4, width=128, heads=4, context=256)
    assert Network(model).layout.size == 842_817


def test_a_tied_head_saves_its_matrix_and_bias():
    assert Network(small()).layout.size - Network(small(tied=True)).layout.size == 8 * V + V


def gelu(z):
    return 0.5 * z * (1 + np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z ** 3)))


def norm(h, p):
    return (h - h.mean()) / math.sqrt(h.var() + 1e-6) * p["gain"] + p["shift"]


def by_hand(params, tokens, heads, tied):
    """Logits of one text, one position and one head at a time."""
    h = [params["E"][token] + params["P"][t] for t, token in enumerate(tokens)]
    C = len(h[0])
    D = C // heads
    for block in params["blocks"]:
        qkv = [norm(row, block["norm1"]) @ block["qkv"]["W"] + block["qkv"]["b"] for row in h]
        for t in range(len(h)):
            seen = np.empty(C)
            for head in range(heads):
                part = slice(head * D, (head + 1) * D)
                q = qkv[t][:C][part]
                k, v = ([r[i * C:(i + 1) * C][part] for r in qkv] for i in (1, 2))
                weight = np.exp([q @ k[s] / math.sqrt(D) for s in range(t + 1)])
                seen[part] = sum(w * v[s] for s, w in enumerate(weight / weight.sum()))
            h[t] = h[t] + seen @ block["out"]["W"] + block["out"]["b"]
        for t in range(len(h)):
            up = gelu(norm(h[t], block["norm2"]) @ block["up"]["W"] + block["up"]["b"])
            h[t] = h[t] + up @ block["down"]["W"] + block["down"]["b"]
    rows = np.array([norm(row, params["norm"]) for row in h])
    return rows @ params["E"].T if tied else rows @ params["head"]["W"] + params["head"]["b"]


def on_host(tree):
    if isinstance(tree, dict):
        return {k: on_host(v) for k, v in tree.items()}
    return [on_host(v) for v in tree] if isinstance(tree, list) else to_host(tree)


@pytest.mark.parametrize("tied", [False, True])
def test_logits_are_the_formula_position_by_position(tied):
    model, rng = small(tied=tied), np.random.default_rng(1)
    params = model.init(rng)
    tokens, _ = batch()
    logits = to_host(model.apply(params, tokens))
    for text, row in zip(to_host(tokens), logits):
        expected = by_hand(on_host(params), text, 2, tied)
        np.testing.assert_allclose(row, expected, rtol=1e-10, atol=1e-12)


def test_no_position_sees_a_later_token():
    model = small()
    params, (tokens, _) = model.init(np.random.default_rng(2)), batch()
    changed = xp.asarray(np.where(np.arange(T) == 3, (to_host(tokens) + 1) % V, to_host(tokens)))
    before, after = (to_host(model.apply(params, x)) for x in (tokens, changed))
    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert (abs(before[:, 3:] - after[:, 3:]).max(axis=(0, 2)) > 1e-6).all()


@pytest.mark.parametrize("tied", [False, True])
def test_derivatives(tied):
    check_landscape(small(tied=tied), batch())


def test_dtype_and_kinds():
    check_float32(small(), batch())
    check_kinds(small(), {"E": ("embedding", 0), "P": ("embedding", 0), "W": ("weight", 1),
                          "b": ("bias", None), "gain": ("norm", None), "shift": ("norm", None)})


def test_layer_inputs_are_rows():
    inputs = check_layers(small(), batch()[0])
    assert inputs["blocks.1.down.W"].shape == (B * T, 12) and inputs["head.W"].shape == (B * T, 8)


def test_initial_values_are_those_of_flax():
    """Widths wide enough that each deviation is known to a few per cent."""
    model = Transformer(500, layers=1, width=64, heads=4, context=300)
    params = on_host(model.init(np.random.default_rng(3)))
    block = params["blocks"][0]
    for array, std in ((params["E"], 1 / 8), (params["P"], 1 / 8), (block["qkv"]["W"], 1 / 8),
                       (block["down"]["W"], 1 / 16), (params["head"]["W"], 1 / 8)):
        assert array.std() == pytest.approx(std, rel=0.03)
    assert (block["qkv"]["b"] == 0).all() and (block["norm1"]["gain"] == 1).all()


def test_dropout_is_reproducible_and_off_in_evaluation():
    model, rng = small(dropout=0.3), np.random.default_rng
    params, data = model.init(rng(4)), batch()
    evaluated = float(model.loss(params, data))
    assert evaluated == float(small().loss(params, data))
    one, again, other = (float(model.loss(params, data, rng=rng(seed))) for seed in (5, 5, 6))
    assert one == again and len({one, other, evaluated}) == 3


def test_dropout_acts_at_its_four_places(monkeypatch):
    """2 layers: once on the embeddings, and in each layer on the weights, the attention's output
    and the feed-forward output."""
    shapes = []
    drawn = mg.ops.activations.dropout_mask

    def spy(shape, *rest):
        shapes.append(shape)
        return drawn(shape, *rest)
    monkeypatch.setattr(mg.ops.activations, "dropout_mask", spy)
    monkeypatch.setattr(mg, "dropout_mask", spy)
    model = small(dropout=0.2)
    model.loss(model.init(np.random.default_rng(7)), batch(), rng=np.random.default_rng(8))
    rows = (B * T, 8)
    assert shapes == [(B, T, 8)] + [(B, 2, T, T), rows, rows] * 2


def test_dropout_has_derivatives():
    """With the masks held fixed by the seed, the training loss is a smooth function."""
    model, rng = small(dropout=0.2), np.random.default_rng(9)
    problem, data = Network(model), batch()

    def f(theta):
        return model.loss(problem.params(theta), data, rng=np.random.default_rng(10))
    mg.check_gradient(f, problem.start(rng), rng)
    mg.check_hvp(f, problem.start(rng), rng)


def test_sampling_follows_the_likeliest_and_the_seed():
    model = small()
    params, rng = model.init(np.random.default_rng(11)), np.random.default_rng
    greedy = model.sample(params, [1, 2], 6, rng(0), temperature=0.0)
    text = [1, 2]
    for token in greedy:
        logits = to_host(model.apply(params, xp.asarray(np.array([text[-6:]]))))[0, -1]
        assert token == logits.argmax()
        text.append(int(token))
    warm = [tuple(model.sample(params, [1], 9, rng(seed))) for seed in (1, 1, 2)]
    assert warm[0] == warm[1] != warm[2] and len(warm[0]) == 9


@pytest.mark.parametrize("call, message", [
    (lambda: Transformer(V, width=9, heads=2), "Transformer: width 9 cannot be cut into 2 heads"),
    (lambda: small(dropout=1.0), r"Transformer: dropout must lie in \[0, 1\), got 1.0"),
    (lambda: small(context=4).apply(small(context=4).init(np.random.default_rng(0)), batch()[0]),
     "Transformer: 5 tokens are more than its context of 4"),
    (lambda: small().sample({}, [], 3, None), "sample: the prompt is empty"),
    (lambda: small().sample({}, [1], 3, None, temperature=-1.0),
     "sample: temperature must be >= 0")])
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.peers
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_torch_agrees(tied, dtype):
    """16 texts, so that rounding errors of single positions average out in float32."""
    torch = pytest.importorskip("torch")
    F = torch.nn.functional
    model = small(tied=tied)
    problem = Network(model, batch(texts=16), dtype=dtype)
    params = problem.params(problem.start(np.random.default_rng(12)))
    leaves = [torch.tensor(to_host(a), requires_grad=True) for a in leaves_of(params)]
    p = mg.tree.rebuild(params, leaves)
    tokens, following = (torch.tensor(to_host(a)) for a in problem.data)
    h = p["E"][tokens] + p["P"][:T]
    ln = lambda h, q: F.layer_norm(h, (8,), q["gain"], q["shift"], 1e-6)
    linear = lambda h, q: h @ q["W"] + q["b"]
    for block in p["blocks"]:
        q, k, v = (a.reshape(16, T, 2, 4).transpose(1, 2)
                   for a in linear(ln(h, block["norm1"]), block["qkv"]).split(8, dim=-1))
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        h = h + linear(seen.transpose(1, 2).reshape(16, T, 8), block["out"])
        up = F.gelu(linear(ln(h, block["norm2"]), block["up"]), approximate="tanh")
        h = h + linear(up, block["down"])
    h = ln(h, p["norm"])
    logits = h @ p["E"].T if tied else linear(h, p["head"])
    loss = F.cross_entropy(logits.reshape(-1, V), following.reshape(-1))
    loss.backward()
    height, g = mg.value_and_grad(problem.tree_loss)(params)
    check_against_torch((height, leaves_of(g)), (loss, [a.grad.numpy() for a in leaves]), dtype)
