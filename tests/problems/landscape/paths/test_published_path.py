"""A paper's path finder on its toy landscape: the golden values of its code, not of its text."""
import numpy as np
import pytest

from minigrad.backend import to_host, xp
from optim import Objective
from problems.landscape.paths.heights import height
from problems.landscape.paths.published_path import PublishedPath
from problems.potentials import Toy

TOY = Toy()
ENDS = TOY.ends("figure 3")


@pytest.mark.parametrize("penalty, sampled, exact, length", [
    (10, 0.6363, 0.6423, 1.77), (100, 0.6411, 0.6424, 1.37), (1000, 0.6540, 0.6544, 1.33)])
def test_squared_heights_without_noise(penalty, sampled, exact, length):
    """The rows of the specification, to 1e-3; lengths to the digits given there."""
    found = PublishedPath.coded(penalty, noise=0.0).find(TOY, *ENDS)
    curve = height(TOY, found.path)
    assert abs(found.height - sampled) < 1e-3 and abs(curve.highest - exact) < 1e-3
    assert abs(curve.length - length) < 0.01
    assert curve.highest > found.height                     # the sampled maximum hides the rest


@pytest.mark.parametrize("penalty, squares, sums", [
    (10, (0.6438, 0.6380), (0.6773, 0.6782)), (100, (0.6405, 0.6397), (0.6968, 0.6970)),
    (1000, (0.6550, 0.6541), (0.7194, 0.7190))])
def test_ten_terms_at_100_and_101_points(penalty, squares, sums):
    for points, square, total in zip((100, 101), squares, sums):
        coded = PublishedPath.coded(penalty, 10, points, noise=0.0).find(TOY, *ENDS)
        printed = PublishedPath.printed(penalty, points=points).find(TOY, *ENDS)
        assert abs(coded.height - square) < 1e-3 and abs(printed.height - total) < 1e-3


def test_the_figure_is_made_by_squares_and_not_by_the_printed_sum():
    """Published heights .646, .640, .652: the coded objective is within .01 of each, the printed
    one no nearer than .03.
    """
    for penalty, published in ((10, 0.646), (100, 0.640), (1000, 0.652)):
        coded = PublishedPath.coded(penalty, noise=0.0).find(TOY, *ENDS).height
        printed = PublishedPath.printed(penalty).find(TOY, *ENDS).height
        assert abs(coded - published) <= 0.01 < 0.03 <= abs(printed - published)


def test_with_its_noise_the_height_scatters_about_the_published_one():
    heights = [PublishedPath.coded(100).find(TOY, *ENDS, np.random.default_rng(seed)).height
               for seed in range(3)]
    assert len(set(heights)) == 3 and all(0.635 < h < 0.646 for h in heights)


def test_objectives_of_the_straight_line():
    """The objective before the first step: Σ f and Σ f², with the plain length of steps."""
    printed, coded = (kind(1.0, points=101, steps=1).find(TOY, *ENDS, np.random.default_rng(0))
                      for kind in (PublishedPath.printed, PublishedPath.coded))
    assert abs(printed.objective[0] - (46.723581 + 0.015025)) < 1e-6
    assert abs(coded.objective[0] - (35.531625 + 0.015025)) < 1e-6
    assert printed.gradients == 2 * 101


@pytest.mark.parametrize("power", [1, 2])
def test_a_step_of_adam_is_the_sign_of_the_gradient(power):
    """From b = 0 the first step of Adam is lr · sign(∇J): ∇J by central differences of J."""
    lam, N, M = 7.0, 3, 11
    t = np.linspace(0, 1, M)
    S = np.sin(np.arange(1, N + 1) * np.pi * t[:, None])

    def J(b):
        a, e = (to_host(end) for end in ENDS)
        p = (1 - t)[:, None] * a + t[:, None] * e + S @ b
        return (to_host(TOY.loss(xp.asarray(p))) ** power).sum() + lam * (
            np.diff(p, axis=0) ** 2).sum()
    expected = np.zeros((N, 2))
    for i in np.ndindex(N, 2):
        h = np.zeros((N, 2))
        h[i] = 1e-6
        expected[i] = -0.01 * np.sign(J(h) - J(-h))
    found = PublishedPath(power, N, M, lam, 1, 0.01).find(TOY, *ENDS)
    assert np.allclose(to_host(found.path.inner), expected, atol=1e-8)
    assert np.allclose(found.objective, [J(np.zeros((N, 2))), J(expected)], rtol=1e-6)


def test_every_point_in_one_batch():
    objective = Objective(TOY)
    found = PublishedPath.coded_for_networks(steps=5).find(objective, *ENDS)
    assert found.gradients == objective.gradients == 6 * 51 and len(found.objective) == 6


def test_errors():
    with pytest.raises(ValueError, match="power is 1 or 2 and keep 'last' or 'best', got 3"):
        PublishedPath(3, 10, 50, 1.0, 10, 0.01)
    with pytest.raises(ValueError, match="4 points cannot show 10 modes"):
        PublishedPath.printed(1.0, points=4)
    with pytest.raises(ValueError, match="noise 1.0 needs a generator"):
        PublishedPath.coded(1.0).find(TOY, *ENDS)
    with pytest.raises(ValueError, match="the objective is nan at step 0"):
        PublishedPath.printed(1.0).find(lambda theta: xp.nan * theta[..., 0], *ENDS)
