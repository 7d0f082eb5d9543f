"""The seven systems: a network, its data, its optimizer, its batches. One builder each.

The optimizers are the paper's kind: SGD with a cosine for the CNN; normalised SGD with momentum,
η_k = η k^{-3/4}, 1 - β_k = k^{-1/2} for the LSTM; AdamW and NAdam (the nearest here to AlgoPerf's
NAdamW) with warm-up and cosine for the others. Rates and sizes are ours, set once by eye for a loss
that falls.
"""
from functools import partial
from typing import NamedTuple

import numpy as np

import optim
from minigrad.backend import to_host, xp
from problems import Network, data
from problems.data import miniatures
from problems.landscape.conditions import shuffled
from problems.networks.cnn import CNN
from problems.networks.dlrm import DLRM
from problems.networks.gnn import GNN, packed
from problems.networks.lstm import LSTM
from problems.networks.rotary import Rotary
from problems.networks.transformer import Transformer
from problems.networks.unet import UNet

WORDS = 2000                                            # the most frequent; the others are <unk>


class System(NamedTuple):
    problem: Network
    method: optim.Optimizer
    start: object
    indices: object
    every: int
    about: str


def system(name, quick, seed, root, large=False):
    """The system of that name, at its start."""
    build = partial(rotary, large=large) if name == "rotary" else SYSTEMS[name]
    model, sample, make, batch, epochs, about = build(root)
    epochs = max(2, epochs // 5) if quick else epochs
    problem = Network(model, sample, "float32")
    n = len(problem.data[1])
    steps = epochs * (n // batch)
    start = problem.start(np.random.default_rng(1000 + seed))
    looks = 12 if quick else 40
    return System(problem, make(steps), start, shuffled(n, batch, epochs, 7000 + seed),
                  max(1, steps // looks), about)


def warmed(method, lr, steps, **hyper):
    return method(optim.warmup_cosine(lr, max(1, steps // 10), steps), **hyper)


def cnn(root):
    name = data.first_local("fashion-mnist", "strokes", root=root)
    part = data.load(name, root).train.take(slice(0, 320))
    x = to_host(part.inputs).reshape(320, 1, 14, 2, 14, 2).mean(axis=(3, 5))
    return (CNN((1, 14, 14), 10, (4, 16), kernel=3), ((x - x.mean()) / x.std(), part.targets),
            lambda steps: optim.SGD(optim.cosine(0.1, steps)), 32, 40, f"320 of {name}, 14 x 14")


def text(root, context, count, word=False):
    """(tokens (count, T), following (count, T), vocabulary size, about)."""
    name = data.first_local("wikitext-2" if word else "tinyshakespeare", "grammar", root=root)
    part = data.load(name, root, context=context)
    x, y = part.train.take(slice(0, count))
    V = min(WORDS, len(part.vocabulary))
    if word and name != "grammar":                      # sorted by frequency: rarer ones are <unk>
        unknown = int(part.vocabulary.encode(["<unk>"])[0])
        x, y = (xp.where(a < V, a, min(unknown, V - 1)) for a in (x, y))
    return x, y, V, f"{count} windows of {context} of {name}"


def lstm(root):
    x, y, V, about = text(root, 20, 200, word=True)
    model = LSTM(V, 32, 32, layers=3)
    return model, (x, y), lambda steps: optim.NormalizedSGD(
        optim.polynomial(3.0, 0.75), share=optim.polynomial(1.0, 0.5)), 20, 40, about


def transformer(root):
    x, y, V, about = text(root, 32, 320)
    return (Transformer(V, 1, 32, 2, context=32), (x, y),
            lambda steps: warmed(optim.AdamW, 3e-3, steps, beta2=0.95, decay=0.1), 32, 40, about)


def gnn(root):
    x, edges, y = miniatures.graphs(np.random.default_rng(0))
    return (GNN(4, 16, 3), (packed(xp.asarray(x), xp.asarray(edges)), y),
            lambda steps: warmed(optim.NAdam, 5e-3, steps, beta1=0.93, beta2=0.995, decay=0.08),
            64, 80, "400 generated graphs")


def unet(root):
    return (UNet(1, 6, 2), miniatures.phantoms(np.random.default_rng(0)),
            lambda steps: warmed(optim.NAdam, 3e-3, steps, beta1=0.9, beta2=0.998, decay=0.15),
            32, 60, "128 generated phantoms, 16 x 16")


def dlrm(root):
    return (DLRM(), miniatures.clicks(np.random.default_rng(0)),
            lambda steps: warmed(optim.NAdam, 5e-3, steps, beta1=0.93, beta2=0.995, decay=0.08),
            100, 60, "1,000 generated clicks")


def rotary(root, large=False):
    x, y, V, about = text(root, 64, 640 if large else 160)
    model = Rotary(V, 6, 192, 6, context=64) if large else Rotary(V, 2, 48, 4, context=64)
    return (model, (x, y), lambda steps: warmed(optim.AdamW, 3e-3 if large else 1e-2, steps,
                                                beta2=0.95, decay=0.1),
            16, 10 if large else 30, about)


SYSTEMS = {"cnn": cnn, "lstm": lstm, "transformer": transformer, "gnn": gnn, "unet": unet,
           "dlrm": dlrm, "rotary": rotary}
