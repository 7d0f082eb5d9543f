"""One rule for the matrices of a layout, another optimizer for all the rest.

A method for matrices writes `rule`, the displacement of one matrix. Which parts of the flat point
are matrices, how they are stored, what happens to biases, norms and embeddings, and that both rates
follow one schedule, is settled here.
"""
import math
from dataclasses import dataclass

from minigrad import Layout
from minigrad.arguments import function, short
from minigrad.backend import xp

from optim.coordinatewise.adam import AdamW
from optim.optimizer import Optimizer, fresh

FALLBACK = "fallback."                              # its part of the state


@dataclass(frozen=True)
class Part:
    """A matrix inside the flat point: theta[where].reshape(shape).

    shape         (rows, columns) as stored; a kernel (out, in, h, w) is (out, in h w)
    d_out, d_in   outputs and inputs of the layer: its matrix is d_out x d_in, or its transpose
    axis          which axis of `shape` counts the inputs: 0 for a dense weight (in, out), where
                  the layer is x W, 1 for a kernel
    """
    name: str
    where: slice
    shape: tuple
    d_out: int
    d_in: int
    axis: int


class MatrixMethod(Optimizer):
    """The frame: parts, fallback, momentum m over all matrices.

    A subclass calls `split` in its constructor, and writes

        rule(D, part, g, theta, lr, t, state)     D (rows, columns) ← the displacement, decay apart

    State   fallback.*   the fallback's own state; what else a subclass keeps
    """

    def split(self, layout, fallback, matrices):
        """Keep the layout, its matrices and the rest, and the optimizer of the rest.

        fallback   first-order optimizer of the rest; None: AdamW(3e-4, beta1=.9, beta2=.95,
                   eps=1e-10, decay=0), or with .015 lr where lr is a schedule
        matrices   function entry -> bool; None: weights with two or more axes
        """
        name = type(self).__name__
        if not isinstance(layout, Layout):
            raise TypeError(f"{name}: layout must be a Layout, got {short(layout)}. "
                            "A network has one: network.layout.")
        if fallback is not None and not isinstance(fallback, Optimizer):
            raise TypeError(f"{name}: fallback must be an optimizer, got {short(fallback)}.")
        function(name, "matrices", matrices, optional=True)
        self.layout = layout
        if fallback is None:
            follows = callable(self.lr)             # at lr = .02 the fallback's rate is 3e-4
            fallback = AdamW(times(self.lr, 0.015) if follows else 3e-4, beta1=0.9, beta2=0.95,
                             eps=1e-10, decay=0.0)
            self.ratio = 0.015 if follows else ratio(fallback.lr, self.lr)
        else:
            self.ratio = ratio(fallback.lr, self.lr)
        self.fallback = fallback
        chosen = matrices or (lambda entry: entry.kind == "weight" and len(entry.shape) > 1)
        self.matrices, self.rest = [], []
        for entry in layout.entries:
            if chosen(entry):
                self.matrices.append(as_matrix(type(self).__name__, entry))
            else:
                self.rest.append(slice(entry.start, entry.stop))

    def scheduled(self, schedule):
        """The same with another rate of the matrices; the other parts keep their ratio to it."""
        other = super().scheduled(schedule)
        if self.ratio is not None:
            other.fallback = self.fallback.scheduled(times(other.lr, self.ratio))
        return other

    def init(self, theta):
        name, state = type(self).__name__, super().init(theta)
        if theta.shape != (self.layout.size,):
            raise ValueError(f"{name}.init: theta must be one point ({self.layout.size},) of the "
                             f"layout, got {theta.shape}. Run a batch of points one by one.")
        if self.rest:
            state |= prefixed(self.fallback.init(gather(theta, self.rest)))
        return state

    def may_gain(self, name):
        rest = name.startswith(FALLBACK) and self.fallback.may_gain(name[len(FALLBACK):])
        return rest or super().may_gain(name)

    @fresh
    def update(self, g, loss, theta, state):
        t, lr = self.tick(state)
        shared = self.prepare(g, t, state)
        delta = xp.empty_like(theta)
        for part in self.matrices:
            D = delta[part.where].reshape(part.shape)           # a view: parts are contiguous
            self.rule(D, part, shared, lr, t, state)
            self.shrink(D, lr, theta[part.where].reshape(part.shape))
        if self.rest:
            own = {key[len(FALLBACK):]: a for key, a in state.items() if key.startswith(FALLBACK)}
            moved, own = self.fallback.update(
                gather(g, self.rest), loss, gather(theta, self.rest), own)
            state.update(prefixed(own))
            scatter(moved, self.rest, delta)
        return delta, state

    def prepare(self, g, t, state):
        """What is computed once a step for the whole point and handed to `rule`; here g."""
        return g

    def rule(self, D, part, shared, lr, t, state):
        raise NotImplementedError(f"{type(self).__name__} has no rule for a matrix.")


def times(lr, factor):
    """factor · lr, for a number or a schedule."""
    return (lambda step: factor * lr(step)) if callable(lr) else factor * lr


def ratio(rate, lr):
    """rate / lr where that says something: of two numbers, or of one schedule for both."""
    if callable(rate) or callable(lr):
        return 1.0 if rate is lr else None
    return rate / lr if lr > 0 else None


def as_matrix(owner, entry):
    """The entry as a Part.

    The outputs are the filter axis of a weight: the last of a dense one (x @ W), the first of a
    kernel; and the last axis of an embedding, a dense layer on one-hot rows.
    """
    if len(entry.shape) < 2:
        raise ValueError(f"{owner}: {entry.name} has shape {entry.shape}, which is no matrix. "
                         "Choose entries with two axes or more; vectors go to the fallback.")
    size, first, last = math.prod(entry.shape), entry.shape[0], entry.shape[-1]
    if entry.kind == "weight" and entry.filter_axis not in (0, len(entry.shape) - 1, None):
        raise ValueError(f"{owner}: {entry.name} has shape {entry.shape} and its outputs along axis "
                         f"{entry.filter_axis}. Put them first or last, or choose it not (matrices=).")
    out_first = entry.kind == "weight" and entry.filter_axis == 0
    d_out = first if out_first else last
    shape = (first, size // first) if out_first else (size // last, last)
    return Part(entry.name, slice(entry.start, entry.stop), shape, d_out, size // d_out,
                1 if out_first else 0)


def gather(a, parts):
    return xp.concatenate([a[part] for part in parts])


def scatter(a, parts, out):
    start = 0
    for part in parts:
        length = part.stop - part.start
        out[part] = a[start:start + length]
        start += length


def prefixed(state):
    return {FALLBACK + key: value for key, value in state.items()}
