"""The network in a checkpoint: its class and settings stand in the file, so any size can be drawn.

A checkpoint of `train` says what the run was: {"problem.model": "CNN", "problem.model.filters":
"(16, 32)", ...}. From that the model is made again. Classes are looked up in FAMILIES, settings are
read as numbers and words; nothing else in the file is used but the point.
"""
import ast
import inspect

from optim import checkpoint
from problems.networks.cnn import CNN
from problems.networks.lenet import LeNet
from problems.networks.lstm import LSTM
from problems.networks.mlp import MLP
from problems.networks.resnet import ResNet
from problems.networks.resnet9 import ResNet9
from problems.networks.transformer import Transformer

FAMILIES = {"mlp": (MLP,), "cnn": (CNN, LeNet, ResNet, ResNet9), "transformer": (Transformer, LSTM)}
ATTRIBUTES = {"init": "rule", "loss": "loss_name"}      # arguments kept under other names


def stored_model(path, family):
    """The model that the run in the file was made with; None for a run of something else.

    Raises RuntimeError if it is a network of another family, or its settings make no sense
    """
    about = checkpoint.load(path).get("identity", {})
    kinds = {kind.__name__: (name, kind) for name, some in FAMILIES.items() for kind in some}
    kind = about.get("problem.model")
    if kind not in kinds:
        return None
    if kinds[kind][0] != family:
        raise RuntimeError(f"checkpoint: {path} belongs to another model, a {kind}. "
                           f"Use --model {kinds[kind][0]}.")
    settings = {name: about.get(f"problem.model.{ATTRIBUTES.get(name, name)}")
                for name in inspect.signature(kinds[kind][1]).parameters}
    try:
        return kinds[kind][1](**{name: ast.literal_eval(text) for name, text in settings.items()
                                 if text is not None})
    except (ValueError, TypeError, SyntaxError) as problem:
        raise RuntimeError(f"checkpoint: {path} names a {kind} that cannot be made ({problem}). "
                           "Name another file.") from None


def stored_point(path, problem, rng):
    """The point in a checkpoint of this model; RuntimeError if it is none."""
    try:
        run = checkpoint.load(path)
        checkpoint.check_same_model(path, run["model"],
                                    checkpoint.describe(problem.layout, problem.start(rng)))
    except (KeyError, ValueError) as wrong:         # the user's file, not this program
        raise RuntimeError(f"checkpoint: {path} holds no run ({wrong}). "
                           "Name another file.") from None
    return run["theta"].astype("float32")
