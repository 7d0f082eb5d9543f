"""Activations beyond the elementary ones, and dropout."""
import math

from minigrad.backend import on_device, uniforms, xp
from minigrad.errors import said
from minigrad.ops.elementary import FAR, gate, sigmoid
from minigrad.ops.passes import blocks
from minigrad.tensor import constant, primitive


@primitive
def relu(x):
    """max(x, 0).   dy = dx where x > 0, else 0 (also at 0)"""
    return xp.maximum(x, xp.zeros(x.shape[-1:], x.dtype))


@relu.vjp
def _(g, y, x):
    return g * (constant(x) > 0).astype(g.dtype)


@primitive
def silu(x):
    """x sigmoid(x), also called swish.   dy = s (1 + x (1 - s)) dx,  s = sigmoid(x)"""
    return x * gate(x)


@silu.vjp
def _(g, y, x):
    s = sigmoid(x)
    return g * (s * (1.0 + x * (1.0 - s)))


GELU_C, GELU_A = math.sqrt(2.0 / math.pi), 0.044715


@primitive
def gelu(x):
    """Gaussian error linear unit, tanh form:  y = x s,  s = (1 + tanh u) / 2 = sigmoid(2u),
    u = c (x + a x³),  c = √(2/π), a = 0.044715.

        dy = (s + s (1 - s) x w) dx,   w = 2 u' = 2 c (1 + 3 a x²),   since s' = s (1 - s) w

    Source: Hendrycks & Gimpel, arXiv:1606.08415, section 2.
    """
    return x * gate((2.0 * GELU_C) * x * (1.0 + GELU_A * x * x))


@gelu.vjp
def _(g, y, x):
    return g * gelu_slope(x)


@primitive
def gelu_slope(x):
    """Derivative of gelu.   Its own derivative is  s (1 - s) (4c + 24 c a x² + (1 - 2s) x w²)."""
    s = gate((2.0 * GELU_C) * x * (1.0 + GELU_A * x * x))
    w = 2.0 * GELU_C * (1.0 + 3.0 * GELU_A * x * x)
    return s + s * (1.0 - s) * x * w


@gelu_slope.vjp
def _(g, y, x):
    xx = x * x
    s = sigmoid((2.0 * GELU_C) * x * (1.0 + GELU_A * xx))
    w = 2.0 * GELU_C * (1.0 + 3.0 * GELU_A * xx)
    bend = 4.0 * GELU_C + (24.0 * GELU_C * GELU_A) * xx + (1.0 - 2.0 * s) * x * w * w
    return g * (s * (1.0 - s) * bend)


@said
def dropout(x, *, rate, rng=None):
    """x with a share `rate` of its elements set to 0 and the rest divided by 1 - rate.

    rng is a NumPy Generator; None (evaluation) returns x. The same seed gives the same mask, run
    after run; on a GPU another one than on the host, since it is drawn there.
    """
    if not 0.0 <= rate < 1.0:
        raise ValueError(f"dropout: rate must lie in [0, 1), got {rate}.")
    if rng is None or rate == 0.0:
        return x
    return x * dropout_mask(x.shape, x.dtype, rate, rng)


@said
def dropout_mask(shape, dtype, rate, rng):
    """0 with probability `rate`, else 1 / (1 - rate)."""
    return (uniforms(rng, shape) >= rate).astype(dtype) * (1.0 / (1.0 - rate))


# ---------------------------------------------------------------- the same, block by block
#
# gelu makes its slope along with y, while the block is in the cache: then the derivative is one
# product. In terms of u,  x w = 6u - 4cx;  2u is held to ±FAR, where s is 0 or 1 to the last digit.
# In float32 s is (1 + tanh u) / 2, half the time of an exponential: right to 6e-8, no tail; u is not
# held, which alone would cost 3 % of a network's gradient: x must stay below 1e12.
# relu compares with rows of zeros as long as they come, twice as fast as along a short last axis.


@relu.arrays
def _(x):
    if x.ndim > 2 and x.size and x.flags.c_contiguous:
        return relu.formula(x.reshape(len(x), -1)).reshape(x.shape), None
    return relu.formula(x), None


@relu.vjp_arrays
def _(g, y, _, x, *, needs):
    if on_device:
        return relu.rule(g, y, x, needs=needs)
    slope = xp.empty(x.shape, g.dtype)
    xp.greater(x, 0.0, out=slope, casting="unsafe")         # 1 or 0 at once, with no mask between
    slope *= g
    return (slope,)


def _sigmoid_of_2u(x, u, s):
    """u <- c (x + a x³) and s <- 1 / (1 + e^(-2u)), for one block."""
    xp.multiply(x, x, out=u)
    u *= GELU_C * GELU_A
    u += GELU_C
    u *= x
    if x.dtype == xp.float32:
        xp.tanh(u, out=s)
        s *= 0.5
        s += 0.5
    else:
        far = 0.5 * FAR[x.dtype.name]
        u.clip(-far, far, out=u)
        xp.multiply(u, -2.0, out=s)
        xp.exp(s, out=s)
        s += 1.0
        xp.divide(1.0, s, out=s)


def _sigmoid_and_slope(x, s, slope, spare):
    """s as above and slope <- s (1 + (1 - s) x w), for one block."""
    _sigmoid_of_2u(x, slope, s)
    slope *= 6.0
    slope -= xp.multiply(x, 4.0 * GELU_C, out=spare)        # x w
    slope *= xp.subtract(1.0, s, out=spare)
    slope += 1.0
    slope *= s


@gelu.arrays
def _(x):
    y, slope = xp.empty(x.shape, x.dtype), xp.empty(x.shape, x.dtype)
    for x_, y_, slope_ in blocks(x, y, slope):
        s = xp.empty_like(x_)
        _sigmoid_and_slope(x_, s, slope_, y_)
        xp.multiply(x_, s, out=y_)
    return y, slope


@gelu.vjp_arrays
def _(g, y, slope, x, *, needs):
    return (g * slope,)


@gelu_slope.arrays
def _(x):
    """The second derivative is kept when it is first asked for: Hessian-vector products at one
    point share it."""
    y = xp.empty(x.shape, x.dtype)
    for x_, y_ in blocks(x, y):
        _sigmoid_and_slope(x_, xp.empty_like(x_), y_, xp.empty_like(x_))
    return y, []


@gelu_slope.vjp_arrays
def _(g, y, kept, x, *, needs):
    if not kept:
        kept.append(_bend(x))
    return (g * kept[0],)


def _bend(x):
    """The second derivative of gelu."""
    dx = xp.empty(x.shape, x.dtype)
    for x_, dx_ in blocks(x, dx):
        s, xx = xp.empty_like(x_), x_ * x_
        _sigmoid_of_2u(x_, dx_, s)
        w = xx * (6.0 * GELU_C * GELU_A)
        w += 2.0 * GELU_C
        w *= w
        w *= x_
        xx *= 24.0 * GELU_C * GELU_A
        xx += 4.0 * GELU_C
        xp.multiply(s, -2.0, out=dx_)
        dx_ += 1.0
        dx_ *= w
        dx_ += xx
        dx_ *= s
        dx_ *= xp.subtract(1.0, s, out=s)
    return dx
