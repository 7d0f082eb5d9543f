"""The switches of the engine, here and nowhere else. They are context variables: each thread, and
each task of an event loop, has its own."""
from contextlib import ContextDecorator
from contextvars import ContextVar

from minigrad.backend import xp


def copied(x):
    """A copy of an array; numbers are values."""
    return xp.array(x) if isinstance(x, xp.ndarray) else x


class Copies:
    """Takes copies of arrays, one of each: what a graph that outlives its function is made of.

    The caller may write into his arrays between linearising a function and applying the result; the
    graph must not see it. Arrays in tuples and lists (indices) are copied too; numbers are values.
    """

    def __init__(self):
        self.found = {}                              # id -> (array, its copy)

    def __call__(self, x):
        if found := self.found.get(id(x)):
            return found[1]
        if isinstance(x, xp.ndarray):
            copy = copied(x)
            self.found[id(x)], self.found[id(copy)] = (x, copy), (copy, copy)
            return copy
        return type(x)(map(self, x)) if type(x) in (tuple, list) else x


def by_hand(x):
    """For graphs made by hand, for backward(): they know no end at which to forget their copies."""
    return type(x)(map(by_hand, x)) if type(x) in (tuple, list) else copied(x)


# The switches: is anything recorded (not inside no_grad())? How many transforms (grad, vjp, ...)
# are running, and what copies the data that is recorded? That is None inside `grad`, whose graph is
# gone before anyone can write into an array.
recording = ContextVar("recording", default=True)
running = ContextVar("running", default=(0, by_hand))
outer = ContextVar("outer", default=())              # values of `recording` to return to


def without_copies(function):
    """The function, run where nothing is copied: what it is given was copied already."""
    def run(*arguments):
        depth, keep = running.get()
        running.set((depth, None))
        try:
            return function(*arguments)
        finally:
            running.set((depth, keep))
    return run


def in_transform():
    """Is a transform running around this place, and recording what happens?"""
    return running.get()[0] > 0 and recording.get()


class no_grad(ContextDecorator):
    """`with no_grad():` operations on Tensors give constants, and build no graph."""

    def __enter__(self):
        outer.set((recording.get(), outer.get()))
        recording.set(False)

    def __exit__(self, *_):
        before, rest = outer.get()
        recording.set(before)
        outer.set(rest)


class Tape:
    """The switches as attributes, to look at and to set by hand."""
    recording = property(lambda self: recording.get(), lambda self, value: recording.set(value))
    depth = property(lambda self: running.get()[0])


tape = Tape()
