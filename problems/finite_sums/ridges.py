"""Valleys without end: parts that depend on x by the sum of its coordinates alone.

    f_i(x) = u²/(1 + u²),    u = s + a_i,    s = x_1 + ... + x_d

The minimisers fill hyperplanes s = s*, and a point's nearest one is reached along (1, ..., 1).

Source: arXiv:2410.12455, the remark on n functions of d coordinates; its example stands below.
"""
import numpy as np

import minigrad as mg
from minigrad.arguments import count, numbers
from minigrad.backend import xp
from minigrad.kinds import expects, table, whole

from problems.finite_sums.finite_sum import FiniteSum, Stationary


class Ridges(FiniteSum):
    """n such valleys with offsets a_i, in d dimensions.

    offsets  (n,)
    sums     (k,) the values s* of the global minimisers;   `minimisers` is None: there are too many
    """

    @expects(offsets=table, d=whole())
    def __init__(self, offsets, d=2):
        self.offsets = numbers("Ridges", "offsets", offsets, ndim=1).copy()
        self.n, self.dimension = len(self.offsets), count("Ridges", "d", d)
        self.lowest, self.far = np.zeros(self.n), np.ones(self.n)
        s = self.stationary_sums()
        heights = (lambda u2: u2 / (1.0 + u2))((s[:, None] + self.offsets) ** 2).mean(axis=1)
        self.minimum = float(heights.min())
        self.sums = s[heights <= self.minimum + 1e-12]
        self.stationary = [Stationary(np.full(d, z / d), self.kind(z, h), float(h))
                           for z, h in zip(s, heights)]

    def parts(self, theta):
        u = mg.sum(theta, axis=-1)[..., None] + xp.asarray(self.offsets, dtype=theta.dtype)
        return u * u / (1.0 + u * u)

    def start(self, rng):
        return xp.asarray(rng.uniform(-3.0, 3.0, self.dimension))

    def slope(self, s):
        u = np.asarray(s)[..., None] + self.offsets
        return (2.0 * u / (1.0 + u * u) ** 2).mean(axis=-1)

    def kind(self, s, height):
        if self.slope(s + 1e-6) < self.slope(s - 1e-6):
            return "maximum along s"
        return "minimum" if height <= self.minimum + 1e-12 else "local minimum"

    def stationary_sums(self):
        """All s with df/ds = 0, by bisection between the changes of sign on a fine mesh."""
        reach = np.abs(self.offsets).max() + 2.0
        mesh = np.linspace(-reach, reach, 20_001)
        value = self.slope(mesh)
        low, high = mesh[:-1], mesh[1:]
        change = (value[:-1] * value[1:] < 0) | (value[:-1] == 0)
        low, high = low[change].copy(), high[change].copy()
        sign = np.sign(self.slope(low))
        for _ in range(80):
            middle = 0.5 * (low + high)
            left = np.sign(self.slope(middle)) == sign
            low, high = np.where(left, middle, low), np.where(left, high, middle)
        return 0.5 * (low + high)

    def nearest(self, points):
        away = points.sum(axis=-1)[:, None] - self.sums                             # (m, k)
        order = np.argsort(np.abs(away), axis=1)
        ranked = np.abs(np.take_along_axis(away, order, axis=1))
        tied = ranked <= ranked[:, :1] * (1 + 1e-12) + 1e-15
        chosen = np.take_along_axis(away, np.where(tied, order, order[:, :1]), axis=1)
        return (points[:, None] - chosen[..., None] / self.dimension)[:, :tied.sum(axis=1).max()]


def example1():
    """f_1 = s²/(1+s²), f_2 = (s+1)²/(1+(s+1)²), s = x + y: minimal on the line s = -1/2.

    Source: arXiv:2410.12455, example 1.
    """
    return Ridges([0.0, 1.0])
