"""Constrained critical points against answers by hand, by brute force, and by another method."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from optim import Objective
from problems.landscape.critical.constrained import (
    ball_least_squares, kkt_residuals, onto_ball, projected_descent)


def bowl(theta):
    return mg.sum(theta * theta, axis=-1)


def wall(theta):
    """x + y >= 1, as 1 - x - y <= 0."""
    return 1.0 - mg.sum(theta, axis=-1)


def left(theta):
    """x <= 3: never touched here."""
    return theta[..., 0] - 3.0


@pytest.mark.parametrize("point, multipliers, expected", [
    ((0.5, 0.5), (1.0, 0.0), (0.0, 0.0, 0.0, 0.0)),         # the minimum: g = (1, 1), pushed by 1
    ((0.5, 0.5), (0.0, 0.0), (2**0.5, 0.0, 0.0, 0.0)),      # its slope, unbalanced
    ((0.0, 0.0), (0.0, 0.0), (0.0, 1.0, 0.0, 0.0)),         # the free minimum is not allowed
    ((0.5, 0.5), (1.0, -0.25), (0.25, 0.0, 0.25, 0.625)),   # a wall that pulls, from afar
    ((1.0, 1.0), (2.0, 0.0), (0.0, 0.0, 0.0, 2.0))])        # balanced by a wall not touched
def test_residuals_by_hand(point, multipliers, expected):
    found = kkt_residuals(bowl, [wall, left], xp.asarray(point), multipliers)
    assert found == pytest.approx(expected, abs=1e-15)
    assert found.worst == pytest.approx(max(expected), abs=1e-15)


def data(seed, n=40, d=3, targets=()):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)) * [3.0, 1.0, 0.1][:d], rng.standard_normal((n, *targets))


def half_squares(X, Y):
    """(1/2N) |X V - Y|^2 as a landscape of the flat V."""
    X, Y, (_, d) = xp.asarray(X), xp.asarray(Y), X.shape
    return Objective(lambda v: 0.5 / len(X) * mg.sum(mg.square(
        X @ mg.reshape(v, (d, *Y.shape[1:])) - Y)))


def test_one_coordinate():
    """(x v - y)²/2 with |v| <= r < y/x: v = r, and the wall holds x (y - x r) = mu r."""
    found = ball_least_squares(xp.asarray([[2.0]]), xp.asarray([3.0]), 0.5)
    assert found.active and float(found.theta[0]) == pytest.approx(0.5, rel=1e-15)
    assert found.multiplier == pytest.approx(2.0 * (3.0 - 2.0 * 0.5) / 0.5, rel=1e-14)


def test_against_a_walk_around_the_circle():
    X, Y = data(0, d=2)
    r = 0.5 * np.linalg.norm(np.linalg.lstsq(X, Y, rcond=None)[0])
    angle = np.linspace(0, 2 * np.pi, 2_000_001)
    v = r * np.stack([np.cos(angle), np.sin(angle)])
    gram, pull = X.T @ X / len(X), X.T @ Y / len(X)
    best = v[:, np.argmin(0.5 * np.sum(v * (gram @ v), axis=0) - pull @ v)]
    found = ball_least_squares(xp.asarray(X), xp.asarray(Y), r)
    np.testing.assert_allclose(to_host(found.theta), best, atol=4e-6 * r)      # the mesh


@pytest.mark.parametrize("share", [1e-3, 0.1, 0.5, 0.99, 1 - 1e-9])
@pytest.mark.parametrize("targets", [(), (4,)])
def test_active_ball(share, targets):
    """The multiplier is the ridge with the same solution; KKT by automatic differentiation."""
    X, Y = data(1, targets=targets)
    r = share * np.linalg.norm(np.linalg.lstsq(X, Y, rcond=None)[0])
    found = ball_least_squares(xp.asarray(X), xp.asarray(Y), r)
    ridge = np.linalg.solve(X.T @ X / 40 + found.multiplier * np.eye(3), X.T @ Y / 40)
    np.testing.assert_allclose(to_host(found.theta), ridge, rtol=1e-9, atol=1e-12 * r)
    ball = [lambda v: 0.5 * (mg.sum(v * v) - r * r)]
    kkt = kkt_residuals(half_squares(X, Y), ball, xp.asarray(found.theta).ravel(),
                        [found.multiplier])
    assert found.active and found.iterations < 30 and kkt.worst < 1e-13 * max(1, found.multiplier)


@pytest.mark.parametrize("share", [1.0 + 1e-9, 3.0])
def test_inactive_ball(share):
    X, Y = data(2)
    free = np.linalg.lstsq(X, Y, rcond=None)[0]
    found = ball_least_squares(xp.asarray(X), xp.asarray(Y), share * np.linalg.norm(free))
    assert (found.multiplier, found.active, found.iterations) == (0.0, False, 0)
    np.testing.assert_allclose(to_host(found.theta), free, rtol=1e-10)


def test_dependent_columns_get_the_shortest_solution():
    X, Y = data(3)
    X = np.hstack([X, X[:, :1]])
    free = np.linalg.lstsq(X, Y, rcond=None)[0]                 # the shortest
    found = ball_least_squares(xp.asarray(X), xp.asarray(Y), 10.0)
    np.testing.assert_allclose(to_host(found.theta), free, rtol=1e-9)
    half = ball_least_squares(xp.asarray(X), xp.asarray(Y), 0.5 * np.linalg.norm(free))
    assert np.linalg.norm(to_host(half.theta)) == pytest.approx(0.5 * np.linalg.norm(free))
    assert half.active and float(half.theta[0]) == pytest.approx(float(half.theta[3]))


def test_the_multiplier_is_the_price_of_the_wall():
    """d(minimum)/d(r²/2) = -mu, by a central difference."""
    X, Y = data(4)
    r = 0.5 * np.linalg.norm(np.linalg.lstsq(X, Y, rcond=None)[0])

    def minimum(half_square):
        V = ball_least_squares(xp.asarray(X), xp.asarray(Y), (2 * half_square)**0.5).theta
        return float(half_squares(X, Y).value(V))

    h = 1e-4 * r * r
    price = -(minimum(r * r / 2 + h) - minimum(r * r / 2 - h)) / (2 * h)
    mu = ball_least_squares(xp.asarray(X), xp.asarray(Y), r).multiplier
    assert price == pytest.approx(mu, rel=1e-6)


@pytest.mark.parametrize("share, active", [(0.5, True), (2.0, False)])
def test_projected_descent_finds_the_same(share, active):
    X, Y = data(5, d=2)
    r = share * np.linalg.norm(np.linalg.lstsq(X, Y, rcond=None)[0])
    exact = ball_least_squares(xp.asarray(X), xp.asarray(Y), r)
    lr = 1.0 / np.linalg.eigvalsh(X.T @ X / len(X))[-1]
    found, steps = projected_descent(half_squares(X, Y), lambda v: onto_ball(v, r), xp.zeros(2), lr)
    assert exact.active == active and steps < 10_000
    np.testing.assert_allclose(to_host(found), to_host(exact.theta), rtol=1e-11)


def test_onto_ball():
    points = xp.asarray([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]])
    np.testing.assert_allclose(to_host(onto_ball(points, 1.0)), [[0.6, 0.8], [0.3, 0.4], [0, 0]])


def test_single_precision_stays_single():
    X, Y = (xp.asarray(a.astype("float32")) for a in data(6))
    found = ball_least_squares(X, Y, 0.01)
    assert found.theta.dtype == "float32" and onto_ball(found.theta, 1.0).dtype == "float32"
    assert float(xp.linalg.norm(found.theta)) == pytest.approx(0.01, rel=1e-5)


@pytest.mark.parametrize("call, message", [
    (lambda: kkt_residuals(bowl, [wall], xp.zeros(2), [1.0, 2.0]), "1 constraints need as many"),
    (lambda: kkt_residuals(bowl, wall, xp.zeros(2), [1.0]), "list of functions"),
    (lambda: kkt_residuals(bowl, [3], xp.zeros(2), [1.0]), r"constraints\[0\] must be"),
    (lambda: ball_least_squares(xp.ones((3, 2)), xp.ones(4), 1.0), r"\(3, 2\) and \(4,\)"),
    (lambda: ball_least_squares(xp.ones((3, 2)), xp.ones(3) * np.nan, 1.0), "must be finite"),
    (lambda: ball_least_squares(xp.ones((3, 2)), xp.ones(3), 0.0), "radius must be positive"),
    (lambda: projected_descent(bowl, lambda v: v, xp.ones(2), 1e200), "smaller lr")])
def test_bad_input_is_told(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()
