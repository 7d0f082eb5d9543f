"""Every public operation once more, in plain NumPy: what it gives, and nothing about derivatives.

Written from what the operations promise, not from how minigrad does it: one number, one window, one
time step after another. Works in any floating dtype, above all in longdouble, so that differences
of these values are derivatives to many more digits than are compared.
"""
import math
import types

import numpy as np

from minigrad.backend import to_host, uniforms


def something(x):
    """x, where there is something in it: these operations promise a refusal where there is not."""
    if not x.size:
        raise ValueError("nothing there")
    return x


def einsum(formula, a, b):
    """NumPy's, which in longdouble gives NaN where it sums over nothing."""
    y = np.einsum(formula, a, b)
    return y if a.size and b.size else np.zeros_like(y)


def along(x, axis):
    """axis as a tuple of places."""
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return tuple(a % x.ndim for a in axes) if x.ndim else ()


# ---------------------------------------------------------------- number by number

def power(x, p):
    return x ** p


def where(condition, a, b):
    return np.where(condition, a, b)


def clip(x, low=-math.inf, high=math.inf):
    return np.minimum(np.maximum(x, low), high)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gelu(x):
    return x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))


def dropout(x, rate, rng=None):
    return x if rng is None else x * dropout_mask(x.shape, x.dtype, rate, rng)


def dropout_mask(shape, dtype, rate, rng):
    drawn = to_host(uniforms(rng, shape))           # on a device other numbers than on the host
    return np.where(drawn >= rate, 1 / (1 - rate), 0).astype(dtype)


# ---------------------------------------------------------------- shapes

def sum_to(x, shape):
    for _ in range(x.ndim - len(shape)):
        x = x.sum(axis=0)
    for axis, n in enumerate(shape):
        x = x.sum(axis=axis, keepdims=True) if n == 1 else x
    return x


def put(x, index, shape):
    out = np.zeros(shape, x.dtype)
    np.add.at(out, index, x)
    return out


# ---------------------------------------------------------------- reductions

def logsumexp(x, axis=None, keepdims=False):
    return np.log(np.exp(x).sum(axis=axis, keepdims=keepdims))


def norm(x, axis=None, keepdims=False):
    return np.sqrt((x ** 2).sum(axis=axis, keepdims=keepdims))


def prod(x, axis=None, keepdims=False):
    return np.multiply.reduce(x, axis=along(x, axis), keepdims=keepdims)


# ---------------------------------------------------------------- products

def matmul(a, b):
    return np.matmul(a, b)


def linear(x, W, b):
    return einsum("...ij,...jk->...ik", x, W) + np.expand_dims(b, -2)


def outer(a, b):
    return einsum("...i,...j->...ij", a, b)


def dot(a, b):
    return einsum("...i,...i->...", a, b)


# ---------------------------------------------------------------- rows of scores

def softmax(x, axis=-1):
    return np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)


def log_softmax(x, axis=-1):
    return x - logsumexp(x, axis=axis, keepdims=True)


def softmax_cross_entropy(logits, labels):
    lead = logits.ndim - 1 - labels.ndim
    logs = log_softmax(logits).reshape(
        logits.shape[:lead] + (labels.size, logits.shape[-1]))
    return -np.mean([logs[..., n, label] for n, label in enumerate(labels.ravel())], axis=0)


def mean_squared_error(prediction, target):
    something(target)
    axes = tuple(range(prediction.ndim - target.ndim, prediction.ndim))
    return ((prediction - target) ** 2).mean(axis=axes)


def attention_weights(q, k, causal=False):
    if q.shape[-1] == 0:
        raise ValueError("no width")
    a = np.exp(einsum("...td,...sd->...ts", q, k) / math.sqrt(q.shape[-1]))
    T, S = a.shape[-2:]
    for t in range(T):
        for s in range(S):
            if causal and s > t + S - T:
                a[..., t, s] = 0
    return a / a.sum(axis=-1, keepdims=True)


def attention(q, k, v, causal=False, mask=None):
    a = attention_weights(q, k, causal)
    return einsum("...ts,...sd->...td", a if mask is None else a * mask, v)


def self_attention(qkv, heads, mask=None):
    B, T, C3 = something(qkv).shape
    C, D = C3 // 3, C3 // 3 // heads
    y = np.zeros((B, T, C), qkv.dtype)
    for h in range(heads):
        q, k, v = (qkv[:, :, n * C + h * D:n * C + (h + 1) * D] for n in range(3))
        m = None if mask is None else mask[:, h].swapaxes(1, 2)
        y[:, :, h * D:(h + 1) * D] = attention(q, k, v, causal=True, mask=m)
    return y


def embedding(table, tokens, known=False):
    return np.array([table[token] for token in tokens.ravel()], table.dtype).reshape(
        tokens.shape + table.shape[1:])


def embedding_sum(rows, tokens, size):
    out = np.zeros((size, *rows.shape[tokens.ndim:]), rows.dtype)
    for place in np.ndindex(tokens.shape):
        out[tokens[place]] += rows[place]
    return out


# ---------------------------------------------------------------- normalised rows and channels

def standardize(x, axis=-1, eps=1e-5):
    return (something(x) - x.mean(axis=axis, keepdims=True)) / np.sqrt(
        x.var(axis=axis, keepdims=True) + eps)


def layer_norm(x, gain, shift, eps=1e-6):
    return standardize(x, -1, eps) * gain + shift


def batch_norm(x, gain, shift, statistics=None, eps=1e-5):
    y = np.zeros(x.shape, x.dtype)
    for c in range(something(x).shape[-1] if statistics is None else x.shape[-1]):
        channel = x[..., c]
        m, v = (channel.mean(), channel.var()) if statistics is None else (s[c] for s in statistics)
        y[..., c] = (channel - m) / np.sqrt(v + eps) * gain[c] + shift[c]
    return y


def batch_statistics(x):
    channels = [x[..., c] for c in range(something(x).shape[-1])]
    return np.array([c.mean() for c in channels]), np.array([c.var() for c in channels])


# ---------------------------------------------------------------- images, window by window

def framed(x, padding):
    return np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))


def places(height, width, kh, kw, stride):
    """(p, q, rows, columns) of every window."""
    for p in range((height - kh) // stride + 1):
        for q in range((width - kw) // stride + 1):
            yield (p, q, slice(p * stride, p * stride + kh), slice(q * stride, q * stride + kw))


def conv2d(x, K, b, stride=1, padding=0):
    x, (O, _, kh, kw) = framed(x, padding), K.shape
    rows, columns = ((n - k) // stride + 1 for n, k in zip(x.shape[1:3], (kh, kw)))
    y = np.zeros((len(x), rows, columns, O), x.dtype)
    for p, q, i, j in places(*x.shape[1:3], kh, kw, stride):
        y[:, p, q] = einsum("bijc,ocij->bo", x[:, i, j], K) + b
    return y


def conv2d_input(g, K, shape, stride=1, padding=0):
    x = framed(np.zeros(shape, g.dtype), padding)
    for p, q, i, j in places(*x.shape[1:3], *K.shape[2:], stride):
        x[:, i, j] += einsum("bo,ocij->bijc", g[:, p, q], K)
    return x[:, padding:padding + shape[1], padding:padding + shape[2]]


def conv2d_kernel(x, g, window, stride=1, padding=0):
    x, dK = framed(x, padding), np.zeros((g.shape[3], x.shape[3], *window), g.dtype)
    for p, q, i, j in places(*x.shape[1:3], *window, stride):
        dK += einsum("bijc,bo->ocij", x[:, i, j], g[:, p, q])
    return dK


def pooled(function, x, size, stride):
    stride = size if stride is None else stride
    rows, columns = ((n - size) // stride + 1 for n in x.shape[1:3])
    y = np.zeros((len(x), rows, columns, x.shape[3]), x.dtype)
    for p, q, i, j in places(*x.shape[1:3], size, size, stride):
        y[:, p, q] = function(x[:, i, j], axis=(1, 2))
    return y


def max_pool(x, size=2, stride=None):
    return pooled(np.max, x, size, stride)


def average_pool(x, size=2, stride=None):
    return pooled(np.mean, x, size, stride)


def lstm(x, W, U, b, h0, c0):
    h, c, H, states = h0, c0, len(U), []
    for x_t in something(x):
        i, f, o, q = np.moveaxis((x_t @ W + h @ U + b).reshape(-1, 4, H), 1, 0)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(q)
        h = sigmoid(o) * np.tanh(c)
        states.append((h, c))
    return np.array([[state[k] for state in states] for k in range(2)], x.dtype)


OPERATIONS = {
    name: value for name, value in list(globals().items())
    if isinstance(value, types.FunctionType) and name not in (
        "along", "einsum", "something", "framed", "places", "pooled")}
OPERATIONS.update(
    identity=lambda x: x, astype=lambda x, dtype: x.astype(dtype),
    add=np.add, sub=np.subtract, mul=np.multiply, div=np.divide, neg=np.negative,
    square=lambda x: x ** 2, sign=np.sign, abs=lambda x: np.where(x < 0, -x, x),
    maximum=lambda a, b: np.where(np.greater(a, b), a, b),
    minimum=lambda a, b: np.where(np.less(a, b), a, b),
    relu=lambda x: np.where(x > 0, x, 0), silu=lambda x: x * sigmoid(x),
    softplus=lambda x: np.log(1 + np.exp(x)), exp=np.exp, expm1=lambda x: np.exp(x) - 1,
    log=np.log, log1p=lambda x: np.log(1 + x), sqrt=np.sqrt, sin=np.sin, cos=np.cos,
    tan=lambda x: np.sin(x) / np.cos(x), arctan=np.arctan, tanh=np.tanh,
    reshape=lambda x, shape: x.reshape(shape), transpose=lambda x, axes=None: np.transpose(x, axes),
    swapaxes=lambda x, a, b: np.swapaxes(x, a, b), expand_dims=np.expand_dims,
    broadcast_to=np.broadcast_to,
    getitem=lambda x, index: x[index], concatenate=np.concatenate, stack=np.stack,
    sum=np.sum, mean=np.mean, max=np.max, min=np.min, var=np.var,
    global_mean=lambda x: x.mean(axis=(1, 2)))
