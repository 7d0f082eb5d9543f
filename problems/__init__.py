"""Landscapes: functions from points theta (..., d) to heights (...).

Read `problem.py` first, then `functions.py` for landscapes one can draw, then the networks.
"""
import importlib

from problems.problem import Network, Problem

__all__ = ["Network", "Problem"]


def __getattr__(name):
    """problems.mlp, problems.functions, problems.landscape, ...: imported when first asked for."""
    try:
        return importlib.import_module(f"problems.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"problems.{name}":
            raise
        raise AttributeError(f"module 'problems' has no attribute {name!r}") from None
