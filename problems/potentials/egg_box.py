"""Barriers of Rastrigin's function: a grid of wells, each coordinate on its own."""
from minigrad.arguments import count
from minigrad.kinds import expects, whole
from problems.functions import rastrigin

from .potential import Potential, Route

NEIGHBOUR, WELL = 0.994958637652, 0.994959057093            # the next minimum in one coordinate
TOP, BARRIER = 0.502546036555, 20.251272990990              # and the top on the way to it


class EggBox(Potential):
    """V = 10 d + Σ (x_i² - 10 cos 2πx_i) between the origin and a well next to it.

    The sum is separable, so the lowest way moves one coordinate at a time: a well m coordinates
    away is reached over 20.25127299 + (m-1) 0.99495906; the straight line climbs to m times the
    first of these.

    d      coordinates
    moved  m, how many of them differ at the end
    """

    @expects(d=whole(1))
    def __init__(self, d=2, moved=None):
        moved = d if moved is None else moved
        moved = count("EggBox", "moved", moved, least=0)
        if not 1 <= moved <= d:
            raise ValueError(f"EggBox: between 1 and d = {d} coordinates can move, got {moved}.")
        end = tuple(NEIGHBOUR if i < moved else 0.0 for i in range(d))
        self.minima, self.minima_heights = ((0.0,) * d, end), (0.0, moved * WELL)
        self.saddles = ((TOP,) + (0.0,) * (d - 1),)
        self.saddle_heights = (BARRIER,)
        self.bounds = ((-0.5, 1.5),) * d
        self.routes = {f"{moved} of {d}": Route(*self.minima, BARRIER + (moved - 1) * WELL,
                                                moved * BARRIER)}

    def loss(self, theta, batch=None):
        return rastrigin(theta)
