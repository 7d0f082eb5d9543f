"""Python's and NumPy's protocols on Tensors: right as for arrays, or refused; never silent."""
import array
import cmath
import copy
import fractions
import functools
import itertools
import json
import math
import operator
import pickle
import random
import statistics

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import on_device, to_host, xp
from minigrad.errors import LostDerivative

host_only = pytest.mark.skipif(on_device, reason="NumPy's own functions do not meet device arrays")


# ------------------------------------------- what keeps the derivative: (function, right at x = 2)

RIGHT = {
    "x == 2": (lambda x: x * x if x == 2.0 else x, 4.0),
    "2 == x": (lambda x: x * x if 2.0 == x else x, 4.0),
    "x != 2": (lambda x: x * x if x != 2.0 else x, 1.0),
    "x == None": (lambda x: x if (x == None) else x * x, 4.0),             # noqa: E711
    "x < 3": (lambda x: x * x if x < 3.0 else x, 4.0),
    "if x": (lambda x: x * x if x else x, 4.0),
    "x and y": (lambda x: x and x * x, 4.0),
    "x * bool(x)": (lambda x: x * bool(x), 1.0),
    "x in list": (lambda x: x * x if x in [1.0, 2.0] else x, 4.0),
    "2 in x[None]": (lambda x: x * x if 2.0 in x[None] else x, 4.0),
    "list.index": (lambda x: x * [1.0, 2.0].index(x), 1.0),
    "+x": (lambda x: +x * x, 4.0),
    "abs": (lambda x: abs(-x) * x, 4.0),
    "pow": (lambda x: pow(x, 2), 4.0),
    "x += x": (lambda x: operator.iadd(x, x) * x, 8.0),
    "sum": (lambda x: sum([x, x * x]), 5.0),
    "max": (lambda x: max(x, 3.0 * x), 3.0),
    "min": (lambda x: min(x, 3.0 * x), 1.0),
    "sorted": (lambda x: sorted([x, 2 * x, -x])[0], -1.0),
    "math.prod": (lambda x: math.prod([x, x]), 4.0),
    "accumulate": (lambda x: list(itertools.accumulate([x] * 3, operator.mul))[-1], 12.0),
    "reduce": (lambda x: functools.reduce(operator.add, [x, x]), 2.0),
    "copy": (lambda x: copy.copy(x) * x, 4.0),
    "deepcopy": (lambda x: copy.deepcopy([x * x])[0], 4.0),
    "format": (lambda x: x * len(f"{x:.3f}"), 5.0),
    "random.gauss": (lambda x: random.Random(0).gauss(x, 0.0) * x, 4.0),
    "x.astype(int)": (lambda x: x * (0.5 + x).astype(int), 2.0),
    "astype(x, bool)": (lambda x: x * mg.astype(x, bool), 1.0),
    "constant": (lambda x: x * mg.constant(x), 2.0),
    ".data": (lambda x: x * x.data, 2.0),
    "float(x.data)": (lambda x: x * float(x.data), 2.0),
    "unpack": (lambda x: (lambda a, b: a * b)(*mg.stack([x, x * x])), 12.0),
    "a, *b": (lambda x: (lambda a, *b: a * b[1])(*mg.stack([x, x, x])), 4.0),
    "zip": (lambda x: sum(c * v for c, v in zip([3.0, 4.0], mg.stack([x, x * x]))), 19.0),
    "enumerate": (lambda x: sum(i * v for i, v in enumerate(mg.stack([x, x * x]))), 4.0),
    "reversed": (lambda x: list(reversed(mg.stack([x, x * x])))[0], 4.0),
    "list * x": (lambda x: mg.sum(x * [1.0, 2.0]), 3.0),
}


@pytest.mark.parametrize("name", RIGHT)
def test_the_derivative_is_kept(name):
    f, right = RIGHT[name]
    if on_device and name in ("list * x", "list.index", "random.gauss"):
        pytest.skip("lists do not mix with device arrays")
    assert float(mg.grad(f)(2.0)) == pytest.approx(right, abs=1e-14)


def test_comparisons_are_elementwise_and_plain():
    a = np.array([0.0, 2.0])
    x, b = mg.tensor(xp.asarray(a)), xp.asarray([0.0, 1.0])
    for compare in (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge):
        for ours in (compare(x, b), compare(x, mg.tensor(b))):
            assert to_host(ours).tolist() == compare(a, np.array([0.0, 1.0])).tolist()
        assert to_host(compare(b, x)).tolist() == compare(np.array([0.0, 1.0]), a).tolist()
    f = lambda x: mg.sum(mg.where(x == 0.0, 1.0, x)) + mg.sum((x == mg.max(x)) * x)
    assert to_host(mg.grad(f)(xp.asarray(a))).tolist() == [0.0, 2.0]


@host_only
def test_an_index_past_the_end_is_an_index_error_too():
    for kind in (IndexError, ValueError):
        with pytest.raises(kind, match=r"getitem: .*7.*\(3, 4\)"):
            mg.tensor(np.ones((3, 4)))[7]


def test_rows_of_a_matrix():
    g = mg.grad(lambda X: sum(mg.sum(row * row) for row in X))(xp.asarray([[1.0], [2.0]]))
    assert to_host(g).tolist() == [[2.0], [4.0]]


# ------------------------------------------------------------------- what is refused, in a sentence

def written(put):
    def f(x):
        buffer = np.zeros(2)
        put(buffer, x)
        return mg.sum(buffer * x)
    return f


REFUSED = {
    "float": lambda x: x * float(x),
    "int": lambda x: x * int(x),
    "complex": lambda x: x * complex(x).real,
    "item": lambda x: x * x.item(),
    "round": lambda x: x * round(x),
    "round to digits": lambda x: x * round(x, 1),
    "range": lambda x: x * sum(range(x)),
    "list index": lambda x: x * [1.0, 2.0, 3.0][x],
    "slice": lambda x: x * sum([1.0, 2.0][:x]),
    "operator.index": lambda x: x * operator.index(x),
    "math.exp": lambda x: x * math.exp(x),
    "math.sqrt": lambda x: x * math.sqrt(x),
    "math.hypot": lambda x: math.hypot(x, x),
    "math.fsum": lambda x: math.fsum([x, x]),
    "math.isclose": lambda x: x if math.isclose(x, 2.0) else x * x,
    "math.floor": lambda x: x * math.floor(x),
    "math.ceil": lambda x: x * math.ceil(x),
    "math.trunc": lambda x: x * math.trunc(x),
    "cmath.exp": lambda x: x * cmath.exp(x).real,
    "statistics.fmean": lambda x: statistics.fmean([x, x]),
    "statistics.mean": lambda x: statistics.mean([x, x]),
    "Fraction": lambda x: x * float(fractions.Fraction(x)),
    "array.array": lambda x: x * array.array("d", [x])[0],
    "json": lambda x: x * float(json.dumps(x)),
    "//": lambda x: x * (x // 1.0),
    "r//": lambda x: x * (3.0 // x),
    "%": lambda x: x % 1.5,
    "r%": lambda x: 3.0 % x,
    "divmod": lambda x: divmod(x, 1.5)[1],
    "pow to a modulus": lambda x: pow(x, 2, 3),
    "pickle": lambda x: x * pickle.loads(pickle.dumps(x)),
    "hash": lambda x: {x: x},
    "lru_cache": functools.lru_cache(lambda x: x * x),
    "x * 1j": lambda x: abs(x * 1j),
    "x ** 1j": lambda x: abs(x ** 1j),
    "astype(complex)": lambda x: abs(x.astype(complex)),
    "len of a number": lambda x: x * len(x),
    "iteration over a number": lambda x: sum(x),
    "x[0] = 1": lambda x: operator.setitem(x, 0, 1.0),
    "del x[0]": lambda x: operator.delitem(x, 0),
    "x * None": lambda x: x * None,
    "x + 'a'": lambda x: x + "a",
}
REFUSED_OF_NUMPY = {
    "np.float64": lambda x: x * np.float64(x),
    "np.float32": lambda x: x * np.float32(x),
    "np.array": lambda x: np.array(x) * x,
    "np.array of two": lambda x: mg.sum(x * np.array([x, x])),
    "np.array of objects": lambda x: np.array([x, x], dtype=object).sum(),
    "np.asarray of a list": lambda x: mg.sum(x * np.asarray([x, 1.0])),
    "np.add": lambda x: np.add(np.ones(2), x),
    "np.exp": lambda x: np.exp(x),
    "np.sum": lambda x: np.sum(x),
    "np.full": lambda x: mg.sum(np.full(3, x) * x),
    "np.linspace": lambda x: mg.sum(np.linspace(0.0, x, 3) * x),
    "np.arange": lambda x: mg.sum(np.arange(x) * x),
    "np.where": lambda x: np.where(True, x, 0.0),
    "array.dot": lambda x: np.ones(2).dot(x),
    "array.clip": lambda x: np.ones(2).clip(0.0, x),
    "array += x": lambda x: operator.iadd(np.ones(2), x),
    "np.fromiter": lambda x: np.fromiter([x, x], float).sum() * x,
    "np.random": lambda x: np.random.default_rng(0).normal(x) * x,
    "buffer[0] = x": written(lambda b, x: operator.setitem(b, 0, x)),
    "buffer[:] = x": written(lambda b, x: operator.setitem(b, slice(None), x)),
    "buffer[0:1] = [x]": written(lambda b, x: operator.setitem(b, slice(0, 1), [x])),
    "buffer[[0]] = x": written(lambda b, x: operator.setitem(b, [0], x)),
    "buffer.fill": written(lambda b, x: b.fill(x)),
    "buffer.put": written(lambda b, x: b.put(0, x)),
    "np.copyto": written(lambda b, x: np.copyto(b, x)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_lose_the_derivative_is_refused(name):
    with pytest.raises(TypeError):
        mg.grad(REFUSED[name])(2.0)


@host_only
@pytest.mark.parametrize("name", REFUSED_OF_NUMPY)
def test_numpy_does_not_lose_the_derivative(name):
    with pytest.raises(TypeError):
        mg.grad(REFUSED_OF_NUMPY[name])(2.0)


@pytest.mark.parametrize("f, message", [
    (lambda x: math.exp(x),
     r"float\(x\), math.f\(x\).*minigrad.exp for math.exp.*minigrad.constant"),
    (lambda x: x // 2, r"//: .*staircase.*constant\(x\) // y"),
    (lambda x: pickle.dumps(x), "pickle: .*Use its .data"),
    (lambda x: x * 1j, "mul: gives complex128 values.*real numbers only"),
])
def test_refusals_name_the_remedy(f, message):
    with pytest.raises(TypeError, match=message):
        mg.grad(f)(2.0)


@host_only
@pytest.mark.parametrize("f", [lambda x: np.exp(x), lambda x: operator.iadd(np.ones(2), x),
                               lambda x: np.add(1.0, x), lambda x: np.multiply.outer(x, x)])
def test_numpy_s_own_refusal_gets_the_remedy_too(f):
    with pytest.raises(LostDerivative, match="minigrad.exp for np.exp.*minigrad.constant"):
        mg.grad(f)(2.0)
    with pytest.raises(LostDerivative, match="minigrad.exp for np.exp"):
        mg.jvp(lambda x: mg.grad(f)(x), 2.0)


def test_other_sentences():
    x = mg.tensor(xp.asarray([1.0, 2.0]))
    with pytest.raises(AttributeError, match="'Tensor' object has no attribute 'std'"):
        x.std()
    with pytest.raises(ValueError, match=r"bool: a Tensor of shape \(2,\) is neither true"):
        bool(x)
    with pytest.raises(ValueError, match=r"==: cannot compare shapes \(2,\) and \(3,\)"):
        x == xp.ones(3)
    assert not hasattr(x, "imag") and hasattr(x, "grad")

    @mg.primitive
    def which(x, *, axis=0):
        return x.argmax(axis)
    try:
        with pytest.raises(TypeError, match="which: gives int64 values, which have no derivative"):
            which(x, axis=0)
    finally:
        del mg.tensor.__globals__["primitives"]["which"]


def test_what_has_nothing_to_lose_converts():
    with mg.no_grad():
        y = mg.tensor(2.5) * 2.0
        x = mg.tensor(3.0)
        assert float(x) == 3.0 and math.sqrt(x * x) == 3.0       # switched off: deliberate
    assert (float(y), int(y), round(y), complex(y), y.item()) == (5.0, 5, 5, 5 + 0j, 5.0)
    assert (math.floor(y), math.ceil(y * 1.1), math.trunc(y)) == (5, 6, 5)
    with pytest.raises(LostDerivative):
        float(x)
