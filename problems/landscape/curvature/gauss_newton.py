"""The Gauss-Newton matrix: the part of the Hessian that a linear network would have.

    L(theta) = l(z(theta)):    H = G + sum_k dl/dz_k d^2 z_k/dtheta^2,    G = J^T l''(z) J

G is positive semi-definite for a convex l, so all negative curvature of a network sits in the
second term, which fades as the residuals dl/dz do. Three maps, each applied to a vector: push it
forward (J), bend it (l''), pull it back (J^T).
"""
import minigrad as mg
from minigrad.backend import xp
from optim.objective import average, shares

from .hessian import check_finite, check_vector


class GaussNewtonOp:
    """v -> G v at a point, averaged over batches by their size.

        G v = J^T (l''(z) (J v)),     z = outputs(theta)

    outputs  function of theta (and a batch): z, any shape
    height   convex function of z (and the batch): a scalar
    batches  list of tuples of arrays with examples along the first axis, or None

    Source: Schraudolph 2002, Fast curvature matrix-vector products, section 3.
    .n, .dtype, .calls, Raises   as in HessianOp
    """

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
        """That of a `problems.Network`; cross-entropy unless the model's loss_name is "mse"."""
        squares = getattr(network.model, "loss_name", "cross_entropy") == "mse"

        def outputs(theta, batch):
            return network.model.apply(network.params(theta), batch[0])

        def height(z, batch):
            if squares:
                return mg.mean_squared_error(z, batch[1].reshape(z.shape))
            return mg.softmax_cross_entropy(z, batch[1])

        return cls(outputs, height, theta, [network.data] if batches is None else batches)

    def matvec(self, v):
        """G v for v (n,)."""
        check_vector("GaussNewtonOp", v, self.n)
        self.calls += 1
        return average(self.shares, (apply(v) for apply in self.products))


def product(outputs, height, theta, batch):
    """v -> J^T l'' J v of one batch, linearised once."""
    z, push = mg.jvp(lambda t: outputs(t, *batch), theta)
    _, pull = mg.vjp(lambda t: outputs(t, *batch), theta)
    bend = mg.hvp(lambda z: height(z, *batch), z)
    return lambda v: pull(bend(push(v)))
