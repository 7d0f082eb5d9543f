"""The LSTM layer against a loop written from its formula, three orders of derivatives, torch."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from minigrad.tensor import primitives
from tests.minigrad.order_checks import check_dtypes, check_orders, check_rules_agree

SIZES = [(4, 2, 3, 2), (1, 2, 2, 3), (3, 1, 1, 1)]                 # T, B, I, H


def drawn(T, B, I, H, seed=0, dtype="float64"):
    rng = np.random.default_rng(seed)
    shapes = (T, B, I), (I, 4 * H), (H, 4 * H), (4 * H,), (B, H), (B, H)
    return [xp.asarray((0.7 * rng.standard_normal(s)).astype(dtype)) for s in shapes]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


@pytest.mark.parametrize("size", SIZES)
def test_values_are_those_of_the_loop(size):
    inputs = drawn(*size)
    x, W, U, b, h, c = (to_host(a) for a in inputs)
    H, y = U.shape[0], to_host(mg.lstm(*inputs))
    for t in range(len(x)):
        i, f, o, q = np.split(x[t] @ W + h @ U + b, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(q)
        h = sigmoid(o) * np.tanh(c)
        assert h.shape[1] == H
        np.testing.assert_allclose(y[:, t], [h, c], rtol=1e-12)


@pytest.mark.parametrize("size", SIZES)
def test_derivatives_of_three_orders(size):
    check_orders(primitives["lstm"], drawn(*size), {})


@pytest.mark.parametrize("size", SIZES)
def test_the_two_rules_agree(size):
    check_rules_agree(primitives["lstm"], drawn(*size), {})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_in_is_dtype_out(dtype):
    check_dtypes(primitives["lstm"], drawn(*SIZES[0], dtype=dtype), {}, dtype)


def test_the_last_state_continues_the_text():
    """Two halves, the second starting where the first ended, are the whole."""
    x, *weights, h0, c0 = drawn(6, 2, 3, 2)
    whole = mg.lstm(x, *weights, h0, c0)
    first = mg.lstm(x[:2], *weights, h0, c0)
    second = mg.lstm(x[2:], *weights, first[0, -1], first[1, -1])
    np.testing.assert_allclose(to_host(xp.concatenate([first, second], axis=1)), to_host(whole))


def test_a_pullback_can_be_used_twice():
    """The fast rule leaves what the forward pass saved as it was."""
    inputs = drawn(*SIZES[0])
    y, pullback = mg.vjp(lambda p: mg.lstm(*p), inputs)
    for a, b in zip(pullback(xp.ones_like(y)), pullback(xp.ones_like(y))):
        np.testing.assert_array_equal(to_host(a), to_host(b))


def test_errors_name_the_shapes():
    x, W, U, b, h0, c0 = drawn(4, 2, 3, 2)
    with pytest.raises(ValueError, match=r"lstm: x \(4, 2, 3\), W \(3, 8\), U \(2, 8\), b \(2,\)"):
        mg.lstm(x, W, U, b[:2], h0, c0)


@pytest.mark.peers
@pytest.mark.parametrize("size", SIZES)
def test_torch_agrees(size):
    torch = pytest.importorskip("torch")
    inputs = drawn(*size)
    x, W, U, b, h0, c0 = (to_host(a) for a in inputs)
    H = U.shape[0]
    i_f_q_o = np.concatenate([np.arange(k * H, (k + 1) * H) for k in (0, 1, 3, 2)])
    theirs = torch.nn.LSTM(x.shape[2], H, dtype=torch.float64)
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(torch.tensor(W[:, i_f_q_o].T))
        theirs.weight_hh_l0.copy_(torch.tensor(U[:, i_f_q_o].T))
        theirs.bias_ih_l0.copy_(torch.tensor(b[i_f_q_o]))
        theirs.bias_hh_l0.zero_()
    leaves = [torch.tensor(a, requires_grad=True) for a in (x, h0, c0)]
    h, (h_last, c_last) = theirs(leaves[0], (leaves[1][None], leaves[2][None]))
    w = np.random.default_rng(6).standard_normal(h.shape)
    ((h * torch.tensor(w)).sum() + (c_last ** 2).sum()).backward()
    ours = mg.grad(lambda p: (lambda y: mg.sum(y[0] * xp.asarray(w)) + mg.sum(y[1, -1] ** 2))(
        mg.lstm(*p)))(inputs)
    expected = [leaves[0].grad.numpy(), None, None, theirs.bias_ih_l0.grad.numpy(),
                leaves[1].grad.numpy(), leaves[2].grad.numpy()]
    expected[1] = theirs.weight_ih_l0.grad.numpy().T
    expected[2] = theirs.weight_hh_l0.grad.numpy().T
    for k, (a, e) in enumerate(zip(ours, expected)):
        a = to_host(a)[..., i_f_q_o] if k in (1, 2, 3) else to_host(a)
        np.testing.assert_allclose(a, e, rtol=1e-9, atol=1e-12)
