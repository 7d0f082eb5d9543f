"""Random graphs over all public operations: values and three derivatives, against differences of a
reference that knows nothing of derivatives, and against one another."""
import inspect

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from tests.minigrad.graphs.programs.drawn import NAMES, alone, graph, seeds
from tests.minigrad.graphs.programs.program import height, leaves_of, on_each_device, ours
from tests.minigrad.graphs.truth.oracle import slopes
from tests.rows import mostly_slow

DEFAULT = on_each_device(120, 40)           # graphs of the suite; 1,000 with the slow ones
ALONE = on_each_device(4, 1)                # programs of each operation alone, or more: see drawn

# Both sides round: minigrad in float64, a chain of some twenty operations with numbers of size one,
# gains up to about a hundred (1e-16 * 20 * 100 = 2e-13). A rule wrong by 1e-3 of one operation's
# share shows as 1e-6 and more.
CLOSE = 1e-10
JUDGED = (1e-8, 1e-7, 1e-5)                 # where the differences themselves are so good


def direction(program, seed):
    """A random unit vector like the leaves."""
    rng = np.random.default_rng([3, *np.ravel(seed)])
    v = [rng.standard_normal(a.shape) for a in program.leaves]
    size = np.sqrt(sum((a * a).sum() for a in v)) or 1.0
    return [a / size for a in v]


def inner(a, b):
    return sum(float((p * q).sum()) for p, q in zip(a, b))


def size(a):
    return inner(a, a) ** 0.5


def check(program, seed, third=True):
    """Everything about one program; the number of derivatives of it that were judged."""
    v, u = ([xp.asarray(a) for a in direction(program, s)] for s in (seed, [seed, 1]))
    truth = slopes(program, [to_host(a) for a in v])
    x, f = leaves_of(program), height(program)
    check_values(program, truth, x, v)
    y, g = mg.value_and_grad(f)(x)
    H = mg.hvp(f, x)
    Hv = H(v)
    found = [inner(g, v), inner(Hv, v)]
    scales = [1.0 + size(g), 1.0 + size(Hv)]
    np.testing.assert_allclose(inner(u, Hv), inner(v, H(u)), rtol=0, atol=CLOSE * scales[1])
    if third:
        curvature = mg.grad(lambda x: sum(mg.sum(a * b) for a, b in zip(mg.hvp(f, x)(v), v)))(x)
        found.append(inner(curvature, v))
        scales.append(1.0 + size(curvature))
    judged = 0
    for n, (ours_, scale) in enumerate(zip(found, scales)):
        error = float(truth.height_error[n])
        if error > JUDGED[n] * scale:
            break
        judged += 1
        np.testing.assert_allclose(ours_, float(truth.height[n]), rtol=0,
                                   atol=CLOSE * scale + 3 * error, err_msg=f"derivative {n + 1}")
    return judged


def check_values(program, truth, x, v):
    """Value and J v of every line, and <u, J v> = <J'u, v>."""
    evaluate = ours(program)

    def values(x):
        return program.slopes_of(evaluate(x))
    y, push = mg.jvp(values, x)
    _, pullback = mg.vjp(values, x)
    Jv = push(v)
    u = [xp.asarray(w) for w in program.slopes_of(program.weights)]
    back = pullback(u)
    for line, a, b, dy, slope, error in zip(
            program.slopes_of(program.lines), y, program.slopes_of(truth.values), Jv,
            program.slopes_of(truth.first), program.slopes_of(truth.first_error)):
        np.testing.assert_allclose(to_host(a), b.astype(float), rtol=CLOSE, atol=CLOSE,
                                   err_msg=f"value of {line.name}")
        slope, scale = slope.astype(float), 1.0 + np.abs(slope).max(initial=0)
        if error < JUDGED[0] * scale:
            np.testing.assert_allclose(to_host(dy), slope, rtol=0, atol=float(
                CLOSE * scale + 3 * error), err_msg=f"J v of {line.name}")
    scale = 1.0 + size(back)
    np.testing.assert_allclose(inner(u, Jv), inner(back, v), rtol=0, atol=CLOSE * scale)


def checked(programs, third):
    """Check (label, program) pairs; a failure names the program."""
    judged = []
    for k, (label, program) in enumerate(programs):
        try:
            judged.append(check(program, k, third=third(k)))
        except Exception as error:
            raise AssertionError(f"{label}, {program.names()}: {error}") from error
    return np.array(judged)


def check_graphs(seeds):
    judged = checked([(f"graph {s}", graph(s)) for s in seeds], third=lambda k: k % 2 == 0)
    # The differences are good for all but a few: kinks within reach of nine points.
    assert (judged >= 2).mean() > 0.97, judged
    assert (judged[::2] >= 3).mean() > 0.95, judged


@pytest.mark.parametrize("part", mostly_slow(range(4), {0, 1}))
def test_random_graphs(part):
    check_graphs(range(part * DEFAULT // 4, (part + 1) * DEFAULT // 4))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(1, 10))
def test_a_thousand_random_graphs(part):
    check_graphs(range(part * 100, part * 100 + 100))


@pytest.mark.parametrize("name", NAMES)
def test_each_operation_alone(name):
    checked([(f"{name} {k}", alone(name, k)) for k in seeds(name, ALONE)], third=lambda k: True)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_each_operation_alone_many_times(name):
    checked([(f"{name} {k}", alone(name, k)) for k in range(40)], third=lambda k: True)


# ---------------------------------------------------------------- coverage

def test_every_public_operation_has_a_sampler():
    missing, gone = set(mg.ops.__all__) - set(NAMES), set(NAMES) - set(mg.ops.__all__)
    assert not missing, f"draw these too: a sampler in programs/table.py for {sorted(missing)}"
    assert not gone, f"no operations any more: {sorted(gone)}"
    assert all(inspect.isfunction(getattr(mg, name)) for name in NAMES)


def test_every_operation_is_drawn_often():
    """Six operations a graph: in 240 graphs 74 operations come 19 times each, less the skipped."""
    programs = [graph(seed) for seed in range(240)]
    for name in NAMES:
        drawn = sum(p.drawn.count(name) for p in programs)
        skipped = sum(p.skipped.count(name) for p in programs)
        assert drawn >= 10 and skipped <= 8, (name, drawn, skipped)
    shapes = {v.shape for p in programs for v in p.values}
    assert any(0 in s for s in shapes) and any(1 in s for s in shapes) and () in shapes
    assert max(v.size for p in programs for v in p.values) > 1024
