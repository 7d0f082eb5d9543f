"""The ends of a spectrum: power iteration, easy to check, and Lanczos, which one should use.

Both ask for products with a symmetric operator only and both say how far off they may be: for a
unit vector v with μ = <v, A v> there is an eigenvalue within |A v - μ v| of μ. That residual is
what they stop on and what they report.

Power iteration's error shrinks like (lambda_2/lambda_1)^(2k). Lanczos finds the best Rayleigh
quotient over all the vectors that power iteration passes through, at the price of keeping them, and
returns both ends at once.
"""
from typing import Any, NamedTuple

import numpy as np

from minigrad.backend import float_of, xp
from minigrad.kinds import expects, array, natural, one_of, source, whole
from problems.landscape.doors import operator_of
from optim.second_order.krylov import krylov_basis, length
from problems.landscape.student import check_level

from .confidence import top_interval
from .hessian import dtype_of, operator


ROUNDING = 16.0                     # of an eigenvalue, in units of the dtype's eps and of |T|


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
    """Eigenpairs seen from Krylov spaces: an eigenvalue lies within each residual of its value.

    values (k,)      ascending, on the host
    vectors (k, n)   orthonormal, one a row, on the device
    residuals (k,)   |A v - value v| = b_m |s_m|, from the last row of T's eigenvectors; at least
                     rounding
    converged        as many pairs as asked for, with residuals <= tol times the largest |value|,
                     and, for several, no other found by a run across them from a new start
    products         with the operator, in all runs
    exhausted        the first space was invariant: no more can be learned from that start
    a, b (m,), n     T of the first run, as in `optim.krylov`, and the size of the operator
    drawn            the first start was drawn at random
    """

    values: np.ndarray
    vectors: Any
    residuals: np.ndarray
    converged: bool
    products: int
    exhausted: bool
    a: np.ndarray
    b: np.ndarray
    n: int
    drawn: bool

    def interval(self, level=0.95, end="top"):
        """(low, high) that holds the largest ("top") or smallest ("bottom") eigenvalue of all.

        With probability `level` or more over the random start: see `confidence`.
        """
        if end not in ("top", "bottom"):
            raise ValueError(f"RitzResult.interval: end must be 'top' or 'bottom', got {end!r}.")
        if not self.drawn:
            raise ValueError("RitzResult.interval: the start was given, and nothing is known of "
                             "what it misses. Draw it: pass rng= in place of start=.")
        check_level("RitzResult.interval", level)
        size = max(float(np.abs(self.a).max()), float(self.b.max()))
        rounding = ROUNDING * float(np.finfo(self.vectors.dtype).eps) * size
        if end == "top":
            return top_interval(self.a, self.b, self.n, level, rounding)
        low, high = top_interval(-self.a, self.b, self.n, level, rounding)
        return -high, -low


@expects(op=operator_of, which=one_of("LA", "LM"), iterations=whole(), tol=natural, rng=source,
         start=array)
def power_iteration(op, iterations=100, tol=1e-4, rng=None, start=None, which="LA"):
    """The largest eigenvalue, algebraic ("LA") or in magnitude ("LM"), keeping two vectors.

        v <- A v/|A v|,   μ = <v, A v>,   stop when |A v - μ v| <= tol |μ|

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
    last, size = None, 0.0
    for k in range(1, iterations + 1):
        w = op.matvec(v)
        mu = float_of(xp.vdot(v, w))
        if not np.isfinite(mu):
            raise ValueError(f"power_iteration: product {k} with the operator is not finite. "
                             "Check the point (NaN, infinity) at which it was taken.")
        size = max(size, length(w))
        check_mirror(last, v, w, size)
        residual = length(w - mu * v)
        converged = residual <= tol * abs(mu)
        u = w + shift * v if shift else w
        long = length(u)
        if converged or long == 0.0 or k == iterations:
            return PowerResult(mu, v, residual, converged, k)
        last = (v, w)
        v = u * (1.0 / long)


def check_mirror(last, v, w, size):
    """<v_old, A v> = <v, A v_old> if A is symmetric: two dot products are the whole check.

    size   the longest product so far; what is small beside it is rounding
    """
    if last is None:
        return
    here, there = float_of(xp.vdot(last[0], w)), float_of(xp.vdot(v, last[1]))
    if abs(here - there) > max(1e-6, 30.0 * float(np.sqrt(np.finfo(v.dtype).eps))) * size:
        raise ValueError("power_iteration: the operator is not symmetric: <u, A v> = "
                         f"{here:.6g}, but <v, A u> = {there:.6g}. Use a Hessian, or (A + A^T)/2.")


@expects(op=operator_of, which=one_of("LA", "SA", "both"), m=whole(), k=whole(), rng=source,
         start=array, reorth=whole(0), tol=natural)
def lanczos(op, m=None, which="LA", k=1, rng=None, start=None, reorth=2, tol=1e-4):
    """k eigenpairs at one end, or at both, from runs of m products.

    op       HessianOp, MatrixOp, anything with matvec and n, or a matrix
    m        steps; default 30 for one pair, max(2k + 20, 40) for more or for both ends, at most n
    which    "LA" the k largest, "SA" the k smallest, "both" the k smallest and the k largest
    rng      draws the starts; or give `start` (n,) of the first run
    reorth   passes of orthogonalisation, see `krylov_basis`
    tol      of `converged`, a share of the largest |Ritz value|

    A Krylov space meets each eigenspace in one direction: of a multiple eigenvalue a run sees one
    copy. So where more than one pair is asked for at an end, or fewer were found than asked for,
    and those found have converged, another run follows from a new random start orthogonal to them
    (deflation), and another, until a run finds none that belongs among them. Without rng there is
    no new start: `converged` is then False, unless the first run saw the whole space.

    Costs m products a run, one run for a single pair at an end; memory for m + 2k + 3 vectors of
    length n.

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
    size, products = np.abs(every).max(), len(every)
    rounding = float(np.finfo(space.V.dtype).eps) * size
    found = pairs(space, every, S, ends(every, k, which), rounding)
    asked = min(2 * k if which == "both" else k, op.n)
    complete = len(found.values) == asked
    alone = complete and (k == 1 or products == op.n)           # no copy could have been missed
    while not alone and rng is not None and len(found.values) < op.n:
        if np.any(found.residuals > tol * size):
            break                                               # too rough to look across them
        more = run_across(op, found.vectors, rng, min(m, op.n - len(found.values)), reorth, size)
        products += len(more.a)
        before = found.values
        found = merged(found, more, k, which, rounding)
        alone = len(found.values) == len(before) and np.all(
            np.abs(found.values - before) <= tol * size)
    complete = len(found.values) == asked and (alone or len(found.values) == op.n)
    return RitzResult(*found, complete and bool(np.all(found.residuals <= tol * size)), products,
                      space.exhausted, space.a, space.b, op.n, start is None)


class Pairs(NamedTuple):
    """Ritz values (k,) ascending, their vectors (k, n) and residuals (k,)."""

    values: np.ndarray
    vectors: Any
    residuals: np.ndarray


def pairs(space, every, S, chosen, rounding):
    """The chosen Ritz pairs of a space, from T's eigenvalues (m,) and eigenvectors (m, m)."""
    residuals = np.maximum(space.b[-1] * np.abs(S[-1, chosen]), rounding)
    vectors = xp.asarray(S[:, chosen].T, dtype=space.V.dtype) @ space.V
    return Pairs(every[chosen], vectors, residuals)


def ends(values, k, which):
    """Places of the k smallest, the k largest, or both, of values in ascending order."""
    n = len(values)
    bottom, top = range(min(k, n)), range(max(0, n - k), n)
    return {"LA": list(top), "SA": list(bottom), "both": sorted({*bottom, *top})}[which]


def run_across(op, vectors, rng, m, reorth, size):
    """A run of m steps in the space orthogonal to the vectors (k, n), from a random start in it."""
    def outside(v):
        for _ in range(2):                                      # once more for what rounding left
            v = v - (vectors @ v) @ vectors
        return v

    v = outside(unit_start("lanczos", op, rng, None))
    return krylov_basis(lambda w: outside(op.matvec(w)), v, m, reorth, size)


def merged(found, space, k, which, rounding):
    """The pairs at the ends among those found and those of another run, orthogonal to them."""
    every, S = space.ritz()
    other = pairs(space, every, S, ends(every, k, which), rounding)
    leak = float(np.hypot.reduce(found.residuals))              # A takes them into those found
    other = other._replace(residuals=np.hypot(other.residuals, leak))
    values = np.append(found.values, other.values)
    order = np.argsort(values, kind="stable")
    chosen = order[ends(order, k, which)]
    return Pairs(values[chosen], xp.concatenate([found.vectors, other.vectors])[xp.asarray(chosen)],
                 np.append(found.residuals, other.residuals)[chosen])


def unit_start(name, op, rng, start):
    """The unit vector to begin with: `start`, or one drawn uniformly on the sphere."""
    if start is None:
        if rng is None:
            raise ValueError(f"{name}: needs a random start. "
                             "Pass rng=numpy.random.default_rng(seed), or start=.")
        start = xp.asarray(rng.standard_normal(op.n), dtype=dtype_of(op))
    if tuple(start.shape) != (op.n,):
        raise ValueError(f"{name}: start must have shape ({op.n},), got {tuple(start.shape)}.")
    long = length(start)
    if not 0 < long < np.inf:
        raise ValueError(f"{name}: the starting vector has norm {long}. "
                         "Give one that is finite and not zero.")
    return start * (1.0 / long)
