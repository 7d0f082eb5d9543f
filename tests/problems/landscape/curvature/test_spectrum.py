"""Power iteration and Lanczos where the spectrum is known."""
import numpy as np
import pytest

from minigrad.backend import to_host, xp
from problems.landscape.curvature import MatrixOp, lanczos, power_iteration


def rng(seed=0):
    return np.random.default_rng(seed)


def turned(eigenvalues, seed=0):
    """A matrix with this spectrum in a random basis."""
    Q = np.linalg.qr(rng(seed).standard_normal((len(eigenvalues),) * 2))[0]
    return Q @ np.diag(eigenvalues) @ Q.T


def second_difference(n=100):
    return 2.0 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)


CLOSE_PAIR = np.concatenate([[-3.0, -1.0, -0.5], np.zeros(300), rng(9).uniform(0.0, 1.0, 95),
                             [4.9, 5.0]])


def test_lanczos_on_the_second_difference_matrix():
    ritz = lanczos(second_difference(), 100, "both", k=2, rng=rng())
    ends = [0.0009674354160, 0.003868806, 3.996131194, 3.999032565]
    np.testing.assert_allclose(ritz.values, ends, atol=1e-9)
    assert ritz.converged and ritz.products == 100


def test_both_ends_to_six_digits_in_ten_steps():
    """n = 400 with a close pair on top; every error lies inside the reported residual."""
    A = turned(CLOSE_PAIR)
    errors = []
    for seed in range(5):
        ritz = lanczos(A, 10, "both", rng=rng(seed))
        errors.append(np.abs(ritz.values - [-3.0, 5.0]).max())
        for value, residual in zip(ritz.values, ritz.residuals):
            assert np.abs(CLOSE_PAIR - value).min() <= residual + 1e-12
    assert max(errors) < 1e-6


def test_power_iteration_on_a_close_pair():
    """Median of nine starts after 10, 40, 200 products: the second eigenvalue, 4.9, leaves only
    slowly.
    """
    A = turned(CLOSE_PAIR)
    values = [np.median([power_iteration(A, k, tol=0.0, rng=rng(seed)).value for seed in range(9)])
              for k in (10, 40, 200)]
    assert 4.9 < values[0] < 4.98 < values[1] < 4.999 < values[2] <= 5.0 + 1e-12


def test_power_iteration_stops_on_the_residual_and_says_so():
    found = power_iteration(np.diag([5.0, 1.0, 0.5]), rng=rng(), tol=1e-8)
    assert found.converged and found.products < 100 and found.residual <= 1e-8 * 5.0
    np.testing.assert_allclose(found.value, 5.0, atol=1e-12)
    slow = power_iteration(turned(CLOSE_PAIR), 20, rng=rng())
    assert not slow.converged and slow.residual > 1e-4 * slow.value


@pytest.mark.parametrize("eigenvalues, top", [
    ([-5.0, 1.0, 2.0], 2.0), ([-5.0, -4.0, -1.0], -1.0), ([-2.0, 0.3, 2.0], 2.0),
    ([0.0, 0.0, 0.0], 0.0)])
def test_power_iteration_finds_the_algebraic_top(eigenvalues, top):
    found = power_iteration(turned(eigenvalues), 2000, rng=rng(), tol=1e-10)
    assert found.value == pytest.approx(top, abs=1e-8)
    magnitude = power_iteration(np.diag([-5.0, 1.0, 2.0]), 500, rng=rng(), which="LM")
    assert magnitude.value == pytest.approx(-5.0, abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_ritz_values_stay_inside_and_residuals_bound_the_error(seed):
    A = rng(seed).standard_normal((60, 60))
    A = A + A.T
    exact = np.linalg.eigvalsh(A)
    for m in (3, 10, 40):
        ritz = lanczos(A, m, "both", k=min(3, m), rng=rng(seed))
        assert exact[0] - 1e-10 <= ritz.values[0] and ritz.values[-1] <= exact[-1] + 1e-10
        assert np.all(np.diff(ritz.values) > 0)
        for value, v, residual in zip(ritz.values, to_host(ritz.vectors), ritz.residuals):
            assert np.abs(exact - value).min() <= residual + 1e-10
            assert np.linalg.norm(A @ v - value * v) == pytest.approx(residual, abs=1e-10)
            assert v @ v == pytest.approx(1.0, abs=1e-12)


def test_which_end():
    A = np.diag([-3.0, 0.0, 1.0, 2.0, 7.0])
    assert lanczos(A, 5, "LA", rng=rng()).values == pytest.approx([7.0])
    assert lanczos(A, 5, "SA", rng=rng()).values == pytest.approx([-3.0])
    assert lanczos(A, 5, "LA", k=2, rng=rng()).values == pytest.approx([2.0, 7.0])
    both = lanczos(A, 5, "both", k=4, rng=rng())
    assert both.values == pytest.approx([-3.0, 0.0, 1.0, 2.0, 7.0], abs=1e-12) and both.converged


def test_multiples_are_invisible_and_reported():
    """A Krylov space meets each eigenspace once: of a double eigenvalue one copy is found, and it
    is not called converged.
    """
    ritz = lanczos(3.0 * np.eye(6), 6, "LA", k=2, rng=rng())
    assert ritz.values == pytest.approx([3.0]) and ritz.exhausted and not ritz.converged
    single = lanczos(3.0 * np.eye(6), 6, "both", rng=rng())
    assert set(np.round(single.values, 12)) == {3.0} and single.exhausted


def test_defaults_count_products():
    op = MatrixOp(second_difference(200))
    assert lanczos(op, rng=rng()).products == 30 == op.calls
    assert lanczos(op, which="both", rng=rng()).products == 40
    assert lanczos(op, k=20, rng=rng()).products == 60
    assert lanczos(np.eye(4) * [1, 2, 3, 4], rng=rng()).products == 4


def test_same_seed_same_digits_and_float32_stays():
    A = turned(np.arange(40.0)).astype(np.float32)
    first, second = (lanczos(A, 20, "both", rng=rng(5)) for _ in range(2))
    assert np.array_equal(first.values, second.values) and first.vectors.dtype == np.float32
    assert power_iteration(A, rng=rng()).vector.dtype == np.float32


def test_errors():
    A = np.eye(4)
    with pytest.raises(ValueError, match=r"lanczos: m must lie in \[1, n\], got m=5 .* size n=4"):
        lanczos(A, 5, rng=rng())
    with pytest.raises(ValueError, match=r"lanczos: k must lie in \[1, m\], got k=3 with m=2"):
        lanczos(A, 2, k=3, rng=rng())
    with pytest.raises(ValueError, match="unknown which 'LM'"):
        lanczos(A, 2, "LM", rng=rng())
    with pytest.raises(ValueError, match="needs a random start"):
        lanczos(A, 2)
    with pytest.raises(ValueError, match=r"start must have shape \(4,\), got \(3,\)"):
        lanczos(A, 2, start=xp.ones(3))
    with pytest.raises(ValueError, match="power_iteration: unknown which"):
        power_iteration(A, which="SA", rng=rng())
    with pytest.raises(ValueError, match="iterations must be at least 1"):
        power_iteration(A, 0, rng=rng())
    with pytest.raises(ValueError, match="not finite"):
        power_iteration(np.full((3, 3), np.nan), rng=rng())
    asymmetric = np.array([[1.0, 2.0, 0.0], [0.0, 3.0, 1.0], [1.0, 0.0, 2.0]])
    with pytest.raises(ValueError, match="lanczos: the operator is not symmetric"):
        lanczos(asymmetric, 3, rng=rng())
    with pytest.raises(ValueError, match="power_iteration: the operator is not symmetric"):
        power_iteration(asymmetric, rng=rng())
    with pytest.raises(TypeError, match="need an object with .matvec"):
        lanczos(lambda v: v, 3, rng=rng())
