"""The control: on a quadratic the curvature is the same everywhere, so no tool can flee from it."""
import numpy as np

import minigrad as mg
from demos.evidence import t_interval
from demos.landscape.training.stable_rate import largest_stable, losses_of, rising
from minigrad.backend import xp
from optim import Objective, cosine

H = np.geomspace(0.01, 1.0, 10)                         # eigenvalues; λ = 1
WARMUP, STEPS, DECAY = 20, 2000, 400
CLIP, CLIPPED = 0.1, 2.5                                # c, and ηλ of the clipped runs


def height(x):
    """Σ h_i x_i² / 2"""
    return 0.5 * mg.sum(x * x * xp.asarray(H), axis=-1)


def works(tool, start, rates):
    """Does it end below the loss at which the full rate is reached (decay: below its start)?

    A decaying run begins with a rise of up to a factor of 3 a step: 2000 steps would overflow.
    """
    lr, starts = xp.asarray(rates[:, None]), xp.repeat(start[None], len(rates), axis=0)
    schedule, steps, since = {
        "constant": (lr, STEPS, 0), "warm-up": (rising(lr, WARMUP), STEPS, WARMUP),
        "cosine": (cosine(lr, DECAY), DECAY, 0)}[tool]
    losses = losses_of(Objective(height), starts, schedule, steps)
    return losses[-1] < losses[since]


def control(args, report):
    """The largest stable rates in units of 2/λ, {tool: (starts,)}, and their claims."""
    count = 1 if args.quick else 5
    starts = xp.asarray(np.random.default_rng([args.seed, 7]).standard_normal((count, len(H))))
    found = {tool: np.array([largest_stable(lambda rates: works(tool, start, rates), 1.0, 16.0,
                                            rounds=3).value / 2.0 for start in starts])
             for tool in ("constant", "warm-up", "cosine")}
    clipped = losses_of(Objective(height, clip=CLIP), starts, CLIPPED, STEPS)
    cycle = clipped[-100:].max(axis=0) / (CLIP**2 / 2)
    claim_control(report, found, cycle, f"search to 1 %, 95 % t, n = {count} starts")
    report.data["quadratic"] = dict(found, cycle=cycle)
    return found


def claim_control(report, found, cycle, how):
    asked = dict(origin="ours", where="a quadratic in ten dimensions; the docstring's first lines",
                 how=how, quick=False)
    report.claim("quadratic: the largest stable rate after a warm-up, in units of 2/λ",
                 *t_interval(found["warm-up"]), equivalent=(1.0, 0.02),
                 why="theory 1; a per cent for the search, one for what 20 steps have shrunk",
                 **asked)
    report.claim("quadratic: a cosine to 0 ends below its start up to a rate, in units of 2/λ",
                 *t_interval(found["cosine"]), equivalent=(2.0, 0.06),
                 why="theory 2 for many steps; 3 % for the finite number of them", **asked)
    report.claim(f"quadratic, clipped at c, rate {CLIPPED:g}/λ: no divergence and no arrival, "
                 "highest of the last 100 losses / (c²/2λ)", *t_interval(cycle),
                 between=(1.0, CLIPPED**2), why="the docstring's bounds of the cycle",
                 **dict(asked, how=how.replace("search to 1 %, ", "")))
