"""What holds for all first-order methods: batches, dtypes, values, states, messages."""
import ast
import importlib
import math
import re
import types
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
import optim
from minigrad.backend import to_host, xp
from optim import (NGN, NGNM, SGD, AdaGradNorm, Adam, AdamW, DecSPS, Induced, InducedMetric,
                   LogInducedMetric, NAdam, NormalizedSGD, Objective, OffDiagonal, Optimizer,
                   RMSInducedMetric, RMSprop, StochasticPolyak)
from optim.optimizer import BLOCK, pieces


def damped(base, xi, **hyper):
    return Induced(base(**hyper), xi=xi, q=0.5)


METHODS = {
    "sgd": (SGD, dict(lr=0.02)),
    "heavy_ball": (SGD, dict(lr=0.02, momentum=0.9, decay=0.1)),
    "dampened": (SGD, dict(lr=0.02, momentum=0.9, dampening=0.9)),
    "nesterov": (SGD, dict(lr=0.02, momentum=0.9, nesterov=True)),
    "rmsprop": (RMSprop, dict(lr=0.02, decay=0.1)),
    "rmsprop_momentum": (RMSprop, dict(lr=0.02, momentum=0.5)),
    "adam": (Adam, dict(lr=0.02)),
    "adamw": (AdamW, dict(lr=0.02, decay=0.1)),
    "nadam": (NAdam, dict(lr=0.02, decay=0.1)),
    "plain": (InducedMetric, dict(lr=0.02, decay=0.1)),
    "log": (LogInducedMetric, dict(lr=0.02)),
    "rms": (RMSInducedMetric, dict(lr=0.02, decay=0.1)),
    "damped_sgd": (partial(damped, SGD), dict(lr=0.02, xi=0.01, momentum=0.5, decay=0.1)),
    "damped_adam": (partial(damped, Adam), dict(lr=0.02, xi=0.01)),
    "off_diagonal": (OffDiagonal, dict(lr=0.02, xi=0.01)),
    "sps": (StochasticPolyak, dict(lr=0.02)),
    "decsps": (DecSPS, dict(lr=0.1)),
    "ngn": (NGN, dict(lr=0.02)),
    "ngn_m": (NGNM, dict(lr=0.02, momentum=0.5)),
    "adagrad_norm": (AdaGradNorm, dict(lr=0.2)),
    "normalized": (NormalizedSGD, dict(lr=0.02, share=0.5)),
}

FOLDER = Path(optim.__file__).parent


def hills(theta):
    """A height without symmetries, always above 0."""
    return mg.sum(theta**2 + 0.5 * mg.sin(3.0 * theta), axis=-1) + 5.0


def times(hyper, rows):
    """The hyper-parameters that are numbers, multiplied by a number or an array (n, 1)."""
    return {key: rows * value if isinstance(value, float) else value
            for key, value in hyper.items()}


def copied(state):
    """A state as a file would give it back: fresh arrays, the step count one of them."""
    return {key: xp.asarray(np.array(to_host(a) if isinstance(a, xp.ndarray) else a))
            for key, a in state.items()}


def descend(opt, theta, steps=6):
    objective, state = Objective(hills), opt.init(theta)
    for _ in range(steps):
        theta, state, loss = opt.step(objective, theta, state)
    return theta, state, loss


@pytest.mark.parametrize("method", METHODS)
def test_a_batch_is_its_points(method):
    """A batch with a row of hyper-parameters each ends where the single points end."""
    make, hyper = METHODS[method]
    rng = np.random.default_rng(0)
    starts, rows = rng.normal(size=(4, 3)), rng.uniform(0.5, 1.0, (4, 1))
    together = descend(make(**times(hyper, xp.asarray(rows))), xp.asarray(starts))[0]
    for i in range(4):
        alone = to_host(descend(make(**times(hyper, float(rows[i, 0]))), xp.asarray(starts[i]))[0])
        np.testing.assert_allclose(to_host(together)[i], alone, rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_memory_order_does_not_matter(method):
    make, hyper = METHODS[method]
    starts = xp.asarray(np.random.default_rng(0).normal(size=(5, 2)))
    rows = descend(make(**hyper), starts)[0]
    columns = descend(make(**hyper), xp.asfortranarray(starts))[0]
    np.testing.assert_allclose(to_host(columns), to_host(rows), rtol=1e-14)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(3,), (4, 3)])
def test_dtype_in_is_dtype_out(method, dtype, shape):
    make, hyper = METHODS[method]
    theta = xp.asarray(np.random.default_rng(0).normal(size=shape).astype(dtype))
    cases = [hyper]
    if len(shape) == 2:                             # float64 rates on a float32 batch
        cases.append(times(hyper, xp.ones((4, 1))))
    for case in cases:
        after, state, loss = descend(make(**case), theta)
        assert after.dtype == loss.dtype == dtype
        assert {a.dtype.name for key, a in state.items() if key != "t"} <= {dtype}


@pytest.mark.parametrize("method", METHODS)
def test_points_are_values_and_states_can_be_saved(method):
    """theta and g are never written; a state copied as plain arrays goes on as the original."""
    make, hyper = METHODS[method]
    opt, objective = make(**hyper), Objective(hills)
    theta = xp.asarray([0.3, -1.0, 2.0])
    kept = to_host(theta).copy()
    _, g = objective.value_and_grad(theta)
    before = to_host(g).copy()
    opt.update(g, xp.asarray(1.0), theta, opt.init(theta))
    np.testing.assert_array_equal(to_host(g), before)
    moved, state, _ = descend(opt, theta)
    np.testing.assert_array_equal(to_host(theta), kept)
    assert int(state["t"]) == 6 and not np.array_equal(to_host(moved), kept)
    copy = copied(state)
    one, _, _ = opt.step(objective, moved, state)
    other, _, _ = make(**hyper).step(objective, moved, copy)
    np.testing.assert_array_equal(to_host(one), to_host(other))


@pytest.mark.parametrize("method", METHODS)
def test_pieces_change_nothing(method, monkeypatch):
    """A long point cut into pieces moves as one that is not cut, in `update` and in `step`."""
    make, hyper = METHODS[method]
    d = 2 * BLOCK // 8 + 77
    theta = xp.asarray(np.random.default_rng(0).normal(size=d))
    ends = []
    for size in (BLOCK, 100 * d):
        monkeypatch.setattr("optim.optimizer.BLOCK", size)
        opt, objective = make(**hyper), Objective(hills)
        moved, state, loss = opt.step(objective, theta, opt.init(theta))
        loss, g = objective.value_and_grad(moved)
        delta, state = opt.update(g, loss, moved, state)
        ends.append(to_host(moved + delta))
    np.testing.assert_allclose(*ends, rtol=1e-12)           # rms adds its dot product in pieces


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(3,), (4, 3)])
def test_the_formula_alone_is_the_same_method(method, shape, monkeypatch):
    """MINIGRAD_PLAIN=1: what stands above the banners, against what stands below; the states too,
    so that a run may be taken up by either."""
    make, hyper = METHODS[method]
    theta = xp.asarray(np.random.default_rng(0).normal(size=shape))
    if len(shape) == 2:
        hyper = times(hyper, xp.asarray([[1.0], [0.9], [0.5], [0.1]]))
    monkeypatch.setattr("minigrad.backend.plain", False)
    quick, state, _ = descend(make(**hyper), theta, steps=12)
    monkeypatch.setattr("minigrad.backend.plain", True)
    plain, other, _ = descend(make(**hyper), theta, steps=12)
    np.testing.assert_allclose(to_host(plain), to_host(quick), rtol=1e-11)
    assert state.keys() == other.keys()
    for key in state:
        np.testing.assert_allclose(to_host(other[key]), to_host(state[key]), rtol=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("method", METHODS)
def test_the_formula_alone_keeps_dtype_and_points(method, dtype, monkeypatch):
    monkeypatch.setattr("minigrad.backend.plain", True)
    test_dtype_in_is_dtype_out(method, dtype, (4, 3))
    test_points_are_values_and_states_can_be_saved(method)


@pytest.mark.parametrize("file", ["sgd", "rmsprop", "adam", "induced_metric"])
def test_what_stands_below_the_banners_can_be_deleted(file):
    """Cut out of every class, the rest runs, and goes where the whole goes."""
    path = next(FOLDER.rglob(f"{file}.py"))
    lines, out, inside = path.read_text().splitlines(), [], False
    for line in lines:
        if re.match(r"    # -{20,} the same", line):
            inside = True
        elif line and not line.startswith("    "):
            inside = False
        if not inside:
            out.append(line)
    assert len(out) < len(lines)
    module = types.ModuleType(f"optim.{file}_alone")
    module.__package__ = ".".join(path.relative_to(FOLDER.parent).parts[:-1])
    exec("\n".join(out), vars(module))
    for make, hyper in METHODS.values():
        if isinstance(make, type) and make.__module__.endswith(f".{file}"):
            alone = getattr(module, make.__name__)(**hyper)
            assert not any(hasattr(alone, name) for name in ("factors", "by_pieces") if
                           name in vars(make))
            theta = xp.asarray([0.3, -1.0, 2.0])
            np.testing.assert_allclose(to_host(descend(alone, theta)[0]),
                                       to_host(descend(make(**hyper), theta)[0]), rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_step_is_theta_plus_update(method):
    make, hyper = METHODS[method]
    opt, objective, theta = make(**hyper), Objective(hills), xp.asarray([0.3, -1.0, 2.0])
    loss, g = objective.value_and_grad(theta)
    delta, _ = opt.update(g, loss, theta, opt.init(theta))
    moved, _, _ = opt.step(objective, theta, opt.init(theta))
    np.testing.assert_allclose(to_host(moved), to_host(theta + delta), rtol=1e-15)


def test_pieces_cover_a_long_point():
    theta = xp.zeros(3 * BLOCK // 8 + 5)
    assert pieces(xp.zeros((2, BLOCK))) == (...,) and pieces(xp.zeros(5)) == (...,)
    assert sum(theta[part].size for part in pieces(theta)) == theta.size


@pytest.mark.parametrize("method", METHODS)
def test_every_method_descends(method):
    make, hyper = METHODS[method]
    theta = xp.asarray([0.3, -1.0, 2.0])
    after, _, _ = descend(make(**hyper), theta, steps=100)
    assert float(hills(after)) < float(hills(theta)) - 0.5


GO_ON = {"decsps", "ngn_m"}         # at rate 0 too: its first rate counts alone; it has a velocity


@pytest.mark.parametrize("method", [m for m in METHODS if m not in GO_ON])
def test_schedules_reach_the_step(method):
    """A schedule sees the number of steps done; a rate of 0 stops all motion."""
    make, hyper = METHODS[method]
    seen = []

    def rate(step):
        seen.append(step)
        return hyper["lr"] if step < 3 else 0.0

    three = descend(make(**dict(hyper, lr=rate)), xp.asarray([0.3, -1.0, 2.0]), steps=5)[0]
    fixed = descend(make(**hyper), xp.asarray([0.3, -1.0, 2.0]), steps=3)[0]
    np.testing.assert_array_equal(to_host(three), to_host(fixed))
    assert seen == [0, 1, 2, 3, 4]


def test_single_nan_is_an_error_and_a_row_is_not():
    def broken(theta):
        return mg.log(mg.sum(theta, axis=-1))

    opt = SGD(0.5)
    with pytest.raises(ValueError, match=r"SGD\.step: the loss is nan at step 1 \(lr=0.5\)"):
        opt.step(Objective(broken), xp.asarray([-1.0, -1.0]), opt.init(xp.ones(2)))
    state = opt.init(xp.ones(2))
    state["t"] += 20                            # a GPU is asked for its loss every 20 steps
    with pytest.raises(ValueError, match=r"the loss is -inf at step 21"):
        opt.step(Objective(broken), xp.asarray([1.0, -1.0]), state)
    batch = xp.asarray([[1.0, 1.0], [-1.0, -1.0]])
    theta, _, loss = opt.step(Objective(broken), batch, opt.init(batch))
    assert math.isnan(float(loss[1])) and math.isfinite(float(theta[0, 0]))


def test_step_wants_an_objective():
    opt, theta = SGD(), xp.ones(2)
    with pytest.raises(TypeError, match=r"SGD\.step: needs an Objective, got function. Wrap it"):
        opt.step(hills, theta, opt.init(theta))


@pytest.mark.parametrize("theta", [
    [1.0, 2.0], 3.0, xp.asarray([1, 2]), xp.asarray(1.0), mg.tensor(xp.ones(2))])
def test_init_wants_a_floating_point_array(theta):
    with pytest.raises(TypeError, match=r"Adam\.init: theta must be a floating-point array"):
        Adam().init(theta)


@pytest.mark.parametrize("theta", [xp.ones(2), xp.ones((4, 2))])
def test_arrays_need_a_batch_of_their_length(theta):
    with pytest.raises(ValueError, match=r"SGD\.init: lr has shape \(3, 1\), theta \("):
        SGD(xp.full((3, 1), 0.1)).init(theta)


OUT_OF_RANGE = [
    (SGD, "lr", -0.1), (SGD, "momentum", 1.0), (SGD, "dampening", -0.2), (SGD, "decay", -1.0),
    (RMSprop, "beta_rms", 1.0), (RMSprop, "eps", 0.0), (Adam, "beta1", -0.1), (Adam, "beta2", 1.5),
    (Adam, "eps", -1e-8), (AdamW, "decay", -0.01), (NAdam, "lr", math.nan),
    (InducedMetric, "xi", -1.0), (InducedMetric, "beta", 1.0), (LogInducedMetric, "momentum", 2.0),
    (RMSInducedMetric, "beta_rms", -0.5), (RMSInducedMetric, "eps", 0.0), (AdamW, "lr", math.inf),
]


@pytest.mark.parametrize("make, name, value", OUT_OF_RANGE)
def test_out_of_range(make, name, value):
    message = rf"{make.__name__}: {name} must lie in .0, (1|inf)\), got {value}\."
    with pytest.raises(ValueError, match=message):
        make(**{name: value})
    with pytest.raises(ValueError, match=message):
        make(**{name: xp.asarray([[0.5], [value], [0.5]])})


@pytest.mark.parametrize("value", ["0.1", None, True])
def test_not_a_number(value):
    with pytest.raises(TypeError, match="SGD: lr must be a number or an array"):
        SGD(lr=value)


def test_rows_not_vectors():
    with pytest.raises(ValueError, match=r"SGD: lr has shape \(3,\). Give one number, or an array"):
        SGD(lr=xp.full(3, 0.1))


def test_repr_names_the_settings():
    assert repr(Adam(0.5)) == "Adam(lr=0.5, beta1=0.9, beta2=0.999, eps=1e-08)"


def test_base_class_has_no_rule():
    with pytest.raises(NotImplementedError, match="has no update rule"):
        Optimizer().update(None, None, None, None)


FAMILIES = {"Optimizer", "Elementwise", "ScalarRate", "Adam", "InducedMetric", "SAM", "NGN",
            "StochasticPolyak", "MatrixMethod", "SchattenMuon"}


def test_every_file_is_listed():
    for file in FOLDER.rglob("*.py"):
        folder = importlib.import_module(".".join(file.relative_to(FOLDER.parent).parts[:-1]))
        listed = file.stem == "__init__" or file.stem in folder.__doc__.split()
        assert listed, f"{file.name} is not listed in {folder.__name__}"


@pytest.mark.parametrize("file", sorted(FOLDER.rglob("*.py")), ids=lambda file: file.stem)
def test_every_optimizer_has_a_source(file):
    for node in ast.parse(file.read_text()).body:
        bases = {getattr(base, "id", "") for base in getattr(node, "bases", ())}
        if bases & FAMILIES and node.name not in ("Elementwise", "ScalarRate", "MatrixMethod"):
            assert "Source:" in (ast.get_docstring(node) or ""), f"{file.stem}.{node.name}"
