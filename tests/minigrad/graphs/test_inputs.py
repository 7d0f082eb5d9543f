"""The same graphs on inputs laid out in any way, in float32, with empty axes, by formulas alone."""
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import on_device, plain, to_host, xp
from tests.minigrad.graphs.programs.drawn import NAMES, alone, graph, refused
from tests.minigrad.graphs.programs.program import (by_minigrad, evaluate, height, leaves_of,
                                                    on_each_device, ours, reference, weighed)
from tests.minigrad.test_layouts import fortran, read_only, strided

ROOT = Path(mg.__file__).parent.parent
GRAPHS = on_each_device(16, 8)              # for each kind of check; in the slow ones 20 times it


def derivatives(program, x, dtype="float64", laid_out=xp.asarray):
    """Height, gradient, H v and J v, as a list of arrays."""
    f, values = height(program, dtype, laid_out), ours(program, dtype, laid_out)
    y, g = mg.value_and_grad(f)(x)
    v = [xp.asarray(np.random.default_rng(9).standard_normal(a.shape).astype(dtype)) for a in x]
    push = mg.jvp(lambda x: program.slopes_of(values(x)), x)[1]
    return [y, *g, *mg.hvp(f, x)(v), *push(v)]


def check_same(found, expected, close, label):
    assert len(found) == len(expected)
    for a, b in zip(found, expected):
        a, b = to_host(a), to_host(b)
        np.testing.assert_allclose(a, b, rtol=0, atol=close * (1.0 + np.abs(b).max(initial=0)),
                                   err_msg=label)


def both(graphs, times):
    """(label, program): random graphs, and each operation alone."""
    yield from ((f"graph {k}", graph(k)) for k in range(graphs))
    yield from ((f"{name} {k}", alone(name, k)) for name in NAMES for k in range(times))


# ---------------------------------------------------------------- layouts

def repeated(a):
    """With a stride of 0 along the first axis that holds equal numbers; else as it is."""
    for axis in range(a.ndim):
        if a.shape[axis] > 1 and bool((a == a.take(xp.asarray([0]), axis)).all()):
            return xp.broadcast_to(a.take(xp.asarray([0]), axis), a.shape)
    return a


def every_second(a):
    """Every second number of a larger array along the last axis, and rows read backwards."""
    if a.ndim == 0:
        return a
    big = xp.zeros(a.shape[:-1] + (2 * a.shape[-1] + 1,), a.dtype)[::-1]
    view = big[..., 1::2]
    view[...] = a
    return view


LAYOUTS = {"fortran": lambda a: fortran(a) if a.ndim else a, "backwards": strided,
           "read-only": read_only, "repeated": repeated, "every second": every_second}


def check_layout(laid_out, programs):
    """The same derivatives, and nothing that was given has changed."""
    for label, program in programs:
        given = []

        def remembered(a):
            a = laid_out(a)
            given.append((a, to_host(a).copy()))
            return a
        x = [remembered(a) for a in leaves_of(program)]
        check_same(derivatives(program, x, laid_out=remembered),
                   derivatives(program, leaves_of(program)), 1e-11, label)    # other sums: rounding
        for a, before in given:
            np.testing.assert_array_equal(to_host(a), before, err_msg=label)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_layout_gives_the_same(layout):
    check_layout(LAYOUTS[layout], both(GRAPHS // 2, 1))


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_layout_gives_the_same_many_times(layout):
    check_layout(LAYOUTS[layout], both(20 * GRAPHS, 10))


def test_the_layouts_are_what_they_say():
    a = xp.asarray(np.repeat(np.arange(6.0).reshape(2, 1, 3), 2, axis=1))
    assert 0 in repeated(a).strides and min(strided(a).strides) < 0
    assert not every_second(a).flags.c_contiguous and not fortran(a).flags.c_contiguous
    programs = [p for _, p in both(GRAPHS, 2)]
    assert sum(0 in repeated(xp.asarray(leaf)).strides for p in programs for leaf in p.leaves) > 20


# ---------------------------------------------------------------- float32

def check_float32(programs):
    """float32 everywhere, and as close to float64 as it can be.

    How close is measured: every value of the float64 run is rounded at random by one part in 2^23,
    and the derivatives move by so much; float32 may be thirty times as far off (it rounds inside of
    operations too), and 3e-6 of the size in any case.
    """
    for label, program in programs:
        x = leaves_of(program, "float32")
        f, values = height(program, "float32"), ours(program, "float32")
        dtypes = {}

        def noted(x):
            found = values(x)
            for line, v, drawn in zip(program.lines, found, program.values):
                if drawn.dtype.kind == "f":
                    dtypes.setdefault(v.dtype.name, []).append(line.name)
            return program.slopes_of(found)
        u = [xp.asarray(w.astype("float32")) for w in program.slopes_of(program.weights)]
        single = [*derivatives(program, x, "float32"), *mg.vjp(noted, x)[1](u)]
        assert set(dtypes) == {"float32"}, (label, dtypes)
        assert {a.dtype.name for a in single} == {"float32"}, label
        exact = [a.astype("float64") for a in x]
        moved = [derivatives_of(rounded(program, k), exact) for k in range(2)]
        right = derivatives_of(height(program), exact)
        for a, b, *others in zip(single, right, *moved):
            a, b = to_host(a), to_host(b)
            noise = max(np.abs(to_host(c) - b).max(initial=0) for c in others)
            np.testing.assert_allclose(a, b, rtol=0, err_msg=label, atol=(
                30 * noise + 3e-6 * (1.0 + np.abs(b).max(initial=0))))


def rounded(program, seed):
    """The height in float64, every value off by up to 2^-23 of itself."""
    rng = np.random.default_rng(seed)

    def call(line, inputs, settings):
        y = by_minigrad(line, inputs, settings)
        return y if y.dtype.kind != "f" else y * xp.asarray(
            1.0 + rng.uniform(-1, 1, y.shape) * 2.0**-23)
    weights = [xp.asarray(w) for w in program.slopes_of(program.weights)]

    def given(a):
        return xp.asarray(a) if isinstance(a, np.ndarray) else "float64"
    return lambda x: sum(mg.sum(weighed(v, w)) for v, w in zip(
        program.slopes_of(evaluate(call, program, x, given)), weights))


def derivatives_of(f, x):
    """Height, gradient and H v."""
    y, g = mg.value_and_grad(f)(x)
    v = [xp.asarray(np.random.default_rng(9).standard_normal(a.shape)) for a in x]
    return [y, *g, *mg.hvp(f, x)(v)]


def test_float32_stays_float32_and_is_close():
    check_float32(both(GRAPHS, 1))


@pytest.mark.slow
def test_float32_stays_float32_many_times():
    check_float32(both(20 * GRAPHS, 10))


# ---------------------------------------------------------------- empty axes

SENTENCE = re.compile(r"\w+: .*(nothing to average|no label to average|is empty|have no width|"
                      r"zero-size array|have no variance)")


@pytest.mark.parametrize("name", NAMES)
def test_empty_axes(name):
    """Where the reference has a value so has minigrad, with gradients of the right shapes; where it
    has none (the mean of nothing) there is a sentence."""
    for seed in range(on_each_device(8, 4)):
        program = refused(name, seed)
        if program is None:
            program = alone(name, seed, zeros=True)
            x = leaves_of(program)
            right = reference(program, program.leaves, np.float64)
            y = ours(program)(x)
            for a, b in zip(y, right):
                np.testing.assert_allclose(to_host(a), b, rtol=1e-10, atol=1e-12)
            shapes = [a.shape for a in derivatives(program, x)]
            assert shapes[1:1 + 2 * len(x)] == [a.shape for a in x] * 2
        else:
            with pytest.raises(ValueError, match=SENTENCE):
                height(program)(leaves_of(program))


# ---------------------------------------------------------------- by formulas alone

SCRIPT = """
import sys
import numpy as np
from tests.minigrad.graphs.test_inputs import with_long_ones
np.savez(sys.argv[1], *with_long_ones(int(sys.argv[2]), int(sys.argv[3])))
"""


def with_long_ones(graphs, times):
    """All derivatives of graphs and operations, on long arrays too, which go block by block."""
    long = [(name, alone(name, k, long=True)) for name in NAMES for k in range(times)]
    found = [np.array(float(plain))]
    for _, program in [*both(graphs, times), *long]:
        found += map(to_host, derivatives(program, leaves_of(program)))
    return found


def check_formulas(tmp_path, graphs, times):
    out = tmp_path / "plain.npz"
    run = subprocess.run([sys.executable, "-c", SCRIPT, str(out), str(graphs), str(times)],
                         env={**os.environ, "PYTHONPATH": str(ROOT), "MINIGRAD_PLAIN": "1"},
                         cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    formulas, here = list(np.load(out).values()), with_long_ones(graphs, times)
    assert formulas[0] == 1.0 and here[0] == float(plain)
    check_same(here[1:], formulas[1:], 1e-10, "formulas against fast ways")


@pytest.mark.skipif(on_device, reason="the formulas are the host's")
def test_formulas_alone_give_the_same(tmp_path):
    check_formulas(tmp_path, GRAPHS, 1)


@pytest.mark.slow
@pytest.mark.skipif(on_device, reason="the formulas are the host's")
def test_formulas_alone_give_the_same_many_times(tmp_path):
    check_formulas(tmp_path, 20 * GRAPHS, 10)
