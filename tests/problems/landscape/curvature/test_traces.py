"""Trace estimators: exact cases, variances, and when which one wins."""
import math

import numpy as np
import pytest

from problems.landscape.curvature import MatrixOp, trace
from tests.rows import mostly_slow


def rng(seed=0):
    return np.random.default_rng(seed)


def turned(eigenvalues, seed=0):
    Q = np.linalg.qr(rng(seed).standard_normal((len(eigenvalues),) * 2))[0]
    return (Q * eigenvalues) @ Q.T


def second_difference(n=100):
    return 2.0 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)


def test_a_diagonal_matrix_is_exact_with_one_probe():
    found = trace(np.diag([1.0, -4.0, 7.5]), 1, rng=rng())
    assert found.estimate == 4.5 and found.stderr == math.inf and not found.converged
    assert trace(np.diag([1.0, -4.0, 7.5]), 5, rng=rng()).stderr == 0.0


@pytest.mark.parametrize("rank", [1, 5, 10])
def test_hutch_pp_is_exact_at_low_rank(rank):
    eigenvalues = np.append(rng(1).standard_normal(rank), np.zeros(80 - rank))
    found = trace(turned(eigenvalues), 30, "hutch++", rng=rng())
    assert found.estimate == pytest.approx(eigenvalues.sum(), abs=1e-12) and found.stderr < 1e-12
    assert found.products == 30


@pytest.mark.parametrize("m", [3, 7, 8, 12, 300])
def test_hutch_pp_spends_its_products_and_no_more(m):
    op = MatrixOp(turned(np.arange(4.0)))
    found = trace(op, m, "hutch++", rng=rng())
    assert op.calls == found.products <= m
    if m >= 12:                                                 # the sketch is the whole space
        assert found.estimate == pytest.approx(6.0, abs=1e-12)
        assert found.stderr == 0.0 and found.converged


def test_variance_of_a_rademacher_probe():
    """2 (|A|_F^2 - sum A_ii^2) = 2 (2n - 2) = 396. Standard error of a variance over 4000 probes:
    396 sqrt(2/4000) ~ 9.
    """
    samples = trace(second_difference(), 4000, rng=rng()).samples
    assert samples.mean() == pytest.approx(200.0, abs=4 * math.sqrt(396 / 4000))
    assert samples.var(ddof=1) == pytest.approx(396.0, rel=0.1)


def test_variance_of_a_gaussian_probe():
    """2 |A|_F^2 = 1196."""
    samples = trace(second_difference(), 4000, rng=rng(), probes="gaussian").samples
    assert samples.var(ddof=1) == pytest.approx(1196.0, rel=0.12)


@pytest.mark.parametrize("method", ["hutchinson", "hutch++"])
def test_the_standard_error_is_honest(method):
    """Over 200 repeats the errors, in units of the reported standard error, have size about 1 (t
    with 19 degrees: 1.06).
    """
    A = turned(rng(2).standard_normal(60), 3)
    z = []
    for seed in range(200):
        found = trace(A, 60 if method == "hutch++" else 20, method, rng=rng(seed))
        z.append((found.estimate - np.trace(A)) / found.stderr)
    assert 0.85 < np.sqrt(np.mean(np.square(z))) < 1.3


@pytest.mark.parametrize("name, low, high", mostly_slow([
    ("decaying", 30.0, 200.0), ("outliers", 8.0, 25.0), ("flat", 0.15, 0.4)], {0, 2}))
def test_hutch_pp_wins_or_loses_as_the_spectrum_says(name, low, high):
    """Ratio of the rms errors of Hutchinson and Hutch++ over 50 repeats at n = 500, m = 60."""
    spectra = {"decaying": np.arange(1.0, 501.0) ** -2,
               "outliers": np.append([40.0, 30.0, 20.0, 10.0, 5.0],
                                     0.1 * rng(4).standard_normal(495)),
               "flat": 1.0 + 0.1 * rng(5).standard_normal(500)}
    A, exact = turned(spectra[name]), spectra[name].sum()

    def rms(method):
        estimates = [trace(A, 60, method, rng=rng(seed)).estimate for seed in range(50)]
        return np.sqrt(np.mean((np.array(estimates) - exact)**2))

    assert low < rms("hutchinson") / rms("hutch++") < high


def test_the_interval_is_students():
    """mean ± t s/√r, with t = 12.7062 for two samples, 2.7764 for five; all the line for one."""
    A = second_difference()
    for m, t in ((2, 12.706204736), (5, 2.776445105)):
        found = trace(A, m, rng=rng())
        low, high = found.interval()
        assert found.degrees == m - 1 and 0.5 * (low + high) == pytest.approx(found.estimate)
        assert 0.5 * (high - low) == pytest.approx(t * found.samples.std(ddof=1) / math.sqrt(m), rel=1e-9)
    low, high = trace(A, 30, rng=rng()).interval(0.5)
    assert 0.5 * (high - low) == pytest.approx(0.683 * trace(A, 30, rng=rng()).stderr, rel=1e-3)
    assert trace(A, 1, rng=rng()).interval() == (-math.inf, math.inf)
    with pytest.raises(ValueError, match=r"interval: level must lie in \(0, 1\), got 95"):
        trace(A, 5, rng=rng()).interval(95)


@pytest.mark.parametrize("m", [4, 30])
def test_an_exact_estimate_still_has_the_width_of_rounding(m):
    """A diagonal matrix and, for Hutch++, one of low rank: stderr is 0, or nothing but rounding."""
    A = np.diag(rng(0).standard_normal(50))
    low, high = trace(A, m, rng=rng()).interval()
    assert low <= np.trace(A) <= high and 0 < high - low < 1e-11
    A = turned(np.append([3.0], np.zeros(49)))
    low, high = trace(A, m, "hutch++", rng=rng()).interval()
    assert low <= 3.0 <= high and 0 < high - low < 1e-11


def test_two_samples_of_hutch_pp_cover():
    """Six products leave two samples; of 200 repeats 95 % hold, within three standard deviations."""
    A = turned(rng(2).standard_normal(60), 3)
    held = sum(low <= np.trace(A) <= high for low, high in (
        trace(A, 6, "hutch++", rng=rng(seed)).interval() for seed in range(200)))
    assert 0.90 <= held / 200


def test_float32():
    found = trace(turned(np.arange(30.0)).astype(np.float32), 30, "hutch++", rng=rng())
    assert found.estimate == pytest.approx(435.0, rel=0.05)


def test_errors():
    with pytest.raises(ValueError, match=r"needs m >= 3 products, got m=2"):
        trace(np.eye(4), 2, "hutch++", rng=rng())
    with pytest.raises(ValueError, match=r"needs m >= 1 products, got m=0"):
        trace(np.eye(4), 0, rng=rng())
    with pytest.raises(ValueError, match="unknown method 'xtrace'"):
        trace(np.eye(4), 4, "xtrace", rng=rng())
    with pytest.raises(ValueError, match="unknown probes 'uniform'"):
        trace(np.eye(4), 4, rng=rng(), probes="uniform")
    with pytest.raises(ValueError, match="needs random probes"):
        trace(np.eye(4), 4)
    with pytest.raises(ValueError, match="not finite"):
        trace(np.full((4, 4), np.nan), 4, rng=rng())
    with pytest.raises(ValueError,
                       match=r"MatrixOp: the matrix must be square, got shape \(2, 3\)"):
        trace(np.ones((2, 3)), 4, rng=rng())
