"""Causal self-attention of several heads, from the joint projection to the joint output.

With qkv (B, T, 3C) holding queries, keys and values side by side, each cut into H heads of D = C / H
channels, every head of every sequence is

    a = softmax(q k^T / sqrt(D)) over s <= t,  (T, T)        y = (m a) v,  (T, D)

with m a dropout mask or 1, and the heads stand side by side again in the result (B, T, C). Backwards

    dv = (m a)^T g     ds = a (m (g v^T) - r) / sqrt(D)     dq = ds k     dk = ds^T q

where r_t = sum_s a_ts m_ts (g_t . v_s) = g_t . y_t comes from D numbers instead of T.

How it is fast: heads are views of qkv, and products write straight into their place in the output and
in the gradient. Inside, the weights are kept keys first, e[s, t] before the division by its sum over s:
NumPy takes maxima along columns three times faster, and dividing y and g is less than dividing e.
`minigrad.attention` is the general operation, with q, k and v apart.

Source: Vaswani et al., arXiv:1706.03762, section 3.2; r as in Dao et al., arXiv:2205.14135, appendix B.
"""
import math

from minigrad.backend import xp
from minigrad.ops.linalg import matmul
from minigrad.ops.nn import attention_weights
from minigrad.ops.passes import row_dot
from minigrad.ops.shape import reshape, stack, swapaxes, transpose
from minigrad.tensor import primitive


def heads_of(qkv, heads):
    """q, k, v as views (B, H, T, D) of qkv (B, T, 3C)."""
    B, T, width = qkv.shape
    return qkv.reshape(B, T, 3, heads, width // (3 * heads)).transpose(2, 0, 3, 1, 4)


@primitive(saves=True)
def self_attention(qkv, *, heads, mask=None):
    """Causal attention of every position to itself and those before: the module's formula.

    qkv (B, T, 3C)   heads H, dividing C   returns (B, T, C)
    mask  multiplies the weights, for dropout: an array (B, H, T, T), keys first, m[..., s, t]
    """
    if qkv.ndim != 3 or qkv.shape[2] % (3 * heads):
        raise ValueError(f"self_attention: qkv {qkv.shape} cannot be cut into q, k and v of {heads} "
                         "heads. Give (B, T, 3C) with C a multiple of heads.")
    (B, T, width), C = qkv.shape, qkv.shape[2] // 3
    q, k, v = heads_of(qkv, heads)
    e = xp.matmul(k, q.swapaxes(-1, -2))                            # (B, H, S, T)
    e *= 1.0 / math.sqrt(C // heads)
    e += xp.tril(xp.full((T, T), -math.inf, e.dtype), -1)           # no key after the query
    e -= e.max(axis=-2, keepdims=True)
    e = xp.exp(e, out=e)
    inverse = 1.0 / (xp.ones((1, T), e.dtype) @ e).swapaxes(-1, -2)             # (B, H, T, 1)
    y = xp.empty((B, T, heads, C // heads), e.dtype)
    out = y.transpose(0, 2, 1, 3)
    xp.matmul((e if mask is None else e * mask).swapaxes(-1, -2), v, out=out)
    out *= inverse
    return y.reshape(B, T, C), (e, inverse)


@self_attention.vjp_arrays
def _(g, y, saved, qkv, *, needs, heads, mask=None):
    e, inverse = saved
    B, T, C = y.shape
    q, k, v = heads_of(qkv, heads)
    gradient = xp.empty_like(qkv)
    dq, dk, dv = heads_of(gradient, heads)
    cut = (B, T, heads, C // heads)
    g = g.reshape(cut).transpose(0, 2, 1, 3) * inverse              # g / total, (B, H, T, D)
    xp.matmul(e if mask is None else e * mask, g, out=dv)
    s = xp.matmul(v, g.swapaxes(-1, -2))                            # (B, H, S, T)
    if mask is not None:
        s *= mask
    s -= row_dot(g, y.reshape(cut).transpose(0, 2, 1, 3)).swapaxes(-1, -2)
    s *= e
    s *= 1.0 / math.sqrt(C // heads)
    xp.matmul(s.swapaxes(-1, -2), k, out=dq)
    xp.matmul(s, q, out=dk)
    return (gradient,)


@self_attention.vjp_joint
def _(g, y, qkv, *, needs, heads, mask=None):
    """The same in differentiable operations, weights queries first."""
    B, T, C = y.shape
    cut = (B, T, heads, C // heads)
    q, k, v = (transpose(reshape(qkv[..., i * C:(i + 1) * C], shape=cut), axes=(0, 2, 1, 3))
               for i in range(3))
    g = transpose(reshape(g, shape=cut), axes=(0, 2, 1, 3))
    a = attention_weights(q, k, causal=True)
    da, kept = matmul(g, swapaxes(v, a=-1, b=-2)), a
    if mask is not None:
        m = mask.swapaxes(-1, -2)
        da, kept = da * m, a * m
    dq, dk = attention_weights.joint(da, a, q, k, needs=(True, True), causal=True)
    dv = matmul(swapaxes(kept, a=-1, b=-2), g)
    side_by_side = stack([dq, dk, dv])                              # (3, B, H, T, D)
    return (reshape(transpose(side_by_side, axes=(1, 3, 0, 2, 4)), shape=qkv.shape),)
