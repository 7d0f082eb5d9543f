"""Document A, optimisers from the induced metric: its notebooks, its tables, its decay."""
import json
import time
from itertools import combinations_with_replacement
from math import comb

import numpy as np

import minigrad as mg
from minigrad import Layout
from minigrad.backend import to_host, xp
from optim import NGN, SGD, Induced, InducedMetric, Muon, NAdam, Objective, descent
from problems import data, functions

from demos.__main__ import FOLDER
from demos.evidence import ratio_interval
from demos.induced_metric.test_functions.grid import (
    OPTIMIZERS, TASKS, configurations, distinct_configurations)
from demos.trial.errata.slip import ONE, Slip, numbers

PUBLISHED = FOLDER / "induced_metric" / "published"
FAILED = 1000                                           # updates of a run that does not arrive


def slips(args):
    yield run_times()
    yield columns(args.seed)
    yield decay()
    yield muon()
    yield configurations_counted()
    yield lucky(args.seed)
    yield square_root()


# ---------------------------------------------------------------------- the notebooks

def run_times():
    times = json.loads((PUBLISHED / "run_times.json").read_text())["milliseconds"]
    best = json.loads((PUBLISHED / "test_functions.json").read_text())["best"]["cells"]
    updates = {(f, o): best[f][o][0] for f in TASKS for o in OPTIMIZERS}
    arrived, failed = {}, {}
    for (f, o), n in updates.items():
        (arrived if n else failed).setdefault(o, []).append(times[f][o] / (n or FAILED))
    both = [o for o in OPTIMIZERS if o in failed]
    means = [[np.exp(np.mean(np.log(part[o]))) for o in both] for part in (arrived, failed)]
    ratio = ratio_interval(*means)
    ours = [booked(twice) for twice in (True, False)]
    return Slip(
        "A1", "run times of the best runs", "test function notebook, printed table",
        ("the seconds of each optimizer's best run",
         f"an update costs {ratio[0]:.2f} times as much in runs that arrive as in runs that do "
         f"not; our update booked by that line (at arrival, total += total) {ours[0]:.2f} times",
         "a run is booked once", f"the same update of ours {ours[1]:.2f} times"),
        "published milliseconds an update, in runs that arrive / in runs that do not (booked once: "
        "1)", ratio, dict(equivalent=(2.0, 0.2), how=f"95 % t of logarithms, {len(both)} "
        "optimizers", why="booked twice, and a tenth for what a run costs besides its updates"),
        (ratio[0], 1.0), {"optimizers": both, "arrived": means[0], "not": means[1]})


def booked(twice, updates=200):
    """Time an update of a run that arrives / of one that does not, both of `plain` on Beale."""
    def total(arrived):
        method, theta = InducedMetric(0.01, xi=0.01, momentum=0.5, beta=0.0), xp.zeros(2)
        began = time.process_time()
        for _ in descent(method, functions.beale, theta, steps=updates):
            pass
        spent = time.process_time() - began
        return spent + spent if arrived and twice else spent
    pairs = [(total(True), total(False)) for _ in range(7)]
    return float(np.median([a / b for a, b in pairs]))


def columns(seed):
    """The shipped targets as a polynomial of the four columns: what is left unexplained."""
    part = data.load("polynomial", split="paper", dtype="float64").train
    x, y = to_host(part.inputs), to_host(part.targets)
    names = [m for k in range(7) for m in combinations_with_replacement(range(6), k)]
    distinct = len({tuple(min(c, 3) for c in m) for m in names})
    rng = np.random.default_rng(seed)
    left = unexplained(x, y)
    six = np.concatenate([x, rng.standard_normal((len(x), 2))], axis=1)
    honest = sum(c * np.prod(six[:, list(m)], axis=1)
                 for m, c in zip(names, rng.standard_normal(len(names))))
    other = unexplained(x, honest)
    return Slip(
        "A2", "the regression's six variables", "section on regression, and its data",
        (f"a polynomial of degree 6 in six variables, {len(names)} monomials",
         "the inputs have four columns; an index beyond the last is answered with the last, so "
         f"{distinct} monomials are left: four columns leave {left:.1e} of the target unexplained",
         "six columns", f"the four first of them leave {other:.2f} of such a target unexplained"),
        "share of the published target's variance that polynomials of the four columns leave "
        "unexplained", left, dict(at_most=1e-6, how="exact: least squares on the 8,192 points",
                                  why="float32 rounding of the targets"), (len(names), distinct))


def unexplained(x, y, degree=6):
    """Share of the variance of y that no polynomial of the columns of x (n, d) explains."""
    powers = [m for k in range(degree + 1)
              for m in combinations_with_replacement(range(x.shape[1]), k)]
    assert len(powers) == comb(x.shape[1] + degree, degree)
    A = np.stack([np.prod(x[:, list(m)], axis=1) for m in powers], axis=1)
    A /= np.linalg.norm(A, axis=0)
    rest = y - A @ np.linalg.lstsq(A, y, rcond=None)[0]
    return float(rest @ rest / np.sum((y - y.mean())**2))


# ---------------------------------------------------------------------- the update rule

def decay():
    """Where plain comes to rest on a bowl off the origin, for three rates."""
    rates, lam = (0.025, 0.05, 0.1), 0.1

    def bowl(x):
        return 0.5 * mg.sum((x - 1.0) ** 2 * xp.asarray([1.0, 8.0]), axis=-1)

    def rest(lr, lam):
        method = InducedMetric(lr, xi=0.1, momentum=0.0, beta=0.0, decay=lam)
        *_, (_, theta, _, _) = descent(method, bowl, xp.ones(2) * 0.5, steps=4000)
        return to_host(theta)
    printed = np.array([rest(lr, 0.05 * lam / lr) for lr in rates])
    coded = np.array([rest(lr, lam) for lr in rates])
    moved, still = (np.abs(p - p[1]).max() for p in (printed, coded))
    return Slip(
        "A3", "weight decay", "Algorithm 1 as others cite it, against the author's code",
        ("+ λ θ, λ <= 0, with no learning rate",
         "the point of rest depends on the rate: |θ| = "
         + numbers(np.linalg.norm(printed, axis=1)) + f" at rates {numbers(rates)}",
         "- η λ θ, as the code has it", f"|θ| = {numbers(np.linalg.norm(coded, axis=1))}, equal "
         f"within {still:.0e}"),
        "how far the point of rest moves when the rate is halved or doubled", float(moved),
        dict(at_least=0.01, how=ONE, why="far above rounding; with the rate as a factor it is 0"))


def muon():
    """The notebook's Muon on a vector of two numbers."""
    settings = dict(beta1=0.9, beta2=0.99)
    start = xp.asarray([0.0, 0.0])

    def path(method):
        return np.array([to_host(x) for _, x, _, _ in descent(
            method, functions.beale, start, steps=60)])
    vector, matrix = Layout({"x": xp.zeros(2)}), Layout({"x": xp.zeros((2, 1))})
    there = path(Muon.optax(vector, 0.1, momentum=0.9, **settings))
    apart = np.abs(there - path(NAdam(0.1, **settings))).max()
    beta = np.abs(there - path(Muon.optax(vector, 0.1, momentum=0.5, **settings))).max()
    true = np.abs(there - path(Muon.optax(matrix, 0.1, momentum=0.9, **settings))).max()
    return Slip(
        "A4", "Muon in the table of test functions", "test function notebook",
        ("a sixth optimizer, Muon, tuned over its β",
         f"on a vector it is NAdam (paths {apart:.0e} apart), and β changes the path by {beta:.0e}",
         "NAdam; or the vector as a matrix of one column", "orthogonalised, that path lies "
         f"{true:.2g} away"),
        "largest distance between the paths of the published Muon and of NAdam", float(apart),
        dict(at_most=1e-12, how=ONE, why="rounding, grown over 60 updates"))


def configurations_counted():
    runs = 5 * sum(map(configurations, OPTIMIZERS))
    distinct = 5 * sum(map(distinct_configurations, OPTIMIZERS))
    return Slip(
        "A5", "the number of runs", "grid of the test function notebook",
        (f"{runs:,} runs", "a rate is listed twice, and so is a value of a β that does nothing",
         "each configuration once", f"{distinct:,} distinct runs"),
        "distinct runs of the grid, share of those counted", distinct / runs,
        dict(below=1.0, how="exact: counted"), (runs, distinct))


def lucky(seed, starts=40):
    rng = np.random.default_rng(seed)
    near = xp.asarray(2.0 + rng.uniform(-0.1, 0.1, (starts, 2)))
    start = xp.asarray([2.0, 2.0])

    def arrives(theta, steps):
        best = xp.full(theta.shape[:-1], np.inf)
        for _, _, loss, _ in descent(SGD(1.0, momentum=0.5), functions.rastrigin, theta,
                                     steps=steps):
            best = xp.minimum(best, loss)
        return to_host(best) <= 1e-6
    there, others = int(arrives(start[None], 2).sum()), int(arrives(near, 1000).sum())
    return Slip(
        "A6", "SGD solves Rastrigin in two updates", "test function notebook, table of best runs",
        ("2 updates, ahead of all others", f"from (2, 2) it does ({there} of 1): the slope there "
         "is 2θ, so 2 goes to -2 and to 0",
         "the same settings from starts within 0.1 of it",
         f"{others} of {starts} arrive in 1,000 updates"),
        f"of {starts} starts beside the published one, those from which the published settings "
        "arrive at all", others, dict(equals=0, how="exact: counted", lesson="It is no accident "
                                      "of the start."))


def square_root():
    """NGN's step beside the induced metric of the square root of the loss."""
    worst, objective = 0.0, Objective(functions.rosenbrock)
    ngn, induced, plain = NGN(0.3), Induced(SGD(0.3), q=0.5, xi=0.15), Induced(SGD(0.3), xi=0.15)
    other = 0.0
    for _, x, loss, _ in descent(ngn, objective, xp.asarray([-1.2, 1.0]), steps=300):
        _, g = objective.value_and_grad(x)
        a, b, c = (to_host(m.update(g, loss, x, m.init(x))[0]) for m in (ngn, induced, plain))
        size = np.abs(a).max()
        worst = max(worst, np.abs(a - b).max() / size)
        other = max(other, np.abs(a - c).max() / size)
    return Slip(
        "A7", "NGN and the induced metric", "A's metrics of L and log L; NGN in document D",
        ("two methods of two papers",
         "NGN is A's construction for the square root of the loss, with half the rate as weight: "
         f"steps differ by {worst:.0e}", "one family, L^q: q = 1 plain, 1/2 NGN, 0 log",
         f"at q = 1 the steps differ by {other:.2g}"),
        "largest relative difference of NGN's steps and those of the metric of the square root",
        float(worst), dict(at_most=1e-15, how=ONE, why="four roundings of float64"))
