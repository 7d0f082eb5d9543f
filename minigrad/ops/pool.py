"""Pooling: one number for each window of an image, by maximum or by mean.

Images are channels last, x (B, H, W, C). Both poolings are separable: pool along the height, then
along the width. The maximum of a window is a choice of one of its elements, so it is linear where
the choice stays the same. Two linear maps that depend on x only through that choice make its
derivatives:

    pool_pick(c, x)    the element of c at the place of x's maximum, in each window
    pool_route(g, x)   its transpose: g sent back to that place, zeros elsewhere

    max_pool(x) = pool_pick(x, x),      d max_pool(x) = pool_pick(dx, x)

Of equal elements the first one is chosen (the whole gradient goes there).
"""
from minigrad.backend import xp
from minigrad.errors import said
from minigrad.ops.reduce import mean
from minigrad.ops.shape import reshape
from minigrad.tensor import primitive


@said
def max_pool(x, *, size=2, stride=None):
    """Largest element of each size x size window.   x (B, H, W, C) -> (B, H', W', C)

    Windows start every `stride` pixels (default: size, so that they tile the image).
    """
    stride = checked("max_pool", x, size, stride)
    return pool_max(pool_max(x, axis=1, size=size, stride=stride), axis=2, size=size, stride=stride)


@said
def average_pool(x, *, size=2, stride=None):
    """Mean of each size x size window.   x (B, H, W, C) -> (B, H', W', C)"""
    stride = checked("average_pool", x, size, stride)
    sums = pool_sum(pool_sum(x, axis=1, size=size, stride=stride), axis=2, size=size, stride=stride)
    return sums * (1.0 / (size * size))


@said
def global_mean(x):
    """Mean over the pixels of each channel.   x (B, H, W, C) -> (B, C)"""
    if x.ndim != 4:
        raise ValueError(f"global_mean: x has shape {x.shape}. Give images (B, H, W, C).")
    B, H, W, C = x.shape
    return mean(reshape(x, shape=(B, H * W, C)), axis=1)


def checked(name, x, size, stride):
    stride = size if stride is None else stride
    if x.ndim != 4:
        raise ValueError(f"{name}: x has shape {x.shape}. Give images (B, H, W, C).")
    if stride < 1 or size < 1 or min(x.shape[1:3]) < size:
        raise ValueError(f"{name}: windows of size {size} with stride {stride} do not fit images "
                         f"of {x.shape[1]} x {x.shape[2]}. Use 1 <= size <= image and stride >= 1.")
    return stride


def parts(x, axis, size, stride):
    """The `size` views of x that hold element 0, 1, ... of every window along the axis."""
    count = (x.shape[axis] - size) // stride + 1
    before = (slice(None),) * axis
    return [x[before + (slice(k, k + stride * (count - 1) + 1, stride),)] for k in range(size)]


def chosen(x, axis, size, stride):
    """(largest element, its number in the window) of each window along the axis."""
    y, *others = parts(x, axis, size, stride)
    place = xp.zeros(y.shape, dtype=xp.int16)
    for k, part in enumerate(others, 1):
        place = xp.where(part > y, xp.int16(k), place)
        y = xp.maximum(y, part)
    return y, place


def route(g, place, shape, axis, size, stride):
    """zeros(shape) with each g added at the chosen place of its window."""
    out = xp.zeros(shape, dtype=g.dtype)
    for k, part in enumerate(parts(out, axis, size, stride)):
        part += g * (place == k)
    return out


@primitive
def pool_max(x, *, axis, size, stride):
    """Largest of `size` neighbours along an axis.   d y = pool_pick(dx, x)"""
    return chosen(x, axis, size, stride)[0]


@pool_max.vjp
def _(g, y, x, *, axis, size, stride):
    return pool_route(g, x, axis=axis, size=size, stride=stride)


@primitive
def pool_pick(c, x, *, axis, size, stride):
    """The element of c where x has its maximum, in each window. Linear in c, constant in x."""
    place = chosen(x, axis, size, stride)[1]
    return sum(part * (place == k) for k, part in enumerate(parts(c, axis, size, stride)))


@pool_pick.vjp
def _(g, y, c, x, *, needs, axis, size, stride):
    return pool_route(g, x, axis=axis, size=size, stride=stride), None


@primitive
def pool_route(g, x, *, axis, size, stride):
    """Each g at the place of x's maximum in its window, else zeros. Linear in g, constant in x."""
    return route(g, chosen(x, axis, size, stride)[1], x.shape, axis, size, stride)


@pool_route.vjp
def _(c, y, g, x, *, needs, axis, size, stride):
    return pool_pick(c, x, axis=axis, size=size, stride=stride), None


@primitive
def pool_sum(x, *, axis, size, stride):
    """Sum of `size` neighbours along an axis: linear, its transpose is `pool_spread`."""
    first, *others = parts(x, axis, size, stride)
    return sum(others, first + 0.0)


@pool_sum.vjp
def _(g, y, x, *, axis, size, stride):
    return pool_spread(g, shape=x.shape, axis=axis, size=size, stride=stride)


@primitive
def pool_spread(g, *, shape, axis, size, stride):
    """Each g added to the `size` elements of its window: the transpose of `pool_sum`."""
    out = xp.zeros(shape, dtype=g.dtype)
    for part in parts(out, axis, size, stride):
        part += g
    return out


@pool_spread.vjp
def _(c, y, g, *, shape, axis, size, stride):
    return pool_sum(c, axis=axis, size=size, stride=stride)


# ---------------------------------------------------------------- the same, with fewer passes
#
# The choice is kept as bytes, as a view of the comparison where there are two to choose from;
# windows that tile the image are written instead of added to.


def _small(size):
    return xp.int8 if size <= 127 else xp.int16


def _chosen(x, axis, size, stride):
    y, *others = parts(x, axis, size, stride)
    small = _small(size)
    place = xp.zeros(y.shape, dtype=small)
    for k, part in enumerate(others, 1):
        larger = part > y
        place = (larger.view(xp.int8) if k == 1 and small is xp.int8 else
                 xp.where(larger, small(k), place))
        y = xp.maximum(y, part)
    return y, place


def _chose(place, k, size):
    """Where element k of the window was chosen, a mask."""
    return place.view(bool) if size == 2 and k == 1 else place == k


def _route(g, place, shape, axis, size, stride):
    tiles = size == stride and shape[axis] == size * g.shape[axis]
    if not tiles or size == 1:
        return route(g, place, shape, axis, size, stride)
    out = xp.empty(shape, dtype=g.dtype)
    first, *others = parts(out, axis, size, stride)
    left = g                                            # what no later element of the window took
    for k, part in enumerate(others, 1):
        xp.multiply(g, _chose(place, k, size), out=part)
        left = xp.subtract(left, part, out=first)
    return out


@pool_max.arrays
def _(x, *, axis, size, stride):
    return _chosen(x, axis, size, stride)


@pool_max.vjp_arrays
def _(g, y, place, x, *, needs, axis, size, stride):
    return (_route(g, place, x.shape, axis, size, stride),)
