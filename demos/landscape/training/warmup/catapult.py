"""The smallest model that escapes from its curvature: two layers, one input, a product.

    f = v·u/√n,   L = f²/2,   λ = (|u|² + |v|²)/n        the largest eigenvalue of ∇∇L where f = 0
"""
import numpy as np

import minigrad as mg
from demos.evidence import ratio_interval, t_interval
from demos.landscape.training.stable_rate import largest_stable, losses_of, rising
from minigrad.backend import to_host, xp
from optim import SGD, Objective
from optim.descent import descent

N = 512                                                 # width
STEPS, WARMUP = 200, 100
PHASES = (1.5, 2.5, 3.0, 3.5, 4.4)                      # ηλ at the start


def height(theta):
    """L of theta = (u, v), (..., 2n)."""
    n = theta.shape[-1] // 2
    f = mg.sum(theta[..., :n] * theta[..., n:], axis=-1) * n**-0.5
    return 0.5 * f * f


def curvature(theta):
    """λ of points (..., 2n), on the host."""
    return to_host(xp.sum(theta * theta, axis=-1)) / (theta.shape[-1] // 2)


def fly(start, rates, steps=STEPS):
    """Descent with every rate from one start: losses and λ, each (steps + 1, rates)."""
    theta = xp.repeat(start[None], len(rates), axis=0)
    losses, lam = [], []
    for _, point, loss, _ in descent(SGD(xp.asarray(rates)[:, None]), Objective(height), theta,
                                     steps=steps):
        losses.append(loss)
        with np.errstate(over="ignore", invalid="ignore"):
            lam.append(curvature(point))
    return to_host(xp.stack(losses)), np.array(lam)


def lands(start, rates, warmup=0):
    """Which rates end below the highest loss on the way: what diverges never comes down again."""
    lr, theta = xp.asarray(rates)[:, None], xp.repeat(start[None], len(rates), axis=0)
    losses = losses_of(Objective(height), theta, rising(lr, warmup) if warmup else lr,
                       STEPS + warmup)
    return losses[-1] < losses.max(axis=0)


def flights(args, report):
    """Every phase from several starts: the record for the picture; its table and claims."""
    count = 2 if args.quick else 8
    rng, rows, limits, warm = np.random.default_rng([args.seed, 8]), [], [], []
    for k in range(count):
        start = xp.asarray(rng.standard_normal(2 * N))
        lam = float(curvature(start))
        losses, way = fly(start, np.array(PHASES) / lam)
        with np.errstate(all="ignore"):
            rows.append(np.stack([np.nanmax(losses, axis=0) / losses[0], losses[-1] / losses[0],
                                  way[-1] / lam]))
        first = (losses, way / lam) if k == 0 else first
        limits.append(lam * largest_stable(lambda r: lands(start, r), 1 / lam, 16 / lam,
                                           rounds=3).value)
        warm.append(lam * largest_stable(lambda r: lands(start, r, WARMUP), 1 / lam, 64 / lam,
                                         rounds=3).value)
    rows = np.array(rows)                               # (starts, 3, phases)
    shown = np.where(np.isfinite(rows), rows, np.inf)
    report.table(["ηλ at the start", "highest loss / first", "last / first", "λ last / first"],
                 [[a, *np.median(shown[:, :, k], axis=0)] for k, a in enumerate(PHASES)],
                 title=f"Two layers, f = v·u/√n, n = {N}: medians over {count} starts")
    claim_flights(report, shown, np.array(limits), np.array(warm), f"n = {count} starts")
    report.data["catapult"] = dict(phases=PHASES, rows=shown, largest_stable=limits, warm=warm)
    return first


def claim_flights(report, rows, limits, warm, runs):
    """rows (starts, 3, phases); limits, warm (starts,): largest stable ηλ without and with."""
    asked = dict(origin="paper", where="abstract and its solvable model, arXiv:2003.02218",
                 how=f"95 % t of logarithms, {runs}", quick=False)
    k = PHASES.index(3.0)
    report.claim("catapult, rate 3/λ: the loss rises first, highest / first",
                 *ratio_interval(rows[:, 0, k]), above=1.0, **asked)
    report.claim("and ends low, last / first", *ratio_interval(np.maximum(rows[:, 1, k], 1e-300)),
                 below=1.0, **asked)
    report.claim("in a flatter place: λ last / first", *ratio_interval(rows[:, 2, k]), below=1.0,
                 **asked)
    asked = dict(asked, how=f"search to 1 %, 95 % t, {runs}", origin="ours",
                 where="the docstring's recursion, for the model of arXiv:2003.02218")
    report.claim("the largest rate that lands, in units of 1/λ", *t_interval(limits),
                 equivalent=(4.0, 0.1), why="above 4 both lines grow; 512 units are not infinitely many, "
                 "and the search stops at 1 %", **asked)
    report.claim(f"of the starts with rate {PHASES[-1]:g}/λ, the share that diverges",
                 float(np.isinf(rows[:, 1, -1]).mean()), equals=1.0,
                 **dict(asked, how=f"exact: a share, {runs}"))
    report.claim(f"a warm-up of {WARMUP} steps carries this model beyond: largest rate with it / "
                 "without", *ratio_interval(warm, limits), above=1.0,
                 **dict(asked, how=f"search to 1 %, 95 % t of logarithms, {runs}"))
