"""The bootstrap interval of a ratio of medians covers the truth about as often as it says."""
import numpy as np
import pytest

from demos.evidence import ratio_of_medians


def test_equal_runs_leave_nothing_open():
    assert ratio_of_medians(np.random.default_rng(0), [6.0] * 4, [2.0] * 3) == (3.0, 3.0, 3.0)


def test_coverage():
    """Medians 3 and 1 of normal samples of 15: the 95 % interval should cover 3 in 88 to 99 of 100 cases."""
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(200):
        ratio, low, high = ratio_of_medians(rng, 3 + rng.normal(0, 0.3, 15), 1 + rng.normal(0, 0.05, 15), 400)
        assert low <= ratio <= high
        hits += low <= 3.0 <= high
    assert 0.88 <= hits / 200 <= 0.99


def test_the_sides_are_not_swapped():
    ratio, low, high = ratio_of_medians(np.random.default_rng(0), [10.0, 11.0, 12.0], [1.0])
    assert ratio == 11.0 and low == pytest.approx(10.0) and high == pytest.approx(12.0)
