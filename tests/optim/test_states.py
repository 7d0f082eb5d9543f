"""A state that a method did not make is refused in a sentence, by every method of optim."""
import copy
import pickle

import numpy as np
import pytest

import minigrad as mg
import optim
from minigrad import Layout
from minigrad.backend import to_host, xp
from optim import Objective, Optimizer
from optim.descent import descent


def hills(theta):
    return mg.sum(theta**2 + 0.5 * mg.sin(3.0 * theta), axis=-1) + 5.0


def source():
    return np.random.default_rng(0)


THETA = xp.asarray([0.3, -1.0, 2.0, 0.5, 1.5, -0.7])
LAYOUT = Layout({"W": THETA[:4].reshape(2, 2), "bias": THETA[4:]})
MADE = {
    "SGD": lambda: optim.SGD(0.02), "SGD momentum": lambda: optim.SGD(0.02, momentum=0.9),
    "RMSprop": lambda: optim.RMSprop(0.02),
    "RMSprop momentum": lambda: optim.RMSprop(0.02, momentum=0.9),
    "Adam": optim.Adam, "AdamW": optim.AdamW, "NAdam": optim.NAdam,
    "InducedMetric": optim.InducedMetric, "LogInducedMetric": optim.LogInducedMetric,
    "RMSInducedMetric": optim.RMSInducedMetric, "AdaGradNorm": optim.AdaGradNorm,
    "DecSPS": optim.DecSPS, "NGN": optim.NGN, "NGNM": optim.NGNM,
    "NormalizedSGD": optim.NormalizedSGD, "StochasticPolyak": optim.StochasticPolyak,
    "OffDiagonal": optim.OffDiagonal, "Induced": lambda: optim.Induced(optim.SGD(0.02)),
    "Induced Adam": lambda: optim.Induced(optim.Adam(0.02)),
    "BFGS": optim.BFGS, "LBFGS": optim.LBFGS, "CrudeLBFGS": optim.CrudeLBFGS,
    "SaddleFreeNewton": optim.SaddleFreeNewton,
    "PerturbedGD": lambda: optim.PerturbedGD(0.02, source()),
    "PerturbedSGD": lambda: optim.PerturbedSGD(0.02, 0.1, source()),
    "SAM": lambda: optim.SAM(optim.SGD(0.02, momentum=0.9)),
    "ASAM": lambda: optim.ASAM(optim.Adam(0.02)),
    "Muon": lambda: optim.Muon(LAYOUT), "MuAdam": lambda: optim.MuAdam(LAYOUT),
    "SchattenMuon": lambda: optim.SchattenMuon(LAYOUT, t=0.5),
}
# Methods that remember the same things by the same names can take each other's states up.
KIN = [{"Adam", "AdamW", "NAdam", "ASAM"}, {"InducedMetric", "LogInducedMetric"},
       {"DecSPS", "NGN", "StochasticPolyak"}, {"SGD momentum", "SAM"}]


def test_every_method_is_here():
    public = {name for name, value in vars(optim).items()
              if isinstance(value, type) and issubclass(value, Optimizer)}
    assert public - {"Optimizer", "ScalarRate"} == {name.split()[0] for name in MADE}


def begun(name, theta=THETA, steps=2):
    """(method, point, state) after some steps."""
    method = MADE[name]()
    state = method.init(theta)
    for _ in range(steps):
        theta, state, _ = method.step(Objective(hills), theta, state)
    return method, theta, state


def refused(method, theta, state, match, kind=ValueError):
    before = copy.deepcopy({key: to_host(a) if isinstance(a, xp.ndarray) else a
                            for key, a in state.items() if key != "rng"})
    for act in (lambda: method.step(Objective(hills), theta, state),
                lambda: next(descent(method, hills, theta, state))):
        with pytest.raises(kind, match=rf"^{type(method).__name__}\.step: the state.*{match}.*"
                                       r"Begin with init\(theta\)\."):
            act()
    for key, a in before.items():                           # nothing has been counted or learnt
        np.testing.assert_array_equal(to_host(state[key]), a)


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("met", [True, False])
def test_the_state_of_another_method(name, met):
    """From each of the other methods, whether or not this one has a run of its own behind it."""
    _, theta, state = begun(name)
    kin = {name}.union(*(family for family in KIN if name in family))
    for other in MADE:
        method = begun(other)[0] if met else MADE[other]()
        if other in kin:
            method.step(Objective(hills), theta, copy.copy(state))
        else:
            refused(method, theta, state, "(it has no|it holds|S is) ")


@pytest.mark.parametrize("name", MADE)
def test_the_state_of_another_point(name):
    method, theta, state = begun(name)
    memory = [key for key, a in state.items() if isinstance(a, xp.ndarray) and key != "t"]
    if not memory:                                          # it remembers nothing of the point
        return
    single = theta.astype("float32")
    layout = "Muon" in name or name == "MuAdam"
    if not layout:
        refused(method, theta[:3], state, r"is float64\[.*\], not float64\[") if any(
            state[key].ndim for key in memory) else None
        if "BFGS" not in name:
            refused(method, xp.stack([theta, theta]), state, r"is float64\[.*\], not float64\[2")
    refused(method, single, state, r"is float64\[.*\], not float32\[")
    key = memory[0]
    refused(method, theta, {**state, key: state[key][..., None]}, f"{key} is ")
    refused(method, theta, {**state, key: None}, f"{key} is NoneType, not ")
    refused(method, theta, {k: a for k, a in state.items() if k != key}, f"it has no {key}")
    del state[key]                                          # from the dict that it has met
    refused(method, theta, state, f"it has no {key}")


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("t", [np.nan, np.inf, -1, 1.5, "3", None, [1], True, 1j, np.zeros(2)])
def test_a_count_of_steps_that_is_none(name, t):
    method, theta, state = begun(name)
    for bad in (t, np.array(t)):
        refused(method, theta, {**state, "t": bad}, "t must be a number of steps")


@pytest.mark.parametrize("name", MADE)
def test_a_state_that_comes_back_as_plain_arrays_is_taken_up(name):
    """Copied, or through a pickle, and by a method made anew: the same step, bit for bit."""
    method, theta, state = begun(name)
    twin = copy.deepcopy(state)
    expected = to_host(method.step(Objective(hills), theta, state)[0])
    for other in (MADE[name](), copy.copy(method), copy.deepcopy(method),
                  pickle.loads(pickle.dumps(method))):
        assert other.met is None and vars(other).keys() == vars(method).keys()
        again = copy.deepcopy(twin)
        np.testing.assert_array_equal(to_host(other.step(Objective(hills), theta, again)[0]),
                                      expected)


def test_the_state_is_compared_when_a_run_begins_not_in_every_step():
    class Counted(optim.SGD):
        made = 0

        def init(self, theta):
            type(self).made += 1
            return super().init(theta)

    method = Counted(0.02, momentum=0.9)
    for _ in range(3):
        for _ in descent(method, hills, THETA, steps=20):
            pass
    assert Counted.made == 3 + 1                            # one of them to compare with


def test_a_method_of_ones_own_may_gain_entries_and_return_another_dict():
    class Slow(optim.SGD):
        def update(self, g, loss, theta, state):
            delta, state = super().update(g, loss, theta, state)
            return delta, {**state, "before": theta, "steps": state.get("steps", 0) + 1}

    method, theta = Slow(0.02), THETA
    state = method.init(theta)
    for _ in range(3):
        theta, state, _ = method.step(Objective(hills), theta, state)
    assert state["steps"] == int(state["t"]) == 3
    _, again, _ = Slow(0.02).step(Objective(hills), theta, dict(state))
    assert again["steps"] == 4
    with pytest.raises(ValueError, match="SGD.step: the state is not one of this SGD at a theta of "
                                         r"float64\[6\]: it holds before"):
        optim.SGD(0.02).step(Objective(hills), theta, state)


# ---------------------------------------------------------------------- points at the edge

@pytest.mark.parametrize("name", MADE)
def test_points_at_the_edge(name):
    """NaN and no coordinates are refused, no points are none, a lost row leaves the others alone,
    and the precision stays."""
    def stepped(theta):
        method, objective = MADE[name](), Objective(hills)
        state = method.init(theta)
        for _ in range(3):
            theta, state, loss = method.step(objective, theta, state)
        return theta, loss

    for bad in (np.nan, np.inf):
        lost = xp.array(THETA)
        lost[1] = bad
        with pytest.raises(ValueError, match=r"\.step: the loss is (nan|inf) at step 1 "):
            stepped(lost)
    with pytest.raises(ValueError, match=r"\.init: "):
        stepped(THETA[:0])
    theta, loss = stepped(THETA.astype("float32"))
    assert theta.dtype.name == "float32" and np.isfinite(to_host(theta)).all()
    if "BFGS" in name or "Muon" in name or name == "MuAdam":
        with pytest.raises(ValueError, match="one point"):
            stepped(xp.zeros((0, 6)))
        return
    theta, loss = stepped(xp.zeros((0, 6)))
    assert theta.shape == (0, 6) and loss.shape == (0,)
    lost = xp.array(THETA)
    lost[1] = np.nan
    if "Perturbed" not in name:                             # they draw for every row
        both, alone = stepped(xp.stack([THETA, lost]))[0], stepped(THETA[None])[0]
        np.testing.assert_allclose(to_host(both[0]), to_host(alone[0]), rtol=1e-12)
        assert np.isnan(to_host(both[1])).any()


# ---------------------------------------------------------------------- iterators of objectives

def test_an_iterator_that_ends_early_is_refused():
    few = iter([Objective(hills)] * 3)
    shown = []
    with pytest.raises(ValueError, match="descent: the iterator of objectives ended after 3 of 5 "
                                         "steps. Give more of them, or steps=None"):
        for t, *_ in descent(optim.SGD(0.02), few, THETA, steps=5):
            shown.append(t)
    assert shown == [0, 1, 2]
    with pytest.raises(ValueError, match="descent: the iterator of objectives ended after 0 of 1 "):
        next(descent(optim.SGD(0.02), iter([]), THETA, steps=1))
    assert len(list(descent(optim.SGD(0.02), iter([]), THETA))) == 1
    assert len(list(descent(optim.SGD(0.02), iter([]), THETA, steps=0))) == 1
    assert len(list(descent(optim.SGD(0.02), iter([Objective(hills)] * 3), THETA, steps=3))) == 4


@pytest.mark.parametrize("bad", [None, 3, "x", THETA, [Objective(hills)], (hills,)])
def test_an_iterator_that_yields_what_is_no_landscape_is_refused(bad):
    for items, step in (([bad], 0), ([Objective(hills), bad], 1)):
        for steps in (None, 2):
            with pytest.raises(TypeError, match=f"descent: the iterator gave .* for step {step}. "
                                                "Let it give Objectives"):
                list(descent(optim.SGD(0.02), iter(items), THETA, steps=steps))


def test_an_iterator_may_give_plain_functions():
    given, made = (list(descent(optim.SGD(0.02), iter(items), THETA))[-1][1]
                   for items in ([hills] * 3, [Objective(hills)] * 3))
    np.testing.assert_array_equal(to_host(given), to_host(made))
