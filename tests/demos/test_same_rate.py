"""Fisher's exact test against a textbook table and against brute force over all draws."""

import itertools

import pytest

from demos.evidence import same_rate


def test_lady_tasting_tea():
    """Three of four cups right on each side: p = 34/70, two-sided (17/70 in each tail)."""
    assert same_rate(3, 4, 1, 4) == pytest.approx(34 / 70, rel=1e-12)
    assert same_rate(4, 4, 0, 4) == pytest.approx(2 / 70, rel=1e-12)


@pytest.mark.parametrize("k, n, K, N", [(1, 3, 4, 5), (0, 2, 3, 4), (2, 2, 2, 6), (3, 3, 0, 4)])
def test_share_of_the_ways_to_place_the_successes(k, n, K, N):
    placed = [sum(i < n for i in places) for places in itertools.combinations(range(n + N), k + K)]
    likely = {j: placed.count(j) for j in set(placed)}
    expected = sum(c for c in likely.values() if c <= likely[k]) / len(placed)
    assert same_rate(k, n, K, N) == pytest.approx(expected, rel=1e-12)


def test_equal_counts_are_never_suspicious():
    assert same_rate(0, 8, 0, 40) == same_rate(8, 8, 40, 40) == same_rate(20, 40, 20, 40) == 1.0
