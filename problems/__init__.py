"""Landscapes: functions from points theta (..., d) to heights (...).

Read `problem.py` first, then `functions.py` for landscapes one can draw, then the networks.
"""

from problems.problem import Network, Problem

__all__ = ["Network", "Problem"]
