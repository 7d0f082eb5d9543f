"""Finite sums: gradients, minimisers, stationary points, f_i*, nearest points, known numbers."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from problems.finite_sums import (
    Bowls, FiniteSum, HalfSpace, LogisticNetwork, MatrixFactorisation, Product, Ridges, bowl,
    double_well, example1, example2, example3, example3_variant, example4, example6, parabolas)
from tests.rows import mostly_slow

X = np.random.default_rng(5).normal(size=(6, 3))
Y = np.where(X[:, 0] + 0.3 * X[:, 1] > 0, 1.0, -1.0)
SUMS = {
    "example1": example1, "example2": example2, "example3": example3,
    "example3_variant": example3_variant, "example4": example4, "example6": example6,
    "parabolas": parabolas, "bowl": bowl, "double_well": double_well, "product": Product,
    "ridges": lambda: Ridges([0.0, 1.0, -2.0], 4), "bowls": lambda: Bowls(X[:4], "gauss"),
    "matrices": lambda: MatrixFactorisation(X, 2), "half_space": lambda: HalfSpace(1),
    "half_space_01": lambda: HalfSpace(1, "01", "second"),
    "network": lambda: LogisticNetwork(X, Y, 2),
}
WITH_FACTS = [name for name in SUMS if not name.startswith(("half", "network"))]


def points_of(f, n=5, seed=0):
    return np.random.default_rng(seed).uniform(-2, 2, (n, f.dimension))


@pytest.mark.parametrize("name", SUMS)
def test_gradients_of_the_parts(name):
    """Against central differences, part by part; loss is their mean, or the mean of some."""
    f = SUMS[name]()
    x = points_of(f)
    F, g = f.slopes(x)
    assert F.shape == (5, f.n) and g.shape == (5, f.n, f.dimension)
    for k in range(f.dimension):
        e = 1e-6 * np.eye(f.dimension)[k]
        slope = (f.values(x + e) - f.values(x - e)) / 2e-6
        np.testing.assert_allclose(g[..., k], slope, rtol=1e-6, atol=2e-8)
    theta, index = xp.asarray(x), xp.asarray(np.array([0, f.n - 1, 0]))
    np.testing.assert_allclose(to_host(f.loss(theta)), F.mean(axis=1), rtol=1e-14)
    np.testing.assert_allclose(to_host(f.loss(theta, index)), F[:, [0, -1, 0]].mean(axis=1), 1e-14)
    weights = xp.asarray(np.eye(f.n)[[0] * 5])
    np.testing.assert_allclose(to_host(f.loss(theta, weights)), F[:, 0], rtol=1e-14)


@pytest.mark.parametrize("name", mostly_slow(
    WITH_FACTS, {k for k, name in enumerate(WITH_FACTS) if name != "matrices"}))
def test_facts(name):
    """Stationary points are flat, f* is not undercut, nor any f_i*; nearest points are minimisers
    at the least distance of those that can be tried."""
    f = SUMS[name]()
    rng = np.random.default_rng(1)
    for s in f.stationary:
        assert np.abs(f.slopes(s.point[None])[1].mean(axis=1)).max() < 1e-10
        assert f.values(s.point).mean() == pytest.approx(s.height, abs=1e-13)
    x = rng.uniform(-3, 3, (4000, f.dimension))
    F = f.values(x)
    assert F.mean(axis=1).min() >= f.minimum - 1e-12
    assert (F >= f.lowest - 1e-12).all()
    near = f.nearest(x[:15])
    np.testing.assert_allclose(f.values(near).mean(axis=-1), f.minimum, rtol=1e-9, atol=1e-12)
    few = 15 if name == "matrices" else 4000                    # a descent for each point
    others = f.nearest(x[:few])[:, 0]
    away = np.linalg.norm(x[:15] - near[:15, 0], axis=1)
    every = np.linalg.norm(x[:15, None] - others, axis=-1).min(axis=1)
    slack = 1e-9 if name != "matrices" else 1e-6 * away.max()
    assert (away <= every + slack).all()
    assert f.interpolation_error == pytest.approx(f.minimum - f.lowest.mean())


def test_published_numbers():
    """arXiv:2410.12455's examples, with the corrections noted in `bowls`."""
    one, two, three, variant, six = (make() for make in (
        example1, example2, example3, example3_variant, example6))
    assert one.minimum == pytest.approx(0.2, abs=1e-15) and one.sums == pytest.approx([-0.5])
    np.testing.assert_allclose(one.nearest(np.array([[3.0, 1.0]]))[0, 0], [0.75, -1.25])
    np.testing.assert_allclose(two.minimisers, [[0.000674327] * 2, [1.999325673] * 2], atol=1e-9)
    assert two.minimum == pytest.approx(0.499831816, abs=1e-9)
    assert two.values(two.minimisers).min() == pytest.approx(9.094334e-07, rel=1e-6)
    np.testing.assert_allclose(three.minimisers, [[2.4717205] * 2], atol=1e-7)
    assert three.minimum == pytest.approx(0.4083132, abs=1e-7)
    assert list(three.lowest) == [0.25, 0.0]
    np.testing.assert_allclose(three.values(three.minimisers)[0], [0.8150295, 0.0015969], atol=1e-7)
    low = next(s for s in three.stationary if s.kind == "local minimum")
    np.testing.assert_allclose(low.point, [0.0804147] * 2, atol=1e-7)
    assert low.height == pytest.approx(0.5868657, abs=1e-7)
    assert three.values(np.zeros(2)).mean() == pytest.approx(0.587963, abs=1e-6)
    assert three.values(np.array([2.5, 2.5])).mean() == pytest.approx(0.409091, abs=1e-6)
    np.testing.assert_allclose(variant.minimisers, [[2.3761971] * 2], atol=1e-7)
    assert variant.minimum == pytest.approx(0.4057162, abs=1e-7)
    np.testing.assert_allclose(six.minimisers, [[.159374981] * 2, [.840625019] * 2], atol=1e-9)
    assert six.minimum == pytest.approx(0.316987298, abs=1e-9)
    assert six.values(six.minimisers).min() == pytest.approx(0.048344815, abs=1e-9)
    for f, point, height in ((six, 0.5, 1 / 3), (two, 1.0, 1 - np.exp(-2.0))):
        saddle = next(s for s in f.stationary if s.kind == "saddle")
        np.testing.assert_allclose(saddle.point, [point] * 2, atol=1e-12)
        assert saddle.height == pytest.approx(height, rel=1e-12)


def test_kinds_are_what_the_hessian_says():
    for make in (example2, example3, example6):
        f = make()
        for s in f.stationary:
            e = np.linalg.eigvalsh(np.stack([to_host(mg.hvp(f.loss, xp.asarray(s.point))(
                xp.asarray(v))) for v in np.eye(2)]))
            assert (e[0] > 0) == ("minimum" in s.kind) and (e[0] < 0 < e[1]) == (s.kind == "saddle")


def test_ties_give_all_nearest_minimisers():
    middle = example6().nearest(np.array([[0.5, 0.5], [0.0, 0.0]]))
    assert middle.shape == (2, 2, 2)
    np.testing.assert_allclose(np.sort(middle[0, :, 0]), [0.159374981, 0.840625019], atol=1e-9)
    np.testing.assert_array_equal(middle[1, 0], middle[1, 1])
    well = double_well().nearest(np.array([[0.0]]))
    assert sorted(well.ravel()) == [-1.0, 1.0]


def test_the_orbit_of_matrices():
    f = example4()
    assert f.minimum == pytest.approx(0.078584957, abs=1e-9)
    np.testing.assert_allclose(np.sort(np.unique(np.round(f.residuals, 7))),
                               [-0.2803301, 0.1161165, 0.6767767], atol=1e-7)
    a, b = f.W[0], f.S[0]
    point = f.join(-0.5 * a, -2.0 * b)                          # on the orbit, c negative
    np.testing.assert_allclose(f.nearest(point[None])[0, 0], point, atol=1e-12)
    two = MatrixFactorisation(X, 2)                             # a point near the orbit comes back
    A = np.array([[1.1, 0.2], [-0.1, 0.9]])
    foot = two.join(A @ two.W, np.linalg.inv(A).T @ two.S)
    np.testing.assert_allclose(two.nearest(foot[None])[0, 0], foot, atol=1e-9)
    with pytest.raises(ValueError, match=r"k must lie in \[1, 3\], the rank of X, got 4"):
        MatrixFactorisation(X, 4)


def test_half_space_minima_of_the_parts():
    """Against a fine scan of the ray on which each part's minimum lies; label 0 gives 1/2."""
    f = HalfSpace(0, decay=1e-2)
    c = np.linspace(0, 4, 40_001)[:, None]
    for i in (0, 7, 25):
        ray = c * f.b[i] * f.a[i]
        assert f.lowest[i] == pytest.approx(f.values(ray)[:, i].min(), abs=1e-7)
    faithful = HalfSpace(0, "01")
    np.testing.assert_allclose(faithful.lowest[:20], 0.5)
    assert (faithful.values(faithful.a)[:, :20] >= 0.5).all()
    np.testing.assert_array_equal(faithful.a, HalfSpace(0).a)   # the points are those of the seed


@pytest.mark.slow
def test_network_search_and_claim():
    f = LogisticNetwork(X, Y, 1).search(np.random.default_rng(0), starts=8, steps=500)
    assert np.abs(f.slopes(f.minimisers)[1].mean(axis=1)).max() < 1e-4
    assert f.interpolation_error > 0 and 1.0 < f.claimed_alpha(2.0, 2.0) < 1e6
    with pytest.raises(ValueError, match="labels must be -1 or 1"):
        LogisticNetwork(X, np.arange(6))


def test_refusals():
    with pytest.raises(ValueError, match="HalfSpace: its minimisers are not known"):
        HalfSpace().nearest(np.zeros((1, 9)))
    with pytest.raises(ValueError, match="unknown shape 'cone'. Use one of gauss"):
        Bowls([[0.0]], "cone")
    with pytest.raises(ValueError, match="2 centres but 1 shapes"):
        Bowls([[0.0], [1.0]], ["gauss"])
    with pytest.raises(ValueError, match="labels must be '01' or 'pm1', got 'yes'"):
        HalfSpace(labels="yes")
    with pytest.raises(NotImplementedError, match="FiniteSum does not say how high its parts"):
        FiniteSum().parts(None)
