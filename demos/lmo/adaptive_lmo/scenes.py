"""Where the methods are compared: deep linear, perceptron, text, image patches, low-rank factors.

Each scene is a function of a seed and a folder of data: (problem, batches, start, matrices, judge),
with judge(theta) the number that is compared, at the end of training only.
"""
from functools import lru_cache
from itertools import repeat

import numpy as np

import minigrad as mg
from minigrad.backend import float_of, to_host, xp
from optim import AdamW, linear
from problems import Network, data
from problems.data.vocabulary import windows
from problems.networks.lora import LoRA
from problems.networks.mlp import MLP
from problems.networks.transformer import Transformer
from problems.networks.vit import ViT

from .arms import follow


def inner(entry):
    """Weights that are no head; embeddings are no weights."""
    return entry.kind == "weight" and len(entry.shape) > 1 and not entry.name.startswith("head")


def every(entry):
    return entry.kind == "weight" and len(entry.shape) > 1


def forever(rng, n, size, of):
    while True:
        yield of(xp.asarray(rng.choice(n, size, replace=False)))


class Chain:
    """|W_k ... W_1 X - Y|²/2B: a network without bends, on all of its data."""

    batched = False

    def __init__(self, rng, depth, width=32, examples=256):
        self.X = xp.asarray(rng.standard_normal((examples, width)))
        U, V = (np.linalg.qr(rng.standard_normal((width, width)))[0] for _ in range(2))
        self.Y = self.X @ xp.asarray((U / np.arange(1, width + 1.0)) @ V.T)
        self.shapes = [(width, width)] * depth
        self.layout = mg.Layout([{"W": xp.zeros(shape)} for shape in self.shapes])

    def start(self, rng):
        return xp.asarray(np.concatenate([rng.standard_normal(m * n) / np.sqrt(m)
                                          for m, n in self.shapes]))

    def tree_loss(self, params, batch=None):
        h = self.X
        for layer in params:
            h = mg.matmul(h, layer["W"])
        return mg.mean_squared_error(h, self.Y) * (0.5 * self.Y.shape[1])


def deep_linear(depth, seed):
    """The teacher's singular values fall as 1/i; nothing but the product counts."""
    rng = np.random.default_rng([seed, depth])
    problem = Chain(rng, depth)

    def judge(theta):
        return float_of(problem.tree_loss(problem.layout.unravel(theta)))
    return problem, repeat(None), problem.start(rng), every, judge


def perceptron(seed, folder):
    """4 layers of width 64, noisy labels of a teacher, batches of 256; training loss, all data."""
    rng = np.random.default_rng([seed, 7])
    x = rng.standard_normal((4096, 32))
    teacher = MLP((32, 64, 10), "relu", "normal")
    logits = to_host(teacher.apply(teacher.init(rng), xp.asarray(x)))
    y = (logits + 0.1 * logits.std() * rng.standard_normal(logits.shape)).argmax(axis=1)
    problem = Network(MLP((32, 64, 64, 64, 10), "relu"), (x, y), dtype="float32")
    batches = forever(rng, 4096, 256, lambda some: tuple(part[some] for part in problem.data))
    return (problem, batches, problem.start(rng), every,
            lambda theta: float_of(problem.loss(theta)))


def text(seed, folder, model=None):
    """Shakespeare by characters, 2 layers of width 64; cross-entropy on held-out text."""
    rng = np.random.default_rng([seed, 8])
    tokens = data.load("tinyshakespeare", folder).facts["tokens"]
    model = model or Transformer(65, layers=2, width=64, heads=4, context=32)
    problem = Network(model, dtype="float32")
    inputs, targets = windows(tokens["train"], 32)
    held = tuple(part[:400] for part in windows(tokens["valid"], 32))
    batches = forever(rng, len(inputs), 16, lambda some: (inputs[some], targets[some]))
    return (problem, batches, problem.start(rng), inner,
            lambda theta: float_of(problem.loss(theta, held)))


@lru_cache(maxsize=1)
def pictures(folder):
    """The first 6,000 images of CIFAR-10, shifted to mean 0 and deviation 1, and labels."""
    images = data.load("cifar-10", folder, limit=6000).train
    return (images.inputs - images.inputs.mean()) / images.inputs.std(), images.targets


def patches(seed, folder):
    """CIFAR-10 as 16 patches of 8 x 8, 2 layers of width 64; cross-entropy on held-out images."""
    rng = np.random.default_rng([seed, 9])
    (x, y), problem = pictures(folder), Network(ViT(), dtype="float32")
    cut = len(x) - 1000
    held = x[cut:], y[cut:]
    batches = forever(rng, cut, 64, lambda some: (x[some], y[some]))
    return (problem, batches, problem.start(rng), inner,
            lambda theta: float_of(problem.loss(theta, held)))


def factors(seed, folder):
    """Rank 4 beside a transformer trained on Shakespeare, adapted to WikiText's characters."""
    rng = np.random.default_rng([seed, 10])
    base, params = trained(folder)
    problem = Network(LoRA(base, params), dtype="float32")
    inputs, targets = other_text(folder)
    cut = len(inputs) - 400
    held = inputs[cut:], targets[cut:]
    batches = forever(rng, cut, 16, lambda some: (inputs[some], targets[some]))
    return (problem, batches, problem.start(rng), every,
            lambda theta: float_of(problem.loss(theta, held)))


@lru_cache(maxsize=1)
def trained(folder):
    """A transformer after 1,000 steps on Shakespeare, one for all runs: (model, parameters)."""
    base = Transformer(65, layers=2, width=64, heads=4, context=32)
    problem, batches, theta, *_ = text(0, folder, base)
    theta, *_ = follow(AdamW(linear(3e-3, 1000), decay=0.0), problem, batches, theta, 1000)
    return base, problem.params(theta)


@lru_cache(maxsize=1)
def other_text(folder):
    """Windows of some half a million characters of WikiText, of those that Shakespeare has."""
    symbols = data.load("tinyshakespeare", folder).vocabulary
    words = data.load("wikitext-2", folder)
    written = words.vocabulary.decode(words.facts["tokens"]["valid"][:100_000])
    return windows(symbols.encode([c for c in written if c in symbols.index]), 32)


SCENES = {"perceptron": perceptron, "text": text, "patches": patches, "factors": factors}
