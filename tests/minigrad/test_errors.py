"""Every mistake gets one sentence: the operation, the values, the remedy."""
import os
import subprocess
import sys

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import xp

a34, a24 = xp.ones((3, 4)), xp.ones((2, 4))


@pytest.mark.parametrize("call, kind, message", [
    (lambda: mg.tensor(a34) + a24, ValueError,
     r"add: cannot broadcast shapes \(3, 4\) and \(2, 4\)"),
    (lambda: mg.mul(a34, a24), ValueError, r"mul: cannot broadcast shapes \(3, 4\) and \(2, 4\)"),
    (lambda: mg.tensor(a34) @ a34, ValueError,
     r"matmul: inner dimensions differ: \(3, 4\) @ \(3, 4\)"),
    (lambda: mg.matmul(mg.tensor(1.0), a34), ValueError, "matmul: needs vectors or matrices"),
    (lambda: mg.dot(xp.ones(3), xp.ones(2)), ValueError, r"dot: last axes differ: \(3,\) and \(2,\)"),
    (lambda: mg.reshape(mg.tensor(a34), shape=(5, 5)), ValueError, r"reshape: .*\(3, 4\)"),
    (lambda: mg.tanh(mg.tensor(a34), 3), TypeError, r"tanh: .*2 were given, for inputs \(3, 4\), 3"),
    (lambda: mg.sum(mg.tensor(a34), axis=2), ValueError, r"sum: .*axis 2.*\(3, 4\)"),
    (lambda: mg.tensor(a34)[7], ValueError, r"getitem: .*7.*\(3, 4\)"),
    (lambda: mg.concatenate([mg.tensor(a34), xp.ones((3, 2))]), ValueError, "^concatenate: "),
    (lambda: mg.stack([mg.tensor(a34), xp.ones((3, 2))]), ValueError,
     r"stack: needs arrays of one shape, got \[\(3, 2\), \(3, 4\)\]. Use concatenate"),
    (lambda: mg.stack([]), ValueError, "stack: needs arrays of one shape, got none"),
    (lambda: mg.matmul(mg.tensor(a34), 3.0), ValueError,
     r"matmul: needs vectors or matrices, got \(3, 4\) @ 3.0. Use \* for numbers"),
    (lambda: mg.tensor(a34)[mg.tensor(1.0)], TypeError, "getitem: a Tensor cannot be an index"),
    (lambda: mg.grad(lambda x: mg.sum(x))(xp.arange(3)), TypeError,
     r"grad: cannot differentiate int64 values. Convert them with .astype\(float\)"),
    (lambda: mg.grad(lambda x: mg.sum(x))(xp.ones(3, bool)), TypeError,
     "grad: cannot differentiate bool values"),
    (lambda: mg.tensor([1, 2]), TypeError, "tensor: cannot differentiate int64 values"),
    (lambda: mg.grad(lambda x: mg.sum(x))("x"), TypeError,
     "grad: cannot differentiate with respect to a str"),
    (lambda: mg.grad(lambda x: x * 2)(xp.ones(2)), ValueError,
     r"grad: loss must return a scalar, got shape \(2,\). Sum or average it"),
    (lambda: mg.grad(lambda x: "loss")(xp.ones(2)), ValueError,
     "grad: loss must return a scalar, got a str"),
    (lambda: mg.tensor(a34).backward(), ValueError,
     r"backward: loss must be a scalar, got shape \(3, 4\)"),
    (lambda: mg.vjp(lambda x: x, a34)[1](a24), ValueError,
     r"vjp: a cotangent of shape \(2, 4\) does not match an output of shape \(3, 4\)"),
    (lambda: np.sin(mg.tensor(1.0)), TypeError, "Tensor.*does not support ufuncs"),
    (lambda: np.asarray(mg.tensor(1.0)), TypeError, "np.asarray.*: a Tensor is not an array"),
    (lambda: np.sum(mg.tensor(1.0)), TypeError, "np.sum.*a Tensor is not an array.*minigrad.sum"),
    (lambda: mg.tensor(a34).__setitem__(0, 1.0), TypeError,
     "item assignment: a Tensor is a value.*minigrad.where"),
    (lambda: mg.softmax_cross_entropy(a34, xp.asarray([0, 4, 1])), ValueError,
     r"softmax_cross_entropy: labels must lie in \[0, 4\), got 4 at index 1"),
    (lambda: mg.softmax_cross_entropy(a34, xp.asarray([0, -1, 1])), ValueError,
     r"softmax_cross_entropy: labels must lie in \[0, 4\), got -1 at index 1"),
    (lambda: mg.softmax_cross_entropy(a34, xp.asarray([0, 1])), ValueError,
     r"softmax_cross_entropy: logits \(3, 4\) do not fit labels \(2,\)"),
    (lambda: mg.mean_squared_error(a34, xp.ones(3)), ValueError,
     r"mean_squared_error: prediction \(3, 4\) does not fit target \(3,\)"),
    (lambda: mg.embedding(a34, xp.asarray([[0, 3]])), ValueError,
     r"embedding: tokens must lie in \[0, 3\), got 3 at index 1"),
    (lambda: mg.dropout(a34, rate=1.0), ValueError, r"dropout: rate must lie in \[0, 1\), got 1.0"),
    (lambda: mg.mean(xp.ones((0, 2))), ValueError, r"mean: nothing to average in shape \(0, 2\)"),
    (lambda: mg.check_gradient(lambda x: mg.sum(x), xp.ones(2, "float32"), np.random.default_rng(0)),
     TypeError, "check_gradient: needs float64, got float32"),
])
def test_message(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_wrong_rules_are_caught():
    rng = np.random.default_rng(0)

    @mg.primitive
    def wrong(x):
        return x * x
    try:
        wrong.vjp(lambda g, y, x: g * x)
        with pytest.raises(AssertionError, match="check_gradient: gradient along a random direction"):
            mg.check_gradient(lambda x: mg.sum(wrong(x)), xp.ones(3), rng)
        wrong.vjp(lambda g, y, x: mg.sum(g))
        with pytest.raises(AssertionError, match=r"wrong: its rule gave a cotangent of shape \(\)"):
            mg.grad(lambda x: mg.sum(wrong(x)))(xp.ones(3))
        wrong.vjp(lambda g, y, x: g * (2.0 * mg.constant(x)))       # right once, not twice
        with pytest.raises(AssertionError, match="check_hvp: H v differs"):
            mg.check_hvp(lambda x: mg.sum(wrong(x)), xp.ones(3), rng)
    finally:
        del mg.tensor.__globals__["primitives"]["wrong"]


def in_a_new_process(code, **environment):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          env={**os.environ, **environment})


def test_unknown_backend():
    run = in_a_new_process("import minigrad", MINIGRAD_BACKEND="gpu")
    assert run.returncode == 1
    assert "ValueError: MINIGRAD_BACKEND=gpu: unknown backend; use 'numpy' or 'cupy'" in run.stderr


def test_missing_backend_does_not_fall_back(tmp_path):
    (tmp_path / "cupy.py").write_text("raise ImportError('no cupy here')")
    run = in_a_new_process("import minigrad", MINIGRAD_BACKEND="cupy", PYTHONPATH=f"{tmp_path}:.")
    assert run.returncode == 1
    assert "RuntimeError: MINIGRAD_BACKEND=cupy: the package cupy cannot be imported" in run.stderr
    assert "pip install" in run.stderr


def test_profile_prints_calls_and_times():
    code = ("import minigrad as mg\nx = mg.xp.ones((3, 3))\n"
            "mg.grad(lambda x: mg.sum(mg.tanh(x @ x)))(x)")
    run = in_a_new_process(code, MINIGRAD_PROFILE="1")
    rows = {line.split()[0]: line.split()[1] for line in run.stderr.splitlines()}
    assert rows["_matmul"] == rows["_matmul'"] == "1" and rows["tanh"] == "1" and rows["tanh'"] == "1"
    assert "operation" in rows


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "logsumexp", "norm"])
def test_a_number_is_reduced_along_its_last_axis_and_differentiated(name):
    """NumPy takes axis=-1 for a number; f(x) = x for x > 0, so f' = 1 and f'' = 0."""
    def f(x):
        return getattr(mg, name)(x, axis=-1)
    assert float(mg.grad(f)(2.0)) == 1.0
    assert float(mg.hvp(f, 2.0)(1.0)) == 0.0
