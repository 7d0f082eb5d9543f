"""Two wells and the pass between them, known in closed form or to 1e-11.

    double well    the straight line is the lowest way already
    tilted well    two minima of different depth
    curved well    the straight line runs into a wall, the valley is bent; any dimension
"""
from minigrad.kinds import table

from .potential import Potential, Route, positive


class DoubleWell(Potential):
    """V = (x² - 1)² + (k/2) y²: minima (±1, 0), a pass of height exactly 1 at the origin.

    k  stiffness across; the straight line is the lowest way already
    """

    minima, minima_heights = ((-1.0, 0.0), (1.0, 0.0)), (0.0, 0.0)
    saddles, saddle_heights = ((0.0, 0.0),), (1.0,)
    routes = {"across": Route(minima[0], minima[1], 1.0, 1.0)}

    def __init__(self, k=4.0):
        self.k = positive("DoubleWell", "k", k)

    def loss(self, theta, batch=None):
        x, y = theta[..., 0], theta[..., 1]
        return (x * x - 1.0) ** 2 + (0.5 * self.k) * y * y


class TiltedWell(Potential):
    """V = (x² - 1)² + 0.3 x + 2 (y - x/2)²: the left minimum is the deeper one."""

    minima = ((-1.035578714089, -0.517789357044), (0.960149555519, 0.480074777760))
    minima_heights = (-0.305428483744, 0.294146481028)
    saddles, saddle_heights = ((0.075429158570, 0.037714579285),), (1.011282002716,)
    routes = {"across": Route(minima[0], minima[1], saddle_heights[0])}

    def loss(self, theta, batch=None):
        x, y = theta[..., 0], theta[..., 1]
        return (x * x - 1.0) ** 2 + 0.3 * x + 2.0 * (y - 0.5 * x) ** 2


class CurvedWell(Potential):
    """V = (x² - 1)² + k Σ_j (y_j - a_j x²)²: a bent valley between (-1, a) and (1, a).

    The lowest way keeps y = a x² and rises to exactly 1; the straight line rises to 1 + k |a|².

    k  stiffness across the valley
    a  how far it bends: a number, or one for each further coordinate, so that d = 1 + len(a)
    """

    def __init__(self, k=10.0, a=1.0):
        self.k = positive("CurvedWell", "k", k)
        self.a = tuple(table("CurvedWell", "a", a).reshape(-1).tolist())
        self.minima, self.minima_heights = ((-1.0, *self.a), (1.0, *self.a)), (0.0, 0.0)
        self.saddles, self.saddle_heights = ((0.0,) * (1 + len(self.a)),), (1.0,)
        self.bounds = ((-1.6, 1.6), *((min(0.0, 2.0 * a) - 0.7, max(0.0, 2.0 * a) + 0.7)
                                      for a in self.a))
        wall = 1.0 + self.k * sum(a * a for a in self.a)
        self.routes = {"round the bend": Route(*self.minima, 1.0, wall)}

    def loss(self, theta, batch=None):
        x = theta[..., 0]
        square = x * x
        V = (square - 1.0) ** 2
        for j, a in enumerate(self.a):
            V = V + self.k * (theta[..., j + 1] - a * square) ** 2
        return V
