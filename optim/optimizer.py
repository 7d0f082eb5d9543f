"""An optimizer moves a point (d,), or each row of a batch of points (n, d), downhill.

    state = opt.init(theta)
    theta, state, loss = opt.step(objective, theta, state)

`step` is the same call for every method. A first-order method writes only `update`, the
displacement that its paper prescribes for a gradient; a method that asks the landscape more than
once overrides `step`.

Points are values: theta is never written in place. The state is the optimizer's own memory, a dict
of arrays named by the paper's symbols ("t" counts the steps), and is updated in place: that saves
passes over memory, and keeps a float32 state float32 when it meets a float64 hyper-parameter.

Running sums.   An exponential mean with bias correction, m̂ = m/(1-β^t) with m ← β m + (1-β) g,
is a weighted mean of the gradients so far, with weights 1, β, β², ... We store the weighted sum

    M ← β M + g,     m = (1-β) M,     m̂ = M / c,     c = 1 + β + ... + β^(t-1) = (1-β^t)/(1-β)

which saves one pass over memory in every step. `weight_sum` is c.
"""
import math

import numpy as np

from minigrad import backend
from minigrad.backend import xp

from .hyperparameters import checked

BLOCK = 2**18                                   # bytes of one array that are worked on at a time


class Optimizer:
    """What all optimizers share: hyper-parameters, the step count, and the default `step`."""

    def configure(self, **hyper):
        """Checks the hyper-parameters and keeps them as attributes of the same names."""
        self.hyper = tuple(hyper)
        for name, value in hyper.items():
            schedule = name == "lr" and callable(value)
            setattr(self, name, value if schedule else checked(type(self).__name__, name, value))

    def __repr__(self):
        settings = [f"{name}={getattr(self, name)!r}" for name in getattr(self, "hyper", ())]
        return f"{type(self).__name__}({', '.join(settings)})"

    def init(self, theta):
        """A fresh state for a point (d,) or a batch (n, d) of floating-point numbers."""
        name = type(self).__name__
        if not isinstance(theta, xp.ndarray) or theta.dtype.kind != "f" or theta.ndim == 0:
            kind, shape = getattr(theta, "dtype", type(theta).__name__), getattr(theta, "shape", ())
            raise TypeError(f"{name}.init: theta must be a floating-point array (d,) or (n, d), "
                            f"got {kind}{list(shape)}. Use xp.asarray(theta, 'float64').")
        for key in getattr(self, "hyper", ()):
            shape = getattr(getattr(self, key), "shape", ())
            fits = len(shape) <= theta.ndim and all(
                n in (1, length) for n, length in zip(shape[::-1], theta.shape[::-1]))
            if shape and not (fits and theta.ndim > 1):
                raise ValueError(f"{name}.init: {key} has shape {shape}, theta {theta.shape}. "
                                 "An array of n values needs a batch of n points (n, d).")
        return {"t": np.array(0)}

    def update(self, g, loss, theta, state):
        """The displacement for gradient g (..., d) and height loss (...): (delta, state).

        delta is a new array that the caller may overwrite.
        """
        raise NotImplementedError(f"{type(self).__name__} has no update rule. Call step.")

    def step(self, objective, theta, state):
        """One step from theta: (new theta, state, loss at the old theta).

        A single point whose loss is NaN or infinite is an error. In a batch such rows go on
        silently, so that a sweep survives its worst configuration: look at the losses.
        """
        if not hasattr(objective, "value_and_grad"):
            raise TypeError(f"{type(self).__name__}.step: needs an Objective, got "
                            f"{type(objective).__name__}. Wrap it: optim.Objective(f).")
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            loss, g = objective.value_and_grad(theta)
            self.check_loss(loss, state)
            theta, state = self.move(g, loss, theta, state)
        return theta, state, loss

    def move(self, g, loss, theta, state):
        """The new point: (theta + delta, state)."""
        delta, state = self.update(g, loss, theta, state)
        delta += theta
        return delta, state

    def check_loss(self, loss, state):
        """Raises ValueError when the loss of a single point is NaN or infinite."""
        if getattr(loss, "ndim", 0) == 0 and not math.isfinite(float(loss)):
            raise ValueError(f"{type(self).__name__}.step: the loss is {float(loss)} at step "
                             f"{int(state.get('t', 0)) + 1} (lr={rate(self, state)}). "
                             "Use a smaller lr, or another start.")

    def tick(self, state):
        """Counts the step: (t, lr), t = 1 in the first step; a schedule sees t - 1."""
        lr = rate(self, state)
        state["t"] += 1
        return int(state["t"]), lr

    def shrink(self, delta, lr, theta):
        """Decoupled decay: delta ← delta - η λ θ, outside of whatever scales the gradient."""
        if not is_zero(self.decay):
            delta -= theta * (lr * self.decay)


class Elementwise(Optimizer):
    """A method whose rule treats every coordinate alone.

    memory    names of the arrays in the state, each shaped as theta
    factors   (t, lr) -> the numbers of step t, computed once
    rule      (D, G, *factors, *memory): D ← displacement for the gradient G, memory updated

    One long point is worked on in pieces that stay in the cache from one operation to the next, up
    to the addition to theta: a rule of ten operations then reads its arrays from memory once.
    """

    decay = 0.0

    def init(self, theta):
        return {**super().init(theta), **{name: xp.zeros_like(theta) for name in self.memory}}

    def update(self, g, loss, theta, state):
        return self.displace(g, theta, state, onto=0.0)

    def move(self, g, loss, theta, state):
        if type(self).update is not Elementwise.update:     # a subclass has another displacement
            return super().move(g, loss, theta, state)
        return self.displace(g, theta, state, onto=1.0)

    def displace(self, g, theta, state, onto):
        """onto · θ + delta, the decay included: (onto - η λ) θ + the rule's displacement."""
        t, lr = self.tick(state)
        factors, share = self.factors(t, lr), onto - lr * self.decay
        out = xp.empty_like(theta)
        for part in pieces(theta):
            D = out[part]
            self.rule(D, g[part], *factors, *(state[name][part] for name in self.memory))
            if is_zero(self.decay):
                if onto:
                    D += theta[part]
            else:
                D += theta[part] * share
        return out, state


def rate(optimizer, state):
    """The learning rate of the coming step."""
    lr = getattr(optimizer, "lr", None)
    return lr(int(state["t"])) if callable(lr) else lr


def weight_sum(beta, t):
    """c = 1 + β + ... + β^(t-1), for a number or an array (n, 1) of β."""
    return (1.0 - beta**t) / (1.0 - beta)


def scaled(a, factor):
    """a · factor as a new array of a's dtype; factor a number, or (n, 1) against a (n, d)."""
    return xp.multiply(a, factor, dtype=a.dtype)


def dot(a, b):
    """Row dot products that broadcast against the points: () for a point, (n, 1) for a batch."""
    return a @ b if a.ndim == 1 else xp.einsum("...i,...i->...", a, b)[..., None]


def column(heights):
    """Heights (...) as they broadcast against the points: () for a point, (n, 1) for a batch."""
    return heights[..., None] if getattr(heights, "ndim", 0) else heights


def scalars(theta, value):
    """One number for each point, equal to `value`: () for a point, (n, 1) for a batch."""
    return xp.full(theta.shape[:-1] + (1,) if theta.ndim > 1 else (), value, dtype=theta.dtype)


def is_zero(value):
    """Whether a hyper-parameter is the number 0, so that its term can be left out."""
    return isinstance(value, float) and value == 0.0


def pieces(theta):
    """Indices that cut one long point into pieces; a batch, or a point on a GPU, stays whole."""
    length = BLOCK // theta.itemsize
    if theta.ndim > 1 or theta.size <= length or backend.on_device:
        return (...,)
    return [slice(i, i + length) for i in range(0, theta.size, length)]
