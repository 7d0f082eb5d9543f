"""How long a method needs to get somewhere: out of a saddle, to the bottom, to a small gradient."""
from typing import NamedTuple

import numpy as np

from minigrad.backend import to_host
from minigrad.kinds import expects, array, function, having, whole
from problems.landscape.doors import landscape
from optim.descent import descent
from optim.objective import Objective


class Walk(NamedTuple):
    """When each point of a batch arrived.

    steps (n,)         number of steps, inf if it never did
    path (t+1, n, d)   where the points were, until the last had arrived; on the host
    gradients          what it cost, over all points
    """

    steps: np.ndarray
    path: np.ndarray
    gradients: int


@expects(optimizer=having("init", "step"), problem=landscape, theta=array, arrived=function,
         limit=whole(0))
def hitting_times(optimizer, problem, theta, arrived, limit=100_000):
    """Run a batch of points (n, d) until each has arrived once, or for `limit` steps.

    arrived   theta (n, d) -> booleans (n,)
    """
    if theta.ndim != 2:
        raise ValueError("hitting_times: theta must be a batch of points (n, d), got shape "
                         f"{theta.shape}. Add an axis: theta[None].")
    objective, path, first = Objective.of(problem), [], np.full(theta.shape[0], np.inf)
    before = objective.gradients
    for step, theta, _, _ in descent(optimizer, objective, theta, steps=limit):
        path.append(to_host(theta))
        first = np.where(np.isinf(first) & to_host(arrived(theta)), float(step), first)
        if np.isfinite(first).all():
            break
    # The last look, at where they had arrived, took them nowhere.
    return Walk(first, np.array(path), objective.gradients - before - theta.shape[0])


walk = hitting_times                                # its older name
