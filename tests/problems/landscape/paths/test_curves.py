"""Curves: exact ends, partition of unity, the formulas with one bend, a valley found."""
import itertools

import numpy as np
import pytest

from minigrad.backend import to_host, xp
from optim import SGD, Objective
from problems.landscape.paths.barriers import barrier, linear_path
from problems.landscape.paths.curves import BezierCurve, PolyChain, hold_decay_hold, train_curve

KINDS = (BezierCurve, PolyChain)


def product(theta):
    return (1.0 - theta[..., 0] * theta[..., 1]) ** 2


def ends(d=6, seed=0):
    return [xp.asarray(point) for point in np.random.default_rng(seed).standard_normal((2, d))]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bends", [1, 2, 5])
def test_coefficients_sum_to_one_and_ends_are_exact(kind, bends):
    start, end = ends()
    rng = np.random.default_rng(bends)
    curve = kind(start, end, free=xp.asarray(rng.standard_normal((bends, 6))))
    c = curve.coefficients(np.linspace(0, 1, 101))
    assert c.shape == (101, bends + 2) and c.min() >= 0.0
    assert np.allclose(c.sum(axis=-1), 1.0, atol=1e-14)
    points = to_host(curve(xp.asarray([0.0, 1.0])))
    assert np.array_equal(points, [to_host(start), to_host(end)])


@pytest.mark.parametrize("kind", KINDS)
def test_starts_as_the_straight_line(kind):
    start, end = ends()
    t = xp.linspace(0, 1, 11)
    straight = to_host(linear_path(start, end)(t))
    assert np.allclose(to_host(kind(start, end, bends=3)(t)), straight, atol=1e-14)


def test_formulas_with_one_bend():
    (start, end), bend = ends(), xp.asarray(np.random.default_rng(5).standard_normal((1, 6)))
    w1, w2, w = to_host(start), to_host(end), to_host(bend)[0]
    for t in (0.0, 0.2, 0.5, 0.7, 1.0):
        bezier = (1 - t)**2 * w1 + 2 * t * (1 - t) * w + t**2 * w2
        chain = 2 * (t * w + (.5 - t) * w1) if t < .5 else 2 * ((t - .5) * w2 + (1 - t) * w)
        assert np.allclose(to_host(BezierCurve(start, end, free=bend)(t)), bezier, atol=1e-14)
        assert np.allclose(to_host(PolyChain(start, end, free=bend)(t)), chain, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_derivative_in_a_control_point_is_its_coefficient(kind):
    """Central differences of phi(t) in each w_j; exact, phi is linear in w_j."""
    start, end = ends()
    free = np.random.default_rng(1).standard_normal((2, 6))
    t, h = 0.37, 0.5
    c = kind(start, end, bends=2).coefficients(t)
    for j in range(2):
        step = np.zeros((2, 6))
        step[j, 3] = h
        ahead, behind = (to_host(kind(start, end, free=xp.asarray(free + s * step))(t))
                         for s in (1, -1))
        expected = np.zeros(6)
        expected[3] = c[j + 1]
        assert np.allclose((ahead - behind) / (2 * h), expected, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_one_step_of_plain_descent_is_the_chain_rule(kind):
    start, end = (xp.asarray(p) for p in ([2.0, 0.5], [0.5, 2.0]))
    curve = kind(start, end, bends=2)
    objective = Objective(product)
    rng = np.random.default_rng(3)
    trained, losses = train_curve(curve, objective, SGD(lr=0.1), 1, rng, decay=0.01)
    t = np.random.default_rng(3).random()
    point = to_host(curve(t))
    a, b = point
    g = np.array([-2 * b * (1 - a * b), -2 * a * (1 - a * b)]) + 0.01 * point
    expected = to_host(curve.free) - 0.1 * curve.coefficients(t)[1:-1, None] * g
    assert np.allclose(to_host(trained.free), expected, atol=1e-14)
    assert np.allclose(losses, [(1 - a * b) ** 2])


@pytest.mark.parametrize("kind, bound", [(BezierCurve, 0.01), (PolyChain, 0.02)])
def test_training_finds_the_valley_at_one_gradient_a_step(kind, bound):
    start, end = (xp.asarray(p) for p in ([2.0, 0.5], [0.5, 2.0]))
    objective = Objective(product)
    rng = np.random.default_rng(0)
    curve, losses = train_curve(kind(start, end), objective, SGD(lr=0.1), 300, rng)
    assert objective.gradients == 300 and objective.hvps == 0
    assert len(losses) == 300
    straight = barrier(Objective(product), linear_path(start, end)).height
    assert barrier(Objective(product), curve).height < bound < 0.1 * straight
    assert np.array_equal(to_host(curve(1.0)), to_host(end))


def test_minibatches_come_from_an_iterator_of_objectives():
    start, end = ends(2)
    objectives = [Objective(product), Objective(lambda theta: (theta * theta).sum(axis=-1))]
    rng = np.random.default_rng(0)
    train_curve(BezierCurve(start, end), itertools.cycle(objectives), SGD(lr=0.01), 5, rng)
    assert [each.gradients for each in objectives] == [3, 2]


def test_float32_stays():
    start, end = (point.astype("float32") for point in ends(2))
    rng = np.random.default_rng(0)
    curve, _ = train_curve(BezierCurve(start, end), Objective(product), SGD(lr=0.01), 3, rng)
    assert curve.free.dtype == xp.float32 and curve(0.5).dtype == xp.float32


def test_schedule_of_the_published_code():
    lr = hold_decay_hold(100, 2.0)
    assert [lr(0), lr(50), lr(90), lr(99)] == [2.0, 2.0, pytest.approx(0.02), pytest.approx(0.02)]
    assert lr(70) == pytest.approx(2.0 * (1 - 0.99 * 0.5))


def test_errors():
    with pytest.raises(ValueError, match=r"BezierCurve: needs two points .* \(2,\) and \(3,\)"):
        BezierCurve(xp.zeros(2), xp.zeros(3))
    with pytest.raises(ValueError, match="PolyChain: needs at least one bend, got 0"):
        PolyChain(xp.zeros(2), xp.zeros(2), bends=0)
    with pytest.raises(ValueError, match=r"control points \(2,\) between ends of shape \(2,\)"):
        BezierCurve(xp.zeros(2), xp.zeros(2), free=xp.zeros(2))
    curve, rng = BezierCurve(xp.zeros(2), xp.ones(2)), np.random.default_rng(0)
    with np.errstate(all="ignore"), pytest.raises(RuntimeError, match="loss is .* at step .*Lower"):
        train_curve(curve, Objective(product), SGD(lr=1e6), 50, rng)
