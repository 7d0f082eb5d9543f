"""Programs in the making: lines are added while the reference evaluates them.

So whoever adds a line sees the numbers, and can keep clear of kinks, poles and overflow.
"""
import warnings

import numpy as np

from tests.minigrad.graphs.programs.program import (SAME, At, Line, Program, Skip, by_reference,
                                                    resolved)


class Drawing:
    """A program in the making.

    alone   inputs of an operation are fresh leaves, not earlier values, and its ways take turns
    zeros   some axes are empty
    long    some axes have hundreds of numbers, for what goes block by block
    """

    def __init__(self, seed, alone=False, zeros=False, long=False):
        self.rng, self.turns = np.random.default_rng(seed), seed[-1]
        self.alone, self.zeros, self.long = alone, zeros, long
        self.program = Program()

    # what to draw from

    def chance(self, p):
        return self.rng.random() < p

    def pick(self, *choices):
        return choices[int(self.rng.integers(len(choices)))]

    def turn(self, *choices):
        """One of the choices: alone by the seed, so that a few seeds have them all."""
        return choices[self.turns % len(choices)] if self.alone else self.pick(*choices)

    def dims(self, n, least=1, most=4, longest=700):
        """n lengths of axes."""
        drawn = [1 if self.chance(0.25) and least < 2 else int(self.rng.integers(
            max(2, least), max(most, least, 2) + 1)) for _ in range(n)]
        if n and self.zeros and self.chance(0.5):
            drawn[int(self.rng.integers(n))] = 0
        elif n and self.long and self.chance(0.5):
            drawn[int(self.rng.integers(n))] = min(self.pick(65, 130, 700), longest)
            if self.chance(0.3):
                drawn[int(self.rng.integers(n))] = min(30, longest)
        return tuple(drawn)

    def normal(self, *shape):
        return self.rng.uniform(-1.3, 1.3, shape)

    def value(self, at):
        return self.program.values[at]

    # lines

    def append(self, line, value):
        if isinstance(value, np.ndarray) and not np.isfinite(value).all():
            raise Skip(line)
        self.program.lines.append(line)
        self.program.values.append(value)
        self.program.weights.append(self.rng.uniform(-1, 1, np.shape(value)))
        return At(len(self.program.lines) - 1)

    def leaf(self, shape):
        values = self.normal(*shape)
        if values.size > 1 and self.chance(0.15):           # could have a stride of 0
            axis = int(self.rng.integers(values.ndim))
            values = np.repeat(values.take([0], axis), shape[axis], axis)
        self.program.leaves.append(values)
        return self.append(Line("leaf", (len(self.program.leaves) - 1,), {}), values)

    def add(self, name, *inputs, frozen=False, **settings):
        """A line more; its place."""
        inputs = tuple(np.asarray(a) if isinstance(a, np.floating) else a for a in inputs)
        line = Line(name, inputs, settings, self.chance(0.4), frozen)
        values = self.program.values
        given = lambda a: np.dtype("float64") if a is SAME else a
        inputs = [resolved(a, values, given) for a in inputs]
        settings = {k: resolved(a, values, given) for k, a in settings.items()}
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")                 # the mean of nothing
            try:
                return self.append(line, by_reference(line, inputs, settings))
            except ValueError as error:
                if self.zeros:                              # the maximum of nothing
                    raise Skip(line) from error
                raise

    # inputs

    def any(self, least=0, most=3, full=False):
        """An array with at least so many axes; full: not empty."""
        fits = [At(i) for i, v in enumerate(self.program.values)
                if v.dtype.kind == "f" and least <= v.ndim <= most + 1 and (v.size or not full)]
        if self.alone or not fits:
            zeros, self.zeros = self.zeros, self.zeros and not full
            try:
                return self.leaf(self.dims(int(self.rng.integers(least, max(most, least) + 1))))
            finally:
                self.zeros = zeros
        return fits[-1 - int(len(fits) * self.rng.random() ** 1.5)]      # rather a recent one

    def of(self, shape):
        """An array of this shape: an earlier one, a fresh leaf, or one made to fit."""
        fits = [At(i) for i, v in enumerate(self.program.values)
                if v.shape == tuple(shape) and v.dtype.kind == "f"]
        if fits and not self.alone and self.chance(0.6):
            return fits[int(self.rng.integers(len(fits)))]
        if self.alone or len(self.program.leaves) < 6 and self.chance(0.4):
            return self.leaf(shape)
        x, size = self.any(full=True), int(np.prod(shape))
        flat = self.add("reshape", x, shape=(-1,))
        places = np.arange(size) % self.value(x).size
        chosen = self.add("getitem", flat, index=self.rng.permutation(places))
        return self.add("reshape", chosen, shape=tuple(shape))

    def pair(self):
        """Two arrays that broadcast against each other, in either order."""
        a = self.any()
        shape = tuple(1 if self.chance(0.3) else n for n in self.value(a).shape)
        b = self.of(shape[int(self.rng.integers(0, len(shape) + 1)):])
        if self.value(a).ndim < 3 and self.chance(0.15):
            b = self.of((2,) + self.value(a).shape)
        return (a, b) if self.chance(0.5) else (b, a)

    # domains

    def moved(self, at, values):
        """x with other values: a fresh leaf gets them, to others the difference is added."""
        line = self.program.lines[at]
        if self.alone and line.name == "leaf":
            self.program.leaves[line.inputs[0]] = self.program.values[at] = values
            return at
        return self.add("add", at, np.asarray(values - self.value(at)))

    def above(self, at, least):
        """x, all of it above a bound."""
        x = self.value(at)
        return at if x.size and x.min() > least else self.moved(at, np.abs(x) + least + 0.2)

    def away(self, at, *points, gap=0.25):
        """x, no number of it near one of the points (which are at least 4 gaps apart)."""
        x = self.value(at)
        new = x
        for point in points:
            new = np.where(np.abs(new - point) < gap, point + 1.5 * gap, new)
        return at if (new == x).all() else self.moved(at, new)

    def apart(self, at):
        """tanh(x) / 10 + numbers all different and not 0: no two are near each other."""
        x = self.value(at)
        steps = (self.rng.permutation(x.size) + 0.5 - x.size // 2).reshape(x.shape)
        if self.alone:
            return self.moved(at, steps * 0.4 + 0.04)
        small = self.add("mul", self.add("tanh", at), 0.1)
        return self.add("add", small, steps * 0.4 + 0.04)

    def settled(self, at):
        """x brought back to the size of one where it has grown."""
        most = float(np.abs(self.value(at)).max(initial=0))
        if most > 2.5 and self.value(at).dtype.kind == "f":
            return (self.add(self.pick("tanh", "sin", "arctan"), self.add("mul", at, 1.5 / most)))
        return at
