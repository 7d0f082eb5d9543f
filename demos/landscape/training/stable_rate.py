"""The largest rate at which descent still works: brackets drawn closer, many rates in one run.

Whether a rate works need not be a matter of "up to here and no further": a run that is thrown far
may land well. So the rates are tried from below, a whole row of them at once, and the answer lies
where the first of them fails.
"""
import math
from typing import NamedTuple

import numpy as np

from minigrad.backend import to_host, xp
from optim import SGD
from optim.descent import descent


class Bracket(NamedTuple):
    """The largest stable rate lies between `low`, which works, and `high`, which does not.

    value   geometric mean of both; `low` where nothing that was tried fails (high is inf); NaN
            where the lowest fails already (low is 0)
    """

    value: float
    low: float
    high: float


def largest_stable(stable, low, high, tried=8, rounds=2):
    """Where rates rising from low to high first fail: a Bracket.

    stable   (rates (tried,)) -> (tried,) booleans: which of these runs worked
    rounds   the first tries the whole range, evenly in logarithm; each other one the inside of the
             bracket, which shrinks by a factor of tried + 1 in logarithm
    """
    rates, last = np.geomspace(low, high, tried), 0.0
    for k in range(rounds):
        works = np.asarray(stable(rates), bool)
        if works.all():
            last = float(rates[-1])
            if k == 0:
                return Bracket(last, last, math.inf)
        else:
            first = int(np.argmin(works))
            high = float(rates[first])
            last = float(rates[first - 1]) if first else last
        if last == 0.0:
            return Bracket(math.nan, 0.0, high)
        rates = np.geomspace(last, high, tried + 2)[1:-1]
    return Bracket(math.sqrt(last * high), last, high)


def losses_of(objective, starts, schedule, steps):
    """Losses (steps + 1, n) of plain descent from the points (n, d); NaN counts as infinite."""
    run = descent(SGD(schedule), objective, starts, steps=steps)
    losses = to_host(xp.stack([loss for _, _, loss, _ in run]))
    return np.where(np.isnan(losses), np.inf, losses)


def rising(lr, warmup):
    """η_t = η min(1, (t + 1)/W): the rate grows in equal amounts, then stays."""
    return lambda t: lr * min(1.0, (t + 1) / warmup)
