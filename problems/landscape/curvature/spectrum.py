"""The ends of a spectrum: power iteration, easy to check, and Lanczos, which one should use.

Both ask for products with a symmetric operator only and both say how far off they may be: for a
unit vector v with mu = <v, A v> there is an eigenvalue within |A v - mu v| of mu. That residual is
what they stop on and what they report.

Power iteration's error shrinks like (lambda_2/lambda_1)^(2k). Lanczos finds the best Rayleigh
quotient over all the vectors that power iteration passes through, at the price of keeping them, and
returns both ends at once.
"""
from typing import Any, NamedTuple

import numpy as np

from minigrad.backend import float_of, xp
from optim.krylov import krylov_basis

from .hessian import operator


class PowerResult(NamedTuple):
    """An eigenvalue of the operator lies within `residual` of `value`.

    value, vector (n,)   the Rayleigh quotient and its unit vector
    residual             |A v - value v|
    converged            residual <= tol |value|
    products             with the operator
    """

    value: float
    vector: Any
    residual: float
    converged: bool
    products: int


class RitzResult(NamedTuple):
    """Eigenpairs seen from a Krylov space: an eigenvalue lies within each residual of its value.

    values (k,)      ascending, on the host
    vectors (k, n)   unit vectors, one a row, on the device
    residuals (k,)   |A v - value v| = b_m |s_m|, from the last row of T's eigenvectors; at least
                     rounding
    converged        as many pairs as asked for, with residuals <= tol times the largest |value|
    products         with the operator: the dimension of the space
    exhausted        the space was invariant: no more can be learned from this start
    """

    values: np.ndarray
    vectors: Any
    residuals: np.ndarray
    converged: bool
    products: int
    exhausted: bool


def power_iteration(op, iterations=100, tol=1e-4, rng=None, start=None, which="LA"):
    """The largest eigenvalue, algebraic ("LA") or in magnitude ("LM"), keeping two vectors.

        v <- A v/|A v|,   mu = <v, A v>,   stop when |A v - mu v| <= tol |mu|

    This finds the largest magnitude. If that is a negative eigenvalue, or the two ends tie, "LA"
    runs a second round on A + s I, s = |A v|, whose top is that of A, and returns the larger mu.
    Small changes of mu stop nothing: they come early when the top two are close.

    iterations   limit of each round
    Raises       ValueError for an operator that is not symmetric or not finite
    """
    op = operator(op)
    if which not in ("LA", "LM"):
        raise ValueError(f"power_iteration: unknown which {which!r}. Use 'LA' or 'LM'.")
    if iterations < 1:
        raise ValueError(f"power_iteration: iterations must be at least 1, got {iterations}.")
    v = unit_start("power_iteration", op, rng, start)
    first = iterate(op, v, 0.0, iterations, tol)
    tie = not first.converged and first.residual > 0.1 * abs(first.value)
    if which == "LM" or (first.value >= 0 and not tie):
        return first
    shift = float(np.hypot(first.value, first.residual))                # |A v|
    again = iterate(op, unit_start("power_iteration", op, rng, start), shift, iterations, tol)
    products = first.products + again.products
    return max(first, again, key=lambda found: found.value)._replace(products=products)


def iterate(op, v, shift, iterations, tol):
    """Power iteration on A + shift I from the unit vector v; mu and the residual are those of A."""
    last = None
    for k in range(1, iterations + 1):
        w = op.matvec(v)
        mu = float_of(xp.vdot(v, w))
        if not np.isfinite(mu):
            raise ValueError(f"power_iteration: product {k} with the operator is not finite. "
                             "Check the point (NaN, infinity) at which it was taken.")
        check_mirror(last, v, w)
        residual = float_of(xp.linalg.norm(w - mu * v))
        converged = residual <= tol * abs(mu)
        u = w + shift * v if shift else w
        length = float_of(xp.linalg.norm(u))
        if converged or length == 0.0 or k == iterations:
            return PowerResult(mu, v, residual, converged, k)
        last = (v, w)
        v = u * (1.0 / length)


def check_mirror(last, v, w):
    """<v_old, A v> = <v, A v_old> if A is symmetric: two dot products are the whole check."""
    if last is None:
        return
    here, there = float_of(xp.vdot(last[0], w)), float_of(xp.vdot(v, last[1]))
    size = max(float_of(xp.linalg.norm(w)), float_of(xp.linalg.norm(last[1])))
    if abs(here - there) > max(1e-6, 30.0 * float(np.sqrt(np.finfo(v.dtype).eps))) * size:
        raise ValueError("power_iteration: the operator is not symmetric: <u, A v> = "
                         f"{here:.6g}, but <v, A u> = {there:.6g}. Use a Hessian, or (A + A^T)/2.")


def lanczos(op, m=None, which="LA", k=1, rng=None, start=None, reorth=2, tol=1e-4):
    """k eigenpairs at one end, or at both, from m products.

    op       HessianOp, MatrixOp, anything with matvec and n, or a matrix
    m        steps; default 30 for one pair, max(2k + 20, 40) for more or for both ends, at most n
    which    "LA" the k largest, "SA" the k smallest, "both" the k smallest and the k largest
    rng      draws the start; or give `start` (n,)
    reorth   passes of orthogonalisation, see `krylov_basis`
    tol      of `converged`, a share of the largest |Ritz value|

    Costs m products and memory for m + 3 vectors of length n. Of a multiple eigenvalue one copy is
    found: a Krylov space meets each eigenspace in one direction.

    Source: Golub & Van Loan, Matrix Computations, 4th ed., section 10.1.
    Raises  ValueError for m > n, k < 1 or k > m, an unknown end, an operator that is not symmetric
            or not finite
    """
    op = operator(op)
    if which not in ("LA", "SA", "both"):
        raise ValueError(f"lanczos: unknown which {which!r}. Use 'LA', 'SA' or 'both'.")
    if m is None:
        m = min(op.n, 30 if k == 1 and which != "both" else max(2 * k + 20, 40))
    if k < 1 or k > m:
        raise ValueError(f"lanczos: k must lie in [1, m], got k={k} with m={m}.")
    space = krylov_basis(op.matvec, unit_start("lanczos", op, rng, start), m, reorth)
    every, S = space.ritz()
    steps = len(every)
    bottom, top = list(range(min(k, steps))), list(range(max(0, steps - k), steps))
    chosen = {"LA": top, "SA": bottom, "both": sorted({*bottom, *top})}[which]
    values, S, size = every[chosen], S[:, chosen], np.abs(every).max()
    rounding = float(np.finfo(space.V.dtype).eps) * size
    residuals = np.maximum(space.b[-1] * np.abs(S[-1]), rounding)
    complete = len(chosen) == min(2 * k if which == "both" else k, op.n)
    return RitzResult(values, xp.asarray(S.T, dtype=space.V.dtype) @ space.V, residuals,
                      complete and bool(np.all(residuals <= tol * size)), steps, space.exhausted)


def unit_start(name, op, rng, start):
    """The unit vector to begin with: `start`, or one drawn uniformly on the sphere."""
    if start is None:
        if rng is None:
            raise ValueError(f"{name}: needs a random start. "
                             "Pass rng=numpy.random.default_rng(seed), or start=.")
        start = xp.asarray(rng.standard_normal(op.n), dtype=getattr(op, "dtype", float))
    if tuple(start.shape) != (op.n,):
        raise ValueError(f"{name}: start must have shape ({op.n},), got {tuple(start.shape)}.")
    length = float_of(xp.linalg.norm(start))
    if not 0 < length < np.inf:
        raise ValueError(f"{name}: the starting vector has norm {length}. "
                         "Give one that is finite and not zero.")
    return start * (1.0 / length)
