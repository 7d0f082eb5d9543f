"""The highest point of a small neighbourhood: what `sharpness` asks of a landscape.

    max L(w + e)    over e in a ball |e / T|_p <= ρ, or in a box |e_i| <= T_i

The landscape may bend down in most directions and up in one, so the climb begins three times: with
the gradient, and at either end of the direction of largest curvature, e = +-r v. From each it goes

    s = argmax_{e' in set} <g(w + e), e'>      the furthest point along the gradient
    e <- s                                     if the height rises as the gradient promises
    e <- part of the way there                 otherwise, as far as a parabola through the two
                                               heights is highest, halved until the height rises

so the height never falls. Part of the way is a segment in a ball; in a box, whose highest point may
lie inside some of its sides, it is a gradient step cut off at the sides.

Source: the conditional gradient method (Frank & Wolfe 1956); its full step is SAM's. The starts
along the curvature are ours.
"""
import math

from minigrad.backend import float_of, xp
from optim.second_order.krylov import krylov_basis
from optim.nearby.sam import worst_step

STEPS = 20                            # Lanczos steps for the direction of largest curvature
HALVINGS = 20
ENOUGH = 1e-3                         # a last step that gains less of the value has settled
TILT = 0.03                           # of a start in a box: no coordinate is exactly balanced
REST = 1e-10                          # one that gains less ends the climb


class Ball:
    """|e / T|_p <= ρ; T is 1 where it is None, and e_i = 0 where T_i = 0."""

    def __init__(self, rho, p=2.0, T=None):
        self.rho, self.p, self.T = float(rho), p, T
        self.is_point = T is not None and not bool((T > 0).any())

    def furthest(self, g):
        """The e that raises <g, e> most: one direction, whatever the unit of the height."""
        size = xp.max(xp.abs(self.scaled(g)))
        return worst_step(g / xp.where(size > 0, size, 1.0), self.rho, self.p, self.T)

    def scaled(self, v):
        return v if self.T is None else self.T * v

    def end(self, v):
        """T v, as long as the ball allows; v in units of T."""
        size = xp.abs(v)
        top = float_of(xp.max(size))
        length = top if math.isinf(self.p) else top * float_of(
            xp.sum((size / top)**self.p)) ** (1.0 / self.p)
        return self.scaled(v) * (self.rho / length)

    def part(self, e, g, s, share):
        if not math.isinf(self.p):
            return e + share * (s - e)
        T = xp.ones_like(e) if self.T is None else self.T
        u = (s - e) / xp.where(T > 0, T, 1.0)
        gain = float_of(xp.vdot(g, s - e))
        step = share * float_of(xp.vdot(u, u)) / gain * T * T * g
        return xp.clip(e + step, -self.rho * T, self.rho * T)


def highest(objective, theta, around, ground, g, steps, rng):
    """(rise, e, settled): how far L(theta + e) lies above L(theta) at the best e found in a `Ball`.

    ground, g   L(theta), a float, and the gradient there
    steps   of each climb; 1 takes the first full step along the gradient and nothing else
    rng     draws the start of Lanczos; None: it starts from the gradient, which must not be zero

    settled: the last step gained less than a thousandth of the rise, and the rise is positive.
    """
    e = around.furthest(g)
    if around.is_point:
        return 0.0, e, False
    if steps == 1:
        height = float_of(objective.value(theta + e))
        return (height - ground, e, False) if height > ground else (0.0, 0.0 * e, False)
    best = (ground, xp.zeros_like(theta), False)
    v = bent_most(objective, theta, around, g, rng)
    for start in (e, around.end(v), around.end(-v)):
        if float_of(xp.max(xp.abs(start))) > 0:
            found = climb(objective, theta, around, start, ground, steps)
            best = max(best, found, key=lambda one: one[0])
    height, e, settled = best
    return height - ground, e, settled and height > ground


def climb(objective, theta, around, e, ground, steps):
    """(height, e, settled) of one climb from e: `steps` gradients, and heights where needed."""
    height, settled = -math.inf, False
    for k in range(steps):
        last = height
        height, g = objective.value_and_grad(theta + e)
        height = float_of(height)
        gained, rise = height - last, max(height - ground, 0.0)
        settled = gained <= ENOUGH * rise
        if k == steps - 1 or gained <= REST * rise or not math.isfinite(height):
            break
        higher = step_up(objective, theta, around, e, height, g)
        if higher is None:
            settled = True                              # no step along the gradient gains anything
            break
        e = higher
    return height, e, settled


def step_up(objective, theta, around, e, height, g):
    """The next point of a climb, or None where nothing along the gradient is higher."""
    s = around.furthest(g)
    promised = float_of(xp.vdot(g, s - e))
    if not promised > 0.0:
        return None
    full = float_of(objective.value(theta + s)) - height
    if full >= 0.5 * promised:
        return s
    share = promised / (2.0 * (promised - full)) if math.isfinite(full) else 0.5
    for _ in range(HALVINGS):
        candidate = around.part(e, g, s, share)
        gained = float_of(objective.value(theta + candidate)) - height
        if gained > max(full, 0.0):
            return candidate
        share *= 0.5
    return s if full > 0.0 else None


def bent_most(objective, theta, around, g, rng):
    """The top eigenvector of T H T (n,), a unit vector in units of T, by a few Lanczos steps."""
    start = around.scaled(g) if rng is None else xp.asarray(
        rng.standard_normal(theta.shape[-1]), dtype=theta.dtype)
    if around.T is not None:
        start = xp.where(around.T > 0, start, 0.0)
    product = objective.hvp(theta)
    space = krylov_basis(lambda v: around.scaled(product(around.scaled(v))), start,
                         min(STEPS, theta.shape[-1]))
    _, S = space.ritz()
    v = xp.asarray(S[:, -1], dtype=theta.dtype) @ space.V
    if rng is not None and math.isinf(around.p):
        noise = xp.asarray(rng.standard_normal(theta.shape[-1]), dtype=theta.dtype)
        v = v + noise * (TILT / float_of(xp.linalg.norm(noise)))
    return v
