"""Values, slopes and curvatures far out, where 1 ± y has no digits left, against 60-digit decimals."""
import math
from decimal import Decimal, localcontext

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import on_device, plain, to_host, xp
from minigrad.tensor import primitives

E = {"float64": 2.0**-52, "float32": 2.0**-23}
C, A = Decimal(2) / Decimal("3.14159265358979323846264338327950288"), Decimal("0.044715")


def sigmoid(x):
    return 1 / (1 + (-x).exp())


def sech2(x):
    return 4 / (x.exp() + (-x).exp())**2


def tanh(x):
    return (x.exp() - (-x).exp()) / (x.exp() + (-x).exp())


def tanh_(x):
    return tanh(x), sech2(x), -2 * tanh(x) * sech2(x)


def sigmoid_(x):
    s, q = sigmoid(x), sigmoid(-x)
    return s, s * q, s * q * (q - s)


def softplus_(x):
    return (1 + x.exp()).ln(), *sigmoid_(x)[:2]


def silu_(x):
    s, q = sigmoid(x), sigmoid(-x)
    return x * s, s * (1 + x * q), s * q * (2 + x * (q - s))


def gelu_(x):
    c = C.sqrt()
    u, w, bent = c * (x + A * x**3), 2 * c * (1 + 3 * A * x * x), 12 * c * A * x
    s, q = sigmoid(2 * u), sigmoid(-2 * u)
    return x * s, s * (1 + x * q * w), s * q * (2 * w + x * bent + x * w * w * (q - s))


def expm1_(x):
    return x.exp() - 1, x.exp(), x.exp()


def log1p_(x):
    return (1 + x).ln(), 1 / (1 + x), -1 / (1 + x)**2


# How much a rounding of the argument shows in the result: |x| for e^x, |2u| for gelu.
EXACT = {"tanh": (tanh_, lambda x: 2 * abs(x)), "sigmoid": (sigmoid_, abs),
         "softplus": (softplus_, abs), "silu": (silu_, abs), "expm1": (expm1_, abs),
         "gelu": (gelu_, lambda x: 1.6 * abs(x) + 0.08 * abs(x)**3)}
FAR = (1e-8, 0.125, 0.5, 1.0, 2.0, 5.0, 9.0, 10.0, 17.0, 19.0, 20.0, 37.5, 40.0, 87.0, 300.0, 700.0)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("v", [sign * v for v in FAR for sign in (1, -1)])
@pytest.mark.parametrize("name", EXACT)
def test_every_digit_far_out(name, v, dtype):
    """Twelve roundings, and those of the argument; below the smallest normal number, that number.
    The fast way, the formula and its rule, and the curvature."""
    if name == "gelu" and abs(v) > 300:
        pytest.skip("e^(2u) is not even a decimal")
    operation, x = primitives[name], xp.full((2,), v, dtype)
    formula, grows = EXACT[name]
    with localcontext() as context:
        context.prec = 700 if abs(v) > 80 else 120
        right = [float(r) for r in formula(Decimal(float(to_host(x)[0])))]
    near = dict(rtol=E[dtype] * (12 + 2 * min(grows(v), 800.0)), atol=2 * np.finfo(dtype).tiny)
    with np.errstate(over="ignore", under="ignore"):
        total = lambda x: mg.sum(operation(x))
        ones = xp.ones(2, dtype)
        y, by_formula = operation(x), operation.formula(x)
        slope, by_rule = mg.grad(total)(x), operation.rule(ones, y, x, needs=[True])[0]
        bend = mg.hvp(total, x)(ones)
    for found, expected in ((y, right[0]), (by_formula, right[0]), (slope, right[1]),
                            (by_rule, right[1]), (bend, right[2])):
        if abs(expected) < 1e300 if dtype == "float64" else abs(expected) < 1e37:
            np.testing.assert_allclose(to_host(found), expected, **near)


def test_third_derivatives_through_the_origin():
    """tanh''' = -2, sigmoid''' = -1/8, and at 1e-10 the second: -2x, -x/8, to the last digits."""
    for operation, third in ((mg.tanh, -2.0), (mg.sigmoid, -0.125), (mg.softplus, 0.0)):
        second = mg.grad(mg.grad(operation))
        assert float(mg.grad(second)(xp.asarray(0.0))) == pytest.approx(third, abs=1e-15)
        if third:
            assert float(second(xp.asarray(1e-10))) == pytest.approx(third * 1e-10, rel=1e-13)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_limits_at_infinity(dtype):
    x = xp.asarray([-math.inf, math.inf], dtype=dtype)
    for operation, value, slope in (
            (mg.gelu, [0, math.inf], [0, 1]), (mg.silu, [0, math.inf], [0, 1]),
            (mg.relu, [0, math.inf], [0, 1]), (mg.softplus, [0, math.inf], [0, 1]),
            (mg.sigmoid, [0, 1], [0, 0]), (mg.tanh, [-1, 1], [0, 0]),
            (mg.expm1, [-1, math.inf], [0, math.inf]), (mg.arctan, [-math.pi / 2, math.pi / 2],
                                                        [0, 0])):
        total = lambda x: mg.sum(operation(x))
        np.testing.assert_allclose(to_host(operation(x)), value, rtol=1e-6)
        np.testing.assert_allclose(to_host(operation.formula(x)), value, rtol=1e-6)
        np.testing.assert_array_equal(to_host(mg.grad(total)(x)), slope)
        if operation is not mg.expm1:
            np.testing.assert_array_equal(to_host(mg.hvp(total, x)(xp.ones(2, dtype))), 0.0)


# ---------------------------------------------------------------- rows: one share next to 1

@pytest.mark.parametrize("dtype, far", [("float64", 40.0), ("float64", 300.0), ("float32", 20.0),
                                        ("float32", 60.0)])
def test_the_largest_share_next_to_one(dtype, far):
    """Logits (far, 0, 1): with a = e^-far and b = e^(1 - far) every tail is a rational of both."""
    z, (a, b) = [far, 0.0, 1.0], (math.exp(-far), math.exp(1.0 - far))
    x, tail, near = xp.asarray(z, dtype=dtype), a + b, dict(rtol=40 * E[dtype])
    p = np.array([1.0, a, b]) / (1.0 + tail)
    weights = np.array([3.0, -1.0, 2.0])
    w = xp.asarray(weights, dtype=dtype)

    def check(found, right):
        np.testing.assert_allclose(to_host(found), right, **near)

    check(mg.softmax_cross_entropy(x[None], xp.asarray([0])), math.log1p(tail))
    check(mg.softmax_cross_entropy.formula(x[None], xp.asarray([0])), math.log1p(tail))
    check(mg.log_softmax(x), [-math.log1p(tail), -far - math.log1p(tail),
                              1.0 - far - math.log1p(tail)])
    check(mg.logsumexp(x - far), math.log1p(tail))
    error = np.array([-tail, a, b]) / (1.0 + tail)                  # p - onehot
    loss = lambda x: mg.softmax_cross_entropy(x[None], xp.asarray([0]))
    check(mg.grad(loss)(x), error)
    check(primitives["softmax_error"].formula(x[None], xp.asarray([0]))[0], error)
    check(mg.grad(lambda x: mg.log_softmax(x)[0])(x), -error)
    # The Jacobian of softmax at w: p (w - sum p w), the first entry less the sum of the others.
    sharp = p[1:] * (weights[1:] - 3.0 + (a * 4.0 + b * 1.0) / (1.0 + tail))
    J = np.array([-sharp.sum(), *sharp])
    check(mg.grad(lambda x: mg.sum(mg.softmax(x) * w))(x), J)
    check(mg.hvp(loss, x)(w), J)
    check(mg.grad(lambda x: mg.sum(mg.softmax(x[:, None], axis=0)[:, 0] * w))(x), J)
    check(mg.hvp(mg.logsumexp, x)(w), J)
    # q k^T with q = 1 and D = 1 are the logits themselves.
    one = xp.ones((1, 1), dtype)
    dk = mg.grad(lambda k: mg.sum(mg.attention(one, k, w[:, None])))(x[:, None])
    check(dk[:, 0], J)
    others = second(p, weights)[1:]
    check(mg.hvp(lambda x: mg.sum(mg.softmax(x) * w), x)(w), [-others.sum(), *others])


@pytest.mark.parametrize("dtype, far", [("float64", 40.0), ("float32", 20.0)])
@pytest.mark.parametrize("heads", [1, 2])
def test_self_attention_to_one_place_alone(dtype, far, heads):
    """Two places, width 1: the second attends to itself but for a share a = e^-far / (1 + e^-far).
    By hand: y_2 = (1 - a) v_2 + a v_1, so dy_2/dk_2 = q a (1 - a) (v_2 - v_1) = -dy_2/dk_1, and the
    first place, which sees but itself, asks nothing of q and k."""
    a = math.exp(-far) / (1.0 + math.exp(-far))
    q, k, v = [0.7, 2.0], [0.0, far / 2.0], [3.0, -1.5]
    row = lambda t: [q[t]] * heads + [k[t]] * heads + [v[t]] * heads
    qkv = xp.asarray([[row(0), row(1)]], dtype=dtype)

    def loss(x):
        return mg.sum(mg.self_attention(x, heads=heads))
    bent = a * (1.0 - a) * (v[1] - v[0])
    right = np.array([[0.0, -2.0 * bent, 1.0 + a], [k[1] * bent, 2.0 * bent, 1.0 - a]])
    right = np.repeat(right, heads, axis=1)[None]
    near = dict(rtol=40 * E[dtype])
    np.testing.assert_allclose(to_host(mg.grad(loss)(qkv)), right, **near)
    by_rule, = primitives["self_attention"].rule(
        xp.ones((1, 2, heads), dtype), mg.self_attention(qkv, heads=heads), qkv, heads=heads,
        needs=[True])
    np.testing.assert_allclose(to_host(by_rule), right, **near)


def second(p, w):
    """Hessian of sum p w, p = softmax, times w: entries but the first lose no digits. All add up
    to 0, since a constant added to the logits changes nothing."""
    g = w - w[0]                                                    # the same function, moved
    m = (p * g).sum()
    Jw = p * (g - m)
    return Jw * (g - m) - p * (Jw * g).sum()


def test_the_sum_of_many_equal_logits():
    for n in (1, 2, 5):
        assert float(mg.logsumexp(xp.zeros(n))) == pytest.approx(math.log(n), abs=1e-16)
        assert float(mg.log_softmax(xp.zeros(n))[0]) == pytest.approx(-math.log(n), abs=1e-16)


@pytest.mark.parametrize("dtype, far", [("float64", 45.0), ("float32", 25.0)])
@pytest.mark.parametrize("plain", [False, True])
def test_gates_next_to_open(dtype, far, plain):
    """One cell, one step, x = h0 = 0: the gates are those of the bias."""
    z = (far, far - 1.0, far + 1.0, 12.0)                           # i, f, o, q
    x, W, U, h0 = (xp.zeros(s, dtype) for s in ((1, 1, 1), (1, 4), (1, 4), (1, 1)))
    b, c0 = xp.asarray(z, dtype=dtype), xp.full((1, 1), 9.0, dtype)
    s, q = [1 / (1 + math.exp(-v)) for v in z], [1 / (1 + math.exp(v)) for v in z]
    c = s[1] * 9.0 + s[0] * math.tanh(12.0)
    dc = s[2] / math.cosh(c)**2
    right = [dc * math.tanh(12.0) * s[0] * q[0], dc * 9.0 * s[1] * q[1],
             math.tanh(c) * s[2] * q[2], dc * s[0] / math.cosh(12.0)**2]
    if plain:
        y, g = mg.lstm.formula(x, W, U, b, h0, c0), np.zeros((2, 1, 1, 1))
        g[0] = 1.0
        found = mg.lstm.rule(xp.asarray(g, dtype=dtype), y, x, W, U, b, h0, c0, needs=[True] * 6)[3]
    else:
        found = mg.grad(lambda b: mg.sum(mg.lstm(x, W, U, b, h0, c0)[0]))(b)
    np.testing.assert_allclose(to_host(found), right, rtol=80 * E[dtype])   # c = 10 is rounded


def test_gates_shut_for_good():
    """e^-z of a gate is infinite: the gradient is 0, not NaN."""
    x, W, U, h0 = (xp.zeros(s) for s in ((2, 1, 1), (1, 4), (1, 4), (1, 1)))
    b = xp.asarray([-800.0, -800.0, -800.0, 800.0])
    g = mg.grad(lambda b: mg.sum(mg.lstm(x, W, U, b, h0, xp.ones((1, 1)))))(b)
    np.testing.assert_allclose(to_host(g), 0.0, atol=1e-300)


@pytest.mark.skipif(on_device or plain, reason="looked at where nobody has to wait for the answer")
@pytest.mark.parametrize("dtype, size", [("float32", 1e20), ("float32", 1e30), ("float64", 1e200)])
def test_rows_whose_squares_overflow_are_standardised(dtype, size):
    """(x - m) / s has no size: it is that of the small row, and its slope is over the size."""
    small, w = np.array([[1.0, 2.0, -1.5, 0.25], [0.5, 3.0, 1.0, -2.0]]), np.arange(8.0).reshape(2, 4)
    h = (small - small.mean(1, keepdims=True)) / small.std(1, keepdims=True)
    slope = (w - w.mean(1, keepdims=True) - h * (w * h).mean(1, keepdims=True)) / small.std(
        1, keepdims=True)
    x, one = xp.asarray(small * size, dtype=dtype), xp.ones(4, dtype)
    with np.errstate(over="ignore"):
        for f in (mg.standardize, lambda x: mg.layer_norm(x, one, 0.0 * one),
                  lambda x: mg.standardize(x.T, axis=0).T):
            np.testing.assert_allclose(to_host(f(x)), h, rtol=1e-5)
            g = mg.grad(lambda x: mg.sum(f(x) * xp.asarray(w, dtype=dtype)))(x)
            np.testing.assert_allclose(to_host(g).astype(float) * size, slope, rtol=1e-4, atol=1e-6)
