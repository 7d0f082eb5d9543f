"""Critical points, where the gradient vanishes, and how long a method takes to leave one.

    searches      the steps that lead to one: Newton on the gradient and its kin
    points        find_critical_point: search, then say what was found       (read first)
    index_study   the index of a critical point against its height
    escape        how long a method takes to get out, or down
    constrained   multipliers and KKT residuals; least squares in a ball
"""
from .constrained import (
    KKT, BallSolution, ball_least_squares, kkt_residuals, onto_ball, projected_descent)
from .escape import hitting_times, walk
from .points import CriticalPoint, distinct, find_critical_point, index_against_height
