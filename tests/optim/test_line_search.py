"""Searches for one number, against minima known in closed form and conditions checked afresh."""
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from optim import Objective, golden_section
from optim.second_order.line_search import R, Ray, backtracking, cubic, section, strong_wolfe


def rosenbrock(theta):
    x, y = theta[..., 0], theta[..., 1]
    return (1.0 - x) ** 2 + 100.0 * (y - x * x) ** 2


def ray_of(f, theta, p=None, dtype="float64"):
    theta = xp.asarray(theta, dtype=dtype)
    objective = Objective(f)
    p = -objective.value_and_grad(theta)[1] if p is None else xp.asarray(p, dtype=dtype)
    return Ray(objective, theta, p)


# ---------------------------------------------------------------------- the ray

def test_a_ray_is_the_landscape_along_the_direction_and_counts():
    ray = ray_of(rosenbrock, [-1.2, 1.0], [1.0, 0.5])
    assert abs(ray(0.4) - ((1 + 0.8) ** 2 + 100 * (1.2 - 0.64) ** 2)) < 1e-12
    h = 1e-5
    difference = (ray(0.4 + h) - ray(0.4 - h)) / (2 * h)
    assert abs(ray.slope(0.4) - difference) < 1e-6 * abs(difference)
    assert (ray.evaluations, ray.gradients) == (4, 1)
    ray(0.4), ray.slope(0.4), ray.value_and_grad(0.4)                    # remembered
    assert (ray.evaluations, ray.gradients) == (4, 1)
    assert ray.objective.values == 3 and ray.objective.gradients == 1


def test_what_is_known_at_the_start_is_not_asked_for_again():
    objective = Objective(rosenbrock)
    theta = xp.asarray([-1.2, 1.0])
    height, g = objective.value_and_grad(theta)
    ray = Ray(objective, theta, -g, height, g)
    assert ray(0.0) == float(height) and ray.slope(0.0) == -float(xp.vdot(g, g))
    assert ray.evaluations == 0


def test_float32_stays():
    ray = ray_of(rosenbrock, [-1.2, 1.0], dtype="float32")
    assert ray.point(0.3).dtype == xp.float32 and ray.value_and_grad(0.3)[1].dtype == xp.float32


# ---------------------------------------------------------------------- golden section

@pytest.mark.parametrize("minimum", [1e-9, 3e-4, 0.3, 1.0, 17.0, 4e5])
@pytest.mark.parametrize("tolerance", [1e-2, 1e-4])
def test_golden_section_finds_the_minimum_from_far_too_long_and_far_too_short(minimum, tolerance):
    step = golden_section(lambda a: (a - minimum) ** 2, tolerance=tolerance)
    assert step.found and abs(step.length - minimum) <= tolerance * 1.7 * minimum
    assert step.height == (step.length - minimum) ** 2


@pytest.mark.parametrize("tolerance, most", [(1e-2, 20), (1e-4, 30), (1e-8, 50)])
def test_evaluations_on_quadratics(tolerance, most):
    """The prototype's counts of the specification: about 20, 29 and 50."""
    counts = [golden_section(lambda a: (a - m) ** 2 + 1.0, tolerance=tolerance).evaluations
              for m in np.geomspace(0.3, 3.0, 21)]
    assert most - 8 <= np.mean(counts) <= most


def test_the_bracket_of_a_worked_example():
    """φ = (a - 2)²: 1, 1.618, 2.618 bracket the minimum; every trial by hand."""
    asked = []
    golden_section(lambda a: asked.append(float(a)) or (a - 2.0) ** 2, tolerance=0.3)
    expected = [0.0, 1.0, 1 / R, 1 / R + 1.0]
    assert np.allclose(asked[:4], expected, atol=1e-12)
    low, high = 1.0, 1 / R + 1.0
    x1, x2 = high - R * (high - low), low + R * (high - low)
    assert np.allclose(asked[4:6], [x1, x2], atol=1e-12)
    # (x2 - 2)² = 0 < (x1 - 2)²: the right part [x1, high] is kept, width 1 > .3 * high
    assert np.allclose(asked[6], x1 + R * (high - x1), atol=1e-12)


def test_the_best_point_ever_seen_is_returned_although_the_bracket_loses_it():
    """A deep hole at exactly the first trial, beside a wide valley."""
    def height(a):
        return -5.0 if a == 1.0 else (a - 1.3) ** 2 - 2.0
    step = golden_section(height)
    assert (step.length, step.height) == (1.0, -5.0)


@pytest.mark.parametrize("seed", range(20))
def test_never_above_the_start_whatever_the_function(seed):
    rng = np.random.default_rng(seed)
    w, c = rng.standard_normal((2, 6)) * [[4.0], [1.0]]
    def height(a):
        return float(np.sin(w * a) @ c) + 0.01 * a * a
    step = golden_section(height, first=rng.uniform(0.1, 3.0))
    assert step.height <= height(0.0) and step.height == height(step.length)


def test_steps_back_from_nan_and_infinities():
    def height(a):
        return math.nan if a > 0.5 else (math.inf if a > 0.3 else (a - 0.1) ** 2)
    step = golden_section(height)
    assert step.found and abs(step.length - 0.1) < 2e-3


def test_uphill_and_bottomless():
    up = golden_section(lambda a: a)
    assert not up.found and up.length == 0.0 and up.height == 0.0
    down = golden_section(lambda a: -a, expansions=20)
    assert not down.found and down.length > 1e3 and down.height == -down.length


def test_brackets_side_by_side_are_those_one_by_one():
    low, high, centre = np.array([0.0, -3.0]), np.array([1.0, 2.0]), np.array([0.7, -1.1])
    both = section(lambda a: np.cosh(a - centre), low, high, 1e-7)
    for k in range(2):
        one = section(lambda a: np.cosh(a - centre[k]), low[k], high[k], 1e-7)
        assert one[0] <= centre[k] + 1e-7 and one[1] >= centre[k] - 1e-7
        assert abs(both[0][k] - one[0]) < 1e-7 and abs(both[1][k] - one[1]) < 1e-7


# ---------------------------------------------------------------------- Armijo, Wolfe

def test_backtracking_takes_the_first_that_pays():
    step = backtracking(lambda a: (a - 1.0) ** 2, slope=-2.0, first=16.0)
    assert step == (1.0, 0.0, 6, True)                      # 16, 8, 4, 2 do not, 1 does; and φ(0)
    assert not backtracking(lambda a: a, slope=-1.0).found  # a slope that is not the function's


@pytest.mark.parametrize("c2", [0.9, 0.1, 1e-3])
@pytest.mark.parametrize("seed", range(10))
def test_both_wolfe_conditions_hold(seed, c2):
    rng = np.random.default_rng(seed)
    theta = rng.uniform(-2, 2, 2)
    ray = ray_of(rosenbrock, theta)
    step = strong_wolfe(ray, first=10.0 ** rng.uniform(-6, 1), c2=c2)
    x, p = to_host(ray.theta), to_host(ray.p)

    def phi(a):
        return float(rosenbrock(x + a * p))
    at_start = -float(p @ p)
    assert step.found and abs(step.height - phi(step.length)) <= 1e-12 * abs(step.height)
    assert step.height <= phi(0.0) + 1e-4 * step.length * at_start
    x, y = x + step.length * p
    g = np.array([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)], dtype=float)
    assert abs(g @ p) <= c2 * abs(at_start) * (1 + 1e-9)


def test_wolfe_on_a_function_that_needs_going_further_out():
    """φ = -a / (a² + 2), minimum at √2 (Moré & Thuente 1994, function 1, with β = 2)."""
    for first in (1e-3, 1e-1, 1e1, 1e3):
        ray = ray_of(lambda t: -t[..., 0] / (t[..., 0] ** 2 + 2.0), [0.0], [1.0])
        step = strong_wolfe(ray, first=first, c1=1e-3, c2=0.01)
        a = step.length
        assert step.found and abs((a * a - 2) / (a * a + 2) ** 2) <= 0.01 * 0.5


def test_wolfe_steps_back_from_where_the_function_is_not_finite():
    ray = ray_of(lambda t: -mg.log(1.0 - t[..., 0]) - 4.0 * t[..., 0], [0.0], [1.0])
    with np.errstate(all="ignore"):
        step = strong_wolfe(ray, first=8.0, c2=0.1)
    assert step.found and abs(1 / (1 - step.length) - 4.0) <= 0.3


def test_wolfe_ends_where_the_bracket_closes():
    """Down at slope -1 until a jump at 1: no step is flat, and the bracket shrinks to one number."""
    class Jump:
        evaluations = 0

        def value_and_grad(self, a):
            return (-a if a <= 1.0 else 10.0), None

        def slope(self, a):
            return -1.0

    step = strong_wolfe(Jump(), first=1.5, zooms=2000)
    assert not step.found and 1.0 - 1e-12 < step.length <= 1.0


def test_the_cubic_of_a_cubic_is_exact():
    """f = a³ - 3a has its minimum at 1."""
    places = [(a, a**3 - 3 * a, 3 * a * a - 3) for a in (0.2, 2.0)]
    assert abs(cubic(*places) - 1.0) < 1e-12 and abs(cubic(*places[::-1]) - 1.0) < 1e-12


# ---------------------------------------------------------------------- errors

def test_errors():
    theta, objective = xp.zeros(2), Objective(rosenbrock)
    with pytest.raises(ValueError, match=r"Ray: needs a point .* got \(2,\) and \(3,\)"):
        Ray(objective, theta, xp.zeros(3))
    with pytest.raises(ValueError, match="Ray: the direction holds NaN"):
        Ray(objective, theta, xp.asarray([1.0, np.nan]))
    with pytest.raises(ValueError, match="golden_section: the first step must be positive"):
        golden_section(lambda a: a, first=0.0)
    with pytest.raises(ValueError, match=r"tolerance must lie in \[1e-8, 1\), got 1e-09"):
        golden_section(lambda a: a, tolerance=1e-9)
    with pytest.raises(ValueError, match="the height at the start is inf"):
        golden_section(lambda a: math.nan)
    with pytest.raises(ValueError, match="backtracking: the slope at the start is 1.0"):
        backtracking(lambda a: a, slope=1.0)
    with pytest.raises(ValueError, match=r"backtracking: shrink must lie in \(0, 1\), got 1.5"):
        backtracking(lambda a: a, slope=-1.0, shrink=1.5)
    with pytest.raises(ValueError, match="c1 must be below c2"):
        strong_wolfe(ray_of(rosenbrock, [0.0, 1.0]), c1=0.5, c2=0.1)
    with pytest.raises(ValueError, match="strong_wolfe: the slope at the start is 0.0"):
        strong_wolfe(ray_of(rosenbrock, [1.0, 1.0], [1.0, 0.0]))


def test_no_search_begins_where_there_is_no_height():
    for height in (math.nan, math.inf):
        with pytest.raises(ValueError, match=f"line search: the height at the start is {height}"):
            strong_wolfe(ray_of(lambda theta: mg.sum(theta) + height, [1.0, 2.0], [1.0, 1.0]))
