"""The Gauss-Newton matrix: the part of the Hessian that a linear network would have.

    L(θ) = l(z(θ)):    H = G + Σ_k ∂l/∂z_k ∂²z_k/∂θ²,    G = J^T l''(z) J

G is positive semi-definite for a convex l, so all negative curvature of a network sits in the
second term, which fades as the residuals ∂l/∂z do. Three maps, each applied to a vector: push it
forward (J), bend it (l''), pull it back (J^T).
"""
import numpy as np

import minigrad as mg
from minigrad.arguments import point
from minigrad.backend import float_of, xp
from minigrad.kinds import brought, expects, function
from optim.objective import average, shares

from .hessian import check_finite, check_vector


class GaussNewtonOp:
    """v -> G v at a point, averaged over batches by their size.

        G v = J^T (l''(z) (J v)),     z = outputs(θ)

    outputs  function of theta (and a batch): z, any shape
    height   convex function of z (and the batch): a scalar
    batches  list of tuples of arrays with examples along the first axis, or None

    Source: Schraudolph 2002, Fast curvature matrix-vector products, section 3.
    .n, .dtype, .calls, Raises   as in HessianOp
    """

    @expects(outputs=function, height=function, theta=brought)
    def __init__(self, outputs, height, theta, batches=None):
        theta = xp.asarray(theta)
        if theta.ndim != 1:
            raise ValueError(f"GaussNewtonOp: theta must be one flat point (n,), got shape "
                             f"{theta.shape}. Make one operator for each point.")
        check_finite("GaussNewtonOp", theta)
        if batches is not None and len(batches) == 0:
            raise ValueError("GaussNewtonOp: the list of batches is empty. "
                             "Give at least one, or None.")
        groups = [()] if batches is None else [(batch,) for batch in batches]
        self.shares = shares([None] if batches is None else batches)
        self.products = [product(outputs, height, theta, batch) for batch in groups]
        self.n, self.dtype, self.calls = theta.shape[0], theta.dtype, 0

    @classmethod
    def of_network(cls, network, theta, batches=None):
        """That of a `problems.Network`: l is what its model's own loss does with the outputs.

        The model's `loss(params, batch)` is run with the outputs z put in the place of its
        `apply`, so whatever it makes of them (half a square, smoothed labels, weights of classes)
        is bent as it is. A loss that does not go through `apply` must be the mean cross-entropy or
        the mean squared error of its outputs, which is checked by its value, at theta and beside
        it (where all is fitted, half a square is a square).

        Raises ValueError if the outputs do not determine the loss
        """
        theta = point("GaussNewtonOp", theta)
        batches = [network.data] if batches is None else list(batches)
        if any(batch is None for batch in batches):
            raise ValueError("GaussNewtonOp: the network has no data to take its loss over. "
                             "Give data to the Network, or batches=.")

        def outputs(theta, batch):
            return network.model.apply(network.params(theta), batch[0])

        rules = {}

        def height(z, batch):
            if id(batch) not in rules:
                rules[id(batch)] = rule_of(network, theta, batch, outputs)
            return rules[id(batch)](z, batch)

        return cls(outputs, height, theta, batches)

    def matvec(self, v):
        """G v for v (n,)."""
        check_vector("GaussNewtonOp", v, self.n)
        self.calls += 1
        return average(self.shares, (apply(v) for apply in self.products))


class Substitute:
    """A model whose outputs are given; all else is the model's own."""

    def __init__(self, model, outputs):
        self.__dict__.update(model=model, outputs=outputs, asked=False)

    def __getattr__(self, name):
        return getattr(self.model, name)

    def apply(self, params, inputs, **settings):
        self.__dict__["asked"] = True
        return self.outputs


def own_height(network, params):
    """(z, batch) -> the model's own loss with outputs z, and whether it asked for them."""
    loss = getattr(type(network.model), "loss", None)

    def height(z, batch):
        model = Substitute(network.model, z)
        value = network.model.loss(params, batch) if loss is None else loss(model, params, batch)
        height.asked = model.asked
        return value

    height.asked = False
    return height


def rule_of(network, theta, batch, outputs):
    """How the network's loss comes from its outputs: the first rule that gives its value."""
    own = own_height(network, network.params(theta))
    if gives_loss(own, network, theta, batch, outputs) and own.asked:
        return own
    draw = np.random.default_rng(0).standard_normal(theta.shape)
    beside = theta + xp.asarray(draw, dtype=theta.dtype) * (0.1 + 0.1 * xp.abs(theta))
    for rule in (mg.softmax_cross_entropy, squared_error):
        def height(z, batch, rule=rule):
            return rule(z, batch[1])

        if all(gives_loss(height, network, x, batch, outputs) for x in (theta, beside)):
            return height
    raise ValueError("GaussNewtonOp: the network's loss is not made of what its apply returns. "
                     "Give GaussNewtonOp(outputs, height, theta, batches) both functions.")


def gives_loss(height, network, theta, batch, outputs):
    """Whether the height of the outputs at theta is the network's loss there."""
    right = float_of(network.tree_loss(network.params(theta), batch))
    try:
        value = float_of(height(outputs(theta, batch), batch))
    except (TypeError, ValueError):
        return False                                        # labels of another kind
    return abs(value - right) <= 1e-6 * (1.0 + abs(right))


def squared_error(z, targets):
    return mg.mean_squared_error(z, targets.reshape(z.shape))


def product(outputs, height, theta, batch):
    """v -> J^T l'' J v of one batch, linearised once."""
    z, push = mg.jvp(lambda t: outputs(t, *batch), theta)
    _, pull = mg.vjp(lambda t: outputs(t, *batch), theta)
    bend = mg.hvp(lambda z: height(z, *batch), z)
    return lambda v: pull(bend(push(v)))
