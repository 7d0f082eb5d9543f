"""The LSTM language model: sizes, formula token by token, derivatives, dropout, sampling, torch."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host
from minigrad.tree import leaves_of, rebuild
from problems.networks.lstm import LSTM
from problems.problem import Network
from tests.problems.model_checks import (check_against_torch, check_float32, check_kinds,
                                         check_landscape, check_layers, integers)

V, B, T = 6, 2, 4


def small(**settings):
    return LSTM(V, **{**dict(width=3, hidden=3, layers=2, context=5), **settings})


def batch(seed=0):
    rng = np.random.default_rng(seed)
    return integers(rng, V, B, T), integers(rng, V, B, T)


@pytest.mark.parametrize("tied, head", [(False, 128 * 65 + 65), (True, 65)])
def test_parameter_counts(tied, head):
    layer = 128 * 512 + 128 * 512 + 512
    assert Network(LSTM(65, layers=2, tied=tied)).layout.size == 65 * 128 + 2 * layer + head


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


@pytest.mark.parametrize("tied", [False, True])
def test_logits_are_the_formula_token_by_token(tied):
    model = small(tied=tied)
    params, (tokens, _) = model.init(np.random.default_rng(1)), batch()
    logits = to_host(model.apply(params, tokens))
    layers = [{k: to_host(a) for k, a in layer.items()} for layer in params["layers"]]
    E, b = to_host(params["E"]), to_host(params["head"]["b"])
    W = E.T if tied else to_host(params["head"]["W"])
    for text, row in zip(to_host(tokens), logits):
        states = [(np.zeros(3), np.zeros(3)) for _ in layers]
        for token, expected in zip(text, row):
            x = E[token]
            for k, layer in enumerate(layers):
                h, c = states[k]
                i, f, o, q = np.split(x @ layer["W"] + h @ layer["U"] + layer["b"], 4)
                c = sigmoid(f) * c + sigmoid(i) * np.tanh(q)
                x = sigmoid(o) * np.tanh(c)
                states[k] = x, c
            np.testing.assert_allclose(expected, x @ W + b, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("tied", [False, True])
def test_derivatives(tied):
    check_landscape(small(tied=tied), batch())


def test_dtype_kinds_and_layer_inputs():
    check_float32(small(), batch())
    check_kinds(small(), {"E": ("embedding", 0), "W": ("weight", 1), "U": ("weight", 1),
                          "b": ("bias", None)})
    inputs = check_layers(small(), batch()[0])
    assert inputs["layers.1.U"].shape == (T, B, 3) and (inputs["layers.1.U"][0] == 0).all()
    np.testing.assert_array_equal(inputs["layers.0.U"][1:], inputs["layers.1.W"][:-1])


@pytest.mark.parametrize("init, std", [("uniform", 1 / np.sqrt(3 * 64)), ("lecun", 1 / 8)])
def test_initial_values(init, std):
    layer = LSTM(5, width=64, hidden=64, init=init).init(np.random.default_rng(2))["layers"][0]
    assert to_host(layer["U"]).std() == pytest.approx(std, rel=0.03)
    assert (abs(to_host(layer["b"])).max() == 0) == (init == "lecun")


def test_dropout_is_reproducible_and_off_in_evaluation():
    model, rng = small(dropout=0.4), np.random.default_rng
    params, data = model.init(rng(3)), batch()
    evaluated = float(model.loss(params, data))
    assert evaluated == float(small().loss(params, data))
    one, again, other = (float(model.loss(params, data, rng=rng(seed))) for seed in (5, 5, 6))
    assert one == again and len({one, other, evaluated}) == 3


def test_sampling():
    params = small().init(np.random.default_rng(4))
    texts = [tuple(small().sample(params, [1], 8, np.random.default_rng(s))) for s in (0, 0, 1)]
    assert texts[0] == texts[1] != texts[2] and len(texts[0]) == 8
    assert all(0 <= token < V for token in texts[0])


@pytest.mark.parametrize("settings, message", [
    (dict(tied=True, width=4), "LSTM: tied weights need width = hidden, got 4 and 3"),
    (dict(init="he"), "LSTM: unknown init 'he'. Use one of uniform, lecun")])
def test_errors(settings, message):
    with pytest.raises(ValueError, match=message):
        small(**settings)


@pytest.mark.peers
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_torch_agrees(tied, dtype):
    torch = pytest.importorskip("torch")
    problem = Network(small(tied=tied), batch(), dtype=dtype)
    params = problem.params(problem.start(np.random.default_rng(5)))
    leaves = [torch.tensor(to_host(a), requires_grad=True) for a in leaves_of(params)]
    p = rebuild(params, leaves)
    tokens, following = (torch.tensor(to_host(a)) for a in problem.data)
    h = p["E"][tokens.T]
    for layer in p["layers"]:
        state, outputs = torch.zeros(B, 3, dtype=h.dtype), []
        cell = torch.zeros(B, 3, dtype=h.dtype)
        for x in h:
            i, f, o, q = (x @ layer["W"] + state @ layer["U"] + layer["b"]).chunk(4, dim=1)
            cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(q)
            state = torch.sigmoid(o) * torch.tanh(cell)
            outputs.append(state)
        h = torch.stack(outputs)
    logits = h @ (p["E"].T if tied else p["head"]["W"]) + p["head"]["b"]
    loss = torch.nn.functional.cross_entropy(logits.reshape(-1, V), following.T.reshape(-1))
    loss.backward()
    height, g = mg.value_and_grad(problem.tree_loss)(params)
    check_against_torch((height, leaves_of(g)), (loss, [a.grad.numpy() for a in leaves]), dtype)
