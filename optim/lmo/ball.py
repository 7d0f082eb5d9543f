"""The linear minimisation oracle: how to move furthest along M with a step of norm 1.

    lmo(M) = argmax_{|D| <= 1} <M, D>,        <M, lmo(M)> = |M|_dual

The norm decides what a step is allowed to be, and with it the method: each ball below is the unit
ball of a known optimizer.

    ball        D                                   <M, D>        without averaging it is
    schatten    Ψ_{Q-1}(M) / |M|_SQ^(Q-1)           |M|_SQ        P = 2: normalised SGD, ∞: Muon
    entrywise   sign(M)|M|^(Q-1) / |M|_Q^(Q-1)      |M|_Q         P = ∞: sign descent (Adam)
    rows        each row over its 2-norm            Σ row norms   row normalisation
    nuclear     u_1 v_1ᵀ                            s_1           rank-one steps (Schatten P = 1)

with Q = P/(P-1), the dual index. We write the step that goes up; an optimizer subtracts it.

Source: Bernstein & Newhouse 2024, arXiv:2409.20325; Pethick et al. 2025, arXiv:2502.07529 (the
norms of deep learning); the Schatten family from SGD to Muon: arXiv:2605.19781.
"""
import math

from minigrad.backend import xp
from minigrad.kinds import expects, extended

from .power import check, psi, svd

BALLS = ("schatten", "entrywise", "rows", "nuclear")


@expects(P=extended)
def lmo(M, P=math.inf, ball="schatten", scaled=False):
    """The step of norm 1 that is best aligned with M; 0 where M is 0.

    M (..., m, n)   P in [1, ∞], of the Schatten and entrywise balls   returns (..., m, n)

    scaled   times |M|_dual: the minimiser of -<M, D> + |D|²/2, steepest descent's own step
    Raises   ValueError for P below 1, an unknown ball, M not finite or no matrix
    """
    check("lmo", M)
    if ball not in BALLS:
        raise ValueError(f"lmo: unknown ball {ball!r}. Use one of {', '.join(BALLS)}.")
    if not P >= 1.0:
        raise ValueError(f"lmo: P must lie in [1, inf], got {P}. 2 is SGD, inf is Muon.")
    if ball == "rows":
        D = over(M, xp.sqrt((M * M).sum(axis=-1, keepdims=True)))
    elif ball == "nuclear" or P == 1.0:
        D = top(M) if ball != "entrywise" else largest(M)
    else:
        t = 1.0 / (P - 1.0)                                 # Q - 1
        D = power(M, t) if ball == "schatten" else xp.sign(M) * over_largest(M) ** t
        D = over(D, sized(D, P, ball))
    return D * (M * D).sum(axis=(-2, -1), keepdims=True) if scaled else D


@expects(P=extended)
def norm(M, P, ball="schatten"):
    """|M|_P (..., 1, 1): of the singular values (schatten), or of the entries (entrywise)."""
    check("norm", M)
    if ball not in ("schatten", "entrywise") or not P > 0.0:
        raise ValueError(f"norm: needs P > 0 and a ball, schatten or entrywise, got P={P} and "
                         f"{ball!r}. lmo knows the steps of the others.")
    return sized(M, P, ball)


def sized(M, P, ball):
    s = xp.abs(M).reshape(*M.shape[:-2], -1) if ball == "entrywise" else svd(M)[1]
    largest = s.max(axis=-1, keepdims=True)
    if P != math.inf:                                       # over the largest: no overflow
        s = xp.where(largest > 0, s / xp.where(largest > 0, largest, 1.0), 0.0)
        largest = largest * (s**P).sum(axis=-1, keepdims=True) ** (1.0 / P)
    return largest[..., None].astype(M.dtype, copy=False)


def power(M, t):
    """Ψ_t for any t >= 0: beyond 1 (P < 2) from the decomposition."""
    if t <= 1.0:
        return psi(M, t)
    U, s, Vt = svd(M)
    s = s / xp.where(s[..., :1] > 0, s[..., :1], 1.0)
    return ((U * (s**t)[..., None, :]) @ Vt).astype(M.dtype, copy=False)


def over_largest(M):
    return over(xp.abs(M), xp.abs(M).max(axis=(-2, -1), keepdims=True))


def over(M, size):
    """M / size, 0 where the size is 0."""
    return M / xp.where(size > 0, size, 1.0)


def top(M):
    """u_1 v_1ᵀ, 0 for M = 0."""
    U, s, Vt = svd(M)
    D = (U[..., :, :1] @ Vt[..., :1, :]).astype(M.dtype, copy=False)
    return xp.where(s[..., :1, None] > 0, D, 0.0)


def largest(M):
    """The largest entry alone, as its sign; the first of equals."""
    flat = xp.abs(M).reshape(*M.shape[:-2], -1)
    place = flat.argmax(axis=-1)[..., None] == xp.arange(flat.shape[-1])
    return xp.where(place.reshape(M.shape), xp.sign(M), 0.0)
