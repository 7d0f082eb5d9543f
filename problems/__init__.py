"""Landscapes: functions from points theta (..., d) to heights (...).

    problem       what a landscape is: where to start, how high a point lies    (read first)
    functions/    test functions one can draw
    potentials/   molecules: minima and the passes between them
    saddles/      saddles that are known exactly
    finite_sums/  means of parts, with what is known of each part
    networks/     networks, one a file: problems.mlp, problems.cnn, ...
    initialisers  where a network starts
    data/         what a network learns
    evaluation    how well it has learnt it
    sampling      the next token, one after another
    landscape/    looking around a point, and between points
"""
import importlib
import sys

from problems import networks
from problems.problem import Network, Problem

__all__ = ["Network", "Problem"]

for _name in ("cnn", "lenet", "lstm", "mlp", "resnet", "resnet9", "row_lstm", "transformer", "vit",
              "lora"):
    sys.modules[f"problems.{_name}"] = globals()[_name] = getattr(networks, _name)


def __getattr__(name):
    """problems.functions, problems.landscape, ...: imported when first asked for."""
    try:
        return importlib.import_module(f"problems.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"problems.{name}":
            raise
        raise AttributeError(f"module 'problems' has no attribute {name!r}") from None
