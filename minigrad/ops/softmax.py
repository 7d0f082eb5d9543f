"""Softmax, its logarithm, and the logarithm of its sum.

Where one share is next to 1, what is left for the others has few digits as 1 - p, and many as their
sum. So everything here is made of the others: the logarithm of a total that is next to 1 by log1p,
and the Jacobian with the largest entry taken out first.
"""
from minigrad.backend import xp
from minigrad.ops.elementary import exp, expm1
from minigrad.ops.passes import blocks, row_dot, row_max, row_sum, total
from minigrad.ops.reduce import along, along_last, kept, sum, without
from minigrad.tensor import constant, primitive


@primitive
def softmax(x, *, axis=-1):
    """p = e^x / sum e^x along an axis.   dp = p (dx - sum p dx);  NaN where all are -infinity: there
    is nothing to give a share to"""
    y = xp.exp(x - x.max(axis=axis, keepdims=True))
    return y / total(y, axis, keepdims=True)


@softmax.vjp
def _(g, y, x, *, axis=-1):
    return softmax_slope(level(g, share=largest(y, axis), axis=axis), y, axis=axis)


@primitive
def softmax_slope(g, a, *, axis=-1, scale=1.0):
    """scale a (g - sum g a) along an axis: the Jacobian of a = softmax, applied to g.

        dg = softmax_slope(c, a),    da = scale (c (g - sum g a) - g sum c a)
    """
    return (g - total(g * a, axis, keepdims=True)) * a * scale


@softmax_slope.vjp
def _(c, y, g, a, *, needs, axis=-1, scale=1.0):
    c = c * scale
    dg = softmax_slope(c, a, axis=axis) if needs[0] else None
    if not needs[1]:
        return dg, None
    rest = g - sum(g * a, axis=axis, keepdims=True)
    return dg, c * rest - g * sum(c * a, axis=axis, keepdims=True)


@primitive
def level(g, *, share, axis=-1):
    """g less its value at the largest, sum g share, along an axis.

    The Jacobian of softmax takes no notice of a constant added to g. With it gone, an entry next to
    1 gets the digits of the others, not of a difference of two numbers next to each other.
    dg = c - share sum c, in two steps: what c was at the largest goes first, so that nothing is
    left there but the others' sum
    """
    return g - total(g * share, axis, keepdims=True)


@level.vjp
def _(c, y, g, *, share, axis=-1):
    there = sum(c * share, axis=axis, keepdims=True)
    once = c - share * (there / (share * share).sum(axis=axis, keepdims=True))
    return once - share * sum(once, axis=axis, keepdims=True)


def largest(a, axis=-1):
    """1 where a is largest along an axis, in equal shares where several are, 0 elsewhere."""
    a = constant(a)
    top = (a == (row_max(a) if axis == -1 else a.max(axis=axis, keepdims=True))).astype(a.dtype)
    return top / (row_sum(top) if axis == -1 else top.sum(axis=axis, keepdims=True))


@primitive
def log_softmax(x, *, axis=-1):
    """log of softmax, without overflow.   dy = dx - sum p dx,  p = e^y:  1 - p is made by expm1"""
    y = x - x.max(axis=axis, keepdims=True)
    return y - log_total(y, axis)


@log_softmax.vjp
def _(g, y, x, *, axis=-1):
    others = sum(g, axis=axis, keepdims=True) - g
    return -(g * expm1(y)) - exp(y) * others


@primitive
def logsumexp(x, *, axis=None, keepdims=False):
    """log of the sum of e^x, shifted by the maximum so that nothing overflows.
    dy = sum of softmax(x) dx;  -infinity and NaN where all are -infinity"""
    shift = x.max(axis=along(x, axis), keepdims=True)
    finite = xp.where(xp.isfinite(shift), shift, 0.0).astype(x.dtype)
    y = log_total(x - finite, axis) + shift
    return y if keepdims else y.reshape(without(x, axis))


@logsumexp.vjp
def _(g, y, x, *, axis=None, keepdims=False):
    return kept(g, x, axis) * along_last(softmax, x, axis)


def log_total(z, axis):
    """log of the sum of e^z along an axis, kept, where the largest z is 0: log1p of the sum of the
    others, which may be next to nothing. (Divided by how many are largest, where several are.)"""
    e, axis = xp.exp(z), along(z, axis)
    top = (e == 1.0).sum(axis=axis, keepdims=True).astype(z.dtype)
    others = total(e * (e != 1.0), axis, keepdims=True)
    top = xp.maximum(top, xp.ones((), z.dtype))
    return xp.log(top) + xp.log1p(others / top)


# ---------------------------------------------------------------- the same, block by block
#
# Rows are reduced as products with ones; exponentials are made in place.


@softmax.arrays
def _(x, *, axis=-1):
    last = axis in (-1, x.ndim - 1)
    y = x - (row_max(x) if last else x.max(axis=axis, keepdims=True))
    xp.exp(y, out=y)
    y /= row_sum(y) if last else total(y, axis, keepdims=True)
    return y, None


@softmax_slope.arrays
def _(g, a, *, axis=-1, scale=1.0):
    if axis not in (-1, a.ndim - 1):
        return softmax_slope.formula(g, a, axis=axis, scale=scale), None
    y = xp.empty(g.shape, g.dtype)
    for g_, a_, y_ in blocks(g, a, y):
        xp.subtract(g_, row_dot(g_, a_), out=y_)
        y_ *= a_
        y_ *= scale
    return y, None


@level.arrays
def _(g, *, share, axis=-1):
    if axis not in (-1, g.ndim - 1):
        return level.formula(g, share=share, axis=axis), None
    return g - row_dot(g, share), None


@level.vjp_arrays
def _(c, y, _, g, *, needs, share, axis=-1):
    if axis not in (-1, g.ndim - 1):
        return level.rule(c, y, g, needs=needs, share=share, axis=axis)
    d = xp.empty(c.shape, c.dtype)
    for c_, share_, d_ in blocks(c, share, d):
        part = share_ * (row_dot(c_, share_) / row_dot(share_, share_))
        xp.subtract(c_, part, out=d_)
        d_ -= xp.multiply(share_, row_sum(d_), out=part)
    return (d,)
