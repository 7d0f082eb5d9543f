"""Fewer and cheaper passes over memory: what the fused operations' rules on arrays are built from.

An elementwise NumPy operation on a large array spends its time fetching numbers, not on
arithmetic, and a reduction over a short last axis spends it on starting over for every row.
Hence: chains of elementwise operations go block by block, each block staying in the processor's
cache through the whole chain; and sums over rows are products with a vector of ones. On a GPU
neither matters; there these are plain.

All of them see arrays only, and the products add in another order than `sum`: tests allow for it.
"""
from minigrad.backend import on_device, xp

BLOCK = 1 << 15                 # numbers, 128 KB in float32: several such blocks fit the cache


def blocks(*arrays):
    """Arrays with equally many rows (..., n), contiguous, cut into views of some rows (k, n).

    Yields one tuple of views after another, the first with about BLOCK numbers; on a GPU the whole
    arrays, once.
    """
    rows = [a.reshape(-1, a.shape[-1]) if a.ndim else a.reshape(1, 1) for a in arrays]
    count, width = rows[0].shape
    step = count if on_device else max(1, BLOCK // max(width, 1))
    for start in range(0, count, max(step, 1)):
        yield tuple(a[start:start + step] for a in rows)


def row_sum(x):
    """Sum over the last axis, kept: (..., n) -> (..., 1)."""
    n = x.shape[-1]
    return (x.reshape(-1, n) @ xp.ones(n, x.dtype)).reshape(x.shape[:-1] + (1,))


def column_sum(x):
    """Sum over all axes but the last: (..., n) -> (n,)."""
    rows = x.reshape(-1, x.shape[-1])
    return xp.ones(len(rows), x.dtype) @ rows


def row_dot(a, b):
    """Dot products of the rows, kept: (..., n) (..., n) -> (..., 1)."""
    if on_device:
        return (a * b).sum(axis=-1, keepdims=True)
    return xp.vecdot(a, b)[..., None]
