"""An array that notes what is done with it: what `replay` makes its list of instructions from.

A `Noted` array is a NumPy array over ordinary memory. NumPy hands every ufunc and every function
that meets one to it (`__array_ufunc__`, `__array_function__`); it does the work on the ordinary
memory, writes down how to do it again into the same memory, and gives the result as a Noted array.
A view (a slice, a transpose) needs no instruction: it is the same memory.

Constructors see no Noted array: for them see `noting.py`.

A list cannot hold everything. What reads a number (a branch, float(x), printing), has a shape that
depends on values, or writes past NumPy's two doors is refused with `CannotReplay`. The door behind
these is the ownership test: an array whose memory no instruction is known to fill is not used.
"""
import functools
import operator
import threading
from dataclasses import dataclass, replace

import numpy


class CannotReplay(RuntimeError):
    """Something that a list of array calls cannot repeat. (No TypeError: operations explain those.)
    """

    def __init__(self, what):
        super().__init__(f"replay: {what} Use value_and_grad for this function.")


@dataclass
class Step:
    """One instruction: `way(function, inputs, settings, targets)` makes the call that does it.
    `reads`, `writes` are the ids of the memory it concerns; `errors` what it is not to warn of.
    """
    way: object
    function: object
    inputs: tuple
    settings: dict
    targets: tuple
    reads: set
    writes: set
    errors: tuple = ()

    def call(self):
        call = self.way(self.function, self.inputs, self.settings, self.targets)
        return functools.partial(under, dict(self.errors), call) if self.errors else call

    def key(self):
        """Equal for two instructions that do the same to the same arrays."""
        return (self.way, self.function, self.errors, described(self.inputs),
                described(self.settings), *((t.shape, t.strides, t.dtype) for t in self.targets))

    def of(self, same):
        """The instruction with arrays replaced: see `substituted`."""
        if self.reads.isdisjoint(same):
            return self
        inputs, settings = substituted(self.inputs, same), substituted(self.settings, same)
        return replace(self, inputs=inputs, settings=settings, reads=ids(inputs, settings))

    def original(self):
        """What array this is a mere copy of, or None."""
        if self.function is numpy.array and self.inputs[0].dtype == self.targets[0].dtype:
            return self.inputs[0]


def owner(array):
    """The array whose memory this one is a view of."""
    while isinstance(array.base, numpy.ndarray):
        array = array.base
    return array


def arrays_in(thing):
    """The arrays in arguments, tuples and lists and dictionaries among them looked into."""
    if isinstance(thing, numpy.ndarray):
        return [thing]
    if type(thing) not in (tuple, list, dict):
        return []
    return [a for part in (thing.values() if type(thing) is dict else thing) for a in arrays_in(part)]


def ids(*things):
    return {id(owner(a)) for a in arrays_in(things)}


def described(thing):
    """What arguments are told apart by: for an array its place in memory and its form."""
    if isinstance(thing, numpy.ndarray):
        return address(thing), thing.shape, thing.strides, thing.dtype
    if type(thing) in (tuple, list):
        return (type(thing), *map(described, thing))
    if type(thing) is dict:
        return tuple((k, described(v)) for k, v in thing.items())
    return type(thing), repr(thing)


def address(array):
    return array.__array_interface__["data"][0]


def part_of(memory, x, dtype):
    """The part of another memory that x is of its own, byte by byte, read as numbers of a dtype."""
    return numpy.ndarray(x.shape, dtype, memory, address(x) - address(owner(x)), x.strides)


def substituted(thing, same):
    """Arguments with views of one memory for those of another: same = {id of old: (old, new)}."""
    if isinstance(thing, numpy.ndarray):
        if id(owner(thing)) not in same:
            return thing
        return part_of(same[id(owner(thing))][1], thing, thing.dtype)
    if type(thing) in (tuple, list):
        return type(thing)([substituted(part, same) for part in thing])
    return {k: substituted(v, same) for k, v in thing.items()} if type(thing) is dict else thing


# ------------------------------------------------------------------ the ways to do an instruction

def called(ufunc, inputs, settings, targets):
    """Arguments given by place are quicker by a third; `NAMED` want `out` by name."""
    inputs = strong(inputs)
    if ufunc.signature is None and not settings:
        inputs, targets = in_a_row(inputs, targets)
    if ufunc in NAMED:
        return functools.partial(ufunc, *inputs, out=targets, **settings)
    return functools.partial(ufunc, *inputs, *targets, **settings)


def reduced(function, inputs, settings, targets):
    return functools.partial(function, *inputs, settings.get("axis", 0), settings.get("dtype"),
                             *targets, settings.get("keepdims", False))


def written(function, inputs, settings, targets):
    return functools.partial(function, *inputs, out=targets, **settings)


def copied(function, inputs, settings, targets):
    """What has no `out`: the result is copied into place."""
    def copy():
        targets[0][...] = function(*inputs, **settings)
    return copy


def done(function, inputs, settings, targets):
    """What writes into its arguments."""
    return functools.partial(function, *inputs, **settings)


def under(errors, call):
    """An instruction that was given where overflow, say, is no error."""
    with numpy.errstate(**errors):
        call()


NAMED = {numpy.maximum, numpy.minimum}


def strong(inputs):
    """Numbers as arrays of the dtype they would be given anyway: NumPy need not ask every time."""
    dtypes = {x.dtype for x in inputs if isinstance(x, numpy.ndarray)}
    dtype = dtypes.pop() if len(dtypes) == 1 else None
    return [numpy.asarray(x, dtype) if dtype is not None and dtype.kind == "f" and
            type(x) in (int, float) else x for x in inputs]


def in_a_row(inputs, targets):
    """Arrays of one shape that lie alike as rows of numbers, (n,): one loop is less than two."""
    arrays = [x for x in (*inputs, *targets) if getattr(x, "ndim", 0)]
    for order, view in (("C", lambda a: a.reshape(-1)), ("F", lambda a: a.T.reshape(-1))):
        if len({a.shape for a in arrays}) == 1 and arrays[0].ndim > 1 and all(
                a.flags[f"{order}_CONTIGUOUS"] for a in arrays):
            row = lambda x: view(x) if getattr(x, "ndim", 0) else x
            return [row(x) for x in inputs], tuple(map(row, targets))
    return inputs, targets


# -------------------------------------------------------------------------- the list

class Recording:
    """The instructions so far, and the memory that they are about (kept, so that ids are good)."""

    def __init__(self):
        self.steps, self.owners, self.open = [], {}, True
        self.errors, self.thread = numpy.geterr(), threading.get_ident()

    def noted(self, array):
        """The same memory as a Noted array, now known."""
        self.owners[id(owner(array))] = owner(array)
        result = array.view(Noted)
        result.recording = self
        return result

    def plain(self, thing):
        """Arguments with ordinary arrays for the Noted ones, over the same memory."""
        if isinstance(thing, Noted):
            if not self.open or thing.recording is not self:
                raise CannotReplay("an array of a recording is used outside of it. The function "
                                   "must keep nothing between calls.")
            if id(owner(thing)) not in self.owners:
                raise CannotReplay(f"an array of shape {thing.shape} came about by a way that "
                                   "NumPy does not report.")
            return thing.view(numpy.ndarray)
        if type(thing) in (tuple, list):
            return type(thing)([self.plain(part) for part in thing])
        return {k: self.plain(v) for k, v in thing.items()} if type(thing) is dict else thing

    def filled(self, shape, value, dtype, **settings):
        """A new array; its filling is an instruction, left out later if nothing overwrites it."""
        result = self.noted(numpy.full(shape, value, dtype, **settings))
        result.fill(value)
        return result

    def note(self, way, function, inputs, settings, targets, before=()):
        """before: the arrays whose old numbers count, besides the arguments."""
        errors = numpy.geterr()
        self.steps.append(Step(way, function, tuple(inputs), settings, tuple(targets),
                               ids(inputs, settings, before), ids(targets),
                               () if errors == self.errors else tuple(errors.items())))

    def result(self, target, raw):
        """A noted result. Where NumPy gave a number, `y += 1` must leave other names for y alone."""
        noted = self.noted(target)
        noted.is_number = not isinstance(raw, numpy.ndarray)
        return noted

    def ufunc(self, ufunc, method, inputs, out, settings):
        """A ufunc, its reduce and the like: with `out`, every one can write where it wrote."""
        if method == "at" or any(not isinstance(o, Noted) for o in out):
            raise CannotReplay(f"{ufunc.__name__} writes into an array that was not made while "
                               "recording. Make it through xp.")
        inputs, settings, targets = self.plain(inputs), self.plain(settings), self.plain(out)
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        given = {"out": targets} if targets else {}
        result = function(*inputs, **given, **settings)
        results = result if type(result) is tuple else (result,)
        targets = targets or tuple(numpy.asarray(r) for r in results)
        simple = method == "reduce" and settings.get("where", True) is True and (
            "initial" not in settings)
        self.note(called if method == "__call__" else reduced if simple else written, function,
                  inputs, settings, targets, targets if out else ())
        given = out or tuple(map(self.result, targets, results))
        return given[0] if len(given) == 1 else given

    def function(self, function, *arguments, **settings):
        """A function that gives a fresh array, or a view of one that is known."""
        arguments, settings = self.plain(arguments), self.plain(settings)
        raw = function(*arguments, **settings)
        result = numpy.asarray(raw)
        if id(owner(result)) not in self.owners:
            target = settings.pop("out", None)
            if target is not None or result.base is not None and ids(result) & ids(arguments):
                raise CannotReplay(f"{function.__name__} looks into or writes an array that was "
                                   "not made while recording. Make it through xp.")
            self.note(copied, function, arguments, settings, (result,))
        elif settings.get("out") is not None:
            self.note(done, function, arguments, settings, (result,))
        return self.result(result, raw)


# ------------------------------------------------------------------------- the array

PURE = {getattr(numpy, name) for name in """
    broadcast_to clip concatenate cumprod cumsum diagonal diff dot einsum expand_dims flip inner
    max mean min moveaxis outer prod ravel repeat reshape roll squeeze stack std sum swapaxes take
    take_along_axis tensordot tile trace transpose tril triu vdot var where argsort argmax argmin
    sort""".split()}
SHAPES = {numpy.result_type, numpy.shape, numpy.ndim, numpy.size, numpy.may_share_memory}
ALIKE = {numpy.zeros_like: 0, numpy.ones_like: 1, numpy.empty_like: 0}


def element(index):
    """The index that gives a view also where NumPy would give a number."""
    index = index if type(index) is tuple else (index,)
    return index if any(part is Ellipsis for part in index) else (*index, Ellipsis)


class Noted(numpy.ndarray):
    """An array of a recording. Results of C code that asks nobody get here by __array_finalize__;
    they own memory of their own, which is then not known."""

    is_number = False

    def __array_finalize__(self, source):
        self.recording = getattr(source, "recording", None)

    def __array_ufunc__(self, ufunc, method, *inputs, out=(), **settings):
        return self.recorder(inputs, out).ufunc(ufunc, method, inputs, out, settings)

    def __array_function__(self, function, types, arguments, settings):
        recording = self.recorder(arguments, settings)
        if function in SHAPES:
            return function(*recording.plain(arguments), **recording.plain(settings))
        if function in ALIKE:
            return recording.filled(settings.get("shape") or arguments[0].shape, ALIKE[function],
                                    settings.get("dtype") or arguments[0].dtype,
                                    order="F" if arguments[0].flags.fnc else "C")
        if function not in PURE or function is numpy.where and len(arguments) != 3:
            raise CannotReplay(f"numpy.{function.__name__} is not among the functions it repeats.")
        return recording.function(function, *arguments, **settings)

    def recorder(self, *things):
        return next((a.recording for a in arrays_in(things) if isinstance(a, Noted)
                     and a.recording), self.recording)

    def __getitem__(self, index):
        places = element(index)
        if any(isinstance(part, Noted) and part.dtype == bool for part in places):
            raise CannotReplay("a mask chooses by values how many elements there are.")
        part = self.recording.function(operator.getitem, self, places)
        part.is_number = part.ndim == 0 and not (type(index) is tuple and Ellipsis in index)
        return part

    def __setitem__(self, index, value):
        plain = self.recording.plain
        x, index, value = plain(self), plain(index), plain(value)
        if isinstance(value, numpy.ndarray) and ids(value) == ids(x):    # x[i] += ... ends here
            if x[element(index)].__array_interface__ == value.__array_interface__:
                return
        operator.setitem(x, index, value)
        self.recording.note(done, operator.setitem, (x, index, value), {}, (x,))

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __repr__(self):
        return f"<Noted {self.shape} {self.dtype}>"

    def fill(self, value):
        self[...] = value


def repeated(name):
    method = getattr(numpy.ndarray, name)
    return lambda self, *arguments, **settings: self.recording.function(
        method, self, *arguments, **settings)


def in_place(name):
    """x += y and its kin: where x is a number, NumPy makes another one."""
    method, apart = getattr(numpy.ndarray, f"__i{name}__"), getattr(operator, f"__{name}__")
    return lambda self, other: (apart if self.is_number else method)(self, other)


def refused(name):
    def refuse(self, *_, **__):
        raise CannotReplay(f"{name.strip('_')} of an array reads values, or writes, where no array "
                           "call would: a branch, a number or an order taken from them is fixed "
                           "in a recording.")
    return refuse


FREE = {"all", "any", "clip", "fill", "max", "mean", "min", "prod", "squeeze", "std", "sum",
        "swapaxes", "transpose", "var", "view"}       # views, or made of ufuncs by NumPy itself
for name in ("astype", "copy", "flatten", "ravel", "repeat", "reshape"):
    setattr(Noted, name, repeated(name))
for name in {n for n in dir(numpy.ndarray) if n[0] != "_" and callable(getattr(numpy.ndarray, n))
             } - FREE - {"astype", "copy", "flatten", "ravel", "repeat", "reshape"}:
    setattr(Noted, name, refused(name))
for name in ("add", "sub", "mul", "truediv", "pow"):
    setattr(Noted, f"__i{name}__", in_place(name))
for name in ("bool", "float", "int", "complex", "index", "contains", "str", "format", "reduce_ex"):
    setattr(Noted, f"__{name}__", refused(f"__{name}__"))
Noted.flat = property(refused("flat"))
