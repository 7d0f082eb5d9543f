"""Do high critical points have more ways down? Height against index over a set of them."""
from typing import NamedTuple

import numpy as np

from minigrad.backend import to_host
from minigrad.kinds import every, expects, natural, source, whole

FLAT = 1e-6                                     # a curvature below this share of the largest is 0


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


@expects(points=every("eig"), rng=source, draws=whole(1))
def index_against_height(points, rng=None, draws=1000):
    """Correlate height and index over the converged points of a search.

    points   CriticalPoints; others than converged ones are dropped
    rng      draws the bootstrap samples; None: no intervals
    """
    points = [point for point in points if point.converged]
    f, alpha = np.array([p.f for p in points]), np.array([p.alpha for p in points])
    if len(points) < 3 or np.ptp(f) == 0 or np.ptp(alpha) == 0:
        return IndexStudy(f, alpha, np.nan, np.nan, (-1.0, 1.0), (-1.0, 1.0))
    level = np.round((f - f.min()) / np.ptp(f), 9)              # equal heights differ by rounding
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


@expects(points=every("eig"), tol=natural)
def distinct(points, tol=1e-6):
    """Converged points that differ in height or in spectrum, lowest first.

    Copies by a symmetry of the landscape have both in common and count once. Along a continuous
    family of critical points (the valley of (1 - ab)², the minima of a network with more weights
    than data) the height stays and the spectrum varies, but always with a curvature of zero; so
    points with such a curvature that have one height count once too.

    tol   heights are equal within tol (1 + the range of heights), whatever constant they share;
          eigenvalues within tol (1 + the largest |eigenvalue|)
    """
    points = sorted((p for p in points if p.converged), key=lambda p: p.f)
    level = tol * (1.0 + points[-1].f - points[0].f) if points else 0.0
    found = []
    for point in points:
        if not any(abs(q.f - point.f) <= level and alike(q, point, tol) for q in found):
            found.append(point)
    return found


def alike(p, q, tol):
    """The same spectrum, or a direction without curvature in both."""
    a, b = to_host(p.eig), to_host(q.eig)
    scale = tol * (1.0 + max(np.abs(a).max(), np.abs(b).max()))
    return np.abs(a - b).max() <= scale or (degenerate(p) and degenerate(q))


def degenerate(point):
    """Is some curvature zero, as far as the spectrum is known?"""
    size = np.abs(to_host(point.eig))
    return bool(size.min() <= max(FLAT * size.max(), point.eig_error))
