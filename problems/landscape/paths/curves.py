"""Curves of low loss between two points, found by training their control points.

    phi(t) = sum_j c_j(t) w_j,    sum_j c_j(t) = 1,    w_0 and w_K the fixed ends

    Bezier   c_j(t) = binomial(K, j) t^j (1 - t)^(K-j)
    chain    c_j(t) = max(0, 1 - |K t - j|)              straight pieces, w_0 to w_1 ... to w_K

Training minimises the mean height over t, E_{t ~ U(0,1)} L(phi(t)), uniform in t and not in arc
length. One t is drawn per minibatch, and by the chain rule

    d L(phi(t)) / d w_j = c_j(t) grad L(phi(t))

so that one gradient moves all the control points: a step costs what a step of ordinary training
costs.
"""
import itertools
import math

import numpy as np

from minigrad.backend import to_host, xp
from minigrad.kinds import expects, having, natural, source, whole
from problems.landscape.doors import heights_each_step

from .path import Bezier, Combination, Polygon, Straight, check_ends


class Curve(Combination):
    """A curve through parameter space, linear in its control points: t (m,) -> points (m, d).

    start, end  (d,), where the curve begins and ends, exactly
    bends       number of free control points between them, at first evenly spaced on the line
    free        (bends, d) the free control points, if they are known

    (A published option, num_bends = 3, counts the two ends too: that is bends = 1 here.)
    Source: Garipov et al. 2018, arXiv:1802.10026, section 3.
    """

    @expects(bends=whole())
    def __init__(self, start, end, bends=1, free=None):
        name = type(self).__name__
        check_ends(name, start, end)
        if free is None:
            if bends < 1:
                raise ValueError(f"{name}: needs at least one bend, got {bends}.")
            t = xp.arange(1, bends + 1).astype(start.dtype) * (1.0 / (bends + 1))
            free = Straight(start, end)(t)
        elif free.ndim != 2 or free.shape[1:] != start.shape:
            raise ValueError(f"{name}: free control points {free.shape} between ends of shape "
                             f"{start.shape}. Give (bends, d).")
        Combination.__init__(self, start, end, free)

    @property
    def free(self):
        """(bends, d) the control points that training moves."""
        return self.inner

    def bent(self, free):
        """The same ends with other free control points."""
        return type(self)(self.start, self.end, free=free)


class BezierCurve(Curve, Bezier):
    """Bernstein's polynomials: c_j(t) = binomial(K, j) t^j (1 - t)^(K-j), K = bends + 1."""


class PolyChain(Curve, Polygon):
    """c_j(t) = max(0, 1 - |K t - j|), hats: straight pieces of equal time, K = bends + 1."""

    @property
    def knots(self):
        """(K + 1,) the t of each control point, whatever the distance between them."""
        return np.linspace(0.0, 1.0, len(self.inner) + 2)


@expects(curve=having("free", "bent", "coefficients"), objective=heights_each_step,
         optimizer=having("init", "update"), steps=whole(0), rng=source, decay=natural)
def train_curve(curve, objective, optimizer, steps, rng, decay=0.0, progress=None):
    """Lower a curve by one stochastic gradient a step; returns (trained curve, losses (steps,)).

    objective  an `Objective`, or an iterator that gives one for each step (minibatches):
               `(Objective(network, batch) for batch in batches)`
    optimizer  a first-order method with its learning rate or schedule
    rng        draws t, one number a step
    decay      weight decay of the curve point: adds decay/2 |phi(t)|^2 to the height
    progress   called with (step, loss) after each step

    Source: Garipov et al. 2018, arXiv:1802.10026, eq. 2.
    Raises RuntimeError when the loss is not finite.
    """
    objectives = objective if hasattr(objective, "__next__") else itertools.repeat(objective)
    free = curve.free
    state = optimizer.init(free)
    losses = np.empty(steps)
    for step in range(steps):
        t = float(rng.random())
        point = curve.bent(free)(t)
        loss, g = next(objectives).value_and_grad(point)
        losses[step] = to_host(loss)
        if not math.isfinite(losses[step]):
            raise RuntimeError(f"train_curve: the loss is {losses[step]} at step {step}, t = "
                               f"{t:.3f}. Lower the learning rate.")
        c = xp.asarray(curve.coefficients(t)[1:-1, None], dtype=free.dtype)
        delta, state = optimizer.update(c * (g + decay * point), loss, free, state)
        free = free + delta
        if progress is not None:
            progress(step, losses[step])
    return curve.bent(free), losses


def hold_decay_hold(steps, peak, floor=0.01):
    """The learning rates of the curve-finding paper's published code, as a function of the step.

        peak until half of the steps, then linear down to floor * peak at nine tenths, then constant
    """
    def lr(step):
        done = step / steps
        if done <= 0.5:
            return peak
        return peak * (1.0 - (1.0 - floor) * min(1.0, (done - 0.5) / 0.4))

    return lr
