"""The ridge between two networks: as they are, aligned, repaired, aligned and repaired."""
from typing import Any, NamedTuple

from minigrad.backend import float_of, to_host
from optim import Objective
from problems.landscape import (barrier, find_symmetries, linear_path, repair, repaired_line,
                                weight_matching)
from problems.landscape.alignment.statistics import statistics

LINES = ("as they are", "repaired", "aligned", "aligned, repaired")
EXAMPLES = 500                                          # behind a mean and a deviation


class Ridge(NamedTuple):
    """One pair. records {line: Barrier}; lost {line: [deviation in the middle over that of the
    ends, mean of a layer's units]}; moved: what REPAIR changes in a network merged with itself,
    the largest of its weights' changes over the largest weight."""

    records: Any
    lost: Any
    moved: float


def ridge(network, a, b, rng):
    """Measure the four lines between networks a and b (d,)."""
    objective, inputs = Objective(network), network.data[0][:EXAMPLES]
    aligned = weight_matching(find_symmetries(network), a, b, rng).theta
    lines = dict(zip(LINES, (linear_path(a, b), repaired_line(network, a, b, inputs),
                             linear_path(a, aligned), repaired_line(network, a, aligned, inputs))))
    itself = repair(network, a, [a, a], inputs=inputs)
    return Ridge({name: barrier(objective, line, points=25, refinements=1)
                  for name, line in lines.items()},
                 {name: lost(network, line, inputs) for name, line in lines.items()},
                 float_of(abs(itself - a).max() / abs(a).max()))


def lost(network, line, inputs):
    """σ(1/2) / (σ(0) + σ(1))/2 of each hidden layer, the mean of its live units."""
    first, middle, last = (statistics(network, line(t), inputs) for t in (0.0, 0.5, 1.0))
    shares = []
    for a, m, b in zip(first, middle, last):
        ends, there = (to_host(x) for x in (0.5 * (a.deviation + b.deviation), m.deviation))
        shares.append(float((there[ends > 0] / ends[ends > 0]).mean()))
    return shares
