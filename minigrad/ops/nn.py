"""The operations of neural networks that are one primitive where a chain of them would cost passes
over memory. Here the losses, attention and embedding; softmax, activations and norms are beside it.

Letters: B batch, T time, C channels or classes, D width of a head; "lead" axes come before those
an operation needs, and may be a batch of points.
"""
import math
import operator

from minigrad.backend import check_range, sum_rows, xp
from minigrad.ops.linalg import _matmul, _matmul_nt, _matmul_tn
from minigrad.ops.passes import row_max, row_sum
from minigrad.ops.shape import fitted, reshape, sum_to
from minigrad.ops.softmax import largest, level, log_softmax, softmax, softmax_slope
from minigrad.tape import in_transform
from minigrad.tensor import primitive

# ---------------------------------------------------------------- losses


@primitive
def softmax_cross_entropy(logits, labels):
    """Mean of -log softmax(logits)[label], in nats.

    logits (lead, L, C), labels L: integers in [0, C), of any number of axes -> heights (lead).
    The mean is over the labels; leading axes of the logits (a batch of points) are kept.
        d = (p - onehot(labels)) dlogits / n,    p = softmax(logits), n = number of labels

    Value and slope keep their digits where p is next to 1: there 1 - p is the sum of the others.
    """
    check_labels(logits, labels)
    C, lead = logits.shape[-1], logits.ndim - 1 - len(labels.shape)
    logs = log_softmax.forward(logits).reshape(-1)
    chosen = logs[label_places(logits, labels)].reshape(logits.shape[:lead] + (labels.size,))
    return chosen.sum(axis=-1) * (-1.0 / labels.size)


@softmax_cross_entropy.vjp
def _(g, y, logits, labels, *, needs):
    return heights(g * (1.0 / labels.size), logits.ndim) * softmax_error(logits, labels), None


@primitive
def softmax_error(logits, labels):
    """p - onehot(labels), p = softmax(logits): at the label, less the sum of the other p.
    dy = p (dlogits - sum p dlogits)"""
    p = xp.ascontiguousarray(softmax.forward(logits))
    flat, places = p.reshape(-1), label_places(logits, labels)
    flat[places] = 0.0
    flat[places] = -p.sum(axis=-1).reshape(-1)
    return p


@softmax_error.vjp
def _(g, y, logits, labels, *, needs):
    p = softmax(logits)
    return softmax_slope(level(g, share=largest(p)), p), None


def check_labels(logits, labels):
    """Raise unless the labels fit the logits, and there are some."""
    C, L = logits.shape[-1], labels.shape
    if logits.shape[logits.ndim - 1 - len(L):-1] != L:
        raise ValueError(f"softmax_cross_entropy: logits {logits.shape} do not fit labels {L}. "
                         "The logits need the axes of the labels and then one for the classes.")
    if not labels.size:
        raise ValueError(f"softmax_cross_entropy: no label to average over, labels {L}. "
                         "Give at least one example.")
    check_range("softmax_cross_entropy", "labels", labels, C, wait=not in_transform())


def label_places(logits, labels):
    """Where logits.reshape(-1) has each row's label."""
    n, C = logits.size // logits.shape[-1], logits.shape[-1]
    flat = labels.reshape(-1)
    return xp.arange(0, n * C, C) + (flat if n == flat.size else xp.tile(flat, n // flat.size))


def heights(g, ndim):
    """A cotangent (lead) with axes of length 1 for the labels and what follows: (lead, 1, ...)."""
    return reshape(g, shape=g.shape + (1,) * (ndim - g.ndim))


@primitive
def mean_squared_error(prediction, target):
    """Mean of (prediction - target)^2 over the axes of the target.

    prediction (lead, S), target S -> heights (lead).   d = 2 (prediction - target) dprediction / n
    """
    lead = prediction.ndim - len(target.shape)
    if lead < 0 or prediction.shape[lead:] != target.shape:
        raise ValueError(f"mean_squared_error: prediction {prediction.shape} does not fit target "
                         f"{target.shape}. The last axes must be equal; reshape one of them.")
    if not target.size:
        raise ValueError(f"mean_squared_error: nothing to average in a target of {target.shape}. "
                         "Give at least one example.")
    e = (prediction - target).reshape(prediction.shape[:lead] + (target.size,))
    return (e * e).sum(axis=-1) * (1.0 / target.size)


@mean_squared_error.vjp
def _(g, y, prediction, target, *, needs):
    d = heights(g * (2.0 / target.size), prediction.ndim) * (prediction - target)
    return d, -sum_to(d, shape=target.shape) if needs[1] else None

# ---------------------------------------------------------------- attention and embedding


@primitive
def attention_weights(q, k, *, causal=False):
    """a = softmax(q k^T / sqrt(D)): how much each place attends to each other; (..., T, S).
    With causal=True no place attends to a later one."""
    if q.ndim < 2 or k.ndim < 2 or not q.shape[-1]:
        raise ValueError(f"attention: q {q.shape} and k {k.shape} do not fit, or have no width. "
                         "Give (..., T, D) and (..., S, D) with D >= 1.")
    scores = xp.matmul(q, k.swapaxes(-1, -2)) * (1.0 / math.sqrt(q.shape[-1]))
    if causal:
        T, S = scores.shape[-2:]
        if T > S:
            raise ValueError(f"attention: {T} queries and {S} keys: the first {T - S} queries have "
                             "no key that is not later. Give as many keys as queries, or more.")
        scores = scores + xp.triu(xp.full((T, S), -math.inf, scores.dtype), S - T + 1)
    return softmax.forward(scores)


@attention_weights.vjp
def _(g, a, q, k, *, needs, causal=False):
    s = softmax_slope(level(g, share=largest(a)), a, scale=1.0 / math.sqrt(q.shape[-1]))
    return (fitted(_matmul(s, k), q) if needs[0] else None,
            fitted(_matmul_tn(s, q), k) if needs[1] else None)


@primitive
def attention(q, k, v, *, causal=False, mask=None):
    """a v,  a = softmax(q k^T / sqrt(D)).   q (..., T, D), k and v (..., S, D) -> (..., T, D);
    leading axes broadcast.

    causal  no place attends to a later one
    mask    multiplies the weights a, for dropout; an array (..., T, S) of finite factors. A row of
            zeros attends to nothing, y = 0; -infinity, to be added to scores elsewhere, gives NaN
    Source: Vaswani et al., arXiv:1706.03762, equation 1.
    """
    if v.ndim < 2:
        raise ValueError(f"attention: v {v.shape} has no places. Give (..., S, D).")
    a = attention_weights.forward(q, k, causal=causal)
    return xp.matmul(a if mask is None else a * mask, v)


@attention.vjp
def _(g, y, q, k, v, *, needs, causal=False, mask=None):
    a = attention_weights(q, k, causal=causal)
    kept = a if mask is None else a * mask
    da = _matmul_nt(g, v)
    if mask is not None:
        da = da * mask
    dq, dk = attention_weights.rule(fitted(da, a), a, q, k, needs=needs[:2], causal=causal)
    return dq, dk, fitted(_matmul_tn(kept, g), v) if needs[2] else None


@primitive
def embedding(table, tokens, *, known=False):
    """Rows of a table:  y = table[tokens].   table (V, ...), tokens integers in [0, V), any shape.
    dy = dtable[tokens];  the cotangents of rows picked several times are added
    known: the range of the tokens was checked before"""
    if not known:
        check_range("embedding", "tokens", tokens, table.shape[0], wait=not in_transform())
    return table[tokens]


@embedding.vjp
def _(g, y, table, tokens, *, needs, known=False):
    return embedding_sum(g, tokens, size=table.shape[0], known=True), None


@primitive
def embedding_sum(rows, tokens, *, size, known=False):
    """The transpose of `embedding`: a table (size, ...) where row k is the sum of the rows whose
    token is k.   rows (tokens, ...)
    known: the range of the tokens was checked before"""
    size, n, row = operator.index(size), tokens.ndim, rows.shape[tokens.ndim:]
    if rows.shape[:n] != tokens.shape:
        raise ValueError(f"embedding_sum: rows {rows.shape} and tokens {tokens.shape} do not fit. "
                         "Give a row for each token.")
    if not known:
        check_range("embedding_sum", "tokens", tokens, size, wait=not in_transform())
    rows = rows.reshape(tokens.size, math.prod(row))
    return sum_rows(rows, tokens.reshape(-1), size).reshape((size, *row))


@embedding_sum.vjp
def _(g, y, rows, tokens, *, needs, size, known=False):
    return embedding(g, tokens, known=True), None


# ---------------------------------------------------------------- the same, block by block
#
# Rows are reduced as products with ones; exponentials are made in place; cross-entropy makes its
# error, p - onehot, on the way: its slope.


@softmax_cross_entropy.arrays
def _(logits, labels):
    check_labels(logits, labels)
    z = xp.ascontiguousarray(logits).reshape(-1, logits.shape[-1])
    p = z - row_max(z)
    flat, places = p.reshape(-1), label_places(logits, labels)
    chosen = flat[places]
    xp.exp(p, out=p)
    one = xp.exp(chosen)
    flat[places] = 0.0
    others = row_sum(p)[:, 0]
    flat[places] = -others                              # p - onehot, times the sum of both
    p /= (one + others)[:, None]
    losses = xp.log1p(others + (one - 1.0)) - chosen    # one = 1 where it is the largest
    lead = logits.shape[:logits.ndim - 1 - len(labels.shape)]
    return losses.reshape(lead + (labels.size,)).sum(axis=-1) * (1.0 / labels.size), p


@softmax_cross_entropy.vjp_arrays
def _(g, y, error, logits, labels, *, needs):
    each = g * (1.0 / labels.size)
    if each.ndim:
        each = xp.repeat(each.reshape(-1), labels.size)[:, None]
    return (error * each).reshape(logits.shape), None
