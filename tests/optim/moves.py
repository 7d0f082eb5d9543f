"""Feeds given gradients to an optimizer, whatever its point."""
import numpy as np

from minigrad.backend import to_host, xp


def moves(opt, grads, theta):
    """The points that a sequence of gradients leads to."""
    theta, out = xp.asarray(theta), []
    state = opt.init(theta)
    for g in grads:
        delta, state = opt.update(xp.asarray(g), xp.asarray(1.0), theta, state)
        theta = theta + delta
        out.append(to_host(theta))
    return np.array(out)
