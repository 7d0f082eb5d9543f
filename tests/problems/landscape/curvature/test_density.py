"""Stochastic Lanczos quadrature: moments are exact, masses within their error."""
import math

import numpy as np
import pytest

from minigrad.backend import xp
from problems.landscape.curvature import MatrixOp, quadrature, spectral_density


def rng(seed=0):
    return np.random.default_rng(seed)


def second_difference(n=100):
    return 2.0 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)


@pytest.mark.parametrize("m", [1, 2, 5])
@pytest.mark.parametrize("seed", range(3))
def test_moments_up_to_2m_minus_1_are_exact(m, seed):
    A = rng(seed).standard_normal((20, 20))
    A = (A + A.T) / 10
    v = rng(seed + 10).standard_normal(20)
    v /= np.linalg.norm(v)
    theta, tau = quadrature(MatrixOp(A), xp.asarray(v), m)
    power = v
    for k in range(2 * m):
        assert np.sum(tau * theta**k) == pytest.approx(v @ power, abs=1e-13, rel=1e-12)
        power = A @ power
    assert np.all(tau >= 0)


def test_the_second_difference_matrix():
    """n = 100, 20 probes of 30 steps: 33 eigenvalues below 1, tr A = 200, |A|_F^2 = 598, each
    within four standard errors.
    """
    found = spectral_density(second_difference(), 30, 20, rng=rng())
    for (value, stderr), exact in ((found.mass_below(1.0), 0.33), (found.moment(1), 2.0),
                                   (found.moment(2), 5.98)):
        assert abs(value - exact) < 4 * stderr < 0.15 * exact + 0.1
    spread = found.mass_below(1.0)[1] * math.sqrt(20)
    assert 0.03 < spread < 0.09                                 # about .055 a probe
    assert found.weights.sum(axis=1) == pytest.approx(np.ones(20))
    assert found.products == 600


def test_the_curve_has_mass_one_and_the_right_shape():
    eigenvalues = np.append(np.zeros(150), np.full(50, 4.0))
    found = spectral_density(np.diag(eigenvalues), 20, 5, sigma=0.2, rng=rng())
    step = found.grid[1] - found.grid[0]
    assert np.sum(found.density) * step == pytest.approx(1.0, abs=1e-3)
    above = found.grid > 2.0
    # a diagonal A has |v_i|^2 = 1/n
    assert np.sum(found.density[above]) * step == pytest.approx(0.25, abs=1e-3)
    assert found.converged


def test_a_run_that_ends_early_is_padded_with_nothing():
    found = spectral_density(3.0 * np.eye(10), rng=rng())
    assert found.nodes.shape == (10, 10) and np.all(found.nodes == pytest.approx(3.0))
    assert found.weights.sum(axis=1) == pytest.approx(np.ones(10)) and found.products == 10
    assert found.moment(2)[0] == pytest.approx(9.0)


def test_one_probe_has_no_standard_error():
    found = spectral_density(second_difference(30), 10, 1, rng=rng())
    assert not found.converged and found.moment(1)[1] == math.inf and np.all(np.isinf(found.stderr))


def test_errors():
    with pytest.raises(ValueError, match=r"density: m must lie in \[1, n\], got m=31 .* size n=30"):
        spectral_density(second_difference(30), 31, rng=rng())
    with pytest.raises(ValueError, match="nv must be at least 1, got 0"):
        spectral_density(second_difference(30), 10, 0, rng=rng())
    with pytest.raises(ValueError,
                       match=r"grid's spacing .* exceeds sigma = 0.001.* Use points >= "):
        spectral_density(second_difference(30), 10, 2, sigma=1e-3, rng=rng(), points=100)
    with pytest.raises(ValueError, match="needs random probes"):
        spectral_density(second_difference(30), 10)
    with pytest.raises(ValueError, match="not symmetric"):
        spectral_density(rng().standard_normal((30, 30)), 10, rng=rng())


@pytest.mark.parametrize("spectrum", [[2.0, 2.0], [1.0] * 8, [-3.0], [0.0] * 5])
def test_eigenvalues_that_differ_by_rounding_are_one_peak(spectrum):
    Q = np.linalg.qr(rng(3).standard_normal((len(spectrum),) * 2))[0]
    found = spectral_density(Q @ np.diag(spectrum) @ Q.T, nv=3, rng=rng(5))
    assert np.trapezoid(found.density, found.grid) == pytest.approx(1.0, abs=1e-3)
    with pytest.raises(ValueError, match="is within the rounding of eigenvalues of size 2"):
        spectral_density(2.0 * np.eye(4), sigma=1e-17, rng=rng())
