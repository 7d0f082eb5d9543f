"""Causal self-attention of several heads, from the joint projection to the joint output.

With qkv (B, T, 3C) holding queries, keys and values side by side, each cut into H heads of D = C
/ H channels, every head of every sequence is

    a = softmax(q k^T / sqrt(D)) over s <= t,  (T, T)        y = (m a) v,  (T, D)

with m a dropout mask or 1, and the heads stand side by side again in the result (B, T, C).
Backwards

    dv = (m a)^T g     ds = a (c - sum_s a c) / sqrt(D),  c = m (g v^T)     dq = ds k     dk = ds^T q

with c first made 0 where a is largest, see `softmax.level`: a place that attends to one other alone
then has the digits of what is left for the rest.

Source: Vaswani et al., arXiv:1706.03762, section 3.2.
"""
import math

from minigrad.backend import xp
from minigrad.ops.linalg import _matmul_nt, _matmul_tn
from minigrad.ops.nn import attention_weights
from minigrad.ops.passes import several
from minigrad.ops.shape import reshape, stack, transpose
from minigrad.tensor import primitive


def heads_of(qkv, heads):
    """q, k, v as views (B, H, T, D) of qkv (B, T, 3C)."""
    B, T, width = qkv.shape
    return qkv.reshape(B, T, 3, heads, width // (3 * heads)).transpose(2, 0, 3, 1, 4)


def cut(y, heads):
    """y (B, T, C) as a view (B, H, T, D)."""
    B, T, C = y.shape
    return y.reshape(B, T, heads, C // heads).transpose(0, 2, 1, 3)


@primitive
def self_attention(qkv, *, heads, mask=None):
    """Causal attention of every position to itself and those before: the module's formula.

    qkv (B, T, 3C)   heads H, dividing C   returns (B, T, C)
    mask  multiplies the weights, for dropout: an array (B, H, T, T), keys first, m[..., s, t]
    """
    check(qkv, heads, mask)
    q, k, v = heads_of(qkv, heads)
    a = attention_weights.forward(q, k, causal=True)
    y = (a if mask is None else a * mask.swapaxes(-1, -2)) @ v      # (B, H, T, D)
    return y.transpose(0, 2, 1, 3).reshape(*qkv.shape[:2], -1)


@self_attention.vjp
def _(g, y, qkv, *, needs, heads, mask=None):
    """The same in differentiable operations, weights queries first."""
    B, T, C = y.shape
    shape = (B, T, heads, C // heads)
    q, k, v = (transpose(reshape(qkv[..., i * C:(i + 1) * C], shape=shape), axes=(0, 2, 1, 3))
               for i in range(3))
    g = transpose(reshape(g, shape=shape), axes=(0, 2, 1, 3))
    a = attention_weights(q, k, causal=True)
    da, kept = _matmul_nt(g, v), a
    if mask is not None:
        m = mask.swapaxes(-1, -2)
        da, kept = da * m, a * m
    dq, dk = attention_weights.rule(da, a, q, k, needs=(True, True), causal=True)
    dv = _matmul_tn(kept, g)
    side_by_side = stack([dq, dk, dv])                              # (3, B, H, T, D)
    return (reshape(transpose(side_by_side, axes=(1, 3, 0, 2, 4)), shape=qkv.shape),)


def check(qkv, heads, mask):
    if qkv.ndim != 3 or qkv.shape[2] % (3 * heads):
        raise ValueError(f"self_attention: qkv {qkv.shape} cannot be cut into q, k and v of "
                         f"{heads} heads. Give (B, T, 3C) with C a multiple of heads.")
    if mask is not None and mask.shape != (len(qkv), heads, qkv.shape[1], qkv.shape[1]):
        raise ValueError(f"self_attention: the mask has shape {mask.shape} for qkv {qkv.shape} and "
                         f"{heads} heads. Give (B, H, T, T).")
    if not qkv.size:
        raise ValueError(f"self_attention: qkv {qkv.shape} is empty. Give at least one position of "
                         "one sequence.")


# ---------------------------------------------------------------- the same, a few sequences at once
#
# Heads are views of qkv, and products write straight into their place in the output and in the
# gradient. The weights are kept keys first, e[s, t], and before the division by their sum over s:
# NumPy takes maxima along columns three times faster, and dividing y and g is less than dividing e.
# A few sequences at a time go through the whole chain, so that their e stays in the cache.
# `minigrad.attention` is the general operation, with q, k and v apart.

SEQUENCES = 1 << 17             # numbers of e in the cache at a time, 512 KB in float32


def columns(x):
    """x (B, H, T, D) copied as (B, H, D, T): products with it are faster than with its view."""
    return x.swapaxes(-1, -2).copy()


def in_turn(e, *arrays):
    """The arrays (B, ...), None among them allowed, a few sequences at a time."""
    return several(SEQUENCES * len(e) // max(e.size, 1), e, *arrays)


@self_attention.arrays
def _(qkv, *, heads, mask=None):
    check(qkv, heads, mask)
    (B, T, width), dtype = qkv.shape, qkv.dtype
    scale = 1.0 / math.sqrt(width // (3 * heads))
    y, e = xp.empty((B, T, width // 3), dtype), xp.empty((B, heads, T, T), dtype)
    inverse = xp.empty((B, heads, T, 1), dtype)                     # 1 / sum of e over the keys
    ones, later = xp.ones((1, T), dtype), xp.tril(xp.full((T, T), -math.inf, dtype), -1)
    for e_, qkv_, y_, inverse_, mask_ in in_turn(e, qkv, y, inverse, mask):
        q, k, v = heads_of(qkv_, heads)
        qT = columns(q)
        qT *= scale
        xp.matmul(k, qT, out=e_)                                    # (B, H, S, T)
        e_ += later                                                 # no key after the query
        e_ -= e_.max(axis=-2, keepdims=True)
        xp.exp(e_, out=e_)
        inverse_[...] = 1.0 / xp.matmul(ones, e_).swapaxes(-1, -2)
        kept = e_ if mask_ is None else e_ * mask_
        out = cut(y_, heads)
        xp.matmul(kept.swapaxes(-1, -2), v, out=out)
        out *= inverse_
    return y, (e, inverse)


@self_attention.vjp_arrays
def _(g, y, saved, qkv, *, needs, heads, mask=None):
    e, inverse = saved
    gradient, scale = xp.empty(qkv.shape, qkv.dtype), 1.0 / math.sqrt(qkv.shape[2] // (3 * heads))
    ones = xp.ones((1, qkv.shape[1]), qkv.dtype)
    for e_, qkv_, g_, inverse_, mask_, gradient_ in in_turn(e, qkv, g, inverse, mask, gradient):
        (q, k, v), (dq, dk, dv) = heads_of(qkv_, heads), heads_of(gradient_, heads)
        g_ = cut(g_, heads) * inverse_                              # g / total, (B, H, T, D)
        xp.matmul(e_ if mask_ is None else e_ * mask_, g_, out=dv)
        s = xp.matmul(v, columns(g_))                               # (B, H, S, T)
        if mask_ is not None:
            s *= mask_
        top = xp.equal(e_, 1.0, out=xp.empty_like(e_), casting="unsafe")
        count = xp.matmul(ones, top)
        top *= s
        s -= xp.matmul(ones, top) / count                           # 0 at the largest, see `level`
        s -= xp.matmul(ones, xp.multiply(e_, s, out=top)) * inverse_.swapaxes(-1, -2)
        s *= e_
        s *= scale
        xp.matmul(s.swapaxes(-1, -2), k, out=dq)
        xp.matmul(s, q, out=dk)
    return (gradient,)
