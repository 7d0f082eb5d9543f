"""The landscape as an optimizer sees it: heights, slopes, curvature, and what they cost.

Every comparison of optimizers in this project is per evaluation, so the objective counts them.
"""
import math

from minigrad import Layout, hvp, sum as total, vjp
from minigrad.backend import xp


class Objective:
    """Height, gradient and Hessian-vector products of a landscape, counted per point.

        Objective(f)                 f(theta (..., d)) -> heights (...), any differentiable function
        Objective(problem, batch)    a Problem, on its own data or on one batch of data

    theta is one point (d,) or a batch of points (n, d); heights are () or (n,); gradients and
    products have theta's shape, each row being the height's own: row i of the gradient is that of
    height i, since no height depends on another row.

    A problem with a layout is differentiated over its tree of weights, and raveled once.

    batch       the data; may be set anew between steps
    values      points whose height was asked for alone
    gradients   points whose gradient was asked for (the height comes with it and is not counted
                again); linearising for Hessian-vector products costs one too
    hvps        Hessian-vector products, per point
    """

    def __init__(self, f, batch=None):
        self.layout = f.layout if isinstance(getattr(f, "layout", None), Layout) else None
        if self.layout is not None:
            self.height = lambda tree: f.tree_loss(tree, self.batch)
        elif hasattr(f, "loss"):
            self.height = lambda theta: f.loss(theta, self.batch)
        elif callable(f):
            if batch is not None:
                raise TypeError("Objective: a batch needs a Problem, got a plain function. "
                                "Close over the data.")
            self.height = f
        else:
            raise TypeError("Objective: needs a function of theta or a Problem, got "
                            f"{type(f).__name__}.")
        self.batch = batch
        self.loops = not getattr(f, "batched", True)
        self.values = self.gradients = self.hvps = 0

    def __call__(self, theta):
        return self.value(theta)

    def value(self, theta):
        """Heights (...) of points (..., d)."""
        self.values += points(theta)
        if self.loops and theta.ndim > 1:
            return over_rows(lambda row: xp.asarray(self.height(self.enter(row))), theta)
        return self.checked(self.height(self.enter(theta)), theta)

    def value_and_grad(self, theta):
        """Heights (...) and gradients (..., d)."""
        self.gradients += points(theta)
        if self.loops and theta.ndim > 1:
            return over_rows(self.slope, theta)
        return self.slope(theta)

    def hvp(self, theta):
        """The function v (..., d) -> H v (..., d); the landscape is linearised once, here."""
        self.gradients += points(theta)
        if self.loops and theta.ndim > 1:
            rows = [self.linear(row) for row in theta.reshape(-1, theta.shape[-1])]

            def product(v):
                vs = v.reshape(-1, v.shape[-1])
                return xp.stack([H(row) for H, row in zip(rows, vs)]).reshape(v.shape)
        else:
            product = self.linear(theta)

        def counted(v):
            self.hvps += points(v)
            return product(v)
        return counted

    def slope(self, theta):
        heights, pullback = vjp(self.height, self.enter(theta))
        self.checked(heights, theta)
        return heights, self.leave(pullback(xp.ones_like(heights)))

    def linear(self, theta):
        # Rows do not meet, so the Hessian of the sum of the heights has theirs as its blocks.
        product = hvp(lambda x: total(self.height(x)), self.enter(theta))
        return lambda v: self.leave(product(self.enter(v)))

    def enter(self, theta):
        return theta if self.layout is None else self.layout.unravel(theta)

    def leave(self, tree):
        return tree if self.layout is None else self.layout.ravel(tree)

    def checked(self, heights, theta):
        if getattr(heights, "shape", ()) != theta.shape[:-1]:
            raise ValueError(f"Objective: heights must have shape {theta.shape[:-1]} for points "
                             f"{theta.shape}, got {heights.shape}. Reduce over the last axis only.")
        return heights


def points(theta):
    return math.prod(theta.shape[:-1])


def over_rows(f, theta):
    """f applied to each point of a batch, the results stacked again."""
    results = [f(row) for row in theta.reshape(-1, theta.shape[-1])]
    shape = theta.shape[:-1]
    if isinstance(results[0], tuple):
        return tuple(xp.stack([xp.asarray(r) for r in part]).reshape(shape + part[0].shape)
                     for part in zip(*results))
    return xp.stack(results).reshape(shape)
