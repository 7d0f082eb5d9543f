"""minigrad: derivatives of any order of functions written with NumPy (or CuPy) arrays.

    >>> import minigrad as mg
    >>> f = lambda x: (x**2).sum() / 2
    >>> mg.grad(f)(mg.xp.asarray([1.0, 2.0]))
    array([1., 2.])

Read `tensor.py` first (a Tensor, a primitive, the backward sweep), then `transforms.py` (grad, vjp,
jvp, hvp), then `ops/` (every operation beside its derivative), then `tree.py` (parameters as one
flat point), `graph.py` (what a result was made from) and `replay/` (one gradient, recorded and
repeated).
"""
from minigrad.engine import protocols as _protocols  # (what a Tensor answers to Python)
from minigrad.backend import keep_heap, to_host, xp
from minigrad.ops import *  # noqa: F403  (every operation, by its own name)
from minigrad.checks import check_gradient, check_hvp
from minigrad.replay import replay
from minigrad.tape import no_grad
from minigrad.tensor import Tensor, constant, primitive, tensor
from minigrad.transforms import grad, hvp, jvp, value_and_grad, vjp
from minigrad.tree import Layout
