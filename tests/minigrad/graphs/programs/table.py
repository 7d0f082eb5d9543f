"""One sampler for every public operation: draws its inputs and settings, and adds it to a program.

A sampler keeps clear of what has no derivative (kinks, poles) and raises Skip where it finds
nothing to apply itself to. An operation without a sampler fails `test_coverage`.
"""
import numpy as np

from minigrad.ops import __all__ as NAMES
from tests.minigrad.graphs.programs.program import SAME
from tests.minigrad.graphs.truth.reference import norm

TABLE = {}


def samples(function):
    TABLE[function.__name__.rstrip("_")] = function
    return function


def elementwise(name, ready):
    def sampler(d):
        return d.add(name, ready(d, d.any()))
    TABLE[name] = sampler


for _name in ("identity", "neg", "square", "exp", "expm1", "sin", "cos", "arctan", "tanh",
              "sigmoid", "softplus", "gelu", "silu"):
    elementwise(_name, lambda d, x: x)
for _name in ("log", "sqrt"):
    elementwise(_name, lambda d, x: d.above(x, 0.4))
for _name in ("sign", "abs", "relu"):
    elementwise(_name, lambda d, x: d.away(x, 0.0))
elementwise("log1p", lambda d, x: d.above(x, -0.5))
elementwise("tan", lambda d, x: x if np.abs(d.value(x)).max(initial=0) < 1.1 else
            d.add("arctan", x))


# ---------------------------------------------------------------- arithmetic

def arithmetic(name, ready):
    def sampler(d):
        a, b = ready(d, *d.pair())
        kind = d.rng.random()
        if kind < 0.1:                                  # a number on one side
            number = float(d.rng.uniform(0.6, 1.4)) if d.chance(0.7) else 2
            return d.add(name, a, number) if d.chance(0.5) and name != "div" else d.add(
                name, number, b)
        if kind < 0.2:                                  # an array that is not differentiated
            return d.add(name, a, np.array(d.value(b)))
        if kind < 0.3 and name != "div":                # the same twice
            return d.add(name, a, a)
        return d.add(name, a, b)
    TABLE[name] = sampler


for _name in ("add", "sub", "mul"):
    arithmetic(_name, lambda d, a, b: (a, b))
arithmetic("div", lambda d, a, b: (a, d.away(b, 0.0, gap=0.5)))


def extremes(name):
    def sampler(d):
        a, b = d.pair()
        if d.chance(0.2):
            return d.add(name, d.away(a, 0.3), 0.3)
        for shift in d.rng.uniform(-1, 1, 30):
            gaps = np.abs(d.value(a) - d.value(b) - shift)
            if gaps.size == 0 or gaps.min() > 0.1:
                return d.add(name, a, d.moved(b, d.value(b) + shift))
        gap = d.value(a) - d.value(b)
        return d.add(name, d.moved(a, np.where(np.abs(gap) < 0.2, 0.5, 0.0) + d.value(a))
                     if gap.shape == d.value(a).shape else d.add("add", a, 6.0), b)
    TABLE[name] = sampler


extremes("maximum")
extremes("minimum")


@samples
def power(d):
    x, kind = d.any(), d.turn("array", "both", "exponent", "signs", 0, 1, 2, 3, 4, 2.0, 5, -1, -2,
                              0.5, 1.5, -0.5)
    if kind in (0, 1, 2, 3, 4, 5, -1, -2):
        return d.add("power", d.away(x, 0.0, gap=0.5) if kind < 0 else x, kind)
    if kind in (0.5, 1.5, -0.5):
        return d.add("power", d.above(x, 0.4), kind)
    if kind == "exponent":
        return d.add("power", float(d.rng.uniform(0.5, 2.5)), x)
    if kind == "signs":                                 # negative numbers to whole powers
        shape = d.value(x).shape
        return d.add("power", d.away(x, 0.0), d.rng.integers(0, 4, shape).astype(float))
    a, b = d.pair()
    return d.add("power", d.above(a, 0.4), np.array(d.value(b)) if kind == "array" else b)


@samples
def where(d):
    a, b = d.pair()
    shape = np.broadcast_shapes(d.value(a).shape, d.value(b).shape)
    mask = d.rng.random(shape if d.chance(0.7) else shape[1:]) < 0.5
    return d.add("where", np.asarray(mask), *d.pick((a, b), (a, b), (a, 0.5), (2.0, b)))


@samples
def clip(d):
    settings = d.turn({"low": -0.5}, {"high": 0.7}, {"low": -0.5, "high": 0.7}, {})
    return d.add("clip", d.away(d.any(), *settings.values(), gap=0.2), **settings)


@samples
def astype(d):
    x = d.any()
    if d.chance(0.3):                                   # a staircase: what comes after is constant
        whole = d.add("astype", d.away(x, -1.0, 0.0, 1.0, gap=0.2), "int64", frozen=True)
        return d.add("mul", x, d.add("astype", whole, SAME, frozen=True))
    return d.add("astype", x, SAME)


# ---------------------------------------------------------------- reductions

def axes_of(d, x, one=False):
    """Settings for a reduction of x, and how many numbers go into one."""
    n, shape = d.value(x).ndim, d.value(x).shape
    kind = d.turn("all", "last", "one", "some")
    axis = None
    if one or kind == "one" and n:
        axis = int(d.rng.integers(-n, n))
    elif kind == "last" and n:
        axis = -1
    elif kind == "some":
        axis = tuple(int(a) - n * int(d.chance(0.3)) for a in
                     d.rng.permutation(n)[:int(d.rng.integers(0, n + 1))])
    places = range(n) if axis is None else axis if type(axis) is tuple else (axis,)
    settings = {} if axis is None and d.chance(0.5) else {"axis": axis}
    if d.chance(0.4):
        settings["keepdims"] = d.chance(0.7)
    return settings, int(np.prod([shape[a] for a in places]))


def reduction(name, ready=lambda d, x: x):
    def sampler(d):
        x = ready(d, d.any(full=name != "sum"))
        settings, count = axes_of(d, x)
        if name == "var" and count > 1 and d.chance(0.4):
            settings["ddof"] = 1
        if name == "norm" and norm(d.value(x), **settings).min(initial=1.0) < 0.3:
            x = d.above(x, 0.3)
        return d.add(name, x, **settings)
    TABLE[name] = sampler


for _name in ("sum", "mean", "logsumexp", "var", "norm", "prod"):
    reduction(_name)
for _name in ("max", "min"):
    reduction(_name, lambda d, x: d.apart(x))


def along_rows(name):
    def sampler(d):
        x = d.any(least=1, full=True)
        settings, _ = axes_of(d, x, one=True)
        return d.add(name, x, **({} if d.chance(0.3) else {"axis": settings["axis"]}))
    TABLE[name] = sampler


along_rows("softmax")
along_rows("log_softmax")


@samples
def sum_to(d):
    x = d.any()
    shape = d.value(x).shape[int(d.rng.integers(0, d.value(x).ndim + 1)):]
    return d.add("sum_to", x, shape=tuple(1 if d.chance(0.3) else n for n in shape))


@samples
def global_mean(d):
    return d.add("global_mean", d.of(d.dims(4, most=3, longest=65)))


# ---------------------------------------------------------------- shapes

@samples
def reshape(d):
    x = d.any()
    n, shape = d.value(x).size, d.value(x).shape
    factors = [k for k in range(1, n + 1) if n % k == 0] or [1]
    k = d.pick(*factors)
    whole = [(n,), -1, (-1,), shape, shape[::-1], (1,) + shape]
    cut = [(k, n // k), (k, -1), (n // k, 1, k)] if n else []
    return d.add("reshape", x, shape=d.pick(*whole, *cut))


@samples
def transpose(d):
    x = d.any()
    n = d.value(x).ndim
    axes = tuple(int(a) - n * int(d.chance(0.2)) for a in d.rng.permutation(n))
    return d.add("transpose", x, **d.pick({}, {"axes": None}, {"axes": axes}, {"axes": axes}))


@samples
def swapaxes(d):
    x = d.any(least=1)
    n = d.value(x).ndim
    return d.add("swapaxes", x, a=int(d.rng.integers(-n, n)), b=int(d.rng.integers(-n, n)))


@samples
def expand_dims(d):
    x = d.any(most=2)
    n = d.value(x).ndim
    return d.add("expand_dims", x, axis=d.pick(0, -1, n, (0, -1), (0, n + 1), ()))


@samples
def broadcast_to(d):
    x = d.any()
    shape = d.value(x).shape
    grown = tuple(int(d.rng.integers(1, 4)) if n == 1 else n for n in shape)
    return d.add("broadcast_to", x, shape=d.dims(int(d.chance(0.5)), longest=3) + grown)


def axis_index(d, n):
    """An index along one axis of n numbers."""
    kind = d.pick("slice", "slice", "back", "all", "whole")
    if kind == "whole" and n:
        k = int(d.rng.integers(-n, n))
        return d.pick(k, k, np.int64(k))
    if kind == "back":
        return slice(None, None, -int(d.rng.integers(1, 3)))
    start = int(d.rng.integers(-n, n + 1))
    return d.pick(slice(start, None), slice(None, start), slice(0, n, 2)) if kind == "slice" else (
        slice(None))


def index(d, shape):
    """Any kind of index into an array of this shape."""
    kind = d.turn("basic", "array", "mask", "mixed", "pair", "basic")
    if kind == "basic" or not shape or 0 in shape:
        parts = [axis_index(d, n) for n in shape[:int(d.rng.integers(0, len(shape) + 1))]]
        if d.chance(0.3):
            parts.insert(int(d.rng.integers(0, len(parts) + 1)), None)
        parts += [...] * d.chance(0.3)
        return parts[0] if len(parts) == 1 and d.chance(0.5) else tuple(parts)
    some = [d.rng.integers(-n, n, int(d.rng.integers(1, 5))) for n in shape]
    if kind == "mask":
        return d.rng.random(shape[:int(d.rng.integers(1, len(shape) + 1))]) < 0.5
    if kind == "pair" and len(shape) > 1:
        return some[0], d.rng.integers(0, shape[1], (3, 1)) if d.chance(0.5) else (
            d.rng.integers(0, shape[1], len(some[0])))
    if kind == "mixed" and len(shape) > 1:
        return d.pick((slice(None), some[1]), (some[0], slice(None, None, -1)), (..., some[-1]),
                      (some[0], None), (-1, some[1]), (some[0], -1))
    return some[0] if d.chance(0.6) else some[0].reshape(1, -1)


@samples
def getitem(d):
    x = d.any()
    return d.add("getitem", x, index=index(d, d.value(x).shape))


@samples
def put(d):
    shape = d.dims(int(d.rng.integers(1, 4)), longest=65)
    where_ = index(d, shape)
    return d.add("put", d.of(np.zeros(shape)[where_].shape), where_, shape)


@samples
def stack(d):
    a = d.any(least=0, most=2)
    shape = d.value(a).shape
    parts = [a, a] if d.chance(0.2) else [a]
    for _ in range(int(d.rng.integers(0, 3))):
        parts.append(d.of(shape) if d.chance(0.8) else d.normal(*shape))
    axis = int(d.rng.integers(-len(shape) - 1, len(shape) + 1))
    return d.add("stack", parts, **({} if d.chance(0.2) else {"axis": axis}))


@samples
def concatenate(d):
    a = d.any(least=1)
    shape = list(d.value(a).shape)
    axis = int(d.rng.integers(-len(shape), len(shape)))
    parts = [a, a] if d.chance(0.2) else [a]
    for _ in range(int(d.rng.integers(0, 3))):
        shape[axis] = d.dims(1, longest=5)[0]
        parts.append(d.of(tuple(shape)) if d.chance(0.8) else d.normal(*shape))
    first = axis in (0, -len(shape)) and d.chance(0.5)
    return d.add("concatenate", parts, **({} if first else {"axis": axis}))
