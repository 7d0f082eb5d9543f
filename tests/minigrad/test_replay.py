"""A recorded gradient repeated: bit for bit what the tape gives, or a sentence why not."""
import threading
import time

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import name as backend
from minigrad.backend import xp
from minigrad.replay.compiler import compiled
from minigrad.replay.noting import recorded
from minigrad.replay.recording import CannotReplay
from minigrad.tensor import primitives
from minigrad.tree import leaves_of
from problems import Network, networks, potentials
from problems.functions import FUNCTIONS
from tests.minigrad.samples import SAMPLES, draw, label

pytestmark = pytest.mark.skipif(backend != "numpy", reason="what is repeated are calls of NumPy")


def same(ours, theirs):
    for a, b in zip(leaves_of(ours), leaves_of(theirs), strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)          # bit for bit, NaN in the same places


def agrees(f, example, points, **settings):
    """A recording made at the example gives at other points exactly what the tape gives there."""
    fast, tape = mg.replay(f, example, **settings), mg.value_and_grad(f, **settings)
    for x in points:
        same(list(fast(x)), list(tape(x)))
    return fast


@pytest.mark.parametrize("f", FUNCTIONS.values(), ids=FUNCTIONS)
def test_every_test_function(f):
    rng = np.random.default_rng(0)
    agrees(f, f.start(rng), [f.start(rng) for _ in range(10)])
    batch = [np.stack([f.start(rng) for _ in range(33)]) for _ in range(4)]
    agrees(f, batch[0], batch[1:], each=True)


POTENTIALS = [potentials.CurvedWell, potentials.DoubleWell, potentials.EggBox,
              potentials.MuellerBrown, potentials.OneNeuron, potentials.NeuronSwap,
              potentials.Ring, potentials.ThreeHole, potentials.TiltedRing, potentials.TiltedWell,
              potentials.Toy, potentials.WolfeQuapp]


@pytest.mark.parametrize("potential", POTENTIALS, ids=lambda p: p.__name__)
def test_every_potential(potential):
    rng, problem = np.random.default_rng(1), potential()
    agrees(problem.loss, problem.start(rng), [problem.start(rng) for _ in range(5)])


TOKENS = np.arange(12).reshape(2, 6) % 5
MODELS = {
    "mlp": (networks.mlp.MLP((4, 8, 3)), (np.ones((5, 4)), np.arange(5) % 3)),
    "relu": (networks.mlp.MLP((4, 8, 3), activation="relu"), (np.ones((5, 4)), np.arange(5) % 3)),
    "tanh, squares": (networks.mlp.MLP((4, 8, 3), activation="tanh", loss="mse"),
                      (np.ones((5, 4)), np.ones((5, 3)))),
    "cnn": (networks.cnn.CNN((1, 8, 8), 3, (2, 3), 3), (np.ones((2, 1, 8, 8)), np.arange(2))),
    "lstm": (networks.lstm.LSTM(5, width=4, hidden=4, context=6), (TOKENS, TOKENS)),
    "transformer": (networks.transformer.Transformer(5, layers=2, width=8, heads=2, context=6),
                    (TOKENS, TOKENS)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", MODELS)
def test_models(name, dtype):
    rng = np.random.default_rng(2)
    model, (x, y) = MODELS[name]
    x = x * rng.standard_normal(x.shape) if x.dtype.kind == "f" else x
    problem = Network(model, (x, y), dtype=dtype)
    points = [problem.start(rng) for _ in range(4)]
    agrees(problem.loss, points[0], points[1:])                        # of the flat point
    trees = [problem.params(theta) for theta in points]
    agrees(problem.tree_loss, trees[0], trees[1:])                     # of the tree of weights


@pytest.mark.parametrize("sample", SAMPLES, ids=label)
def test_every_primitive(sample):
    """All its float inputs at once, at other numbers than those recorded."""
    operation, inputs, settings, _ = draw(sample)
    others = draw(sample, seed=7)[1]
    is_float = [a.dtype.kind == "f" for a in inputs]

    def f(values):
        values = iter(values)
        y = operation(*[next(values) if fl else a for fl, a in zip(is_float, inputs)], **settings)
        return mg.sum(y * y)
    pick = lambda arrays: [a for fl, a in zip(is_float, arrays) if fl]
    agrees(f, pick(inputs), [pick(others)])


def test_second_derivatives_inside():
    def slope_squared(x):
        g = mg.grad(lambda t: mg.sum(t * t * t))(x)
        return mg.sum(g * g)
    agrees(slope_squared, xp.asarray([1.0, 2.0]), [xp.asarray([-1.5, 0.25])])


def test_results_are_the_callers_own_unless_asked_otherwise():
    x = np.array([1.0, 2.0])
    fast = mg.replay(FUNCTIONS["beale"], x)
    y, g = fast(x)
    kept = g.copy()
    fast(x + 1.0)
    np.testing.assert_array_equal(g, kept)
    g[...] = np.nan                                  # writing into them harms nothing
    np.testing.assert_array_equal(fast(x)[1], kept)
    slim = mg.replay(FUNCTIONS["beale"], x, fresh=False)
    _, g = slim(x)
    np.testing.assert_array_equal(g, kept)
    _, h = slim(x + 1.0)
    assert h is g and not np.array_equal(g, kept)


def test_a_point_that_is_handed_through_is_copied():
    x = np.array([1.0, 2.0])
    fast = mg.replay(lambda t: mg.sum(0.5 * t * t), x)
    _, g = fast(x)
    fast(x + 1.0)
    np.testing.assert_array_equal(g, x)


def test_constants_are_folded_and_dead_code_is_left_out():
    x = np.array([1.0, 2.0])
    with recorded() as recording:
        noted = recording.noted(x)
        ones = minigrad_ones(2)
        constant = ones * 3.0                        # no point reaches it
        unused = noted * noted                       # nobody asks for it
        y = noted * constant
        y += 1.0
        result = recording.plain(y)
    assert len(recording.steps) == 5
    program, _ = compiled(recording.steps, [x], [result])
    assert len(program) == 2
    x[...] = [5.0, 6.0]
    for step in program:
        step.call()()
    np.testing.assert_array_equal(result, [16.0, 19.0])
    assert unused.shape == (2,)


def minigrad_ones(n):
    import minigrad.backend as module
    return module.xp.ones(n)


def recorded_sums(f, x):
    """How many instructions f of x needs, and whether they give f of another point."""
    with recorded() as recording:
        result = recording.plain(f(recording.noted(x)))
    program, (result,) = compiled(recording.steps, [x], [result])
    x[...] = x * 1.5 + 0.25
    for step in program:
        step.call()()
    np.testing.assert_array_equal(result, f(x))
    return len(program)


def test_what_is_known_is_not_worked_out_again():
    x = np.array([1.0, 2.0])
    assert recorded_sums(lambda x: np.sin(2.0 * x) * np.cos(2.0 * x), x) == 4
    assert recorded_sums(lambda x: np.sin(2.0 * x) * np.cos(2 * x), x) == 5     # may differ in kind
    assert recorded_sums(lambda x: (x * x) + (x * x)[::-1], x) == 2             # a view of it
    assert recorded_sums(lambda x: x.sum() + x.sum(keepdims=True), x) == 3
    assert recorded_sums(lambda x: x * 0.0 + x * -0.0, x) == 3


def test_a_product_with_ones_is_what_it_was():
    x, xp = np.array([1.0, 2.0]), mg.backend
    ones = lambda: xp.xp.ones(2)
    assert recorded_sums(lambda x: np.sin(x * x) * ones() + 1.0, x) == 3
    assert recorded_sums(lambda x: np.sin(x) * 1.0 + ones() * np.sin(x), x) == 2
    assert recorded_sums(lambda x: x * ones(), x) == 1                   # x itself will be another
    assert recorded_sums(lambda x: np.sin(x)[:, None] * xp.xp.ones((1, 3)), x) == 2     # it grows
    assert recorded_sums(lambda x: np.sin(x).astype("float32") * ones(), x) == 3        # so does this

    def written_later(x):
        y = np.sin(x)
        z = y * ones()
        y += 1.0
        return y * z
    assert recorded_sums(written_later, x) == 4

    def in_place(x):
        y = np.sin(x)
        y *= ones()
        y *= 2.0
        return y
    assert recorded_sums(in_place, x) == 2


def test_what_is_written_over_before_it_is_read_need_not_be_written():
    def parts(x, read=False, rest=2):
        y = mg.backend.xp.zeros(3)
        y[0] = x[1] * x[1]
        z = y * 1.5 if read else x * 3.0
        y[:rest] = x[:rest]
        y[rest:] = 0.25
        y[2] = x[0] - 1.0
        return y[:2] * z[:2]
    x = np.array([1.0, 2.0])
    assert recorded_sums(parts, x) == 5         # x * 3, y[:2], x[0] - 1, y[2], the product
    assert recorded_sums(lambda x: parts(x, read=True), x) == 8         # and zeros, x x, y[0]
    assert recorded_sums(lambda x: parts(x, rest=1), x) == 6            # and y[1] = .25

    def by_places(x):
        y = mg.backend.xp.zeros(2)
        y[np.minimum(np.argsort(x), 0)] = x
        return y + 1.0
    assert recorded_sums(by_places, x) == 5     # zeros too: the places may be others

    def from_itself(x):
        y = mg.backend.xp.zeros(2)
        y += x
        y[0] = 2.0
        y[:] = y[::-1] * 1.0
        return y + 1.0
    assert recorded_sums(from_itself, x) == 6


@pytest.mark.parametrize("order", "CF")
def test_arrays_of_several_axes_are_read_in_a_row(order):
    x = np.array(np.arange(12.0).reshape(3, 4), order=order)
    assert recorded_sums(lambda x: np.maximum(x * x - 2.0, 0.5) + x.T.copy(order="C").T, x) == 5
    assert recorded_sums(lambda x: x * x[:, :1] + x[::-1] * np.float64(2.0), x) == 3


def test_equal_results_of_which_one_is_written_into():
    def f(x):
        y, z = x * x, x * x
        y += 1.0
        return y * z
    assert recorded_sums(f, np.array([1.0, 2.0])) == 4


def test_what_was_read_before_it_changed():
    def f(x):
        memory = mg.backend.xp.zeros(2)
        memory += x
        before = memory * 2.0
        memory += x
        return before - memory * 2.0
    assert recorded_sums(f, np.array([1.0, 2.0])) == 6


def test_a_number_that_is_added_to_stays_what_it_was_for_others():
    def f(x):
        for y in (mg.sum(mg.constant(x) * 1.0), np.max(mg.constant(x)), mg.constant(x)[0]):
            z = y
            z += 1.0
            z *= 2.0
            x = x * (y - z)
        return mg.sum(x)
    agrees(f, np.array([1.0, 2.0]), [np.array([3.0, -4.0])])


def test_memory_written_twice_is_no_constant():
    def f(x):
        memory = mg.backend.xp.zeros(2)
        memory += 1.0
        y = mg.mul(x, mg.constant(memory) * 2.0)
        memory += 1.0
        return mg.sum(y * (memory * 1.0))
    agrees(f, np.array([1.0, 2.0]), [np.array([3.0, -4.0])])


def test_overflow_is_as_quiet_as_on_the_tape():
    x = np.array([1.0, 2.0])
    fast = mg.replay(lambda t: mg.sum(mg.sigmoid(t)), x)
    with np.errstate(all="raise"):
        far = np.array([-800.0, 3.0])
        with np.errstate(under="ignore"):
            same(list(fast(far)), list(mg.value_and_grad(lambda t: mg.sum(mg.sigmoid(t)))(far)))


# ------------------------------------------------------------------------------ refusals

x0 = np.array([1.0, 2.0])
KEPT = []


def keeps_a_count(x):
    KEPT.append(None)
    return mg.sum(x * float(len(KEPT)))


def keeps_an_array(x):
    if not KEPT:
        KEPT.append(mg.constant(x * x))
    return mg.sum(x * KEPT[0])


def writes_into_host_memory(x):
    out = np.zeros(2)
    np.multiply(mg.constant(x), 2.0, out=out)
    return mg.sum(x * out)


def hides(x):
    return mg.sum(x * np.frombuffer(mg.constant(x).data.tobytes()))


REFUSED = {
    "branch": (lambda x: mg.sum(x) if x[0] > 0 else mg.sum(x * x), "bool"),
    "float": (lambda x: mg.sum(x) * float(mg.constant(x)[0]), "float"),
    "int": (lambda x: mg.sum(x) * int(mg.constant(x)[0]), "int"),
    "item": (lambda x: mg.sum(x) * mg.constant(x).max().item(), "item"),
    "list": (lambda x: mg.sum(x * np.array(mg.constant(x).tolist())), "tolist"),
    "print": (lambda x: mg.sum(x) * len(f"{mg.constant(x).max():.3f}"), "format"),
    "mask": (lambda x: mg.sum(x[mg.constant(x) > 0]), "mask"),
    "nonzero": (lambda x: mg.sum(x[np.flatnonzero(mg.constant(x))]), "nonzero"),
    "order": (lambda x: mg.sum(x) * mg.constant(x).argmax(), "argmax"),
    "unique": (lambda x: mg.sum(np.unique(mg.constant(x)) * x), "unique"),
    "host memory": (writes_into_host_memory, "xp"),
    "add.at": (lambda x: mg.sum(x * [np.add.at(mg.constant(x), [0], 1.0)][0]), "at"),
    "buffer": (hides, "second point"),
    "noise": (lambda x: mg.sum(x * np.random.default_rng().random(2)), "second point"),
    "count": (keeps_a_count, "second point"),
    "kept array": (keeps_an_array, "outside of it|second point"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    KEPT.clear()
    f, words = REFUSED[name]
    with pytest.raises(RuntimeError, match=words) as caught:
        mg.replay(f, x0)
    assert isinstance(caught.value, CannotReplay) and str(caught.value).startswith("replay: ")
    assert mg.xp is np and mg.backend.xp is np       # everything is back in its place


def test_other_points_are_refused():
    fast = mg.replay(FUNCTIONS["sphere"], x0)
    for bad in (np.ones(3), np.ones((1, 2)), np.ones(2, "float32")):
        with pytest.raises(ValueError, match="replay: recorded for shape"):
            fast(bad)
    for bad in ([1.0, 2.0], 3.0, mg.tensor(x0)):
        with pytest.raises((TypeError, ValueError), match="^replay: "):
            fast(bad)
    with pytest.raises(TypeError, match="replay: .*no derivative"):
        mg.grad(lambda x: mg.replay(FUNCTIONS["sphere"], x)(x)[0])(x0)
    with pytest.raises(TypeError, match="replay: cannot differentiate"):
        mg.replay(FUNCTIONS["sphere"], np.arange(3))


def test_a_device_is_refused(monkeypatch):
    monkeypatch.setattr(mg.backend, "on_device", True)
    with pytest.raises(RuntimeError, match="replay: it repeats calls of NumPy"):
        mg.replay(FUNCTIONS["sphere"], x0)


def test_an_error_of_the_function_leaves_everything_in_place():
    with pytest.raises(ZeroDivisionError):
        mg.replay(lambda x: 1 / 0, x0)
    assert mg.xp is np and primitives["add"](1.0, 2.0) == 3.0


def test_a_replay_is_quicker_than_the_tape():
    """One point of Rosenbrock's function: 0.5 was measured, 0.7 leaves room for noise."""
    f, x = FUNCTIONS["rosenbrock"], np.array([0.5, -0.5])
    works, times = (mg.replay(f, x), mg.value_and_grad(f)), ([], [])
    for _ in range(15):
        for work, spent in zip(works, times):
            start = time.process_time()
            for _ in range(100):
                work(x)
            spent.append(time.process_time() - start)
    assert min(times[0]) <= 0.7 * min(times[1])


def test_other_threads_go_on_as_before_while_one_records():
    x, slope, wrong, done = np.array([1.0, 2.0]), mg.value_and_grad(FUNCTIONS["levy"]), [], []
    before = slope(x)

    def work():
        while not done:
            now = slope(x)
            if type(now[1]) is not np.ndarray or not np.array_equal(now[1], before[1]):
                wrong.append(now)
    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(20):
            mg.replay(FUNCTIONS["rosenbrock"], x)
    finally:
        done.append(True)
        thread.join()
    assert not wrong
