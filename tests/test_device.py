"""The suite "on a device": on a double of CuPy whose arrays refuse to mix with NumPy's.

A stray `np.` or a host array in the wrong place fails here, without a GPU. With one,
`MINIGRAD_BACKEND=cupy python -m pytest` is the true run, and this file has nothing to add.
"""
from concurrent.futures import ThreadPoolExecutor

import pytest

from minigrad.backend import on_device
from tests.device_double.runs import SUITE, begun, the_core

needs_host = pytest.mark.skipif(on_device, reason="the suite already runs on a device")
REST = {"graphs": ("tests/minigrad/graphs",), "training": ("tests/optim/training",),
        "problems": ("tests/problems",),
        "arguments": ("tests/test_bad_arguments.py", "tests/test_likely_inputs.py",
                      "tests/test_edge_arguments.py")}


def all_pass(running):
    """These runs, side by side."""
    with ThreadPoolExecutor(len(running)) as pool:      # all outputs are read, so that none waits
        outputs = list(pool.map(lambda run: run.communicate()[0], running.values()))
    for (name, run), output in zip(running.items(), outputs):
        assert run.returncode == 0 and " passed" in output, f"{name}: {output[-3000:]}"


@needs_host
def test_the_core_on_the_double():
    """tests/conftest.py began it with the first of all tests."""
    all_pass({"core": the_core()})


@needs_host
@pytest.mark.slow
def test_the_rest_on_the_double():
    all_pass({name: begun(*SUITE, *places) for name, places in REST.items()})


@needs_host
@pytest.mark.parametrize("code, message", [
    ("np.sin(x)", "TypeError"),
    ("np.asarray(x)", "Implicit conversion to a NumPy array is not allowed"),
    ("x + np.ones(3)", "Unsupported type"),
    ("mg.tanh(mg.tensor(x)) * np.ones(3)",
     "mul: got a NumPy array on the cupy backend. Convert it with xp.asarray"),
    ("mg.grad(lambda t: mg.sum(t))(np.ones(3))", "grad: got a NumPy array on the cupy backend"),
    ("mg.softmax_cross_entropy(mg.xp.ones((2, 3)), np.array([0, 1]))",
     "softmax_cross_entropy: got a NumPy array on the cupy backend"),
])
def test_numpy_arrays_are_refused_on_a_device(code, message):
    run = begun("-c", f"import numpy as np, minigrad as mg\nx = mg.xp.ones(3)\n{code}")
    _, error = run.communicate()
    assert run.returncode == 1 and message in error, error


@pytest.mark.gpu
@pytest.mark.skipif(not on_device, reason="no GPU: set MINIGRAD_BACKEND=cupy where there is one")
def test_arrays_live_on_the_device():
    from minigrad.backend import to_host, xp
    assert type(xp.ones(3)).__module__.startswith("cupy") and type(to_host(xp.ones(3))).__module__ == "numpy"
