"""Fewer and cheaper passes over memory: every trick that the fast halves of `ops/` are built from.

A file of `ops/` has two halves. Above, the formula: what an operation gives and its derivative, as
one would write them down. Below a banner, the same block by block, for arrays only: `op.arrays` and
`op.vjp_arrays`. Deleting everything below the banners leaves everything working, slower;
MINIGRAD_PLAIN=1 does that without deleting.

An elementwise NumPy operation on a large array spends its time fetching numbers, not on
arithmetic, and a reduction over a short last axis spends it on starting over for every row. Hence

    blocks, several    chains of operations go a few rows at a time, which stay in the processor's
                       cache through the whole chain
    row_sum, ...       sums over rows and columns are products with a vector of ones; that they add
                       in another order is no loss: in float32 a million numbers summed along the
                       first axis are good to 3e-6, and to 2e-5 by `sum`
    row_max            maxima of short rows are taken along columns of the transpose

On a GPU neither matters; there these are plain. All see arrays only.
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
    for start in range(0, count, step):
        yield tuple(None if a is None else a[start:start + step] for a in arrays)


def blocks(*arrays):
    """Arrays of equally many rows (..., n), contiguous, as views of some rows (k, n), the first
    with about BLOCK numbers."""
    rows = [as_rows(a) for a in arrays]
    return several(BLOCK // max(rows[0].shape[1], 1), *rows)


def as_rows(a):
    """(..., n) as (N, n), a number as (1, 1); also where an axis is empty."""
    return a.reshape(math.prod(a.shape[:-1]), a.shape[-1]) if a.ndim else a.reshape(1, 1)


def laid_out(*arrays):
    """The arrays as they are if they lie row after row, else copies that do: a view made by
    `reshape` can then be written through."""
    return tuple(a if a.flags.c_contiguous else xp.ascontiguousarray(a) for a in arrays)


def row_sum(x):
    """Sum over the last axis, kept: (..., n) -> (..., 1)."""
    return (as_rows(x) @ xp.ones(x.shape[-1], x.dtype)).reshape(x.shape[:-1] + (1,))


def column_sum(x):
    """Sum over all axes but the last: (..., n) -> (n,)."""
    rows = as_rows(x)
    return xp.ones(len(rows), x.dtype) @ rows


def row_dot(a, b):
    """Dot products of the rows, kept: (..., n) (..., n) -> (..., 1)."""
    if on_device:
        return (a * b).sum(axis=-1, keepdims=True)
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
    return x.sum(axis=axis, keepdims=True)


def dot_along(a, b, axis):
    """Sum of a b along `axis`, kept."""
    return row_dot(a, b) if axis == -1 else sum_along(a * b, axis)


def overflow_is_infinity():
    """`with` it, e^z and 1 / e^z may be infinite without a warning: 1 / (1 + e^z) is then 0, as it
    should."""
    return numpy.errstate(over="ignore", divide="ignore")


def over_cosh_squared(g, x, y):
    """y <- g / cosh² x, for one block, y another than g. Without AVX-512 NumPy's cosh is slow."""
    if on_device or cosh_is_quick(x.dtype.name):
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
    """Measured once: 0.5 of the time of two exponentials with AVX-512, 2 to 10 without."""
    x = numpy.linspace(-3.0, 3.0, 4096, dtype=dtype)
    y = numpy.empty_like(x)
    return best_time(lambda: numpy.cosh(x, out=y)) < best_time(lambda: by_exponentials(x, y))


def best_time(work):
    """Seconds of the quickest of five calls: for a choice between two ways to the same numbers,
    which one is quicker depends on the processor."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
