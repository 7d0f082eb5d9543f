"""Sums so simple that the alpha-beta condition can be worked out by hand.

    parabolas      (x-1)²/2, (x+1)²/2          β_min(α) = (α-1)²/α: convex, never interpolated
    bowl           x²/(1+x²)                   on |x| <= R: β_min = α - 2/(1+R²); infeasible on R
    double_well    (x²-1)²/4                   on |x| >= a: β_min = α - 4a/(1+a); infeasible with 0
    product        (w s - 1)²/2                interpolated, minimisers w s = 1: needs Aiming

with β_min(α) the smallest β for which (α, β) holds. The derivations are ours and are tested.
"""
import numpy as np

import minigrad as mg
from minigrad.kinds import every, expects, real, table

from problems.finite_sums.finite_sum import FiniteSum, Stationary, real_roots


class Formula(FiniteSum):
    """Parts given as functions of the coordinates, with their facts."""

    @expects(functions=every("__call__"), minimisers=table, lowest=table)
    def __init__(self, functions, minimisers, lowest, stationary=(), far=None):
        self.functions, self.n = functions, len(functions)
        self.minimisers = np.array(minimisers, float)
        if self.minimisers.ndim != 2:
            raise ValueError("Formula: minimisers must be points (k, d), got shape "
                             f"{self.minimisers.shape}.")
        if lowest.shape not in ((), (1,), (self.n,)) or not self.n:
            raise ValueError(f"Formula: {self.n} functions have as many lowest values, got shape "
                             f"{lowest.shape}.")
        self.dimension = self.minimisers.shape[1]
        self.lowest, self.far = np.array(lowest, float), far
        self.minimum = float(self.values(self.minimisers[:1]).mean())
        self.stationary = [Stationary(m, "minimum", self.minimum) for m in self.minimisers]
        self.stationary += [Stationary(np.array(p, float), kind, float(self.values(
            np.array([p], float)).mean())) for p, kind in stationary]

    def parts(self, theta):
        coordinates = [theta[..., k] for k in range(self.dimension)]
        return mg.stack([f(*coordinates) for f in self.functions], axis=-1)


def parabolas():
    """(x-1)²/2 and (x+1)²/2."""
    return Formula([lambda x: 0.5 * (x - 1.0) ** 2, lambda x: 0.5 * (x + 1.0) ** 2],
                   [[0.0]], [0.0, 0.0])


def bowl():
    """x²/(1+x²), one part."""
    return Formula([lambda x: x * x / (1.0 + x * x)], [[0.0]], [0.0], far=np.ones(1))


def double_well():
    """(x²-1)²/4, one part, with a maximum at 0."""
    return Formula([lambda x: 0.25 * (x * x - 1.0) ** 2], [[-1.0], [1.0]], [0.0],
                   [([0.0], "maximum")])


class Product(FiniteSum):
    """(w s - t)²/2: matrix factorisation with one number; the minimisers are a hyperbola.

    The nearest one to (w, s) is (u, t/u) with u a root of u⁴ - w u³ + t s u - t² = 0.
    """

    n, dimension, minimum = 1, 2, 0.0

    @expects(t=real)
    def __init__(self, t=1.0):
        self.t, self.lowest = t, np.zeros(1)
        self.stationary = [Stationary(np.zeros(2), "saddle", 0.5 * t * t)]

    def parts(self, theta):
        return 0.5 * (theta[..., :1] * theta[..., 1:] - self.t) ** 2

    def nearest(self, points):
        w, s = points.T
        one, t = np.ones_like(w), self.t
        u = real_roots(np.stack([one, -w, 0 * w, t * s, -t * t * one], axis=1))         # (m, 4)
        feet = np.stack([u, t / u], axis=-1)
        away = np.sum((feet - points[:, None]) ** 2, axis=-1)
        best = np.nanargmin(away, axis=1)
        return feet[np.arange(len(feet)), best][:, None]
