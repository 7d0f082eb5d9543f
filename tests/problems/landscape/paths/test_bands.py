"""Bands on the Mueller-Brown potential, whose saddles are known, and the tangent."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from optim import SGD, Objective
from problems.landscape.paths.bands import NEB, StringMethod, redistribute, straight_band, tangents
from problems.potentials import MuellerBrown
from tests.rows import mostly_slow

MB = MuellerBrown()
PASS_12, PASS_02 = MB.saddle_heights                        # between the minima of these numbers


def band(i, j, images=21):
    return straight_band(xp.asarray(MB.minima[i]), xp.asarray(MB.minima[j]), images)


# ---------------------------------------------------------------------- tangents and spacing

def test_tangent_at_a_maximum_weighs_the_side_of_the_higher_neighbour_more():
    images = xp.asarray([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    t = to_host(tangents(images, xp.asarray([1.0, 3.0, 2.0])))
    assert np.allclose(t, [[0.4472135955, 0.8944271910]], atol=1e-10)  # (m, M) / sqrt(5), M = 2


@pytest.mark.parametrize("heights, expected", [
    ([1.0, 2.0, 3.0], [0.0, 1.0]),                          # rising: towards the next
    ([3.0, 2.0, 1.0], [1.0, 0.0]),                          # falling: from the previous
    ([3.0, 1.0, 2.0], [2.0, 1.0]),                          # minimum, higher behind: m t+ + M t-
    ([2.0, 1.0, 3.0], [1.0, 2.0]),                          # minimum, higher ahead:  M t+ + m t-
    ([2.0, 3.0, 1.0], [2.0, 1.0]),                          # maximum, higher behind
    ([1.0, 1.0, 1.0], [1.0, 1.0]),                          # level: the bisector
])
def test_tangent_cases(heights, expected):
    images = xp.asarray([[0.0, 0.0], [5.0, 0.0], [5.0, 0.1]])  # uneven spacing does not matter
    t = to_host(tangents(images, xp.asarray(heights)))[0]
    assert np.allclose(t, np.array(expected) / np.linalg.norm(expected), atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_images_that_coincide_give_finite_tangents(dtype):
    images = xp.asarray([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0]], dtype=dtype)
    t = to_host(tangents(images, xp.asarray([0.0, 0.0, 1.0], dtype=dtype)))
    assert np.allclose(t, [[1.0, 0.0]]) and t.dtype == dtype


def test_redistribution_makes_equal_steps_along_the_polygon_and_keeps_the_ends():
    images = xp.asarray([[0.0, 0.0], [0.1, 0.0], [3.0, 0.0], [3.0, 1.0]])
    out = to_host(redistribute(images))
    step = 4.0 / 3.0
    assert np.allclose(out, [[0, 0], [step, 0], [2 * step, 0], [3, 1]], atol=1e-12)
    assert np.array_equal(out[[0, -1]], to_host(images)[[0, -1]])


def test_spring_force_pulls_towards_the_wider_gap():
    images = xp.asarray([[0.0, 0.0], [1.0, 0.0], [4.0, 0.0]])
    F = NEB(spring=2.0).force(images, xp.asarray([0.0, 1.0, 2.0]), xp.asarray([[7.0, -0.5]]))
    assert np.allclose(to_host(F), [[2.0 * (3.0 - 1.0), 0.5]])  # g across stays, g along goes


def test_climbing_force_is_the_gradient_mirrored_along_the_band():
    images = xp.asarray([[0.0, 0.0], [1.0, 0.0], [4.0, 0.0]])
    g = xp.asarray([[7.0, -0.5]])
    F = NEB(spring=2.0).force(images, xp.asarray([0.0, 1.0, 2.0]), g, climber=1)
    assert np.allclose(to_host(F), [[7.0, 0.5]])


# ---------------------------------------------------------------------- Mueller-Brown

@pytest.mark.parametrize("ends, height", [((0, 2), PASS_02), ((2, 1), PASS_12), ((0, 1), PASS_02)])
def test_the_climbing_image_lands_on_the_saddle(ends, height):
    start = band(*ends)
    result = NEB().relax(Objective(MB), start, SGD(lr=2e-4), 2000, tolerance=1e-7)
    assert result.converged and result.climber == result.top
    assert abs(result.heights.max() - height) <= 1e-8
    assert np.array_equal(to_host(result.images)[[0, -1]], to_host(start)[[0, -1]])  # fixed


def test_springs_find_the_same_saddle():
    result = NEB(spring=1000.0).relax(Objective(MB), band(0, 2), SGD(lr=2e-4), 2000)
    assert abs(result.heights.max() - PASS_02) <= 1e-8


@pytest.mark.slow
def test_without_climbing_the_top_is_missed_and_spacing_is_equal():
    """21 images have none at the top: the published-size gaps, -40.74, -72.30 and -42.0."""
    for ends, height in (((0, 2), -40.74), ((2, 1), -72.30), ((0, 1), -42.0)):
        result = NEB(climb=False).relax(Objective(MB), band(*ends), SGD(lr=2e-4), 1500)
        assert abs(result.heights.max() - height) <= 0.006
        assert result.climber is None
        gaps = np.linalg.norm(np.diff(to_host(result.images), axis=0), axis=1)
        assert np.ptp(gaps) <= 0.01 * gaps.mean()  # equal along the polygon of the last step


@pytest.mark.slow
def test_string_method_finds_the_pass_to_its_resolution():
    tops = [StringMethod().relax(Objective(MB), band(0, 2, n), SGD(lr=1e-4), 1500)
            for n in (11, 41)]
    errors = [abs(result.heights.max() - PASS_02) for result in tops]
    assert errors[1] < 0.2 and errors[1] < 0.5 * errors[0]
    assert tops[1].residual < tops[0].residual


def test_a_batched_gradient_a_step():
    objective = Objective(MB)
    result = NEB().relax(objective, band(0, 2, 11), SGD(lr=1e-4), 20)
    assert result.steps == 21 and objective.gradients == 21 * 9              # counted per image


def test_float32_stays():
    images = band(0, 2, 7).astype("float32")
    bowl = Objective(lambda theta: mg.sum(theta * theta, axis=-1))
    result = NEB(spring=100.0).relax(bowl, images, SGD(lr=1e-3), 4)
    assert result.images.dtype == xp.float32


# ---------------------------------------------------------------------- what is not taken on trust

@pytest.mark.parametrize("n", mostly_slow([5, 21, 41], {0}))
@pytest.mark.parametrize("ends, height", [((0, 2), PASS_02), ((2, 1), PASS_12), ((0, 1), PASS_02)])
def test_the_string_comes_to_rest_and_says_so(ends, height, n):
    result = StringMethod().relax(Objective(MB), band(*ends, n), SGD(lr=2e-4), 1000, tolerance=1e-6)
    assert result.converged and result.steps < 500
    unfinished = StringMethod().relax(Objective(MB), band(*ends, n), SGD(lr=2e-4), 10, 1e-6)
    assert not unfinished.converged and unfinished.steps == 11


@pytest.mark.parametrize("method", [NEB(climb=False), NEB(), StringMethod()])
@pytest.mark.parametrize("n", mostly_slow([4, 9, 21], {1}))
@pytest.mark.parametrize("ends, height", [((0, 2), PASS_02), ((2, 1), PASS_12), ((0, 1), PASS_02)])
def test_the_measured_height_is_never_below_the_pass(method, ends, height, n):
    """The images may be: they lie beside the top. 1e-8 is what the stated heights are good for."""
    result = method.relax(Objective(MB), band(*ends, n), SGD(lr=2e-4), 400)
    assert result.measured.highest >= height - 1e-8
    assert result.measured.highest >= result.heights.max() - 1e-12 and result.has_pass


def bowl(theta):
    return mg.sum(theta * theta * xp.asarray([1.0, 3.0]), axis=-1)


@pytest.mark.parametrize("method", [NEB(), NEB(spring=10.0), StringMethod()])
@pytest.mark.parametrize("ends", [([1.0, 0.2], [-0.5, 0.7]), ([1.0, 0.2], [0.9, 0.7]),
                                  ([1.0, 0.2], [1.0, -0.2])])
def test_between_two_points_of_one_bowl_nothing_climbs(method, ends):
    start = straight_band(*(xp.asarray(end) for end in ends))
    result = method.relax(Objective(bowl), start, SGD(lr=1e-2), 400)
    assert result.climber is None and not result.has_pass
    assert result.heights.argmax() == result.top and result.top in (0, 20)
    assert result.measured.above_higher == 0.0
    assert abs(to_host(result.images)).max() <= 1.0


def wall(theta):
    """A pass of height 1 at the origin, behind it a wall that the straight line runs into."""
    x, y = theta[..., 0], theta[..., 1]
    return (x * x - 1.0) ** 2 + 10.0 * (y - x * x) ** 2


@pytest.mark.parametrize("n", mostly_slow([3, 4, 5, 9, 21], {0, 1}))
def test_a_climbing_image_does_not_run_up_a_wall(n):
    start = straight_band(xp.asarray([-1.0, 1.0]), xp.asarray([1.0, 1.0]), n)
    result = NEB().relax(Objective(wall), start, SGD(lr=1e-2), 3000, tolerance=1e-7)
    assert result.converged and abs(result.heights.max() - 1.0) < 1e-10
    assert result.measured.highest >= 1.0 - 1e-12


def test_a_climber_at_rest_where_the_landscape_curves_up_is_not_converged():
    """A given force of zero in a bowl with images above both ends: at rest, but no saddle."""
    class Still(NEB):
        def force(self, images, heights, g, climber=None):
            return 0.0 * g
    dome = xp.asarray([[-1.0, 0.0], [0.0, 0.5], [1.0, 0.0]])
    ridge = Objective(lambda t: 2.0 * t[..., 1] + t[..., 0] ** 2 * 0.1)
    result = Still().relax(ridge, dome, SGD(lr=1e-2), 10, tolerance=1e-9)
    assert result.climber == 1 and result.residual == 0.0 and not result.converged


# ---------------------------------------------------------------------- errors

def test_errors():
    with pytest.raises(ValueError, match="at least 3 images, got 2"):
        straight_band(xp.zeros(2), xp.ones(2), 2)
    with pytest.raises(ValueError, match=r"one shape \(d,\), got \(2,\) and \(3,\)"):
        straight_band(xp.zeros(2), xp.ones(3))
    with pytest.raises(ValueError, match="spring constant must be positive or inf, got 0"):
        NEB(spring=0.0)
    with pytest.raises(ValueError, match="at least 3 rows"):
        NEB().relax(Objective(MB), xp.zeros((2, 2)), SGD(lr=1e-4), 1)
    with np.errstate(all="ignore"), pytest.raises(RuntimeError, match="force is not finite after"):
        NEB().relax(Objective(MB), band(0, 2), SGD(lr=1e-2), 100)
