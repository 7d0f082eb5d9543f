"""Deep linear networks: heights, gradients and indices of their exact critical points."""
import itertools

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from problems.saddles.deep_linear import DeepLinear


def subsets(r):
    return itertools.chain.from_iterable(itertools.combinations(range(r), k) for k in range(r + 1))


def spectrum(problem, theta):
    apply = mg.hvp(problem.loss, theta)
    H = np.stack([to_host(apply(xp.asarray(e))) for e in np.eye(len(theta))])
    return np.linalg.eigvalsh(H)


# (singular values learned): height, index, nullity for Y = diag(3, 2, 1), h = 3
KNOWN = {(): (7, 9, 0), (3,): (2.5, 4, 5), (2,): (5, 5, 5), (1,): (6.5, 6, 5), (3, 1): (2, 2, 8),
         (3, 2): (.5, 1, 8),
         (3, 2, 1): (0, 0, 9)}


@pytest.mark.parametrize("learned", KNOWN)
def test_the_table(learned):
    problem = DeepLinear(np.diag([3.0, 2.0, 1.0]), [3])
    places = [3 - s for s in learned]
    theta = problem.saddle(places)
    f, index, nullity = KNOWN[learned]
    eig = spectrum(problem, theta)
    assert float(problem.loss(theta)) == pytest.approx(f) == problem.saddle_height(places)
    assert np.sum(eig < -1e-9) == index == problem.saddle_index(places)
    assert np.sum(np.abs(eig) < 1e-9) == nullity
    if not learned:
        np.testing.assert_allclose(eig, np.repeat([-3, -2, -1, 1, 2, 3], 3), atol=1e-12)


@pytest.mark.parametrize("m, n, h", [(3, 3, 3), (2, 4, 5), (4, 2, 3), (3, 4, 4)])
def test_the_index_formula_against_dense_hessians(m, n, h):
    problem = DeepLinear(np.random.default_rng(m + n).standard_normal((m, n)), [h])
    for learned in subsets(problem.rank):
        theta = problem.saddle(learned)
        g = mg.grad(problem.loss)(theta)
        assert float(xp.max(xp.abs(g))) < 1e-12
        height = problem.saddle_height(learned)
        assert float(problem.loss(theta)) == pytest.approx(height, abs=1e-12)
        eig = spectrum(problem, theta)
        assert np.sum(eig < -1e-9 * np.abs(eig).max()) == problem.saddle_index(learned)


def test_equal_singular_values():
    """Only strictly larger ones count: swapping two equal directions costs nothing."""
    problem = DeepLinear(np.diag([2.0, 2.0, 1.0]), [3])
    for learned in subsets(3):
        eig = spectrum(problem, problem.saddle(learned))
        assert np.sum(eig < -1e-9) == problem.saddle_index(learned)


def test_index_falls_with_height():
    """One more direction learned: lower, and fewer ways down, in every pair."""
    problem = DeepLinear(np.diag([3.0, 2.0, 1.0]), [4])
    for learned in subsets(3):
        for i in set(range(3)) - set(learned):
            more = (*learned, i)
            assert problem.saddle_height(more) < problem.saddle_height(learned)
            assert problem.saddle_index(more) < problem.saddle_index(learned)


def test_three_layers_are_not_strict():
    problem = DeepLinear(np.diag([3.0, 2.0]), [3, 2])
    assert np.abs(spectrum(problem, problem.saddle(()))).max() == 0.0
    theta = problem.saddle((0,))
    assert float(xp.max(xp.abs(mg.grad(problem.loss)(theta)))) < 1e-12
    assert float(problem.loss(theta)) == pytest.approx(2.0)
    with pytest.raises(ValueError, match="the index is known for two layers, this network has 3"):
        problem.saddle_index((0,))


def test_batches_and_layout():
    problem = DeepLinear(np.ones((2, 3)), [2, 4])
    assert problem.layout.size == 2 * 3 + 4 * 2 + 2 * 4
    points = xp.stack([problem.start(np.random.default_rng(i)) for i in range(4)])
    np.testing.assert_allclose(to_host(problem.loss(points)),
                               [float(problem.loss(t)) for t in points])
    mg.check_hvp(problem.loss, points[0], np.random.default_rng(0))


def test_errors():
    with pytest.raises(ValueError,
                       match=r"hidden widths \(1,\) must all be at least the rank 2 of Y"):
        DeepLinear(np.eye(2), [1])
    with pytest.raises(ValueError, match=r"learned directions must lie in 0 ... 1, got \[2\]"):
        DeepLinear(np.eye(2), [2]).saddle([2])
