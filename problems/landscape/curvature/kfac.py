"""K-FAC: the Gauss-Newton matrix of a network with every layer's block split into two factors.

    G ≈ diag over layers of  A_l ⊗ Γ_l,      A_l = mean of a aᵀ,   a = (the layer's input, 1)
                                             Γ_l = Σ_r J_rᵀ H J_r  over the rows of its output

A block of a layer with n inputs and m outputs, (nm) x (nm), becomes an n x n and an m x m matrix:
cheap to keep, to multiply and to invert. It is exact for one linear layer under squared error, and
leaves out what couples layers, and the correlation of inputs and curvature within one.
"""
from minigrad.arguments import point
from minigrad.backend import xp
from minigrad.kinds import expects, source
from optim.lmo.factors import output_factors
from optim.objective import Objective

from .hessian import check_finite, check_vector


class KFACOp:
    """v -> G v at a point, by the Kronecker factors of its layers.

        block of (W, b):   V -> A V Γ          V (n + 1, m): the part of v of W, and below it of b

    Weights in no layer, embeddings and norms have no block: there G v is 0.

    loss     a Problem with a layout, or an Objective of one, over its batches; the loss must be one
             cross-entropy or mean squared error
    theta    the point (n,)
    batches  as of HessianOp
    rng      Generator, where rows of a batch meet (attention), or for more than 32 classes

    Source: Martens & Grosse 2015, arXiv:1503.05671; convolutions as in Grosse & Martens 2016,
    arXiv:1602.01407, the expand form for weights shared over positions.
    .factors   {name of a weight: (A, Γ, axis of the weight that meets the input, name of its bias)}
    .n, .dtype, .calls, Raises   as in HessianOp
    """

    @expects(rng=source)
    def __init__(self, loss, theta, batches=None, rng=None):
        theta = point("KFACOp", xp.asarray(theta))
        if theta.ndim != 1:
            raise ValueError(f"KFACOp: theta must be one flat point (n,), got shape {theta.shape}. "
                             "Make one operator for each point.")
        check_finite("KFACOp", theta)
        objective = Objective.of(loss, batches, "KFACOp")
        if getattr(objective, "layout", None) is None:
            raise TypeError("KFACOp: needs a Problem with a layout: layers have names. "
                            "Wrap the model in problems.Network.")
        self.layout = objective.layout
        self.n, self.dtype, self.calls = theta.shape[0], theta.dtype, 0
        objective.value_and_grad(theta, watch=True)
        self.factors, self.seen = {}, {}
        for share, (height, layers) in zip(objective.shares, objective.layers):
            for layer, Gamma in zip(layers, output_factors(height, layers, rng)):
                self.add(layer, Gamma, share)

    def add(self, layer, Gamma, share):
        """One use of a weight in one batch: A is the mean over uses and batches, Γ the sum over
        uses of the mean over batches."""
        if Gamma is None:
            raise ValueError(f"KFACOp: {layer.weight} is the weight of a recurrent layer, whose "
                             "sums are not in the graph. Use GaussNewtonOp.")
        a = layer.rows()
        if layer.bias:
            a = xp.concatenate([a, xp.ones((len(a), 1), a.dtype)], axis=1)
        A, Gamma = a.T @ a / len(a), Gamma * share
        seen = self.seen.get(layer.weight, 0.0)                 # shares of all uses so far
        if seen:
            *before, axis, bias = self.factors[layer.weight]
            if (axis, bias) != (layer.axis, layer.bias):
                raise ValueError(f"KFACOp: {layer.weight} is used both ways round, which has no "
                                 "Kronecker form. Use GaussNewtonOp.")
            A = (seen * before[0] + share * A) / (seen + share)
            Gamma = before[1] + Gamma
        self.seen[layer.weight] = seen + share
        self.factors[layer.weight] = (A, Gamma, layer.axis, layer.bias)

    def matvec(self, v):
        """G v for v (n,)."""
        return self.each_block(v, lambda V, A, Gamma: A @ V @ Gamma)

    def solve(self, v, damping):
        """(A + π √λ I)⁻¹ V (Γ + √λ/π I)⁻¹ block by block, 0 elsewhere; π² the ratio of their mean
        eigenvalues, so that both factors are damped alike.

        Source: Martens & Grosse 2015, arXiv:1503.05671, section 6.3.
        """
        if not damping > 0:
            raise ValueError(f"KFACOp.solve: damping must be above 0, got {damping}.")

        def block(V, A, Gamma):
            pi = xp.sqrt((xp.trace(A) / len(A)) / (xp.trace(Gamma) / len(Gamma)))
            left = A + xp.eye(len(A), dtype=A.dtype) * (pi * damping**0.5)
            right = Gamma + xp.eye(len(Gamma), dtype=A.dtype) * (damping**0.5 / pi)
            return xp.linalg.solve(right, xp.linalg.solve(left, V).T).T
        return self.each_block(v, block)

    def each_block(self, v, f):
        check_vector("KFACOp", v, self.n)
        self.calls += 1
        out = xp.zeros_like(v)
        for name, (A, Gamma, axis, bias) in self.factors.items():
            entry = self.layout[name]
            V = v[entry.start:entry.stop].reshape(self.shape_of(entry, axis))
            V = V.T if axis else V
            where = None
            if bias:
                where = slice(self.layout[bias].start, self.layout[bias].stop)
                V = xp.concatenate([V, v[where][None]])
            V = f(V, A, Gamma)
            W = V[:-1] if bias else V
            out[entry.start:entry.stop] = (W.T if axis else W).ravel()
            if bias:
                out[where] = V[-1]
        return out

    @staticmethod
    def shape_of(entry, axis):
        """(in, out), or (out, the rest) where the inputs are not first."""
        first, last = entry.shape[0], entry.shape[-1]
        return (first, -1) if axis else (-1, last)
