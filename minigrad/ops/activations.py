"""Activations beyond the elementary ones, and dropout."""
import math

from minigrad.backend import xp
from minigrad.ops.arithmetic import tanh
from minigrad.ops.passes import blocks
from minigrad.tensor import constant, primitive


@primitive
def relu(x):
    """max(x, 0).   dy = dx where x > 0, else 0 (also at 0)"""
    return xp.maximum(x, xp.zeros(x.shape[-1:], x.dtype))


@relu.vjp
def _(g, y, x):
    return g * (constant(x) > 0).astype(g.dtype)


@primitive(saves=True)
def silu(x):
    """x sigmoid(x), also called swish.   dy = s (1 + x (1 - s)) dx,  s = sigmoid(x)"""
    s = 0.5 * (1.0 + xp.tanh(0.5 * x))
    return x * s, s


@silu.vjp
def _(g, y, x):
    s = 0.5 * (1.0 + tanh(0.5 * x))
    return g * (s * (1.0 + x * (1.0 - s)))


@silu.vjp_arrays
def _(g, y, s, x, *, needs):
    return (g * (s * (1.0 + x * (1.0 - s))),)


GELU_C, GELU_A = math.sqrt(2.0 / math.pi), 0.044715


def _inner_tanh(x, t):
    """t <- tanh u,  u = c (x + a x^3), in place, for one block."""
    xp.multiply(x, x, out=t)
    t *= GELU_C * GELU_A
    t += GELU_C
    t *= x
    xp.tanh(t, out=t)


def _inner_slope(x, du):
    """du <- u' / 2 = c (1 + 3 a x^2) / 2, in place, for one block."""
    xp.multiply(x, x, out=du)
    du *= 1.5 * GELU_C * GELU_A
    du += 0.5 * GELU_C


@primitive(saves=True)
def gelu(x):
    """Gaussian error linear unit, tanh form:  y = x (1 + tanh u) / 2,  u = c (x + a x^3),
    c = sqrt(2/pi), a = 0.044715.   Source: Hendrycks & Gimpel, arXiv:1606.08415, section 2.
    """
    t, y = xp.empty(x.shape, x.dtype), xp.empty(x.shape, x.dtype)
    for x_, t_, y_ in blocks(x, t, y):
        _inner_tanh(x_, t_)
        xp.add(t_, 1.0, out=y_)
        y_ *= x_
        y_ *= 0.5
    return y, t


@gelu.vjp
def _(g, y, x):
    return g * gelu_slope(x)


@gelu.vjp_arrays
def _(g, y, t, x, *, needs):
    dx = xp.empty(x.shape, x.dtype)
    for x_, t_, g_, dx_ in blocks(x, t, g, dx):
        _slope(x_, t_, dx_)
        dx_ *= g_
    return (dx,)


def _slope(x, t, s):
    """s <- y' = (1 + t)/2 + x (1 - t^2) u'/2, in place, for one block."""
    du = xp.empty_like(x)
    _inner_slope(x, du)
    du *= x
    xp.multiply(t, t, out=s)
    xp.subtract(1.0, s, out=s)
    s *= du
    xp.multiply(t, 0.5, out=du)
    s += du
    s += 0.5


@primitive(saves=True)
def gelu_slope(x):
    """Derivative of gelu.   Its own derivative is  (1 - t^2) (u' + x u''/2 - x t u'^2)."""
    t, y = xp.empty(x.shape, x.dtype), xp.empty(x.shape, x.dtype)
    for x_, t_, y_ in blocks(x, t, y):
        _inner_tanh(x_, t_)
        _slope(x_, t_, y_)
    return y, t


@gelu_slope.vjp
def _(g, y, x):
    xx = x * x
    t = tanh(GELU_C * x * (1.0 + GELU_A * xx))
    du = GELU_C * (1.0 + 3.0 * GELU_A * xx)
    bend = du + (3.0 * GELU_A * GELU_C) * xx - x * t * du * du
    return g * ((1.0 - t * t) * bend)


@gelu_slope.vjp_arrays
def _(g, y, t, x, *, needs):
    dx = xp.empty(x.shape, x.dtype)
    for x_, t_, g_, dx_ in blocks(x, t, g, dx):
        bend, du = xp.empty_like(x_), xp.empty_like(x_)
        _inner_slope(x_, du)                             # u' / 2
        xp.multiply(x_, t_, out=dx_)
        dx_ *= du
        dx_ *= du
        dx_ *= -4.0                                      # - x t u'^2
        du *= 2.0
        dx_ += du
        xp.multiply(x_, x_, out=bend)
        bend *= 3.0 * GELU_A * GELU_C                    # x u'' / 2
        dx_ += bend
        xp.multiply(t_, t_, out=bend)
        xp.subtract(1.0, bend, out=bend)
        dx_ *= bend
        dx_ *= g_
    return (dx,)


def dropout(x, *, rate, rng=None):
    """x with a share `rate` of its elements set to 0 and the rest divided by 1 - rate.

    rng is a NumPy Generator; None (evaluation) returns x. The mask is drawn on the host, so the same
    seed gives the same mask on every backend.
    """
    if not 0.0 <= rate < 1.0:
        raise ValueError(f"dropout: rate must lie in [0, 1), got {rate}.")
    if rng is None or rate == 0.0:
        return x
    return x * dropout_mask(x.shape, x.dtype, rate, rng)


def dropout_mask(shape, dtype, rate, rng):
    """0 with probability `rate`, else 1 / (1 - rate)."""
    kept = rng.random(shape, dtype="float32") >= rate
    return xp.asarray(kept).astype(dtype) * (1.0 / (1.0 - rate))
