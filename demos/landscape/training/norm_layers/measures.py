"""What is measured of every kind: λ_max at the start and at matched loss, the largest stable rate.
"""
from typing import NamedTuple

import numpy as np

from demos.landscape.training.norm_layers.kinds import KINDS
from demos.landscape.training.stable_rate import largest_stable
from minigrad.backend import to_host, xp
from optim import SGD, Objective
from optim.descent import descent
from problems.landscape.curvature.sharpness import top_curvature

STEPS, LAST, LEARNED = 60, 5, 0.95
PIECES, PIECE = 8, 20                                   # of the slow descent


class Way(NamedTuple):
    """A descent with rate 1/(2 λ_max), a quarter of the edge, λ_max being measured anew for every
    piece of it: slow enough that the edge of stability has no say in where it goes.

    steps, lam (pieces + 1,);  points, losses (steps + 1,), those between included
    """

    steps: np.ndarray
    lam: np.ndarray
    points: list
    losses: np.ndarray


class Measured(NamedTuple):
    """One case.

    start    {kind: λ_max at the start}
    rate     {kind: largest stable rate}
    matched  {kind other than norm: (loss, λ_max of norm, λ_max of that kind) at that loss}
    ways     {kind: Way}
    """

    start: dict
    rate: dict
    matched: dict
    ways: dict


def measure(case, rng):
    ways = {kind: slow_descent(problem, case.start, rng)
            for kind, problem in case.problems.items()}
    start = {kind: way.lam[0] for kind, way in ways.items()}
    rate = {kind: largest_stable(lambda rates: works(case, kind, rates), 0.5 / start[kind],
                                 128.0 / start[kind]).value for kind in KINDS}
    matched = {kind: at_matched_loss(case, ways, kind, rng) for kind in KINDS[1:]}
    ways = {kind: way._replace(points=[]) for kind, way in ways.items()}     # they are large
    return Measured(start, rate, matched, ways)


def works(case, kind, rates):
    """Which of the rising rates are stable; none after the first that is not.

    A run is stable if its loss never rises, however slowly it falls, or if it ends below the loss
    of the best constant answer: what has died outputs a constant.
    """
    objective, found = Objective(case.problems[kind]), np.zeros(len(rates), bool)
    for k, lr in enumerate(rates):
        losses = []
        for _, _, loss, _ in descent(SGD(float(lr)), objective, case.start, steps=STEPS):
            losses.append(float(loss))
            if not np.isfinite(losses[-1]):
                return found
        found[k] = (np.all(np.diff(losses) <= 0)
                    or np.mean(losses[-LAST:]) < LEARNED * case.constant)
        if not found[k]:
            break
    return found


def slow_descent(problem, start, rng):
    steps, lam, points, losses = [0], [], [], []
    while True:
        lam.append(top_curvature(problem, start, rng, 12 if lam else 20).value)
        if len(lam) > PIECES:
            return Way(np.array(steps), np.array(lam), points, to_host(xp.stack(losses)))
        piece = list(descent(SGD(0.5 / lam[-1]), problem, start, steps=PIECE))
        points += [theta for _, theta, _, _ in piece[len(points) > 0:]]
        losses += [loss for _, _, loss, _ in piece[len(losses) > 0:]]
        start = points[-1]
        steps.append(steps[-1] + PIECE)


def at_matched_loss(case, ways, kind, rng):
    """λ_max of norm and of another kind where their losses first reach the higher least one."""
    level, lam = max(ways[k].losses.min() for k in ("norm", kind)), []
    for k in ("norm", kind):
        first = int(np.argmax(ways[k].losses <= level))
        lam.append(top_curvature(case.problems[k], ways[k].points[first], rng, 20).value)
    return float(level), *lam
