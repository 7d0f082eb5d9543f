"""What the tools here take for a landscape and for an operator: the kinds of `minigrad.kinds`."""
import numpy as np

from minigrad.arguments import short
from minigrad.backend import to_host, xp
from minigrad.kinds import array, brought
from optim.objective import Objective


def heights_of(where, name, value):
    """What `landscape` takes, as it is: for tools that ask for many heights at a time."""
    if not (callable(value) or hasattr(value, "value") or hasattr(value, "loss")):
        raise TypeError(f"{where}: {name} must be an Objective, a Problem or a function of theta, "
                        f"got {short(value)}.")
    return value


def landscape(where, name, value):
    """An Objective as it is; a Problem or a differentiable function of points as one."""
    heights_of(where, name, value)
    return value if hasattr(value, "value") else Objective.of(value, where=where)


def heights_each_step(where, name, value):
    """As `landscape`, or an iterator that gives an objective for each step."""
    return value if hasattr(value, "__next__") else landscape(where, name, value)


def operator_of(where, name, value):
    """Something with products: .matvec and .n, or a square matrix of floating-point numbers."""
    if hasattr(value, "matvec") and hasattr(value, "n"):
        return value
    if not hasattr(value, "ndim"):
        raise TypeError(f"{where}: {name}: need an object with .matvec and .n, or a square matrix, "
                        f"got {short(value)}. Wrap a loss as HessianOp(loss, theta).")
    return brought(where, name, value)


def points_of(where, name, value):
    """Finite points of one shape (d,), in a list or an array, as one array (k, d)."""
    if not isinstance(value, (list, tuple)) and getattr(value, "ndim", 0) < 1:
        raise TypeError(f"{where}: {name} must be a list of points (d,) or an array (k, d), got "
                        f"{short(value)}.")
    for point in value:
        array(where, f"one of the {name}", point)
    shapes = sorted({tuple(point.shape) for point in value})
    if len(shapes) != 1 or len(shapes[0]) != 1:
        raise ValueError(f"{where}: needs one or more points of one shape (d,), got shapes "
                         f"{shapes}. Networks of different architectures do not lie in one space.")
    points = xp.stack(list(value))
    bad = np.flatnonzero(~to_host(xp.isfinite(points).all(axis=1))).tolist()
    if bad:
        raise ValueError(f"{where}: {name} {bad} contain nan or infinity. Leave out the runs that "
                         "diverged.")
    return points
