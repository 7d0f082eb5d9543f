"""Standardised rows and channels: layer norm and batch norm."""
import math

from minigrad.backend import xp
from minigrad.errors import said
from minigrad.ops.elementary import sqrt
from minigrad.ops.passes import (blocks, column_sum, dot_along, inverse_deviation, laid_out,
                                 row_sum, sum_along)
from minigrad.ops.reduce import mean, var
from minigrad.ops.shape import sum_to
from minigrad.tensor import constant, primitive


@primitive
def standardize(x, *, axis=-1, eps=1e-5):
    """h = (x - mean) r along `axis`,  r = 1 / √(variance + ε).

        dx = r (g - mean g - h mean(g h)):  the Jacobian is symmetric
    """
    check("standardize", x)
    centred = x - average(x, axis)
    return centred / xp.sqrt(average(centred * centred, axis) + eps)


@standardize.vjp
def _(g, y, x, *, axis=-1, eps=1e-5):
    return standardize_slope(g, x, axis=axis, eps=eps)


@primitive
def standardize_slope(g, x, *, axis=-1, eps=1e-5):
    """J g = r (g - mean g - h mean(g h)), the Jacobian J of standardize at x applied to g.

    With c the cotangent and g', c' without their means along the axis,

        dg = J c,
        dx = -r² (h (mean(c' g') - 3 mean(c h) mean(g h)) + mean(g h) c' + mean(c h) g')
    """
    centred = x - average(x, axis)
    r = 1.0 / xp.sqrt(average(centred * centred, axis) + eps)
    h = centred * r
    return r * (g - average(g, axis) - h * average(g * h, axis))


@standardize_slope.vjp
def _(c, y, g, x, *, needs, axis=-1, eps=1e-5):
    dg = standardize_slope(c, x, axis=axis, eps=eps) if needs[0] else None
    if not needs[1]:
        return dg, None
    h = standardize(x, axis=axis, eps=eps)
    c, g = c - average(c, axis), g - average(g, axis)
    ch, gh = average(c * h, axis), average(g * h, axis)
    bend = h * (average(c * g, axis) - 3.0 * ch * gh) + gh * c + ch * g
    return dg, bend * (-1.0 / (var(x, axis=axis, keepdims=True) + eps))


@primitive
def layer_norm(x, gain, shift, *, eps=1e-6):
    """gain h + shift,  h = x standardized along its last axis.   x (..., C), gain and shift (C,).

    Source: Ba, Kiros & Hinton, arXiv:1607.06450.
    """
    check_channels("layer_norm", x, -1, gain, shift)
    return standardize.forward(x, axis=-1, eps=eps) * gain + shift


@layer_norm.vjp
def _(g, y, x, gain, shift, *, needs, eps=1e-6):
    h = standardize(x, axis=-1, eps=eps) if needs[1] else None
    return (standardize_slope(g * gain, x, axis=-1, eps=eps) if needs[0] else None,
            sum_to(g * h, shape=gain.shape) if needs[1] else None,
            sum_to(g, shape=shift.shape) if needs[2] else None)


def average(z, axis):
    """Mean along the axis, kept."""
    return mean(z, axis=axis, keepdims=True)


def check(name, x):
    """Raise where there is nothing to average."""
    if not x.size:
        raise ValueError(f"{name}: nothing to average in an array of shape {x.shape}. "
                         "Give at least one element.")


def check_channels(name, x, axis, one, other):
    """Raise unless there is one number of both kinds for each channel, counted by that axis of x:
    gain and shift, or mean and variance."""
    if not -x.ndim <= axis < x.ndim or not (one.shape == other.shape == (x.shape[axis],)):
        raise ValueError(f"{name}: x {x.shape} does not fit {one.shape} and {other.shape}. Give a "
                         f"gain and shift, mean and variance for each place along axis {axis}.")


def all_but_channels(name, x):
    """The axes of a batch of rows or of images that one channel's mean is taken over."""
    if x.ndim < 2:
        raise ValueError(f"{name}: x {x.shape} is no batch. Give rows (N, C) or images "
                         "(N, H, W, C).")
    return tuple(range(x.ndim - 1))


@said
def batch_norm(x, gain, shift, *, statistics=None, eps=1e-5):
    """gain h + shift,  h = x standardized over every axis but the last, the channels.

    x (N, C) or (N, H, W, C), gain and shift (C,). With statistics = (mean, variance), arrays (C,)
    kept from training, those are used instead of the batch's: evaluation.
    Source: Ioffe & Szegedy, arXiv:1502.03167, algorithm 1.
    """
    axes = all_but_channels("batch_norm", x)
    check_channels("batch_norm", x, -1, gain, shift)
    if statistics is None:
        h = standardize(x, axis=axes, eps=eps)
    else:
        m, v = statistics
        check_channels("batch_norm", x, -1, m, v)
        h = (x - m) * (1.0 / sqrt(v + eps))
    return h * gain + shift


@said
def batch_statistics(x):
    """Mean and variance of every channel over a batch, plain arrays (C,): what running averages
    are made of."""
    x = constant(x)
    check("batch_statistics", x)
    axes = all_but_channels("batch_statistics", x)
    return mean(x, axis=axes), var(x, axis=axes)


# ---------------------------------------------------------------- the same, block by block
#
# Rows are independent of one another, so they go block by block; channels are not. What the forward
# pass worked out, h and r, is kept for the slope; layer norm makes h again from x, its mean and its
# deviation, which takes less time than keeping it.


def _standardized(x, axis, eps):
    """(x - mean) r, laid out row after row, and r."""
    n = math.prod(x.shape[a] for a in (axis if type(axis) is tuple else (axis,)))
    x, = laid_out(x)
    centred = x - sum_along(x, axis) * (1.0 / n)
    r = inverse_deviation(centred, axis, n, eps)
    centred *= r
    return centred, r


def _pieces(axis, *arrays):
    return blocks(*arrays) if axis == -1 else [arrays]


def _slope(g, h, r, axis):
    d, n = xp.empty(g.shape, g.dtype), g.size // r.size
    for g_, h_, r_, d_ in _pieces(axis, g, h, r, d):
        xp.subtract(g_, sum_along(g_, axis) * (1.0 / n), out=d_)
        d_ -= h_ * (dot_along(g_, h_, axis) * (1.0 / n))
        d_ *= r_
    return d


@standardize.arrays
def _(x, *, axis=-1, eps=1e-5):
    check("standardize", x)
    return _standardized(x, axis, eps)


@standardize.vjp_arrays
def _(g, h, r, x, *, needs, axis=-1, eps=1e-5):
    return (_slope(g, h, r, axis),)


@standardize_slope.arrays
def _(g, x, *, axis=-1, eps=1e-5):
    h, r = _standardized(x, axis, eps)
    return _slope(g, h, r, axis), (h, r)


@standardize_slope.vjp_arrays
def _(c, y, saved, g, x, *, needs, axis=-1, eps=1e-5):
    h, r = saved
    dg = _slope(c, h, r, axis) if needs[0] else None
    if not needs[1]:
        return dg, None
    dx, one = xp.empty(x.shape, x.dtype), r.size / g.size           # one = 1 / n, for averages
    for c_, g_, h_, r_, dx_ in _pieces(axis, c, g, h, r, dx):
        c_, g_ = c_ - sum_along(c_, axis) * one, g_ - sum_along(g_, axis) * one
        ch, gh = dot_along(c_, h_, axis) * one, dot_along(g_, h_, axis) * one
        xp.multiply(h_, dot_along(c_, g_, axis) * one - 3.0 * ch * gh, out=dx_)
        c_ *= gh
        dx_ += c_
        g_ *= ch
        dx_ += g_
        dx_ *= -r_ * r_
    return dg, dx


@layer_norm.arrays
def _(x, gain, shift, *, eps=1e-6):
    check("layer_norm", x)
    check_channels("layer_norm", x, -1, gain, shift)
    y, m = xp.empty(x.shape, x.dtype), row_sum(x) * (1.0 / x.shape[-1])
    r = xp.empty(m.shape, x.dtype)
    for x_, y_, m_, r_ in blocks(x, y, m, r):
        xp.subtract(x_, m_, out=y_)
        r_[...] = inverse_deviation(y_, -1, x.shape[-1], eps)
        y_ *= r_
        y_ *= gain
        y_ += shift
    return y, (m, r)


@layer_norm.vjp_arrays
def _(g, y, saved, x, gain, shift, *, needs, eps=1e-6):
    """With w = g gain:  mean w = g . gain / C and mean(w h) = (g h) . gain / C, two products."""
    m, r = saved
    d, dgain = xp.empty(x.shape, x.dtype), xp.zeros(gain.shape, x.dtype)
    column = (gain * (1.0 / x.shape[-1]))[:, None]
    for x_, m_, r_, g_, d_ in blocks(x, m, r, g, d):
        h = x_ - m_
        h *= r_
        gh = xp.multiply(g_, h, out=d_)
        dgain += column_sum(gh)
        h *= gh @ column
        xp.multiply(g_, gain, out=d_)
        d_ -= g_ @ column
        d_ -= h
        d_ *= r_
    return d, dgain, column_sum(g) if needs[2] else None
