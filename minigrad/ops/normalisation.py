"""Standardised rows and channels: layer norm and batch norm."""
import math

from minigrad.backend import xp
from minigrad.ops.elementary import sqrt
from minigrad.ops.passes import blocks, column_sum, row_dot, row_sum
from minigrad.ops.reduce import mean, var
from minigrad.ops.shape import reshape, sum_to
from minigrad.tensor import constant, primitive


def _sum(x, axis):
    """Sum along `axis`, kept; as a product with ones where it is the last axis, or the first of two."""
    if axis == -1:
        return row_sum(x)
    if axis == (0,) and x.ndim == 2:
        return column_sum(x)[None]
    return x.sum(axis=axis, keepdims=True)


def _dot(a, b, axis):
    """Sum of a b along `axis`, kept."""
    return row_dot(a, b) if axis == -1 else _sum(a * b, axis)


def _standardized(x, axis, eps):
    """(x - mean) r and r = 1 / sqrt(variance + eps)."""
    n = math.prod(x.shape[a] for a in (axis if type(axis) is tuple else (axis,)))
    centred = x - _sum(x, axis) * (1.0 / n)
    r = 1.0 / xp.sqrt(_dot(centred, centred, axis) * (1.0 / n) + eps)
    centred *= r
    return centred, r


@primitive(saves=True)
def standardize(x, *, axis=-1, eps=1e-5):
    """h = (x - mean) r along `axis`,  r = 1 / sqrt(variance + eps).

        dx = r (g - mean g - h mean(g h)):  the Jacobian is symmetric
    """
    return _standardized(x, axis, eps)


@standardize.vjp
def _(g, y, x, *, axis=-1, eps=1e-5):
    r = 1.0 / sqrt(var(x, axis=axis, keepdims=True) + eps)
    return r * (g - mean(g, axis=axis, keepdims=True) - y * mean(g * y, axis=axis, keepdims=True))


@standardize.vjp_arrays
def _(g, h, r, x, *, needs, axis=-1, eps=1e-5):
    n = g.size // r.size
    d = g - _sum(g, axis) * (1.0 / n)
    d -= h * (_dot(g, h, axis) * (1.0 / n))
    d *= r
    return (d,)


@primitive(saves=True)
def layer_norm(x, gain, shift, *, eps=1e-6):
    """gain h + shift,  h = x standardized along its last axis.   x (..., C), gain and shift (C,).

    Source: Ba, Kiros & Hinton, arXiv:1607.06450.
    """
    y, m = xp.empty(x.shape, x.dtype), row_sum(x) * (1.0 / x.shape[-1])
    r = xp.empty(m.shape, x.dtype)
    for x_, y_, m_, r_ in blocks(x, y, m, r):
        xp.subtract(x_, m_, out=y_)
        r_[...] = 1.0 / xp.sqrt(row_dot(y_, y_) * (1.0 / x.shape[-1]) + eps)
        y_ *= r_
        y_ *= gain
        y_ += shift
    return y, (m, r)


@layer_norm.vjp_joint
def _(g, y, x, gain, shift, *, needs, eps=1e-6):
    h = standardize(x, axis=-1, eps=eps)
    dx = standardize.rules[0](g * gain, h, x, axis=-1, eps=eps) if needs[0] else None
    return (dx, sum_to(g * h, shape=gain.shape) if needs[1] else None,
            sum_to(g, shape=shift.shape) if needs[2] else None)


@layer_norm.vjp_arrays
def _(g, y, saved, x, gain, shift, *, needs, eps=1e-6):
    """h is made again from x and its mean and deviation, which takes less time than keeping it.
    With w = g gain:  mean w = g . gain / C and mean(w h) = (g h) . gain / C, two products."""
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


def batch_norm(x, gain, shift, *, statistics=None, eps=1e-5):
    """gain h + shift,  h = x standardized over every axis but the second, the channels.

    x (N, C) or (N, C, H, W), gain and shift (C,). With statistics = (mean, variance), arrays (C,)
    kept from training, those are used instead of the batch's: evaluation.
    Source: Ioffe & Szegedy, arXiv:1502.03167, algorithm 1.
    """
    column = (-1,) + (1,) * (x.ndim - 2)
    if statistics is None:
        h = standardize(x, axis=(0, *range(2, x.ndim)), eps=eps)
    else:
        m, v = (s.reshape(column) for s in statistics)
        h = (x - m) * (1.0 / sqrt(v + eps))
    return h * reshape(gain, shape=column) + reshape(shift, shape=column)


def batch_statistics(x):
    """Mean and variance of every channel over a batch, plain arrays (C,): what running averages
    are made of."""
    x = constant(x)
    axes = (0, *range(2, x.ndim))
    return x.mean(axis=axes), x.var(axis=axes)
