"""Layers inside a network: where identity curvature fails, and what repairs it.

For every layer of a small network the loss is searched along Ψ_t(G) of that layer alone, for t on
a grid, all searches side by side; then three criteria say which t they would have chosen.
"""
import numpy as np

from minigrad.backend import to_host, xp
from optim import Objective
from optim.second_order.line_search import section
from optim.lmo import psi
from optim.lmo.exponent import curve, gain, spectrum
from optim.lmo.factors import output_factors
from problems import Network
from problems.networks.mlp import MLP

from .regressions import ENDS, GRID, Truth

CURVATURES = ("identity", "kfac", "hvp")
PLACES = np.array([0, 2, 5, 8, 10])                     # of the grid: products are dear
COARSE = GRID[PLACES]


def network(rng):
    """A three-layer perceptron, relu or tanh, squares or cross-entropy, a few steps from its
    start, on labels of a noisy teacher."""
    sizes = tuple(int(rng.integers(low, high)) for low, high in ((10, 31), (12, 33), (12, 33),
                                                                 (4, 11)))
    loss, phi = ("mse", "cross_entropy")[rng.integers(2)], ("relu", "tanh")[rng.integers(2)]
    x = rng.standard_normal((256, sizes[0])) * np.arange(1, sizes[0] + 1) ** -rng.uniform(0, 1)
    x /= x.std()
    teacher = MLP(sizes, phi, "normal")
    y = to_host(teacher.apply(teacher.init(rng), xp.asarray(x)))
    y = y + 0.1 * y.std() * rng.standard_normal(y.shape)
    problem = Network(MLP(sizes, phi, "lecun", loss=loss),
                      (x, y if loss == "mse" else y.argmax(axis=1)))
    theta, objective = problem.start(rng), Objective(problem)
    for _ in range(int(rng.integers(0, 21))):
        theta = theta - 0.1 * objective.value_and_grad(theta)[1]
    return problem, theta, f"{phi}, {'squares' if loss == 'mse' else 'cross-entropy'}"


def layers(rng):
    """Of one network: [{curvature: (right, captured), ...} for each layer], its kind."""
    problem, theta, kind = network(rng)
    objective, found = Objective(problem), []
    loss, g = objective.value_and_grad(theta, watch=True)
    (height, seen), = objective.layers
    product, factors = objective.hvp(theta), output_factors(height, seen)
    for layer, Gamma in zip(seen, factors):
        entry = problem.layout[layer.weight]
        where = slice(entry.start, entry.stop)
        G = g[where].reshape(entry.shape).T                     # (out, in)
        steps = xp.stack([on_point(psi(G, float(t)), where, len(theta)) for t in GRID])
        fallen = search(objective, theta, float(loss), g, steps)
        truth = Truth(fallen[[0, -1]], fallen)
        rows = layer.rows()
        of = {"identity": spectrum(G, G, rows), "kfac": spectrum(G, G, rows, Gamma)}
        entry = {name: truth.judged(gain(*curve(*s, ENDS)), gain(*curve(*s, GRID)))
                 for name, s in of.items()}
        bent = [by_product(G, t, where, product, len(theta)) for t in COARSE]
        on_grid = np.full(len(GRID), -1.0)
        on_grid[PLACES] = ranked(bent)
        entry["hvp"] = truth.judged(ranked([bent[0], bent[-1]]), on_grid)
        for name, end in (("always SGD", 1), ("always Muon", 0)):
            entry[name] = truth.judged(np.eye(2)[end], np.interp(GRID, ENDS, np.eye(2)[end]))
        found.append(entry)
    return found, kind


def on_point(X, where, size):
    """A layer's step (out, in) as a direction of the whole point."""
    step = xp.zeros(size)
    step[where] = X.T.ravel()
    return step


def search(objective, theta, loss, g, steps):
    """The fall of the loss along each of the steps, at its best length: bracket by doubling from
    the length that the gradient promises, then a golden section, all steps side by side."""
    steps = steps / xp.sqrt((steps * steps).sum(axis=1, keepdims=True))

    def height(a):
        return to_host(objective.value(theta - xp.asarray(a)[:, None] * steps))
    high = np.full(len(steps), 1e-3)
    now, after = height(high), height(2 * high)
    for _ in range(24):                                         # up to where every loss rises again
        rising = after >= now
        if rising.all():
            break
        high = np.where(rising, high, 2 * high)
        now, after = height(high), height(2 * high)
    low, high = section(height, np.zeros(len(steps)), 2 * high, lambda low, high: 1e-4 * high.max())
    return np.maximum(loss - height(0.5 * (low + high)), 0.0)


def by_product(G, t, where, product, size):
    """(J, N/|X|) of one exponent with D = <X, H X>; J is inf where D is not positive."""
    X = psi(G, float(t))
    v = on_point(X, where, size)
    N, D = float((G * X).sum()), float((v * product(v)).sum())
    return (np.inf if D <= 0 else max(N, 0.0)**2 / D), N / float(xp.sqrt((X * X).sum()))


def ranked(entries):
    """J as ranks, so that equals at inf are told apart by their alignment."""
    order = sorted(range(len(entries)), key=entries.__getitem__)
    ranks = np.empty(len(entries))
    ranks[order] = np.arange(len(entries))
    return ranks
