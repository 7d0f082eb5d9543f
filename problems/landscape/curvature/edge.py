"""Edge of stability: full-batch descent drives λ_max up to its stability limit and stays.

On a quadratic of curvature λ the iteration is stable exactly below a threshold:

    gradient descent  w' = w - η g(w)                          2 / η
    Polyak momentum   v' = β v - η g(w),  w' = w + v'          (2 + 2 β) / η
    Nesterov          v' = β v - η g(w + β v),  w' = w + v'    (2 + 2 β) / (η (1 + 2 β))
    SAM (on descent)  w' = w - η g(w + ρ g/|g|)                below 2 / η, falls with |g|

Networks trained with the full batch sharpen until λ_max reaches it (progressive sharpening)
and then hover around it, while the loss falls, not monotonically. The loss must be the one that
is differentiated: half the squared error has half the curvature of the squared error. Minibatch
descent sits below, and with cross-entropy λ_max collapses late in training.

Source: Cohen et al. 2021, arXiv:2103.00065; the SAM threshold is that of Long & Bartlett 2023.
"""
import math

from minigrad.backend import float_of
from minigrad.kinds import expects, having, natural, positive, real, source, vector, whole
from problems.landscape.doors import landscape
from optim.descent import descent

from .sharpness import top_curvature

KINDS = ("gd", "momentum", "nesterov")


@expects(lr=real, momentum=real)
def threshold(lr, momentum=0.0, kind="gd"):
    """The curvature above which the iteration diverges on a quadratic (table of the module)."""
    if kind not in KINDS:
        raise ValueError(f"threshold: unknown kind {kind!r}. Use one of {', '.join(KINDS)}.")
    if not lr > 0 or not 0 <= momentum < 1:
        raise ValueError(f"threshold: needs lr > 0 and 0 <= momentum < 1, got lr {lr}, "
                         f"momentum {momentum}.")
    if kind == "gd" and momentum != 0:
        raise ValueError(f"threshold: kind 'gd' has no momentum, got {momentum}. "
                         "Use 'momentum' or 'nesterov'.")
    if kind == "gd":
        return 2.0 / lr
    edge = (2.0 + 2.0 * momentum) / lr
    return edge if kind == "momentum" else edge / (1.0 + 2.0 * momentum)


@expects(lr=real, rho=real, gradient_norm=real)
def sam_threshold(lr, rho, gradient_norm):
    """SAM's edge λ* = |g|/(2ρ) (√(1 + 8ρ/(η|g|)) - 1), always below 2/η.

    It solves η λ (1 + ρ λ/|g|) = 2: along the top eigenvector SAM multiplies the
    gradient by 1 + ρ λ/|g|.
    """
    if not (lr > 0 and rho > 0 and gradient_norm > 0):
        raise ValueError(f"sam_threshold: needs positive numbers, got lr {lr}, rho {rho}, "
                         f"|g| {gradient_norm}.")
    a = 8.0 * rho / (lr * gradient_norm)
    root_minus_one = a / (math.sqrt(1.0 + a) + 1.0)             # sqrt(1 + a) - 1, no cancellation
    return gradient_norm / (2.0 * rho) * root_minus_one


class EdgeTracker:
    """Measures λ_max along a descent and sets it against the threshold.

    lr, momentum, kind   as in `threshold`
    m                    Lanczos steps per measurement

    steps, losses, sharpness, residuals   lists, one entry a measurement; an eigenvalue lies within
                                          the residual of the sharpness written beside it
    """

    @expects(m=whole(1))
    def __init__(self, lr, momentum=0.0, kind="gd", m=20):
        self.threshold = threshold(lr, momentum, kind)
        self.m = m
        self.steps, self.losses, self.sharpness, self.residuals = [], [], [], []

    @expects(objective=landscape, theta=vector, rng=source)
    def measure(self, objective, theta, step, rng):
        """One entry for this step; returns the sharpness."""
        top = top_curvature(objective, theta, rng, self.m)
        self.steps.append(step)
        self.losses.append(float_of(objective.value(theta)))
        self.sharpness.append(top.value)
        self.residuals.append(top.residual)
        return top.value

    def settled(self, part=1.0 / 3.0):
        """(mean, lowest, highest) sharpness over the last part of the measurements."""
        if not self.sharpness:
            raise ValueError("EdgeTracker.settled: nothing measured yet. Call measure or track.")
        tail = self.sharpness[-max(1, round(part * len(self.sharpness))):]
        return sum(tail) / len(tail), min(tail), max(tail)

    @expects(optimizer=having("init", "step"), objective=landscape, theta=vector,
                 steps=whole(0), rng=source, every=whole(1))
    def track(self, optimizer, objective, theta, steps, rng, every=100):
        """Run the optimizer, measure every so many steps (and at both ends); returns theta."""
        for t, theta, _, _ in descent(optimizer, objective, theta, steps=steps):
            if t % every == 0 or t == steps:
                self.measure(objective, theta, t, rng)
        return theta


@expects(objective=landscape, theta=vector, time=natural, rng=source, cap=positive, every=whole(1),
         m=whole(1))
def gradient_flow(objective, theta, time, rng, cap=1.0, every=10, m=20):
    """Follow dθ/dt = -g by RK4 with steps min(1 / λ_max, cap): descent without an edge.

    Yields (t, theta, loss, sharpness) each time the sharpness is measured, every so many steps,
    the start and the end included. One time unit of the flow is 1 / η steps of descent.

    Source: Cohen et al. 2021, arXiv:2103.00065, the comparison with gradient flow.
    """
    def slope(w):
        return -objective.value_and_grad(w)[1]

    t, k = 0.0, 0
    while True:
        if k % every == 0 or t >= time:
            sharpness = top_curvature(objective, theta, rng, m).value
            yield t, theta, float_of(objective.value(theta)), sharpness
        if t >= time:
            return
        h = min(cap, time - t, 1.0 / sharpness if sharpness > 0 else cap)
        k1 = slope(theta)
        k2 = slope(theta + 0.5 * h * k1)
        k3 = slope(theta + 0.5 * h * k2)
        k4 = slope(theta + h * k3)
        theta = theta + (h / 6.0) * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        t, k = (time if time - t <= h else t + h), k + 1
