"""Follow a run of an optimizer, step by step.

    for t, theta, loss, state in descent(method, objective, theta, steps=100):
        ...                                 # look, remember, break when seen enough

The sweep, the training loop and the studies of the landscape are loops over this one. It asks
nothing that the method would not ask: the height and gradient at the start of a step are evaluated
once, shown to the follower, and then told to the method.
"""
import copy

from minigrad.arguments import count, point, real, short
from minigrad.backend import xp

from .objective import Objective
from .optimizer import Optimizer, quietly

OVER = object()                                     # no further landscape

def descent(method, objective, theta, state=None, *, steps=None, shift=0.0):
    """Yields (t, theta, loss, state) at the start of every step, and once at the end.

    method     any Optimizer
    objective  what `Objective.of` takes; or an iterator of such, one for each step (minibatches):
               the run then ends with it, or after `steps`, for which it has to last
    theta      the start, (d,) or a batch (n, d)
    state      to take up a run: the state it had at theta, which also says where t begins
               (schedules go by it). None: a fresh one
    steps      the run ends when t, the number of steps done, is this; None: never
    shift      added to the loss that the method is told, not to the one that is shown

    t          steps done so far;   state after t steps, written in place by the next one
    loss       height at theta, as the coming step sees it; at the end, height there. None at the
               end of an iterator, where no landscape is left

    A batch can shrink on the way: run.send(rows), with booleans (n,), keeps these rows only and
    returns the same four again.

    Raises     what `method.step` raises: a single point whose loss is NaN or infinite is shown
               first, and refused when the next step is asked for; ValueError for an iterator that
               ends before `steps`
    """
    if not isinstance(method, Optimizer):
        raise TypeError(f"descent: needs an optimizer, got {type(method).__name__}. "
                        "Give one of optim, such as SGD(lr=0.1).")
    if steps is not None:
        steps = count("descent", "steps", steps, least=0)
    shift = real("descent", "shift", shift)
    state = method.init(theta) if state is None else state
    method.check_state(point("descent", theta), state)
    t, several = int(state.get("t", 0)), hasattr(objective, "__next__")
    objective = objective if several else Objective.of(objective, where="descent")
    while True:
        last = steps is not None and t >= steps
        now = (OVER if last else coming(objective, t, steps)) if several else objective
        if now is OVER:
            yield t, theta, None, state
            return
        with quietly():
            known = None if last else method.observe(now, theta, state)
        seen = Seen(now, theta, shift, known)
        rows = yield t, theta, seen.loss, state
        while rows is not None:
            method, theta, state, seen = kept(rows, method, theta, state, seen)
            rows = yield t, theta, seen.loss, state
        if last:
            return
        theta, state, _ = method.step(seen, theta, state)
        t += 1


def coming(objectives, t, steps):
    """The objective of step t, or OVER where the iterator ends and may end."""
    now = next(objectives, OVER)
    if hasattr(now, "value_and_grad"):
        return now
    if callable(now) or hasattr(now, "loss") or hasattr(now, "layout"):
        return Objective.of(now, where="descent")
    if now is not OVER:
        raise TypeError(f"descent: the iterator gave {short(now)} for step {t}. Let it give "
                        "Objectives, Problems, or functions of theta.")
    if steps is not None:
        raise ValueError(f"descent: the iterator of objectives ended after {t} of {steps} steps. "
                         "Give more of them, or steps=None to end with it.")
    return OVER


class Seen:
    """An objective whose height and gradient at one point are known already."""

    def __init__(self, objective, theta, shift=0.0, known=None):
        self.objective, self.theta, self.shift = objective, theta, shift
        if known is None:
            with quietly():
                known = objective.value_and_grad(theta)
        self.loss, self.g = known

    def value_and_grad(self, theta, **how):
        loss, g = ((self.loss, self.g) if theta is self.theta else
                   self.objective.value_and_grad(theta, **how))
        return (loss + self.shift if self.shift else loss), g

    def value(self, theta):
        loss = self.loss if theta is self.theta else self.objective.value(theta)
        return loss + self.shift if self.shift else loss

    def __call__(self, theta):
        return self.value(theta)

    def __getattr__(self, name):                        # products, Hessians, counts, the layout
        return getattr(self.objective, name)


def kept(rows, method, theta, state, seen):
    """The run of these rows alone: hyper-parameters, point, state, and what is known there."""
    n = theta.shape[0]

    def part(a):
        if not isinstance(a, xp.ndarray) or a.ndim == 0 or a.shape[0] != n:
            return a
        return a[rows] if a.ndim == 1 else as_laid_out(a[rows], a)

    theta = part(theta)
    seen = Seen(seen.objective, theta, seen.shift, (part(seen.loss), part(seen.g)))
    return rows_of(method, rows, n), theta, {k: part(a) for k, a in state.items()}, seen


def rows_of(method, rows, n):
    """A copy of the method with these rows of its hyper-parameters (n, 1), and of a method in it.
    """
    method = copy.copy(method)
    for name, value in vars(method).items():
        if isinstance(value, Optimizer):
            setattr(method, name, rows_of(value, rows, n))
        elif isinstance(value, xp.ndarray) and value.shape == (n, 1):
            setattr(method, name, value[rows])
    method.distinct = {name: values.rows(rows)
                       for name, values in getattr(method, "distinct", {}).items()}
    return method


def as_laid_out(a, like):
    """a in the memory order of another array: a sweep runs along columns."""
    return xp.asfortranarray(a) if like.flags.f_contiguous else a
