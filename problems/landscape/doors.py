"""What the tools here take for a landscape and for an operator: the kinds of `minigrad.kinds`."""
from minigrad.arguments import short
from minigrad.kinds import brought
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
