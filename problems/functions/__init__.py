"""Test functions: landscapes one can draw, with known minima.

    from problems import functions

    functions.beale(theta)                  # theta (..., 2) -> heights (...)
    functions.beale.minimisers              # [[3.0, 0.5]]
    functions.rastrigin.in_dimensions(10)   # the same facts for ten coordinates

The formulas stand in `valleys.py` (polynomials) and `ripples.py` (periodic), the record of facts in
`test_function.py`. `FUNCTIONS` holds all of them by name; `quadratic(spectrum)` makes more.
"""

from problems.functions.ripples import ackley, griewank, levy, rastrigin
from problems.functions.test_function import TestFunction
from problems.functions.valleys import (
    beale, booth, himmelblau, quadratic, rosenbrock, sphere, styblinski_tang, three_hump_camel)

FUNCTIONS = {f.name: f for f in (
    sphere, booth, three_hump_camel, styblinski_tang, beale, himmelblau, rosenbrock,
    levy, griewank, ackley, rastrigin)}

__all__ = [*FUNCTIONS, "FUNCTIONS", "TestFunction", "quadratic"]
