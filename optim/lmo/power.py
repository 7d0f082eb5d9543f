"""Ψ_t(M) = U diag(s^t) Vᵀ: the singular values of M raised to a power, from Muon (0) to SGD (1).

Three ways to the same matrix. Singular vectors are never needed one by one, so the eigenvalues of
the smaller Gram matrix do; and a weighted sum of the iterates of a polar iteration does without any
decomposition, which is what a GPU wants.

    Ψ_t(M) = U diag(s^t) Vᵀ

Source: Massena, Friedrich & Serrurier 2026, arXiv:2605.19781, which writes p = 1/t.
"""
from functools import lru_cache

import numpy as np

from minigrad.backend import on_device, xp
from minigrad.kinds import extended, matrices

from .products import QUINTIC, wide

ZERO = {8: 1e-12, 4: 1e-6}                     # s / s_1 that counts as zero, by bytes of a number
PASSES, SMALLEST = 16, 1e-4                    # of the products' way: s / s_1 from here on


def psi(M, t, method=None):
    """U diag(s^t) Vᵀ of M = U diag(s) Vᵀ; a singular value of zero stays zero, for t = 0 too.

        svd        from the decomposition                                       the reference
        eigh       Q diag(w^((t-1)/2)) Qᵀ M,   M Mᵀ = Q diag(w) Qᵀ              the default
        products   Σ_k α_k X_k + β_k X_k X_kᵀ X_k,   X_k iterates towards U Vᵀ  that of float32
                                                                                on a GPU

    eigh loses digits as (s_1/s_r)², which shows below s_r/s_1 of 1e-6. products has a relative
    error below 1e-3 for singular values above 1e-4 of √|M Mᵀ|_F, and damps smaller ones.

    M (..., m, n)   t in [0, 1]   returns (..., m, n), in the dtype of M
    Raises  ValueError for t outside [0, 1], M not finite or no matrix, an unknown method
    """
    check("psi", M, t)
    method = method or ("products" if on_device and M.dtype.itemsize == 4 else "eigh")
    if not isinstance(method, str) or method not in METHODS:
        raise ValueError(f"psi: unknown method {method!r}. Use one of {', '.join(METHODS)}.")
    return M.copy() if t == 1.0 else METHODS[method](M, float(t))


def by_svd(M, t):
    U, s, Vt = svd(M)
    return ((U * powers(s, t)[..., None, :]) @ Vt).astype(M.dtype, copy=False)


def by_eigh(M, t):
    return wide(M, lambda X: gram_power(X, t))


def gram_power(X, t):
    """(X Xᵀ)^((t-1)/2) X for a wide X; the decomposition in float64."""
    D = X.astype("float64", copy=False)
    w, Q = xp.linalg.eigh(D @ D.swapaxes(-1, -2))
    zero = max(1e-13, ZERO[X.dtype.itemsize]**2) * w[..., -1:]
    kept = w > zero
    root = xp.where(kept, xp.where(kept, w, 1.0) ** (0.5 * (t - 1.0)), 0.0)
    return (((Q * root[..., None, :]) @ Q.swapaxes(-1, -2)) @ D).astype(X.dtype, copy=False)


def by_products(M, t):
    return wide(M, lambda X: mixture(X, t))


def mixture(X, t):
    """The weighted sum for a wide X. Iterate k saturates at s ≈ (8/15)^k, so a mixture of all of
    them bends as a power does; X and S X are there anyway.

        X ← a X + b S X + c S² X,   S = X Xᵀ
    """
    S = X @ X.swapaxes(-1, -2)
    scale = xp.sqrt(xp.sqrt((S * S).sum(axis=(-2, -1), keepdims=True)))     # >= s_1, <= |X|_F
    scale = xp.where(scale > 0, scale, 1.0)
    X, total = X / scale, 0.0
    a, b, c = QUINTIC
    alpha, beta = weights(t)
    for k in range(PASSES + 1):
        SX = (X @ X.swapaxes(-1, -2)) @ X
        total = total + alpha[k] * X + beta[k] * SX
        if k < PASSES:
            X = a * X + b * SX + c * ((SX @ X.swapaxes(-1, -2)) @ X)
    return total * scale**t


@lru_cache(maxsize=4096)
def weights(t):
    """(α_k, β_k) of the mixture: least squares on the relative error in s^t, s in [1e-4, 1]."""
    s = np.geomspace(SMALLEST, 1.0, 500)
    (a, b, c), iterates = QUINTIC, [s]
    for _ in range(PASSES):
        x = iterates[-1]
        iterates.append(x * (a + b * x**2 + c * x**4))
    columns = np.stack(iterates + [x**3 for x in iterates], axis=1) / s[:, None]**t
    found = np.linalg.lstsq(columns, np.ones(len(s)), rcond=1e-10)[0].tolist()
    return tuple(found[:PASSES + 1]), tuple(found[PASSES + 1:])


METHODS = {"svd": by_svd, "eigh": by_eigh, "products": by_products}


def svd(M):
    """Thin SVD (U, s, Vᵀ) in float64, with what counts as zero set to zero."""
    U, s, Vt = xp.linalg.svd(M.astype("float64", copy=False), full_matrices=False)
    return U, xp.where(s > ZERO[M.dtype.itemsize] * s[..., :1], s, 0.0), Vt


def fast_svd(M):
    """The same from the smaller Gram matrix, in the dtype of M: several times as fast. Singular
    vectors of s_i lose digits as (s_1/s_i)²."""
    if M.shape[-2] > M.shape[-1]:
        V, s, Ut = fast_svd(M.swapaxes(-1, -2))
        return Ut.swapaxes(-1, -2), s, V.swapaxes(-1, -2)
    Q = xp.linalg.eigh(M @ M.swapaxes(-1, -2))[1][..., ::-1]
    rows = Q.swapaxes(-1, -2) @ M                           # diag(s) Vᵀ
    s = xp.sqrt((rows * rows).sum(axis=-1))
    s = xp.where(s > ZERO[M.dtype.itemsize] * s.max(axis=-1, keepdims=True), s, 0.0)
    return Q, s, rows / xp.where(s > 0, s, 1.0)[..., None]


def powers(s, t):
    """s^t (..., r) with 0^0 = 0."""
    return xp.where(s > 0, xp.where(s > 0, s, 1.0) ** t, 0.0)


def check(name, M, t=0.0, what="M"):
    """Raises unless M (..., m, n) is a stack of finite matrices and t an exponent in [0, 1]."""
    matrices(name, what, M)
    if not 0.0 <= extended(name, "t", t) <= 1.0:
        raise ValueError(f"{name}: t must lie in [0, 1], got {t}. 0 is Muon, 1 is SGD.")
    if not bool(xp.isfinite(M).all()):
        bad = int((~xp.isfinite(M)).sum())
        raise ValueError(f"{name}: {what} has {bad} entries that are NaN or infinite, of {M.size}. "
                         "Look at the loss: the run has diverged.")
