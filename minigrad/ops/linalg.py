"""Products of matrices and vectors."""
from math import prod

from minigrad.backend import xp
from minigrad.errors import said
from minigrad.ops.passes import as_rows, column_sum, crossed
from minigrad.ops.reduce import sum
from minigrad.ops.shape import expand_dims, fitted, reshape, sum_to
from minigrad.tensor import primitive


def _rows(x):
    """All but the last axis as one: (..., k) -> (N, k)."""
    return x if x.ndim == 2 else reshape(x, shape=(prod(x.shape[:-1]), x.shape[-1]))


@primitive
def _matmul(a, b):
    """a b for matrices in the last two axes; the axes before broadcast.

        y = a b:      da = g b^T,   db = a^T g
        y = a^T b:    da = b g^T,   db = a g
        y = a b^T:    da = g b,     db = g^T a

    One matrix b shared by many a is one product of the stacked rows of a. The products with a
    transpose are operations of their own, so that no derivative is ever laid out transposed.
    """
    if b.ndim == 2 and a.ndim > 2 and a.shape[-1] == b.shape[0]:
        return (as_rows(a) @ b).reshape(a.shape[:-1] + b.shape[1:])
    return xp.matmul(a, b)


@_matmul.vjp
def _(g, y, a, b, *, needs):
    da = fitted(_matmul_nt(g, b), a) if needs[0] else None
    if not needs[1]:
        return da, None
    return da, _matmul_tn(_rows(a), _rows(g)) if b.ndim == 2 else fitted(_matmul_tn(a, g), b)


@primitive
def _matmul_tn(a, b):
    """a^T b for matrices in the last two axes: see `_matmul`."""
    return crossed(a, b) if a.ndim == b.ndim == 2 else xp.matmul(a.swapaxes(-1, -2), b)


@_matmul_tn.vjp
def _(g, y, a, b, *, needs):
    return (fitted(_matmul_nt(b, g), a) if needs[0] else None,
            fitted(_matmul(a, g), b) if needs[1] else None)


@primitive
def _matmul_nt(a, b):
    """a b^T for matrices in the last two axes: see `_matmul`."""
    if b.ndim == 2 and a.ndim > 2 and a.shape[-1] == b.shape[1]:
        return (as_rows(a) @ b.T).reshape(a.shape[:-1] + b.shape[:1])
    return xp.matmul(a, b.swapaxes(-1, -2))


@_matmul_nt.vjp
def _(g, y, a, b, *, needs):
    da = fitted(_matmul(g, b), a) if needs[0] else None
    if not needs[1]:
        return da, None
    return da, _matmul_tn(_rows(g), _rows(a)) if b.ndim == 2 else fitted(_matmul_tn(g, a), b)


@said
def matmul(a, b):
    """Matrix product a b:  (..., m, k) (..., k, n) -> (..., m, n); leading axes broadcast.

    A vector a (k,) counts as one row, a vector b (k,) as one column, and the axis is dropped again.
    """
    if not (getattr(a, "ndim", 0) and getattr(b, "ndim", 0)):
        shapes = " @ ".join(str(x.shape) if hasattr(x, "shape") else repr(x) for x in (a, b))
        raise ValueError(f"matmul: needs vectors or matrices, got {shapes}. Use * for numbers.")
    if a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        raise ValueError(f"matmul: inner dimensions differ: {a.shape} @ {b.shape}. The last axis "
                         "of the left must match the second last of the right; transpose one of "
                         "them?")
    if a.ndim > 1 and b.ndim > 1:
        return _matmul(a, b)
    row = a if a.ndim > 1 else expand_dims(a, axis=0)
    column = b if b.ndim > 1 else expand_dims(b, axis=1)
    y = _matmul(row, column)
    lead = y.shape[:-2]
    return reshape(y, shape=lead + y.shape[-2:-1] * (a.ndim > 1) + y.shape[-1:] * (b.ndim > 1))


@primitive
def linear(x, W, b):
    """x W + b for rows x (..., B, m), W (..., m, n) and b (..., n), in one operation. Leading axes
    of W and b are a batch of points.

        dx = g W^T,    dW = x^T g,    db = sum of g over the rows
    """
    check_linear(x, W, b)
    return _matmul.forward(x, W) + (b if b.ndim == 1 else b[..., None, :])


@linear.vjp
def _(g, y, x, W, b, *, needs):
    dx, dW = _matmul.rule(g, y, x, W, needs=needs)
    if not needs[2]:
        return dx, dW, None
    rows = (1,) * (b.ndim > 1)                       # b (..., n) was added as (..., 1, n)
    return dx, dW, reshape(sum_to(g, shape=b.shape[:-1] + rows + b.shape[-1:]), shape=b.shape)


def check_linear(x, W, b):
    if x.shape[-1:] != W.shape[-2:-1] or b.shape != W.shape[:-2] + W.shape[-1:]:
        raise ValueError(f"linear: x {x.shape}, W {W.shape} and b {b.shape} do not fit. "
                         "Give (..., B, m), (..., m, n) and (..., n).")


@said
def outer(a, b):
    """Outer product  y_ij = a_i b_j:  (..., m) (..., n) -> (..., m, n)."""
    return expand_dims(a, axis=-1) * expand_dims(b, axis=-2)


@said
def dot(a, b):
    """Inner product of the last axes  y = sum_i a_i b_i:  (..., n) (..., n) -> (...)."""
    if a.shape[-1:] != b.shape[-1:]:
        raise ValueError(f"dot: last axes differ: {a.shape} and {b.shape}. Give vectors of equal "
                         "length.")
    return sum(a * b, axis=-1)


# ---------------------------------------------------------------- the same, with one copy less
#
# b is added in place, so that no copy without it is kept; the rule takes no detour over operations,
# which small layers feel.


@linear.arrays
def _(x, W, b):
    check_linear(x, W, b)
    y = _matmul.forward(x, W)
    y += b if b.ndim == 1 else b[..., None, :]
    return y, None


@linear.vjp_arrays
def _(g, y, _, x, W, b, *, needs):
    if W.ndim > 2:
        return linear.rule(g, y, x, W, b, needs=needs)
    rows = as_rows(g)
    return ((rows @ W.T).reshape(x.shape) if needs[0] else None,
            crossed(as_rows(x), rows) if needs[1] else None, column_sum(rows) if needs[2] else None)
