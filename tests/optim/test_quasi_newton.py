"""BFGS and L-BFGS against dense formulas, on quadratics and Rosenbrock; the crude search by hand."""
import time

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from optim import BFGS, LBFGS, CrudeLBFGS, Objective
from optim.second_order.crude_lbfgs import six_heights


def rosenbrock(x):
    return (1 - x[..., 0])**2 + 100 * (x[..., 1] - x[..., 0]**2)**2


def quadratic(n, condition=1e3, seed=0):
    rng = np.random.default_rng(seed)
    Q, _ = np.linalg.qr(rng.standard_normal((n, n)))
    A = xp.asarray((Q * np.geomspace(1, condition, n)) @ Q.T)
    return lambda x: 0.5 * mg.sum(x * (x @ A), axis=-1), xp.asarray(rng.standard_normal(n))


def follow(method, f, theta, steps):
    """Heights before each step and after the last, the objective, the state."""
    objective, state, heights = Objective(f), method.init(theta), []
    for _ in range(steps):
        theta, state, loss = method.step(objective, theta, state)
        heights.append(float(loss))
        if state["stopped"]:
            break
    return [*heights, float(f(theta))], objective, theta, state


@pytest.mark.parametrize("n", [5, 10, 30])
def test_quadratic_within_2n_steps(n):
    f, start = quadratic(n)
    heights, *_ = follow(BFGS(tolerance=1e-4), f, start, 2 * n)
    assert heights[-1] < 1e-12
    assert all(b <= a for a, b in zip(heights, heights[1:]))


@pytest.mark.parametrize("method", [BFGS(), LBFGS(), BFGS("wolfe"), LBFGS(search="wolfe")],
                         ids=repr)
def test_rosenbrock(method):
    heights, objective, theta, state = follow(method, rosenbrock, xp.asarray([-1.2, 1.0]), 60)
    assert heights[-1] < 1e-12 and np.allclose(to_host(theta), 1.0, atol=1e-6)
    assert all(b <= a for a, b in zip(heights, heights[1:]))
    assert state["skipped"] == 0                    # y·s > 0 at an (almost) exact line minimum
    first = next(k for k, height in enumerate(heights) if height < 1e-12)
    assert first <= 45


def test_rosenbrock_takes_the_known_number_of_steps():
    """23 steps at tolerance 1e-2: measured independently, with the same search."""
    heights, objective, _, _ = follow(BFGS(), rosenbrock, xp.asarray([-1.2, 1.0]), 60)
    assert abs(next(k for k, h in enumerate(heights) if h < 1e-12) - 23) <= 2
    assert 200 < objective.values < 600


def test_what_is_asked_is_counted_and_nothing_twice():
    """One gradient a step; heights come from the search alone."""
    f, start = quadratic(6)
    method, objective, asked = LBFGS(), Objective(f), 0
    theta, state = start, method.init(start)
    for _ in range(5):
        theta, state, _ = method.step(objective, theta, state)
        asked += int(state["evaluations"])
    assert objective.gradients == 5 and objective.values == asked and objective.hvps == 0


def plain_product(pairs, g):
    """-H g with H built by the textbook update from (y·s/y·y of the newest) I."""
    s, y = pairs[-1]
    H = np.eye(len(g)) * (y @ s) / (y @ y)
    for s, y in pairs:
        rho, I = 1.0 / (y @ s), np.eye(len(g))
        H = (I - rho * np.outer(s, y)) @ H @ (I - rho * np.outer(y, s)) + rho * np.outer(s, s)
    return -H @ g


@pytest.mark.parametrize("memory, given", [(3, 2), (3, 3), (3, 5), (8, 8)])
def test_two_loops_are_the_product_with_the_matrix(memory, given):
    rng = np.random.default_rng(given)
    A = np.diag(np.geomspace(1, 20, 7))
    method, theta = LBFGS(memory), xp.zeros(7)
    state = method.init(theta)
    pairs = []
    for _ in range(given):
        s = rng.standard_normal(7)
        y = A @ s
        pairs.append((s, y))
        method.keep(xp.asarray(s), xp.asarray(y), float(y @ s), state)
        state["pairs"] += 1
    g = rng.standard_normal(7)
    found = to_host(method.direction(xp.asarray(g), state))
    assert np.allclose(found, plain_product(pairs[-memory:], g), rtol=1e-11)


def test_bfgs_update_is_the_textbook_one():
    rng = np.random.default_rng(1)
    method, A = BFGS(), np.diag(np.geomspace(1, 20, 5))
    state = method.init(xp.zeros(5))
    s, y = rng.standard_normal(5), None
    first = (s, A @ s)
    s = rng.standard_normal(5)
    second = (s, A @ s)
    for s, y in (first, second):
        method.keep(xp.asarray(s), xp.asarray(y), float(y @ s), state)
        state["pairs"] += 1
    s, y = first
    H = np.eye(5) * (y @ s) / (y @ y)
    for s, y in (first, second):
        rho, I = 1.0 / (y @ s), np.eye(5)
        H = (I - rho * np.outer(s, y)) @ H @ (I - rho * np.outer(y, s)) + rho * np.outer(s, s)
    assert np.allclose(to_host(state["H"]), H, rtol=1e-12, atol=1e-15)
    assert np.allclose(to_host(state["H"]) @ second[1], second[0])          # the secant equation


def test_at_a_minimum_it_rests():
    f, start = quadratic(4)
    method, objective = BFGS(), Objective(f)
    theta, state = xp.zeros(4), method.init(xp.zeros(4))
    for _ in range(3):
        theta, state, _ = method.step(objective, theta, state)
    assert state["stopped"] and objective.gradients == 3 and objective.values == 0
    assert not theta.any()


def test_where_nothing_is_lower_it_stops_after_trying_downhill():
    """Heights that contradict the gradient: every search fails, and the method says so."""
    class Lying:
        values = 0

        def value_and_grad(self, theta):
            return xp.asarray(0.0), xp.ones(3)

        def value(self, theta):
            Lying.values += 1
            return xp.asarray(1.0)
    theta, state, _ = BFGS().step(Lying(), xp.zeros(3), BFGS().init(xp.zeros(3)))
    assert state["stopped"] and not theta.any() and Lying.values > 10


def test_float32_stays_float32():
    theta = xp.asarray([-1.2, 1.0], dtype="float32")
    for make in (BFGS, LBFGS, CrudeLBFGS):
        method = make()
        moved, state, _ = method.step(Objective(rosenbrock), theta, method.init(theta))
        assert moved.dtype == "float32" and state["g"].dtype == "float32"


def test_crude_search_accepts_a_slightly_higher_first_trial():
    """(i) 0.2 is higher by less than 1e-4: taken as it is, after one height."""
    step = six_heights(lambda a: 1.0 + 2e-4 * a, 1.0)
    assert step.length == 0.2 and step.evaluations == 1 and not step.found


def test_crude_search_accepts_the_last_of_six_higher_ones():
    """(ii) all six are higher: 0.2 · 0.382⁵ is taken."""
    step = six_heights(lambda a: 1.0 + 100.0 * a, 1.0)
    assert step.evaluations == 6 and np.isclose(step.length, 0.2 * 0.382**5)
    assert step.height > 1.0 and not step.found


def test_crude_search_skips_a_doubling_then_doubles():
    asked = []
    six_heights(lambda a: asked.append(a) or -a, 0.0)
    assert np.allclose(asked, [0.2, 0.8, 1.6, 3.2, 6.4, 12.8])


def test_crude_search_goes_golden_in_the_larger_side():
    asked = []
    six_heights(lambda a: asked.append(a) or (a - 0.7)**2 * 100, 49.0)
    assert np.allclose(asked[:4], [0.2, 0.8, 1.6, 0.8 + 0.382 * 0.8])


def test_crude_method_may_rise_and_reaches_a_valley():
    heights, *_ = follow(CrudeLBFGS(), rosenbrock, xp.asarray([-1.2, 1.0]), 200)
    assert min(heights) < 1e-2
    steep = lambda x: 10.0 * mg.sum(x * x, axis=-1)                 # 0.2 is twice too far
    heights, *_ = follow(CrudeLBFGS(), steep, xp.asarray([1e-3, 0.0]), 1)
    assert np.isclose(heights[1], 9.0 * heights[0])                 # higher by 8e-5: accepted


@pytest.mark.parametrize("call, message", [
    (lambda: BFGS("brent"), "search must be 'golden' or 'wolfe', got 'brent'"),
    (lambda: BFGS(tolerance=1e-9), r"tolerance must lie in \[1e-8, 1\), got 1e-09"),
    (lambda: BFGS(small=-1), "small must be a number >= 0, got -1"),
    (lambda: LBFGS(memory=0), "memory must be a whole number >= 1, got 0"),
    (lambda: LBFGS(memory=2.5), "memory must be a whole number >= 1, got 2.5"),
    (lambda: LBFGS().init(xp.zeros((2, 3))), r"steps one point \(d,\) a time, got theta of shape"),
])
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.slow
def test_the_direction_scales():
    """A million parameters, twenty pairs: the time of the dot products and sums that the two loops
    consist of; 1.1 times that was measured."""
    rng = np.random.default_rng(0)
    n, pairs = 1_000_000, 20
    method, theta = LBFGS(pairs), xp.zeros(n)
    state = method.init(theta)
    for _ in range(pairs):
        s = xp.asarray(rng.standard_normal(n))
        method.keep(s, 2.0 * s, float(2.0 * (s @ s)), state)
        state["pairs"] += 1
    g = xp.asarray(rng.standard_normal(n))
    q, part = xp.zeros(n), xp.zeros(n)

    def bare():
        for y in (*state["S"], *state["Y"]):
            xp.vdot(y, g)
            xp.multiply(y, 0.5, out=part)
            xp.add(q, part, out=q)
        return q

    seconds = {bare: [], lambda: method.direction(g, state): []}
    for _ in range(7):
        for work, times in seconds.items():
            began = time.perf_counter()
            float(work()[0])                            # a GPU has then done it
            times.append(time.perf_counter() - began)
    floor, ours = map(min, seconds.values())
    assert ours <= 2.0 * floor, seconds.values()
