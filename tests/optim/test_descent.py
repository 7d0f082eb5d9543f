"""Following a run: what is shown when, what it costs, resuming, minibatches, rows that leave."""
import numpy as np
import pytest

import minigrad as mg
from minigrad import Layout
from minigrad.backend import to_host, xp
from optim import (ASAM, SAM, SGD, Adam, InducedMetric, Muon, NAdam, Objective, Optimizer,
                   PerturbedGD, PerturbedSGD, RMSprop, SaddleFreeNewton)
from optim.descent import descent
from optim.optimizer import LOOK_EVERY
from optim.sweep import grid, sweep, trace


def hills(theta):
    return mg.sum(theta**2 + 0.5 * mg.sin(3.0 * theta), axis=-1) + 5.0


START = xp.asarray([0.3, -1.0, 2.0])
METHODS = {
    "sgd": lambda: SGD(0.02, momentum=0.9),
    "adam": lambda: Adam(0.02),
    "induced": lambda: InducedMetric(0.02),
    "sam": lambda: SAM(SGD(0.02), rho=0.1),
    "kicks": lambda: PerturbedGD(0.02, np.random.default_rng(0), g_thres=5.0, t_thres=3),
    "noise": lambda: PerturbedSGD(0.02, 0.1, np.random.default_rng(0)),
    "newton": lambda: SaddleFreeNewton(),
    "krylov": lambda: SaddleFreeNewton(2),
    "muon": lambda: Muon(Layout({"W": START})),
}


@pytest.mark.parametrize("name", METHODS)
def test_it_is_the_loop_over_step(name):
    """The same points, losses and costs; only the last look is one gradient more."""
    by_hand, plain = [], Objective(hills)
    theta, method = START, METHODS[name]()
    state = method.init(theta)
    for _ in range(12):
        new, state, loss = method.step(plain, theta, state)
        by_hand.append((to_host(theta), float(loss)))
        theta = new
    shown, objective = [], Objective(hills)
    for t, point, loss, state in descent(METHODS[name](), objective, START, steps=12):
        assert int(state["t"]) == t == len(shown)
        shown.append((to_host(point), float(loss)))
    assert len(shown) == 13
    for (point, loss), (expected, height) in zip(shown, by_hand):
        np.testing.assert_array_equal(point, expected)
        assert loss == height
    np.testing.assert_array_equal(shown[-1][0], to_host(theta))
    assert shown[-1][1] == pytest.approx(float(hills(theta)), rel=1e-15)
    assert objective.gradients == plain.gradients + 1
    assert (objective.values, objective.hvps) == (plain.values, plain.hvps)


@pytest.mark.parametrize("name", METHODS)
def test_a_run_is_taken_up_from_its_state(name):
    method, seen = METHODS[name](), []
    whole = [to_host(w) for _, w, _, _ in descent(METHODS[name](), hills, START, steps=10)]
    for t, theta, _, state in descent(method, hills, START, steps=4):
        pass
    for t, theta, _, state in descent(method, hills, theta, state, steps=10):
        seen.append((t, to_host(theta)))
    assert [t for t, _ in seen] == list(range(4, 11))
    np.testing.assert_array_equal([w for _, w in seen], whole[4:])


def test_a_new_landscape_at_every_step():
    """Minibatches: step t descends on objective t; at the end of the iterator no loss is left."""
    targets = [1.0, -2.0, 3.0]
    batches = (Objective(lambda x, c=c: mg.sum((x - c) ** 2, axis=-1)) for c in targets)
    theta, losses = xp.asarray([0.0, 1.0]), []
    w = np.array([0.0, 1.0])
    for t, theta, loss, _ in descent(SGD(0.1), batches, theta):
        np.testing.assert_allclose(to_host(theta), w, rtol=1e-15)
        losses.append(loss)
        if t < 3:
            assert float(loss) == pytest.approx(((w - targets[t]) ** 2).sum())
            w = w - 0.2 * (w - targets[t])
    assert len(losses) == 4 and losses[-1] is None
    endless = iter(lambda: Objective(hills), None)
    seen = [loss is None for _, _, loss, _ in descent(SGD(0.1), endless, START, steps=2)]
    assert seen == [False, False, True]


def test_schedules_go_by_the_step():
    rates = [0.1, 0.05, 0.0]
    method = SGD(lambda t: rates[t])
    path = [to_host(w) for _, w, _, _ in descent(method, lambda x: mg.sum(x, axis=-1), START,
                                                 steps=3)]
    np.testing.assert_allclose(np.diff(path, axis=0)[:, 0], [-0.1, -0.05, 0.0], atol=1e-15)


@pytest.mark.parametrize("bad", [-0.1, float("nan"), float("inf")])
def test_a_schedule_that_leaves_the_range_is_refused_at_its_step(bad):
    for method in (SGD(lambda t: 0.1 if t < 3 else bad), SAM(Adam(lambda t: 0.1 if t < 3 else bad)),
                   SGD(0.5).scheduled(lambda t: 0.1 if t < 3 else xp.asarray([[bad]]))):
        with pytest.raises(ValueError, match=r"lr \(its schedule, at step 3\) must lie in .0, inf"):
            for t, theta, _, _ in descent(method, hills, START[None], steps=9):
                assert t <= 3
    with pytest.raises(TypeError, match=r"SGD: lr \(its schedule, at step 0\) must be a number"):
        list(descent(SGD(lambda t: "0.1"), hills, START, steps=1))


def test_a_lost_run_is_shown_then_refused():
    shown = []
    with pytest.raises(ValueError, match="SGD.step: the loss is (inf|nan) at step "):
        for t, theta, loss, _ in descent(SGD(10.0), lambda x: mg.sum(x**4, axis=-1), START,
                                         steps=50):
            shown.append(float(loss))
    lost = len(shown) - np.isfinite(shown).sum()            # a GPU is asked every so many steps
    assert 1 <= lost <= LOOK_EVERY and np.isfinite(shown[:-lost]).all()


@pytest.mark.parametrize("make", [
    lambda a: SGD(a, momentum=a), lambda a: SAM(SGD(a), rho=a), lambda a: ASAM(Adam(a), rho=a),
    lambda a: InducedMetric(a, xi=a), lambda a: SaddleFreeNewton(lr=a)])
def test_rows_that_leave_do_not_disturb_the_others(make):
    points = xp.asarray(np.random.default_rng(0).normal(size=(5, 3)))
    a = xp.asarray(np.linspace(0.05, 0.3, 5)[:, None])
    alone = [w for _, w, _, _ in descent(make(a), hills, points, steps=8)][-1]
    run = descent(make(a), hills, points, steps=8)
    keep = xp.asarray([True, False, True, True, False])
    for t, theta, loss, _ in run:
        if t == 3:
            t, theta, loss, _ = run.send(keep)
            assert t == 3 and theta.shape == (3, 3) and loss.shape == (3,)
    np.testing.assert_allclose(to_host(theta), to_host(alone[keep]), rtol=1e-13)


BUILD = {
    "SAM": lambda lr, rho: SAM(SGD(lr), rho=rho),
    "PerturbedGD": lambda lr, rho: PerturbedGD(lr, np.random.default_rng(0), r=rho, t_thres=1e6),
    "SaddleFreeNewton": lambda lr, rho: SaddleFreeNewton(damping=1.0, lr=lr),
}


@pytest.mark.parametrize("name", BUILD)
def test_methods_that_ask_more_than_once_can_be_swept(name):
    settings = grid(lr=[0.01, 0.1, 0.3], rho=[0.01, 0.2])
    runs = sweep(Objective(hills), BUILD[name], settings, START[None], steps=40, tolerance=4.075)
    assert (runs.updates > 0).any() and (runs.updates == 0).any()
    for i in range(6):
        one = BUILD[name](*(float(settings[key][i]) for key in ("lr", "rho")))
        heights = trace(hills, one, START, steps=40,
                        tolerance=4.075).heights
        assert runs.updates[0, i] == (len(heights) - 1 if heights[-1] <= 4.075 else 0)
        assert runs.values[0, i] == pytest.approx(heights[-1], rel=1e-9)


@pytest.mark.parametrize("name", METHODS)
def test_one_set_of_guards(name):
    method, theta = METHODS[name](), START
    state, where = method.init(theta), type(method).__name__
    with pytest.raises(TypeError, match=f"{where}.step: needs an Objective, got function. Wrap it"):
        method.step(hills, theta, state)
    with pytest.raises(TypeError, match=f"{where}.step: theta must be a floating-point array"):
        method.step(Objective(hills), [1.0, 2.0, 3.0], state)
    with pytest.raises(TypeError, match=f"{where}.step: state must be the dict that init"):
        method.step(Objective(hills), theta, None)
    with pytest.raises(TypeError, match=f"{where}.init: theta must be a floating-point array"):
        method.init([1.0, 2.0])
    with pytest.raises(ValueError, match=f"{where}.step: the loss is nan at step 1 "):
        method.step(Objective(lambda x: mg.log(mg.sum(x, axis=-1))), -abs(theta), state)
    assert int(state["t"]) == 0                             # nothing has been counted or learnt


def heavy_ball(returns):
    class HeavyBall(Optimizer):
        def __init__(self, lr=0.02, mu=0.9):
            self.configure(lr=lr, mu=mu)

        def init(self, theta):
            return {**super().init(theta), "v": xp.zeros_like(theta)}

        def update(self, g, loss, theta, state):
            _, lr = self.tick(state)
            state["v"] *= self.mu
            state["v"] -= lr * g
            return returns(state["v"]), state
    return HeavyBall


@pytest.mark.parametrize("returns", [lambda v: v, lambda v: v[...], lambda v: v.copy()])
def test_an_update_may_return_its_own_state(returns):
    """The heavy ball, written as it stands in books, moves as SGD with momentum does."""
    ours = [to_host(w) for _, w, _, _ in descent(heavy_ball(returns)(), hills, START, steps=30)]
    same = [to_host(w) for _, w, _, _ in descent(SGD(0.02, momentum=0.9), hills, START, steps=30)]
    np.testing.assert_allclose(ours, same, rtol=1e-12)
    wrapped = descent(SAM(heavy_ball(returns)(), rho=0.0), hills, START, steps=30)
    np.testing.assert_allclose(np.array([to_host(w) for _, w, _, _ in wrapped]), same, rtol=1e-12)
    runs = sweep(Objective(hills), heavy_ball(returns), grid(lr=[0.02], mu=[0.9]), START[None],
                 steps=30, tolerance=0.0)
    assert runs.values[0, 0] == pytest.approx(float(hills(xp.asarray(same[-1]))), rel=1e-12)


def test_a_new_hyper_parameter_may_be_any_number():
    make = heavy_ball(lambda v: v)
    assert make(mu=-3.0).mu == -3.0
    with pytest.raises(ValueError, match=r"HeavyBall: mu must lie in \(-inf, inf\), got nan"):
        make(mu=float("nan"))
    with pytest.raises(TypeError, match="HeavyBall: mu must be a number"):
        make(mu="much")


def test_step_is_final():
    with pytest.raises(TypeError, match="Mine: step is the same for all optimizers.*advance"):
        class Mine(Optimizer):
            def step(self, objective, theta, state):
                return theta, state, 0.0


def test_traces_are_the_methods_own():
    class Loud(SGD):
        traces = ("loud",)

        def update(self, g, loss, theta, state):
            delta, state = super().update(g, loss, theta, state)
            state["loud"] = xp.max(xp.abs(delta), axis=-1)
            return delta, state

    run = trace(Objective(hills), Loud(0.1), START, steps=5, tolerance=0.0)
    np.testing.assert_allclose(run.traces["loud"], np.abs(np.diff(run.points, axis=0)).max(-1))
    assert InducedMetric.traces == ("s",) == SAM(InducedMetric()).traces
    assert RMSprop.traces == NAdam.traces == () and run.factors.size == 0


def test_messages():
    with pytest.raises(TypeError, match="descent: needs an optimizer, got float"):
        next(descent(0.1, hills, START))
    with pytest.raises(ValueError, match="descent: steps must be a whole number >= 0, got -1"):
        next(descent(SGD(), hills, START, steps=-1))
    with pytest.raises(TypeError, match="needs a function of theta or a Problem, got int"):
        next(descent(SGD(), 3, START))
