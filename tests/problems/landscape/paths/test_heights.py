"""The measure of a path, against functions whose heights along it are known exactly."""
import math
import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import xp
from optim import Objective
from problems.landscape import barrier, linear_path
from problems.landscape.paths.heights import PathWarning, equal_steps, height
from problems.landscape.paths.path import Bezier, Straight
from problems.potentials import MuellerBrown


def line(a=0.0, b=1.0):
    return Straight(xp.asarray([a]), xp.asarray([b]))


def of_x(f):
    return Objective(lambda theta: f(theta[..., 0]))


def test_three_heights_and_two_tops():
    """L = sin(πx) + 2x from 0 to 1: the top of L is where π cos πx = -2, that above the chord ½."""
    found = height(of_x(lambda x: mg.sin(math.pi * x) + 2.0 * x), line())
    x = math.acos(-2.0 / math.pi) / math.pi
    top = math.sin(math.pi * x) + 2.0 * x
    assert abs(found.highest - top) < 1e-14 and abs(found.t - x) < 1e-7
    assert abs(found.above_higher - (top - 2.0)) < 1e-14 and abs(found.above_lower - top) < 1e-14
    assert abs(found.above_chord - 1.0) < 1e-14 and abs(found.t_chord - 0.5) < 1e-7
    assert abs(found.length - 1.0) < 1e-14 and found.not_finite == 0
    assert np.allclose(found.ends, (0.0, 2.0), atol=1e-15)


@pytest.mark.parametrize("place", [0.1234567, 0.5, 0.98765])
def test_refined_far_below_the_distance_of_the_points(place):
    found = height(of_x(lambda x: -abs(x - place)), line(), points=51)
    assert abs(found.highest) < 1e-10 and abs(found.t - place) < 1e-10


def test_the_highest_of_several_tops_is_found_although_the_points_see_another():
    """Two peaks: the higher one falls between two of 21 points, the lower one on a point."""
    def two(x):
        return mg.exp(-4e3 * (x - 0.525) ** 2) + 0.95 * mg.exp(-4e3 * (x - 0.2) ** 2)
    found = height(of_x(two), line(), points=21)
    assert abs(found.highest - 1.0) < 1e-12 and abs(found.t - 0.525) < 1e-7


def test_the_ends_count():
    bowl = height(of_x(lambda x: (x - 0.4) ** 2), line())
    assert bowl.highest == 0.36 and bowl.t == 1.0
    assert bowl.above_higher == 0.0 and bowl.above_chord == 0.0
    assert bowl.above_lower == pytest.approx(0.2, abs=1e-15)


def test_points_are_at_equal_distances_along_the_path():
    """A curve that runs ten times as fast at its end."""
    curve = Bezier(xp.asarray([[0.0, 0.0], [0.1, 0.0], [1.1, 0.0]]))
    t, length = equal_steps(curve, 41)
    x = 0.2 * t * (1 - t) + 1.1 * t * t
    assert abs(length - 1.1) < 1e-12 and np.allclose(np.diff(x), 1.1 / 40, rtol=2e-3)


def test_a_pass_that_is_walked_fast_is_not_missed():
    """All of the ridge lies in one part in 2,000 of t."""
    def fast(t):
        t = xp.asarray(t)
        return xp.tanh(4000.0 * (t - 0.50013))[..., None]
    found = height(of_x(lambda x: mg.exp(-50.0 * (x - 0.3) ** 2)), fast)
    assert abs(found.highest - 1.0) < 1e-9


def test_mueller_brown_straight_lines():
    """Exact values of the straight lines, from the specification."""
    MB = MuellerBrown()
    ends = [xp.asarray(MB.minima[k]) for k in (0, 1, 2)]
    objective = Objective(MB)
    assert abs(height(objective, Straight(ends[0], ends[1])).highest - 12.67622752) < 1e-7
    assert abs(height(objective, Straight(ends[2], ends[1])).highest + 72.24687193) < 1e-7
    objective.values = 0
    found = height(objective, Straight(ends[1], ends[0]))
    assert found.evaluations == objective.values and len(found.ts) <= found.evaluations
    assert abs(found.above_higher - found.above_lower - 108.1667241 + 146.6995172) < 1e-6


def test_problems_and_plain_functions_are_taken_too():
    MB = MuellerBrown()
    path = Straight(*(xp.asarray(MB.minima[k]) for k in (0, 1)))
    assert height(MB, path).highest == height(Objective(MB), path).highest
    assert height(MB.loss, path).highest == height(MB, path).highest


# ---------------------------------------------------------------------- where there is no height

def hole(x):
    return mg.where(abs(x - 0.6) < 0.1, xp.nan, x * x)


def test_nan_on_the_way_is_an_infinite_height_and_said():
    with pytest.warns(PathWarning, match=r"height: \d+ of 101 heights .* the first at t = 0.5"):
        found = height(of_x(hole), line(), points=101)
    assert found.highest == found.above_chord == found.above_higher == math.inf
    assert found.not_finite in (19, 20, 21) and 0.5 <= found.t <= 0.7
    with pytest.warns(PathWarning, match="barrier"):
        result = barrier(of_x(hole), linear_path(xp.asarray([0.0]), xp.asarray([1.0])))
    assert result.height == math.inf and result.above_ends == math.inf and result.not_finite > 0


def test_nan_met_while_refining_is_said():
    """The NaN lies between two points of the first look, beside the highest of them."""
    def spike(x):
        return mg.where(abs(x - 0.51) < 4e-3, xp.nan, 1.0 - abs(x - 0.51))
    with pytest.warns(PathWarning):
        assert height(of_x(spike), line(), points=11).highest == math.inf


def test_an_infinite_height_on_the_way_is_said():
    with np.errstate(divide="ignore"), pytest.warns(PathWarning):
        assert height(of_x(lambda x: 1.0 / abs(x - 0.5)), line(), points=11).highest == math.inf


def test_a_finite_path_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        height(of_x(lambda x: x * x), line())
        height(of_x(lambda x: x * x), line(2.0, 2.0))                    # of no length


def test_errors():
    with pytest.raises(ValueError, match="height: needs at least 3 points, got 2"):
        height(of_x(abs), line(), points=2)
    with pytest.raises(ValueError, match="height: the loss at the ends of the path is nan and 1.0"):
        height(of_x(lambda x: mg.where(x < 0.1, xp.nan, x)), line())
