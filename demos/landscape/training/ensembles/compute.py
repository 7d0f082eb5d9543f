"""Ways to spend the same number of gradients on one data set.

Every gradient is asked of one `Objective` whose minibatch is changed under way, and that objective
counts: `spent` of a forecast is what was counted until its networks stood there. What several ways
begin with (a first run) is run once and charged to each of them.

    one run            G steps at a rate that follows half a cosine
    ... stopped        the same run at the best of fifty places, chosen by the loss on held-out data
    independent        K runs of G/K steps, from starts and in orders of their own
    snapshots (FGE)    a first run, then K snapshots where a rate that goes up and down is lowest
    points of a curve  two runs and a Bezier curve between them, K points of it
    SWA                a first run, then the mean of the points of a run at constant rate
    soup               a first run, then K short runs from its end: the mean of their weights
    its ingredients    the same K short runs, as an ensemble

An ensemble's forecast is the mean of its networks' probabilities, a soup's and SWA's that of one
network. Sources: Garipov et al. 2018, arXiv:1802.10026 (a rate that falls and climbs in straight
lines, a snapshot where it is lowest); Izmailov et al. 2018, arXiv:1803.05407; Wortsman et al.
2022, arXiv:2203.05482.
"""
from typing import Any, NamedTuple

import numpy as np

import minigrad as mg
from minigrad.backend import xp
from optim import SGD, Objective, cosine
from optim.descent import descent
from problems.data.dataset import batches
from problems.landscape import BezierCurve, swa_update, train_curve, uniform_soup

MEMBERS, BATCH, DECAY = 5, 32, 1e-3                 # K
PLACES = 50                                         # at which a run may be stopped, or is averaged
HIGH, LOW, CONSTANT = 0.05, 0.0005, 0.02            # rates: largest, lowest of FGE, SWA's


class Forecast(NamedTuple):
    """Networks (k, d), whose probabilities are averaged, and the gradients they cost."""

    networks: Any
    spent: int


def all_ways(network, held_out, steps, rng):
    """{name: Forecast}, each but the first two for `steps` gradients; steps a multiple of 100."""
    found, counted = {}, Objective(network, network.data)
    short = steps // MEMBERS
    runs = xp.stack([descend(counted, network.start(rng), cosine(HIGH, short), short, rng)[-1]
                     for _ in range(MEMBERS)])
    found["one of the five"] = Forecast(runs[:1], counted.gradients // MEMBERS)
    found["independent"] = Forecast(runs, counted.gradients)
    counted = Objective(network, network.data)
    passed = descend(counted, network.start(rng), cosine(HIGH, steps), steps, rng, places(steps))
    best = int(Objective(network, held_out).value(passed).argmin())
    found["one run"] = Forecast(passed[-1:], counted.gradients)
    found["one run, stopped"] = Forecast(passed[best:best + 1], counted.gradients)
    found["points of a curve"] = curve(network, steps, rng)
    return {**found, **from_a_first_run(network, steps, rng)}


def from_a_first_run(network, steps, rng):
    """The four ways that go on from the end of one run: snapshots, SWA, soup and ingredients."""
    cycle = steps // 10
    rest = cycle * (2 * MEMBERS - 1) // 2
    first, found = Objective(network, network.data), {}
    start = descend(first, network.start(rng), cosine(HIGH, steps - rest, end=CONSTANT),
                    steps - rest, rng)[-1]
    for name, way in (("snapshots (FGE)", snapshots), ("SWA", swa), ("its ingredients", tuned)):
        own = Objective(network, network.data)
        networks = way(own, start, rest, cycle, rng)
        found[name] = Forecast(networks, first.gradients + own.gradients)
    ingredients, spent = found["its ingredients"]
    found["soup"] = Forecast(uniform_soup(ingredients).theta[None], spent)
    return found


def minibatches(objective, rng):
    """The objective over one minibatch after another, without end."""
    inputs, targets = objective.batch
    while True:
        for i in batches(rng, len(inputs), BATCH, drop_last=True):
            objective.batch = inputs[i], targets[i]
            yield objective


def places(steps):
    """About PLACES of the steps, evenly, the last left out."""
    apart = max(1, steps // PLACES)
    return range(apart, steps, apart)


def descend(objective, theta, rate, steps, rng, keep=()):
    """SGD with momentum: the points (k, d) after the steps in `keep` and after the last."""
    method, whole = SGD(rate, momentum=0.9, decay=DECAY), objective.batch
    walk = descent(method, minibatches(objective, rng), theta, steps=steps)
    points = [theta for t, theta, _, _ in walk if t in keep or t == steps]
    objective.batch = whole
    return xp.stack(points)


def snapshots(objective, start, steps, cycle, rng):
    """FGE: the rate falls from HIGH to LOW in the first half of a cycle and climbs in the second.

    steps  (K - 1/2) cycles: the last snapshot is the end
    """
    def rate(step):
        passed = (step % cycle + 1) / cycle
        low = 2 * passed if passed <= 0.5 else 2 - 2 * passed
        return (1 - low) * HIGH + low * LOW
    middles = [cycle // 2 + k * cycle for k in range(MEMBERS)]
    return descend(objective, start, rate, steps, rng, middles)


def swa(objective, start, steps, cycle, rng):
    """The mean of points of a run at constant rate, as one network (1, d)."""
    points = descend(objective, start, CONSTANT, steps, rng, places(steps))
    average = points[0]
    for k, theta in enumerate(points):
        average = swa_update(average, theta, k)
    return average[None]


def tuned(objective, start, steps, cycle, rng):
    """The ends of K short runs that differ by the order of their minibatches alone."""
    each = steps // MEMBERS
    return xp.stack([descend(objective, start, cosine(CONSTANT, each), each, rng)[-1]
                     for _ in range(MEMBERS)])


def curve(network, steps, rng):
    """Two networks, and a Bezier curve trained between them, a third of the gradients each."""
    objective, third = Objective(network, network.data), steps // 3
    ends = [descend(objective, network.start(rng), cosine(HIGH, third), third, rng)[-1]
            for _ in range(2)]
    rest, whole = steps - 2 * third, objective.batch
    bent, _ = train_curve(BezierCurve(*ends), minibatches(objective, rng),
                          SGD(cosine(HIGH, rest), momentum=0.9), rest, rng, decay=DECAY)
    objective.batch = whole
    return Forecast(bent(np.linspace(0.0, 1.0, MEMBERS)), objective.gradients)


def probabilities(network, networks, inputs):
    """Mean of the networks' softmax: (N, C)."""
    with mg.no_grad():
        logits = network.model.apply(network.params(networks), inputs)
        return mg.softmax(logits, axis=-1).mean(axis=0)
