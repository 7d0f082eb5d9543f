"""Do high critical points have more ways down? Height against index over a set of them."""
from typing import NamedTuple

import numpy as np

from minigrad.backend import to_host


class IndexStudy(NamedTuple):
    """Height f (n,) and index as a share of the dimension alpha (n,), and how they go together.

    linear, rank               Pearson's and Spearman's correlation; plateaus at infinity spoil the
                               first and not the second
    linear_range, rank_range   95 % bootstrap intervals; (-1, 1) for fewer than five points
    """

    f: np.ndarray
    alpha: np.ndarray
    linear: float
    rank: float
    linear_range: tuple
    rank_range: tuple


def index_against_height(points, rng=None, draws=1000):
    """Correlate height and index over the converged points of a search.

    points   CriticalPoints; others than converged ones are dropped
    rng      draws the bootstrap samples; None: no intervals
    """
    points = [point for point in points if point.converged]
    f, alpha = np.array([p.f for p in points]), np.array([p.alpha for p in points])
    if len(points) < 3 or np.ptp(f) == 0 or np.ptp(alpha) == 0:
        return IndexStudy(f, alpha, np.nan, np.nan, (-1.0, 1.0), (-1.0, 1.0))
    level = np.round(f / np.abs(f).max(), 9)                    # equal heights differ by rounding
    pairs = ((f, alpha), (ranks(level), ranks(alpha)))
    linear, rank = (float(np.corrcoef(*pair)[0, 1]) for pair in pairs)
    if rng is None or len(points) < 5:
        return IndexStudy(f, alpha, linear, rank, (-1.0, 1.0), (-1.0, 1.0))
    picks = rng.integers(0, len(points), (draws, len(points)))
    return IndexStudy(f, alpha, linear, rank, *(bootstrap(*pair, picks) for pair in pairs))


def bootstrap(a, b, picks):
    """95 % interval of the correlation of a and b over resampled pairs."""
    a, b = (v[picks] - v[picks].mean(axis=1, keepdims=True) for v in (a, b))
    size = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    values = ((a * b).sum(axis=1) / np.where(size > 0, size, 1.0))[size > 0]
    return tuple(float(q) for q in np.quantile(values, (0.025, 0.975)))


def ranks(x):
    """Ranks 0 ... n-1, ties sharing their mean."""
    _, group, count = np.unique(x, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count + 1) / 2.0)[group]


def distinct(points, tol=1e-6):
    """Converged points that differ in height or in spectrum, lowest first.

    Copies by a symmetry of the landscape have both in common and count once.
    """
    found = []
    for point in sorted((p for p in points if p.converged), key=lambda p: p.f):
        marks = np.append(to_host(point.eig), point.f)
        scale = tol * (1.0 + np.abs(marks).max())
        if not any(np.abs(np.append(q.eig, q.f) - marks).max() <= scale for q in found):
            found.append(point)
    return found
