"""Landscapes that are means, f = (1/n) Σ f_i, with what is known about the sum and about its parts.

A stochastic method sees one f_i at a time. How well the parts agree about where it is low decides
how well that goes, so a FiniteSum knows more than its height: each part's own lowest value f_i*,
all global minimisers of the mean, and the minimiser nearest to a point.
"""
from abc import abstractmethod
from typing import NamedTuple

import numpy as np

import minigrad as mg
from minigrad.backend import to_host, xp

from problems.problem import Problem


class Stationary(NamedTuple):
    """A point (d,) where the gradient of the mean vanishes: minimum, local minimum, saddle or
    maximum, and the height there."""

    point: np.ndarray
    kind: str
    height: float


class FiniteSum(Problem):
    """The mean of n heights f_i of points (..., d), and the facts about them (host arrays).

        parts(theta (..., d)) -> (..., n)                    written by a subclass
        loss(theta, batch)                                   batch: None, all of them;
                                                             integers (B,), the mean of those parts;
                                                             floats (..., n), weights that sum to 1
    n, dimension   numbers of parts and of coordinates
    lowest         (n,) f_i*, the lowest value of each part alone
    far            (n,) limits of the f_i on a way to infinity where their slopes vanish, or None
    minimum        f*;   minimisers (k, d), or None where there are infinitely many or none is known
    stationary     list of Stationary: all that are known
    """

    n = dimension = 0
    lowest = far = minimum = minimisers = None
    stationary = ()

    @property
    def coordinates(self):
        return self.dimension

    @abstractmethod
    def parts(self, theta):
        raise NotImplementedError(f"{type(self).__name__} does not say how high its parts are.")

    def loss(self, theta, batch=None):
        heights = self.parts(theta)
        if batch is None:
            return mg.mean(heights, axis=-1)
        if batch.dtype.kind == "f":
            return mg.sum(heights * batch, axis=-1)
        return mg.mean(heights[..., batch], axis=-1)

    def nearest(self, points):
        """All nearest global minimisers of points (m, d): (m, j, d), host arrays.

        Where fewer than j are nearest, the first of them fills the rest.
        """
        if self.minimisers is None:
            raise ValueError(f"{type(self).__name__}: its minimisers are not known. Give the point "
                             "to measure from, for example the last one of a run.")
        away = np.linalg.norm(points[:, None] - self.minimisers, axis=-1)           # (m, k)
        order = np.argsort(away, axis=1)
        ranked = np.take_along_axis(away, order, axis=1)
        tied = ranked <= ranked[:, :1] * (1 + 1e-12) + 1e-15
        return self.minimisers[np.where(tied, order, order[:, :1])][:, :tied.sum(axis=1).max()]

    def values(self, points):
        """Heights of the parts at points (..., d) as a host array (..., n)."""
        return to_host(self.parts(xp.asarray(points)))

    def slopes(self, points):
        """(heights (m, n), gradients (m, n, d)) of all parts at points (m, d), on the host."""
        points = xp.asarray(points)
        heights, pullback = mg.vjp(self.parts, points)
        seeds = xp.eye(self.n, dtype=points.dtype)
        g = xp.stack([pullback(xp.zeros_like(heights) + seed) for seed in seeds], axis=1)
        return to_host(heights), to_host(g)

    @property
    def interpolation_error(self):
        """σ_int² = mean of f* - f_i*: what the parts disagree about; 0 is interpolation.

            σ_int² = (1/n) Σ_i (f* - f_i*)

        Source: arXiv:2410.12455.
        """
        return float(self.minimum - np.mean(self.lowest))

    @property
    def positive_error(self):
        """σ_pos² = mean of f_i*, which NGN's bound adds."""
        return float(np.mean(self.lowest))

    def sort_stationary(self, points, curvatures):
        """Name the stationary points (k, d) by their Hessian eigenvalues (k, d); the lowest minima
        become the minimisers and give f*."""
        heights = self.values(points).mean(axis=-1)
        self.minimum = float(heights.min())
        self.stationary = []
        for k in np.argsort(heights):
            point, height, curvature = points[k], heights[k], curvatures[k]
            if (curvature > 0).all():
                kind = "minimum" if height <= self.minimum + 1e-12 else "local minimum"
            else:
                kind = "maximum" if (curvature < 0).all() else "saddle"
            self.stationary.append(Stationary(point, kind, float(height)))
        self.minimisers = np.array([s.point for s in self.stationary if s.kind == "minimum"])


def distinct(points, scale=1e-6):
    """The points (k, d) without repetitions."""
    kept = []
    for point in points:
        if all(np.linalg.norm(point - other) > scale for other in kept):
            kept.append(point)
    return np.array(kept)


def real_roots(coefficients):
    """Real roots of polynomials (m, k + 1), highest power first: (m, k), NaN where complex.

    They are the eigenvalues of the companion matrices.
    """
    coefficients = np.asarray(coefficients, float)
    m, k = len(coefficients), coefficients.shape[1] - 1
    companion = np.zeros((m, k, k))
    companion[:, np.arange(1, k), np.arange(k - 1)] = 1.0
    companion[:, 0] = -coefficients[:, 1:] / coefficients[:, :1]
    roots = np.linalg.eigvals(companion)
    return np.where(np.abs(roots.imag) < 1e-9 * (1.0 + np.abs(roots)), roots.real, np.nan)
