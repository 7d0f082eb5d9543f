"""A potential: a landscape whose minima, passes and lowest ways between minima are known."""
from typing import Any, NamedTuple

import numpy as np

from minigrad.backend import xp
from minigrad.kinds import real

from problems.problem import Problem


class Route(NamedTuple):
    """Two points, and what is known about the ways between them.

    start, end   (d,) tuples
    height       the lowest way's highest height: over all paths from start to end, the least of
                 their largest V (the minimax)
    straight     the largest V on the straight line, None where it is not worth knowing
    """

    start: Any
    end: Any
    height: float
    straight: Any = None


class Potential(Problem):
    """A landscape over d coordinates with its record of facts, all of it on the host.

    minima (k, d), minima_heights (k,)     the lowest first
    saddles (k, d), saddle_heights (k,)    critical points of index 1, the lowest first
    maxima (k, d), maxima_heights (k,)     in the plane, where they are known
    routes                                 name -> Route
    bounds                                 (low, high) of each coordinate: what a picture shows
    """

    minima = minima_heights = saddles = saddle_heights = maxima = maxima_heights = ()
    bounds = ((-2.0, 2.0), (-2.0, 2.0))
    routes = {}

    @property
    def dimension(self):
        return len(self.bounds)

    @property
    def coordinates(self):
        return len(self.bounds)

    @property
    def minimum(self):
        return self.minima_heights[0]

    @property
    def minimisers(self):
        heights = np.asarray(self.minima_heights)
        return np.asarray(self.minima)[heights == heights[0]]

    def start(self, rng):
        """Uniform in the bounds."""
        low, high = zip(*self.bounds)
        return xp.asarray(rng.uniform(low, high))

    def ends(self, route):
        """The two ends (d,) of a route, ready for a path."""
        return xp.asarray(self.routes[route].start), xp.asarray(self.routes[route].end)

    def barrier(self, route):
        """The climb of the lowest way above its higher end."""
        heights = [float(self.loss(end)) for end in self.ends(route)]
        return self.routes[route].height - max(heights)


def positive(name, key, value):
    """The value as a float, if it is above 0."""
    value = real(name, key, value)
    if not value > 0:
        raise ValueError(f"{name}: {key} must be positive, got {value}.")
    return value
