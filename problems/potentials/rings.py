"""A circular valley round a hill: two ways to go, and a straight line that leads nowhere else."""
import math

from .potential import Potential, Route, positive


class Ring(Potential):
    """V = k (x² + y² - 1)² + h y²: two equally low ways round a hill.

    Both passes lie at x = 0, y² = 1 - h/(2k) and have the height h (1 - h/(4k)); the straight line
    between (±1, 0) rises to exactly k. Along it the gradient has no part across: a search that
    starts on it, exactly, never leaves it.
    """

    bounds = ((-1.5, 1.5), (-1.5, 1.5))

    def __init__(self, k=10.0, h=1.0):
        self.k, self.h = positive("Ring", "k", k), positive("Ring", "h", h)
        if not h < 2.0 * k:
            raise ValueError(f"Ring: h must be below 2 k = {2 * k}, got {h}: there is no pass.")
        y, height = math.sqrt(1.0 - h / (2.0 * k)), h * (1.0 - h / (4.0 * k))
        self.minima, self.minima_heights = ((-1.0, 0.0), (1.0, 0.0)), (0.0, 0.0)
        self.saddles, self.saddle_heights = ((0.0, -y), (0.0, y)), (height, height)
        self.maxima, self.maxima_heights = ((0.0, 0.0),), (float(k),)
        self.routes = {"half round": Route(*self.minima, height, float(k))}

    def loss(self, theta, batch=None):
        x, y = theta[..., 0], theta[..., 1]
        yy = y * y
        return self.k * (x * x + yy - 1.0) ** 2 + self.h * yy


class TiltedRing(Potential):
    """V = 10 (x² + y² - 1)² + y² + 0.2 y: the way below is lower than the way above.

    The minima are at y = -1/10, x² = 99/100, with V = -1/100; the straight line between them rises
    to exactly 9.791.
    """

    bounds = ((-1.5, 1.5), (-1.5, 1.5))
    minima = ((-0.994987437107, -0.1), (0.994987437107, -0.1))
    minima_heights = (-0.01, -0.01)
    saddles = ((0.0, -0.977300431819), (0.0, 0.972037120443))
    saddle_heights = (0.779801661911, 1.169672014626)
    maxima, maxima_heights = ((0.0, 0.005263311375),), (10.000526323463,)
    routes = {"half round": Route(minima[0], minima[1], saddle_heights[0], 9.791)}

    def loss(self, theta, batch=None):
        x, y = theta[..., 0], theta[..., 1]
        yy = y * y
        return 10.0 * (x * x + yy - 1.0) ** 2 + yy + 0.2 * y
