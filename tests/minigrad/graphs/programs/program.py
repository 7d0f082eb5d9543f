"""Programs: compositions of operations, evaluated by minigrad or by the reference.

A program is a list of lines, each the name of an operation, what goes in (earlier values by their
place, constants, numbers) and settings. It can be evaluated by any namespace that has the
operations, in any dtype.
"""
import inspect
import operator
from dataclasses import dataclass, field

import numpy as np

import minigrad as mg
from minigrad.backend import on_device, xp
from minigrad.ops import __all__ as NAMES
from tests.minigrad.graphs.truth.reference import OPERATIONS

SAME = "the dtype of the run"


class At(int):
    """An earlier value, by its place."""


class Seed(int):
    """A fresh Generator of this seed, at every evaluation."""


class Skip(Exception):
    """This operation cannot be had of what there is."""

    def __init__(self, line):
        super().__init__(getattr(line, "name", line))
        self.line = line


@dataclass
class Line:
    name: str                   # of an operation, or "leaf"
    inputs: tuple
    settings: dict
    spelled: bool = False       # by operator or method, or with settings given by place
    frozen: bool = False        # gives plain arrays: what comes after sees a constant


@dataclass
class Program:
    leaves: list = field(default_factory=list)          # float64 arrays on the host
    lines: list = field(default_factory=list)
    values: list = field(default_factory=list)          # of every line, by the reference
    weights: list = field(default_factory=list)         # one array like each value

    def names(self):
        return [line.name for line in self.lines if line.name != "leaf"]


    def slopes_of(self, values):
        """Those of the values that are no integers."""
        return [v for v, drawn in zip(values, self.values) if drawn.dtype.kind == "f"]


def resolved(a, values, given):
    """What an input or setting stands for in this evaluation."""
    if isinstance(a, At):
        return values[a]
    if isinstance(a, Seed):
        return np.random.default_rng(int(a))
    if isinstance(a, (list, tuple)):
        return type(a)(resolved(b, values, given) for b in a)
    return given(a) if isinstance(a, np.ndarray) or a is SAME else a


def evaluate(call, program, leaves, given, base=None):
    """The values of all lines.   call(line, inputs, settings) does one of them, `given` converts
    constants, and frozen lines look at the values `base`."""
    values = []
    for line in program.lines:
        if line.name == "leaf":
            values.append(leaves[line.inputs[0]])
            continue
        seen = base if line.frozen and base is not None else values
        inputs = [resolved(a, seen, given) for a in line.inputs]
        settings = {k: resolved(a, seen, given) for k, a in line.settings.items()}
        values.append(call(line, inputs, settings))
    return values


# ------------------------------------------------------------------------- the two namespaces

def by_reference(line, inputs, settings):
    y = OPERATIONS[line.name](*inputs, **settings)
    return np.stack(y) if line.name == "batch_statistics" else np.asarray(y)


def reference(program, leaves, dtype, base=None):
    """All values as the reference gives them in a dtype."""
    def given(a):
        return dtype if a is SAME else a.astype(dtype) if a.dtype.kind == "f" else a
    with np.errstate(all="ignore"):
        return evaluate(by_reference, program, [np.asarray(a, dtype) for a in leaves], given, base)


SPELLINGS = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv,
    "power": operator.pow, "matmul": operator.matmul, "neg": operator.neg, "abs": operator.abs,
    "getitem": lambda x, index: x[index], "reshape": lambda x, shape: x.reshape(shape),
    "transpose": lambda x, axes=None: x.transpose(axes),
    "swapaxes": lambda x, a, b: x.swapaxes(a, b), "astype": lambda x, dtype: x.astype(dtype),
    **{name: lambda x, _name=name, **settings: getattr(x, _name)(**settings)
       for name in ("sum", "mean", "prod", "max", "min", "var")},
}


def by_place(operation):
    """Names of what may be given by place: all of a primitive, like NumPy's functions."""
    return [name for name, p in inspect.signature(operation).parameters.items()
            if hasattr(operation, "formula") or p.kind != p.KEYWORD_ONLY]


ORDER = {name: by_place(getattr(mg, name)) for name in NAMES}


def by_minigrad(line, inputs, settings):
    if line.spelled and line.name in SPELLINGS:
        return SPELLINGS[line.name](*inputs, **settings)
    operation, names = getattr(mg, line.name), ORDER[line.name][len(inputs):]
    if line.spelled and set(names[:len(settings)]) == set(settings):
        inputs, settings = [*inputs, *[settings[name] for name in names[:len(settings)]]], {}
    y = operation(*inputs, **settings)
    return xp.stack(y) if line.name == "batch_statistics" else y


def ours(program, dtype="float64", laid_out=xp.asarray):
    """All values as a function of the leaves, by minigrad; constants laid out in some way."""
    def given(a):
        return dtype if a is SAME else laid_out(
            xp.asarray(a.astype(dtype if a.dtype.kind == "f" else a.dtype)))    # always a copy
    return lambda leaves: evaluate(by_minigrad, program, leaves, given)


def leaves_of(program, dtype="float64"):
    return [xp.asarray(a.astype(dtype)) for a in program.leaves]


def height(program, dtype="float64", laid_out=xp.asarray):
    """The scalar function of the leaves: `weighed` values, summed; no integers."""
    values = ours(program, dtype, laid_out)
    weights = [xp.asarray(w.astype(dtype)) for w in program.slopes_of(program.weights)]
    return lambda leaves: sum(mg.sum(weighed(v, w)) for v, w in zip(
        program.slopes_of(values(leaves)), weights))


def weighed(v, w):
    """h + h²/2 + h³/6, h = w v: the cotangent of every value depends on the leaves too, and so does
    its derivative."""
    h = v * w
    return h + h * h * (0.5 + h * (1 / 6))


def on_each_device(here, there):
    """Fewer on a device, where every call takes longer."""
    return there if on_device else here
