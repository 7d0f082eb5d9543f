"""Norm layers raise the largest stable rate several times over, not always by less curvature.

Question   what do layer norms in a transformer and batch norms in a residual network do to the
           largest Hessian eigenvalue λ_max, at the start and along training, and to the largest
           stable learning rate?
Expected   both raise the rate several times over. The batch norm lowers λ_max about tenfold, at the
           start and at equal loss. With and without layer norm λ_max is about the same: without it
           the transformer's signals are smaller, and that too keeps λ_max small.
Time       about 55 s with one process, 35 s with --jobs 2; --quick 8 s.
Source     Santurkar et al. 2018, arXiv:1805.11604 (batch norm smooths the landscape); Gilmer et al.
           2021, arXiv:2110.04369 (norms and warm-up against the same instability). Their abstracts
           were read.

"With and without" asks two things at once, the scale of the signals and the feedback of a norm on
it, so there are three kinds of network with the same parameters (see `kinds`): with norms; with the
norms' means and deviations frozen at their values of the start, which is the same function of the
data there and has the same height; and without either. What tells the first two apart is the
derivative of mean and deviation alone.

λ_max is followed along a descent with rate 1/(2 λ_max), λ_max measured every 20 steps, so that no
edge of stability holds it, and compared where two kinds first have the same loss. A rate is stable
if 60 steps of the full batch end below the loss of the best constant answer or never rise; the
rates are tried from below until one is not. One run is one data set and start, the same for all
kinds.

Seeds 1 and 2 give the same 14 verdicts. Revised after first results: one rate for all kinds, half
the edge of the sharpest, had put all of them at one edge, where they have one λ_max. Networks this
small say little about large ones.
"""
import numpy as np

from demos.evidence import ratio_interval
from demos.landscape.training.norm_layers.figure import draw
from demos.landscape.training.norm_layers.kinds import FAMILIES, KINDS
from demos.landscape.training.norm_layers.measures import measure
from optim import run_all

SOURCE = "arXiv:1805.11604"
CASES = {"transformer": 6, "resnet": 5}
NORM = {"transformer": ("layer norm, transformer", "abstract of arXiv:2110.04369: norms as a cure "
                        "of bad conditioning; here a small transformer"),
        "resnet": ("batch norm, residual network", "abstract of arXiv:1805.11604: a significantly "
                   "smoother landscape; here a small residual network")}


def run(args, report):
    calls = [(family, args.seed, k) for family, count in CASES.items()
             for k in range(1 if args.quick else count)]
    done = run_all(measured, calls, args.jobs, report.progress)
    found = {family: [one for call, one in zip(calls, done) if call[0] == family]
             for family in CASES}
    for family, cases in found.items():
        show(report, family, cases)
    for family, cases in found.items():
        claim_norms(report, family, cases)
    report.data.update({family: [dict(
        start=one.start, rate=one.rate, matched=one.matched,
        ways={kind: dict(steps=way.steps, lam=way.lam, losses=way.losses)
              for kind, way in one.ways.items()}) for one in cases]
        for family, cases in found.items()})
    if report.plotting:
        draw(report, found)


def measured(family, seed, k):
    return measure(FAMILIES[family](seed, k), np.random.default_rng([seed, 13, k]))


def show(report, family, cases):
    rows = []
    for kind in KINDS:
        start, rate = (np.array([getattr(one, what)[kind] for one in cases])
                       for what in ("start", "rate"))
        same = [one.matched[kind] for one in cases if kind in one.matched]
        rows.append([kind, np.median(start), np.median(rate), np.median(rate * start / 2),
                     *([np.median([s[1] for s in same]), np.median([s[2] for s in same])]
                       if same else [None, None])])
    report.table(["kind", "λ_max", "stable rate η", "η λ_max/2", "λ_max of norm", "its own"], rows,
                 title=f"{NORM[family][0]}: medians over {len(cases)} data sets and starts; at the "
                 "start, and (last two) where this kind and `norm` have the same loss")


def claim_norms(report, family, cases):
    """What the norms of one family do, in ratios to the kinds without them."""
    name, where = NORM[family]
    runs = f"n = {len(cases)} data sets and starts"
    lam = {kind: np.array([one.start[kind] for one in cases]) for kind in KINDS}
    rate = {kind: np.array([one.rate[kind] for one in cases]) for kind in KINDS}
    same = {kind: np.array([one.matched[kind] for one in cases]) for kind in KINDS[1:]}
    curved = dict(how=f"95 % t of logarithms, {runs}", quick=False)
    stable = dict(how=f"search to 8 %, 95 % t of logarithms, {runs}", quick=False)
    paper, ours = dict(origin="paper", where=where), dict(
        origin="ours", where="the same networks, means and deviations frozen at the start")
    report.claim(f"{name}: λ_max at the start, with / without",
                 *ratio_interval(lam["norm"], lam["none"]), below=1.0, **paper, **curved)
    report.claim(f"{name}: λ_max at equal loss, with / without",
                 *ratio_interval(same["none"][:, 1], same["none"][:, 2]), below=1.0, **paper,
                 **curved)
    report.claim(f"{name}: largest stable rate, with / without",
                 *ratio_interval(rate["norm"], rate["none"]), above=1.0, **paper, **stable)
    report.claim(f"{name}: λ_max at the start, with / frozen",
                 *ratio_interval(lam["norm"], lam["frozen"]), below=1.0, **ours, **curved)
    report.claim(f"{name}: λ_max at equal loss, with / frozen",
                 *ratio_interval(same["frozen"][:, 1], same["frozen"][:, 2]), below=1.0, **ours,
                 **curved)
    report.claim(f"{name}: largest stable rate, with / frozen",
                 *ratio_interval(rate["norm"], rate["frozen"]), above=1.0, **ours, **stable)
    report.claim(f"{name}: the curvature of the start does not foretell that rate: η λ_max/2, with "
                 "/ frozen", *ratio_interval(rate["norm"] * lam["norm"],
                                             rate["frozen"] * lam["frozen"]), above=1.0,
                 **ours, **stable)
