"""A landscape drawn by a formula, with what is known about it: where it is lowest, and how low."""

import copy
import math

import numpy as np

from minigrad import xp
from minigrad.arguments import short, whole_number
from minigrad.kinds import expects, extended, function, or_function, reals, row
from problems.problem import Problem

LIBRARY = "Surjanovic & Bingham, Virtual Library of Simulation Experiments, sfu.ca/~ssurjano"
SURVEY = "Jamil & Yang 2013, arXiv:1308.4008"


def ends(where, name, value):
    """(low, high), two finite numbers in this order."""
    low_high = tuple(row(where, name, value))
    if len(low_high) != 2 or not low_high[0] < low_high[1]:
        raise ValueError(f"{where}: {name} must be (low, high) with low < high, got {short(value)}.")
    return low_high


class TestFunction(Problem):
    """A formula as a landscape: `f(theta (..., d)) -> heights (...)`, with its record of facts.

    name        of the function
    formula     as plain text, the docstring of the function
    source      where formula, bounds and minimum are listed
    dimension   d, the number of coordinates that `start`, `minimisers` and `minimum` speak of
    bounds      (low, high): the customary range of every coordinate
    minimisers  (k, d) on the host: every global minimiser
    minimum     the height there

    A function defined for any number of coordinates is known in two until
    `f.in_dimensions(d)` returns the same function with the facts of d coordinates.
    """

    __test__ = False                                    # pytest: not a class of tests

    @expects(f=function, bounds=ends, minimisers=or_function(reals), minimum=or_function(extended))
    def __init__(self, f, *, bounds, minimisers, minimum, source, any_dimension=False):
        self.f, self.name, self.formula = f, f.__name__, (f.__doc__ or "").strip()
        self.bounds, self.source, self.any_dimension = bounds, source, any_dimension
        self._facts = minimisers, minimum
        self._set_dimension(2)

    def _set_dimension(self, d):
        minimisers, minimum = self._facts
        self.dimension = d
        self.minimisers = np.array(minimisers(d) if callable(minimisers) else minimisers, float)
        self.minimum = float(minimum(d) if callable(minimum) else minimum)
        if not self.minimum < math.inf:
            raise ValueError(f"{self.name}: minimum must be a number, or -inf where there is none, "
                             f"got {self.minimum}.")

    def in_dimensions(self, d):
        """The same function, with the facts that hold in d coordinates."""
        if not self.any_dimension and d != 2:
            raise ValueError(f"{self.name}: is a function of 2 coordinates, not of {d}.")
        if (whole_number(d) or 0) < 1:
            raise ValueError(f"{self.name}: needs at least 1 coordinate, got {d!r}.")
        other = copy.copy(self)
        other._set_dimension(whole_number(d))
        return other

    def start(self, rng):
        """A point drawn uniformly from the bounds."""
        return xp.asarray(rng.uniform(*self.bounds, size=self.dimension))

    def loss(self, theta, batch=None):
        if self.any_dimension and not (theta.shape and theta.shape[-1]):
            raise ValueError(f"{self.name}: a point (d,) has at least one coordinate, got shape "
                             f"{tuple(theta.shape)}.")
        if not self.any_dimension and theta.shape[-1:] != (2,):
            raise ValueError(f"{self.name}: points have 2 coordinates along the last axis, "
                             f"got shape {tuple(theta.shape)}.")
        return self.f(theta)

    __call__ = loss                                     # one call less where a call is all it costs

    def __repr__(self):
        return f"<{self.name}: {self.formula.partition(chr(10))[0]}>"


def row_dot(a, b):
    """Σ_i a_i b_i over the last axis. NumPy's sum of a short axis is slow: a sum of columns, or a
    product with ones, is quicker."""
    d = a.shape[-1]
    if d == 1:
        return (a * b)[..., 0]
    if a.ndim == 1:
        return a @ b
    products = a * b
    return products[..., 0] + products[..., 1] if d == 2 else products @ xp.ones(d, a.dtype)
