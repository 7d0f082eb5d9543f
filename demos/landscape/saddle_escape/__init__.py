"""Saddles in a row slow gradient descent down exponentially; a little noise fixes it.

Question   how many steps does each method need to leave a strict saddle, and to walk the octopus, a
           tube through d saddles? And what do 1/eps^2 and 1/eps^4 count?
Expected   from 1e-8 beside a saddle of curvature -γ gradient descent takes 194, 1852, 18430 steps
           for gam = 1, .1, .01; noise makes that a logarithm of its size; saddle-free Newton takes
           27 for any gam. Octopus, d = 5: above 400 steps without noise, below 300 with it.
Time       about 20 s; --quick 5 s; --animate 10 s more.
Source     Jin et al. 2017, arXiv:1703.00887 (perturbed descent); Du et al. 2017, arXiv:1705.10412
           (octopus); Dauphin et al. 2014, arXiv:1406.2572 (saddle-free Newton).

"Perturbed SGD takes O(1/eps^4)" merges two results. With exact gradients perturbed descent needs
about 1/eps^2 of them (2017); 1/eps^4 counts the sample gradients of the stochastic version (Jin et
al. 2021, arXiv:1902.04811). And gradient descent does escape, from almost every start (Lee et al.
2016, arXiv:1602.04915), but not always in time.

Revised after a first run: the step of the stochastic run was eps^2, put in by hand, which gives the
power 4 even with the noise switched off. Now the step is searched for each eps, and a control
without noise has to give another law. From eps = .14 to .05 that gave the power 3.80: coming to
rest at the bottom adds about 8 eps^2 to the count, a sixth at .14. So the range begins at .1. The
bars of the octopus lie between two first medians.
"""
import numpy as np

from demos.evidence import median_interval
from demos.landscape.saddle_escape.animation import animate
from demos.landscape.saddle_escape.figure import draw
from demos.landscape.saddle_escape.orders import orders
from minigrad.backend import xp
from optim import SGD, PerturbedGD, PerturbedSGD, SaddleFreeNewton, escape_steps
from problems.landscape.critical.escape import hitting_times
from problems.saddles import Octopus, StrictSaddle

SOURCE = "arXiv:1703.00887"


def arguments(parser):
    parser.add_argument("--animate", action="store_true",
                        help="also write a moving picture of three ways out of a saddle")


def run(args, report):
    if args.animate and not report.plotting:
        raise ValueError("saddle_escape: --animate draws, and --no-plot forbids it. Leave one out.")
    rng = np.random.default_rng(args.seed)
    leaving = strict_saddle(args, rng, report)
    stairs = octopus(args, rng, report)
    counts = orders(args, rng, report)
    if report.plotting:
        draw(report, leaving, stairs, counts)
    if args.animate:
        report.progress("moving picture")
        animate(report, args.seed)


def strict_saddle(args, rng, report):
    """Nine starts in ten dimensions, N(0, 1) across the saddle, lr = .1; leaving is |y| > 1."""
    methods = [("gradient descent", 1e-8, SGD(0.1)),
               ("SGD, noise .01", 0.0, PerturbedSGD(0.1, 0.01, rng)),
               ("perturbed", 0.0, PerturbedGD(0.1, rng)),
               ("saddle-free Newton", 1e-8, SaddleFreeNewton())]
    rows, curves = [], {}
    gammas = (1.0, 0.1) if args.quick else (1.0, 0.1, 0.01)
    for gam in gammas:
        problem, theta = StrictSaddle(10, gam), rng.standard_normal((9, 10))
        rows.append([gam, escape_steps(1e-8, 1.0, 0.1, gam)])
        for name, y0, optimizer in methods:
            report.progress(f"strict saddle, gam {gam:g}: {name}", 0.4 * len(rows) / len(gammas))
            theta[:, -1] = y0
            steps, path, _ = hitting_times(optimizer, problem, xp.asarray(theta),
                                           lambda t: abs(problem.escaping(t)) > 1.0, 40_000)
            rows[-1].append(np.median(steps))
            if gam == 0.1:
                curves[name] = np.abs(path[:int(steps[0]) + 1, 0, -1])
    report.table(["gam", "ln(1/y)/ln(1 + lr gam)", "GD", "SGD", "PGD", "SFN"],
                 [[row[0], *map(int, row[1:])] for row in rows], title="Median steps to leave a "
                 "strict saddle; GD and SFN from y = 1e-8, SGD and PGD from y = 0")
    report.claim("gradient descent's steps differ from the law ln(R/y0)/ln(1 + lr gam) by at most",
                 max(abs(row[1] - row[2]) for row in rows), equals=0, unit="steps", origin="ours",
                 where="a strict saddle, y0 = 1e-8, every gam",
                 how="exact: all nine starts have the same y0")
    report.claim("saddle-free Newton: steps, most over gam", max(r[5] for r in rows), at_most=30,
                 unit="steps", origin="ours", where="the same saddle; Dauphin et al. 2014 claim "
                 "that the curvature does not matter",
                 how="exact: medians of nine starts that agree",
                 why="1e-8 doubles 26.6 times to reach 1; a few more for the damping")
    report.data.update({"strict saddle": rows, "leaving": curves})
    return curves


def octopus(args, rng, report):
    """Steps to within .1 % of the minimum from uniform starts in [-1, 1]^d, lr = 1/(4 L)."""
    rows = []
    for d, L in ((3, 1.0), (5, 1.5), (5, 1.0))[::2 if args.quick else 1]:
        report.progress(f"octopus, d {d}, L {L:g}", 0.4 + 0.05 * len(rows))
        problem, lr = Octopus(d, L), 1 / (4 * L)
        starts = xp.asarray(rng.uniform(-1, 1, (49, d)))
        kicked = PerturbedGD(lr, rng, r=problem.tau / 100, g_thres=problem.tau / 100, t_thres=1)
        bottom = 0.999 * problem.minimum
        plain, perturbed = (
            hitting_times(optimizer, problem, starts, lambda t: problem(t) <= bottom, 4000)
            for optimizer in (SGD(lr), kicked))
        rows.append([d, L, problem.slowdown(lr), int(np.median(plain.steps)),
                     int(np.median(perturbed.steps)), int(np.isinf(plain.steps).sum())])
    report.table(["d", "L", "slower at each saddle by", "GD", "PGD", "GD never"], rows, title=
                 "Median steps through the octopus, gam = 1, 49 starts; GD never: not in 4000")
    for name, found, bar in (("gradient", plain, dict(at_least=400)),
                             ("perturbed", perturbed, dict(at_most=300))):
        report.claim(f"octopus, d = 5, L = 1: median steps of {name} descent",
                     *median_interval(found.steps), unit="steps", origin="ours",
                     where="the octopus of Du et al. 2017; they state the order, not the number",
                     how="exact 95 % interval of a median, n = 49 starts",
                     why="between 537 and 105, the medians of a first run", **bar)
    report.data["octopus"] = dict(rows=rows, plain=plain.steps, perturbed=perturbed.steps)
    return problem, plain.path, perturbed.path
