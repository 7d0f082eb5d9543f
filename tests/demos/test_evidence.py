"""Intervals and tests against textbook numbers, brute force, and how often they cover the truth."""
import math

import numpy as np
import pytest

from demos.evidence import (count_interval, holm, median_interval, paired_bootstrap,
                            permutation_test, ratio_interval, t_interval, welch_interval)

FEW = [1.0, 2.0, 3.0, 4.0]
DARWIN = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]   # inches/8


def test_t_interval_of_one_to_five():
    """t of 4 degrees at .975 is 2.776445 (any table), s²= 2.5."""
    half = 2.776445105 * math.sqrt(2.5 / 5)
    assert t_interval(range(1, 6)) == pytest.approx((3.0, 3.0 - half, 3.0 + half), rel=1e-9)


def test_of_several_intervals_each_is_wider():
    """Of five, each at 99 %: t of 4 degrees at .995 is 4.604095."""
    half = 4.604094871 * math.sqrt(2.5 / 5)
    assert t_interval(range(1, 6), of=5) == pytest.approx((3.0, 3.0 - half, 3.0 + half), rel=1e-9)


@pytest.mark.parametrize("interval", [t_interval, ratio_interval, median_interval,
                                      lambda x: welch_interval(x, range(9)),
                                      lambda x: paired_bootstrap(None, np.mean, x)])
def test_four_runs_leave_everything_open(interval):
    assert interval(FEW)[1:] == (-math.inf, math.inf) or interval(FEW)[1:] == (0.0, math.inf)


def test_intervals_cover_as_often_as_they_say():
    """95 of 100, six normal runs each, give or take three standard errors of 1000 trials."""
    rng, hits = np.random.default_rng(0), np.zeros(3)
    for _ in range(1000):
        x, y = rng.normal(1.0, 0.3, 6), rng.normal(2.0, 0.1, 6)
        for k, (truth, (_, low, high)) in enumerate([
                (1.0, t_interval(x)), (-1.0, welch_interval(x, y)), (1.0, median_interval(x))]):
            hits[k] += low <= truth <= high
    assert np.all(abs(hits[:2] / 1000 - 0.95) < 0.021)
    assert hits[2] / 1000 > 0.95 - 0.021                # 1 - 2/2^6 = .969: it covers more


def test_ratios_are_compared_by_their_logarithms():
    mean, low, high = t_interval(np.log([2.0, 4.0, 8.0, 16.0, 32.0]))
    assert ratio_interval([2.0, 4.0, 8.0, 16.0, 32.0]) == pytest.approx(
        (math.exp(mean), math.exp(low), math.exp(high)))
    assert ratio_interval([4.0, 8.0, 6.0, 2.0, 10.0], [2.0, 4.0, 3.0, 1.0, 5.0]) == pytest.approx(
        (2.0, 2.0, 2.0))
    with pytest.raises(ValueError, match="ratio_interval: ratios must be positive, got -1"):
        ratio_interval([1.0, -1.0, 2.0, 3.0, 4.0])


def test_welch_in_its_two_limits():
    """Equal spread and number: 2n - 2 degrees, pooled. One side exact: n - 1, the other's own."""
    x = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    half = 2.306004135 * math.sqrt(2 * 2.5 / 5)         # t of 8 degrees at .975
    assert welch_interval(x + 7, x) == pytest.approx((7.0, 7.0 - half, 7.0 + half), rel=1e-9)
    assert welch_interval(x, (1.0, 0.0, 20)) == pytest.approx(np.subtract(t_interval(x), 1.0))
    s = math.sqrt(2.5)
    assert welch_interval((10.0, s, 5), (3.0, s, 5)) == pytest.approx(welch_interval(x + 7, x))


@pytest.mark.parametrize("n, k", [(6, 1), (10, 2), (20, 6), (25, 8), (49, 18)])
def test_median_interval_takes_the_order_statistics_of_the_tables(n, k):
    rng = np.random.default_rng(n)
    ranks = rng.permutation(np.arange(1.0, n + 1))
    assert median_interval(ranks) == ((n + 1) / 2, k, n + 1 - k)
    ranks[ranks == n] = math.inf                        # a run that never ends
    assert median_interval(ranks)[1] == k


def test_a_pair_stays_a_pair_in_the_bootstrap():
    rng, x = np.random.default_rng(0), np.random.default_rng(1).normal(size=(3, 12))
    gap = lambda a, b: (a - b).mean()
    assert paired_bootstrap(rng, gap, x[0] + 1, x[0]) == pytest.approx((1.0, 1.0, 1.0))
    value, low, high = paired_bootstrap(rng, gap, x[1], x[2])
    _, t_low, t_high = t_interval(x[1] - x[2])
    assert t_low < low < value < high < t_high          # too narrow, by a little
    assert high - low > 0.75 * (t_high - t_low)
    apart = lambda a, b: abs(a - b).max()               # sees at once if rows are dealt anew
    assert paired_bootstrap(rng, apart, x[0] + 1, x[0]) == pytest.approx((1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="unequal length"):
        paired_bootstrap(rng, gap, x[0], x[0, :5])


def test_permutations_counted_by_hand():
    """Of 20 ways to deal six numbers, two set them as far apart; of 32 ways to sign, two."""
    assert permutation_test([1, 2, 3], [4, 5, 6]) == pytest.approx(2 / 20)
    assert permutation_test([4, 5, 6], [1, 2, 3]) == pytest.approx(2 / 20)
    assert permutation_test([1, 3, 2, 5, 4]) == pytest.approx(2 / 32)
    assert permutation_test([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]) == 1.0


def test_fishers_analysis_of_darwins_plants():
    """The Design of Experiments, 1935, section 21: 1,726 of 32,768 ways to sign 15 differences."""
    assert permutation_test(DARWIN) == pytest.approx(1726 / 32768)


def test_random_permutations_agree_with_all_of_them():
    rng = np.random.default_rng(0)
    x, y = rng.normal(0.5, 1, 10), rng.normal(0, 1, 10)  # 184,756 ways: drawn
    many = permutation_test(x, y, rng)
    z = (x.mean() - y.mean()) / math.sqrt((np.r_[x, y].var(ddof=1)) * 2 / 10)
    assert many == pytest.approx(math.erfc(abs(z) / math.sqrt(2)), abs=0.03)
    assert permutation_test(x + 100, y, rng, draws=999) == pytest.approx(1 / 1000)


@pytest.mark.parametrize("k, n, low, high", [
    (0, 10, 0.0, 1 - 0.025**0.1), (10, 10, 0.025**0.1, 1.0), (8, 10, 0.44390, 0.97479),
    (1, 1, 0.025, 1.0), (50, 100, 0.39832, 0.60168)])
def test_clopper_pearson(k, n, low, high):
    assert count_interval(k, n) == pytest.approx((k / n, low, high), abs=5e-6)


def test_large_counts_do_not_overflow():
    share, low, high = count_interval(892, 17640)
    width = 1.96 * math.sqrt(share * (1 - share) / 17640)
    assert (low, high) == pytest.approx((share - width, share + width), abs=2e-4)
    with pytest.raises(ValueError, match="count_interval: 3 successes of 2 trials"):
        count_interval(3, 2)


def test_holm():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0] and holm([0.02]) == [0.02]


def test_a_run_that_is_no_number_decides_nothing():
    for interval in (t_interval, ratio_interval, lambda x: welch_interval(x, range(9))):
        low, high = interval([1.0, math.inf, 2.0, 3.0, 4.0])[1:]
        assert low in (-math.inf, 0.0) and high == math.inf
        assert interval([1.0, math.nan, 2.0, 3.0, 4.0])[2] == math.inf


def test_runs_are_one_list():
    with pytest.raises(ValueError, match=r"t_interval: runs must be one list.* shape \(2, 5\)"):
        t_interval(np.ones((2, 5)))
