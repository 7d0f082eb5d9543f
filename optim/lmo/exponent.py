"""Which power of the singular values lowers the loss most? An exact answer for one linear layer.

For a layer Z = W A and the loss |W A - Y|²/2B, a step along D = Ψ_t(M) with its best length gains

    J(t)/2 = <G, D>² / (2 tr(D C Dᵀ)),        C = A Aᵀ/B

and since the singular vectors of M are orthonormal both parts are sums over them:

    <G, D>      = N(t) = Σ_i c_i s_i^t          c_i = u_iᵀ G v_i       alignment
    tr(D C Dᵀ)  = D(t) = Σ_i b_i s_i^2t         b_i = v_iᵀ C v_i       curvature

No approximation, whatever the carrier M. So t = 0 (Muon) is best where the curvature grows as the
singular value does, t = 1 (SGD) where it is flat. A hidden layer sees another curvature than that
of its own output: give the mean output-side Gauss-Newton matrix Γ of the layer (K-FAC), or
Hessian-vector products.

    K-FAC       D(t) = Σ_ij (s_i s_j)^t (Uᵀ Γ U)_ij (Vᵀ C V)_ij
    products    D(t) = <X, H[X]>,  X = Ψ_t(M)

Source: Massena, Friedrich & Serrurier 2026, arXiv:2605.19781, for J and its use; C = identity
curvature there. K-FAC factors: Martens & Grosse 2015, arXiv:1503.05671. Both repairs are ours.
"""
from typing import NamedTuple

import numpy as np

from minigrad.backend import float_of, to_host, xp
from minigrad.kinds import extended, matrices

from .power import check, psi, svd

GRID = 101                                     # J may have several peaks: look everywhere first
COARSE = np.linspace(0.0, 1.0, 5)              # where every t costs a Hessian-vector product
TINY = 1e-300


class Choice(NamedTuple):
    """The best exponent, and what it promises: N, D and J = max(N, 0)²/D there.

    J is inf where the curvature along the step is not positive; 0 where nothing is aligned, and
    then t says nothing. The best length of the step is N/D, the gain J/2.
    """
    t: float
    J: float
    N: float
    D: float


def criterion(G, M, A, curvature="identity", low=0.0, high=1.0):
    """The t in [low, high] with the largest J(t): a Choice, of arrays (...) for stacks.

    G (..., m, n)   gradient of the loss in W     M (..., m, n)  carrier, what Ψ_t is applied to
    A (..., n, B)   inputs of the layer, one column each
    curvature       "identity" of the outputs; Γ (..., m, m), the K-FAC factor of the output side;
                    or a function X -> H[X] (one matrix, on a grid of five)
    Raises  ValueError for shapes that do not fit, numbers that are not finite, an empty range
    """
    fitting("criterion", G, M, A, low, high)
    if callable(curvature):
        return best_of(G, lambda t: psi(M, t), curvature, low + (high - low) * COARSE)
    if isinstance(curvature, str) and curvature != "identity":
        raise ValueError(f"criterion: curvature {curvature!r} needs its numbers. Give the matrix "
                         "Γ (m, m) for K-FAC, or a function X -> H[X].")
    check("criterion", A, what="A")
    Gamma = None if isinstance(curvature, str) else curvature
    if Gamma is not None and matrices("criterion", "curvature", Gamma).shape[-2:] != (
            M.shape[-2], M.shape[-2]):
        raise ValueError(f"criterion: Γ {Gamma.shape} does not fit M {M.shape}. Give (m, m), or a "
                         "function X -> H[X].")
    return best(*spectrum(G, M, A.swapaxes(-1, -2), Gamma), low, high)


def fitting(where, G, M, A, low, high):
    """Raises unless G, M (..., m, n) and A (..., n, B) belong together and [low, high] is in
    [0, 1]."""
    check(where, M)
    check(where, G, what="G")
    matrices(where, "A", A)
    if M.shape != G.shape or A.ndim != M.ndim or A.shape[-2] != M.shape[-1]:
        raise ValueError(f"{where}: G {G.shape}, M {M.shape} and A {A.shape} do not fit. "
                         "Give (m, n), (m, n) and (n, B): one column of A for each example.")
    if not 0.0 <= extended(where, "low", low) <= extended(where, "high", high) <= 1.0:
        raise ValueError(f"{where}: t must lie in [0, 1], got the range [{low}, {high}]. "
                         "0 is Muon, 1 is SGD.")


def spectrum(G, M, rows, Gamma=None, parts=None):
    """(s, c, b) of M: singular values (..., r), alignment (..., r) and curvature, on the host.

    The curvature is b (..., r) for Γ = I, else the whole (Uᵀ Γ U) ∘ (Vᵀ C V) (..., r, r), since
    cross terms remain. rows (..., R, n): the inputs, one row each; parts (U, s, Vᵀ) if known.
    """
    U, s, Vt = parts or svd(M)
    seen = rows @ Vt.swapaxes(-1, -2).astype(rows.dtype)                    # (..., R, r)
    c = ((U.swapaxes(-1, -2) @ G) * Vt).sum(axis=-1)
    if Gamma is None:
        b = (seen * seen).sum(axis=-2) / rows.shape[-2]
    else:
        b = (U.swapaxes(-1, -2) @ Gamma @ U) * (seen.swapaxes(-1, -2) @ seen) / rows.shape[-2]
    return to_host(s), to_host(c), to_host(b)


def curve(s, c, b, t):
    """N and D (..., T) at exponents t (..., T); a singular value of 0 takes no part."""
    kept = s > 0
    X = np.exp(t[..., None] * np.log(np.where(kept, s, 1.0))[..., None, :]) * kept[..., None, :]
    N = (X * c[..., None, :]).sum(axis=-1)
    if b.ndim == s.ndim:
        return N, (X * X * b[..., None, :]).sum(axis=-1)
    return N, ((X @ b) * X).sum(axis=-1)


def gain(N, D):
    """J = max(N, 0)²/D: a step that goes up is worth nothing."""
    return np.maximum(N, 0.0)**2 / np.maximum(D, TINY)


def best(s, c, b, low=0.0, high=1.0, width=1e-9, points=GRID):
    """The Choice from (s, c, b): a grid over all of [low, high], then grids around its best.

    points  of a grid, odd;   width  the last grid's distance from point to point
    """
    shape = (*s.shape[:-1], 1)
    left, right, unit = np.full(shape, low), np.full(shape, high), np.linspace(0.0, 1.0, points)
    while True:
        t = left + (right - left) * unit
        N, D = curve(s, c, b, t)
        place = gain(N, D).argmax(axis=-1)[..., None]
        if (right - left).max() <= width * (points - 1):
            break
        left, right = (np.take_along_axis(t, np.clip(place + k, 0, points - 1), -1)
                       for k in (-1, 1))
    t, N, D = (np.take_along_axis(a, place, -1)[..., 0] for a in (t, N, D))
    return Choice(*(plain(a) for a in (t, gain(N, D), N, D)))


def best_of(G, step, curvature, grid):
    """The Choice among the exponents of `grid`; curvature that is not positive counts as best.

    step        t -> X (m, n)          curvature   X -> H[X] (m, n)
    """
    found = []
    for t in grid:
        X = step(float(t))
        N, D = float_of((G * X).sum()), float_of((X * curvature(X)).sum())
        J = 0.0 if N <= 0 else np.inf if D <= 0 else N * N / D
        length = float_of(xp.sqrt((X * X).sum()))
        found.append((J, N / max(length, TINY), Choice(float(t), J, N, D)))
    return max(found, key=lambda entry: entry[:2])[-1]


# ------------------------------------------------------------------------ the bound

def bound(G, M, A, low=0.0, high=1.0):
    """The earlier rule, from Hölder's inequality: the best t of a lower bound H <= J/B.

        H(t) = (Σ c_i s_i^t)² / (|A|_Sk² (Σ s_i^(1+t))^(2t/(1+t))),     k = 2 (1+t)/(1-t)

    It takes the worst of all positions of the gradient's directions among those of the inputs, and
    so recommends Muon too often. Choice(t, H, N, denominator). Arguments as of `criterion`.

    Source: Massena, Friedrich & Serrurier 2026, arXiv:2605.19781: its authors' code, and the essay
    that came before.
    """
    fitting("bound", G, M, A, low, high)
    check("bound", A, what="A")
    s, c, _ = spectrum(G, M, A.swapaxes(-1, -2))
    a = to_host(svd(A)[1])

    def H(t):
        N, _ = curve(s, c, s, t)
        return N, bound_of(s, a, t)
    grid = np.broadcast_to(np.linspace(low, high, GRID), (*s.shape[:-1], GRID))
    N, D = H(grid)
    place = gain(N, D).argmax(axis=-1)[..., None]
    t, N, D = (np.take_along_axis(x, place, -1)[..., 0] for x in (grid, N, D))
    return Choice(*(plain(x) for x in (t, gain(N, D), N, D)))


def bound_of(s, a, t):
    """|A|_Sk² |Ψ_t(M)|_S(1+1/t)² from the singular values s of M and a of A."""
    top, t = a.max(axis=-1)[..., None], t[..., None]
    with np.errstate(divide="ignore"):
        k = np.where(t < 1.0, 2.0 * (1.0 + t) / (1.0 - t), np.inf)
    size = (((a[..., None, :] / top[..., None])**k).sum(axis=-1))
    inputs = top**2 * np.where(np.isinf(k[..., 0]), 1.0, size ** (2.0 / k[..., 0]))
    t = t[..., 0]
    step = (s[..., None, :] ** (1.0 + t[..., None])).sum(axis=-1)
    return inputs * step ** (2.0 * t / (1.0 + t))


def nuclear_rank(G):
    """|G|_*²/|G|_F²: how many directions a gradient has, in effect. From 1 to the rank.

        Muon's bound is the better one where  |G|_*²/|G|_F² >= |A|_F²/|A|_op²

    Source: Davis & Drusvyatskiy 2025, arXiv:2512.04299; the ends of `bound`, arXiv:2605.19781.
    """
    check("nuclear_rank", G, what="G")
    s = svd(G)[1]
    return plain(to_host(s.sum(axis=-1)**2 / (s * s).sum(axis=-1)))


def stable_rank(A):
    """|A|_F²/|A|_op²: how many directions the inputs have, in effect. From 1 to the rank."""
    check("stable_rank", A, what="A")
    s = svd(A)[1]
    return plain(to_host((s * s).sum(axis=-1) / s[..., 0]**2))


def plain(a):
    return float(a) if np.ndim(a) == 0 else a
