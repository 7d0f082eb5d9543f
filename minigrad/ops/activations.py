"""Activations beyond the elementary ones, and dropout."""
import math

from minigrad.backend import on_device, uniforms, xp
from minigrad.errors import said
from minigrad.ops.arithmetic import clip
from minigrad.ops.elementary import FAR, gate, sigmoid, tanh, tanh_slope
from minigrad.ops.passes import blocks, over_cosh_squared, overflow_is_infinity
from minigrad.tensor import Tensor, constant, primitive


@primitive
def relu(x):
    """max(x, 0).   dy = dx where x > 0, else 0 (also at 0);  NaN stays NaN, with slope 0"""
    return xp.maximum(x, xp.zeros(x.shape[-1:], x.dtype))


@relu.vjp
def _(g, y, x):
    return g * (constant(x) > 0).astype(g.dtype)


@primitive
def silu(x):
    """x s, s = sigmoid(x), also called swish.   dy = s (1 + x sigmoid(-x)) dx;  0 and 0 at -infinity
    """
    return x.clip(-edge(x), math.inf) * gate(x)


@silu.vjp
def _(g, y, x):
    x = clip(x, low=-edge(x), high=edge(x))             # infinity times 0 would be no number
    return g * (sigmoid(x) * (1.0 + x * sigmoid(-x)))


def edge(x):
    """Beyond ±edge a sigmoid is 0 or 1, to the last digit of x's dtype and beyond."""
    return 2.0 * FAR[x.dtype.itemsize]


GELU_C, GELU_A = math.sqrt(2.0 / math.pi), 0.044715
GELU_EDGE = 28.0                                    # the same for sigmoid(2u), in every dtype


@primitive
def gelu(x):
    """Gaussian error linear unit, tanh form:  y = x s,  s = (1 + tanh u) / 2 = sigmoid(2u),
    u = c (x + a x³),  c = √(2/π), a = 0.044715.

        dy = (s + s (1 - s) x w) dx,   w = 2 u' = 2 c (1 + 3 a x²),   since s' = s (1 - s) w

    At -infinity both are 0, at infinity the slope is 1.
    Source: Hendrycks & Gimpel, arXiv:1606.08415, section 2.
    """
    t = x.clip(-GELU_EDGE, GELU_EDGE)
    return x.clip(-GELU_EDGE, math.inf) * gate((2.0 * GELU_C) * t * (1.0 + GELU_A * t * t))


@gelu.vjp
def _(g, y, x):
    return g * gelu_slope(x, of=y)


@primitive
def gelu_slope(x, *, of=None):
    """Derivative of gelu.   Its own derivative is  s (1 - s) (4c + 24 c a x² + (1 - 2s) x w²), where
    s (1 - s) = 1 / 4 cosh² u  and  1 - 2s = -tanh u.
    of: the Tensor gelu(x), if there is one; it may know its slope"""
    x = x.clip(-GELU_EDGE, GELU_EDGE)
    s = gate((2.0 * GELU_C) * x * (1.0 + GELU_A * x * x))
    w = 2.0 * GELU_C * (1.0 + 3.0 * GELU_A * x * x)
    return s + s * (1.0 - s) * x * w


@gelu_slope.vjp
def _(g, y, x, *, of=None):
    x = clip(x, low=-GELU_EDGE, high=GELU_EDGE)
    xx = x * x
    u = GELU_C * x * (1.0 + GELU_A * xx)
    w = 2.0 * GELU_C * (1.0 + 3.0 * GELU_A * xx)
    bend = 4.0 * GELU_C + (24.0 * GELU_C * GELU_A) * xx - tanh(u) * x * w * w
    return g * (0.25 * tanh_slope(u) * bend)


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
# gelu and silu make their slope along with y, while the block is in the cache: then the derivative
# is one product. Where a sigmoid is 0 or 1 to the last digit, x is held: infinity times 0 would be
# no number.
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


def _gate(z, s):
    """s <- 1 / (1 + e^z), for one block."""
    xp.exp(z, out=s)
    s += 1.0
    xp.divide(1.0, s, out=s)


@silu.arrays
def _(x):
    y, slope, far = xp.empty(x.shape, x.dtype), xp.empty(x.shape, x.dtype), edge(x)
    with overflow_is_infinity():
        for x_, y_, slope_ in blocks(x, y, slope):
            s, t = xp.empty_like(x_), x_.clip(-far, far)
            _gate(xp.negative(t, out=slope_), s)
            xp.subtract(1.0, s, out=slope_)
            slope_ *= t
            slope_ += 1.0
            slope_ *= s
            xp.multiply(xp.maximum(x_, t, out=t), s, out=y_)
    return y, slope


@silu.vjp_arrays
def _(g, y, slope, x, *, needs):
    return (g * slope,)


def _minus_2u(t, z):
    """z <- -2c (t + a t³), for one block."""
    xp.multiply(t, t, out=z)
    z *= -2.0 * GELU_C * GELU_A
    z -= 2.0 * GELU_C
    z *= t


def _sigmoid_and_slope(t, s, slope, spare):
    """s <- sigmoid(2u) and slope <- s (1 + (1 - s) t w), t w = 6u - 4ct, for one block."""
    _minus_2u(t, slope)
    _gate(slope, s)
    slope *= -3.0
    slope -= xp.multiply(t, 4.0 * GELU_C, out=spare)
    slope *= xp.subtract(1.0, s, out=spare)
    slope += 1.0
    slope *= s


@gelu.arrays
def _(x):
    y, slope = xp.empty(x.shape, x.dtype), xp.empty(x.shape, x.dtype)
    with overflow_is_infinity():
        for x_, y_, slope_ in blocks(x, y, slope):
            s, t = xp.empty_like(x_), x_.clip(-GELU_EDGE, GELU_EDGE)
            _sigmoid_and_slope(t, s, slope_, y_)
            xp.multiply(xp.maximum(x_, t, out=t), s, out=y_)
    return y, slope


@gelu.vjp_arrays
def _(g, y, slope, x, *, needs):
    return (g * slope,)


@gelu_slope.arrays
def _(x, *, of=None):
    """The second derivative is kept when it is first asked for: Hessian-vector products at one
    point share it."""
    if type(of) is Tensor and of.saved is not None:
        return of.saved, []
    y = xp.empty(x.shape, x.dtype)
    with overflow_is_infinity():
        for x_, y_ in blocks(x, y):
            t = x_.clip(-GELU_EDGE, GELU_EDGE)
            _sigmoid_and_slope(t, xp.empty_like(t), y_, xp.empty_like(t))
    return y, []


@gelu_slope.vjp_arrays
def _(g, y, kept, x, *, needs, of=None):
    if not kept:
        kept.append(_bend(x))
    return (g * kept[0],)


def _bend(x):
    """The second derivative of gelu: (c + 6 c a x² - tanh(u) x (w/2)²) / cosh² u."""
    dx = xp.empty(x.shape, x.dtype)
    with overflow_is_infinity():
        for x_, dx_ in blocks(x, dx):
            x_ = x_.clip(-GELU_EDGE, GELU_EDGE)
            bend = x_ * x_
            bend *= 6.0 * GELU_C * GELU_A
            u, h = bend * (1.0 / 6.0), bend * 0.5
            u += GELU_C
            u *= x_
            h += GELU_C
            h *= h
            h *= x_
            h *= xp.tanh(u, out=dx_)
            bend += GELU_C
            bend -= h
            over_cosh_squared(bend, u, dx_)
    return dx
