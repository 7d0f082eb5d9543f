"""An optimizer moves a point (d,), or each row of a batch of points (n, d), downhill.

    state = opt.init(theta)
    theta, state, loss = opt.step(objective, theta, state)

`step` is the same call, with the same guards, for every method. A first-order method writes only
`update`, the displacement that its paper prescribes for a gradient; a method that asks the
landscape more than once overrides `advance`. One's own, in ten lines:

    class HeavyBall(Optimizer):
        def __init__(self, lr=0.01, mu=0.9):
            self.configure(lr=lr, mu=mu)
        def init(self, theta):
            return {**super().init(theta), "v": xp.zeros_like(theta)}
        def update(self, g, loss, theta, state):
            t, lr = self.tick(state)
            state["v"] = self.mu * state["v"] - lr * g
            return state["v"], state

Points are values: theta is never written in place. The state is the optimizer's own memory, a dict
of arrays named by the paper's symbols ("t" counts the steps), and is updated in place: that saves
passes over memory, and keeps a float32 state float32 when it meets a float64 hyper-parameter. A
state that a method has not met yet is compared with a fresh one: `init` does nothing but make it.

Running sums.   An exponential mean with bias correction, m̂ = m/(1-β^t) with m ← β m + (1-β) g,
is a weighted mean of the gradients so far, with weights 1, β, β², ... We store the weighted sum

    M ← β M + g,     m = (1-β) M,     m̂ = M / c,     c = 1 + β + ... + β^(t-1) = (1-β^t)/(1-β)

which saves one pass over memory in every step. `weight_sum` is c.
"""
import copy
import math

import numpy as np

from minigrad import backend
from minigrad.arguments import point, short
from minigrad.backend import xp

from .hyperparameters import Distinct, checked

BLOCK = 2**18                                   # bytes of one array that are worked on at a time
LOOK_EVERY = 20 if backend.on_device else 1     # steps; looking at a loss waits for the GPU


class Optimizer:
    """What all optimizers share: hyper-parameters, the step count, and the guards of `step`.

    traces   keys of the state that tell how a run goes, one number a point: what follows a run
             keeps them for every step
    """

    traces = ()
    __slots__ = ("__dict__", "__weakref__", "met", "form")      # the last two are no settings

    def __new__(cls, *args, **settings):
        self = super().__new__(cls)
        self.met = self.form = None                 # state seen last; {entry: kind} of a fresh one
        return self

    def __getstate__(self):
        return vars(self)

    def __init_subclass__(cls, **settings):
        super().__init_subclass__(**settings)
        if "step" in cls.__dict__:
            raise TypeError(f"{cls.__name__}: step is the same for all optimizers, it holds the "
                            "guards. Write advance(objective, theta, state) instead.")

    def configure(self, **hyper):
        """Checks the hyper-parameters and keeps them as attributes of the same names.

        Names and their ranges stand in `hyperparameters.py`; a new name may be any number.
        """
        self.hyper = tuple(hyper)
        for name, value in hyper.items():
            schedule = name == "lr" and callable(value)
            setattr(self, name, value if schedule else checked(type(self).__name__, name, value))
        self.distinct = {name: Distinct.of(getattr(self, name)) for name in hyper
                         if isinstance(getattr(self, name), xp.ndarray)}

    def __repr__(self):
        settings = [f"{name}={getattr(self, name)!r}" for name in getattr(self, "hyper", ())]
        return f"{type(self).__name__}({', '.join(settings)})"

    def init(self, theta):
        """A fresh state for a point (d,) or a batch (n, d) of floating-point numbers."""
        name = type(self).__name__
        if not point(f"{name}.init", theta).shape[-1]:
            raise ValueError(f"{name}.init: a point has at least one coordinate, got shape "
                             f"{tuple(theta.shape)}.")
        for key in getattr(self, "hyper", ()):
            shape = getattr(getattr(self, key), "shape", ())
            fits = len(shape) <= theta.ndim and all(
                n in (1, length) for n, length in zip(shape[::-1], theta.shape[::-1]))
            if shape and not (fits and theta.ndim > 1):
                raise ValueError(f"{name}.init: {key} has shape {shape}, theta {theta.shape}. "
                                 "An array of n values needs a batch of n points (n, d).")
        return {"t": np.array(0)}

    def update(self, g, loss, theta, state):
        """The displacement for gradient g (..., d) and height loss (...): (delta, state)."""
        raise NotImplementedError(f"{type(self).__name__} has no update rule. Call step.")

    def step(self, objective, theta, state):
        """One step from theta: (new theta, state, loss at the old theta).

        A single point whose loss is NaN or infinite is an error. In a batch such rows go on
        silently, so that a sweep survives its worst configuration: look at the losses.
        (On a GPU the loss is looked at every 20 steps.)
        """
        if not hasattr(objective, "value_and_grad"):
            raise TypeError(f"{type(self).__name__}.step: needs an Objective, got "
                            f"{type(objective).__name__}. Wrap it: optim.Objective(f).")
        if not (isinstance(theta, xp.ndarray) and theta.dtype.kind == "f" and theta.ndim):
            point(f"{type(self).__name__}.step", theta)
        self.check_state(theta, state)
        with quietly():
            new, after, loss = self.advance(objective, theta, state)
        if after is not state:                      # a method may return another dict
            self.met = id(after), after.get("t"), theta.shape, theta.dtype, len(after)
        self.check_loss(loss, after, done=1)
        return new, after, loss

    def check_state(self, theta, state):
        """Raises unless the state is one of this method and of such a theta: it has what `init`
        makes, and nothing of another method's. Looked at when a run begins, not in every step."""
        met = self.met
        if met and met[0] == id(state) and met[1] is state.get("t") and (
                met[2] == theta.shape and met[3] is theta.dtype and met[4] == len(state)):
            return
        name = type(self).__name__
        if not isinstance(state, dict):
            raise TypeError(f"{name}.step: state must be the dict that init(theta) gave, got "
                            f"{type(state).__name__}.")
        if self.form is None or self.form[:2] != (theta.shape, theta.dtype):
            self.form = theta.shape, theta.dtype, {k: kind(a) for k, a in self.init(theta).items()}
        form = self.form[2]
        wrong = [f"it has no {key}" for key in form if key not in state]
        wrong += [f"it holds {key}" for key in state if key not in form and not self.may_gain(key)]
        wrong += [f"{key} is {kind(state[key])}, not {form[key]}" for key in form
                  if key != "t" and key in state and kind(state[key]) != form[key]]
        if wrong:
            raise ValueError(f"{name}.step: the state is not one of this {name} at a theta of "
                             f"{kind(theta)}: {wrong[0]}. Begin with init(theta).")
        if "t" in form and not is_count(state["t"]):
            raise ValueError(f"{name}.step: the state's t must be a number of steps, 0, 1, ..., "
                             f"got {short(state['t'])}. Begin with init(theta).")
        self.met = id(state), state.get("t"), theta.shape, theta.dtype, len(state)

    def may_gain(self, name):
        """Whether a step may add an entry that `init` did not make; a method of one's own may."""
        return name in self.traces or type(self).__module__.split(".")[0] != "optim"

    def advance(self, objective, theta, state):
        """What `step` does between its guards. A method that asks the objective more than once
        overrides it; `look` is its first question."""
        loss, g = self.look(objective, theta, state)
        delta, state = self.update(g, loss, theta, state)
        if getattr(self.update, "fresh", False):
            delta += theta
            return delta, state, loss
        return theta + delta, state, loss           # a new array: delta may be the state's own

    def look(self, objective, theta, state):
        """(loss, g) at theta, refused where they are not finite, before any state has changed."""
        loss, g = self.observe(objective, theta, state)
        self.check_loss(loss, state)
        return loss, g

    def observe(self, objective, theta, state):
        """(loss, g) at theta. A method that wants to see more of the same evaluation overrides it;
        what follows a run asks this way too, so that nothing is evaluated twice."""
        return objective.value_and_grad(theta)

    def check_loss(self, loss, state, done=0):
        """Raises ValueError when the loss of a single point is NaN or infinite; done is 1 where
        the step it belongs to has been counted."""
        if getattr(loss, "ndim", 0):
            return
        if LOOK_EVERY > 1 and (int(state.get("t", 0)) - done) % LOOK_EVERY:
            return
        if not math.isfinite(float(loss)):
            t = max(0, int(state.get("t", 0)) - done)
            raise ValueError(f"{type(self).__name__}.step: the loss is {float(loss)} at step "
                             f"{t + 1} (lr={self.learning_rate({'t': t})}). "
                             "Use a smaller lr, or another start.")

    def learning_rate(self, state):
        """The learning rate of the coming step; None for a method that has none.

        Raises ValueError for a schedule that leaves the range of a rate, at the step where it does.
        """
        lr = getattr(self, "lr", None)
        if not callable(lr):
            return lr
        t = int(state["t"])
        value = lr(t)
        if not (type(value) is float and 0.0 <= value < math.inf):
            value = checked(type(self).__name__, f"lr (its schedule, at step {t})", value, "lr")
        return value

    def scheduled(self, schedule):
        """The same method with another learning rate or schedule of it; this one stays."""
        other = copy.copy(self)
        other.lr = schedule if callable(schedule) else checked(type(self).__name__, "lr", schedule)
        return other

    def tick(self, state):
        """Counts the step: (t, lr), t = 1 in the first step; a schedule sees t - 1."""
        if "t" not in state:
            raise ValueError(f"{type(self).__name__}: the state counts no steps t. Begin it with "
                             "super().init(theta).")
        lr = self.learning_rate(state)
        state["t"] += 1
        return int(state["t"]), lr

    def weight_sum(self, name, t, root=False):
        """c = 1 + β + ... + β^(t-1) for the hyper-parameter β of this name; or √c."""
        if name in self.distinct:
            return self.distinct[name].weight_sum(t, root)
        c = weight_sum(getattr(self, name), t)
        return c**0.5 if root else c

    def shrink(self, delta, lr, theta):
        """Decoupled decay, outside of whatever scales the gradient.

            δ ← δ - η λ θ

        Source: Loshchilov & Hutter 2017, arXiv:1711.05101; outside of the metric: arXiv:2509.03594.
        """
        if not is_zero(self.decay):
            delta -= theta * (lr * self.decay)


def quietly():
    """A context in which numbers may leave for infinity: losses are looked at, warnings are not."""
    return np.errstate(over="ignore", divide="ignore", invalid="ignore")


def fresh(update):
    """Marks an `update` whose displacement is a new array: adding theta may then overwrite it."""
    update.fresh = True
    return update


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


def kind(value):
    """What an entry of a state is: dtype and shape of an array, the type of anything else."""
    if isinstance(value, (xp.ndarray, np.ndarray, np.generic)):
        return f"{value.dtype}{list(value.shape)}"
    return type(value).__name__


def is_count(t):
    """Whether t counts steps: a whole number >= 0, as an array () or by itself."""
    plain = t.item() if getattr(t, "ndim", None) == 0 else t
    number = isinstance(plain, (int, float)) and not isinstance(plain, bool)
    return number and 0 <= plain < math.inf and plain == int(plain)


def is_zero(value):
    """Whether a hyper-parameter is the number 0, so that its term can be left out."""
    return isinstance(value, float) and value == 0.0


def pieces(theta):
    """Indices that cut one long point into pieces; a batch, or a point on a GPU, stays whole."""
    length = BLOCK // theta.itemsize
    if theta.ndim > 1 or theta.size <= length or backend.on_device:
        return (...,)
    return [slice(i, i + length) for i in range(0, theta.size, length)]
