"""Critical points under constraints: where the slope is balanced by the walls that are touched.

    minimise L(θ)  where  c_i(θ) <= 0 for all i;      multipliers μ_i, one a constraint

    stationarity      |∇L + Σ_i μ_i ∇c_i|      the walls hold what the slope pulls
    primal            max(0, c_i)              the point is allowed
    dual              max(0, -μ_i)             a wall pushes inwards, never outwards
    complementarity   |μ_i c_i|                a wall that is not touched does not push

These four (Karush, Kuhn and Tucker) vanish at every well-behaved minimum. Where L and all c_i are
convex the converse holds too, and they are a certificate: a point at which they vanish is the
minimum, whichever way it was found. A multiplier is also a price: giving way at wall i by a small
e, c_i <= e, lowers the minimum by μ_i e.

`kkt_residuals` asks any landscape. `ball_least_squares` solves one problem exactly, and
`projected_descent` knows nothing of multipliers and must come to the same point.

Source: Nocedal & Wright 2006, Numerical Optimization, section 12.3 (the conditions) and section 4.3
(the secular equation); Boyd & Vandenberghe 2004, Convex Optimization, section 5.5.3 (sufficiency).
"""
import math
from typing import Any, NamedTuple

import numpy as np

from minigrad.backend import float_of, to_host, xp
from minigrad.kinds import array, expects, function, matrices, positive, row, vector, whole
from problems.landscape.doors import landscape

ITERATIONS = 100                        # of Newton on the secular equation; about ten are needed
RANK_CUT = 1e-13                        # singular values below this share of the largest are zero


class KKT(NamedTuple):
    """The four residuals, each the largest over the constraints; stationarity is a 2-norm."""

    stationarity: float
    primal: float
    dual: float
    complementarity: float

    @property
    def worst(self):
        """The largest of the four: 0 at a constrained critical point."""
        return max(self)


class BallSolution(NamedTuple):
    """The least squares solution in a ball.

    theta        V (d,) or (d, C), as the targets are
    multiplier   μ of c(V) = (|V|² - r²)/2 <= 0; 0 where the ball is not touched
    active       whether it is
    iterations   Newton steps on the secular equation
    """

    theta: Any
    multiplier: float
    active: bool
    iterations: int


def functions(where, name, value):
    """A list of constraints, at least one; each is looked at where it is used."""
    if not isinstance(value, (list, tuple)) or not value:
        raise TypeError(f"{where}: {name} must be a list of functions c(theta) <= 0, got "
                        f"{type(value).__name__}. Put a single one into a list.")
    return value


@expects(objective=landscape, constraints=functions, theta=vector, multipliers=row)
def kkt_residuals(objective, constraints, theta, multipliers):
    """How far theta (d,) and its multipliers are from the conditions of the module: a KKT.

    constraints  functions c_i of theta, or Objectives, each meaning c_i(θ) <= 0
    multipliers  μ (k,), one for each
    """
    if len(multipliers) != len(constraints):
        raise ValueError(f"kkt_residuals: {len(constraints)} constraints need as many multipliers, "
                         f"got {len(multipliers)}. Give 0 to a constraint that does not bind.")
    _, slope = objective.value_and_grad(theta)
    values = []
    for i, (constraint, mu) in enumerate(zip(constraints, multipliers)):
        wall = landscape("kkt_residuals", f"constraints[{i}]", constraint)
        value, normal = wall.value_and_grad(theta)
        values.append(float_of(value))
        slope = slope + float(mu) * normal
    values = np.array(values)
    return KKT(float_of(xp.linalg.norm(slope)), float(np.maximum(values, 0.0).max()),
               float(np.maximum(-multipliers, 0.0).max()),
               float(np.abs(multipliers * values).max()))


@expects(X=matrices, Y=array, radius=positive)
def ball_least_squares(X, Y, radius):
    """The minimum of (1/2N) |X V - Y|² over |V| <= r, by the secular equation: a BallSolution.

        (XᵀX/N + μ I) V = XᵀY/N,    |V(μ)|² = Σ_j s_j² |b_j|² / (s_j² + μ)² = r²

    with X/√N = U diag(s) Qᵀ and b = Uᵀ Y/√N, so the multiplier is the ridge that would have led to
    the same solution. If |V(0)| <= r the wall is not touched and μ = 0. Else Newton finds the root
    of 1/|V(μ)| - 1/r, an increasing, concave function: from μ = 0 its steps never pass the root.

    Source: Nocedal & Wright 2006, section 4.3; the norm is Frobenius' for several targets.

    X       (N, d) inputs;   Y  (N,) or (N, C) targets
    radius  r
    Raises  ValueError for shapes that do not fit, numbers that are not finite, r <= 0
    """
    if X.ndim != 2 or Y.ndim not in (1, 2) or len(Y) != len(X):
        raise ValueError(f"ball_least_squares: needs X (N, d) and Y (N,) or (N, C), got "
                         f"{tuple(X.shape)} and {tuple(Y.shape)}.")
    if not bool(xp.isfinite(X).all() & xp.isfinite(Y).all()):
        raise ValueError("ball_least_squares: X and Y must be finite. Look for NaN in the data.")
    scale = 1.0 / math.sqrt(len(X))
    U, s, Qt = xp.linalg.svd(X * scale, full_matrices=False)
    b = U.T @ (Y.reshape(len(Y), -1) * scale)
    curve, pull = (np.asarray(to_host(a), float) for a in (s, xp.sqrt(xp.sum(b * b, axis=1))))
    kept = curve > RANK_CUT * curve.max()
    mu, steps = secular(curve[kept], pull[kept], radius)
    weight = np.zeros(len(curve))
    weight[kept] = curve[kept] / (curve[kept]**2 + mu)
    V = Qt.T @ (xp.asarray(weight, dtype=X.dtype)[:, None] * b)
    return BallSolution(V.reshape(-1, *Y.shape[1:]), mu, mu > 0.0, steps)


def secular(s, b, radius):
    """(μ, steps): the μ >= 0 with |V(μ)| = r, or 0 if |V(0)| <= r already."""
    mu = 0.0
    for k in range(ITERATIONS):
        length = math.sqrt(float(np.sum((s * b / (s * s + mu))**2)))
        if length <= radius:
            return mu, k
        fall = float(np.sum((s * b)**2 / (s * s + mu)**3))         # -d(|V|²/2)/dμ
        step = (length - radius) / radius * length**2 / fall
        if mu + step == mu:
            break
        mu += step
    return mu, k


@expects(theta=array, radius=positive)
def onto_ball(theta, radius):
    """The nearest points (..., d) of the ball |θ| <= r."""
    length = xp.linalg.norm(theta, axis=-1, keepdims=True)
    return theta * (float(radius) / xp.maximum(length, float(radius)))


@expects(objective=landscape, project=function, theta=vector, lr=positive, steps=whole(1))
def projected_descent(objective, project, theta, lr, steps=10_000):
    """θ <- P(θ - η ∇L(θ)) until it stands still to rounding: (theta, steps taken).

    project   P, the nearest allowed point
    lr        η; a convex L of curvature at most λ goes down at every step for η <= 1/λ

    Source: Nocedal & Wright 2006, section 16.7 (for boxes); any convex set will do.
    """
    still, lr = 4.0 * float(np.finfo(theta.dtype).eps), float(lr)
    theta = project(theta)
    for k in range(steps):
        with np.errstate(over="ignore", invalid="ignore"):
            new = project(theta - lr * objective.value_and_grad(theta)[1])
            moved = float_of(xp.linalg.norm(new - theta))
        if not math.isfinite(moved):
            raise ValueError(f"projected_descent: step {k} is not finite. Use a smaller lr than "
                             f"{lr}.")
        theta = new
        if moved <= still * (1.0 + float_of(xp.linalg.norm(theta))):
            return theta, k + 1
    return theta, steps
