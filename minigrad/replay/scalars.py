"""A program on a few numbers as Python's own arithmetic.

NumPy takes some 300 ns to multiply two numbers, Python 20. So where arrays hold a few numbers, and
these are only added, subtracted and multiplied, the program is unrolled, as compilers unroll short
loops and put small arrays into registers: every number gets a name, and an instruction becomes a
line of Python for each number that it writes.

    multiply(a, x, out=p), a number times two         v3 = v2 * x0
                                                      v4 = v2 * x1
    setitem(g, 1, p[0])                               (no line: from now on, g[1] is called v3)

IEEE 754 wants the same bits of both, except that Python warns of no overflow. Other arithmetic stays
with NumPy: Python's division and its functions raise errors where NumPy gives inf or nan, and in what
order more than two numbers are added is for NumPy to choose.
"""
import operator

import numpy

from minigrad.replay.recording import arrays_in, called, owner, part_of, reduced

SIGNS = {numpy.add: "+", numpy.subtract: "-", numpy.multiply: "*", numpy.negative: "-"}
DEAR = 10                               # lines for one instruction of NumPy: then they cost the same


def unrolled(steps, points, results):
    """The function of points that gives the results by Python's arithmetic, or None where the program
    has something else in it, or where that would be slower."""
    if not few([*points, *results]) or not all(r.flags.c_contiguous for r in results):
        return None
    names = Names()
    for i, x in enumerate(points):
        names.lines.append(f"{', '.join(names.new(x, 'x'))}, = p{i}.ravel().tolist()")
    for step in steps:
        if len(names.lines) > DEAR * len(steps) or not names.follow(step):
            return None
    given = [f"array({names.of(r).tolist()})".replace("'", "") for r in results]
    head = f"def run({', '.join(f'p{i}' for i in range(len(points)))}):"
    return function("\n    ".join([head, *names.lines, f"return [{', '.join(given)}]"]))


def function(source):
    """The one that the text defines, which names `run`."""
    space = {"array": numpy.array, "inf": numpy.inf, "nan": numpy.nan}
    exec(source, space)
    return space["run"]


class Names:
    """What every number of every memory is called at the moment, and the lines so far."""

    def __init__(self):
        self.lines, self.known, self.count = [], {}, 0

    def of(self, x):
        """The names of the numbers of x, shaped as x is; constants are called by what they are."""
        if not isinstance(x, numpy.ndarray):
            return constants(numpy.asarray(x, float))
        whole = owner(x)
        if id(whole) not in self.known:
            self.known[id(whole)] = constants(numpy.ndarray(whole.size, whole.dtype, whole))
        return numpy.asarray(self.known[id(whole)][places(x)], object)

    def give(self, x, names, index=...):
        """From now on, the numbers of x[index] have these names."""
        self.of(x)
        part = numpy.asarray(places(x)[index])
        if names.ndim > part.ndim:                      # x[0] = y is told an array (1, n), too
            names = names.reshape(names.shape[names.ndim - part.ndim:])
        self.known[id(owner(x))].put(part, numpy.broadcast_to(names, part.shape))

    def new(self, x, letter):
        """New names for the numbers of x, as a list."""
        names = [f"{letter}{self.count + i}" for i in range(x.size)]
        self.count += x.size
        self.give(x, numpy.array(names, object).reshape(x.shape))
        return names

    def follow(self, step):
        """Append the lines of an instruction. False if it has none."""
        if not few(arrays_in([step.inputs, step.targets])):
            return False
        if step.function is operator.setitem and not arrays_in(step.inputs[1]):
            x, index, value = step.inputs
            self.give(x, self.of(value), index)
            return True
        terms = self.terms(step)
        if terms:
            self.lines += map(" = ".join, zip(self.new(step.targets[0], "v"), terms))
        return bool(terms)

    def terms(self, step):
        """What an instruction works out, number by number; nothing if that cannot be said."""
        target = step.targets[0]
        if step.way is called and step.function in SIGNS and not step.settings:
            sign = SIGNS[step.function]
            names = zip(*(numpy.broadcast_to(self.of(x), target.shape).flat for x in step.inputs))
            return [f"{sign}{a}" if not b else f"{a} {sign} {b[0]}" for a, *b in names]
        if step.way is reduced and step.function == numpy.add.reduce and target.size == 1 and (
                numpy.size(step.inputs[0]) == 2):
            return [" + ".join(self.of(step.inputs[0]).flat)]
        return []


def constants(x):
    """Numbers as one writes them in Python; they come back as they were."""
    return numpy.array([repr(number) for number in x.ravel().tolist()], object).reshape(x.shape)


def few(arrays):
    """Are these small arrays of double precision?"""
    return all(a.dtype == owner(a).dtype == numpy.float64 and 0 < owner(a).size <= DEAR
               for a in arrays)


def places(x):
    """Where in its memory the numbers of x stand, as indices shaped as x is."""
    numbers = numpy.arange(owner(x).size, dtype=numpy.int64)        # as long as the numbers
    return part_of(numbers, x, numpy.int64)
