"""The same network in another order of its units, and what averages of networks are worth.

    symmetries   which reorderings of a network's units leave its function alone
    axes         ... found by watching what a function does with its axes
    assignment   the best one-to-one assignment of a table of scores
    matching     one network's units in the order of another's
    merging      averages, soups, arcs
    statistics   ... and their units set right again (REPAIR)
"""
from .assignment import linear_assignment
from .matching import weight_matching
from .merging import SoupWarning, greedy_soup, slerp, swa_update, uniform_soup
from .statistics import repair, repaired_line
from .symmetries import find_symmetries
