"""Our design: CLUSTERS-8, where everything is small enough for intervals, controls and reversals.

A tanh network 10-h-4 on 400 noisily labelled points, half the squared norm of the weights times 1e-4
in the training loss. Both methods start from the same points, so arms are compared run by run; a
pair of networks shares runs with other pairs, so intervals draw runs again, not pairs.
"""
import numpy as np

from minigrad.backend import float_of, to_host, xp
from optim import BFGS, Objective
from problems.data import load
from problems.landscape.alignment.assignment import linear_assignment
from problems.networks.mlp import MLP

from demos.evidence import paired_bootstrap
from demos.topography.arms import Penalised, plain_losses, quasi_newton, sgd
from demos.topography.connect import connect

ARMS = ("SGD-ES", "QN-ES", "SGD-long", "QN-full")
EPOCHS, ITERATIONS = 400, 500


def problem_of(hidden):
    """The landscape, and the three parts of its data."""
    data = load("clusters-8")
    parts = (data.train, data.valid, data.test)
    model = MLP((10, hidden, 4), "tanh", init="normal")
    return Penalised(model, data.train), parts


def train(seed, index, hidden, epochs, iterations):
    """All arms from one start: {"points": {arm: (d,)}, "numbers": {arm: {...}}}, on the host."""
    problem, parts = problem_of(hidden)
    rng = np.random.default_rng([seed, index])
    start = problem.start(rng)
    slow = sgd(problem, start, parts, rng, epochs=epochs)
    reached = float_of(problem.loss(slow.end))
    fast = quasi_newton(problem, start, parts, BFGS(), steps=iterations, level=reached)
    points = {"SGD-ES": slow.early, "QN-ES": fast.early, "SGD-long": slow.end, "QN-full": fast.end,
              "QN at SGD's loss": fast.level}
    points = {name: theta for name, theta in points.items() if theta is not None}
    numbers = {name: measure(problem, parts, theta) for name, theta in points.items()}
    onward = quasi_newton(problem, slow.end, parts, BFGS(), steps=iterations)
    back = sgd(problem, fast.end, parts, rng, epochs=epochs // 4)
    numbers["QN-full"]["passes"], numbers["SGD-long"]["passes"] = fast.passes, slow.passes
    return {"points": {name: to_host(theta) for name, theta in points.items()},
            "numbers": numbers,
            "onward": {"QN from SGD-long": float_of(problem.loss(onward.end)),
                       "SGD from QN-full": float_of(problem.loss(back.end))},
            "curves": {"SGD": slow.curve, "QN": fast.curve}}


def measure(problem, parts, theta):
    """Losses, accuracy, size, and the curvature at one point (exact: d is small)."""
    outputs = problem.model.apply(problem.params(theta), parts[2].inputs)
    l = np.linalg.eigvalsh(to_host(Objective(problem).hessian(theta)))
    return {"train": float_of(problem.loss(theta)),
            "valid": float_of(plain_losses(problem, parts)[0](theta)),
            "test": float_of(plain_losses(problem, parts)[1](theta)),
            "accuracy": float_of((outputs.argmax(axis=-1) == parts[2].targets).mean()),
            "norm": float_of(xp.linalg.norm(theta)),
            "lambda_max": float(l[-1]), "lambda_min": float(l[0]), "trace": float(l.sum())}


def barrier(seed, hidden, a, b, quick, align):
    """Between two points: the straight line, the Fourier path, and the straight line after the
    units of b were put in the order of a's: {what: number}."""
    problem, _ = problem_of(hidden)
    objective = Objective(problem)
    a, b = xp.asarray(a), xp.asarray(b)
    found = connect(objective, a, b, seed, quick=quick)
    if align:
        lined = aligned(problem, a, b)
        found["aligned straight"] = connect(objective, a, lined, seed, straight=True)["straight"]
    return found


def aligned(problem, a, b):
    """b with its tanh units in the order, and with the signs, that agree best with those of a.

        S_ij = (w_i^a · w_j^b + b_i b_j + v_i^a · v_j^b),    max over π of Σ_i |S_iπ(i)|,
        the sign of unit i being that of S_iπ(i):   (w, b, v) -> (-w, -b, -v) changes no output
    """
    (A, headA), (B, headB) = (problem.params(theta)["layers"] for theta in (a, b))
    S = to_host(A["W"].T @ B["W"] + A["b"][:, None] * B["b"][None, :] + headA["W"] @ headB["W"].T)
    order = np.asarray(linear_assignment(np.abs(S), maximize=True))
    sign = xp.asarray(np.where(S[np.arange(len(order)), order] < 0, -1.0, 1.0))
    order = xp.asarray(order)
    return problem.layout.ravel({"layers": [
        {"W": B["W"][:, order] * sign, "b": B["b"][order] * sign},
        {"W": headB["W"][order] * sign[:, None], "b": headB["b"]}]})


def pairs_of(n, per_run=3):
    """Pairs (i, j) in which every run stands equally often: each with its next ones in a ring; all
    pairs of up to six runs."""
    per_run = n if n <= 6 and per_run > 1 else per_run
    return sorted({tuple(sorted((i, (i + k) % n)))
                   for i in range(n) for k in range(1, min(per_run, (n - 1) // 2 or 1) + 1)})


def over_runs(rng, statistic, pairs, *values):
    """A statistic of pair values with an interval over runs: (value, low, high).

    Runs are drawn again with replacement; a pair then stands as often as both of its runs do.
    values   (pairs,) each, of one or several arms that share their starts
    """
    n = 1 + max(map(max, pairs))
    first, second = (np.array(side) for side in zip(*pairs))

    def of(sample):
        times = np.bincount(sample.astype(int), minlength=n)
        weight = times[first] * times[second]
        weight = weight if weight.any() else np.ones_like(weight)       # one run, drawn n times
        return statistic(*(np.repeat(v, weight) for v in values))
    return paired_bootstrap(rng, of, np.arange(n), draws=2000)


def ratio_of_means(above, below):
    return np.mean(above) / max(np.mean(below), 1e-300)


def spread(points):
    """Mean distance between pairs of points (n, d), and the same over their mean norm."""
    distances = [np.linalg.norm(a - b) for i, a in enumerate(points) for b in points[:i]]
    return np.mean(distances), np.mean(distances) / np.mean(np.linalg.norm(points, axis=1))
