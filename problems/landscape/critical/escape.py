"""How long a method needs to get somewhere: out of a saddle, to the bottom, to a small gradient."""
from typing import NamedTuple

import numpy as np

from minigrad.backend import to_host
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


def walk(optimizer, problem, theta, arrived, limit=100_000):
    """Run a batch of points (n, d) until each has arrived once, or for `limit` steps.

    arrived   theta (n, d) -> booleans (n,)
    """
    if theta.ndim != 2:
        raise ValueError(f"walk: theta must be a batch of points (n, d), got shape {theta.shape}. "
                         "Add an axis: theta[None].")
    objective, state, path = Objective(problem), optimizer.init(theta), [to_host(theta)]
    first = np.where(to_host(arrived(theta)), 0.0, np.inf)
    for step in range(1, limit + 1):
        if np.isfinite(first).all():
            break
        theta, state, _ = optimizer.step(objective, theta, state)
        path.append(to_host(theta))
        first = np.where(np.isinf(first) & to_host(arrived(theta)), float(step), first)
    return Walk(first, np.array(path), objective.gradients)
