"""Matrix factorisation: one part for each entry, and minimisers that form an orbit.

    f_ij(W, S) = (X_ij - w_i·s_j)²/2,      f = mean over i, j = |X - WᵀS|²_F / (2 n m)

W is (k, n), S is (k, m), k <= rank X. The minimisers come from the k largest singular values,
W* = (U_k √Σ_k)ᵀ, S* = √Σ_k V_kᵀ, and with them (A W*, A^{-T} S*) for every invertible A.

Source: arXiv:2410.12455, example 4.
"""
import numpy as np

import minigrad as mg
from minigrad.arguments import count, numbers
from minigrad.backend import xp

from problems.finite_sums.finite_sum import FiniteSum, Stationary, real_roots


class MatrixFactorisation(FiniteSum):
    """The entries of X (n, m) as products of k-vectors; theta = (W row by row, S row by row).

    residuals   (n, m) X - W*ᵀS*: the same on the whole orbit
    """

    def __init__(self, X, k=1):
        self.X = numbers("MatrixFactorisation", "X", X, ndim=2).copy()
        self.k = count("MatrixFactorisation", "k", k, least=0)
        rows, columns = self.X.shape
        if not self.X.size:
            raise ValueError(f"MatrixFactorisation: X is empty, shape {self.X.shape}.")
        U, sigma, Vt = np.linalg.svd(self.X)
        rank = int(np.sum(sigma > 1e-12 * sigma[0]))
        if not 1 <= k <= rank:
            raise ValueError(f"MatrixFactorisation: k must lie in [1, {rank}], the rank of X, "
                             f"got {k}.")
        root = np.sqrt(sigma[:k])
        self.W, self.S = (U[:, :k] * root).T, root[:, None] * Vt[:k]
        self.n, self.dimension = rows * columns, k * (rows + columns)
        self.residuals = self.X - self.W.T @ self.S
        self.lowest = np.zeros(self.n)
        self.minimum = float(0.5 * np.mean(self.residuals**2))
        self.stationary = [Stationary(self.join(self.W, self.S), "minimum", self.minimum),
                           Stationary(np.zeros(self.dimension), "saddle",
                                      float(0.5 * np.mean(self.X**2)))]

    def parts(self, theta):
        (rows, columns), k = self.X.shape, self.k
        leading = theta.shape[:-1]
        W = mg.reshape(theta[..., :k * rows], shape=(*leading, k, rows))
        S = mg.reshape(theta[..., k * rows:], shape=(*leading, k, columns))
        away = mg.matmul(mg.swapaxes(W, a=-1, b=-2), S) - xp.asarray(self.X, dtype=theta.dtype)
        return mg.reshape(0.5 * away * away, shape=(*leading, self.n))

    def start(self, rng):
        return xp.asarray(rng.normal(size=self.dimension))

    def join(self, W, S):
        return np.concatenate([np.ravel(W), np.ravel(S)])

    def split(self, point):
        rows = self.X.shape[0]
        return (point[:self.k * rows].reshape(self.k, rows),
                point[self.k * rows:].reshape(self.k, -1))

    def nearest(self, points):
        """The nearest point of the orbit: exact for k = 1; for k > 1 the best of a few descents."""
        if self.k == 1:
            return self.feet(points)[:, None]
        return np.array([self.foot_of_matrices(*self.split(point)) for point in points])[:, None]

    def feet(self, points):
        """k = 1: (c a, b/c) with A c⁴ - (w·a) c³ + (s·b) c - B = 0, A = |a|², B = |b|²."""
        a, b = self.W[0], self.S[0]
        w, s = points[:, :a.size], points[:, a.size:]
        one = np.ones(len(points))
        c = real_roots(np.stack([a @ a * one, -w @ a, 0 * one, s @ b, -b @ b * one], axis=1))
        feet = np.concatenate([c[..., None] * a, b / c[..., None]], axis=-1)            # (m, 4, d)
        away = np.sum((feet - points[:, None]) ** 2, axis=-1)
        return feet[np.arange(len(feet)), np.nanargmin(away, axis=1)]

    def foot_of_matrices(self, W, S):
        """A (k, k) that minimises |W - A W*|² + |S - A^{-T} S*|², by damped Gauss-Newton."""
        start = W @ np.linalg.pinv(self.W)
        other = np.linalg.pinv(S @ np.linalg.pinv(self.S)).T
        starts = [start, other, 0.5 * (start + other), np.eye(self.k), -np.eye(self.k)]
        found = [self.follow(A, W, S) for A in starts if np.linalg.cond(A) < 1e10]
        A = min(found, key=lambda pair: pair[0])[1]
        return self.join(A @ self.W, np.linalg.inv(A).T @ self.S)

    def follow(self, A, W, S, steps=200):
        def residual(A):
            return self.join(A @ self.W - W, np.linalg.inv(A).T @ self.S - S)

        r, damping = residual(A), 1e-3
        for _ in range(steps):
            J = self.jacobian(A)
            square = J.T @ J + damping * np.eye(A.size)
            move = np.linalg.lstsq(square, -J.T @ r, rcond=None)[0].reshape(A.shape)
            with np.errstate(all="ignore"):
                there = residual(A + move)
            if np.isfinite(there).all() and there @ there < r @ r:
                A, r, damping = A + move, there, max(damping / 3.0, 1e-15)
            else:
                damping *= 4.0
            if np.abs(move).max() < 1e-15 or damping > 1e12:
                break
        return float(r @ r), A

    def jacobian(self, A):
        """Of `residual` by A's entries: d(A⁻ᵀS*) = -A⁻ᵀ dAᵀ A⁻ᵀ S*."""
        inverse, columns = np.linalg.inv(A).T, []
        for i in range(self.k):
            for j in range(self.k):
                E = np.zeros((self.k, self.k))
                E[i, j] = 1.0
                columns.append(self.join(E @ self.W, -inverse @ E.T @ inverse @ self.S))
        return np.stack(columns, axis=1)


def example4():
    """X = [[2, 1/2], [1/2, 1]], k = 1."""
    return MatrixFactorisation([[2.0, 0.5], [0.5, 1.0]], 1)
