"""Searches for critical points: every kind of point found, every kind of failure named."""
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from problems.landscape.critical.points import distinct, find_critical_point, index_against_height
from problems.landscape.critical.index_study import ranks
from problems.saddles import PSpin, RayleighQuartic, monkey_saddle

HIMMELBLAU = [((3, 2), 0, (25.71572875, 82.28427125)),
              ((-2.805118087, 3.131312518), 0, (64.84037277, 80.55007178)),
              ((3.584428340, -1.848126527), 0, (28.69067716, 105.4189083)),
              ((-3.779310253, -3.283185991), 0, (70.71435474, 133.7856152)),
              ((3.385154184, .07385187984), 13.31192627, (-14.13517849, 97.54787810)),
              ((.08667750456, 2.884254701), 67.71915009, (-31.70662236, 75.50760924)),
              ((-3.073025751, -.08135304429), 104.0151629, (-39.65149626, 72.43524807)),
              ((-.1279613467, -1.953714980), 178.3372392, (-50.61023932, 20.28404998)),
              ((-.2708445907, -.9230385565), 181.6165215, (-45.60522929, -16.06601967))]


def himmelblau(theta):
    x, y = theta[..., 0], theta[..., 1]
    a, b = x * x + y - 11.0, x + y * y - 7.0
    return a * a + b * b


def rosenbrock(theta):
    a, b = theta[..., 1:] - theta[..., :-1] * theta[..., :-1], 1.0 - theta[..., :-1]
    return mg.sum(100.0 * a * a + b * b, axis=-1)


def search(f, theta, **settings):
    return find_critical_point(f, xp.asarray(theta), **settings)


@pytest.mark.parametrize("method", ["newton", "lm", "gradnorm"])
@pytest.mark.parametrize("where, f, eig", HIMMELBLAU)
def test_himmelblau_from_near_by(method, where, f, eig):
    """All nine points, of every index, attract: the searches do not care for up and down."""
    start = np.array(where, dtype=float) + 0.05 * np.array([math.cos(f), math.sin(f)])
    point = search(himmelblau, start, method=method)
    assert point.status == "converged"
    np.testing.assert_allclose(to_host(point.theta), where, atol=2e-9)
    assert point.f == pytest.approx(f, abs=5e-7)
    np.testing.assert_allclose(point.eig, eig, rtol=1e-8)
    assert point.index == sum(e < 0 for e in eig) and point.alpha == point.index / 2


@pytest.mark.parametrize("method, least", [("newton", 0.95), ("lm", 0.95), ("gradnorm", 0.95)])
def test_himmelblau_from_anywhere(method, least):
    starts = np.random.default_rng(0).uniform(-5, 5, (100, 2))
    points = search(himmelblau, starts, method=method)
    good = [p for p in points if p.converged]
    assert len(good) >= least * len(points)
    known = np.array([where for where, _, _ in HIMMELBLAU])
    assert all(np.min(np.linalg.norm(known - to_host(p.theta), axis=1)) < 1e-7 for p in good)
    if method == "lm":
        assert len(distinct(points)) == 9


def test_rosenbrock_in_four_dimensions():
    """The second minimum and the saddle between."""
    points = search(rosenbrock, [[-.77, .61, .38, .15], [-.65, .44, .2, .04], [1.1, .9, 1.0, 1.0]])
    np.testing.assert_allclose(to_host(points[0].theta),
                               [-.7756592266, .6130933655, .3820628463, .1459720186], atol=2e-10)
    np.testing.assert_allclose(points[0].eig, [.3795335917, 190.8127653, 440.4328067, 866.1268772],
                               rtol=2e-9)
    np.testing.assert_allclose(to_host(points[1].theta),
                               [-.6561246357, .4431200410, .2043122482, .0417434948], atol=2e-10)
    np.testing.assert_allclose(points[1].eig, [-.5686996266, 168.8647891, 310.3529890, 653.9986917],
                               rtol=2e-9)
    np.testing.assert_allclose(points[2].eig, [.4929590929, 436.0850294, 1001.800359, 1567.621652],
                               rtol=2e-9)
    assert [p.index for p in points] == [0, 1, 0]
    assert points[0].f == pytest.approx(3.701428610, abs=5e-10)
    assert points[1].f == pytest.approx(3.708241997, abs=5e-10)


def test_newton_reaches_a_quadratics_saddle_in_one_step():
    point = search(lambda t: 2.0 * t[..., 0]**2 - 0.5 * t[..., 1]**2, [3.0, -4.0], method="newton")
    assert point.converged and point.iterations == 1 and point.index == 1
    np.testing.assert_allclose(to_host(point.theta), 0.0, atol=1e-15)


def test_styblinski_tang_has_the_binomial_count():
    """In 3-D 27 critical points; C(3, k) 2^(3-k) of index k."""
    starts = np.random.default_rng(1).uniform(-4, 4, (300, 3))
    points = search(lambda t: 0.5 * mg.sum(t**4 - 16.0 * t**2 + 5.0 * t, axis=-1), starts)
    places = {tuple(np.round(to_host(p.theta), 4)): p.index for p in points if p.converged}
    assert np.bincount(list(places.values()), minlength=4).tolist() == [8, 12, 6, 1]


def test_runaway():
    """exp(-x) has its only critical point at infinity, tanh levels off there: the gradient fades,
    the way leads on.
    """
    for f in (lambda t: mg.exp(-t[..., 0]) + t[..., 1]**2,
              lambda t: mg.tanh(t[..., 0]) + t[..., 1]**2):
        for method in ("newton", "lm"):
            assert search(f, [2.0, 0.3], method=method).status == "runaway"
    assert search(himmelblau, [3.0, 2.1], bound=0.5).status == "runaway"


def test_gradient_flat():
    """f = x + y^2 has gradient (1, 0) in the kernel of its Hessian: |g|^2 has a minimum there, f no
    critical point.
    """
    for method in ("newton", "lm", "gradnorm"):
        point = search(lambda t: t[..., 0] + t[..., 1]**2, [0.4, 0.7], method=method)
        assert point.status == "gradient_flat" and not point.converged
        assert point.gnorm == pytest.approx(1.0)


@pytest.mark.parametrize("method", ["newton", "lm", "gradnorm"])
@pytest.mark.parametrize("constant", [0.0, 1.0, 1e6, -1e9])
def test_a_constant_added_to_the_heights_changes_nothing(method, constant):
    """A slope, however gentle, has no critical point; a gentle bowl has one, at its bottom."""
    slope = search(lambda t: constant + 5e-4 * t[..., 0], [0.3], method=method)
    assert slope.status == "gradient_flat" and slope.gnorm == pytest.approx(5e-4)
    gentler = search(lambda t: constant + 1e-11 * t[..., 0] + t[..., 1]**2, [0.3, 0.0], method=method)
    assert not gentler.converged
    bowl = search(lambda t: constant + 1e-4 * mg.sum(t * t, axis=-1), [0.3, -0.2], method=method)
    assert bowl.converged
    np.testing.assert_allclose(to_host(bowl.theta), 0.0, atol=1e-5)
    points = search(lambda t: himmelblau(t) + constant, np.random.default_rng(0).uniform(-5, 5, (60, 2)))
    found = distinct(points)
    assert len(found) == 9
    assert index_against_height(found).rank == pytest.approx(
        np.corrcoef([1.5] * 4 + [4, 5, 6, 7, 8], [1.5] * 4 + [5.5] * 4 + [8])[0, 1])


def test_a_continuous_family_counts_once():
    """The valley ab = 1 of (1 - ab)^2 has curvatures 0 and 2 (a^2 + b^2), all its own at each point;
    the ring of (|t|^2 - 1)^2 has 0 and 8 everywhere. Each of them, and the saddle 0 between.
    """
    starts = np.random.default_rng(0).uniform(-2, 2, (60, 2))
    valley = search(lambda t: (1.0 - t[..., 0] * t[..., 1])**2, starts)
    assert sum(p.converged for p in valley) > 40
    assert [(round(p.f, 9), p.index) for p in distinct(valley)] == [(0.0, 0), (1.0, 1)]
    ring = search(lambda t: (mg.sum(t * t, axis=-1) - 1.0)**2, starts)
    assert [(round(p.f, 9), p.index) for p in distinct(ring)] == [(0.0, 0), (1.0, 2)]


def test_maxiter():
    assert search(rosenbrock, [-1.2, 1.0], method="gradnorm", iterations=3).status == "maxiter"
    assert search(himmelblau, [0.0, 5.0], iterations=1).status == "maxiter"


def test_degenerate_points_are_found_and_their_distance_reported():
    """At the monkey saddle H = 0: convergence is linear and the index is 0, though it is no
    minimum.
    """
    point = search(monkey_saddle, [0.3, 0.2])
    assert point.converged and point.index == 0
    assert np.linalg.norm(to_host(point.theta)) < 3 * point.distance + 1e-12
    assert np.abs(point.eig).max() <= point.eig_error


def test_a_batch_is_searched_row_by_row():
    starts = np.random.default_rng(2).uniform(-5, 5, (6, 2))
    for method in ("newton", "lm", "gradnorm"):
        together = search(himmelblau, starts, method=method)
        for start, point in zip(starts, together):
            alone = search(himmelblau, start, method=method)
            np.testing.assert_allclose(to_host(alone.theta), to_host(point.theta), atol=1e-7)


def test_the_start_is_left_alone():
    start = xp.asarray([0.5, 0.5])
    find_critical_point(himmelblau, start)
    assert to_host(start).tolist() == [0.5, 0.5]


def test_rayleigh_quartic_orders_height_by_index():
    points = search(RayleighQuartic([4.0, 3.0, 2.0, 1.0]),
                    np.random.default_rng(3).standard_normal((200, 4)))
    found = sorted({(round(p.f, 8), p.index) for p in points if p.converged})
    assert found == [(-4.0, 0), (-2.25, 1), (-1.0, 2), (-0.25, 3), (0.0, 4)] or found == [
        (-4.0, 0), (-2.25, 1), (-1.0, 2), (-0.25, 3), (-0.0, 4)]


@pytest.mark.parametrize("method", ["newton", "lm"])
def test_on_the_sphere(method):
    """Converged points of a p-spin stay on the sphere, with Riemannian gradient 0."""
    spin = PSpin(8, 3, np.random.default_rng(4))
    points = find_critical_point(spin, spin.start(np.random.default_rng(5), 20), method=method)
    good = [p for p in points if p.converged]
    assert len(good) >= 10
    for p in good:
        assert float(p.theta @ p.theta) == pytest.approx(8.0)
        assert np.linalg.norm(to_host(spin.gradient(p.theta))) < 1e-8


def test_index_against_height():
    points = search(himmelblau, np.random.default_rng(0).uniform(-5, 5, (60, 2)))
    study = index_against_height(distinct(points))
    expected = np.corrcoef([1.5] * 4 + [4, 5, 6, 7, 8], [1.5] * 4 + [5.5] * 4 + [8])[0, 1]
    assert study.rank == pytest.approx(expected) and 0 < study.linear < 1
    assert math.isnan(index_against_height(points[:1]).rank)
    np.testing.assert_array_equal(ranks(np.array([3.0, 1.0, 3.0, 7.0])), [1.5, 0.0, 1.5, 3.0])


def test_errors():
    with pytest.raises(ValueError, match="unknown method 'bfgs'. Use one of newton, lm, gradnorm"):
        search(himmelblau, [0.0, 0.0], method="bfgs")
    with pytest.raises(ValueError, match="theta has 1 entries that are NaN"):
        search(himmelblau, [0.0, math.nan])
    with pytest.raises(ValueError,
                       match=r"theta0 must be \(d,\) or \(n, d\), got shape \(1, 1, 2\)"):
        search(himmelblau, [[[0.0, 1.0]]])


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_a_high_start_does_not_end_the_search_early(unit):
    """From f = 1e10 a gradient of 3.7 is small beside what was fallen, and no critical point."""
    def rosenbrock(x):
        return unit * ((1.0 - x[..., 0]) ** 2 + 100.0 * (x[..., 1] - x[..., 0] ** 2) ** 2)

    found = find_critical_point(rosenbrock, xp.asarray([100.0, -100.0]))
    assert found.converged and np.allclose(to_host(found.theta), 1.0, atol=1e-6)
