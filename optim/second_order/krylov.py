"""The Lanczos process: a symmetric operator seen through a few of its products.

    A V_j = V_j T_j + b_j v_{j+1} e_jᵀ

Each step multiplies the newest vector by A and takes out what the older ones already span. In exact
arithmetic only the last two vectors matter (A is symmetric), so A looks tridiagonal from inside the
space. In floating point that fails as soon as one eigenvalue has converged, and copies of it appear
("ghosts"); so the vectors are kept orthogonal to all older ones. That reads the whole of V, which
soon costs as much as a product with A, so it is done when an estimate says that it is needed.

Only `matvec` is ever asked. Saddle-free Newton steps inside the space; `problems.landscape` reads
eigenvalues and spectral densities off T.

Source: Lanczos 1950; Golub & Van Loan, Matrix Computations, 4th ed., section 10.1 (process, bound
on the error of a Ritz value) and 10.3 (loss of orthogonality).
"""
import math
from typing import Any, NamedTuple

import numpy as np

from minigrad.arguments import count, point
from minigrad import norm
from minigrad.backend import float_of, to_host, xp
from minigrad.ops.passes import are_safe, overflow_is_infinity

BREAKDOWN = 1e-10       # b_j below this share of |T|: the space is invariant, the rest noise
DRIFT = 0.6             # vectors count as orthogonal up to rounding ** DRIFT: 4e-10 in float64
ROUNDING = 4.0          # of a step, in units of the dtype's eps: dot products err less than sqrt(n)
ALWAYS = 8              # the first steps are orthogonalised in any case: they show asymmetry
ASYMMETRY = 1e-6        # <v, A w> and <w, A v> may differ by this share of |T| (float64)


class Krylov(NamedTuple):
    """What m steps found: V A Vᵀ = T and the size of what leaves the space.

    V (m, n)    orthonormal rows, on the device
    a (m,)      diagonal of T, on the host
    b (m,)      the entries beside it; b[-1] leads out of the space
    exhausted   the space is invariant: T holds eigenvalues of A to rounding
    """

    V: Any
    a: np.ndarray
    b: np.ndarray
    exhausted: bool

    def ritz(self):
        """Eigenvalues (m,) ascending and eigenvectors S (m, m), in columns, of T."""
        return tridiagonal_eigh(self.a, self.b[:-1])


def tridiagonal_eigh(a, b):
    """Eigenpairs of the symmetric matrix with diagonal a (m,) and off-diagonal b (m-1,)."""
    return np.linalg.eigh(np.diag(a) + np.diag(b, 1) + np.diag(b, -1))


def krylov_basis(matvec, start, m, passes=2, size=0.0):
    """Run m Lanczos steps from `start` (n,).

        w = A v_j,    a_j = <v_j, w>,    w ← w - a_j v_j - b_{j-1} v_{j-1}
        w ← w - Vᵀ V w                (where `drift` asks for it)
        b_j = |w|,    v_{j+1} = w / b_j

    passes   limit of repetitions of the second line; a pass that takes out less than sqrt(rounding)
             |A v_j| is the last. 0: the bare recurrence, to show what goes wrong
    size     |A|, as far as it is known: what is small beside it is rounding

    Returns a Krylov record; it holds fewer than m steps if the space became invariant.
    Raises  ValueError for m outside [1, n], a start without direction, an operator that is not
            symmetric (the passes show it at no cost) or returns NaN
    """
    point("lanczos", start, "start")
    n = start.shape[0]
    if not 1 <= count("lanczos", "m", m, least=-math.inf) <= n:
        raise ValueError(f"lanczos: m must lie in [1, n], got m={m} for an operator of size n={n}. "
                         "A Krylov space has at most n dimensions.")
    long = length(start)
    if not 0 < long < math.inf:
        raise ValueError(f"lanczos: the starting vector has norm {long}. "
                         "Give one that is finite and not zero.")
    V = xp.empty((m, n), dtype=start.dtype)
    rounding = float(np.finfo(V.dtype).eps)
    a, b = np.zeros(m), np.zeros(m)
    before, now = np.zeros(0), np.zeros(0)            # drift of v_{j-1} and v_j from the older ones
    due = ALWAYS
    V[0] = start * (1.0 / long)
    part = xp.empty_like(V[0])
    for j in range(m):
        v = V[j]
        w = matvec(v)
        a[j] = float_of(xp.vdot(v, w))
        product = length(w)
        if not math.isfinite(product):
            raise ValueError(f"lanczos: product {j + 1} with the operator is not finite. "
                             "Check the point (NaN, infinity) at which it was taken.")
        w = w - xp.multiply(v, float(a[j]), out=part)
        if j:
            w -= xp.multiply(V[j - 1], float(b[j - 1]), out=part)
        scale = max(np.abs(a[:j + 1]).max(), b.max(), size)
        b[j] = length(w)
        before, now = now, drift(a, b, now, before, ROUNDING * rounding * scale)
        if np.abs(now).max() > rounding**DRIFT:
            due = max(due, 2)                         # v_{j+1} and v_{j+2}: the recurrence has both
        if due and passes:
            for repeat in range(passes):
                h = V[:j + 1] @ w
                w -= h @ V[:j + 1]
                if repeat == 0:
                    check_symmetry(to_host(h), b, scale, rounding)
                if length(h) <= math.sqrt(rounding) * product:
                    break
            b[j] = length(w)
            now[:] = ROUNDING * rounding
            due -= 1
        if b[j] <= BREAKDOWN * scale or (passes and j + 1 == n):
            return Krylov(V[:j + 1], a[:j + 1], b[:j + 1], True)
        if j + 1 < m:
            xp.multiply(w, 1.0 / float(b[j]), out=V[j + 1])
    return Krylov(V, a, b, False)


def length(v):
    """|v|, a float: that of any vector of finite numbers, also where their squares are not."""
    with overflow_is_infinity():
        size = xp.linalg.norm(v)
    return float_of(size if are_safe(size) else norm(v))


def drift(a, b, now, before, noise):
    """<v_k, v_{j+1}> for k = 0 ... j, as rounding makes it grow, from those of v_j and v_{j-1}.

        b_j w'_k = b_k w_{k+1} + (a_k - a_j) w_k + b_{k-1} w_{k-1} - b_{j-1} w^-_k +- noise

    which is the process's own recurrence, multiplied by v_k from the left. j numbers a step tell
    when a pass over all of V is due.

    Source: Simon 1984, Mathematics of Computation 42, 115-142.
    """
    j = len(now)
    if b[j] == 0.0:
        return np.full(j + 1, np.inf)
    if j == 0:
        return np.array([noise / b[0]])
    w, w_before = np.append(now, 1.0), np.append(before, 1.0)           # <v_j, v_j> = 1
    grown = b[:j] * w[1:] + (a[:j] - a[j]) * w[:-1] - b[j - 1] * w_before
    grown[1:] += b[:j - 1] * w[:j - 1]
    return np.append((grown + np.copysign(noise, grown)) / b[j], noise / b[j])


def check_symmetry(h, b, scale, rounding):
    """The recurrence leaves h_i = <v_i, A v_j> - <v_j, A v_i> along v_i: 0 if A is symmetric."""
    if len(h) < 2:
        return
    j = len(h) - 1
    i = int(np.abs(h[:-1]).argmax())
    if abs(h[i]) > max(ASYMMETRY, 30.0 * math.sqrt(rounding)) * scale:
        back = b[i] if i == j - 1 else 0.0
        raise ValueError(f"lanczos: the operator is not symmetric: <v{i}, A v{j}> = "
                         f"{h[i] + back:.6g}, but <v{j}, A v{i}> = {back:.6g}. "
                         "Use a Hessian, or (A + A^T)/2.")
