"""Every operation gives the same on arrays laid out in any way, and writes into none of them."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import on_device, to_host, xp
from minigrad.tensor import tensor
from tests.minigrad.samples import SAMPLES, draw, label


def fortran(a):
    return xp.asfortranarray(a)


def strided(a):
    """Every second number of a larger array, along every axis, read backwards."""
    if a.ndim == 0:
        return a
    big = xp.zeros(tuple(2 * n for n in a.shape), a.dtype)
    view = big[tuple(slice(None, None, -2) for _ in a.shape)]
    view[...] = a
    return view


def read_only(a):
    a = a.copy()
    if not on_device:
        a.flags.writeable = False
    return a


def outcome(operation, inputs, settings):
    """Value, gradients of a scalar of it, and Hessian products, as host arrays."""
    leaves = [tensor(a) if a.dtype.kind == "f" else a for a in inputs]
    y = operation(*leaves, **settings)
    w = xp.asarray(np.random.default_rng(5).standard_normal(y.shape))
    mg.sum(w * y * y).backward()
    first = [to_host(x.grad) for x in leaves if isinstance(x, mg.Tensor)]
    floats = [a for a in inputs if a.dtype.kind == "f"]

    def f(values):
        values = iter(values)
        y = operation(*[next(values) if a.dtype.kind == "f" else a for a in inputs], **settings)
        return mg.sum(w * y * y)
    second = [to_host(a) for a in mg.hvp(f, floats)([xp.ones(a.shape) for a in floats])]
    return [to_host(y.data), *first, *second]


@pytest.mark.parametrize("laid_out", [fortran, strided, read_only])
@pytest.mark.parametrize("sample", SAMPLES, ids=label)
def test_any_layout_gives_the_same(sample, laid_out):
    operation, inputs, settings, _ = draw(sample)
    expected = outcome(operation, inputs, settings)
    other = [laid_out(a) for a in inputs]
    before = [to_host(a).copy() for a in other]
    for a, b in zip(outcome(operation, other, settings), expected):
        # sums of a handful of terms of size one, in another order
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    for a, b in zip(other, before):
        np.testing.assert_array_equal(to_host(a), b)


def one_long(sample):
    """Samples whose axes can all be of length 1: elementwise operations and reductions."""
    name, makers, settings, smooth = sample
    return name in ("add", "sub", "mul", "div", "neg", "square", "exp", "expm1", "sin", "cos",
                    "arctan", "tanh", "sigmoid", "softplus", "gelu", "gelu_slope", "silu", "relu",
                    "softmax", "log_softmax", "logsumexp", "sum", "mean", "norm", "standardize",
                    "softmax_slope")


@pytest.mark.parametrize("shape", [(1,), (1, 1), (3, 1), (1, 3), (2, 1, 3)])
@pytest.mark.parametrize("sample", [s for s in SAMPLES if one_long(s)], ids=label)
def test_axes_of_length_one(sample, shape):
    operation, inputs, settings, _ = draw(sample)
    settings = {k: v for k, v in settings.items() if k not in ("axis", "keepdims")}
    rng = np.random.default_rng(3)
    inputs = [xp.asarray(rng.uniform(0.5, 1.5, shape)) for _ in inputs]
    mg.check_gradient(lambda x: mg.sum(operation(*x, **settings)), inputs, rng)


ELEMENTWISE = ("add", "sub", "mul", "div", "neg", "square", "exp", "expm1", "log", "log1p", "sqrt",
               "sin", "cos", "tan", "arctan", "tanh", "sigmoid", "softplus", "gelu", "silu", "relu",
               "abs", "sign", "maximum", "minimum")


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 3)])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_empty_arrays_give_empty_arrays(name, shape):
    operation = getattr(mg, name)
    inputs = [xp.ones(shape)] * (2 if name in ("add", "sub", "mul", "div", "maximum", "minimum")
                                 else 1)
    value, gradients = mg.value_and_grad(lambda x: mg.sum(operation(*x)))(list(inputs))
    assert float(value) == 0.0 and all(g.shape == shape for g in gradients)


@pytest.mark.parametrize("f, x, value, shapes", [
    (lambda x: mg.sum(mg.linear(*x)), [(0, 3), (3, 2), (2,)], 0.0, None),
    (lambda x: mg.sum(mg.linear(*x)), [(4, 0), (0, 2), (2,)], 8.0, None),
    (lambda x: mg.sum(mg.matmul(*x)), [(4, 0), (0, 2)], 0.0, None),
    (lambda x: mg.sum(mg.matmul(*x)), [(2, 0, 3), (3, 2)], 0.0, None),
    (lambda x: mg.sum(mg.concatenate(x)), [(0, 3), (2, 3)], 6.0, None),
    (lambda x: mg.sum(x[0][:0]), [(3,)], 0.0, None),
])
def test_sums_over_nothing(f, x, value, shapes):
    x = [xp.ones(shape) for shape in x]
    found, gradients = mg.value_and_grad(f)(x)
    assert float(found) == value and [g.shape for g in gradients] == [a.shape for a in x]


@pytest.mark.parametrize("call, message", [
    (lambda: mg.mean(xp.ones((0, 3))), "mean: nothing to average in shape"),
    (lambda: mg.standardize(xp.ones((0, 3))), "standardize: nothing to average"),
    (lambda: mg.layer_norm(xp.ones((2, 0)), xp.ones(0), xp.ones(0)), "layer_norm: nothing to av"),
    (lambda: mg.softmax_cross_entropy(xp.ones((0, 3)), xp.ones(0, int)),
     "softmax_cross_entropy: no label to average over"),
    (lambda: mg.mean_squared_error(xp.ones((0, 3)), xp.ones((0, 3))),
     "mean_squared_error: nothing to average"),
    (lambda: mg.lstm(xp.ones((0, 2, 3)), xp.ones((3, 4)), xp.ones((1, 4)), xp.ones(4),
                     xp.ones((2, 1)), xp.ones((2, 1))), "lstm: x .* is empty"),
    (lambda: mg.attention(xp.ones((3, 2)), xp.ones((2, 2)), xp.ones((2, 2)), causal=True),
     "attention: 3 queries and 2 keys: the first 1 queries have no key"),
])
def test_nothing_to_average_is_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_cross_entropy_of_fortran_logits():
    """At most (1 - 1/3)/n per entry, whatever the layout."""
    logits = xp.asfortranarray(xp.zeros((4, 3)))
    labels = xp.asarray([0, 1, 2, 0])
    g = to_host(mg.grad(lambda z: mg.softmax_cross_entropy(z, labels))(logits))
    expected = np.full((4, 3), 1 / 12)
    expected[np.arange(4), to_host(labels)] -= 0.25
    np.testing.assert_allclose(g, expected, atol=1e-16)


def test_self_attention_of_one_position_leaves_qkv_alone():
    qkv = xp.asarray(np.random.default_rng(0).standard_normal((2, 1, 6)))
    before = to_host(qkv).copy()
    y = mg.self_attention(qkv, heads=1)
    assert np.array_equal(to_host(qkv), before)
    np.testing.assert_allclose(to_host(y), before[:, :, 4:], atol=1e-15)


TAILS = (-1000.0, -700.0, -87.0, -40.0, -20.0, 0.0, 20.0, 40.0, 700.0, 1000.0)


@pytest.mark.parametrize("v", TAILS)
def test_sigmoid_and_its_kin_keep_their_digits_in_the_tails(v):
    """Against exact formulas: s(v) = e^v / (1 + e^v), s' = s(v) s(-v); 16 digits down to 1e-300."""
    import math
    small = math.exp(-abs(v)) / (1.0 + math.exp(-abs(v)))
    s, other = (small, 1.0 - small) if v < 0 else (1.0 - small, small)
    x = xp.asarray(v)
    for found, right in (
            (mg.sigmoid(x), s), (mg.grad(mg.sigmoid)(x), s * other), (mg.silu(x), v * s),
            (mg.grad(mg.silu)(x), s * (1.0 + v * other)), (mg.grad(mg.softplus)(x), s),
            (mg.softplus(x), math.log1p(math.exp(-abs(v))) + max(v, 0.0)),
            (mg.hvp(mg.softplus, x)(xp.asarray(1.0)), s * other),
            (mg.hvp(mg.sigmoid, x)(xp.asarray(1.0)), s * other * (other - s))):
        np.testing.assert_allclose(float(found), right, rtol=1e-13, atol=1e-300)


@pytest.mark.parametrize("v, dtype", [(v, dtype) for v in (
    -1e30, -1e10, -100.0, -12.0, -6.0, 12.0, 100.0, 1e10, 1e30) for dtype in ("float32", "float64")
    if dtype == "float64" or abs(v) < 1e12])
def test_gelu_far_out_is_finite_and_right(v, dtype):
    """s = sigmoid(2u) has a tail (in float32 it is right to 6e-8); far out the value is x or 0 and
    the slope 1 or 0."""
    import math
    x = xp.full((4,), v, dtype)
    if abs(v) < 20:
        two_u = 2 * math.sqrt(2 / math.pi) * (v + 0.044715 * v**3)
        right = v / (1 + math.exp(-two_u))
        np.testing.assert_allclose(to_host(mg.gelu(x)), right,
                                   rtol=1e-12 if dtype == "float64" else 2e-6,
                                   atol=0 if dtype == "float64" else 6e-8 * abs(v))
    with np.errstate(over="ignore"):
        for found, right in ((mg.gelu(x), max(v, 0.0)),
                             (mg.grad(lambda t: mg.sum(mg.gelu(t)))(x), float(v > 0))):
            np.testing.assert_allclose(to_host(found), right, rtol=1e-6, atol=1e-4)
