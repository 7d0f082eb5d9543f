"""Every primitive: gradient, Hessian-vector product, third order, dtype, and both of its rules."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from minigrad.tensor import Tensor, constant, primitives, sweep, tensor
from tests.minigrad.samples import SAMPLES, draw, label

# Rooms whose primitives bring tests of their own beside these samples.
ELSEWHERE = ("minigrad.ops.conv", "minigrad.ops.pool", "minigrad.ops.recurrent")


def scalar(operation, inputs, settings, rng):
    """A scalar function of the float inputs: the sum of w * operation + (w * operation)^2 / 2."""
    is_float = [a.dtype.kind == "f" for a in inputs]
    y = operation(*inputs, **settings)
    w = xp.asarray(rng.standard_normal(y.shape))

    def f(values):
        values = iter(values)
        y = operation(*[next(values) if fl else a for fl, a in zip(is_float, inputs)], **settings)
        wy = w * y
        return mg.sum(wy + 0.5 * wy * wy)
    return f, [a for fl, a in zip(is_float, inputs) if fl]


def test_every_primitive_has_samples():
    named = {s[0] for s in SAMPLES}
    ours = {n for n, p in primitives.items() if p.__module__.startswith("minigrad.ops")
            and p.__module__ not in ELSEWHERE}
    assert ours == named


@pytest.mark.parametrize("sample", SAMPLES, ids=label)
def test_derivatives(sample):
    operation, inputs, settings, smooth = draw(sample)
    rng = np.random.default_rng(1)
    f, x = scalar(operation, inputs, settings, rng)
    mg.check_gradient(f, x, rng)
    mg.check_hvp(f, x, rng)
    if smooth >= 3:                        # the gradient of v.Hv is a third derivative
        v = [xp.asarray(rng.standard_normal(a.shape)) for a in x]

        def curvature(x):
            Hv = mg.hvp(f, x)(v)
            return sum(mg.sum(a * b) for a, b in zip(Hv, v))
        # Fourth derivatives of 1/x and log x are large: the differences are good to about 1e-5.
        mg.check_gradient(curvature, x, rng, h=1e-5, rtol=1e-5)


@pytest.mark.parametrize("sample", SAMPLES, ids=label)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_in_is_dtype_out(sample, dtype):
    name, makers, settings, smooth = sample
    if name == "_astype":
        sample = (name, makers, {"dtype": dtype}, smooth)
    operation, inputs, settings, smooth = draw(sample, dtype=dtype)
    settings = {k: v.astype(dtype) if getattr(v, "dtype", None) == "float64" else v
                for k, v in settings.items()}
    assert operation(*inputs, **settings).dtype == dtype
    leaves = [tensor(a) if a.dtype.kind == "f" else a for a in inputs]
    mg.sum(operation(*leaves, **settings)).backward()
    assert all(x.grad.dtype == dtype for x in leaves if type(x) is Tensor)
    floats = [a for a in inputs if a.dtype.kind == "f"]

    def f(values):
        values = iter(values)
        y = operation(*[next(values) if a.dtype.kind == "f" else a for a in inputs], **settings)
        return mg.sum(y * y)
    for g, Hv in zip(mg.grad(f)(floats), mg.hvp(f, floats)(floats)):
        assert g.dtype == dtype and Hv.dtype == dtype


FAST = [s for s in SAMPLES if primitives[s[0]].rule_arrays]


@pytest.mark.parametrize("sample", FAST, ids=label)
def test_fast_rule_agrees_with_the_differentiable_one(sample):
    operation, inputs, settings, _ = draw(sample)
    leaves = [tensor(a) if a.dtype.kind == "f" else a for a in inputs]
    y = operation(*leaves, **settings)
    u = xp.asarray(np.random.default_rng(2).standard_normal(y.shape))
    fast = sweep([(y, u)], 1, record=False)
    slow = sweep([(y, Tensor(u))], 1, record=True)
    for number, (_, g) in fast.items():
        # two orders of summation of a handful of terms of size one
        np.testing.assert_allclose(to_host(g), to_host(constant(slow[number][1])), atol=1e-13)


@pytest.mark.parametrize("name, settings, reference", [
    ("sigmoid", {}, lambda x: 1 / (1 + np.exp(-x))),
    ("softplus", {}, lambda x: np.log(1 + np.exp(x))),
    ("relu", {}, lambda x: np.where(x > 0, x, 0)),
    ("gelu", {}, lambda x: x / 2 * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3)))),
    ("silu", {}, lambda x: x / (1 + np.exp(-x))),
    ("softmax", {}, lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True)),
    ("log_softmax", {}, lambda x: np.log(np.exp(x) / np.exp(x).sum(-1, keepdims=True))),
    ("logsumexp", {"axis": 0}, lambda x: np.log(np.exp(x).sum(0))),
    ("norm", {"axis": 1}, lambda x: np.linalg.norm(x, axis=1)),
    ("var", {"axis": 1, "ddof": 1}, lambda x: x.var(axis=1, ddof=1)),
    ("mean", {"axis": (0, 1)}, lambda x: x.mean()),
    ("clip", {"low": 0.0}, lambda x: np.maximum(x, 0)),
    ("standardize", {"eps": 0.0}, lambda x: (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True)),
])
def test_values_follow_the_formula(name, settings, reference):
    x = np.random.default_rng(0).standard_normal((4, 5))
    ours = to_host(getattr(mg, name)(xp.asarray(x), **settings))
    np.testing.assert_allclose(ours, reference(x), rtol=1e-12, atol=1e-14)


def test_extreme_inputs_do_not_overflow():
    x = xp.asarray([-1000.0, 0.0, 1000.0])
    assert to_host(mg.sigmoid(x)).tolist() == [0.0, 0.5, 1.0]
    assert to_host(mg.softplus(x))[2] == 1000.0
    assert float(mg.logsumexp(x)) == 1000.0
    assert to_host(mg.softmax(x)).tolist() == [0.0, 0.0, 1.0]
    assert float(mg.softmax_cross_entropy(x[None], xp.asarray([0]))) == 2000.0


def test_cross_entropy_is_minus_log_probability():
    rng = np.random.default_rng(0)
    z, labels = rng.standard_normal((7, 3)), rng.integers(0, 3, 7)
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    loss = mg.softmax_cross_entropy(xp.asarray(z), xp.asarray(labels))
    assert float(loss) == pytest.approx(-np.log(p[np.arange(7), labels]).mean(), rel=1e-13)
    many = mg.softmax_cross_entropy(xp.asarray(np.stack([z, 2 * z])), xp.asarray(labels))
    assert many.shape == (2,) and float(many[0]) == pytest.approx(float(loss), rel=1e-14)


def test_attention_against_loops():
    rng = np.random.default_rng(0)
    q, k, v = (rng.standard_normal((2, 3, 4, 5)) for _ in range(3))
    expected = np.zeros((2, 3, 4, 5))
    for b in range(2):
        for h in range(3):
            for t in range(4):
                s = np.array([q[b, h, t] @ k[b, h, j] / 5**0.5 for j in range(t + 1)])
                a = np.exp(s) / np.exp(s).sum()
                expected[b, h, t] = sum(a[j] * v[b, h, j] for j in range(t + 1))
    ours = mg.attention(*(xp.asarray(a) for a in (q, k, v)), causal=True)
    np.testing.assert_allclose(to_host(ours), expected, atol=1e-14)


def test_batch_norm_standardizes_channels_and_uses_given_statistics():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((6, 3, 3, 3)) * 3 + 1     # images, channels last: as for conv2d
    gain, shift = xp.asarray([1.0, 2.0, 0.5]), xp.asarray([0.0, 1.0, -1.0])
    y = to_host(mg.batch_norm(xp.asarray(x), gain, shift, eps=0.0))
    np.testing.assert_allclose(y.mean(axis=(0, 1, 2)), [0, 1, -1], atol=1e-14)
    np.testing.assert_allclose(y.std(axis=(0, 1, 2)), [1, 2, 0.5], rtol=1e-13)
    statistics = mg.batch_statistics(xp.asarray(x))
    again = mg.batch_norm(xp.asarray(x), gain, shift, statistics=statistics, eps=0.0)
    np.testing.assert_allclose(to_host(again), y, atol=1e-13)
    with pytest.raises(ValueError, match="no batch"):
        mg.batch_norm(xp.ones(3), gain, shift)
    with pytest.raises(ValueError, match="no batch"):
        mg.batch_statistics(xp.ones(3))
    rng = np.random.default_rng(0)
    f = lambda x: (mg.batch_norm(x, gain, shift) ** 3).sum()
    mg.check_gradient(f, xp.asarray(x), rng)
    mg.check_hvp(f, xp.asarray(x), rng)


def test_dropout_scales_what_it_keeps_and_is_off_without_rng():
    x = xp.ones((200, 200), "float32")
    assert mg.dropout(x, rate=0.3) is x
    y = to_host(mg.dropout(x, rate=0.3, rng=np.random.default_rng(0)))
    assert y.dtype == np.float32
    np.testing.assert_allclose(np.unique(y), [0, 1 / 0.7], rtol=1e-6)
    # 40,000 draws: the share dropped has standard error 0.0023
    assert abs((y == 0).mean() - 0.3) < 0.01
    again = to_host(mg.dropout(x, rate=0.3, rng=np.random.default_rng(0)))
    assert (y == again).all()


def test_matmul_takes_vectors_and_stacks():
    rng = np.random.default_rng(0)
    for sa, sb in [((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 2)), ((2, 3, 4), (4,)),
                   ((4,), (2, 4, 3)), ((2, 3, 4), (4, 5)), ((2, 1, 3, 4), (6, 4, 5))]:
        a, b = rng.standard_normal(sa), rng.standard_normal(sb)
        np.testing.assert_allclose(to_host(mg.matmul(xp.asarray(a), xp.asarray(b))),
                                   np.matmul(a, b), atol=1e-13)
        f = lambda t: mg.sum(mg.sin(t[0] @ t[1]))
        mg.check_gradient(f, [xp.asarray(a), xp.asarray(b)], rng)
    a, b = xp.asarray([1.0, 2.0]), xp.asarray([3.0, 4.0])
    assert float(mg.dot(a, b)) == 11.0
    assert to_host(mg.outer(a, b)).tolist() == [[3.0, 4.0], [6.0, 8.0]]


def test_stack_and_concatenate():
    a, b = xp.asarray([1.0, 2.0]), xp.asarray([3.0, 4.0])
    assert to_host(mg.stack([a, b], axis=1)).tolist() == [[1.0, 3.0], [2.0, 4.0]]
    g = mg.grad(lambda t: mg.sum(mg.stack([t, t * t]) * xp.asarray([[1.0], [10.0]])))(a)
    assert to_host(g).tolist() == [21.0, 41.0]
    assert to_host(mg.concatenate([a, b])).tolist() == [1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_equal_elements_share_the_cotangent(name):
    a = xp.asarray([1.0, 2.0])
    ga, gb = mg.grad(lambda t: mg.sum(getattr(mg, name)(t[0], t[1])))([a, a])
    assert to_host(ga).tolist() == to_host(gb).tolist() == [0.5, 0.5]


def test_kinks_have_the_documented_slope():
    zero = xp.asarray([0.0])
    assert float(mg.grad(lambda x: mg.sum(mg.relu(x)))(zero)[0]) == 0.0
    assert float(mg.grad(lambda x: mg.sum(mg.abs(x)))(zero)[0]) == 0.0
    assert float(mg.grad(lambda x: mg.norm(x))(zero)[0]) == 0.0
    assert to_host(mg.grad(lambda x: mg.max(x))(xp.asarray([2.0, 2.0]))).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("size", [10, 1000])     # one-hot product, sort and reduce
def test_embedding_gradient_adds_repeated_rows(size):
    rng = np.random.default_rng(0)
    tokens, g = rng.integers(0, size, (30, 40)), rng.standard_normal((30, 40, 3))
    expected = np.zeros((size, 3))
    np.add.at(expected, tokens, g)
    table = xp.zeros((size, 3))
    _, pullback = mg.vjp(lambda t: mg.embedding(t, xp.asarray(tokens)), table)
    np.testing.assert_allclose(to_host(pullback(xp.asarray(g))), expected, atol=1e-12)
    empty = mg.embedding(table, xp.zeros((0,), int))
    assert empty.shape == (0, 3)


def test_fast_sine_and_cosine():
    x = np.concatenate([np.linspace(-700, 700, 100_001), np.arange(-8, 9) * np.pi / 4, [0.0, 1e-300]])
    c, s = to_host(mg.cos(xp.asarray(x))), to_host(mg.sin(xp.asarray(x)))
    # two roundings of numbers up to one, on top of the tangent's own: 4e-16
    np.testing.assert_allclose(c, np.cos(x), rtol=0, atol=5e-16)
    np.testing.assert_allclose(s, np.sin(x), rtol=0, atol=5e-16)
    with np.errstate(invalid="ignore"):
        assert np.isnan(to_host(mg.sin(xp.full(100, np.inf)))).all()


def test_settings_may_be_positional_as_in_numpy():
    x = np.arange(6.0).reshape(2, 3)
    t = tensor(xp.asarray(x))
    for ours, theirs in [(mg.sum(t, 0), x.sum(0)), (mg.max(t, 1, True), x.max(1, keepdims=True)),
                         (mg.reshape(t, (3, 2)), x.reshape(3, 2)), (mg.clip(t, 1.0, 2.0), x.clip(1, 2)),
                         (mg.transpose(t, (1, 0)), x.T), (mg.swapaxes(t, 0, 1), x.T),
                         (mg.expand_dims(t, 0), x[None]), (mg.broadcast_to(t, (4, 2, 3)), np.stack([x] * 4))]:
        np.testing.assert_array_equal(to_host(ours.data), theirs)
    g = mg.grad(lambda t: mg.sum(mg.sum(t, 0) ** 2))(xp.asarray(x))
    np.testing.assert_allclose(to_host(g), 2 * np.broadcast_to(x.sum(0), (2, 3)))
