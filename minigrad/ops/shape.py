"""Operations that move numbers without changing them. Each rule moves the cotangent back."""
from math import prod

import numpy

from minigrad import backend
from minigrad.backend import xp
from minigrad.engine.cotangents import Part
from minigrad.errors import said
from minigrad.ops.passes import column_sum, total
from minigrad.tensor import Tensor, primitive


@primitive
def reshape(x, *, shape):
    """The same numbers in another shape; one axis may be -1.   dy = dx, reshaped"""
    return x.reshape(shape)


@reshape.vjp
def _(g, y, x, *, shape):
    return reshape(g, shape=x.shape)


@primitive
def transpose(x, *, axes=None):
    """Axes in another order; reversed if `axes` is None.   dy = dx, in the old order"""
    return x.transpose(axes)


@transpose.vjp
def _(g, y, x, *, axes=None):
    if axes is None:
        return transpose(g)
    back = [0] * len(axes)
    for new, old in enumerate(axes):
        back[old] = new
    return transpose(g, axes=tuple(back))


@primitive
def swapaxes(x, *, a, b):
    """Axes a and b exchanged.   dy = dx, exchanged back"""
    return x.swapaxes(a, b)


@swapaxes.vjp
def _(g, y, x, *, a, b):
    return swapaxes(g, a=a, b=b)


@primitive
def expand_dims(x, *, axis):
    """A new axis of length 1 at place `axis` (or several, a tuple).   dy = dx, without it"""
    return xp.expand_dims(x, axis)


@expand_dims.vjp
def _(g, y, x, *, axis):
    return reshape(g, shape=x.shape)


@primitive
def broadcast_to(x, *, shape):
    """x repeated to `shape`, as a view.   dy: the cotangents of the copies are added"""
    return xp.broadcast_to(x, shape)


@broadcast_to.vjp
def _(g, y, x, *, shape):
    return sum_to(g, shape=x.shape)


@primitive
def sum_to(x, *, shape):
    """x summed over the axes that broadcasting to x's shape would have added: the transpose of
    `broadcast_to`, and what repairs every broadcast.   dy = dx, summed the same way"""
    lead = x.ndim - len(shape)
    axes = tuple(range(lead)) + tuple(i + lead for i, n in enumerate(shape) if n == 1)
    return total(x, axes, keepdims=True).reshape(shape)


@sum_to.vjp
def _(g, y, x, *, shape):
    return broadcast_to(g, shape=x.shape)


def fitted(c, x):
    """A cotangent summed over the axes along which x was repeated."""
    return c if c.shape == x.shape else sum_to(c, shape=x.shape)


def _picks_once(index):
    """True if an index (slices, integers, boolean masks) cannot pick an element twice."""
    return all([type(part) is slice or part is None or part is Ellipsis
                or isinstance(part, (int, numpy.integer)) or getattr(part, "dtype", None) == bool
                for part in (index if type(index) is tuple else (index,))])


def _add_at(out, index, g):
    """out[index] += g in place, adding up elements that are picked more than once."""
    if _picks_once(index):
        out[index] += g
        return
    places = xp.arange(out.size).reshape(out.shape)[index]
    rows = xp.broadcast_to(g, places.shape).reshape(-1, 1)
    out += backend.sum_rows(rows, places.reshape(-1), out.size).reshape(out.shape)


@primitive
def getitem(x, *, index):
    """x[index] for slices, integers, integer arrays and boolean masks.   dy = dx[index]"""
    return x[index]


@getitem.vjp
def _(g, y, x, *, index):
    return Part(g, index, x.shape)


@primitive
def _put(*parts, indices, shape):
    """Zeros of `shape` with each part added at its index: the transpose of reading them all.
    dy = each dx, put there"""
    dtypes = {part.dtype for part in parts}
    out = xp.zeros(shape, dtypes.pop() if len(dtypes) == 1 else xp.result_type(*dtypes))
    for k, (part, index) in enumerate(zip(parts, indices)):
        if k == 0 and _picks_once(index) and out[index].shape == part.shape:
            out[index] = part                        # nothing is there yet
        else:
            _add_at(out, index, part)
    return out


@_put.vjp
def _(g, y, *parts, needs, indices, shape):
    return [fitted(getitem(g, index=index), part) if need else None
            for part, index, need in zip(parts, indices, needs)]


@said
def put(x, index, shape):
    """Zeros of `shape` with x added at `index`: the transpose of `getitem`.   dy = put(dx).
    x broadcasts, as in `zeros[index] += x`."""
    return _put(x, indices=[index], shape=shape)


@primitive
def _concatenate(*parts, axis):
    """Parts side by side along an axis.   dy: each part gets its slice"""
    return xp.concatenate(parts, axis=axis)


@_concatenate.vjp
def _(g, y, *parts, needs, axis):
    before, pieces = (slice(None),) * (axis % y.ndim), []
    start = 0
    for part, need in zip(parts, needs):
        stop = start + part.shape[axis]
        pieces.append(g[(*before, slice(start, stop))] if need else None)
        start = stop
    return pieces


@said
def concatenate(parts, axis=0):
    """The arrays of a list side by side along `axis`; None: as one row of numbers, all of them.
    dy: each part gets its slice"""
    if axis is None:
        parts, axis = [reshape(part, shape=(-1,)) for part in parts], 0
    return _concatenate(*parts, axis=axis)


@said
def stack(parts, axis=0):
    """The arrays of a list along a new axis.   dy: each part gets its slice"""
    parts = list(parts)
    shapes = sorted({tuple(getattr(part, "shape", ())) for part in parts})
    if len(shapes) != 1:
        raise ValueError(f"stack: needs arrays of one shape, got {shapes or 'none'}. Use "
                         "concatenate for arrays of different lengths.")
    return _concatenate(*[expand_dims(part, axis=axis) for part in parts], axis=axis)


def index_of(index):
    """Check an index: Tensors cannot be one."""
    for part in index if type(index) is tuple else (index,):
        if type(part) is Tensor:
            raise TypeError("getitem: a Tensor cannot be an index. Use an integer array, or "
                            "tensor.data for its values.")
    return index


# ---------------------------------------------------------------- the same, as a product
#
# Sums over a few leading rows are a product with ones: about twice as fast.


@sum_to.arrays
def _(x, *, shape):
    lead = x.ndim - len(shape)
    if lead > 0 and shape and x.shape[lead:] == shape and x.dtype.kind == "f":
        return column_sum(x.reshape(prod(x.shape[:lead]), prod(shape))).reshape(shape), None
    return sum_to.formula(x, shape=shape), None
