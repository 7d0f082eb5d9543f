"""Perturbed descent against a plain loop written from the algorithm; escape times; parameters."""
import copy
import math

import numpy as np
import pytest

from minigrad.backend import to_host, xp
from optim import Objective
from optim.nearby.perturbed import (PerturbedGD, PerturbedSGD, escape_steps, pgd_theory_params,
                             uniform_in_ball)


def saddle(gam=1.0):
    def f(t):
        return 0.5 * (t[..., 0] * t[..., 0] - gam * t[..., 1] * t[..., 1])
    return f


def run(opt, f, theta, steps):
    objective, theta = Objective(f), xp.asarray(theta)
    state, path = opt.init(theta), [to_host(theta)]
    for _ in range(steps):
        theta, state, _ = opt.step(objective, theta, state)
        path.append(to_host(theta))
    return np.array(path), state, objective


def test_theory_parameters():
    params = pgd_theory_params(d=10, l=1, rho=1, eps=.01, c=.5, delta=.1, Df=1)
    assert params.chi == pytest.approx(43.52597322, abs=5e-9) and params.lr == 0.5
    assert params.r == pytest.approx(3.732398629e-6, rel=1e-9) == params.g_thres
    assert params.f_thres == pytest.approx(6.063516070e-9, rel=1e-9)
    assert params.t_thres == pytest.approx(1741.038929, rel=1e-9)
    # the floor, 3 * 4
    assert pgd_theory_params(d=1, l=1, rho=1, eps=1, c=1, delta=1, Df=1).chi == 12.0


@pytest.mark.parametrize("gam, steps", [(1, 194), (.1, 1852), (.01, 18430)])
def test_escape_steps(gam, steps):
    assert escape_steps(1e-8, 1.0, lr=.1, gam=gam) == steps


def test_escape_steps_of_gradient_descent_itself():
    for y0, lr, gam in ((1e-8, .1, 1.0), (-3e-5, .02, .7), (2.0, .1, 1.0)):
        y, count = abs(y0), 0
        while y < 1.0:
            y, count = y * (1 + lr * gam), count + 1
        assert escape_steps(y0, 1.0, lr, gam) == count
    assert escape_steps(0.0, 1.0, .1, 1.0) == math.inf


def oracle(f, grad, x, lr, rng, r, g_thres, t_thres, f_thres, steps):
    """Algorithm 2 of Jin et al. 2017, one point, as it stands there."""
    t_noise, saved, path = -t_thres - 1, None, [x]
    for t in range(steps):
        if np.linalg.norm(grad(x)) <= g_thres and t - t_noise > t_thres:
            saved, t_noise = x, t
            z = rng.standard_normal(len(x))
            x = x + r * rng.random(1) ** (1 / len(x)) * z / np.linalg.norm(z)
        if f_thres is not None and t - t_noise == t_thres and f(x) - f(saved) > -f_thres:
            return path + [saved] * (steps - t)
        x = x - lr * grad(x)
        path.append(x)
    return path


@pytest.mark.parametrize("f_thres", [None, 1e-3])
@pytest.mark.parametrize("start", [(0.5, 0.0), (1.0, 1e-6)])
def test_against_the_algorithm(start, f_thres):
    """A double well with a saddle at 0: x^2/2 - y^2/2 + y^4/4, minima at y = +-1."""
    def f(t):
        return 0.5 * (t[..., 0]**2 - t[..., 1]**2) + 0.25 * t[..., 1]**4

    def grad(x):
        return np.array([x[0], -x[1] + x[1]**3])

    settings = dict(r=.05, g_thres=.02, t_thres=20, f_thres=f_thres)
    path, state, _ = run(PerturbedGD(.1, np.random.default_rng(7), **settings), f, np.array(start),
                         300)
    expected = oracle(f, grad, np.array(start), .1, np.random.default_rng(7), steps=300, **settings)
    np.testing.assert_allclose(path, expected, atol=1e-12)
    assert abs(path[-1][1]) == pytest.approx(1.0, abs=0.06)
    assert bool(state["done"][0]) == (f_thres is not None)


def test_returns_the_minimum_it_was_kicked_from():
    """At a minimum a kick cannot lower f: the algorithm stops at the point before the kick."""
    def bowl(t):
        return 0.5 * (t * t).sum(axis=-1)
    opt = PerturbedGD(.5, np.random.default_rng(0), r=.1, g_thres=1e-3, t_thres=10, f_thres=1e-4)
    path, state, _ = run(opt, bowl, np.array([1.0, -2.0]), 40)
    assert bool(state["done"][0]) and np.linalg.norm(path[-1]) < 1e-3
    assert np.array_equal(path[-1], to_host(state["x_tilde"]))


def test_each_point_of_a_batch_has_its_own_clock():
    starts = np.array([[1.0, 0.0], [0.0, 0.0], [3.0, 0.5]])
    path, state, objective = run(PerturbedGD(.1, np.random.default_rng(0), t_thres=30), saddle(),
                                 starts, 60)
    escaped = np.array([np.argmax(np.abs(path[:, i, 1]) > 1.0) for i in range(3)])
    kicks = to_host(state["t_noise"])[:, 0]
    assert kicks[1] >= 0 and np.any(path[:, 1, 1] != 0)                             # kicked at once
    # never near the saddle: no kick
    assert kicks[2] == -31 and escaped[2] == escape_steps(.5, 1.0, .1, 1.0)
    assert kicks[0] > 20 and np.any(path[:, 0, 1] != 0)
    assert objective.gradients > 3 * 60


def test_gradient_descent_on_the_stable_manifold_never_leaves_and_noise_does():
    start = np.array([1.0, 0.0])
    stuck, _, _ = run(PerturbedGD(.1, np.random.default_rng(0), r=0.0), saddle(), start, 400)
    assert np.all(stuck[:, 1] == 0.0)
    for opt in (PerturbedGD(.1, np.random.default_rng(0)),
                PerturbedSGD(.1, .01, np.random.default_rng(0))):
        path, _, _ = run(opt, saddle(), start, 400)
        assert abs(path[-1][1]) > 1.0


def test_perturbed_sgd_is_descent_plus_noise():
    rng = np.random.default_rng(5)
    path, _, _ = run(PerturbedSGD(.2, .3, np.random.default_rng(5)), saddle(), np.array([1.0, 2.0]),
                     3)
    x = np.array([1.0, 2.0])
    for here in path[1:]:
        x = x - .2 * (np.array([x[0], -x[1]]) + .3 * rng.standard_normal(2))
        np.testing.assert_allclose(here, x, atol=1e-14)


def test_uniform_in_the_ball():
    """|x|/r to the power d is uniform on [0, 1]: mean 1/2, variance 1/12; and no direction is
    preferred.
    """
    x = to_host(uniform_in_ball(np.random.default_rng(0), xp.zeros((20000, 3)), 2.0))
    u = (np.linalg.norm(x, axis=1) / 2.0)**3
    assert u.max() <= 1.0 and u.mean() == pytest.approx(.5, abs=.01)
    assert u.var() == pytest.approx(1 / 12, abs=.003)
    assert np.abs(x.mean(axis=0)).max() < 0.03


def test_from_theory_and_dtype():
    params = pgd_theory_params(d=2, l=1, rho=1, eps=.1, c=.5, delta=.1, Df=1)
    opt = PerturbedGD.from_theory(params, np.random.default_rng(0))
    assert opt.t_thres == math.ceil(params.t_thres)
    assert (opt.lr, opt.r, opt.g_thres, opt.f_thres) == (
        params.lr, params.r, params.g_thres, params.f_thres)
    path, state, _ = run(PerturbedGD(.1, np.random.default_rng(0)), saddle(),
                         np.array([1.0, 0.0], dtype=np.float32), 100)
    assert path.dtype == np.float32 and state["x_tilde"].dtype == np.float32


@pytest.mark.parametrize("make", [lambda rng: PerturbedGD(.1, rng, r=.1),
                                  lambda rng: PerturbedSGD(.1, .3, rng)])
def test_the_noise_is_part_of_the_state(make):
    """A run that is stopped and taken up by a new optimizer with its state goes on bit for bit."""
    objective, theta = Objective(saddle()), xp.asarray([1e-3, 0.0])
    opt = make(np.random.default_rng(0))
    state = opt.init(theta)
    for _ in range(20):
        theta, state, _ = opt.step(objective, theta, state)
    ends, saved = [], copy.deepcopy((theta, state))
    for again in (opt, make(np.random.default_rng(99))):
        theta, state = copy.deepcopy(saved)
        for _ in range(60):
            theta, state, _ = again.step(objective, theta, state)
        ends.append(to_host(theta).tolist())
    assert ends[0] == ends[1]


def test_errors():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="PerturbedGD: lr must be > 0, got 0"):
        PerturbedGD(0, rng)
    with pytest.raises(ValueError, match="PerturbedGD: r must be >= 0, got -1"):
        PerturbedGD(.1, rng, r=-1)
    with pytest.raises(ValueError, match="PerturbedSGD: lr must be > 0 and sigma >= 0"):
        PerturbedSGD(.1, -1, rng)
    with pytest.raises(ValueError, match="pgd_theory_params: eps must be > 0, got 0"):
        pgd_theory_params(d=2, l=1, rho=1, eps=0, c=.5, delta=.1, Df=1)
    with pytest.raises(ValueError, match="c and delta must be at most 1, got c=2"):
        pgd_theory_params(d=2, l=1, rho=1, eps=.1, c=2, delta=.1, Df=1)
    with pytest.raises(ValueError, match="escape_steps: R, lr and gam must be > 0"):
        escape_steps(1e-8, 1.0, .1, 0)


@pytest.mark.parametrize("opt", [PerturbedGD(.1, np.random.default_rng(0)),
                                 PerturbedSGD(.1, .1, np.random.default_rng(0))])
def test_a_bad_start_and_a_lost_run_are_refused(opt):
    name = type(opt).__name__
    with pytest.raises(TypeError, match=f"{name}.init: theta must be a floating-point array"):
        opt.init(xp.arange(2))
    theta = xp.asarray([1.0, math.nan])
    with pytest.raises(ValueError, match=f"{name}.step: the loss is nan at step 1 .lr=0.1."):
        opt.step(Objective(saddle()), theta, opt.init(theta))
