"""The Lanczos process: a symmetric operator seen through a few of its products.

    A V_j = V_j T_j + b_j v_{j+1} e_j^T

Each step multiplies the newest vector by A and takes out what the older ones already span. In exact
arithmetic only the last two vectors matter (A is symmetric), so A looks tridiagonal from inside the
space. In floating point that fails as soon as one eigenvalue has converged, and copies of it appear
("ghosts"); so every new vector is made orthogonal to all older ones, twice.

Only `matvec` is ever asked. Saddle-free Newton steps inside the space; `problems.landscape` reads
eigenvalues and spectral densities off T.

Source: Lanczos 1950; Golub & Van Loan, Matrix Computations, 4th ed., section 10.1 (process, bound
on the error of a Ritz value) and 10.3 (loss of orthogonality).
"""
import math
from typing import Any, NamedTuple

import numpy as np

from minigrad.backend import float_of, to_host, xp

# b_j below this share of |T|: the space is invariant, the rest would be noise
BREAKDOWN = 1e-10
ASYMMETRY = 1e-6           # <v, A w> and <w, A v> may differ by this share of |T| (float64)


class Krylov(NamedTuple):
    """What m steps found: V A V^T = T and the size of what leaves the space.

    V (m, n)    orthonormal rows, on the device
    a (m,)      diagonal of T,          b (m,)   beside it; b[-1] leads out of the space. Host
                                                 arrays
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


def krylov_basis(matvec, start, m, passes=2):
    """Run m Lanczos steps from `start` (n,).

        w = A v_j - b_{j-1} v_{j-1} - a_j v_j,   a_j = <v_j, A v_j>,   b_j = |w|,   v_{j+1} = w /
                                                 b_j

    passes   2: w is made orthogonal to all of V, and once more (the safe choice)
             1: once;  0: the three-term recurrence as it stands, to show what goes wrong

    Returns a Krylov record; it holds fewer than m steps if the space became invariant.
    Raises  ValueError for m outside [1, n], a start without direction, an operator that is not
            symmetric (with full orthogonality the check costs nothing) or returns NaN
    """
    n = start.shape[0]
    if not 1 <= m <= n:
        raise ValueError(f"lanczos: m must lie in [1, n], got m={m} for an operator of size n={n}. "
                         "A Krylov space has at most n dimensions.")
    length = float_of(xp.linalg.norm(start))
    if not 0 < length < math.inf:
        raise ValueError(f"lanczos: the starting vector has norm {length}. Give one that is finite and not zero.")
    V = xp.empty((m, n), dtype=start.dtype)
    a, b = np.zeros(m), np.zeros(m)
    v = start * (1.0 / length)
    for j in range(m):
        V[j] = v
        w = matvec(v)
        oldest = 0 if passes else max(0, j - 1)
        h = V[oldest:j + 1] @ w
        w = w - h @ V[oldest:j + 1]
        h = to_host(h).astype(float)
        if not np.all(np.isfinite(h)):
            raise ValueError(f"lanczos: product {j + 1} with the operator is not finite. "
                             "Check the point (NaN, infinity) at which it was taken.")
        a[j] = h[-1]
        size = max(np.abs(a[:j + 1]).max(), b.max())
        check_symmetry(h, b[j - 1] if j else None, size, oldest, V.dtype)
        for _ in range(passes - 1):
            w = w - (V[:j + 1] @ w) @ V[:j + 1]
        b[j] = float_of(xp.linalg.norm(w))
        if b[j] <= BREAKDOWN * size or (passes and j + 1 == n):
            return Krylov(V[:j + 1], a[:j + 1], b[:j + 1], True)
        v = w * (1.0 / float(b[j]))
    return Krylov(V, a, b, False)


def check_symmetry(h, b_last, size, oldest, dtype):
    """h_i = <v_i, A v_j> must equal <v_j, A v_i>, which is b_{j-1} for i = j-1 and 0 before."""
    if b_last is None:
        return
    mirror = np.zeros(len(h) - 1)
    mirror[-1] = b_last
    gap = np.abs(h[:-1] - mirror)
    i = int(gap.argmax())
    if gap[i] > max(ASYMMETRY, 30.0 * float(np.sqrt(np.finfo(dtype).eps))) * size:
        raise ValueError(f"lanczos: the operator is not symmetric: <v{oldest + i}, A v{oldest + len(mirror)}> = "
                         f"{h[i]:.6g}, but <v{oldest + len(mirror)}, A v{oldest + i}> = {mirror[i]:.6g}. "
                         "Use a Hessian, or (A + A^T)/2.")
