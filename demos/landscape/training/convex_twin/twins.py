"""One data set, three landscapes on it, and what is measured of each.

    twin       (1/N) Σ CE(V x̃_i, y_i) + (ρ/2)|V|²           linear in V: convex, H >= ρ I
    network    the same, with a hidden layer: W₂ tanh(W₁ x̃_i)
    squares    (1/2N) |X̃ V - Y|²                             linear too: H is the same everywhere

x̃ is x and a 1, the ridge ρ counts the biases, and Y holds the labels as unit vectors.
"""
from typing import Any, NamedTuple

import numpy as np

import minigrad as mg
from minigrad.backend import to_host, xp
from optim import BFGS, SGD, Objective
from optim.descent import descent
from problems import Network
from problems.data import clusters
from problems.landscape import HessianOp, find_critical_point, lanczos
from problems.landscape.critical import (
    ball_least_squares, kkt_residuals, onto_ball, projected_descent)
from problems.networks.mlp import MLP

RIDGE, HIDDEN, EXAMPLES = 1e-3, 8, 1000
BOUND = 0.5                             # CE bends at most so much in its logits (Böhning 1992)
PLACES = (0, 3, 10, 30, 100, 300)       # steps at which curvature is taken, and the end


class Ridge(Network):
    """A network under its loss and half the ridge times the square of all its parameters."""

    def tree_loss(self, params, batch=None):
        squares = [mg.sum(mg.square(layer["W"]), axis=(-2, -1))
                   + mg.sum(mg.square(layer["b"]), axis=-1) for layer in params["layers"]]
        return super().tree_loss(params, batch) + 0.5 * RIDGE * sum(squares)


class Squares(Network):
    """(1/2N) |X̃ V - Y|², where the model's own loss is the mean over examples and classes."""

    def tree_loss(self, params, batch=None):
        return 0.5 * self.data[1].shape[1] * super().tree_loss(params, batch)


class Ways(NamedTuple):
    """Descents of one landscape from several starts.

    losses     [(steps,) of each start];    ends (starts, d), final (starts,), slopes |g| there
    lowest     (starts, places): smallest eigenvalue found by Lanczos, and its residual added, so
               that a negative number proves that an eigenvalue is negative
    highest    (starts, places): the largest, likewise with its residual taken off
    """

    losses: list
    ends: Any
    final: np.ndarray
    slopes: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray


def augmented(x):
    return xp.concatenate([x, xp.ones((len(x), 1), dtype=x.dtype)], axis=1)


def landscapes(seed):
    """(twin, network, squares, data) on the clusters of this seed."""
    data = clusters.load(seed, n_train=EXAMPLES, dtype="float64")
    x, y = data.train
    width, classes = x.shape[1], len(data.classes)
    one_hot = xp.eye(classes)[y]
    return (Ridge(MLP((width, classes), init="normal"), data.train),
            Ridge(MLP((width, HIDDEN, classes), "tanh", init="normal"), data.train),
            Squares(MLP((width + 1, classes), loss="mse", bias=False), (augmented(x), one_hot)),
            data)


def follow(problem, starts, rng, steps):
    """Down by BFGS from every start until |g| < 1e-8, with the curvature at places on the way."""
    objective, rows = Objective(problem), []
    for start in starts:
        losses, ends_of = [], []
        method = BFGS(search="wolfe", small=1e-8)
        for t, theta, loss, state in descent(method, objective, start, steps=steps):
            losses.append(float(loss))
            if t in PLACES:
                ends_of.append(extremes(problem, theta, rng))
            if bool(state["stopped"]):
                break
        ends_of = ends_of[:len(PLACES)] + [extremes(problem, theta, rng)] * (
            len(PLACES) + 1 - len(ends_of))
        slope = float(xp.linalg.norm(objective.value_and_grad(theta)[1]))
        rows.append((losses, theta, losses[-1], slope, *zip(*ends_of)))
    losses, ends, final, slopes, lowest, highest = zip(*rows)
    return Ways(list(losses), xp.stack(ends), *map(np.array, (final, slopes, lowest, highest)))


def extremes(problem, theta, rng):
    """(λ_min + its residual, λ_max - its residual), from one Lanczos run."""
    ritz = lanczos(HessianOp(problem, theta), min(40, len(theta)), "both", rng=rng)
    low, high = ritz.values[0] + ritz.residuals[0], ritz.values[-1] - ritz.residuals[-1]
    return float(low), float(high)


# ---------------------------------------------------------------------- the convex twin

def twin_starts(problem, count, rng):
    """Starts of lengths from a tenth of the usual to thirty times it."""
    scale = np.geomspace(0.1, 30.0, count)
    return [s * xp.asarray(rng.standard_normal(problem.layout.size)) / 3.3 for s in scale]


def one_minimum(problem, ends):
    """(largest distance of two ends, relative to their length; the ends), after Newton steps."""
    points = find_critical_point(problem, ends, method="newton", tol=1e-14, iterations=10)
    ends = np.stack([to_host(p.theta) for p in points])
    apart = np.linalg.norm(ends[:, None] - ends, axis=-1).max()
    return apart / np.linalg.norm(ends[0]), ends


def twin_curvature(problem, points):
    """(least λ_min / ρ, largest λ_max / its bound) over all points, from whole Hessians.

        ρ <= λ <= ρ + λ_max(X̃ᵀX̃/N) / 2
    """
    x = to_host(augmented(problem.data[0]))
    bound = RIDGE + BOUND * np.linalg.eigvalsh(x.T @ x / len(x))[-1]
    eigenvalues = np.concatenate([np.linalg.eigvalsh(to_host(Objective(problem).hessian(w)))
                                  for w in points])
    return eigenvalues.min() / RIDGE, eigenvalues.max() / bound


def saddle(problem):
    """The critical point of the network where all weights are 0, as `find_critical_point` has it.

    tanh(0) = 0: whatever the data, the gradient has a part along the last biases only. A hidden
    unit's weights in and out meet in M = X̃ᵀ(P - Y)/N, P the predicted shares of the classes, so
    each unit has the curvatures ρ ± s_j(M): the index is the number of s_j > ρ, for every unit.
    """
    return find_critical_point(problem, xp.zeros(problem.layout.size), method="newton", tol=1e-12)


# ---------------------------------------------------------------------- least squares

def one_rate(problem, rng, steps):
    """{what: (steps + 1,) excess loss} of descent below and above 2 / λ_max, and λ_max.

    "without" is the run above from a start that has no component along the top eigenvectors.
    """
    x = to_host(problem.data[0])
    eigenvalues, Q = np.linalg.eigh(x.T @ x / len(x))
    best = np.linalg.lstsq(x, to_host(problem.data[1]), rcond=None)[0]
    start = best + rng.standard_normal(best.shape)
    across = start - np.outer(Q[:, -1], Q[:, -1] @ (start - best))
    objective, found = Objective(problem), {}
    least = float(objective.value(xp.asarray(best.ravel())))
    for name, share, V in (("below", 0.99, start), ("above", 1.01, start),
                           ("without", 1.01, across)):
        run = descent(SGD(share * 2.0 / eigenvalues[-1]), objective, xp.asarray(V.ravel()),
                      steps=steps)
        found[name] = np.array([float(loss) for _, _, loss, _ in run]) - least
    return found, float(eigenvalues[-1])


class Walled(NamedTuple):
    """Least squares in the ball |V| <= r.

    share, active, multiplier   r over the length of the free minimum; whether the wall is touched
    kkt                         the four residuals, by automatic differentiation
    apart                       |V - V of projected descent| / |V|
    price                       -d(minimum)/d(r²/2), by central difference
    theta, free                 V, and the minimum without the wall, both (d, C)
    """

    share: float
    active: bool
    multiplier: float
    kkt: Any
    apart: float
    price: float
    theta: np.ndarray
    free: np.ndarray


def walled(problem, share):
    x, y = problem.data
    objective = Objective(problem)
    free = np.linalg.lstsq(to_host(x), to_host(y), rcond=None)[0]
    half = 0.5 * float(share * np.linalg.norm(free))**2                     # r²/2

    def solution(half_square):
        return ball_least_squares(x, y, (2.0 * half_square)**0.5)

    found = solution(half)
    V = found.theta.ravel()
    kkt = kkt_residuals(objective, [lambda v: 0.5 * mg.sum(v * v, axis=-1) - half], V,
                        [found.multiplier])
    top = float(np.linalg.eigvalsh(to_host(x.T @ x / len(x)))[-1])
    other, _ = projected_descent(objective, lambda v: onto_ball(v, (2.0 * half)**0.5),
                                 xp.zeros_like(V), 1.0 / top)
    h = 1e-4 * half
    heights = [float(objective.value(solution(half + s * h).theta.ravel())) for s in (1, -1)]
    return Walled(share, found.active, found.multiplier, kkt,
                  float(xp.linalg.norm(V - other) / xp.linalg.norm(V)),
                  (heights[1] - heights[0]) / (2.0 * h), to_host(found.theta), free)


def test_accuracy(problem, points, data):
    """Mean over the points of the share of test examples whose class is right."""
    logits = problem.model.apply(problem.params(xp.asarray(points)), data.test.inputs)
    return float(xp.mean(xp.argmax(logits, axis=-1) == data.test.targets))
