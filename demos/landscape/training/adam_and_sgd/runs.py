"""The runs: with the full batch, measured on the way; with minibatches, compared at one loss.

The loss is half the squared error over one-hot labels, for which λ_max does not fade with the
growing confidence of the network as it does under the cross-entropy.
"""
from typing import Any, NamedTuple

import numpy as np

from minigrad.backend import to_host, xp
from optim import SGD, Adam, Objective
from optim.descent import descent
from problems import Network
from problems.data import clusters
from problems.landscape.curvature import (
    HessianOp, PreconditionedOp, adam_preconditioner, adam_threshold, dense_hessian, lanczos,
    preconditioned_sharpness, threshold, top_curvature)
from problems.networks.mlp import MLP

SIZES, EXAMPLES, NOISE, BATCH = (10, 24, 24, 5), 300, 0.1, 32
RATES = {"SGD": 0.004 * 2.0 ** np.arange(8), "Adam": 0.001 * 2.0 ** np.arange(8)}
KEEP = 10                               # steps between the points that are kept of a minibatch run
LANCZOS = 20                            # products for one sharpness


class HalfSquares(Network):
    """(1/2N) Σ |z(x_i) - y_i|²; the model's own loss is the mean over examples and classes."""

    def tree_loss(self, params, batch=None):
        return 0.5 * SIZES[-1] * super().tree_loss(params, batch)


def network(seed):
    """(problem, data) on the clusters of this seed, a tenth of the labels redrawn."""
    data = clusters.load(seed, n_train=EXAMPLES, label_noise=NOISE, dtype="float64")
    x, y = data.train
    model = MLP(SIZES, "tanh", init="normal", loss="mse")
    return HalfSquares(model, (x, xp.eye(SIZES[-1])[y])), data


# ---------------------------------------------------------------------- the full batch

class Edge(NamedTuple):
    """One run with the full batch, measured every so many steps.

    steps, losses, raw    λ_max(H);   share   what is bounded, over its threshold
    theta, p              the end, and the diagonal of P there (Adam's only)
    """

    steps: np.ndarray
    losses: np.ndarray
    raw: np.ndarray
    share: np.ndarray
    theta: Any
    p: Any


def to_the_edge(problem, method, steps, every, rng):
    """Follow Adam, or descent without momentum, and measure its sharpness on the way: an Edge."""
    objective, rows, p = Objective(problem), [], None
    for t, theta, loss, state in descent(method, objective, problem.start(rng), steps=steps):
        if t == 0 or t % every:
            continue
        raw = top_curvature(problem, theta, rng, LANCZOS).value
        if isinstance(method, Adam):
            p = adam_preconditioner(method, state)
            bounded = preconditioned_sharpness(problem, theta, p, rng, LANCZOS).value
            share = bounded / adam_threshold(method.lr, method.beta1)
        else:
            share = raw / threshold(method.lr)
        rows.append((t, float(loss), raw, share))
    return Edge(*np.array(rows).T, theta, p)


def settled(edge):
    """The mean share over the last third of the measurements."""
    return edge.share[-(len(edge.share) // 3):].mean()


def advance(edge):
    """Mean λ_max over the last third / λ_max where the share was first within 2 % of 1, or above.

    nan where it never was
    """
    there = np.flatnonzero(edge.share >= 0.98)
    if not len(there):
        return np.nan
    return edge.raw[-(len(edge.raw) // 3):].mean() / edge.raw[there[0]]


def against_dense(problem, edge, rng):
    """|top of P^-½ H P^-½ by Lanczos - by a dense matrix| / top."""
    op = HessianOp(problem, edge.theta)
    H, scale = to_host(dense_hessian(op)), to_host(edge.p)
    exact = np.linalg.eigvalsh(H / np.sqrt(np.outer(scale, scale)))[-1]
    found = lanczos(PreconditionedOp(op, edge.p), 200, rng=rng).values[-1]
    return abs(found - exact) / exact


# ---------------------------------------------------------------------- minibatches

class Way(NamedTuple):
    """One run with minibatches: what is kept every KEEP steps.

    points (k, d), losses (k,) over all examples, lengths (k,) of the path so far; of n runs at
    once (k, n, d), (k, n), (k, n)
    """

    points: Any
    losses: np.ndarray
    lengths: np.ndarray


class End(NamedTuple):
    """One point of a way: see `measured`."""

    loss: float
    step: int
    length: float
    distance: float
    error: float
    sharpness: float
    eigenvalues: np.ndarray


def draw_batches(problem, rng, steps):
    x, y = problem.data
    picks = (rng.integers(0, EXAMPLES, BATCH) for _ in range(steps))
    return [(x[pick], y[pick]) for pick in map(xp.asarray, picks)]


def follow(problem, method, theta, batches):
    """A Way from theta (d,), or from rows of them (n, d), one step for each batch."""
    points, lengths, length, before = [], [], 0.0, theta
    objectives = (Objective(problem, batch) for batch in batches)
    whole = Objective(problem)
    with np.errstate(over="ignore", invalid="ignore"):      # of a rate that is too large
        for t, theta, _, _ in descent(method, objectives, theta):
            length = length + to_host(xp.linalg.norm(theta - before, axis=-1))
            before = theta
            if t % KEEP == 0:
                points.append(theta)
                lengths.append(length)
        losses = np.stack([to_host(whole.value(at)) for at in points])
    return Way(xp.stack(points), losses, np.array(lengths))


def search_rates(seed, steps, sets):
    """{method: (best rate, losses of all)}: one run at each rate on data sets of their own.

    The loss is the geometric mean over the sets and over the last ten points that are kept.
    """
    logs = {name: [] for name in RATES}
    for k in range(sets):
        problem, _ = network([*seed, 99, k])
        rng = np.random.default_rng([*seed, 98, k])
        batches, start = draw_batches(problem, rng, steps), problem.start(rng)
        for name, rates in RATES.items():
            method = methods({name: xp.asarray(rates)[:, None]})[name]
            way = follow(problem, method, xp.tile(start, (len(rates), 1)), batches)
            logs[name].append(np.log(way.losses[-10:]).mean(axis=0))
    losses = {name: np.nan_to_num(np.exp(np.mean(of, axis=0)), nan=np.inf)
              for name, of in logs.items()}
    return {name: (float(RATES[name][of.argmin()]), of) for name, of in losses.items()}


def methods(rates):
    """{name: method}: "Adam" with its usual memories, every other one SGD with momentum .9."""
    return {name: Adam(lr) if name == "Adam" else SGD(lr, momentum=0.9)
            for name, lr in rates.items()}


def matched(ways):
    """{name: place k} where each run's loss is nearest to the higher of their lowest losses."""
    level = max(np.nanmin(way.losses) for way in ways.values())
    return {name: int(np.nanargmin(np.abs(np.log(way.losses / level))))
            for name, way in ways.items()}


def measured(problem, data, way, k):
    """The point k of a way: loss, step, path so far, distance from the start, test error,
    λ_max, and all eigenvalues of the Hessian, largest first."""
    theta = way.points[k]
    logits = problem.model.apply(problem.params(theta), data.test.inputs)
    eigenvalues = np.linalg.eigvalsh(to_host(dense_hessian(HessianOp(problem, theta))))[::-1]
    return End(float(way.losses[k]), k * KEEP, float(way.lengths[k]),
               float(xp.linalg.norm(theta - way.points[0])),
               float(xp.mean(xp.argmax(logits, axis=-1) != data.test.targets)),
               float(eigenvalues[0]), eigenvalues)
