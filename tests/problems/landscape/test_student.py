"""Student's distribution against closed forms, finite sums and quadrature."""
import math

import numpy as np
import pytest

from problems.landscape.student import incomplete_beta, log_beta, t_cdf, t_quantile


@pytest.mark.parametrize("degrees, probability, expected", [
    (1, 0.975, 12.706204736174698), (2, 0.975, 4.302652729749464), (4, 0.975, 2.776445105197793),
    (29, 0.975, 2.045229642132703), (1e6, 0.975, 1.959966356814107), (9, 0.995, 3.249835541592138),
    (3, 0.95, 2.353363434801823), (5, 0.9995, 6.868826625881379)])
def test_tabled_quantiles(degrees, probability, expected):
    assert t_quantile(probability, degrees) == pytest.approx(expected, abs=1e-9)
    assert t_quantile(1.0 - probability, degrees) == pytest.approx(-expected, abs=1e-9)


@pytest.mark.parametrize("p", [0.5 + 1e-9, 0.6, 0.9, 0.975, 0.9999, 1 - 1e-9])
def test_closed_forms_of_one_two_and_four_degrees(p):
    """ν = 1: tan(π(p - 1/2));  2: (2p - 1)/√(2p(1 - p));  4: 2 √(q - 1), q = cos(acos(√α)/3)/√α
    with α = 4p(1 - p).
    """
    assert t_quantile(p, 1) == pytest.approx(math.tan(math.pi * (p - 0.5)), rel=1e-6 if p > 1 - 1e-8
                                             else 1e-12)         # there tan loses the digits of p
    assert t_quantile(p, 2) == pytest.approx((2 * p - 1) / math.sqrt(2 * p * (1 - p)), rel=1e-9)
    root = math.sqrt(4 * p * (1 - p))
    if p > 0.55:
        assert t_quantile(p, 4) == pytest.approx(
            2 * math.sqrt(math.cos(math.acos(root) / 3) / root - 1), rel=1e-9)


def by_finite_sum(t, degrees):
    """P(|T| < t) for whole ν as a finite sum in θ = atan(t/√ν): the classical tables' formula."""
    angle = math.atan(t / math.sqrt(degrees))
    c, s = math.cos(angle), math.sin(angle)
    total, term = 0.0, c if degrees % 2 else 1.0
    for k in range(1 + degrees % 2, degrees, 2):
        total += term
        term *= c * c * k / (k + 1)
    return 2 / math.pi * (angle + s * total) if degrees % 2 else s * total


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 10, 29, 60, 199])
@pytest.mark.parametrize("t", [0.01, 0.5, 1.96, 5.0, 40.0])
def test_the_distribution_function_against_finite_sums(t, degrees):
    assert t_cdf(t, degrees) - t_cdf(-t, degrees) == pytest.approx(by_finite_sum(t, degrees), abs=1e-13)


def test_many_degrees_approach_the_normal_distribution():
    """t_ν = z + (z³ + z)/(4ν) + (5z⁵ + 16z³ + 3z)/(96ν²) + (3z⁷ + 19z⁵ + 17z³ - 15z)/(384ν³) + ..."""
    z = t_quantile(0.975, math.inf)
    assert z == pytest.approx(1.959963984540054, abs=1e-12)
    for degrees in (1e4, 1e5, 1e6, 1e7):           # 1 - x = t²/(ν + t²): rounding of x counts ν times
        expected = (z + (z**3 + z) / (4 * degrees)
                    + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)
                    + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * degrees**3))
        assert t_quantile(0.975, degrees) == pytest.approx(expected, abs=1e-13 + 1e-16 * degrees)
    assert t_cdf(z, math.inf) == pytest.approx(0.975, abs=1e-12)


@pytest.mark.parametrize("degrees", [0.3, 1.0, 2.5, 33.3, 5e5])
@pytest.mark.parametrize("p", [1e-10, 0.025, 0.3, 0.5, 0.8, 0.999])
def test_the_quantile_inverts_the_distribution(p, degrees):
    assert t_cdf(t_quantile(p, degrees), degrees) == pytest.approx(p, rel=1e-10, abs=1e-14)


@pytest.mark.parametrize("a, b", [(0.5, 0.5), (2.0, 7.0), (15.0, 3.5), (40.0, 60.0)])
def test_the_incomplete_beta_function_against_quadrature(a, b):
    """s = sin²(φ) makes the integrand smooth for a, b >= 1/2; Gauss-Legendre with 200 points."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    for x in (0.01, 0.2, 0.5, 0.9):
        end = math.asin(math.sqrt(x))
        phi = 0.5 * end * (nodes + 1)
        values = 2 * np.sin(phi) ** (2 * a - 1) * np.cos(phi) ** (2 * b - 1)
        expected = 0.5 * end * (weights @ values) / math.exp(log_beta(a, b))
        assert incomplete_beta(x, a, b) == pytest.approx(expected, rel=1e-11, abs=1e-15)
        assert incomplete_beta(1 - x, b, a) == pytest.approx(1 - expected, abs=1e-13)


def test_log_beta_keeps_its_digits():
    """B(a, 1) = 1/a, B(a, 2) = 1/(a (a + 1)); B(n, n) from whole numbers."""
    for a in (0.5, 3.0, 1e3, 5e7):
        assert log_beta(a, 1.0) == pytest.approx(-math.log(a), abs=1e-13)
        assert log_beta(2.0, a) == pytest.approx(-math.log(a) - math.log1p(a), abs=1e-12)
    exact = -math.log(50 * math.comb(100, 50) / 2)             # B(n, n) = 2/(n C(2n, n))
    assert log_beta(50.0, 50.0) == pytest.approx(exact, rel=1e-14)


@pytest.mark.parametrize("call, match", [
    (lambda: t_quantile(95, 3), r"t_quantile: probability must lie in \(0, 1\), got 95"),
    (lambda: t_quantile(math.nan, 3), "got nan"),
    (lambda: t_quantile(0.975, 0), "degrees of freedom must be positive, got 0"),
    (lambda: t_cdf(1.0, -1), "t_cdf: degrees"),
    (lambda: incomplete_beta(1.5, 1.0, 1.0), "incomplete_beta: needs 0 <= x <= 1"),
    (lambda: incomplete_beta(0.5, 0.0, 1.0), "a 0.0")])
def test_bad_arguments(call, match):
    with pytest.raises(ValueError, match=match):
        call()
