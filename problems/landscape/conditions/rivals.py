"""The conditions that alpha-beta competes with, along a run.

    PL            |∇f|² >= 2μ (f - f*)                             excludes every other minimum
    relaxed PL    |∇f|^d >= (2μ)^{d/2} (f - f*),   1 <= d <= 2     d = 2 is PL
    Aiming        <∇f, x - x_p> >= θ (f - f*)                      the paper writes f, with f* = 0
    QCvx          <∇f, x - x*> >= θ (f - f*)                       one x* for all x
    interpolation f_i(x*) = f_i* for all i

Each function gives the constant that the inequality would allow at each measurement; the least of
them is the run's. A constant that is not positive is the condition's failure.

Source: arXiv:2410.12455, section 2 and the figures' captions.
"""
import numpy as np
from minigrad.kinds import expects, extended, real, reals

END = 1e-12                                             # f - f* below this share of f: left out


@expects(slope=reals, height=reals, lowest=real, power=extended)
def pl(slope, height, lowest, power=2.0):
    """2μ = |∇f|² / (f - f*)^{2/d} at each measurement; NaN where f - f* <= 1e-12 f.

    slope, height   (k,) gradient norm and height;   lowest  f*, or the height of the last point
    power           d in [1, 2]
    """
    together("pl", slope, height)
    if not 1.0 <= power <= 2.0:
        raise ValueError(f"pl: the power must lie in [1, 2], got {power}.")
    gap = above(height, lowest)
    return np.asarray(slope, float) ** 2 / gap ** (2.0 / power)


@expects(inner=reals, height=reals, lowest=real)
def aiming(inner, height, lowest=0.0):
    """θ = <∇f, x - x_p> / (f - f*) at each measurement; also QCvx's when x_p is one point."""
    together("aiming", inner, height)
    return np.asarray(inner, float) / above(height, lowest)


@expects(inner=reals, slope=reals, distance=reals)
def cosine(inner, slope, distance):
    """Cosine of the angle between ∇f and x - x_p; NaN where one of them vanishes or is infinite."""
    together("cosine", inner, slope, distance)
    product = np.asarray(slope, float) * np.asarray(distance, float)
    known = (product > 0) & (product < np.inf)
    return np.where(known, inner / np.where(known, product, 1.0), np.nan)


def together(where, *arrays):
    """Raises unless the arrays have one shape, single numbers aside."""
    shapes = {a.shape for a in arrays if a.ndim}
    if len(shapes) > 1:
        raise ValueError(f"{where}: measurements of the shapes {[a.shape for a in arrays]} do not "
                         "belong together. Give one of each kind a step.")


def above(height, lowest):
    gap = np.asarray(height, float) - lowest
    return np.where(gap > END * np.abs(height), gap, np.nan)
