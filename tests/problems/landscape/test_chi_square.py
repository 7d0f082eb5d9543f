"""Quantiles of the chi-square distribution against tables and closed forms."""
import math
from statistics import NormalDist

import pytest

from problems.landscape.chi_square import chi_square_quantile, lower_gamma
from problems.landscape.student import t_quantile


@pytest.mark.parametrize("probability", [1e-6, 0.025, 0.3, 0.5, 0.975, 0.9999])
def test_one_and_two_degrees_in_closed_form(probability):
    """One: the square of a normal quantile. Two: P = 1 - e^(-x/2)."""
    normal = NormalDist().inv_cdf(0.5 + 0.5 * probability)
    assert chi_square_quantile(probability, 1) == pytest.approx(normal**2, rel=1e-8)
    assert chi_square_quantile(probability, 2) == pytest.approx(-2 * math.log1p(-probability),
                                                                rel=1e-11)


@pytest.mark.parametrize("degrees, low, high", [
    (3, 0.215795282623898, 9.34840360449615), (10, 3.24697278023684, 20.4831773508074),
    (100, 74.2219274749237, 129.561197185837)])
def test_the_table(degrees, low, high):
    """scipy 1.17.1: stats.chi2.ppf([0.025, 0.975], degrees)."""
    assert chi_square_quantile(0.025, degrees) == pytest.approx(low, rel=1e-12)
    assert chi_square_quantile(0.975, degrees) == pytest.approx(high, rel=1e-12)


@pytest.mark.parametrize("degrees", [0.3, 1.0, 2.0, 7.0])
def test_far_down(degrees):
    """P = (x/2)^a/Γ(a + 1) (1 - O(x)), a = ν/2."""
    a, probability = 0.5 * degrees, 1e-40
    x = 2.0 * math.exp((math.log(probability) + math.lgamma(a + 1.0)) / a)
    assert chi_square_quantile(probability, degrees) == pytest.approx(x, rel=1e-5)
    assert chi_square_quantile(probability, 0.01) == 0.0                # e^-18,000


def test_four_degrees_in_closed_form():
    for x in (1e-8, 0.3, 4.0, 6.0, 80.0):
        assert lower_gamma(2.0, x) == pytest.approx(1 - (1 + x) * math.exp(-x), abs=1e-15)


@pytest.mark.parametrize("degrees", [99_999.0, 100_000.0])
def test_both_ways_meet_where_one_takes_over(degrees):
    for probability in (0.001, 0.025, 0.975):
        x = chi_square_quantile(probability, degrees)
        assert lower_gamma(0.5 * degrees, 0.5 * x) == pytest.approx(probability, rel=1e-4)


@pytest.mark.parametrize("probability, degrees", [(0.0, 1), (1.0, 1), (0.5, 0), (0.5, -1)])
def test_out_of_range(probability, degrees):
    with pytest.raises(ValueError, match="chi_square_quantile: "):
        chi_square_quantile(probability, degrees)
    assert t_quantile(0.975, 1e9) ** 2 == pytest.approx(chi_square_quantile(0.95, 1), rel=1e-7)
