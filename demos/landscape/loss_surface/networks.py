"""The networks whose landscape is drawn: a model, its data, and the point to look around.

The sizes are those of the training demos (mnist, shakespeare --size small). A checkpoint brings its
own model and its sizes (stored.py): --checkpoint results/checkpoints/....npz.
"""
from typing import Any, NamedTuple

import numpy as np

from demos.landscape.loss_surface.stored import stored_model, stored_point
from minigrad.backend import xp
from optim import Adam, cosine
from optim.training import train
from problems import Network
from problems.networks.cnn import CNN
from problems.data import first_local, load
from problems.networks.mlp import MLP
from problems.networks.transformer import Transformer

SETS = {"mlp": ("mnist", "strokes"), "cnn": ("mnist", "strokes"),
        "transformer": ("tinyshakespeare", "grammar")}
IMAGES = ("mnist", "fashion-mnist", "cifar-10", "strokes")
RATE = 3e-3                                         # of Adam, with a cosine to zero


class Size(NamedTuple):
    """How much to look at: examples the height is taken over, points along a side of the plane,
    training steps, Lanczos steps, probes of the trace, points along a side of the curvature map."""

    examples: int
    points: int
    steps: int
    lanczos: int
    probes: int
    map: int


SIZES = {"mlp": Size(2000, 51, 800, 40, 30, 7), "cnn": Size(128, 21, 300, 30, 15, 3),
         "transformer": Size(16, 25, 400, 30, 15, 5)}
QUICK = {"mlp": Size(250, 11, 40, 12, 6, 3), "cnn": Size(32, 7, 8, 8, 3, 3),
         "transformer": Size(4, 7, 8, 8, 3, 3)}


class Trained(NamedTuple):
    """problem (float32, on the data its height is taken over), theta, the iterates and their steps.

    iterates (T, d) end in theta; None when theta was read from a file
    """

    problem: Any
    theta: Any
    iterates: Any
    steps: Any
    about: str


def build(model, name, root, examples, network=None):
    """(problem, caption): the landscape over the first training examples of a data set.

    network  a model to take instead of the one of this demo
    """
    if model == "transformer":
        data = load(name, root, context=getattr(network, "context", 64))
        network = network or Transformer(len(data.vocabulary), layers=2, width=64, heads=4,
                                         context=64)
    else:
        few = dict(n_train=examples, n_valid=100, n_test=100) if name == "strokes" else {}
        flat = dict(flat=model == "mlp") if name in IMAGES else {}
        data = load(name, root, **flat, **few)
        shape = data.train.inputs.shape[1:]
        network = network or (CNN(image=shape) if model == "cnn" else MLP((*shape, 64, 64, 10)))
    return Network(network, data.train.take(slice(examples)), "float32"), data.about


def trained(args, size, progress):
    """Train the network on its examples, or read it from args.checkpoint."""
    name = args.data or first_local(*SETS[args.model], root=args.data_dir)
    network = stored_model(args.checkpoint, args.model) if args.checkpoint else None
    problem, about = build(args.model, name, args.data_dir, size.examples, network)
    rng = np.random.default_rng(args.seed)
    if args.checkpoint:
        return Trained(problem, stored_point(args.checkpoint, problem, rng), None, None, about)
    every = max(size.steps // 40, 1)
    seen, steps = [], []

    def remember(theta):
        seen.append(theta)
        steps.append(every * len(seen))
        progress(f"training, step {steps[-1]} of {size.steps}")
        return 0.0

    picks = (xp.asarray(rng.choice(size.examples, max(size.examples // 8, 4), replace=False))
             for _ in range(size.steps))
    batches = [tuple(part[pick] for part in problem.data) for pick in picks]
    start = problem.start(rng)
    run = train(problem, Adam(cosine(RATE, size.steps)), batches, rng=rng, epochs=1, theta=start,
                evaluate=remember, evaluate_every=every, progress=None)
    return Trained(problem, run.theta, xp.stack([start, *seen]), [0, *steps], about)
