"""Kernel PCA against ordinary PCA, a direct calculation in feature space, and its limits."""
import numpy as np
import pytest

from minigrad.backend import to_host, xp
from problems.landscape.slices.kernel_pca import (
    gaussian_twins, kernel_pca, separation, squared_distances, table, unit)


def draws(n=12, d=30, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def test_linear_kernel_is_pca():
    rows = draws()
    found = kernel_pca(xp.asarray(rows), "linear", components=5)
    centred = rows - rows.mean(axis=0)
    U, s, Vt = np.linalg.svd(centred, full_matrices=False)
    scores = U[:, :5] * s[:5]
    assert np.allclose(np.abs(found.coordinates), np.abs(scores), atol=1e-10)
    assert np.allclose(found.shares, s[:5]**2 / (s**2).sum(), atol=1e-12)
    new = draws(4, seed=1)
    signs = np.sign((found.coordinates * scores).sum(axis=0))
    expected = (new - rows.mean(axis=0)) @ Vt[:5].T * signs
    assert np.allclose(found.project(xp.asarray(new)), expected, atol=1e-10)


def test_polynomial_kernel_is_pca_of_its_features():
    """(x y + 1)^3 in one dimension has the features 1, √3 x, √3 x², x³."""
    x = np.linspace(-1.0, 1.5, 9)[:, None]
    found = kernel_pca(xp.asarray(x), "polynomial", components=3)
    features = np.hstack([np.sqrt(3) * x, np.sqrt(3) * x**2, x**3])
    features -= features.mean(axis=0)
    assert np.allclose(found.eigenvalues, np.linalg.svd(features)[1]**2, rtol=1e-9)


@pytest.mark.parametrize("kernel", ["rbf", "linear", "polynomial"])
def test_training_rows_project_onto_their_own_coordinates(kernel):
    rows = xp.asarray(draws())
    found = kernel_pca(rows, kernel)
    assert np.allclose(found.project(rows), found.coordinates, atol=1e-9)


def test_centred_table_sums_to_zero_and_components_are_centred():
    found = kernel_pca(xp.asarray(draws()), components=11)
    assert np.abs(found.coordinates.sum(axis=0)).max() < 1e-12
    assert abs(found.shares.sum() - 1.0) < 1e-12          # n - 1 components carry everything


def test_a_wide_kernel_is_linear():
    """σ² K̃ tends to the centred table of inner products for σ → ∞."""
    rows = xp.asarray(draws())
    linear = kernel_pca(rows, "linear", components=3)
    for sigma2, close in ((1e4, 1e-2), (1e6, 1e-4)):
        wide = kernel_pca(rows, bandwidth=sigma2, components=3)
        assert np.allclose(wide.eigenvalues * sigma2, linear.eigenvalues, rtol=close)


def test_named_bandwidths():
    rows = draws()
    pairs = [((a - b)**2).sum() for i, a in enumerate(rows) for b in rows[:i]]
    assert np.isclose(kernel_pca(xp.asarray(rows)).sigma2, np.median(pairs))
    assert kernel_pca(xp.asarray(rows), bandwidth="parameters").sigma2 == 15.0     # 2σ² = 30


def test_signs_are_fixed():
    rows = draws()
    found, again = kernel_pca(xp.asarray(rows)), kernel_pca(xp.asarray(rows[::-1].copy()))
    assert np.allclose(again.coordinates, found.coordinates[::-1], atol=1e-10)


def test_norms_alone_separate_and_unit_vectors_do_not():
    """The null model: two groups that differ in nothing but the deviation of their entries."""
    rng = np.random.default_rng(0)
    rows = xp.concatenate([gaussian_twins(rng, 24, 2000, 0.0, 0.1),
                           gaussian_twins(rng, 24, 2000, 0.0, 0.3)])
    raw = kernel_pca(rows, bandwidth="parameters", components=1).coordinates[:, 0]
    same = kernel_pca(unit(rows), bandwidth="parameters", components=1).coordinates[:, 0]
    assert separation(raw[:24], raw[24:]) < separation(np.abs(raw[:24]), np.abs(raw[24:]))
    assert separation(np.abs(raw[:24]), np.abs(raw[24:])) > 0.95
    assert separation(np.abs(same[:24]), np.abs(same[24:])) < 0.75
    assert np.allclose(to_host((unit(rows)**2).sum(axis=1)), 1.0)


def test_separation_counts_pairs():
    assert separation([1, 2], [3, 4]) == 1.0 and separation([3, 4], [1, 2]) == 1.0
    assert separation([1, 3], [2, 2]) == 0.5 and separation([1, 1], [1, 2]) == 0.75


def test_close_vectors_keep_their_digits():
    a = np.full((1, 3), 1e8)
    assert squared_distances(xp.asarray(a + 1.0), xp.asarray(a))[0, 0] == 3.0


@pytest.mark.parametrize("call, message", [
    (lambda x: kernel_pca(x[:1]), "needs at least two vectors as rows"),
    (lambda x: kernel_pca(x[0]), "needs at least two vectors as rows"),
    (lambda x: kernel_pca(x, "cosine"), "unknown kernel 'cosine'. Use one of rbf"),
    (lambda x: kernel_pca(x, bandwidth=0.0), "bandwidth must be 'median', 'parameters' or a number"),
    (lambda x: kernel_pca(x, bandwidth="mean"), "bandwidth must be"),
    (lambda x: kernel_pca(x, components=0), "components must be a whole number >= 1, got 0"),
    (lambda x: kernel_pca(x * float("nan")), "NaN or infinite"),
    (lambda x: kernel_pca(x * 0.0), "more than half of the vectors are equal"),
    (lambda x: kernel_pca(x * 0.0, "linear"), "all vectors are equal"),
    (lambda x: kernel_pca(x).project(x[:, :3]), "do not fit those of shape"),
    (lambda x: separation([], [1.0]), "at least one score"),
])
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call(xp.asarray(draws(4, 6)))


def test_sigmoid_table_by_hand():
    rows = draws(3, 4)
    expected = [[np.tanh(a @ b / 4 + 1) for b in rows] for a in rows]
    assert np.allclose(table(xp.asarray(rows), xp.asarray(rows), "sigmoid", None), expected)


def test_ordinary_components_do_not_depend_on_where_the_origin_is():
    rows = draws()
    near, far = (kernel_pca(xp.asarray(rows + shift), "linear", components=3) for shift in (0.0, 2.0**27))
    assert np.allclose(far.eigenvalues, near.eigenvalues, rtol=1e-6)    # the rows are rounded to 3e-8
