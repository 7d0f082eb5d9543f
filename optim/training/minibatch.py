"""The landscape that one training step sees: one minibatch, one draw of the dropout masks.

An optimizer may ask its objective several times in a step (SAM, line searches, Newton), so
within a step the objective has to be a *function* of theta. The minibatch is fixed, and so is
the noise: a model with dropout gets a fresh generator of the same seed at every call.
"""
import inspect

import numpy as np

from minigrad.backend import xp

from optim.objective import Objective


class MinibatchObjective:
    """Mean of a problem's loss over the parts of one minibatch, gradient clipped on request.

        L(theta) = (1/k) sum_i L_i(theta),    g = (1/k) sum_i grad L_i(theta)
        g <- g clip / max(|g|, clip)                          (if clip is given)

    The parts are differentiated one after the other (gradient accumulation), so memory is that
    of one part. `clip` bounds the norm over all parameters jointly, per point of a batch; the
    direction stays. Hessian-vector products are those of the unclipped loss.

    problem   what `Objective` takes
    parts     list of k batches of equal size
    rng       Generator to draw one noise seed per part from, or None for no noise
    clip      largest allowed |g|, or None

    `loss` holds the value of the last `value_and_grad`.
    """

    def __init__(self, problem, parts, rng=None, clip=None):
        self.parts = []
        for part in parts:
            noisy = problem if rng is None else FrozenNoise(problem, int(rng.integers(2**63)))
            self.parts.append(Objective(noisy, part) if part is not None else Objective(noisy))
        self.clip = clip
        self.loss = None

    def __call__(self, theta):
        return self.value(theta)

    def value(self, theta):
        return mean([part.value(theta) for part in self.parts])

    def value_and_grad(self, theta):
        values, g = [], None
        for part in self.parts:
            value, gradient = part.value_and_grad(theta)
            values.append(value)
            g = gradient if g is None else g + gradient
        if len(self.parts) > 1:
            g = g * (1.0 / len(self.parts))
        if self.clip is not None:
            norm = xp.sqrt(xp.sum(g * g, axis=-1, keepdims=True))
            g = g * (self.clip / xp.maximum(norm, self.clip))
        self.loss = mean(values)
        return self.loss, g

    def hvp(self, theta):
        products = [part.hvp(theta) for part in self.parts]
        return lambda v: mean([product(v) for product in products])

    @property
    def values(self):
        return sum(part.values for part in self.parts)

    @property
    def gradients(self):
        return sum(part.gradients for part in self.parts)

    @property
    def hvps(self):
        return sum(part.hvps for part in self.parts)


class FrozenNoise:
    """A problem whose random choices (dropout) are those of one seed at every call."""

    def __init__(self, problem, seed):
        self.problem, self.seed = problem, seed
        self.layout = problem.layout
        self.batched = getattr(problem, "batched", True)

    def tree_loss(self, params, batch=None):
        return self.problem.tree_loss(params, batch, rng=np.random.default_rng(self.seed))


def takes_noise(problem):
    """Whether problem.tree_loss has an argument `rng` for the noise of training."""
    tree_loss = getattr(problem, "tree_loss", None)
    return tree_loss is not None and "rng" in inspect.signature(tree_loss).parameters


def mean(items):
    return items[0] if len(items) == 1 else sum(items[1:], items[0]) * (1.0 / len(items))
