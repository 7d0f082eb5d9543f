"""Curvature: how much a direction allows, and how far to go along it.

    line_search    how far along a direction: golden section, backtracking, strong Wolfe
    quasi_newton   BFGS, L-BFGS: curvature learnt on the way
    crude_lbfgs    ... as one paper's code has it
    krylov         a symmetric operator seen through a few of its products
    newton         saddle-free Newton: the step that each direction's curvature allows
"""
from .crude_lbfgs import CrudeLBFGS
from .line_search import Ray, backtracking, golden_section, strong_wolfe
from .newton import SaddleFreeNewton
from .quasi_newton import BFGS, LBFGS
