"""Derivatives of a program along a direction, from values alone: differences of the reference.

The reference is evaluated in longdouble (19 digits on x86) at nine points x + k h v, k = -4 .. 4,
of the line. The polynomial through them gives the first three derivatives there. Its error is
h⁸ times a ninth derivative, and the rounding eps / hⁿ; with h = 1/128 and |v| = 1 both are far
below what is compared. How good the differences really are is told by those of the seven inner
points: where the two disagree there is a kink or a pole nearby, and the graph is not judged.
"""
from dataclasses import dataclass

import numpy as np

from tests.minigrad.graphs.programs.program import reference, weighed

H = 1 / 128
REAL = np.longdouble


def coefficients(reach):
    """(3, 2 reach + 1): weights of the values at k = -reach .. reach, for the derivatives 1, 2, 3
    of the polynomial through them at h = 1."""
    k = np.arange(-reach, reach + 1)
    powers = np.vander(k.astype(float), increasing=True).T          # powers[n, k] = kⁿ
    factorials = np.array([1.0, 2.0, 6.0])
    right = np.zeros((len(k), 3))
    right[[1, 2, 3], [0, 1, 2]] = factorials
    return np.round(np.linalg.solve(powers, right).T * 5040 * 4).astype(REAL) / (5040 * 4)


INNER, ALL = coefficients(3), coefficients(4)


@dataclass
class Slopes:
    """first       of every value, its derivative along v, and by how much it may be off
    height      three derivatives of the weighted sum along v, and by how much they may be off
    """
    values: list
    first: list
    first_error: list
    height: np.ndarray
    height_error: np.ndarray


def slopes(program, v):
    """Slopes of a program along v, a list of arrays like its leaves."""
    base = reference(program, program.leaves, REAL)
    lines = [reference(program, [REAL(k * H) * d.astype(REAL) + x for x, d in
                                 zip(program.leaves, v)], REAL, base) for k in range(-4, 5)]
    first, error = [], []
    pick = program.slopes_of
    weights = pick(program.weights)
    total = np.array([sum((weighed(v, w).sum() for v, w in zip(pick(values), weights)), REAL(0))
                      for values in lines])
    for i, value in enumerate(base):
        along = np.stack([np.asarray(values[i], REAL) for values in lines])
        fine = np.tensordot(ALL[0], along, 1) / H
        coarse = np.tensordot(INNER[0], along[1:-1], 1) / H
        first.append(fine)
        error.append(np.abs(fine - coarse).max(initial=0))
    scale = np.array([H, H**2, H**3], REAL)
    fine, coarse = ALL @ total / scale, INNER @ total[1:-1] / scale
    size = sum(weighed(np.abs(v), np.abs(w)).sum() for v, w in zip(pick(base), weights))
    rounding = 10 * np.finfo(REAL).eps * size / scale       # of values, and of constants in float64
    return Slopes(base, first, error, fine, np.abs(fine - coarse) + rounding)

