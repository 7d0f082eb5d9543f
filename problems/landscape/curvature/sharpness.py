"""How sharp is this point: three numbers under one name, kept apart.

    S1  λ_max(H)                                    curvature at the point       `top_curvature`
    S2  max_{|e|<=ρ} L(w + e) - L(w)                height over a ball (SAM)     `sam_sharpness`
    S3  100 (max_{C_ε} L - L(w)) / (1 + L(w))     relative height over a box   `keskar_sharpness`

At a minimum of a quadratic S2 = ρ² λ_max / 2, and nowhere else are they the same thing.
None of the three is a property of the function the network computes: rescaling the layers of a
ReLU network changes each of them. `adaptive_sharpness` measures S2 in a ball that stretches with
the weights and, with η = 0, does not change; report it beside any of the others. That sharp
minima generalise worse is a correlation, and with cross-entropy λ_max falls as confidence
grows, so compare S1 at matched training loss only.

S2, S3 and the adaptive number are maxima of a non-concave function: what `ascent` finds is a
lower bound, and the record says whether the climb had settled.
"""
import math
from typing import Any, NamedTuple

from minigrad.backend import float_of, xp
from minigrad.kinds import expects, extended, natural, real, source, vector, whole
from problems.landscape.doors import landscape

from .ascent import Ball, highest
from .hessian import HessianOp, as_objective
from .spectrum import RitzResult, lanczos


class TopCurvature(NamedTuple):
    """S1 with its uncertainty: an eigenvalue lies within `residual` of `value`."""

    value: float
    residual: float
    converged: bool
    vector: Any
    ritz: RitzResult

    def interval(self, level=0.95):
        """(low, high) that holds λ_max with this probability or more: see `confidence`."""
        return self.ritz.interval(level)


class Sharpness(NamedTuple):
    """S2 or S3: a lower bound on the maximum, the step e that reaches it, whether it settled.

    settled   the last step of the climb gained less than 0.1 % of `value`, and `value` is positive;
              False after a single step, which has nothing to compare with
    """

    value: float
    e: Any
    settled: bool


@expects(objective=landscape, theta=vector, rng=source, m=whole(1))
def top_curvature(objective, theta, rng, m=30):
    """S1, the largest algebraic eigenvalue of the Hessian, by m Lanczos steps."""
    ritz = lanczos(HessianOp(objective, theta), min(m, theta.shape[-1]), which="LA", rng=rng)
    return TopCurvature(float(ritz.values[-1]), float(ritz.residuals[-1]), ritz.converged,
                        ritz.vectors[-1], ritz)


@expects(objective=landscape, theta=vector, rho=real, p=extended, steps=whole(), rng=source)
def sam_sharpness(objective, theta, rho, p=2.0, steps=20, rng=None):
    """S2: how far the loss rises within the p-ball of radius ρ.

    Source: Foret et al. 2021, arXiv:2010.01412, eq. 1, the bracket in front of the weight penalty.
    steps   1 is the paper's first-order estimate, which is 0 at a minimum; more steps climb, from
            the gradient's end of the ball and from both ends of the largest curvature
    rng     draws the start of the search for that curvature; without it the gradient is the start
    """
    check_radius("sam_sharpness", "rho", rho)
    check_norm("sam_sharpness", p)
    return rise("sam_sharpness", objective, theta, Ball(rho, p), steps, rng)


@expects(objective=landscape, theta=vector, rho=real, eta=natural, p=extended, steps=whole(),
         rng=source)
def adaptive_sharpness(objective, theta, rho, eta=0.0, p=2.0, steps=20, rng=None):
    """S2 in the ball |e / (|w| + η)|_p <= ρ; with η = 0 invariant to ReLU rescaling, exactly.

    Source: Kwon et al. 2021, arXiv:2102.11600, the definition of adaptive sharpness.
    """
    check_radius("adaptive_sharpness", "rho", rho)
    check_norm("adaptive_sharpness", p)
    return rise("adaptive_sharpness", objective, theta, Ball(rho, p, xp.abs(theta) + eta), steps,
                rng)


@expects(objective=landscape, theta=vector, eps=real, steps=whole(), rng=source)
def keskar_sharpness(objective, theta, eps=1e-3, steps=20, rng=None):
    """S3: the rise in per cent of 1 + L(w) within the box |e_i| <= ε (|w_i| + 1).

    Source: Keskar et al. 2017, arXiv:1609.04836, eq. 3 and 4 (Metric 2.1), with A the identity.
    Differs from the paper: the maximum is sought by `highest`, not by ten steps of L-BFGS-B.
    """
    check_radius("keskar_sharpness", "eps", eps)
    box = Ball(1.0, math.inf, eps * (xp.abs(theta) + 1.0))
    found = rise("keskar_sharpness", objective, theta, box, steps, rng)
    whole = 1.0 + float_of(as_objective(objective).value(theta))
    if not whole > 0:
        raise ValueError(f"keskar_sharpness: a share of 1 + L(w) means nothing where that is "
                         f"{whole:.6g}. Add a constant that makes the loss positive, or ask "
                         "sam_sharpness with p=inf.")
    return found._replace(value=100.0 * found.value / whole)


def rise(name, objective, theta, around, steps, rng):
    """The highest point of a neighbourhood above theta, as a Sharpness."""
    if steps < 1:
        raise ValueError(f"{name}: steps must be at least 1, got {steps}.")
    objective = as_objective(objective)
    ground, g = objective.value_and_grad(theta)
    ground = float_of(ground)
    if not math.isfinite(ground):
        raise ValueError(f"{name}: the loss at theta is {ground}. "
                         "Choose a point where it is finite.")
    if steps > 1 and rng is None and not bool((g != 0).any()):
        raise ValueError(f"{name}: the gradient at theta is zero, so there is no first "
                         "direction. Pass rng=numpy.random.default_rng(seed).")
    return Sharpness(*highest(objective, theta, around, ground, g, steps, rng))


def check_norm(name, p):
    if not p > 1:
        raise ValueError(f"{name}: p must lie in (1, inf], got {p}. 2 is the usual ball.")


def check_radius(name, what, value):
    if not value > 0:
        raise ValueError(f"{name}: {what} must be positive, got {value}.")
