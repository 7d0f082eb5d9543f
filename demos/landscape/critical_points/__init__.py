"""The higher a critical point, the more directions lead down from it: bad minima are rare.

Question   "bad local minima do not exist in high dimension": what has the index of a critical
           point, its share of descending directions, to do with its height?
Expected   on a random landscape (spherical p-spin) the index follows Bray and Dean's semicircle
           law, correlation at least .97, rms distance at most .04; in a deep linear network it
           falls with every direction learned, exactly; in a small tanh network the rule is blurred,
           and most searches do not end at a critical point at all.
Time       about 15 s; --quick 4 s.
Source     Dauphin et al. 2014, arXiv:1406.2572 (the claim for networks); Bray & Dean 2007,
           cond-mat/0611023 (the law); Frye et al. 2021, arXiv:2003.10397 (gradient-flat points).

The precise statement is about *typical* critical points of random-like landscapes. It is proven for
Gaussian fields and spherical spin glasses and observed in networks; bad minima can be constructed.

One run is one random landscape: a draw of the couplings J, or of a network's data. The points of
one landscape share its accidents and are no runs. Only searches that ended at a critical point are
seen, and their share is in the claim. Revised after first results: one J, resampled point by point,
became six; one network became six.
"""
import itertools
from collections import Counter

import numpy as np

from demos.evidence import t_interval
from demos.landscape.critical_points.figure import draw, name
from minigrad.backend import xp
from optim import Adam, Objective
from problems import Network
from problems.landscape import HessianOp, find_critical_point, index, index_against_height
from problems.landscape.critical.points import distinct
from problems.networks.mlp import MLP
from problems.saddles import DeepLinear, PSpin

SOURCE = "arXiv:1406.2572"
RUNS = 6                                                # random landscapes of each kind


def run(args, report):
    rng = np.random.default_rng(args.seed)
    N, count = (20, 60) if args.quick else (30, 180)
    draws = [glass(N, count, rng, report, k) for k in range(RUNS)]
    ended = sum(len(points) for _, points, *_ in draws) / (RUNS * count)
    how = f"95 % t, n = {RUNS} draws of J; {100 * ended:.0f} % of {RUNS * count} searches ended"
    report.claim(f"p-spin, N = {N}: correlation of height and index",
                 *t_interval([study.linear for _, _, study, _ in draws]), at_least=0.97,
                 origin="ours", where="the law of Bray & Dean at finite N", how=how,
                 why="below .989, the value of a first run, as other J will")
    report.claim("p-spin: rms distance from the law of infinite N",
                 *t_interval([gap for *_, gap in draws]), at_most=0.04, origin="ours",
                 where="the same law", how=how,
                 why="about one direction of N: the index is a whole number")

    lattice = deep_linear_lattice(report)
    rising = sum(lattice[more][1] >= lattice[less][1] for less, more in steps_of_learning(lattice))
    report.claim("deep linear: saddles whose counted index is not the formula's",
                 sum(counted != formula for _, counted, formula in lattice.values()), equals=0,
                 origin="ours", where="every saddle of one deep linear network",
                 how="exact: eigenvalues of dense Hessians, tolerance 1e-9")
    report.claim("deep linear: steps of learning that do not lower the index", rising, equals=0,
                 origin="ours", where="the same network", how="exact: every step of the lattice")

    networks = [small_network(args, report, k) for k in range(RUNS)]
    fates = sum((found for found, _ in networks), Counter())
    report.table(["a search in a tanh network ends", "times"], fates.most_common())
    searches = f"n = {RUNS} networks and data sets; {fates.total()} searches"
    report.claim("tanh networks: rank correlation of height and index",
                 *t_interval([study.rank for _, study in networks]), above=0.0, origin="paper",
                 where="abstract; there networks on images", how=f"95 % t, {searches}", quick=False)
    report.claim("tanh networks: most searches end at no critical point (share that does)",
                 *t_interval([found["converged"] / found.total() for found, _ in networks]),
                 below=0.5, origin="paper", where="Frye et al. 2021, abstract", quick=False,
                 how=f"95 % t, {searches}", why="most: fewer than half")
    spin, points, study, _ = draws[0]
    report.data.update(E=[s.f / N for _, _, s, _ in draws], alpha=[s.alpha for _, _, s, _ in draws],
                       ended=ended, fates=fates, network=[s._asdict() for _, s in networks],
                       lattice=list(lattice.values()))
    if report.plotting:
        draw(report, spin, points, study, lattice, steps_of_learning(lattice), networks[0][1])


def glass(N, count, rng, report, k):
    """One draw of J: (landscape, critical points, their study, rms distance from the law)."""
    spin = PSpin(N, 3, rng)
    report.progress(f"p-spin {k + 1} of {RUNS}: Newton from {count} starts",
                    0.5 * (k + 0.1) / RUNS)
    points = spin_points(spin, count, rng)
    study = index_against_height(points, rng)
    gap = study.alpha * N / (N - 1) - spin.index_law(study.f / N)
    return spin, points, study, float(np.sqrt((gap**2).mean()))


def spin_points(spin, count, rng):
    """Newton from starts that first went up or down for a while, so that all heights occur."""
    s = spin.start(rng, count)
    way = xp.asarray(rng.choice([-0.05, 0.05], count))[:, None]
    length = xp.asarray(rng.integers(0, 30, count))[:, None]
    for step in range(30):
        s = xp.where(length > step, spin.retract(s, way * spin.gradient(s)), s)
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


def small_network(args, report, k):
    """Searches in a 2-4-1 tanh network from the first 60 steps of training: their ends, and the
    distinct points below the plateau of constant output."""
    rng = np.random.default_rng([args.seed, 2, k][:2 + (k > 0)])
    x = rng.standard_normal((40, 2))
    y = np.sin(2 * x[:, 0]) + x[:, 0] * x[:, 1]
    model = MLP((2, 4, 1), "tanh", "normal", loss="mse")
    problem = Network(model, (xp.asarray(x), xp.asarray(y)))
    scale = np.resize([0.5, 1.0, 2.0], (10 if args.quick else 80, 1))
    theta = starts = xp.asarray(scale * rng.standard_normal((len(scale), problem.layout.size)))
    adam, stop = Adam(0.03), xp.asarray(rng.integers(0, 60, (len(scale), 1)))
    state = adam.init(theta)
    for step in range(60):
        starts = xp.where(stop > step, theta, starts)
        theta, state, _ = adam.step(Objective(problem), theta, state)
    report.progress(f"tanh network {k + 1} of {RUNS}: Levenberg-Marquardt",
                    0.5 + 0.5 * (k + 0.1) / RUNS)
    points = find_critical_point(problem, starts, "lm", iterations=100 if args.quick else 600)
    fates = Counter(p.status for p in points)
    low = [p for p in distinct(points) if p.f < 0.999999 * y.var()]
    return fates, index_against_height(low, rng)
