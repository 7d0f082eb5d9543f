"""Record the array calls of one gradient, repeat them at other points: what a compiler does.

    fast = minigrad.replay(f, example)
    y, g = fast(x)                          # value_and_grad(f)(x), bit for bit

Python decides anew at every call what NumPy is to do: it makes Tensors, looks up rules, orders the
sweep. For a function of a few numbers that takes ten times as long as the arithmetic. But if
nothing depends on the values, the calls of NumPy are the same at every point. So they are noted
once (`recording.py`, `noting.py`) and stand in a flat list:

    f(x) = sum(x x)        multiply(x, x, out=p)      multiply(2, x, out=q)
                           add.reduce(p, out=y)       multiply(g, q, out=r),    g = 1

where x, p, q, y, r are the same memory each time. To replay is to copy the new point into x and go
through the list. Before that it is made shorter, as every compiler does (`compiler.py`); a list about
a few numbers only becomes a function of Python's own arithmetic (`scalars.py`).

The price: shape and dtype are fixed, so are branches, so is all that f reads besides the point (it
is taken as constant and must not change); the temporaries of one call stay in memory; and a
recording is for one thread at a time, since there is one memory. Worth it for small functions.
"""
import numpy

from minigrad import backend
from minigrad.errors import a, differentiable
from minigrad.replay.compiler import compiled, original
from minigrad.replay.noting import recorded
from minigrad.replay.recording import CannotReplay
from minigrad.replay.scalars import unrolled
from minigrad.tensor import Tensor
from minigrad.transforms import value_and_grad
from minigrad.tree import leaves_like, leaves_of, rebuild


def replay(f, example, *, each=False, fresh=True):
    """x -> (f(x), df/dx) for points x like the example, by repeating the array calls made there.

    f        a scalar function, as for `value_and_grad`
    example  an array, or a tree of arrays, of the shape and dtype that all points will have
    each     as for value_and_grad: f gives heights (...) of points x (..., d)
    fresh    False: the results are the memory of the recording, which the next call overwrites; equal
             ones may share it

    Compared once with value_and_grad, at the example and at a second point, before it is given out.

    Raises  RuntimeError for what a list of array calls cannot repeat: a branch on values, a number
            read from an array, a shape that depends on values, a result that is not reproduced;
            and on a GPU. Later, ValueError or TypeError for a point of another shape or dtype
    """
    if backend.on_device:
        raise RuntimeError(f"replay: it repeats calls of NumPy, not of {backend.name}. "
                           "Use value_and_grad.")
    for leaf in leaves_of(example):
        if type(leaf) is Tensor:
            raise TypeError("replay: the example is a Tensor, and a recording has no derivative. "
                            "Call it outside of differentiated functions.")
        differentiable(leaf, "replay")
    tape = value_and_grad(f, each=each)
    memory = [numpy.array(leaf, order="K") for leaf in leaves_of(example)]
    with recorded() as recording:
        y, g = tape(rebuild(example, [recording.noted(leaf) for leaf in memory]))
        results = [numpy.asarray(recording.plain(leaf)) for leaf in (y, *leaves_of(g))]
    if fresh:
        results = [original(r, recording.steps) for r in results]
    steps, results = compiled(recording.steps, memory, results)
    run = fresh and unrolled(steps, memory, results) or listed(steps, memory, results, fresh)
    alone = type(example) is numpy.ndarray

    def replayed(x):
        y, *g = run(*points_like(x, example, memory))
        return y[()] if fresh else y, g[0] if alone else rebuild(example, g)

    compare(replayed, tape, example)
    return replayed


def listed(steps, memory, results, fresh):
    """points -> results, by going through the list of array calls."""
    program = [step.call() for step in steps]

    def run(*points):
        for place, x in zip(memory, points):
            numpy.copyto(place, x)
        for call in program:
            call()
        return [r.copy(order="K") for r in results] if fresh else results
    return run


def points_like(x, example, memory):
    """The leaves of x, if they fit the recording."""
    if type(x) is type(example) is numpy.ndarray and (
            x.shape == memory[0].shape and x.dtype == memory[0].dtype):
        return (x,)
    leaves = [x] if type(x) is numpy.ndarray else leaves_like(x, example, "replay")
    for leaf, place in zip(leaves, memory, strict=True):
        if not isinstance(leaf, (numpy.ndarray, numpy.generic)):        # x + 1 of a number is one
            raise TypeError(f"replay: needs an array, got {a(leaf)}. A recording has no "
                            "derivative of its own; use value_and_grad inside other functions.")
        if leaf.shape != place.shape or leaf.dtype != place.dtype:
            raise ValueError(f"replay: recorded for shape {place.shape} of {place.dtype}, got "
                             f"{leaf.shape} of {leaf.dtype}. Record another one for it.")
    return leaves


def compare(replayed, tape, example):
    """Raises unless a replay gives what the tape gives, at the example and beside it."""
    beside = [x + (1.0 + numpy.abs(x)) * 0.015625 for x in leaves_of(example)]
    for x in (rebuild(example, [b.astype(e.dtype) for b, e in zip(beside, leaves_of(example))]),
              example):
        (y, g), (z, h) = replayed(x), tape(x)
        for ours, theirs in zip([y, *leaves_of(g)], [z, *leaves_of(h)]):
            theirs = numpy.asarray(theirs)
            if ours.dtype != theirs.dtype or not numpy.array_equal(ours, theirs, equal_nan=True):
                raise CannotReplay("at a second point the replay gave another result than the "
                                   "function. It draws random numbers, keeps something between "
                                   "calls, or hides values from the recording.")
