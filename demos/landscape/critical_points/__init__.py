"""The higher a critical point, the more directions lead down from it: bad minima are rare.

Question   "bad local minima do not exist in high dimension": what has the index of a critical
           point, its share of descending directions, to do with its height?
Expected   on a random landscape (spherical p-spin) the index follows Bray and Dean's semicircle
           law, correlation at least .97, rms distance at most .04; in a deep linear network it
           falls with every direction learned, exactly; in a small tanh network the rule is blurred,
           and most searches do not end at a critical point at all.
Time       about 10 s; --quick 3 s.
Source     Dauphin et al. 2014, arXiv:1406.2572 (the claim for networks); Bray & Dean 2007,
           cond-mat/0611023 (the law); Frye et al. 2021, arXiv:2003.10397 (gradient-flat points).

The precise statement is about *typical* critical points of random-like landscapes. It is proven for
Gaussian fields and spherical spin glasses and observed in networks; bad minima can be constructed.
"""
import itertools
from collections import Counter

import numpy as np

from demos.landscape.critical_points.figure import draw, name
from minigrad.backend import xp
from optim import Adam, Objective
from problems import Network
from problems.landscape import HessianOp, find_critical_point, index, index_against_height
from problems.landscape.critical.points import distinct
from problems.networks.mlp import MLP
from problems.saddles import DeepLinear, PSpin

SOURCE = "arXiv:1406.2572"


def run(args, report):
    rng = np.random.default_rng(args.seed)
    spin = PSpin(20 if args.quick else 30, 3, rng)
    points = spin_points(spin, 200 if args.quick else 1000, rng, report)
    study = index_against_height(points, rng)
    gap = (study.alpha * spin.N / (spin.N - 1) - spin.index_law(study.f / spin.N))**2
    again = np.sqrt(gap[rng.integers(0, len(gap), (1000, len(gap)))].mean(axis=1))
    report.claim(f"p-spin, N = {spin.N}: correlation of height and index, {len(gap)} points",
                 study.linear, *study.linear_range, at_least=0.97)
    report.claim("p-spin: rms distance from the law of infinite N", np.sqrt(gap.mean()),
                 *np.quantile(again, (0.025, 0.975)), at_most=0.04)

    lattice = deep_linear_lattice(report)
    rising = sum(lattice[more][1] >= lattice[less][1] for less, more in steps_of_learning(lattice))
    report.claim("deep linear: saddles whose counted index is not the formula's",
                 sum(counted != formula for _, counted, formula in lattice.values()), equals=0)
    report.claim("deep linear: steps of learning that do not lower the index", rising, equals=0)

    fates, network = small_network(args, report)
    report.claim("tanh network: rank correlation of height and index, "
                 f"{len(network.f)} points", network.rank, *network.rank_range, at_least=0.0)
    report.data.update(E=study.f / spin.N, alpha=study.alpha, fates=fates,
                       network=network._asdict(), lattice=list(lattice.values()))
    if report.plotting:
        draw(report, spin, points, study, lattice, steps_of_learning(lattice), network)


def spin_points(spin, count, rng, report):
    """Newton from starts that first went up or down for a while, so that all heights occur."""
    s = spin.start(rng, count)
    way = xp.asarray(rng.choice([-0.05, 0.05], count))[:, None]
    length = xp.asarray(rng.integers(0, 30, count))[:, None]
    for step in range(30):
        s = xp.where(length > step, spin.retract(s, way * spin.gradient(s)), s)
    report.progress(f"p-spin: Newton from {count} starts")
    return [p for p in find_critical_point(spin, s, "newton") if p.converged]


def deep_linear_lattice(report):
    """{directions learned: (height, index counted on the dense Hessian, index by the formula)}."""
    problem, lattice = DeepLinear(np.diag([3.0, 2.0, 1.0]), [3]), {}
    for S in itertools.chain(*(itertools.combinations(range(3), k) for k in range(4))):
        theta = problem.saddle(S)
        lattice[S] = (round(float(problem.loss(theta)), 12), index(HessianOp(problem, theta), 1e-9),
                      problem.saddle_index(S))
    report.table(["learned", "loss", "index", "formula"], [[name(S), *lattice[S]] for S in lattice],
                 title="Deep linear network, Y = diag(3, 2, 1), 18 weights: every saddle")
    return lattice


def steps_of_learning(lattice):
    return [(less, more) for less, more in itertools.permutations(lattice, 2)
            if set(less) < set(more) and len(more) == len(less) + 1]


def small_network(args, report):
    """Searches in a 2-4-1 tanh network from the first 60 steps of training: their ends, and the
    distinct points below the plateau of constant output."""
    rng = np.random.default_rng([args.seed, 2])
    x = rng.standard_normal((40, 2))
    y = np.sin(2 * x[:, 0]) + x[:, 0] * x[:, 1]
    model = MLP((2, 4, 1), "tanh", "normal", loss="mse")
    problem = Network(model, (xp.asarray(x), xp.asarray(y)))
    scale = np.resize([0.5, 1.0, 2.0], (20 if args.quick else 80, 1))
    theta = starts = xp.asarray(scale * rng.standard_normal((len(scale), problem.layout.size)))
    adam, stop = Adam(0.03), xp.asarray(rng.integers(0, 60, (len(scale), 1)))
    state = adam.init(theta)
    for step in range(60):
        starts = xp.where(stop > step, theta, starts)
        theta, state, _ = adam.step(Objective(problem), theta, state)
    report.progress("tanh network: Levenberg-Marquardt")
    points = find_critical_point(problem, starts, "lm", iterations=200 if args.quick else 600)
    fates = Counter(p.status for p in points)
    report.table(["a search in the tanh network ends", "times"], fates.most_common())
    low = [p for p in distinct(points) if p.f < 0.999999 * y.var()]
    return fates, index_against_height(low, rng)
