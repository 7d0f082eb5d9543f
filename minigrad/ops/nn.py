"""The fused operations of neural networks: one primitive where a chain of them would cost passes
over memory. Here softmax, the losses, attention and embedding; activations and norms are beside it.

Each has the ordinary rule, written in minigrad functions and so differentiable again, and a second
one for arrays (`vjp_arrays`) that uses what the forward pass saved. Tests check that they agree.

Letters: B batch, T time, C channels or classes, D width of a head; "lead" axes come before those
an operation needs, and may be a batch of points.
"""
import math

from minigrad.backend import check_range, on_device, sum_rows, xp
from minigrad.ops.elementary import exp
from minigrad.ops.linalg import _matmul, _matmul_nt, _matmul_tn, matmul
from minigrad.ops.passes import blocks, row_dot, row_sum
from minigrad.ops.reduce import sum
from minigrad.ops.shape import reshape, sum_to
from minigrad.tape import in_transform
from minigrad.tensor import primitive

# ---------------------------------------------------------------- softmax and losses


def _row_max(x):
    """Maximum of the last axis, kept. Along a short axis NumPy is up to 7x faster on the transpose
    of a block that fits the cache."""
    if x.shape[-1] > 64 or on_device or x.ndim < 2:
        return x.max(axis=-1, keepdims=True)
    largest = xp.empty(x.shape[:-1] + (1,), x.dtype)
    for x_, largest_ in blocks(x, largest):
        largest_[:, 0] = xp.ascontiguousarray(x_.T).max(axis=0)
    return largest


def _softmax(x, axis, out=None):
    """softmax of x along an axis, in a new array or in `out`, which may be x."""
    y = xp.subtract(x, _row_max(x) if axis == -1 else x.max(axis=axis, keepdims=True), out=out)
    y = xp.exp(y, out=y)
    y /= row_sum(y) if axis == -1 else y.sum(axis=axis, keepdims=True)
    return y


@primitive
def softmax(x, *, axis=-1):
    """p = e^x / sum e^x along an axis.   dp = p (dx - sum p dx)"""
    return _softmax(x, axis)


@softmax.vjp
def _(g, y, x, *, axis=-1):
    gy = g * y
    return gy - y * sum(gy, axis=axis, keepdims=True)


@primitive
def log_softmax(x, *, axis=-1):
    """log of softmax, without overflow.   dy = dx - sum p dx,  p = e^y"""
    y = x - x.max(axis=axis, keepdims=True)
    y -= xp.log(xp.exp(y).sum(axis=axis, keepdims=True))
    return y


@log_softmax.vjp
def _(g, y, x, *, axis=-1):
    return g - exp(y) * sum(g, axis=axis, keepdims=True)


def _heights(g, ndim):
    """A cotangent (lead) with axes of length 1 for the labels and what follows: (lead, 1, ...)."""
    return reshape(g, shape=g.shape + (1,) * (ndim - g.ndim))


@primitive(saves=True)
def softmax_cross_entropy(logits, labels):
    """Mean of -log softmax(logits)[label], in nats.

    logits (lead, L, C), labels L: integers in [0, C), of any number of axes -> heights (lead).
    The mean is over the labels; leading axes of the logits (a batch of points) are kept.
        d = (p - onehot(labels)) dlogits / n,    p = softmax(logits), n = number of labels
    """
    C, L = logits.shape[-1], labels.shape
    if logits.shape[logits.ndim - 1 - len(L):-1] != L:
        raise ValueError(f"softmax_cross_entropy: logits {logits.shape} do not fit labels {L}. "
                         "The logits need the axes of the labels and then one for the classes.")
    check_range("softmax_cross_entropy", "labels", labels, C, wait=not in_transform())
    z = logits.reshape(-1, C)
    p = z - _row_max(z)
    chosen = p.reshape(-1)[_chosen(labels, logits)]
    p = xp.exp(p, out=p)
    total = p @ xp.ones(C, p.dtype)
    p /= total[:, None]
    losses = xp.log(total)
    losses -= chosen
    lead = logits.shape[:logits.ndim - 1 - len(L)]
    return losses.reshape(lead + (-1,)).sum(axis=-1) * (1.0 / labels.size), p


def _chosen(labels, logits):
    """Where logits.reshape(-1) has each row's label."""
    n, C = logits.size // logits.shape[-1], logits.shape[-1]
    flat = labels.reshape(-1)
    return xp.arange(0, n * C, C) + (flat if n == flat.size else xp.tile(flat, n // flat.size))


@softmax_cross_entropy.vjp
def _(g, y, logits, labels, *, needs):
    return _heights(g * (1.0 / labels.size), logits.ndim) * softmax_error(logits, labels), None


@softmax_cross_entropy.vjp_arrays
def _(g, y, p, logits, labels, *, needs):
    one = g * (1.0 / labels.size)
    d = p.reshape(logits.shape) * _heights(one, logits.ndim)
    d.reshape(-1)[_chosen(labels, logits)] -= one if one.ndim == 0 else xp.repeat(one, labels.size)
    return d, None


@primitive
def softmax_error(logits, labels):
    """p - onehot(labels), p = softmax(logits).   dy = p (dlogits - sum p dlogits)"""
    p = _softmax(logits, -1)
    p.reshape(-1)[_chosen(labels, logits)] -= 1.0
    return p


@softmax_error.vjp
def _(g, y, logits, labels, *, needs):
    p = softmax(logits)
    gp = g * p
    return gp - p * sum(gp, axis=-1, keepdims=True), None


@primitive
def mean_squared_error(prediction, target):
    """Mean of (prediction - target)^2 over the axes of the target.

    prediction (lead, S), target S -> heights (lead).   d = 2 (prediction - target) dprediction / n
    """
    lead = prediction.ndim - len(target.shape)
    if lead < 0 or prediction.shape[lead:] != target.shape:
        raise ValueError(f"mean_squared_error: prediction {prediction.shape} does not fit target "
                         f"{target.shape}. The last axes must be equal; reshape one of them.")
    e = (prediction - target).reshape(prediction.shape[:lead] + (-1,))
    return (e * e).sum(axis=-1) * (1.0 / target.size)


@mean_squared_error.vjp
def _(g, y, prediction, target, *, needs):
    d = _heights(g * (2.0 / target.size), prediction.ndim) * (prediction - target)
    return d, -sum_to(d, shape=target.shape) if needs[1] else None

# ---------------------------------------------------------------- attention and embedding


def _weights(q, k, causal):
    """Attention weights  softmax(q k^T / sqrt(D)), (..., T, S)."""
    scores = xp.matmul(q, k.swapaxes(-1, -2))
    scores *= 1.0 / math.sqrt(q.shape[-1])
    if causal:
        T, S = scores.shape[-2:]
        scores += xp.triu(xp.full((T, S), -math.inf, scores.dtype), S - T + 1)
    return _softmax(scores, -1, out=scores)


@primitive
def attention_weights(q, k, *, causal=False):
    """a = softmax(q k^T / sqrt(D)): how much each place attends to each other; (..., T, S).
    With causal=True no place attends to a later one."""
    return _weights(q, k, causal)


@attention_weights.vjp
def _(g, a, q, k, *, needs, causal=False):
    s = softmax_slope(g, a, scale=1.0 / math.sqrt(q.shape[-1]))
    return _matmul(s, k) if needs[0] else None, _matmul_tn(s, q) if needs[1] else None


@primitive
def softmax_slope(g, a, *, scale=1.0):
    """scale a (g - sum g a) along the last axis: the Jacobian of a = softmax, applied to g.

        dg = softmax_slope(c, a),    da = scale (c (g - sum g a) - g sum c a)
    """
    y = xp.empty(g.shape, g.dtype)
    for g_, a_, y_ in blocks(g, a, y):
        xp.subtract(g_, row_dot(g_, a_), out=y_)
        y_ *= a_
        y_ *= scale
    return y


@softmax_slope.vjp
def _(c, y, g, a, *, needs, scale=1.0):
    c = c * scale
    dg = softmax_slope(c, a) if needs[0] else None
    if not needs[1]:
        return dg, None
    rest = g - sum(g * a, axis=-1, keepdims=True)
    return dg, c * rest - g * sum(c * a, axis=-1, keepdims=True)


@softmax_slope.vjp_arrays
def _(c, y, _, g, a, *, needs, scale=1.0):
    dg = softmax_slope(c, a, scale=scale) if needs[0] else None
    if not needs[1]:
        return dg, None
    da = xp.empty(a.shape, a.dtype)
    for c_, g_, a_, da_ in blocks(c, g, a, da):
        xp.subtract(g_, row_dot(g_, a_), out=da_)
        da_ *= c_
        da_ -= g_ * row_dot(c_, a_)
        da_ *= scale
    return dg, da


@primitive(saves=True)
def attention(q, k, v, *, causal=False, mask=None):
    """a v,  a = softmax(q k^T / sqrt(D)).   q (..., T, D), k and v (..., S, D) -> (..., T, D).

    causal  no place attends to a later one
    mask    multiplies the weights a, for dropout; an array (..., T, S)
    Source: Vaswani et al., arXiv:1706.03762, equation 1.
    """
    a = _weights(q, k, causal)
    return xp.matmul(a if mask is None else a * mask, v), a


@attention.vjp
def _(g, y, q, k, v, *, needs, causal=False, mask=None):
    a = attention_weights(q, k, causal=causal)
    kept = a if mask is None else a * mask
    da = _matmul_nt(g, v)
    if mask is not None:
        da = da * mask
    dq, dk = attention_weights.rule(da, a, q, k, needs=needs[:2], causal=causal)
    return dq, dk, _matmul_tn(kept, g) if needs[2] else None


@attention.vjp_arrays
def _(g, y, a, q, k, v, *, needs, causal=False, mask=None):
    dv = matmul((a if mask is None else a * mask).swapaxes(-1, -2), g) if needs[2] else None
    s = matmul(g, v.swapaxes(-1, -2))
    if mask is not None:
        s *= mask
    s *= a
    s -= a * s.sum(axis=-1, keepdims=True)
    s *= 1.0 / math.sqrt(q.shape[-1])
    return (matmul(s, k) if needs[0] else None,
            matmul(s.swapaxes(-1, -2), q) if needs[1] else None, dv)


@primitive
def embedding(table, tokens, *, known=False):
    """Rows of a table:  y = table[tokens].   table (V, C), tokens integers in [0, V) of any shape.
    dy = dtable[tokens];  the cotangents of rows picked several times are added
    known: the range of the tokens was checked before"""
    if not known:
        check_range("embedding", "tokens", tokens, table.shape[0], wait=not in_transform())
    return table[tokens]


@embedding.vjp
def _(g, y, table, tokens, *, needs, known=False):
    return embedding_sum(g, tokens, size=table.shape[0]), None


@primitive
def embedding_sum(rows, tokens, *, size):
    """The transpose of `embedding`: a table (size, C) where row k is the sum of the rows whose
    token is k."""
    return sum_rows(rows.reshape(-1, rows.shape[-1]), tokens.reshape(-1), size)


@embedding_sum.vjp
def _(g, y, rows, tokens, *, needs, size):
    return embedding(g, tokens, known=True), None
