"""Fewer and cheaper passes over memory: every trick that the fast halves of `ops/` are built from.

A file of `ops/` has two halves. Above, the formula: what an operation gives and its derivative, as
one would write them down. Below a banner, the same block by block, for arrays only: `op.arrays` and
`op.vjp_arrays`. Deleting everything below the banners leaves everything working, slower;
MINIGRAD_PLAIN=1 does that without deleting.

An elementwise NumPy operation on a large array spends its time fetching numbers, not on
arithmetic, and a reduction over a short last axis spends it on starting over for every row. Hence

    blocks, several    chains of operations go a few rows at a time, which stay in the processor's
                       cache through the whole chain
    row_sum, ...       sums over rows and columns are products with a vector of ones
    total              where many are added, a few at a time: in float32 five million rows of two
                       are good to 1e-7, and to 8e-5 by `sum`, a hundred times slower
    row_max            maxima of short rows are taken along columns of the transpose

On a GPU neither matters, and most of these are plain there. All see arrays only.
"""
import functools
import math
import time

import numpy

from minigrad.backend import on_device, xp

BLOCK = 1 << 15                 # numbers, 128 KB in float32: several such blocks fit the cache
SHORT = 64                      # a last axis up to this length is short


def several(step, *arrays):
    """The arrays (N, ...), None among them allowed, cut along the first axis into views of `step`
    rows; whole on a GPU. Yields one tuple of views after another."""
    count = next(len(a) for a in arrays if a is not None)
    step = max(count, 1) if on_device else max(1, int(step))
    if 0 < count <= step:
        yield arrays
        return
    for start in range(0, count, step):
        yield tuple(None if a is None else a[start:start + step] for a in arrays)


def blocks(*arrays):
    """Arrays of equally many rows (..., n), contiguous, as views of some rows (k, n), the first
    with about BLOCK numbers."""
    rows = [as_rows(a) for a in arrays]
    return several(BLOCK // max(rows[0].shape[1], 1), *rows)


def as_rows(a):
    """(..., n) as (N, n), a number as (1, 1); also where an axis is empty."""
    if a.ndim == 2:
        return a
    return a.reshape(math.prod(a.shape[:-1]), a.shape[-1]) if a.ndim else a.reshape(1, 1)


def laid_out(*arrays):
    """The arrays as they are if they lie row after row, else copies that do: a view made by
    `reshape` can then be written through."""
    return tuple(a if a.flags.c_contiguous else xp.ascontiguousarray(a) for a in arrays)


MANY = 1 << 12                  # numbers that may be added in any order
FEW, WIDE = 128, 1 << 11        # rows added one by one; numbers in them, so that sums stay in cache


def total(x, axis=None, keepdims=False):
    """Sum along axes (None, one or a tuple), as `x.sum`, in float32 right to a few roundings.

    NumPy adds in pairs along the axis whose numbers are next to each other, and one by one along
    others: the millionth number is then rounded to what a million take. CuPy gives such an axis to
    few of the GPU's processors, 2 of 132 for 64 channels: 40 times as long as a few at a time.
    """
    if x.size <= MANY or x.dtype.kind != "f" or x.dtype.itemsize > 4 and not on_device:
        return x.sum(axis=axis, keepdims=keepdims)
    axes = range(x.ndim) if axis is None else axis if type(axis) is tuple else (axis,)
    axes = {a % x.ndim for a in axes}
    count = math.prod(x.shape[a] for a in axes)
    if count <= 2 * FEW:
        return x.sum(axis=axis, keepdims=keepdims)
    order = sorted(range(x.ndim), key=lambda a: -abs(x.strides[a]))     # as it lies in memory
    y, shape, a = x.transpose(order), [x.shape[a] for a in order], x.ndim
    y = y if y.flags.c_contiguous else xp.ascontiguousarray(y)
    while a:                                                            # one run of axes, then
        a -= 1                                                          # those before it
        if order[a] in axes:
            stop = a + 1
            while a and order[a - 1] in axes:
                a -= 1
            y = _added(y.reshape(math.prod(shape[:a]), math.prod(shape[a:stop]),
                                 math.prod(shape[stop:])))
            shape[a:stop] = [1] * (stop - a)
    back = sorted(range(x.ndim), key=order.__getitem__)
    y = y.reshape(shape).transpose(back)
    return y if keepdims else y.reshape([n for a, n in enumerate(x.shape) if a not in axes])


def _added(x):
    """Sum over the middle axis (k, n, l) -> (k, l), FEW at a time; along l = 1 NumPy does."""
    k, n, l = x.shape
    if n <= 2 * FEW or l <= 1:
        return x.reshape(k, n).sum(axis=1) if l == 1 else x.sum(axis=1)
    rows = min(n // FEW, max(1, WIDE // l))
    whole = n - n % (FEW * rows)
    parts = x[:, :whole].reshape(k, whole // (FEW * rows), FEW, rows * l).sum(axis=2)
    y = _added(parts.reshape(k, whole // FEW, l))
    return y + _added(x[:, whole:]) if whole < n else y


def crossed(a, b):
    """a^T b for rows a (N, m) and b (N, n). Where one of them is a column BLAS adds one by one: then
    MANY rows at a time."""
    N, m, n = len(a), a.shape[1], b.shape[1]
    if N <= 4 * MANY or min(m, n) != 1 or on_device or a.dtype.itemsize > 4:
        return a.T @ b
    whole = N - N % MANY
    parts = xp.matmul(a[:whole].reshape(-1, MANY, m).swapaxes(1, 2),
                      b[:whole].reshape(-1, MANY, n))
    return total(parts, 0) + a[whole:].T @ b[whole:]


def row_sum(x):
    """Sum over the last axis, kept: (..., n) -> (..., 1)."""
    if x.shape[-1] == 2:
        return x[..., :1] + x[..., 1:]
    if x.shape[-1] > MANY:
        return total(x, -1, keepdims=True)
    return (as_rows(x) @ xp.ones(x.shape[-1], x.dtype)).reshape(x.shape[:-1] + (1,))


def column_sum(x):
    """Sum over all axes but the last: (..., n) -> (n,)."""
    rows = as_rows(x)
    return xp.ones(len(rows), x.dtype) @ rows if len(rows) <= MANY else total(rows, 0)


def row_dot(a, b):
    """Dot products of the rows, kept: (..., n) (..., n) -> (..., 1)."""
    if a.shape[-1] == 1:
        return a * b
    if on_device or a.shape[-1] > MANY:
        return total(a * b, -1, keepdims=True)
    return xp.vecdot(a, b)[..., None]


def row_max(x):
    """Maximum of the last axis, kept: (..., n) -> (..., 1)."""
    if x.shape[-1] > SHORT or on_device or x.ndim < 2 or not x.size:
        return x.max(axis=-1, keepdims=True)
    if x.ndim == 2 and x.size <= BLOCK:
        return xp.ascontiguousarray(x.T).max(axis=0)[:, None]
    largest = xp.empty(x.shape[:-1] + (1,), x.dtype)
    for x_, largest_ in blocks(x, largest):
        largest_[:, 0] = xp.ascontiguousarray(x_.T).max(axis=0)
    return largest


def sum_along(x, axis):
    """Sum along `axis`, kept: by a product where it is the last one, or the first of two."""
    if axis == -1:
        return row_sum(x)
    if axis == (0,) and x.ndim == 2:
        return column_sum(x)[None]
    return total(x, axis, keepdims=True)


def dot_along(a, b, axis):
    """Sum of a b along `axis`, kept."""
    return row_dot(a, b) if axis == -1 else sum_along(a * b, axis)


def inverse_deviation(c, axis, n, eps):
    """r = 1 / √(sum c² / n + ε) along the axis, kept. Where squares overflow r is 0 at first; then,
    if nobody has to wait for that to be seen, they are taken of c over its largest."""
    r = 1.0 / xp.sqrt(dot_along(c, c, axis) * (1.0 / n) + eps)
    if xp is not numpy or numpy.count_nonzero(r) == r.size:
        return r
    largest = xp.abs(c).max(axis=axis, keepdims=True)
    lost = (r == 0) & xp.isfinite(largest)
    largest = xp.where(lost, largest, 1.0).astype(c.dtype)
    z = c / largest
    return xp.where(lost, 1.0 / xp.sqrt(dot_along(z, z, axis) * (1.0 / n)) / largest, r)


def are_safe(r):
    """Did no sum of squares overflow or lose digits on the way to these lengths? Looked at only
    where nobody has to wait for the answer, nor repeats the call with other numbers."""
    if xp is not numpy:
        return False
    low, high = safe_lengths(r.dtype)
    return low < r < high if r.ndim == 0 else low < r.min() and r.max() < high


@functools.cache
def safe_lengths(dtype):
    info = numpy.finfo(dtype)
    return math.sqrt(float(info.tiny) / float(info.eps)), 0.5 * math.sqrt(float(info.max))


def overflow_is_infinity():
    """`with` it, e^z and 1 / e^z may be infinite without a warning: 1 / (1 + e^z) is then 0, as it
    should."""
    return numpy.errstate(over="ignore", divide="ignore")


def over_cosh_squared(g, x, y):
    """y <- g / cosh² x, for one block, y another than g. Without AVX-512 NumPy's cosh is slow."""
    if on_device or cosh_is_quick(x.dtype):
        xp.cosh(x, out=y)
    else:
        by_exponentials(x, y)
    y *= y
    xp.divide(g, y, out=y)


def by_exponentials(x, y):
    """y <- cosh x = (e^x + 1 / e^x) / 2."""
    xp.exp(x, out=y)
    y += xp.divide(1.0, y)
    y *= 0.5


@functools.cache
def cosh_is_quick(dtype):
    """Measured once, with a margin that noise does not cross, as the last digits differ: 0.35 (float32)
    and 1.1 (float64) of the time by exponentials with AVX-512, 2 to 10 without."""
    x = numpy.linspace(-3.0, 3.0, 4096, dtype=dtype)
    y = numpy.empty_like(x)
    cosh, exponentials = best_times(lambda: numpy.cosh(x, out=y), lambda: by_exponentials(x, y))
    return cosh < 1.5 * exponentials


def best_times(*works):
    """Seconds of the quickest of 25 calls of each, which take turns: for a choice between ways whose
    last digits differ. What else the machine does meets all of them, and the choice stays the same.
    """
    times = [[] for _ in works]
    for _ in range(25):
        for work, seconds in zip(works, times):
            start = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - start)
    return [min(seconds) for seconds in times]
