"""Networks with their norms, with the norms' statistics held fixed, and without: one point for all.

    norm     h -> gain (h - m(h))/s(h) + shift      m and s: mean and deviation of h itself
    frozen   h -> gain (h - m)/s + shift            m and s: those of the start, constants
    none     h -> gain h + shift                    m = 0, s = 1

All three have the same parameters. At the start `norm` and `frozen` are one function of the data,
yet not of the parameters: whatever tells their landscapes apart is the derivative of m and s.
"""
from typing import NamedTuple

import numpy as np

import minigrad as mg
from minigrad.backend import to_host, xp
from problems import Network
from problems.data.grammar import SYMBOLS, grammar_text
from problems.data.strokes import stroke_digits
from problems.networks.resnet import ResNet
from problems.networks.transformer import NORM_EPS, Transformer

KINDS = ("norm", "frozen", "none")


class FixedTransformer(Transformer):
    """A transformer whose layer norms take their means and reciprocal deviations from `fixed`.

    fixed   {name of the norm: (m (B T, 1), 1/s (B T, 1))}, for the rows of one batch; a norm that
            is not in it: (0, 1)
    """

    fixed = {}

    def normed(self, h, layer, name):
        m, r = self.fixed.get(name, (0.0, 1.0))
        return (h - m) * r * layer["gain"] + layer["shift"]


class SeenTransformer(Transformer):
    """The transformer, which leaves the statistics of its layer norms in the dict `seen`."""

    def normed(self, h, layer, name):
        rows = xp.asarray(h)
        variance = rows.var(axis=-1, keepdims=True)
        self.seen[name] = rows.mean(axis=-1, keepdims=True), 1.0 / xp.sqrt(variance + NORM_EPS)
        return super().normed(h, layer, name)


class FixedResNet(ResNet):
    """A residual network whose batch norms take their means and variances from `fixed`."""

    fixed = None

    def loss(self, params, batch, *, rng=None, seen=None):
        images, labels = batch
        return mg.softmax_cross_entropy(self.apply(params, images, statistics=self.fixed), labels)


class Case(NamedTuple):
    """One data set and start: {kind: Network}, the point, the loss of the best constant answer."""

    problems: dict
    start: np.ndarray
    constant: float


def transformer(seed, k):
    """Two layers of width 16 on 8 windows of 16 characters of the grammar, seen whole."""
    rng = np.random.default_rng([seed, 11, k])
    text, _ = grammar_text(rng, 8 * 17)
    codes = np.array([SYMBOLS.index(c) for c in text[:8 * 17]]).reshape(8, 17)
    data = xp.asarray(codes[:, :-1]), xp.asarray(codes[:, 1:])
    shape = dict(layers=2, width=16, heads=2, context=16, feedforward=32)
    models = [family(len(SYMBOLS), **shape)
              for family in (Transformer, FixedTransformer, FixedTransformer)]
    problems = {kind: Network(model, data) for kind, model in zip(KINDS, models)}
    start = problems["norm"].start(rng)
    look = SeenTransformer(len(SYMBOLS), **shape)
    look.seen = models[1].fixed = {}
    look.apply(problems["norm"].params(start), data[0])
    return Case(problems, start, entropy(codes[:, 1:]))


def resnet(seed, k):
    """Two stages of one block, 4 and 8 channels, on 32 stroke digits of 7 x 7 pixels."""
    rng = np.random.default_rng([seed, 12, k])
    pixels, labels = stroke_digits(rng, 32)
    images = pixels.reshape(32, 1, 7, 4, 7, 4).mean(axis=(3, 5))
    data = xp.asarray((images - images.mean()) / images.std()), xp.asarray(labels)
    models = [family((4, 8), 1, (1, 7, 7), 10, init="he")
              for family in (ResNet, FixedResNet, FixedResNet)]
    problems = {kind: Network(model, data) for kind, model in zip(KINDS, models)}
    start, seen = problems["norm"].start(rng), {}
    models[0].loss(problems["norm"].params(start), problems["norm"].data, seen=seen)
    models[1].fixed, models[2].fixed = seen, models[2].statistics()
    return Case(problems, start, entropy(labels))


def entropy(labels):
    """The cross-entropy of the best answer that does not look at the input, in nats."""
    shares = np.unique(to_host(labels), return_counts=True)[1] / np.size(labels)
    return float(-(shares * np.log(shares)).sum())


FAMILIES = {"transformer": transformer, "resnet": resnet}
