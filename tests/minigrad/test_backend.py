"""The backend: what it asks of the machine, and that a step of training never waits for the device."""
import ctypes
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import backend
from minigrad.backend import on_device, to_host, xp

ROOT = Path(__file__).parent.parent.parent
on_the_double = pytest.mark.skipif(not hasattr(xp, "reads"), reason="counted by the device double")


@pytest.mark.parametrize("limit, calls", [
    (1 << 30, [(-3, 1 << 30), (-1, 2**31 - 1)]),
    (1 << 25, [(-3, 1 << 30), (-3, 1 << 25), (-1, 2**31 - 1)]),         # an older glibc
    (0, [(-3, 1 << 30), (-3, 1 << 25)]),                                # refuses both
])
def test_the_heap_is_kept_by_what_the_libc_accepts(monkeypatch, limit, calls):
    made = []

    class Library:
        def mallopt(self, option, value):
            made.append((option, value))
            return int(option != -3 or value <= limit)
    monkeypatch.setattr(ctypes, "CDLL", lambda _: Library())
    mg.keep_heap()
    assert made == calls


FAKE = """
class _Runtime:
    getDeviceCount = staticmethod(lambda: 1)
class cuda:
    runtime = _Runtime
class Array:
    def __mul__(self, other): {multiply}
    __add__ = __matmul__ = __mul__
    def sum(self): return 7.0
def ones(shape): return Array()
"""


@pytest.mark.parametrize("multiply, message", [
    ("raise RuntimeError('libnvrtc.so.12: cannot open shared object file')",
     r"does not compute \(libnvrtc.so.12.*Install CuPy with its CUDA libraries, pip install"),
    ("return self", "the device computes wrong numbers"),
])
def test_a_device_that_does_not_compute_is_a_sentence(tmp_path, multiply, message):
    (tmp_path / "cupy.py").write_text(FAKE.format(multiply=multiply))
    (tmp_path / "cupyx.py").write_text("def seterr(**_): pass\n")
    run = subprocess.run([sys.executable, "-c", "import minigrad"], capture_output=True, text=True,
                         env={**os.environ, "MINIGRAD_BACKEND": "cupy",
                              "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"})
    assert run.returncode == 1
    import re
    assert re.search("RuntimeError: MINIGRAD_BACKEND=cupy: .*" + message, run.stderr), run.stderr


@on_the_double
def test_failed_decompositions_raise():
    import cupyx
    assert cupyx.errors["linalg"] == "raise"


def losses():
    rng = np.random.default_rng(0)
    a = lambda *shape: xp.asarray(rng.standard_normal(shape))
    labels, tokens = xp.asarray(rng.integers(0, 4, 5)), xp.asarray(rng.integers(0, 6, (5, 3)))
    params = {"W": a(3, 4), "b": a(4), "E": a(6, 12), "gain": a(4), "shift": a(4), "x": a(5, 3)}

    def loss(p):
        h = mg.layer_norm(mg.linear(p["x"], p["W"], p["b"]), p["gain"], p["shift"])
        t = mg.self_attention(mg.embedding(p["E"], tokens), heads=2)
        return (mg.softmax_cross_entropy(mg.gelu(h), labels) + mg.mean(t * t) + p["x"][0, 1]
                + mg.sum(mg.where(p["b"] > 0.0, p["b"], mg.sigmoid(p["b"]))))
    return loss, params, labels


@on_the_double
def test_gradients_and_products_never_wait():
    loss, params, _ = losses()
    mg.value_and_grad(loss)(params)
    before = xp.reads
    for _ in range(3):
        value, g = mg.value_and_grad(loss)(params)
        mg.hvp(loss, params)(g)
    assert xp.reads == before
    assert xp.reads == before and float(value) != 0.0 and xp.reads == before + 1


@pytest.mark.skipif(not on_device, reason="on the host the check is immediate")
def test_labels_out_of_range_are_told_with_the_next_number():
    loss, params, labels = losses()
    backend.raise_late()
    labels[1] = 4
    value, _ = mg.value_and_grad(loss)(params)
    with pytest.raises(ValueError, match=r"softmax_cross_entropy: labels must lie in \[0, 4\), and"):
        backend.float_of(value)
    assert backend.float_of(value) is not None and not backend.late     # told once
    with pytest.raises(ValueError, match="got 4 at index 1"):           # at once where nothing runs
        mg.softmax_cross_entropy(xp.ones((5, 4)), labels)


def test_labels_out_of_range_are_told_at_once_on_the_host():
    if not on_device:
        loss, params, labels = losses()
        labels[1] = 4
        with pytest.raises(ValueError, match="labels must lie in .0, 4., got 4 at index 1"):
            mg.value_and_grad(loss)(params)
    assert to_host(xp.ones(2)).tolist() == [1.0, 1.0]
