"""All that Python and NumPy can do with a Tensor: thousands of calls, and no value slips out.

Every function of numpy, numpy.linalg, numpy.fft, math, cmath, operator, statistics, itertools, of
the built-ins, of a Generator and of arrays is called with Tensors in all places among arrays and
numbers. Then it either raises; or gives Tensors, whose derivative is that of the function; or gives
what does not depend on the values of the Tensors, or only looks at them: truths, words, places in
memory. Numbers and arrays made of a Tensor's values would be derivatives lost in silence.
"""
import builtins
import cmath
import inspect
import itertools
import math
import operator
import statistics
import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import on_device
from minigrad.tensor import Tensor

pytestmark = pytest.mark.skipif(on_device, reason="NumPy's functions do not meet device arrays")

VECTOR, MATRIX = np.array([0.5, 1.5, 2.0]), np.array([[1.0, 0.2], [0.3, 2.0]])
WAYS = {                                    # x (3,), m (2, 2) and s () are Tensors
    "x": lambda x, m, s: (x,), "x, x": lambda x, m, s: (x, x),
    "x, A": lambda x, m, s: (x, VECTOR.copy()), "A, x": lambda x, m, s: (VECTOR.copy(), x),
    "[x, x]": lambda x, m, s: ([x, x],), "m": lambda x, m, s: (m,), "m, m": lambda x, m, s: (m, m),
    "m, M": lambda x, m, s: (m, MATRIX.copy()), "M, m": lambda x, m, s: (MATRIX.copy(), m),
    "s": lambda x, m, s: (s,), "s, s": lambda x, m, s: (s, s), "s, 2": lambda x, m, s: (s, 2),
    "2, s": lambda x, m, s: (2, s), "2., s": lambda x, m, s: (2.0, s),
    "A, s": lambda x, m, s: (VECTOR.copy(), s), "[s, 1.]": lambda x, m, s: ([s, 1.0],),
    "A, 0, s": lambda x, m, s: (VECTOR.copy(), 0, s), "x, 0": lambda x, m, s: (x, 0),
    "A, A, x": lambda x, m, s: (VECTOR.copy(), VECTOR.copy(), x),
    "s, s, s": lambda x, m, s: (s, s, s), "x, mask, x": lambda x, m, s: (x, VECTOR > 1, x),
}
# Not called: they wait for input, end the process, write files, or give memory that is not set.
LEFT_OUT = set("""
    breakpoint copyright credits exec exit eval compile help input license open print quit
    globals locals vars setattr delattr id empty empty_like ndarray recarray __getstate__
    fromfile fromregex genfromtxt load loadtxt memmap save savetxt savez savez_compressed tofile
    dump info test show_config show_runtime set_printoptions setbufsize seterr seterrcall
""".split())


def callables(room):
    for name in sorted(dir(room)):
        f = getattr(room, name)
        if not (name.startswith("_") or name in LEFT_OUT or inspect.ismodule(f)) and callable(f):
            if not (isinstance(f, type) and issubclass(f, (BaseException, np.generic, type))):
                yield name, f


def of_generators():
    """The methods of a Generator, each call from the same state."""
    for name, _ in callables(np.random.default_rng(0)):
        yield name, lambda *inputs, name=name: getattr(np.random.default_rng(0), name)(*inputs)


def of_arrays(room):
    """The methods of arrays, dunder ones too, as functions."""
    for name, f in inspect.getmembers(room, callable):
        if name not in LEFT_OUT and not isinstance(f, type) and not name.startswith(
                ("__new", "__init", "__array_f", "__del", "__class", "__getattr", "__set")):
            yield name, f


ROOMS = {
    "numpy": lambda: callables(np), "numpy.linalg": lambda: callables(np.linalg),
    "numpy.fft": lambda: callables(np.fft), "math": lambda: callables(math),
    "cmath": lambda: callables(cmath), "operator": lambda: callables(operator),
    "statistics": lambda: callables(statistics), "itertools": lambda: callables(itertools),
    "builtins": lambda: callables(builtins), "array": lambda: of_arrays(np.ndarray),
    "Generator": of_generators,
}
NAMELESS = (bool, np.bool_, str, bytes, type(None), type, type(NotImplemented))


def parts(result):
    """The Tensors in a result, and whatever else there is."""
    if type(result) is Tensor:
        yield result
    elif isinstance(result, (list, tuple, set)) or (
            isinstance(result, np.ndarray) and result.dtype == object):
        for part in result if not isinstance(result, np.ndarray) else result.ravel():
            yield from parts(part)
    elif isinstance(result, dict):
        yield from parts([*result.items()])
    elif hasattr(result, "__next__"):
        yield from parts(list(itertools.islice(result, 4)))
    else:
        yield result


def called(f, way, point):
    """The parts of what f gives, or None where it raises."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return list(parts(f(*WAYS[way](*point))))
        except Exception:
            return None


def values(found):
    """What of a result is numbers, or may hide some: arrays and numbers, no truths and no words."""
    return [repr(part) for part in found or () if type(part) is not Tensor
            and not isinstance(part, NAMELESS) and getattr(part, "dtype", None) != bool
            and not callable(part) and not isinstance(part, (slice, property, classmethod))]


def judged(f, way):
    """"raises", "values" (none that depend on a Tensor) or "Tensors", or an AssertionError."""
    here = (VECTOR.copy(), MATRIX.copy(), np.asarray(0.7))
    there = (VECTOR * 1.1 + 0.05, MATRIX * 1.2, np.asarray(0.9))
    found = []

    def height(point):
        found.append(called(f, way, point))
        tensors = [part for part in found[-1] or () if type(part) is Tensor]
        return sum((mg.sum(mg.arctan(t)) for t in tensors), mg.sum(point[0]) * 0.0)
    with np.errstate(all="ignore"):         # the slope of x / 0
        g = mg.grad(height)(here)
        mg.grad(height)(there)
    first, second = found[0], found[1]
    assert values(first) == values(second), f"gives {values(first)}, made of values"
    if first is None:
        return "raises"
    if not any(type(part) is Tensor for part in first):
        return "values"

    def plain(point):                       # the same with constants in the place of Tensors
        with mg.no_grad():
            return height([mg.tensor(a) for a in point])
    for k, a in enumerate(here):
        v, h = np.random.default_rng(k).standard_normal(a.shape), 1e-6
        ends = [float(plain([b + t * v if j == k else b for j, b in enumerate(here)]))
                for t in (h, -h)]
        slope = float((g[k] * v).sum())
        if math.isfinite(slope):            # not that of x / 0
            assert abs(slope - (ends[0] - ends[1]) / (2 * h)) < 1e-6 * (1 + abs(slope)), slope
    return "Tensors"


@pytest.mark.parametrize("room", [r for r in ROOMS if r != "numpy"])
def test_no_value_slips_out(room):
    check_room(room, WAYS)


def test_no_value_slips_out_of_numpy_in_some_ways():
    check_room("numpy", ["x", "A, x", "[x, x]", "s", "2., s"])


@pytest.mark.slow
def test_no_value_slips_out_of_numpy():
    check_room("numpy", WAYS)


def check_room(room, ways):
    """Every function in every way; the numbers of outcomes are printed."""
    counts = {}
    for name, f in ROOMS[room]():
        for way in ways:
            try:
                outcome = judged(f, way)
            except AssertionError as error:
                raise AssertionError(f"{room}.{name}({way}): {error}") from error
            counts[outcome] = counts.get(outcome, 0) + 1
    print(f"{room}: {counts}")
    assert sum(counts.values()) >= 15 * len(ways)
    assert counts["raises"] > 0
    if room in ("operator", "builtins", "itertools"):
        assert counts["Tensors"] > 50
