"""AutoNEB inserts where the band is coarse; the spanning tree knows the lowest pass."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from optim import SGD, Objective
from problems.landscape.paths.auto_neb import (CYCLES, Cycle, auto_neb, dense_profile, explore, next_pair,
                                         polygon, refine, spanning_tree)
from problems.landscape.paths.bands import Band, straight_band
from problems.potentials import MuellerBrown

MB = MuellerBrown()


def bump(theta):
    """A narrow ridge at x = .3 of height 1 on flat ground."""
    x = theta[..., 0] - 0.3
    return mg.exp(-400.0 * x * x)


def band_of_height(height):
    return Band(None, np.array([0.0, height, 0.0]), None, 0.0, True, 1)


def test_images_are_inserted_at_the_largest_rise_above_interpolation():
    images = straight_band(xp.asarray([0.0, 0.0]), xp.asarray([1.0, 0.0]), 3)
    ts, V = dense_profile(Objective(bump), images, samples=9)
    assert len(ts) == 21 and np.allclose(V, to_host(bump(polygon(images, xp.asarray(ts)))))
    finer = to_host(refine(Objective(bump), images))
    assert np.allclose(finer[:, 0], [0.0, 0.3, 0.5, 1.0])                # one place is above 10 %
    assert np.array_equal(finer[[0, -1]], to_host(images)[[0, -1]])


def test_a_profile_that_interpolation_describes_gets_no_images():
    images = straight_band(xp.asarray([0.0, 0.0]), xp.asarray([1.0, 0.0]), 5)
    slope = Objective(lambda theta: theta[..., 0] + 0.0)
    assert refine(slope, images) is images
    flat = Objective(lambda theta: 0.0 * theta[..., 0])
    assert refine(flat, images) is images                                # a range of zero


def test_at_most_insert_images_at_once():
    images = straight_band(xp.asarray([0.0]), xp.asarray([4.0]), 5)
    wavy = Objective(lambda theta: mg.sin(np.pi * theta[..., 0]) ** 2)
    assert len(refine(wavy, images, insert=2)) == 7 and len(refine(wavy, images, insert=9)) == 9


def test_the_published_schedule_has_fourteen_cycles():
    assert len(CYCLES) == 14 and sum(cycle.steps for cycle in CYCLES) == 16000
    assert [cycle.lr for cycle in CYCLES[::4]] == [0.1, 0.1, 0.01, 0.001]


def test_finds_the_pass_of_mueller_brown_from_three_images():
    cycles = 4 * [Cycle(300, 2e-4)] + [Cycle(800, 2e-4)]
    start, end = xp.asarray(MB.minima[0]), xp.asarray(MB.minima[1])
    band = auto_neb(Objective(MB), start, end, cycles, SGD, climb=True)
    assert abs(band.heights.max() - MB.saddle_heights[1]) <= 1e-8
    assert 5 < len(band.images) <= 5 + 2 * 4
    assert np.array_equal(to_host(band.images)[[0, -1]], [to_host(start), to_host(end)])


# ---------------------------------------------------------------------- many minima

def test_spanning_tree_takes_the_lowest_passes():
    heights = {(0, 1): 5.0, (1, 2): 1.0, (0, 2): 3.0, (2, 3): 2.0, (0, 3): 4.0}
    bands = {edge: band_of_height(height) for edge, height in heights.items()}
    assert spanning_tree(4, bands) == [(1, 2), (2, 3), (0, 2)]


def test_the_next_band_joins_the_forest_then_goes_round_the_worst_edge():
    x = np.array([0.0, 1.0, 3.0, 7.0])
    distance = abs(x[:, None] - x[None])
    bands = {}
    assert next_pair(distance, bands) == (0, 1)
    bands[0, 1] = band_of_height(1.0)
    assert next_pair(distance, bands) == (1, 2)
    bands[1, 2] = band_of_height(9.0)                                    # the worst edge
    assert next_pair(distance, bands) == (2, 3)
    bands[2, 3] = band_of_height(2.0)
    assert next_pair(distance, bands) == (0, 2)     # closest untried across the cut
    bands[0, 2] = band_of_height(1.5)
    assert spanning_tree(4, bands) == [(0, 1), (0, 2), (2, 3)]
    every = {(i, j): band_of_height(1.0) for i in range(4) for j in range(i + 1, 4)}
    assert next_pair(distance, every) is None


@pytest.mark.slow
def test_explore_finds_that_the_two_deepest_minima_are_joined_through_the_third():
    def connect(a, b):
        cycles = 2 * [Cycle(300, 2e-4)] + [Cycle(800, 2e-4)]
        return auto_neb(Objective(MB), a, b, cycles, SGD, climb=True)
    found = explore(xp.asarray(MB.minima), connect)
    assert sorted(found.tree) == [(0, 2), (1, 2)] and len(found.bands) == 2
    low, high = MB.saddle_heights
    assert abs(found.saddle(0, 1) - high) <= 1e-8 and abs(found.saddle(1, 2) - low) <= 1e-8
    assert found.saddle(1, 0) == found.saddle(0, 2) == found.saddle(0, 1)


@pytest.mark.parametrize("first", [1, 3])
@pytest.mark.parametrize("climb", [False, True])
def test_a_coarse_band_never_gives_a_pass_below_the_true_one(climb, first):
    """The images alone did: -73.0 where the pass is -72.249."""
    def connect(a, b):
        return auto_neb(Objective(MB), a, b, 2 * [Cycle(200, 2e-4)], SGD, first=first, climb=climb)
    found = explore(xp.asarray(MB.minima), connect)
    low, high = MB.saddle_heights
    assert low - 1e-8 <= found.saddle(1, 2) <= low + 2.0
    assert high - 1e-8 <= found.saddle(0, 1) <= high + 8.0
    if not climb and first == 1:
        assert found.bands[1, 2].heights.max() < low - 0.1        # what the images say


def test_explore_spends_the_extra_bands_it_is_given():
    tried = []

    def connect(a, b):
        tried.append((float(a[0]), float(b[0])))
        return band_of_height(abs(float(b[0] - a[0])))
    minima = xp.asarray([[0.0], [1.0], [3.0]])
    assert len(explore(minima, connect, extra=1).bands) == 3 and len(tried) == 3
    tried.clear()
    explore(minima, connect, extra=5)          # there are only three pairs
    assert len(tried) == 3


def test_errors():
    with pytest.raises(ValueError, match="explore: needs at least two minima, got 1"):
        explore(xp.zeros((1, 2)), None)
    unjoined = explore(xp.asarray([[0.0], [1.0]]), lambda a, b: band_of_height(1.0))
    with pytest.raises(ValueError, match="no path joins minima 0 and 2"):
        unjoined.saddle(0, 2)


def test_passes_are_between_minima_that_bands_join():
    minima = xp.asarray([[0.0], [1.0]])
    found = explore(minima, lambda a, b: Band(None, np.array([0.25, 2.0, 0.5]), None, 0.0, True, 1))
    assert (found.saddle(0, 1), found.saddle(0, 0), found.saddle(1, 1)) == (2.0, 0.25, 0.5)
    with pytest.raises(ValueError, match="saddle: no path joins minima 0 and 5. There are bands"):
        found.saddle(0, 5)
    with pytest.raises(ValueError, match=r"explore: minima \[0, 1\] contain nan or infinity"):
        explore(minima * float("nan"), lambda a, b: band_of_height(1.0))
    with pytest.raises(TypeError, match="explore: connect must return a Band, got 1.0"):
        explore(minima, lambda a, b: 1.0)
    with pytest.raises(ValueError, match=r"explore: needs one or more points of one shape"):
        explore([xp.zeros(1), xp.zeros(2)], lambda a, b: band_of_height(1.0))
    listed = explore(list(minima), lambda a, b: band_of_height(1.0))
    assert list(listed.bands) == [(0, 1)]
