"""Operations that shrink axes. `axis` is None (all), an integer or a tuple; with keepdims=True the
axes stay, with length 1."""
import math

import numpy

from minigrad.backend import on_device, xp
from minigrad.ops.arithmetic import where
from minigrad.ops.passes import SHORT, are_safe, overflow_is_infinity, total
from minigrad.ops.shape import broadcast_to, concatenate, reshape, transpose
from minigrad.tensor import constant, primitive


def _axes(axis, ndim):
    """axis as a tuple of places >= 0."""
    if axis is None:
        return tuple(range(ndim))
    axes = axis if type(axis) is tuple else (axis,)
    return tuple(a % ndim for a in axes) if ndim else ()     # NumPy takes -1 for a number's axis


def along(x, axis):
    """axis as CuPy takes it too: a number has no axis, where NumPy lets it have 0 or -1."""
    return None if x.ndim == 0 and axis in (0, -1) else axis


def kept(reduced, x, axis):
    """A reduced array with its lost axes put back, with length 1."""
    axes = _axes(axis, x.ndim)
    return reshape(reduced, shape=tuple(1 if i in axes else n for i, n in enumerate(x.shape)))


def without(x, axis):
    """The shape with the axes lost."""
    axes = _axes(axis, x.ndim)
    return tuple(n for i, n in enumerate(x.shape) if i not in axes)


def _count(x, axis):
    """How many elements are reduced to one."""
    return math.prod(x.shape[a] for a in _axes(axis, x.ndim))


@primitive
def sum(x, *, axis=None, keepdims=False):
    """Sum.   dy = sum of dx"""
    return total(x, along(x, axis), keepdims)


@sum.vjp
def _(g, y, x, *, axis=None, keepdims=False):
    return broadcast_to(kept(g, x, axis), shape=x.shape)


@primitive
def mean(x, *, axis=None, keepdims=False):
    """Average.   dy = average of dx"""
    n = _count(x, axis)
    if n == 0:
        raise ValueError(f"mean: nothing to average in shape {x.shape}. Give at least one element.")
    return sum.forward(x, axis=axis, keepdims=keepdims) * (1.0 / n)


@mean.vjp
def _(g, y, x, *, axis=None, keepdims=False):
    return broadcast_to(kept(g, x, axis) * (1.0 / _count(x, axis)), shape=x.shape)


def _extreme(g, y, x, *, axis=None, keepdims=False):
    """The cotangent goes to the extreme element, in equal shares where several are equal."""
    at = (constant(x) == constant(kept(y, x, axis))).astype(x.dtype)
    share = at / total(at, along(x, axis), keepdims=True)
    return kept(g, x, axis) * share


@primitive
def max(x, *, axis=None, keepdims=False):
    """Largest element.   dy = dx there, shared equally between equal ones"""
    return x.max(axis=along(x, axis), keepdims=keepdims)


@primitive
def min(x, *, axis=None, keepdims=False):
    """Smallest element.   dy = dx there, shared equally between equal ones"""
    return x.min(axis=along(x, axis), keepdims=keepdims)


max.vjp(_extreme)
min.vjp(_extreme)


@primitive
def var(x, *, axis=None, keepdims=False, ddof=0):
    """Variance  v = sum (x - mean)^2 / (n - ddof).   dv = 2 sum (x - mean) dx / (n - ddof)"""
    n = _count(x, axis)
    if n <= ddof:
        raise ValueError(f"var: {n} numbers with ddof={ddof} have no variance. Give at least "
                         f"{ddof + 1}, or a smaller ddof.")
    axis = along(x, axis)
    centred = x - total(x, axis, keepdims=True) * (1.0 / n)
    centred *= centred
    return total(centred, axis, keepdims) * (1.0 / (n - ddof))


@var.vjp
def _(g, y, x, *, axis=None, keepdims=False, ddof=0):
    scale = 2.0 / (_count(x, axis) - ddof)
    return (kept(g, x, axis) * scale) * (x - mean(x, axis=axis, keepdims=True))


@primitive
def norm(x, *, axis=None, keepdims=False):
    """Euclidean length  r = sqrt(sum x^2).   dr = x.dx / r;  at x = 0 that is 0, and so is its own
    slope, as for |x|. Squares that overflow or vanish are taken of x / 2^k, 2^k near the largest."""
    axis = along(x, axis)
    with overflow_is_infinity():
        r = xp.sqrt(total(x * x, axis, keepdims))
    if x.dtype.kind != "f" or not x.size or are_safe(r):
        return r
    largest = xp.abs(x).max(axis=axis, keepdims=True)
    usual = (largest > 0) & xp.isfinite(largest)
    scale = xp.where(usual, xp.ldexp(xp.ones_like(largest), xp.frexp(largest)[1] - 1), 1.0)
    z = x / scale.astype(x.dtype)
    r = xp.sqrt(total(z * z, axis, keepdims=True)) * scale.astype(x.dtype)
    return r if keepdims else r.reshape(without(x, axis))


@norm.vjp
def _(g, y, x, *, axis=None, keepdims=False):
    r = kept(y, x, axis)
    zero = constant(r) == 0
    return where(zero, 0.0, kept(g, x, axis)) * (x / where(zero, 1.0, r))


@primitive
def prod(x, *, axis=None, keepdims=False):
    """Product.   dy = sum of (the product of all others) dx: no division, so zeros do no harm"""
    return x.prod(axis=along(x, axis), keepdims=keepdims)


@prod.vjp
def _(g, y, x, *, axis=None, keepdims=False):
    return kept(g, x, axis) * along_last(_others, x, axis)


def along_last(function, x, axis):
    """function(rows (..., n)) -> (..., n) along the axes `axis` of x, taken as one."""
    axes = _axes(axis, x.ndim)
    if axes == (x.ndim - 1,):
        return function(x)
    order = tuple(i for i in range(x.ndim) if i not in axes) + axes
    turned = transpose(x, axes=order)
    rows = reshape(turned, shape=turned.shape[:x.ndim - len(axes)] + (_count(x, axis),))
    back = tuple(order.index(i) for i in range(x.ndim))
    return transpose(reshape(function(rows), shape=turned.shape), axes=back)


def _others(x):
    """Products of all but one along the last axis: those before it times those after it."""
    return _before(x) * _before(x[..., ::-1])[..., ::-1]


def _before(x):
    """Products of all before each place, in log2(n) steps: 1, then 2, then 4 factors at a time."""
    n, far = x.shape[-1], 1
    one = xp.ones(x.shape[:-1] + (n,), x.dtype)
    y = concatenate([one[..., :1], x[..., :-1]], axis=-1)
    while far < n:
        y = y * concatenate([one[..., :far], y[..., :-far]], axis=-1)
        far *= 2
    return y


# ---------------------------------------------------------------- the same, as products
#
# NumPy is slow along a short last axis, where a product with ones is 5 to 20 times faster; and the
# slope of a sum is quicker to use as a copy than as a view. Running products are one call.


def _is_short_row(x, axis):
    """Is it the last of several axes that is reduced, and short?"""
    return x.ndim > 1 and (axis == -1 or axis == x.ndim - 1) and x.shape[-1] <= SHORT


@sum.arrays
def _(x, *, axis=None, keepdims=False):
    if x.size <= SHORT:
        return x.sum(axis=along(x, axis), keepdims=keepdims), None
    if _is_short_row(x, axis) and x.dtype.kind == "f":
        y = x @ xp.ones(x.shape[-1], x.dtype)
        return y[..., None] if keepdims else y, None
    return total(x, along(x, axis), keepdims), None


@sum.vjp_arrays
def _(g, y, _, x, *, needs, axis=None, keepdims=False):
    if _is_short_row(x, axis):
        return (g.reshape(-1).repeat(x.shape[-1]).reshape(x.shape),)
    if g.ndim == 0 and x.size <= 1024:                      # broadcast_to alone takes 3 us
        return (xp.ones(x.shape, g.dtype) * g,)
    return (xp.broadcast_to(kept(g, x, axis), x.shape),)


@norm.vjp_arrays
def _(g, y, _, x, *, needs, axis=None, keepdims=False):
    r, g = kept(y, x, axis), kept(g, x, axis)
    if are_safe(y):
        return ((g / r) * x,)
    zero = r == 0
    g, r = xp.where(zero, 0.0, g), r + zero
    in_recording = xp is not numpy and not on_device    # repeats it with numbers that are safe
    return ((g / r) * x if in_recording else g * (x / r),)


@prod.arrays
def _(x, *, axis=None, keepdims=False):
    if not _is_short_row(x, axis):
        return x.prod(axis=along(x, axis), keepdims=keepdims), None
    y = x[..., 0]
    for i in range(1, x.shape[-1]):
        y = y * x[..., i]
    return y[..., None] if keepdims else y, None


@prod.vjp_arrays
def _(g, y, _, x, *, needs, axis=None, keepdims=False):
    others = _columns_but_one if _is_short_row(x, axis) else _products_but_one
    return (kept(g, x, axis) * along_last(others, x, axis),)


def _products_but_one(x):
    """`_others`, by running products of arrays."""
    y, after = xp.ones(x.shape, x.dtype), xp.ones(x.shape, x.dtype)
    y[..., 1:] = xp.cumprod(x[..., :-1], axis=-1)
    after[..., :-1] = xp.cumprod(x[..., :0:-1], axis=-1)[..., ::-1]
    y *= after
    return y


def _columns_but_one(x):
    """The same, column by column."""
    y, n = xp.empty_like(x), x.shape[-1]
    y[..., 0] = 1.0
    for i in range(1, n):
        xp.multiply(y[..., i - 1], x[..., i - 1], out=y[..., i])
    after = x[..., n - 1]
    for i in range(n - 2, -1, -1):
        y[..., i] *= after
        after = after * x[..., i]
    return y
