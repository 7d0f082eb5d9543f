"""An interval for a mean over all eigenvalues, from the quadratures of a few random vectors.

For v uniform on the sphere of R^n, X = Σ_i w_i f(λ_i) with w_i = <v, q_i>², and n w_i is nearly a
chi-square number of one degree. Where few eigenvalues carry the mean, X is as skewed as such a
number: of three samples most often all are too small, and so is their scatter. Student's interval
then holds 88 % of the time where 95 were asked for.

What n w_i is distributed like is known, and the quadratures tell what f(λ_i) are. So with c the
median of f over the spectrum, the part above it,

    P = mean of (f - c)^+,    P estimate/P true  ~  χ²_ν/ν,    ν = nv · n P²/mean of ((f - c)^+)²

(the degrees that give it the variance 2/n mean of ((f - c)^+)²; each sample has one or more), and
the part below, N, likewise. Each has an interval by the quantiles of χ², long upwards. That of the
mean c + P - N adds their reaches in squares, on either side those that lead there:

    upwards    √((P_high - P)² + (N - N_low)²)         downwards    √((P - P_low)² + (N_high - N)²)

Measured over 3,000 repeats (n = 60, five steps, moments 1 to 3, spectra normal, positive, decaying
and with outliers), where 95 % were asked for: one probe 92 to 100 %, two 93 to 98, three and ten 93
to 97; Student's 89 to 96. Where a single eigenvalue carries everything it is 89 to 92 (Student's 82
to 86), since ν is not known either; where f takes two values equally often nearly 100, since the
parts above and below are then not independent.
"""
import math

import numpy as np

from problems.landscape.chi_square import chi_square_quantile


def mean_interval(weights, values, n, level):
    """(low, high) that holds 1/n Σ f(λ_i), from weights and f(nodes), both (nv, m)."""
    nv, flat = len(weights), np.argsort(values, axis=None)
    heap = np.cumsum(weights.ravel()[flat])
    centre = values.ravel()[flat[int(np.argmax(heap >= 0.5 * heap[-1]))]]
    mean = float(np.sum(weights * values)) / nv
    (above, over), (below, under) = (
        reaches(np.sum(weights * part) / nv, np.sum(weights * part * part) / nv, nv, n, level)
        for part in (np.maximum(values - centre, 0.0), np.maximum(centre - values, 0.0)))
    return mean - math.hypot(above, under), mean + math.hypot(over, below)


def reaches(mean, square, nv, n, level):
    """How far below and above the mean of a positive part the truth may lie, by its mean square."""
    if not mean > 0.0:
        return 0.0, 0.0
    degrees = nv * max(n * mean * mean / square, 1.0)
    low, high = (degrees / chi_square_quantile(p, degrees)
                 for p in (0.5 + 0.5 * level, 0.5 - 0.5 * level))
    return float(mean * (1.0 - low)), float(mean * (high - 1.0))
