"""The same tools on a network: the rates they allow, and λ_max on the way.

A tanh network 10-32-32-32-32-5 fits 100 points of Gaussian clusters by squares. A run works if it
ends below half the loss of the best constant: a network whose units have all been driven into
saturation outputs a constant, and ends below its start for nothing.
"""
from typing import NamedTuple

import numpy as np

from demos.evidence import ratio_interval
from demos.landscape.training.stable_rate import largest_stable, losses_of, rising
from minigrad.backend import to_host, xp
from optim import SGD, Objective, cosine
from optim.descent import descent
from problems import Network
from problems.data.clusters import gaussian_centres, gaussian_clusters
from problems.landscape.curvature.sharpness import top_curvature
from problems.networks.mlp import MLP

WARMUP, STEPS, LAST = 40, 140, 10
CLIP = 0.5
TOOLS = ("constant", "warm-up", "clipping", "cosine")


class Case(NamedTuple):
    """One data set and start: the landscape, the point, λ_max there, the loss of a constant."""

    problem: Network
    start: np.ndarray
    lam: float
    constant: float


class Climb(NamedTuple):
    """λ_max over steps of a run whose rate rises to `rate`, and at the same loss on a slow one.

    steps, lam, losses  (times,), every fourth step; at `full` the rate has reached its height
    slow                (loss, λ_max) of the slow run where its loss first is that of the warm-up's
                        end; NaN if it never is
    """

    rate: float
    steps: np.ndarray
    lam: np.ndarray
    losses: np.ndarray
    slow: tuple

    @property
    def full(self):
        return int(np.flatnonzero(self.steps == WARMUP)[0])


def case(seed, k):
    rng = np.random.default_rng([seed, 9, k])
    x, labels = gaussian_clusters(rng, gaussian_centres(rng), 100)
    targets = np.eye(5)[labels] - np.eye(5)[labels].mean(axis=0)
    model = MLP((10, 32, 32, 32, 32, 5), "tanh", "normal", loss="mse", gain=1.5)
    problem = Network(model, (xp.asarray(x), xp.asarray(targets)))
    start = problem.start(rng)
    return Case(problem, start, top_curvature(problem, start, rng, 20).value,
                float((targets**2).mean()))


def works(case, tool, rates):
    """Which rates (n,) end below half the loss of the best constant."""
    lr, starts = xp.asarray(rates)[:, None], xp.repeat(case.start[None], len(rates), axis=0)
    schedule = {"warm-up": rising(lr, WARMUP), "cosine": cosine(lr, STEPS)}.get(tool, lr)
    objective = Objective(case.problem, clip=CLIP if tool == "clipping" else None)
    losses = losses_of(objective, starts, schedule, STEPS)
    return losses[-LAST:].mean(axis=0) < 0.5 * case.constant


def climb(case, rate, rng):
    """λ_max while the rate rises, and at the same loss on a descent with 1/(2λ)."""
    steps, lam, losses = [], [], []
    objective = Objective(case.problem)
    for t, theta, loss, _ in descent(SGD(rising(rate, WARMUP)), objective, case.start,
                                     steps=STEPS):
        if t % 4 == 0:
            steps.append(t), losses.append(float(loss))
            lam.append(top_curvature(objective, theta, rng, 15).value)
    found, slow = Climb(rate, np.array(steps), np.array(lam), np.array(losses), None), None
    for _, theta, loss, _ in descent(SGD(0.5 / case.lam), objective, case.start, steps=2000):
        if float(loss) <= found.losses[found.full]:
            slow = float(loss), top_curvature(objective, theta, rng, 15).value
            break
    return found._replace(slow=slow or (np.nan, np.nan))


def measure(args, report):
    """The largest stable rates in units of 2/λ of the start {tool: (cases,)}, and the climbs."""
    count = 1 if args.quick else 8
    rates, climbs = {tool: [] for tool in TOOLS}, []
    for k in range(count):
        report.progress(f"networks, data set {k + 1}", 0.2 + 0.8 * (k + 0.1) / count)
        one = case(args.seed, k)
        for tool in TOOLS:
            found = largest_stable(lambda lr: works(one, tool, lr), 1 / one.lam, 128 / one.lam)
            rates[tool].append(found.value * one.lam / 2)
        middle = np.sqrt(rates["constant"][-1] * rates["warm-up"][-1]) * 2 / one.lam
        climbs.append(climb(one, float(middle), np.random.default_rng([args.seed, 10, k])))
    rates = {tool: np.array(values) for tool, values in rates.items()}
    report.data["network"] = dict(rates, climbs=[c._asdict() for c in climbs])
    return rates, climbs


def claim_networks(report, rates, climbs, runs):
    """rates {tool: (cases,)} in units of 2/λ of the start; climbs (cases,)."""
    asked = dict(how=f"search to 6 %, 95 % t of logarithms, {runs}", quick=False)
    paper = dict(origin="paper", **asked)
    report.claim("network: the largest stable rate with a warm-up / without",
                 *ratio_interval(rates["warm-up"], rates["constant"]), above=1.0,
                 where="abstract of arXiv:2406.09405; here one small network", **paper)
    report.claim("with clipping / without", *ratio_interval(rates["clipping"], rates["constant"]),
                 above=1.0, where="abstract of arXiv:2110.04369; here one small network", **paper)
    report.claim("with a cosine to 0 / without: on the quadratic it is 2",
                 *ratio_interval(rates["cosine"], rates["constant"]), at_least=2.0,
                 why="what the quadratic gives", origin="ours", where="the same networks",
                 lesson="The quadratic forgives a rise that the network does not: what was "
                 "thrown far while the rate was high, the small rates at the end do not bring "
                 "back.", **asked)
    for kind in (asked, paper):
        kind["how"] = f"95 % t of logarithms, {runs}"
    ends = np.array([(c.lam[0], c.lam[c.full], c.slow[1], c.rate * c.lam[c.full] / 2,
                      c.rate * c.lam[-5:].mean() / 2) for c in climbs])
    where = "abstract of arXiv:2110.04369: into flatter regions; here one small network"
    report.claim("λ_max at the end of the warm-up / at its start", *ratio_interval(
        ends[:, 1], ends[:, 0]), below=1.0, where=where, **paper)
    report.claim("and at the same loss, against a descent with rate 1/(2λ)", *ratio_interval(
        ends[:, 1], ends[:, 2]), below=1.0, where=where, **paper)
    edge = dict(origin="ours", where="the same runs; the edge of stability, arXiv:2103.00065",
                why="1 is the edge; a tenth for the oscillation about it", at_most=1.1, **asked)
    report.claim("when the rate η has reached its height λ_max is at the edge or below: η λ_max/2",
                 *ratio_interval(ends[:, 3]), lesson="The rate rises faster than λ_max falls: the "
                 "warm-up ends above the edge, in the middle of a catapult.", **edge)
    report.claim(f"and over the last of the {STEPS - WARMUP} steps that follow",
                 *ratio_interval(ends[:, 4]), **edge)
