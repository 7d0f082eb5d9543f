"""grad, vjp, jvp, hvp: nesting, trees, closures, depth, memory."""
import ast
import doctest
import gc
import importlib
import math
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from minigrad.tensor import Tensor, primitives


def cube(x):
    return mg.sum(x * x * x)


def test_gradient_of_gradient_of_gradient():
    d = lambda f: lambda x: mg.sum(mg.grad(f)(x))
    x = xp.asarray([2.0, -1.0])
    assert to_host(mg.grad(cube)(x)).tolist() == [12.0, 3.0]
    assert to_host(mg.grad(d(cube))(x)).tolist() == [12.0, -6.0]
    assert to_host(mg.grad(d(d(cube)))(x)).tolist() == [6.0, 6.0]
    assert to_host(mg.grad(d(d(d(cube))))(x)).tolist() == [0.0, 0.0]


def test_fifth_derivative_of_sine():
    f = mg.sin
    for _ in range(5):
        f = mg.grad(f)
    assert float(f(xp.asarray(0.3))) == pytest.approx(math.cos(0.3), rel=1e-14)


def test_perturbations_are_not_confused():
    # d/dx [ x * d/dy (x + y) ] = 1: the inner derivative must not see the outer x.
    f = lambda x: x * mg.grad(lambda y: x + y)(xp.asarray(2.0))
    assert float(mg.grad(f)(xp.asarray(3.0))) == 1.0
    # d/dx d/dy x y^2 = 2 y, through a closure
    f = lambda x: mg.grad(lambda y: x * y * y)(xp.asarray(5.0))
    assert float(mg.grad(f)(xp.asarray(3.0))) == 10.0
    # the inner point depends on the outer one: d/dx [2 x^2 . 3] with y = x^2, d/dy y^3 = 3 y^2
    f = lambda x: mg.grad(lambda y: y * y * y)(x * x)
    assert float(mg.grad(f)(xp.asarray(2.0))) == 3 * 4 * 2.0**3


def test_trees_in_trees_out():
    params = {"a": xp.asarray([1.0, 2.0]), "rest": [xp.asarray(3.0), (xp.asarray([[4.0]]),)]}

    def f(p):
        return mg.sum(p["a"] * p["a"]) * p["rest"][0] + mg.sum(p["rest"][1][0])
    value, g = mg.value_and_grad(f)(params)
    assert float(value) == 19.0 and type(value) is not Tensor
    assert to_host(g["a"]).tolist() == [6.0, 12.0]
    assert float(g["rest"][0]) == 5.0 and type(g["rest"][1]) is tuple
    assert to_host(g["rest"][1][0]).tolist() == [[1.0]]
    Hv = mg.hvp(f, params)(params)
    assert to_host(Hv["a"]).tolist() == [2 * 3 * 1 + 2 * 1 * 3, 2 * 3 * 2 + 2 * 2 * 3]


def test_unused_inputs_have_gradient_zero():
    g = mg.grad(lambda t: mg.sum(t[0]))([xp.ones(2), xp.ones(3)])
    assert to_host(g[1]).tolist() == [0.0, 0.0, 0.0]
    assert to_host(mg.grad(lambda x: xp.asarray(1.0))(xp.ones(2))).tolist() == [0.0, 0.0]
    assert to_host(mg.hvp(lambda x: mg.sum(x), xp.ones(2))(xp.ones(2))).tolist() == [0.0, 0.0]


def test_further_arguments_are_passed_on():
    f = lambda x, y, scale=1.0: mg.sum(x * y) * scale
    assert to_host(mg.grad(f)(xp.ones(2), xp.asarray([3.0, 4.0]), scale=2.0)).tolist() == [6, 8]


def test_vjp_and_jvp_are_the_rows_and_columns_of_the_jacobian():
    rng = np.random.default_rng(0)
    A = rng.standard_normal((3, 4))
    x = rng.standard_normal(4)
    f = lambda x: {"y": mg.tanh(xp.asarray(A) @ x), "s": mg.sum(x * x)}
    J = np.vstack([(1 - np.tanh(A @ x)**2)[:, None] * A, 2 * x])
    y, pullback = mg.vjp(f, xp.asarray(x))
    u = rng.standard_normal(4)
    row = pullback({"y": xp.asarray(u[:3]), "s": xp.asarray(u[3])})
    np.testing.assert_allclose(to_host(row), u @ J, rtol=1e-13)
    y, push = mg.jvp(f, xp.asarray(x))
    np.testing.assert_allclose(to_host(y["y"]), np.tanh(A @ x), rtol=1e-14)
    for _ in range(2):                     # linearised once, applied to many
        v = rng.standard_normal(4)
        column = push(xp.asarray(v))
        np.testing.assert_allclose(to_host(column["y"]), J[:3] @ v, rtol=1e-12)
        assert float(column["s"]) == pytest.approx(J[3] @ v, rel=1e-12)


def test_transforms_of_transforms():
    x, v = xp.asarray([0.3, 0.7]), xp.asarray([1.0, -2.0])
    f = lambda x: mg.sum(mg.sin(x) * x)
    # jvp of grad = hvp
    _, push = mg.jvp(mg.grad(f), x)
    np.testing.assert_allclose(to_host(push(v)), to_host(mg.hvp(f, x)(v)), rtol=1e-13)
    # gradient of v.Hv is the third derivative, diagonal here: f'''(x) v^2
    g = mg.grad(lambda x: mg.sum(mg.hvp(f, x)(v) * v))(x)
    h = to_host(x)
    np.testing.assert_allclose(to_host(g), (-3 * np.sin(h) - h * np.cos(h)) * to_host(v)**2, rtol=1e-12)


def test_teaching_door():
    a, b = mg.tensor(2.0), mg.tensor(xp.asarray([1.0, 3.0]))
    loss = (a * b * b).sum()
    loss.backward()
    assert float(a.grad) == 10.0 and to_host(b.grad).tolist() == [4.0, 12.0]
    assert type(a.grad) is not Tensor and loss.grad is None
    (a * a).backward()                       # a second call replaces, it does not accumulate
    assert float(a.grad) == 4.0


def test_no_grad_makes_constants():
    x = mg.tensor(2.0)
    with mg.no_grad():
        y = x * x
    assert float(y) == 4.0 and y.number == 0 and y.inputs == ()
    with pytest.raises(ZeroDivisionError), mg.no_grad():
        1 / 0
    assert (x * x).number > 0                # the switch is back, also after an error
    with mg.no_grad():                       # a transform inside differentiates all the same
        assert float(mg.grad(lambda x: x * x)(xp.asarray(3.0))) == 6.0


def test_plain_arrays_in_plain_arrays_out():
    assert type(mg.tanh(xp.ones(3))) is xp.ndarray
    assert type(mg.grad(cube)(xp.ones(3))) is xp.ndarray


def test_operators_and_methods():
    a = np.array([[1.5, 2.0], [3.0, 0.5]])
    x, y = mg.tensor(xp.asarray(a)), xp.asarray(a)
    same = lambda t, r: np.testing.assert_allclose(to_host(t.data), r, rtol=1e-14)
    same(1 + x, 1 + a), same(1 - x, 1 - a), same(2 * x, 2 * a), same(1 / x, 1 / a), same(-x, -a)
    same(y + x, a + a), same(y - x, a * 0), same(y * x, a * a), same(y / x, a / a)
    same(y @ x, a @ a), same(x @ y, a @ a), same(2.0 ** x, 2 ** a), same(x ** 3, a**3)
    same(x.T, a.T), same(x.reshape(4), a.reshape(4)), same(x.reshape((1, 4)), a.reshape(1, 4))
    same(x.transpose(1, 0), a.T), same(x.swapaxes(0, 1), a.T), same(abs(-x), a)
    same(x.sum(axis=0), a.sum(0)), same(x.mean(), a.mean()), same(x.max(axis=1), a.max(1))
    same(x.min(), a.min()), same(x.var(axis=0, ddof=1), a.var(0, ddof=1)), same(x[0], a[0])
    assert to_host(x > 1.7).tolist() == (a > 1.7).tolist() and len(x) == 2
    assert "shape=(2, 2)" in repr(x) and "leaf" in repr(x) and bool(x.sum() > 1)


def test_cotangents_are_never_shared_or_overwritten():
    x = xp.asarray([1.0, 2.0])
    f = lambda t: mg.sum(t + t + t * t) + mg.sum(t)
    g = mg.grad(f)(x)
    assert to_host(g).tolist() == [5.0, 7.0] and to_host(x).tolist() == [1.0, 2.0]
    _, pullback = mg.vjp(lambda t: t + t, x)
    u = xp.asarray([1.0, 1.0])
    pullback(u)
    assert to_host(u).tolist() == [1.0, 1.0]


def test_many_slices_cost_one_buffer():
    # Each slice adds into one buffer: the gradient of n slices is O(n), not O(n^2).
    x = xp.ones(300)
    f = lambda x: sum(x[i] * x[i] * float(i) for i in range(300))
    np.testing.assert_allclose(to_host(mg.grad(f)(x)), 2.0 * np.arange(300))
    g = mg.grad(lambda x: mg.sum(x * x) + mg.sum(x[1:] * x[:-1]))(xp.asarray([1.0, 2.0, 4.0]))
    assert to_host(g).tolist() == [4.0, 9.0, 10.0]


def test_a_chain_of_100_000_operations_differentiates():
    def f(x):
        for _ in range(100_000):
            x = x * 1.00001
        return x
    n = 100_000
    assert float(mg.grad(f)(xp.asarray(1.0))) == pytest.approx(math.exp(n * math.log(1.00001)), rel=1e-9)


def test_1000_products_leave_no_garbage():
    rng = np.random.default_rng(0)
    W, x = xp.asarray(rng.standard_normal((4, 4))), xp.asarray(rng.standard_normal((3, 4)))
    f = lambda W: mg.sum(mg.gelu(x @ W) ** 2)
    v = xp.ones((4, 4))
    mg.hvp(f, W)(v)
    gc.collect()
    gc.disable()
    try:                       # reference counting alone frees every graph
        objects, tensors = len(gc.get_objects()), living_tensors()
        for _ in range(1000):
            mg.hvp(f, W)(v)
        assert len(gc.get_objects()) - objects < 50 and living_tensors() == tensors
    finally:
        gc.enable()
    assert gc.collect() < 50


def living_tensors():
    return sum(type(o) is Tensor for o in gc.get_objects())


# ------------------------------------------------- the engine's own promises about its source

@pytest.mark.parametrize("module", ["minigrad.tensor", "minigrad.transforms"])
def test_the_examples_in_the_docstrings_are_right(module):
    before = set(primitives)
    try:
        names = {**vars(mg), "__name__": "example"}
        parsed = doctest.DocTestParser().get_doctest(
            importlib.import_module(module).__doc__, names, module, None, 0)
        assert len(parsed.examples) >= 4
        assert doctest.DocTestRunner().run(parsed).failed == 0
    finally:
        for name in set(primitives) - before:
            del primitives[name]


def lines_of_code(function, source):
    """Lines of a function that hold code: no docstring, no comments, nothing blank."""
    lines = set(range(function.lineno, function.end_lineno + 1))
    if ast.get_docstring(function):
        lines -= set(range(function.body[0].lineno, function.body[0].end_lineno + 1))
    return sum(bool((text := source[n - 1].strip()) and not text.startswith("#")) for n in lines)


def test_functions_of_the_core_fit_a_screen():
    lengths = {}
    for name in ("tensor", "transforms", "tape", "engine/rules", "engine/cotangents", "errors", "tree"):
        text = (Path(mg.__file__).parent / f"{name}.py").read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                lengths[f"{name}.{node.name}"] = lines_of_code(node, text.splitlines())
    assert max(lengths.values()) <= 30, lengths
    assert lengths["tensor.sweep"] <= 20, lengths


# ------------------------------------------------------------------------------- rules

def test_inputs_may_be_given_by_name():
    x = xp.asarray([1.0, 4.0])
    assert to_host(mg.grad(lambda x: mg.sum(mg.mul(b=x, a=3.0)))(x)).tolist() == [3.0, 3.0]
    assert to_host(mg.grad(lambda x: mg.sum(x=mg.sqrt(x=x)))(x)).tolist() == [0.5, 0.25]
    g = mg.grad(lambda x: mg.sum(mg.where(x > 2.0, a=x, b=2.0 * x)))(x)
    assert to_host(g).tolist() == [2.0, 1.0]


def test_rules_that_are_missing_or_too_few_are_said():
    @mg.primitive
    def twice_times(a, b):
        return 2.0 * a * b
    try:
        with pytest.raises(TypeError, match="twice_times: has no derivative rule. Give it one with"):
            mg.grad(lambda x: twice_times(x, 3.0))(1.0)
        with pytest.raises(TypeError, match="twice_times.vjp: got 1 rules for 2 inputs"):
            twice_times.vjp(lambda g, y, a, b: 2.0 * g * b)
        twice_times.vjp(lambda g, y, a, b: 2.0 * g * b, None)         # b is never differentiated
        assert float(mg.grad(lambda x: twice_times(x, x))(3.0)) == 6.0
        twice_times.vjp(lambda g, y, a, b, *, needs: (2.0 * g * b, 2.0 * g * a))
        assert float(mg.grad(lambda x: twice_times(x, x))(3.0)) == 12.0
        assert twice_times.rules is None and twice_times.rule_arrays is None
        twice_times.vjp_arrays(lambda g, y, saved, a, b, *, needs: (g * 7.0, None))
        assert float(mg.grad(lambda x: twice_times(x, x))(3.0)) == 7.0
    finally:
        del primitives["twice_times"]


# ------------------------------------------------------------- many reads of one array

def reads(T):
    return lambda x: sum(x[i] * x[i] * x[i] for i in range(T))


def peak_of(work):
    """Most bytes that `work` held at once, as tracemalloc sees NumPy's arrays."""
    work()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("transform", [
    lambda f, x: mg.grad(f)(x), lambda f, x: mg.hvp(f, x)(x),
    lambda f, x: mg.grad(lambda t: mg.sum(mg.hvp(f, t)(x)))(x)])
def test_memory_of_many_reads_is_linear(transform):
    # A full array a read would be quadratic: 4 times the reads, 16 times the memory. The graph
    # itself is 4 times as large; 1.2 is for what tracemalloc counts besides.
    small, large = (peak_of(lambda T=T: transform(reads(T), xp.ones(T))) for T in (100, 400))
    assert large <= 4 * 1.2 * small


def test_parts_and_whole_arrays_add_up():
    # Parts meet parts, whole arrays before and after, an overlap, an integer array, a mask.
    x = np.array([1.0, 2.0, 4.0, 3.0])
    w = np.arange(1.0, 5.0)

    def f(x):
        return (mg.sum(x * x) + x[0] * x[1] + mg.sum(x[1:] * x[:-1]) + mg.sum(x[xp.asarray([1, 1, 3])])
                + mg.sum(x[xp.asarray(w > 2)] ** 3) + mg.sum(x * xp.asarray(w)) + x[-1] * x[-1])
    right = 2 * x + w
    right += [x[1], x[0], 0, 0]
    right += [x[1], x[0] + x[2], x[1] + x[3], x[2]]
    right += [0, 2, 0, 1]
    right += [0, 0, 3 * x[2]**2, 3 * x[3]**2]
    right[3] += 2 * x[3]
    np.testing.assert_allclose(to_host(mg.grad(f)(xp.asarray(x))), right, rtol=1e-14)
    mg.check_hvp(f, xp.asarray(x), np.random.default_rng(0))
    single = mg.grad(lambda x: mg.sum(x[1:2] * 3.0))(xp.asarray(x, "float32"))
    assert single.dtype == np.float32 and to_host(single).tolist() == [0.0, 3.0, 0.0, 0.0]
    # read at a number: x[None], x[...], before and after a whole cotangent
    for g in (lambda x: mg.sum(x[None]) * 1.0 + x * x, lambda x: x * x + mg.sum(x[None]) * 1.0,
              lambda x: x[...] + x * x, lambda x: x[()] * x[None][0]):
        mg.check_gradient(g, xp.asarray(2.0), np.random.default_rng(0))
        mg.check_hvp(g, xp.asarray(2.0), np.random.default_rng(0))
