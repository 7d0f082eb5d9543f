"""grad, value_and_grad, vjp, jvp, hvp: functions of functions, over trees of arrays. Read second.

Arrays in, arrays out: Tensors are seen only inside the differentiated function, so no graph can
leak. Transforms nest to any order. While one runs the function it counts itself in `tape.depth`;
a backward pass is recorded exactly when another transform is still running around it.

Fresh leaves also keep nested gradients apart. In

    >>> from minigrad import grad
    >>> def slope(x):
    ...     inner = lambda y: x + y         # its derivative in y is 1, whatever x is
    ...     return grad(inner)(x)
    >>> f = lambda x: x * slope(x)          # so f(x) = x, and f'(x) = 1
    >>> float(grad(f)(3.0))
    1.0

an engine that keeps one derivative for each value would take 2 for the slope, since y is the x of
outside and both count (perturbation confusion). Here y is a Tensor of its own, and a sweep goes no
further back than the number of its own leaves.
"""
from minigrad.backend import xp
from minigrad.errors import differentiable
from minigrad.tape import tape
from minigrad.tensor import Tensor, constant, next_number, primitives, sweep
from minigrad.tree import leaves_of, rebuild


def lifted(x, operation):
    """One array of x as a fresh leaf. A Tensor of an outer transform stays connected to it."""
    if type(x) is Tensor and x.number:
        return primitives["identity"](x)
    x = constant(x)
    if type(x) is float:
        x = xp.asarray(x)
    elif not hasattr(x, "dtype"):
        raise TypeError(f"{operation}: cannot differentiate with respect to a {type(x).__name__}. "
                        "Pass floating point arrays, or a tree (dict, list, tuple) of them.")
    return Tensor(differentiable(x, operation), next_number())


def pulled_back(f, x, operation):
    """y = f(x), and the function that sweeps a cotangent of y back to x."""
    before, tape.recording = tape.recording, True
    tape.depth += 1                                  # operations and sweeps in f are recorded
    try:
        leaves = [lifted(leaf, operation) for leaf in leaves_of(x)]
        y = f(rebuild(x, leaves))
    finally:
        tape.recording = before
        tape.depth -= 1
    outputs = leaves_of(y)
    floor = leaves[0].number if leaves else next_number()

    def pullback(cotangent):
        seeds = list(zip(outputs, leaves_of(cotangent), strict=True))
        for o, c in seeds:
            if o.shape != c.shape:
                raise ValueError(f"{operation}: a cotangent of shape {c.shape} does not match an "
                                 f"output of shape {o.shape}.")
        found = sweep(seeds, floor, record=tape.depth > 0 and tape.recording)
        return rebuild(x, [as_leaf(leaf, found.get(leaf.number)) for leaf in leaves])

    return (y if tape.depth else rebuild(y, [constant(o) for o in outputs])), pullback


def as_leaf(leaf, entry):
    """The cotangent found for a leaf, in the leaf's dtype; zeros where nothing depends on it."""
    if entry is None:
        return xp.zeros_like(leaf.data)
    g = entry[1]
    return g if g.dtype == leaf.dtype else primitives["astype"](g, dtype=leaf.dtype)


def vjp(f, x):
    """y = f(x) and the pullback  u -> u^T J,  J = df/dx.   One sweep for a whole tree u like y."""
    return pulled_back(f, x, "vjp")


def jvp(f, x):
    """y = f(x) and the push  v -> J v,  J = df/dx.

    The pullback u -> u^T J is linear in u, so its own pullback is v -> J v: reverse mode twice.
    Linearised once, applied to as many v as wanted.
    """
    y, pullback = pulled_back(f, x, "jvp")
    zeros = rebuild(y, [xp.zeros_like(constant(o)) for o in leaves_of(y)])
    return y, pulled_back(pullback, zeros, "jvp")[1]


def value_and_grad(f):
    """x -> (f(x), df/dx) for scalar f. Further arguments are passed on, not differentiated."""
    def value_and_gradient(x, *rest, **settings):
        y, pullback = pulled_back(lambda t: f(t, *rest, **settings), x, "grad")
        if not hasattr(y, "shape") or y.shape != ():
            what = f"shape {y.shape}" if hasattr(y, "shape") else f"a {type(y).__name__}"
            raise ValueError(f"grad: loss must return a scalar, got {what}. Sum or average it.")
        return y, pullback(xp.ones((), y.dtype))
    return value_and_gradient


def grad(f):
    """x -> df/dx for scalar f, with respect to its first argument: an array or a tree of arrays."""
    both = value_and_grad(f)
    return lambda x, *rest, **settings: both(x, *rest, **settings)[1]


def hvp(f, x):
    """v -> H v,  H = d2f/dx2 at x: the pullback of the gradient (H is symmetric).

    The gradient is recorded once; each product is then one sweep through its graph.
    """
    return pulled_back(grad(f), x, "hvp")[1]
