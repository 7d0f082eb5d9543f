"""The polar factor by matrix products: scalar maps, convergence, any shape and number of passes."""
import numpy as np
import pytest

from minigrad.backend import to_host, xp
from optim.lmo import newton_schulz, polar, polar_express, psi
from optim.lmo.products import CUBIC, JORDAN, QUINTIC
from tests.optim.lmo import golden


def array(values, dtype="float64"):
    return xp.asarray(np.asarray(values, dtype))


def values_of(M):
    return np.linalg.svd(to_host(M), compute_uv=False)


def spread(m, n, s, seed=0):
    """A matrix (m, n) with singular values s."""
    rng = np.random.default_rng(seed)
    U, V = (np.linalg.qr(rng.normal(size=(k, len(s))))[0] for k in (m, n))
    return U * s @ V.T


@pytest.mark.parametrize("name", list(golden.MATRICES))
def test_golden_polar_express(name):
    M = array(golden.MATRICES[name])
    np.testing.assert_allclose(values_of(polar_express(M, 5)), golden.EXPRESS_5[name],
                               rtol=0, atol=1e-8)
    np.testing.assert_allclose(to_host(polar(M)), to_host(psi(M, 0.0)), rtol=0, atol=1e-11)


@pytest.mark.parametrize("steps, error", [(5, 0.160), (6, 6.6e-3), (7, 1.1e-5), (8, 1e-12)])
def test_error_of_polar_express(steps, error):
    """Singular values from 1e-3 |M|_F up: the stated error and no less."""
    worst = 0.0
    for s in np.geomspace(1e-3, 0.5, 200):                  # beside a large one, so that |M|_F = 1
        M = array(np.diag([s, np.sqrt(1 - s * s)]))
        worst = max(worst, abs(values_of(polar_express(M, steps)) - 1.0).max())
    assert worst < 1.01 * error
    assert steps == 8 or worst > 0.9 * error


@pytest.mark.parametrize("m, n", [(64, 256), (256, 64), (64, 64), (4, 8), (60, 70)])
@pytest.mark.parametrize("steps", [5, 10, 20, 60])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rank", [3, 64])
def test_any_number_of_passes_and_any_shape(m, n, steps, dtype, rank):
    """Jordan's map keeps [0, 1.2] in itself, so nothing may leave it, whatever rounding does."""
    r = min(rank, m, n)
    rng = np.random.default_rng(0)
    M = array(rng.normal(size=(m, r)) @ rng.normal(size=(r, n)), dtype)
    for coefficients, most in ((JORDAN, 1.21), (CUBIC, 1.001), (QUINTIC, 1.001)):
        s = values_of(newton_schulz(M, steps, coefficients))
        assert np.isfinite(s).all() and s.max() < most
    s = values_of(polar_express(M, steps))
    assert np.isfinite(s).all() and s.max() < 1.16


@pytest.mark.parametrize("coefficients, order", [(CUBIC, 2), (QUINTIC, 3)])
def test_convergent_iterations(coefficients, order):
    """1 - s goes to C (1 - s)^order: 3/2 and 5/2; and to the polar factor in the end."""
    e = 1e-3
    M = array(np.diag([1.0 - e, 1e-9]))                     # |M|_F = 1 - e, so scale it away
    after = 1.0 - values_of(newton_schulz(M * (1 - e), 1, coefficients, eps=e))[0]
    s = (1 - e) ** 2 / ((1 - e) ** 2 + e)
    factor = {2: 1.5, 3: 2.5}[order]
    assert after == pytest.approx(factor * (1 - s) ** order, rel=2e-2)
    M = spread(5, 9, np.geomspace(1, 1e-2, 5))
    np.testing.assert_allclose(to_host(newton_schulz(array(M), 30, coefficients)),
                               to_host(psi(array(M), 0.0)), rtol=0, atol=1e-10)


def test_more_than_five_passes_through_the_gram_matrix():
    """Seven passes of a wide matrix: the scalar map seven times, a new Gram matrix after five."""
    s = np.geomspace(1, 1e-2, 6)
    M, t = spread(6, 20, s), s / (np.linalg.norm(s) + 1e-7)
    a, b, c = JORDAN
    for _ in range(7):
        t = a * t + b * t**3 + c * t**5
    np.testing.assert_allclose(np.sort(values_of(newton_schulz(array(M), 7))), np.sort(t),
                               rtol=0, atol=1e-11)
