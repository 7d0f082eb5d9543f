"""How sharp is this point: three numbers under one name, kept apart.

    S1  lambda_max(H)                               curvature at the point       `top_curvature`
    S2  max_{|e|<=rho} L(w + e) - L(w)              height over a ball (SAM)     `sam_sharpness`
    S3  100 (max_{C_eps} L - L(w)) / (1 + L(w))     relative height over a box   `keskar_sharpness`

At a minimum of a quadratic S2 = rho^2 lambda_max / 2, and nowhere else are they the same thing.
None of the three is a property of the function the network computes: rescaling the layers of a
ReLU network changes each of them. `adaptive_sharpness` measures S2 in a ball that stretches with
the weights and, with eta = 0, does not change; report it beside any of the others. That sharp
minima generalise worse is a correlation, and with cross-entropy lambda_max falls as confidence
grows, so compare S1 at matched training loss only.

S2, S3 and the adaptive number are maxima of a non-concave function: what an ascent finds is a
lower bound, and the record says whether the ascent had settled.
"""
from typing import Any, NamedTuple

from minigrad.backend import float_of, xp
from optim.sam import TINY, worst_step

from .hessian import HessianOp
from .spectrum import lanczos


class TopCurvature(NamedTuple):
    """S1 with its uncertainty: an eigenvalue lies within `residual` of `value`."""

    value: float
    residual: float
    converged: bool
    vector: Any


class Sharpness(NamedTuple):
    """S2 or S3: a lower bound on the maximum, the step e that reaches it, whether it settled.

    settled   the last ascent step changed the height by less than 0.1 % of `value`;
              False after a single step, which has nothing to compare with
    """

    value: float
    e: Any
    settled: bool


def top_curvature(objective, theta, rng, m=30):
    """S1, the largest algebraic eigenvalue of the Hessian, by m Lanczos steps."""
    ritz = lanczos(HessianOp(objective, theta), min(m, theta.shape[-1]), which="LA", rng=rng)
    return TopCurvature(float(ritz.values[-1]), float(ritz.residuals[-1]), ritz.converged,
                        ritz.vectors[-1])


def sam_sharpness(objective, theta, rho, p=2.0, steps=20, rng=None):
    """S2: how far the loss rises within the p-ball of radius rho.

    Source: Foret et al. 2021, arXiv:2010.01412, eq. 1, the bracket in front of the weight penalty.
    steps   1 is the paper's first-order estimate, which is 0 at a minimum; more steps ascend
    rng     draws the first direction where the gradient is zero
    """
    check_radius("sam_sharpness", "rho", rho)
    return ascend("sam_sharpness", objective, theta, lambda g: worst_step(g, rho, p), steps, rng)


def adaptive_sharpness(objective, theta, rho, eta=0.0, p=2.0, steps=20, rng=None):
    """S2 in the ball |e / (|w| + eta)|_p <= rho; with eta = 0 invariant to ReLU rescaling, exactly.

    Source: Kwon et al. 2021, arXiv:2102.11600, the definition of adaptive sharpness.
    """
    check_radius("adaptive_sharpness", "rho", rho)
    T = xp.abs(theta) + eta
    return ascend("adaptive_sharpness", objective, theta,
                  lambda g: worst_step(g, rho, p, T), steps, rng)


def keskar_sharpness(objective, theta, eps=1e-3, steps=20, rng=None):
    """S3: the rise in per cent of 1 + L(w) within the box |e_i| <= eps (|w_i| + 1).

    Source: Keskar et al. 2017, arXiv:1609.04836, eq. 3 and 4 (Metric 2.1), with A the identity.
    Differs from the paper: the maximum is sought by `ascend`, not by ten steps of L-BFGS-B.
    """
    check_radius("keskar_sharpness", "eps", eps)
    box = eps * (xp.abs(theta) + 1.0)
    rise = ascend("keskar_sharpness", objective, theta, lambda g: box * xp.sign(g), steps, rng)
    return rise._replace(value=100.0 * rise.value / (1.0 + float_of(objective.value(theta))))


def ascend(name, objective, theta, furthest, steps, rng):
    """Maximise L(w + e) over a convex set by moving to the furthest point along each gradient.

        e_0 = 0,    e_{k+1} = argmax_{e in set} <g(w + e_k), e>

    Where L is convex along the way the height never falls, and on a quadratic with its minimum at w
    this is power iteration on the Hessian. The best height seen counts.

    Source: the conditional gradient method with unit steps; one step is SAM's.
    """
    if steps < 1:
        raise ValueError(f"{name}: steps must be at least 1, got {steps}.")
    ground, g = objective.value_and_grad(theta)
    ground = float_of(ground)
    if steps > 1 and float_of(xp.max(xp.abs(g))) < TINY:
        if rng is None:
            raise ValueError(f"{name}: the gradient at theta is zero, so there is no first "
                             "direction. Pass rng=numpy.random.default_rng(seed).")
        g = xp.asarray(rng.standard_normal(theta.shape[-1]), dtype=theta.dtype)
    best, best_e, height, settled = ground, xp.zeros_like(theta), ground, False
    for k in range(steps):
        e = furthest(g)
        last = height
        if k == steps - 1:
            height = float_of(objective.value(theta + e))
        else:
            height, g = objective.value_and_grad(theta + e)
            height = float_of(height)
        if height > best:
            best, best_e = height, e
        settled = k > 0 and abs(height - last) <= 1e-3 * (best - ground)
    return Sharpness(best - ground, best_e, settled)


def check_radius(name, what, value):
    if not value > 0:
        raise ValueError(f"{name}: {what} must be positive, got {value}.")
