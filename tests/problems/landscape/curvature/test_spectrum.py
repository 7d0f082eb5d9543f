"""Power iteration and Lanczos where the spectrum is known."""
import numpy as np
import pytest

from minigrad.backend import to_host, xp
from problems.landscape.curvature import (
    MatrixOp, PreconditionedOp, dense_hessian, lanczos, power_iteration)


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


def test_one_start_sees_one_copy_of_a_multiple_and_says_so():
    """A Krylov space meets each eigenspace once. Without a Generator there is no other start, and
    what was found is not called converged.
    """
    start = xp.asarray(rng().standard_normal(6))
    ritz = lanczos(3.0 * np.eye(6), 6, "LA", k=2, start=start)
    assert ritz.values == pytest.approx([3.0]) and ritz.exhausted and not ritz.converged
    top = np.diag([5.0, 5.0, 4.0, 3.0, 2.0, 1.0])
    blind = lanczos(top, 5, "LA", k=2, start=start)
    assert blind.values == pytest.approx([4.0, 5.0]) and not blind.converged


@pytest.mark.parametrize("spectrum, k, which, expected", [
    ([3.0] * 6, 2, "LA", [3, 3]), ([3.0] * 6, 1, "both", [3, 3]), ([3.0] * 6, 6, "LA", [3] * 6),
    ([5, 5, 5, 1, 0], 3, "LA", [5, 5, 5]), ([5, 4, 4, 4, 1, 0], 3, "LA", [4, 4, 5]),
    ([7, 7, 5, 5, 5, 2, 2], 6, "LA", [2, 5, 5, 5, 7, 7]), ([-2, -2, 0, 3, 3], 2, "both", [-2, -2, 3, 3]),
    ([-2, -2, 0, 3], 2, "SA", [-2, -2]), ([0.0] * 4, 2, "LA", [0, 0])])
@pytest.mark.parametrize("seed", range(3))
def test_every_copy_of_a_multiple_is_found(spectrum, k, which, expected, seed):
    A = turned(np.array(spectrum, dtype=float), seed)
    ritz = lanczos(A, None, which, k, rng=rng(seed))
    assert ritz.values == pytest.approx(expected, abs=1e-12) and ritz.converged
    V = to_host(ritz.vectors)
    np.testing.assert_allclose(V @ V.T, np.eye(len(V)), atol=1e-12)
    np.testing.assert_allclose(A @ V.T, V.T * ritz.values, atol=1e-10)


@pytest.mark.parametrize("gap", [0.0, 1e-13, 1e-9, 1e-3])
def test_a_pair_at_the_top_of_a_large_matrix(gap):
    """n = 300: the space never becomes invariant, so only the run from a new start shows the copy."""
    spectrum = np.concatenate([rng(1).uniform(0.0, 1.0, 298), [4.0, 4.0 + gap]])
    ritz = lanczos(turned(spectrum), 40, "LA", k=2, rng=rng())
    assert ritz.values == pytest.approx([4.0, 4.0 + gap], abs=1e-9) and ritz.converged
    assert not ritz.exhausted and ritz.products <= 120


def test_the_interval_of_an_end_holds_it_at_the_level_asked():
    """Of 100 starts on a spectrum with an outlier on either side: at least the level, up to three
    standard deviations of a count (500 starts in `test_coverage`). A Ritz value is its inner end.
    """
    spectrum = np.concatenate([[-3.0], rng(1).uniform(0.0, 1.0, 98), [2.0]])
    op, level, held = MatrixOp(np.diag(spectrum)), 0.9, {"top": 0, "bottom": 0}
    for seed in range(100):
        ritz = lanczos(op, 5, "both", rng=rng(seed))
        for end, truth in (("top", 2.0), ("bottom", -3.0)):
            low, high = ritz.interval(level, end)
            held[end] += low <= truth <= high
            assert (low <= truth + 1e-12) if end == "top" else (truth - 1e-12 <= high)
    assert min(held.values()) / 100 >= level - 3.0 * np.sqrt(level * (1 - level) / 100)


def test_intervals_shrink_with_the_steps_and_need_a_random_start():
    A = np.diag(np.append(rng(1).uniform(0.0, 1.0, 299), 2.0))
    widths = [np.diff(lanczos(A, m, rng=rng(3)).interval())[0] for m in (3, 6, 12, 24)]
    assert np.all(np.diff(widths) < 0) and widths[-1] < 1e-9
    with pytest.raises(ValueError, match="the start was given, and nothing is known"):
        lanczos(A, 5, start=xp.ones(300)).interval()
    with pytest.raises(ValueError, match=r"level must lie in \(0, 1\), got 95"):
        lanczos(A, 5, rng=rng()).interval(95)
    with pytest.raises(ValueError, match="end must be 'top' or 'bottom', got 'both'"):
        lanczos(A, 5, rng=rng()).interval(0.95, "both")


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


@pytest.mark.parametrize("which", ["LA", "SA", "both"])
@pytest.mark.parametrize("spectrum", [[0.0] * 9 + [5.0], [0.0] * 9 + [-5.0], [2.0] * 25 + [0.0] * 5])
def test_what_is_left_of_a_low_rank_is_zero_and_not_asymmetric(spectrum, which):
    """Across the pairs found the operator gives rounding only, which has no mirror images."""
    A, l = turned(spectrum), np.sort(spectrum)
    for k in (2, 3):
        found = lanczos(A, 10, which, k, rng=rng(1))
        wanted = {"LA": l[-k:], "SA": l[:k], "both": np.append(l[:k], l[-k:])}[which]
        assert found.converged and np.allclose(found.values, wanted, atol=1e-12)
    assert power_iteration(A, 3000, 1e-8, rng=rng(2)).value == pytest.approx(l[-1], abs=1e-12)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_eigenvalues_whose_squares_are_no_numbers(unit):
    A = turned([1.0, 2.0, 3.0, 3.0]) * unit
    found = lanczos(A, 4, "LA", 3, rng=rng(1))
    assert found.converged and np.allclose(found.values / unit, [2.0, 3.0, 3.0])
    assert lanczos(A, 4, rng=rng(1)).interval()[0] / unit == pytest.approx(3.0)
    assert power_iteration(A, 500, 1e-8, rng=rng(2)).value / unit == pytest.approx(3.0)


def test_an_operator_need_not_say_its_dtype():
    class Diagonal:
        n = 4

        def matvec(self, v):
            return v * xp.arange(1.0, 5.0)

    assert np.array_equal(to_host(dense_hessian(Diagonal())), np.diag([1.0, 2.0, 3.0, 4.0]))
    half = PreconditionedOp(Diagonal(), xp.full(4, 2.0))
    assert lanczos(half, 4, rng=rng()).values[-1] == pytest.approx(2.0)
