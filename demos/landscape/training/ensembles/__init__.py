"""At equal compute five short runs together beat one long run; repairing units lowers the ridge.

Question   a number of gradients may be spent on one run, on five networks whose probabilities are
           averaged, on snapshots of one run (FGE), on the mean of its points (SWA), on a soup of
           short runs, on points of a curve. Which is the most accurate, which knows best how sure
           it may be? And what does REPAIR do to the ridge that alignment leaves?
Expected   independent networks have the lowest loss on test data, at every budget; what goes on
           from one run (snapshots, SWA, soup) stays near that run. Whether averaging calibrates
           depends on the budget: short runs are not sure enough, long ones too sure.
Time       about 55 s with one process, 30 s with --jobs 2; --quick 4 s.
Source     Garipov et al. 2018, arXiv:1802.10026 (FGE, curves); Izmailov et al. 2018,
           arXiv:1803.05407 (SWA); Wortsman et al. 2022, arXiv:2203.05482 (soups); Jordan et al.
           2023, arXiv:2211.08403 (REPAIR); Lakshminarayanan et al. 2017, arXiv:1612.01474
           (ensembles); Guo et al. 2017, arXiv:1706.04599 (calibration error).

ReLU networks 10-64-64-64-5 on 2,000 points of 15 Gaussian clusters that overlap, so that the true
probabilities are known and none can be certain. One run is one data set with its networks. "Equal
compute" is the number of minibatch gradients, as the objectives counted them; at prediction an
ensemble costs five networks, a soup or SWA one. The ridge is that between both ends of the curve.

Revised after first results: 500 points were learnt by heart within the first run, and what went on
from it stood still; with 2,000 points and three budgets from 8 to 32 passes both regimes are seen.
A run stopped by held-out data was added, since the longest run alone is no fair rival; the loss at
the best temperature was added, since any averaging makes a network less sure. With --seed 1 and 2
no verdict turns round; at 500 gradients the gains of five networks and of snapshots over one run
are at the limit of what eight data sets resolve, and go between holds and undecided.
"""
import numpy as np

from demos.evidence import ratio_interval, t_interval
from demos.landscape.training.ensembles.aligned import LINES, ridge
from demos.landscape.training.ensembles.compute import all_ways, probabilities
from demos.landscape.training.ensembles.figure import draw
from demos.landscape.training.ensembles.scores import QUANTITIES, posterior, score
from optim import run_all
from problems import Network
from problems.data import clusters
from problems.networks.mlp import MLP

SOURCE = "arXiv:1802.10026"
POINTS, NOISE = 2000, 1.0
MODEL = MLP((10, 64, 64, 64, 5), "relu", init="he")


def run(args, report):
    sets, budgets = (2, (100, 200)) if args.quick else (8, (500, 1000, 2000))
    calls = [(args.seed, k, budgets) for k in range(sets)]
    scores, costs, (sizes, *_), ridges = zip(*run_all(one_set, calls, args.jobs, report.progress))
    found = {way: np.array([each[way] for each in scores]) for way in scores[0]}
    spent = {way: [each[way] for each in costs] for way in costs[0]}
    tables(report, found, spent, sizes, ridges)
    report.data.update(quantities=QUANTITIES, scores={f"{G} {name}": rows for (G, name), rows
                                                      in found.items()},
                       ridges={name: [r.records[name].height for r in ridges] for name in LINES},
                       deviations={name: [r.lost[name] for r in ridges] for name in LINES})
    claim_compute(report, found, spent, budgets, f"n = {sets} data sets")
    claim_repair(report, ridges, f"n = {sets} pairs, each on data of its own")
    if report.plotting:
        draw(report, found, budgets, ridges)


def one_set(seed, k, budgets):
    """On one data set: {(gradients, way): scores}, {(gradients, way): gradients spent},
    {way: number of networks}, and the Ridge between both ends of the longest curve."""
    data = clusters.load([seed, k], n_train=POINTS, noise=NOISE, dtype="float64")
    network, scores, spent = Network(MODEL, data.train), {}, {}

    def scored(probabilities_of):
        tested, held = map(probabilities_of, (data.test, data.valid))
        return score(tested, data.test.targets, held, data.valid.targets)
    for steps in budgets:
        ways = all_ways(network, data.valid, steps, np.random.default_rng([seed, k, steps]))
        for name, way in ways.items():
            scores[steps, name] = scored(
                lambda part: probabilities(network, way.networks, part.inputs))
            spent[steps, name] = way.spent
    scores[None, "the true probabilities"] = scored(
        lambda part: posterior(part.inputs, data.facts["centres"], NOISE, 5))
    ends = ways["points of a curve"].networks
    return (scores, spent, {name: len(way.networks) for name, way in ways.items()},
            ridge(network, ends[0], ends[-1], np.random.default_rng([seed, k, 1])))


def tables(report, found, spent, sizes, ridges):
    report.table(["gradients", "way", "nets", *QUANTITIES],
                 [[G and spent[G, name][0], name, sizes.get(name), *rows.mean(axis=0)]
                  for (G, name), rows in found.items()],
                 title="On test data: share right, nats, calibration error, nats at the "
                 "temperature that held-out data choose (means over the data sets)")
    report.table(["line between two networks", "ridge", "deviation left in layers 1, 2, 3"],
                 [[name, float(np.median([r.records[name].height for r in ridges])),
                   ", ".join(f"{x:.3f}" for x in np.mean([r.lost[name] for r in ridges], axis=0))]
                  for name in LINES], title="Ridges in nats, medians of the pairs")


def claim_compute(report, found, spent, budgets, runs):
    """found {(budget, way): (sets, quantities)}"""
    few, many = budgets[0], budgets[-1]
    counts = {G: [n for (g, name), row in spent.items() for n in row
                  if g == G and name != "one of the five"] for G in budgets}
    report.claim("every way spends the same number of gradients (largest difference at one budget)",
                 max(max(n) - min(n) for n in counts.values()), equals=0, origin="ours",
                 where="the counts of the objectives", how="exact: counted")

    def claim(text, ours, theirs, quantity, budget, origin, where, of=1, why=None, lesson=None,
              **criterion):
        column = QUANTITIES.index(quantity)
        gaps = found[budget, ours][:, column] - found[budget, theirs][:, column]
        how = f"95 % t of pairs, {runs}" + (f", {of} at once" if of > 1 else "")
        report.claim(f"{budget} gradients: {text} ({quantity})", *t_interval(gaps, of=of), how=how,
                     unit=None if quantity in ("accuracy", "ECE") else "nats", origin=origin,
                     where=where, quick=False, why=why, lesson=lesson, **criterion)

    deep = "ours", "ensembles are published at five times the compute, arXiv:1612.01474"
    for G in (few, many):
        claim("five networks minus the one stopped at its best", "independent", "one run, stopped",
              "loss", G, *deep, of=2, below=0.0)
        claim("averaging calibrates: five networks minus one run", "independent", "one run", "ECE",
              G, *deep, of=2, below=0.0, lesson="Runs this short are not sure enough, and the mean "
              "of five is even less sure: averaging helps those that are too sure.")
    claim("five networks minus one run, both at their best temperature", "independent", "one run",
          "loss at T", many, *deep, below=0.0)
    claim("five networks minus the one stopped at its best", "independent", "one run, stopped",
          "accuracy", many, *deep, above=0.0)
    for G in (few, many):
        claim("snapshots are an ensemble for the price of one run: minus one run",
              "snapshots (FGE)", "one run", "loss", G, "paper", "abstract of Garipov et al.", of=2,
              below=0.0)
        claim("SWA generalises better: minus one run", "SWA", "one run", "accuracy", G, "paper",
              "abstract of Izmailov et al.; there vision, here small networks", of=2, above=0.0)
    ours = "ours", "the networks of this demo"
    claim("starts of their own are worth more: snapshots minus five networks, at their best "
          "temperature", "snapshots (FGE)", "independent", "loss at T", many, *ours, above=0.0)
    claim("points of one curve minus the one stopped at its best", "points of a curve",
          "one run, stopped", "loss", many, *ours, below=0.0)
    claim("a soup is as accurate as the ensemble of its ingredients: difference", "soup",
          "its ingredients", "accuracy", many, "paper", "abstract of Wortsman et al.: the "
          "similarity of averaging weights and outputs", why="half a point, 20 of 4,000 test "
          "points", equivalent=(0.0, 0.005))
    claim("averaging outputs calibrates more than averaging weights: ingredients minus soup",
          "its ingredients", "soup", "ECE", many, *ours, below=0.0)


def claim_repair(report, ridges, runs):
    height = {name: np.array([r.records[name].height for r in ridges]) for name in LINES}
    paper = dict(origin="paper", quick=False)
    report.claim("variance collapses: half way between aligned networks, third layer, deviation "
                 "over that of the ends", *t_interval([r.lost["aligned"][-1] for r in ridges]),
                 below=1.0, where="abstract of Jordan et al.", how=f"95 % t, {runs}", **paper)
    report.claim("REPAIR lowers the ridge between aligned networks: repaired over not",
                 *ratio_interval(height["aligned, repaired"], height["aligned"]), below=1.0,
                 where="abstract of Jordan et al.", how=f"95 % t of logarithms, {runs}", **paper)
    report.claim("by 60 to 100 %: share of the ridge that goes",
                 *t_interval(1.0 - height["aligned, repaired"] / height["aligned"]), at_least=0.6,
                 published=0.6, where="abstract of Jordan et al.; there vision networks",
                 how=f"95 % t, {runs}", lesson="All means and deviations are right again, "
                 "and much of the ridge still stands: at this width it is more than variance.",
                 **paper)
    report.claim("it does not replace alignment: repaired alone over aligned alone",
                 *ratio_interval(height["repaired"], height["aligned"]), above=1.0, origin="ours",
                 where="the same pairs", how=f"95 % t of logarithms, {runs}", quick=False)
    report.claim("a network merged with itself is left alone (largest change of a weight over the "
                 "largest weight)", max(r.moved for r in ridges), at_most=1e-12, origin="ours",
                 where="all networks of the pairs", how="exact: one calculation for each network",
                 why="thousands of roundings of float64")
