"""Graph convolution: every node mixes with its neighbours, and the graph is read off their mean.

    h <- relu(A h W_k + b_k)          k = 1 ... L,  A = D^{-1/2} (A_0 + I) D^{-1/2}
    logits = (mean of h over the nodes) W + b

A_0 is the 0/1 matrix of edges of one graph, D the degrees with the node itself counted: `mixing`.

Source: Kipf & Welling 2016, arXiv:1609.02907, eq. 2. A small relative of the GNN of the AlgoPerf
benchmark (molecules, with features on the edges), which this is not.
"""
import minigrad as mg
from minigrad.backend import xp
from minigrad.kinds import array, expects, whole

from problems.initialisers import dense, rule_of


class GNN:
    """A graph classifier.

    features  of a node     hidden  width of every layer     layers  number L of convolutions
    classes   number of labels                               init    rule of `initialisers`

    Parameters  {"layers": [{"W" (in, out), "b" (out,)}, ...], "head" {"W", "b"}}
    """

    batched = False

    @expects(features=whole(1), hidden=whole(1), layers=whole(), classes=whole(1), init=rule_of)
    def __init__(self, features, hidden=32, layers=3, classes=2, init="uniform"):
        if layers < 1:
            raise ValueError(f"GNN: needs at least one layer, got {layers}.")
        self.features, self.hidden, self.layers = features, hidden, layers
        self.classes, self.rule = classes, init

    def init(self, rng):
        """Draw the parameters, float64."""
        widths = [self.features, *[self.hidden] * self.layers]
        return {"layers": [dense(rng, a, b, self.rule) for a, b in zip(widths, widths[1:])],
                "head": dense(rng, self.hidden, self.classes, self.rule)}

    def apply(self, params, x, *, rng=None):
        """Logits (B, classes) of graphs x (B, N, F + N): node features beside the rows of A."""
        h, A = x[..., :self.features], x[..., self.features:]
        for layer in params["layers"]:
            h = mg.relu(mg.linear(mg.matmul(A, h), layer["W"], layer["b"]))
        return mg.linear(mg.mean(h, axis=1), params["head"]["W"], params["head"]["b"])

    def loss(self, params, batch, *, rng=None):
        """Mean cross-entropy of batch = (graphs (B, N, F + N), labels (B,))."""
        graphs, labels = batch
        return mg.softmax_cross_entropy(self.apply(params, graphs), labels)


@expects(features=array, edges=array)
def packed(features, edges):
    """What the network reads: features (B, N, F) beside the mixing matrices of the edges."""
    if features.ndim != edges.ndim or features.shape[:-1] != edges.shape[:-1]:
        raise ValueError(f"packed: features (B, N, F) and edges (B, N, N) must have the same graphs "
                         f"and nodes, got {tuple(features.shape)} and {tuple(edges.shape)}.")
    return xp.concatenate([features, mixing(edges)], axis=-1)


@expects(edges=array)
def mixing(edges):
    """D^{-1/2} (A_0 + I) D^{-1/2} of symmetric 0/1 matrices A_0 (..., N, N)."""
    if edges.ndim < 2 or edges.shape[-1] != edges.shape[-2]:
        raise ValueError(f"mixing: edges must be (..., N, N), got {tuple(edges.shape)}.")
    A = edges + xp.eye(edges.shape[-1], dtype=edges.dtype)
    root = 1.0 / xp.sqrt(A.sum(axis=-1))
    return A * root[..., None] * root[..., None, :]
