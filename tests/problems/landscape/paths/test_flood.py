"""The flood against every way on small grids, and against passes that are known."""
import itertools

import numpy as np
import pytest

from minigrad.backend import xp
from problems.landscape.paths.flood import bottleneck, minimax
from problems.potentials import MuellerBrown, Ring, ThreeHole, TiltedRing, TiltedWell, Toy, WolfeQuapp


def by_thresholds(V, start, end):
    """The least of the values at which the cells below it join both ends: growing sets of cells."""
    for level in np.unique(V):
        lake = {start} if V[start] <= level else set()
        while True:
            shore = {(i + di, j + dj) for i, j in lake
                     for di, dj in itertools.product((-1, 0, 1), repeat=2)}
            grown = {(i, j) for i, j in shore if 0 <= i < V.shape[0] and 0 <= j < V.shape[1]
                     and V[i, j] <= level}
            if grown <= lake:
                break
            lake |= grown
        if end in lake:
            return level


@pytest.mark.parametrize("seed", range(20))
def test_small_grids_by_thresholds(seed):
    rng = np.random.default_rng(seed)
    V = rng.standard_normal(rng.integers(2, 8, 2))
    if seed % 2:
        V = np.round(V)                                                       # ties
    start, end = (tuple(int(i) for i in rng.integers(0, V.shape)) for _ in range(2))
    assert bottleneck(V, start, end) == by_thresholds(V, start, end)


def test_walls_and_impossible_ways():
    V = np.zeros((3, 5))
    V[:, 2] = np.nan
    assert bottleneck(V, (0, 0), (0, 4)) == np.inf
    V[2, 2] = 7.0
    assert bottleneck(V, (0, 0), (0, 4)) == 7.0


@pytest.mark.parametrize("potential", [MuellerBrown(), ThreeHole(), WolfeQuapp(), TiltedWell(),
                                       Ring(), TiltedRing(), Toy()], ids=lambda p: type(p).__name__)
def test_the_passes_of_the_potentials(potential):
    """To half a percent of the barrier on 201 x 201 cells: O(h²) and the ends moved to cells."""
    for name, route in potential.routes.items():
        level = minimax(potential, *potential.ends(name), potential.bounds, 201)
        assert abs(level - route.height) <= 5e-3 * potential.barrier(name)


def test_errors():
    with pytest.raises(ValueError, match=r"needs a grid of heights .* got \(3,\)"):
        bottleneck(np.zeros(3), (0, 0), (0, 1))
    with pytest.raises(ValueError, match=r"end \(0, 9\) is not a cell of the grid \(3, 3\)"):
        bottleneck(np.zeros((3, 3)), (0, 0), (0, 9))
    box = ((-1.0, 1.0), (-1.0, 1.0))
    with pytest.raises(ValueError, match=r"the point \(3, 0\) lies outside of the bounds"):
        minimax(Ring(), xp.asarray([-1.0, 0.0]), xp.asarray([3.0, 0.0]), box)
    with pytest.raises(ValueError, match=r"needs points \(2,\) .* There is no grid"):
        minimax(Ring(), xp.zeros(3), xp.ones(3), box)
