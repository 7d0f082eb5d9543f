"""What breaks what: 23 optimizers on twelve small landscapes, beside what closed forms predict.

Question   on which of a saddle, a ravine, noise, other units, other axes, a plateau, a point with
           no slope, one NaN, scales of 1e±8, a condition of 1e6, a kink and a drifting minimum does
           each optimizer fail, and could one have known it from the update rule alone?
Expected   the closed form, written before the run, is right in nine cells of ten. Coordinatewise
           methods depend on the axes, no method survives a NaN, none passes everywhere.
Time       40 s; --quick 12 s (eight optimizers).
Source     the twelve landscapes and closed forms are ours; the update rules those of `optim`, with
           the induced metrics of arXiv:2509.03594 among them.

All landscapes stand in one batch of points, a row each (`landscapes.py`, with what passing means);
settings and the features that closed forms need in `methods.py`; the closed forms in
`predictions.py`. Nobody is tuned. Left out: BFGS and CrudeLBFGS, which are LBFGS with another
memory, and what needs matrices. A cell: + passes, - breaks; where the prediction was another it
follows in brackets. `--why NAME` prints the reasons for one optimizer; all stand in the JSON file.

Revised after first results: "low at the end" was judged at the last step, where a chaotic orbit can
be low by luck; it is now a mean of 100 steps. The lag is now taken before a step, as the formula
has it; sixteen noisy copies left the closed forms of noise undecided, now there are 64. Predictions
stayed as they were, eleven of the first 240 wrong; why is told below the table. SAM's radius around
a saddle was worked out after seeing that it does not leave one; ASAM, AdamW and PerturbedSGD were
added then.
"""
import math

import numpy as np

from minigrad.backend import to_host, xp
from optim import SAM, SGD, descent, run_all

from demos.evidence import t_interval

from . import figure
from .landscapes import BENT, NAMES, SIGMA, SPEED, judge, measured
from .methods import METHODS, MU, follow
from .predictions import IN_AXES, predict

SOURCE = "arXiv:2509.03594"
QUICK = ("SGD", "SGD, momentum", "SAM", "plain", "log", "SPS", "NormalizedSGD", "Adam")
HEADS = ("sad", "rav", "noi", "scl", "rot", "pla", "zero", "NaN", "1e8", "con", "kin", "dri")
AVERAGED = ("an average of slopes turns before the point is a step beyond: the cycle is several "
            "times narrower than a step")
EXPLAINED = {                                           # where a closed form was seen to be wrong
    ("SAM", "saddle"): "within ρ of the saddle the slope at θ + e points back to it",
    **{(name, "kink"): AVERAGED for name in ("plain", "Adam", "AdamW", "NAdam", "rms")},
    ("DecSPS", "ravine"): "its rate never rises again: once 1/100, the flat direction is too slow",
    ("AdaGradNorm", "drift"): "1 + Σ|g|² grows like exp(v² t), slowly; the lag passes .3 after "
    "1,448 steps",
    ("rms", "1e±8"): "1e8: its metric factor 1/(1 + ξ Σg²/D) has a unit after all",
    ("LBFGS", "scale"): "its first trial is .5/|g|, which has no unit",
    ("LBFGS", "1e±8"): "1e-8: it stops where |g| < 1e-7, which is at the start",
    ("LBFGS", "kink"): "its searches end on the folds, one after the other",
}


def arguments(parser):
    parser.add_argument("--why", default=None, metavar="NAME",
                        help="print the reasons for this optimizer (default: none)")


def run(args, report):
    methods = [m for m in METHODS if not args.quick or m.name in QUICK]
    if args.why is not None and args.why not in [m.name for m in methods]:
        raise ValueError(f"diagnostics: --why {args.why!r} is none of "
                         f"{', '.join(m.name for m in methods)}.")
    paths = run_all(follow, [(m.name, args.seed) for m in methods], args.jobs, report.progress)
    passed = {m.name: judge(path) for m, path in zip(methods, paths)}
    numbers = {m.name: measured(path) for m, path in zip(methods, paths)}
    told = {m.name: {name: predict(name, m) for name in NAMES} for m in methods}
    table(report, methods, passed, told)
    wrong = [(m.name, name) for m in methods for name in NAMES
             if passed[m.name][name] != told[m.name][name][0]]
    if wrong:
        report.table(["optimizer", "landscape", "predicted", "found", "why not as predicted"],
                     [[*pair, told[pair[0]][pair[1]][1], "+" if passed[pair[0]][pair[1]] else "-",
                       EXPLAINED.get(pair, "not explained")] for pair in wrong],
                     title="Where the closed form was wrong")
    if args.why:
        report.table(["landscape", "predicted", "found", "reason"],
                     [[name, sign(ok), sign(passed[args.why][name]), reason]
                      for name, (ok, reason) in told[args.why].items()], title=args.why)
    in_numbers(report, numbers)
    claims(report, methods, passed, wrong)
    radius(report)
    report.data.update(passed=passed, wrong=wrong, predicted={
        name: {k: dict(passes=ok, reason=reason) for k, (ok, reason) in cells.items()}
        for name, cells in told.items()})
    if report.plotting:
        figure.draw(report, methods, passed, told)


def sign(passes):
    return "+" if passes else "-"


def table(report, methods, passed, told):
    rows = []
    for m in methods:
        cells = [(passed[m.name][name], told[m.name][name][0]) for name in NAMES]
        rows.append([m.name, *(sign(found) + (f"({sign(said)})" if said != found else "")
                               for found, said in cells)])
    report.table(["optimizer", *HEADS], rows, "What breaks what: + passes, - breaks (in brackets "
                 "the prediction where it was another).\nsaddle, ravine, noise, scale of the loss, "
                 "rotation, plateau, zero slope, one NaN, scales 1e8 and 1e-8, condition 1e6, "
                 "kink, drift")


def in_numbers(report, numbers):
    """What closed forms say as numbers, for the two simplest methods."""
    eta, kept = 0.1, 1 - MU
    forms = {"SGD": [eta * SIGMA**2 / (2 - eta), math.log(1e7) / math.log(1 + eta), eta,
                     SPEED / eta],
             "SGD, momentum": [eta * SIGMA**2 * (1 + MU) / (kept * (2 * (1 + MU) - eta)), None,
                               None, SPEED * kept / eta]}
    rows = []
    for name, (noise, left, kink, lag) in forms.items():
        found = numbers[name]
        rows += [[name, "mean f under noise", noise, found["noise"].mean()],
                 [name, "lag behind the drift", lag, found["lag"]]]
        report.claim(f"{name}: mean f under noise / closed form",
                     *t_interval(found["noise"] / noise), equivalent=(1.0, 0.1), origin="ours",
                     where="a bowl whose centre is drawn anew", how=f"95 % t, n = "
                     f"{len(found['noise'])} copies", why="500 steps of a copy are correlated")
        report.claim(f"{name}: lag behind the drift minus closed form", float(found["lag"] - lag),
                     equivalent=(0.0, 1e-6), origin="ours", where="a bowl that moves",
                     how="exact: one deterministic run", why="the start is forgotten by then")
        if left:
            rows += [[name, "steps to leave the saddle", left, found["left"]],
                     [name, "mean f at the kink", kink, found["kink"]]]
            report.claim(f"{name}: steps to leave the saddle minus closed form",
                         found["left"] - left, between=(0.0, 2.0), origin="ours",
                         where="from 1e-8 to .1", how="exact: one deterministic run",
                         why="the next whole number, and one for what is not linear")
    report.table(["optimizer", "what", "closed form", "measured"], rows, title="In numbers")


def claims(report, methods, passed, wrong):
    cells = len(methods) * len(NAMES)
    counted = dict(origin="ours", where=f"{len(methods)} optimizers, {len(NAMES)} landscapes",
                   how="exact: counted")
    report.claim(f"cells of {cells} that the closed form predicts", cells - len(wrong),
                 at_least=math.ceil(0.9 * cells), unit="cells", **counted,
                 why="nine of ten; the forms leave out how averages and signs interact")
    report.claim("disagreements that nobody has explained", sum(pair not in EXPLAINED
                                                                for pair in wrong),
                 equals=0, unit="cells", **counted, lesson="A closed form is wrong for a reason "
                 "that is not known yet.")
    report.claim("optimizers that go on after one NaN", sum(p["one NaN"] for p in passed.values()),
                 equals=0, **counted)
    report.claim("landscapes that the best optimizer passes", max(sum(p.values())
                                                                 for p in passed.values()),
                 at_most=len(NAMES) - 1, **counted, why="one fewer than all of them")
    report.claim("optimizers that rotation breaks though nothing in their rule goes by coordinate, "
                 "or the reverse", sum(passed[m.name]["rotation"] == (
                     m.kind == "signed" or m.name in IN_AXES) for m in methods),
                 equals=0, **counted)


def radius(report, rho=0.05, steps=1000):
    """How far beside the saddle SAM has to start to leave it, on the axis that leads out."""
    y = np.linspace(0.4 * rho, 2.0 * rho, 161)
    *_, (_, theta, _, _) = descent(SAM(SGD(0.1), rho=rho), BENT["saddle"], xp.asarray(
        np.stack([0.0 * y, y], axis=1)), steps=steps)
    left = to_host(theta)[:, 1] > 0.5
    report.claim("SAM: distance from the saddle beyond which it leaves, over ρ",
                 float(y[left].min()) / rho if left.any() else math.inf,
                 equivalent=(1.0, 0.02), origin="ours", where="y' = y - η ((y-ρ)³ - (y-ρ)): the "
                 "slope at y - ρ points back while y < ρ", how="one search on 161 starts",
                 why="two of these starts")
