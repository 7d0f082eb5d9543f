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
from dataclasses import dataclass

import numpy


class CannotReplay(RuntimeError):
    """Something that a list of array calls cannot repeat. (No TypeError: operations explain those.)
    """

    def __init__(self, what):
        super().__init__(f"replay: {what} Use value_and_grad for this function.")


@dataclass
class Step:
    """One instruction: `call()` does it; `reads`, `writes` are the ids of the memory it concerns.
    A mere copy says of what, and where to.
    """
    call: object
    reads: set
    writes: set
    source: object = None
    target: object = None


def owner(array):
    """The array whose memory this one is a view of."""
    while isinstance(array.base, numpy.ndarray):
        array = array.base
    return array


def arrays_in(thing):
    """The arrays in arguments, tuples and lists and dictionaries among them looked into."""
    if isinstance(thing, numpy.ndarray):
        return [thing]
    parts = thing.values() if type(thing) is dict else thing
    return [a for part in parts for a in arrays_in(part)] if type(thing) in (
        tuple, list, dict) else []


def ids(*things):
    return {id(owner(a)) for a in arrays_in(things)}


def fill(target, function, arguments, settings):
    """The instruction for what has no `out`: the result is copied into place."""
    target[...] = function(*arguments, **settings)


def under(errors, call):
    """An instruction that was given where overflow, say, is no error."""
    with numpy.errstate(**errors):
        call()


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

    def note(self, call, reads, writes):
        errors = numpy.geterr()
        call = call if errors == self.errors else functools.partial(under, errors, call)
        self.steps.append(Step(call, ids(reads), ids(writes)))

    def ufunc(self, ufunc, method, inputs, out, settings):
        """A ufunc, its reduce and the like: with `out`, every one can write where it wrote.
        Arguments given by place are quicker by a third; `NAMED` want `out` by name."""
        if method == "at" or any(not isinstance(o, Noted) for o in out):
            raise CannotReplay(f"{ufunc.__name__} writes into an array that was not made while "
                               "recording. Make it through xp.")
        inputs, settings, targets = self.plain(inputs), self.plain(settings), self.plain(out)
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        given = {"out": targets} if targets else {}
        result = function(*inputs, **given, **settings)
        results = result if type(result) is tuple else (result,)
        targets = targets or tuple(numpy.asarray(r) for r in results)
        if method == "__call__":
            into = {"out": targets} if ufunc in NAMED else {}
            call = functools.partial(ufunc, *strong(inputs), *(() if into else targets), **into,
                                     **settings)
        elif method == "reduce" and settings.get("where", True) is True and (
                "initial" not in settings):
            call = functools.partial(function, *inputs, settings.get("axis", 0),
                                     settings.get("dtype"), *targets,
                                     settings.get("keepdims", False))
        else:
            call = functools.partial(function, *inputs, out=targets, **settings)
        self.note(call, (inputs, settings, targets if out else ()), targets)
        given = out or tuple(self.noted(target) for target in targets)
        return given[0] if len(given) == 1 else given

    def function(self, function, *arguments, **settings):
        """A function that gives a fresh array, or a view of one that is known."""
        arguments, settings = self.plain(arguments), self.plain(settings)
        result = numpy.asarray(function(*arguments, **settings))
        if id(owner(result)) not in self.owners:
            target = settings.pop("out", None)
            if target is not None or result.base is not None and ids(result) & ids(arguments):
                raise CannotReplay(f"{function.__name__} looks into or writes an array that was "
                                   "not made while recording. Make it through xp.")
            self.note(functools.partial(fill, result, function, arguments, settings),
                      (arguments, settings), result)
            if function is numpy.array and result.dtype == arguments[0].dtype:
                self.steps[-1].source, self.steps[-1].target = arguments[0], result
        elif settings.get("out") is not None:
            self.note(functools.partial(function, *arguments, **settings),
                      (arguments, settings), result)
        return self.noted(result)


NAMED = {numpy.maximum, numpy.minimum}


def strong(inputs):
    """Numbers as arrays of the dtype they would be given anyway: NumPy need not ask every time."""
    dtypes = {x.dtype for x in inputs if isinstance(x, numpy.ndarray)}
    dtype = dtypes.pop() if len(dtypes) == 1 else None
    return [numpy.asarray(x, dtype) if dtype is not None and dtype.kind == "f" and
            type(x) in (int, float) else x for x in inputs]


# ------------------------------------------------------------------------- the array

PURE = {getattr(numpy, name) for name in """
    broadcast_to clip concatenate cumprod cumsum diagonal diff dot einsum expand_dims flip inner
    max mean min moveaxis outer prod ravel repeat reshape roll squeeze stack std sum swapaxes take
    take_along_axis tensordot tile trace transpose tril triu vdot var where argsort argmax argmin
    sort""".split()}
SHAPES = {numpy.result_type, numpy.shape, numpy.ndim, numpy.size, numpy.may_share_memory}
ALIKE = {numpy.zeros_like: 0, numpy.ones_like: 1, numpy.empty_like: 0}


class Noted(numpy.ndarray):
    """An array of a recording. Results of C code that asks nobody get here by __array_finalize__;
    they own memory of their own, which is then not known."""

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
        index = index if type(index) is tuple else (index,)
        if any(isinstance(part, Noted) and part.dtype == bool for part in index):
            raise CannotReplay("a mask chooses by values how many elements there are.")
        if not any(part is Ellipsis for part in index):
            index = (*index, Ellipsis)                # an element is then a view of no axes
        return self.recording.function(operator.getitem, self, index)

    def __setitem__(self, index, value):
        plain = self.recording.plain
        x, index, value = plain(self), plain(index), plain(value)
        if isinstance(value, numpy.ndarray) and ids(value) == ids(x):    # x[i] += ... ends here
            place = x[index if type(index) is tuple else (index,)]
            if (getattr(place, "__array_interface__", None) == value.__array_interface__):
                return
        operator.setitem(x, index, value)
        self.recording.note(functools.partial(operator.setitem, x, index, value),
                            (x, index, value), x)

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
for name in ("bool", "float", "int", "complex", "index", "contains", "str", "format", "reduce_ex"):
    setattr(Noted, f"__{name}__", refused(f"__{name}__"))
Noted.flat = property(refused("flat"))
