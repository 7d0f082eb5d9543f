"""Γ: the curvature that the outputs of a layer inside a network see (the output side of K-FAC).

    Γ = Σ_r J_rᵀ H J_r,      J_r = d(outputs of the network)/d(row r of the layer's output)

with H the Hessian of the loss in the network's outputs, H = F Fᵀ: one pullback through the
recorded calculation for every column of F.

    cross-entropy of N labels   F_k = √(p_k/N) (e_k - p)
    mean squared error          F_k = √(2/size) e_k

Where rows of the batch meet on the way (attention, batch norm), the columns of all rows at once
would mix: signs ±1, drawn for every row, make the cross terms vanish on average.

Source: Martens & Grosse 2015, arXiv:1503.05671; weights shared over positions as in "expand",
Eschenhagen et al. 2023, arXiv:2311.00636.
"""
import math

from minigrad import graph, vjp
from minigrad.backend import float_of, xp

LISTED = 32                                    # classes up to which every column is pulled back
DRAWS = 8                                      # random combinations of the columns beyond that


def output_factors(height, layers, rng=None):
    """[Γ (m, m)] of the layers of a recorded height, in their order; None for a recurrent layer,
    whose sums before the gates are not in the graph.

    height  the Tensor that the differentiated function returned
    layers  `graph.layers` of it
    rng     Generator of the signs; None: rows do not meet, and there are at most 32 classes
    Raises  ValueError for a loss that is not one cross-entropy or mean squared error
    """
    loss, outputs = loss_of(height)
    slope = vjp(lambda d: graph.rerun(height, {loss.number: d}), xp.zeros_like(loss.data))[1]
    weight = float_of(slope(xp.ones_like(height.data)))
    taps = {layer.z.number: xp.zeros_like(layer.z.data) for layer in layers}
    pull = vjp(lambda taps: graph.rerun(outputs, taps), taps)[1]
    found = [None if layer.z.primitive.__name__ == "lstm" else 0.0 for layer in layers]
    for seed in seeds(loss, outputs.data, weight, rng):
        cotangents = pull(seed)
        for i, layer in enumerate(layers):
            if found[i] is not None:
                rows = rows_of(cotangents[layer.z.number], layer)
                found[i] = found[i] + rows.T @ rows
    return found


def rows_of(z, layer):
    """What left a layer, or its cotangent, as rows (R, m): W x has the outputs first."""
    if layer.z.primitive.__name__ == "_matmul" and layer.x is layer.z.arrays[1]:
        z = z.swapaxes(-1, -2)
    return z.reshape(-1, z.shape[-1])


def loss_of(height):
    """The one loss in a graph: (its node, the Tensor of the network's outputs)."""
    found = [node for node in graph.nodes(height) if node.primitive
             and node.primitive.__name__ in ("softmax_cross_entropy", "mean_squared_error")]
    if len(found) != 1:
        raise ValueError(f"output_factors: needs one cross-entropy or mean squared error, found "
                         f"{len(found)}. Use curvature 'hvp' for another loss.")
    return found[0], found[0].inputs[0]


def seeds(loss, z, weight, rng):
    """Cotangents of the outputs whose outer products add up to H, on average if rng is given."""
    if loss.primitive.__name__ == "mean_squared_error":
        rows = z.reshape(-1, z.shape[-1]) if z.ndim > 1 else z.reshape(-1, 1)
        size = math.sqrt(2.0 * weight / z.size)
        for k in range(rows.shape[1]):
            e = xp.zeros_like(rows)
            e[:, k] = size
            yield (e * signs(rng, (len(e), 1), z.dtype)).reshape(z.shape)
        return
    rows = z.reshape(-1, z.shape[-1])
    p = xp.exp(rows - rows.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    root, scale = xp.sqrt(p), math.sqrt(weight / len(p))
    if p.shape[1] <= LISTED:
        for k in range(p.shape[1]):
            e = -p
            e[:, k] = 0.0
            e[:, k] = -e.sum(axis=1)                    # 1 - p, also where p is next to 1
            e *= root[:, k:k + 1] * scale
            yield (e * signs(rng, (len(e), 1), z.dtype)).reshape(z.shape)
        return
    if rng is None:
        raise ValueError(f"output_factors: {p.shape[1]} classes are drawn, not listed. "
                         "Give rng=numpy.random.default_rng(seed).")
    for _ in range(DRAWS):
        e = root * signs(rng, p.shape, z.dtype)
        e -= p * e.sum(axis=1, keepdims=True)
        yield (e * (scale / math.sqrt(DRAWS))).reshape(z.shape)


def signs(rng, shape, dtype):
    """±1, or 1 where nothing is drawn."""
    if rng is None:
        return xp.ones(shape, dtype)
    return xp.asarray(2.0 * rng.integers(0, 2, shape) - 1.0, dtype=dtype)
