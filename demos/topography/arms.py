"""The arms of the comparison: one start, two methods, each stopped early and run to its end.

    SGD-ES     minibatch descent, at the lowest validation loss before patience ran out
    SGD-long   the same run to the end
    QN-ES      quasi-Newton on all the data, at its lowest validation loss before patience ran out
    QN-full    the same run to the end

The paper stops at the lowest *test* loss; that point is kept too, under "test", and named so: the
loss reported there was looked at to choose the point. An iteration of quasi-Newton and an epoch of
SGD are not the same work, so passes over the data count gradients, a height as a third of one.
"""
from typing import Any, NamedTuple

import minigrad as mg
from minigrad.backend import float_of
from minigrad.tree import leaves_of
from optim import SGD, EarlyStopping, Objective, descent
from problems import Network
from problems.data.dataset import batches

PATIENCE, LEAST = 15, 1e-4


class Penalised(Network):
    """A network on data with half the squared norm of its weights added:  L(θ) + λ |θ|²/2.

    Without it nothing keeps a network that fits its data from growing for ever.
    """

    def __init__(self, model, data=None, dtype="float64", decay=1e-4):
        super().__init__(model, data, dtype)
        self.decay = decay

    def tree_loss(self, params, batch=None, rng=None):
        loss = super().tree_loss(params, batch, rng)
        for entry, leaf in zip(self.layout.entries, leaves_of(params)):
            own = tuple(range(-len(entry.shape), 0))
            loss = loss + (0.5 * self.decay) * mg.sum(leaf * leaf, axis=own)
        return loss


class Arm(NamedTuple):
    """One run of one method.

    end                 (d,) where it stopped
    early               (d,) at the lowest validation loss before patience ran out
    test                (d,) at the lowest test loss of the whole run, as the paper has it
    level               (d,) where the training loss first fell to the level asked for, or None
    curve               rows (step, training loss, validation loss, test loss)
    passes              gradients over the whole training set that this run is worth
    """

    end: Any
    early: Any
    test: Any
    level: Any
    curve: list
    passes: float


def watched(run, every, steps, scores, level=None):
    """Follow a run to its end: an Arm without its cost.

    scores   three functions of theta; None for the first if the run shows the training loss itself
    level    a training loss: the first point that is as low is kept
    """
    early, best, curve, reached = EarlyStopping(PATIENCE, LEAST), EarlyStopping(), [], None
    for t, theta, loss, state in run:
        if t % every == 0 or t == steps:
            row = [float_of(f(theta) if f else loss) for f in scores]
            early.look(row[1], theta, t)
            best.look(row[2], theta, t)
            curve.append((t, *row))
            if reached is None and level is not None and row[0] <= level:
                reached = theta
        if "stopped" in state and bool(state["stopped"]):
            break
    return Arm(theta, early.theta, best.theta, reached, curve, 0.0)


def sgd(problem, start, parts, rng, *, epochs, rate=0.1, size=32):
    """Plain minibatch descent: a fresh order in every epoch, the incomplete batch left out.

    parts   (train, valid, test) Splits; the problem's own data are the training set
    """
    train, steps = parts[0], epochs * (parts[0].n // size)

    def stream():
        while True:
            for index in batches(rng, train.n, size, drop_last=True):
                yield Objective(problem, train.take(index))
    arm = watched(descent(SGD(rate), stream(), start, steps=steps), train.n // size, steps,
                  [problem.loss, *plain_losses(problem, parts)])
    return arm._replace(passes=float(epochs))


def quasi_newton(problem, start, parts, method, *, steps, level=None):
    """A quasi-Newton method on the whole training set."""
    objective = Objective(problem)
    arm = watched(descent(method, objective, start, steps=steps), 1, steps,
                  [None, *plain_losses(problem, parts)], level)
    return arm._replace(passes=objective.gradients + objective.values / 3.0)


def plain_losses(problem, parts):
    """The model's loss, without penalty, on the validation and on the test part."""
    plain = Network(problem.model, dtype=problem.dtype)
    return [lambda theta, part=part: plain.loss(theta, part) for part in parts[1:]]
