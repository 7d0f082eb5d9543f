"""Averages, soups and arcs: exact small cases, and the warning when a soup spans two basins."""
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import Layout
from minigrad.backend import to_host, xp
from optim import Objective
from problems.landscape.alignment.merging import (SoupWarning, greedy_soup, slerp, swa_update, uniform_soup)


def double_well(theta):
    """(x^2 - 1)^2 + y^2: basins at x = -1 and x = 1, barrier 1 between."""
    x, y = theta[..., 0], theta[..., 1]
    return (x * x - 1.0) ** 2 + y * y


def score(theta):
    return -double_well(theta)


# ---------------------------------------------------------------------- SWA and soups

def test_swa_is_the_running_mean():
    points = np.random.default_rng(0).standard_normal((7, 5))
    average = xp.asarray(points[0])
    for k in range(7):
        average = swa_update(average, xp.asarray(points[k]), k)
        assert np.allclose(to_host(average), points[:k + 1].mean(axis=0), atol=1e-15)


def test_mean_of_copies_is_the_copy_bit_by_bit():
    theta = xp.asarray(np.random.default_rng(1).standard_normal(50))
    assert np.array_equal(to_host(uniform_soup([theta] * 7).theta), to_host(theta))


def test_greedy_soup_takes_what_helps_and_is_never_worse_than_the_best():
    thetas = xp.asarray([[1.0, 0.4], [1.0, -0.3], [1.2, 0.9], [1.0, -0.4]])
    soup = greedy_soup(thetas, score, Objective(double_well))
    assert soup.members[0] == 1  # the best single one goes first
    assert soup.members == [1, 0]  # (.4 - .3)/2 helps, no other does
    assert np.allclose(to_host(soup.theta), [1.0, 0.05])
    assert soup.score >= soup.scores.max()
    assert np.allclose(soup.barriers, 0.0, atol=1e-12)


def test_greedy_soup_adds_at_equal_score_unless_strict():
    def flat(theta):
        return 0.0 * theta.sum(axis=-1)
    thetas = xp.asarray([[0.0, 0.0], [2.0, 0.0]])
    assert greedy_soup(thetas, flat).members == [0, 1]
    assert greedy_soup(thetas, flat, strict=True).members == [0]


def test_a_soup_across_two_basins_warns():
    thetas = xp.asarray([[1.0, 0.1], [-1.0, 0.05], [1.0, 0.0]])
    with pytest.warns(SoupWarning, match=r"ingredients \[1\] lie across a barrier of up to 0.99"):
        soup = uniform_soup(thetas, score, Objective(double_well))
    assert soup.barriers[1] > 0.99 and soup.barriers[2] < 1e-12
    with pytest.warns(SoupWarning, match=r"ingredients \[1\] .* from ingredient 2"):
        assert greedy_soup(thetas, score, Objective(double_well)).members == [2]


def test_a_soup_across_nan_is_warned_of():
    """The loss is NaN between the two wells: there is no way on the line."""
    def broken(theta):
        return mg.where(abs(theta[..., 0]) < 0.3, xp.nan, double_well(theta))
    thetas = xp.asarray([[-1.0, 0.0], [1.0, 0.0], [-0.9, 0.0]])
    with pytest.warns(SoupWarning, match=r"ingredients \[1\] lie across a barrier of up to inf"):
        soup = uniform_soup(thetas, objective=Objective(broken))
    assert soup.barriers[1] == math.inf and soup.barriers[2] < 1e-12


def test_soup_errors():
    with pytest.raises(ValueError, match=r"uniform_soup: needs .* one shape .*\[\(2,\), \(3,\)\]"):
        uniform_soup([xp.zeros(2), xp.zeros(3)])
    with pytest.raises(ValueError, match="count must not be negative"):
        swa_update(xp.zeros(2), xp.zeros(2), -1)


# ---------------------------------------------------------------------- slerp

def arc(p, q, t, **settings):
    return to_host(slerp(xp.asarray(p), xp.asarray(q), t, **settings))


def test_slerp_golden_values():
    assert np.allclose(arc([1.0, 0.0], [0.0, 1.0], 0.5), [0.7071067812, 0.7071067812], atol=1e-10)
    assert np.allclose(arc([3.0, 4.0], [0.0, 2.0], 0.25), [2.320533401, 3.627985345], atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_slerp_rules(seed):
    rng = np.random.default_rng(seed)
    p, q = rng.standard_normal((2, 40))
    q *= np.linalg.norm(p) / np.linalg.norm(q)
    for t in (0.0, 0.13, 0.5, 1.0):
        assert np.isclose(np.linalg.norm(arc(p, q, t)), np.linalg.norm(p), rtol=1e-13)  # norm
        assert np.allclose(arc(p, q, t), arc(q, p, 1.0 - t), atol=1e-13)  # symmetric
    assert np.array_equal(arc(p, q, 0.0), p) and np.array_equal(arc(p, q, 1.0), q)  # ends exact
    angle = math.acos(p @ q / (p @ p))
    chord = np.linalg.norm(0.5 * p + 0.5 * q)
    assert np.isclose(chord, math.cos(angle / 2) * np.linalg.norm(p), rtol=1e-13)  # what lerp loses


def test_slerp_along_many_t_is_a_batch_of_points():
    p, q, t = np.array([1.0, 0.0, 2.0]), np.array([0.0, 1.0, 1.0]), np.linspace(0, 1, 5)
    many = arc(p, q, t)
    assert many.shape == (5, 3)
    assert np.allclose(many, [arc(p, q, each) for each in t], atol=1e-15)


def test_slerp_takes_the_chord_where_the_arc_degenerates():
    p = np.array([1.0, 0.0])
    near = np.array([1.0, 0.02])                                     # cosine 0.9998
    assert np.array_equal(arc(p, near, 0.3), 0.7 * p + 0.3 * near)
    assert np.array_equal(arc(p, np.zeros(2), 0.3), 0.7 * p)  # a zero tensor has no direction
    assert np.allclose(arc([1.0], [-1.0], 0.3), [0.4])               # one number has no arc


def test_slerp_per_tensor_turns_each_by_its_own_angle():
    layout = Layout({"b": np.zeros(2), "W": np.zeros((1, 2))})
    rng = np.random.default_rng(0)
    p, q = rng.standard_normal((2, layout.size))
    parts = [slice(e.start, e.stop) for e in layout.entries]
    whole = arc(p, q, 0.3, layout=layout)
    assert np.allclose(whole, np.concatenate([arc(p[s], q[s], 0.3) for s in parts]), atol=1e-15)
    assert np.allclose(arc(p, q, 0.3, layout=layout, per="global"), arc(p, q, 0.3), atol=1e-15)
    assert not np.allclose(whole, arc(p, q, 0.3))


def test_slerp_keeps_float32():
    p = xp.asarray([1.0, 0.0], dtype="float32")
    assert slerp(p, p[::-1], 0.5).dtype == xp.float32
    assert slerp(p, p[::-1], xp.linspace(0, 1, 3)).dtype == xp.float32


def test_slerp_errors():
    layout = Layout({"b": np.zeros(2), "W": np.zeros((1, 2))})
    with pytest.raises(ValueError, match="slerp: the whole points in opposite directions"):
        arc([1.0, 0.0], [-2.0, 0.0], 0.5)
    p = xp.asarray([1.0, 2.0, 3.0, 4.0])
    with pytest.raises(ValueError, match="slerp: W points in opposite directions"):
        e = next(e for e in layout.entries if e.name == "W")
        q = xp.concatenate([-p[:2], p[2:]]) if e.start == 0 else xp.concatenate([p[:2], -p[2:]])
        slerp(p, q, 0.5, layout=layout)
    with pytest.raises(ValueError, match=r"shapes \(2,\) and \(3,\)"):
        arc([1.0, 0.0], [1.0, 0.0, 0.0], 0.5)
    with pytest.raises(ValueError, match="per must be 'tensor' or 'global', got 'layer'"):
        arc([1.0, 0.0], [0.0, 1.0], 0.5, per="layer")
    with pytest.raises(ValueError, match=r"layout has 4 coordinates, the points are \(2,\)"):
        arc([1.0, 0.0], [0.0, 1.0], 0.5, layout=layout)


def test_a_soup_has_no_diverged_ingredient_and_a_score_for_each():
    thetas = xp.asarray([[1.0, 0.0], [float("nan"), 0.0], [1.1, 0.0]])
    with pytest.raises(ValueError, match=r"uniform_soup: ingredients \[1\] contain nan or infinity"):
        uniform_soup(thetas)
    with pytest.raises(ValueError, match="greedy_soup: score must give a number for each of 2"):
        greedy_soup(thetas[::2], lambda points: 1.0)
