"""A transformer's loss and gradient written out in NumPy, without a tape: our yardstick.

The same layers as `problems.transformer` (pre-norm, learned positions, tanh gelu), dropout off.
Every forward line has its backward line below it; temporaries are reused in place where that is
free.
"""
import math

import numpy as np

NORM_EPS, GELU_C, GELU_A = 1e-6, math.sqrt(2.0 / math.pi), 0.044715


def norm(h, p):
    centred = h - h.sum(axis=-1, keepdims=True) * (1.0 / h.shape[-1])
    variance = (centred * centred).sum(axis=-1, keepdims=True) * (1.0 / h.shape[-1])
    r = 1.0 / np.sqrt(variance + NORM_EPS)
    centred *= r
    return centred * p["gain"] + p["shift"], (centred, r)


def norm_back(g, saved, p):
    h, r = saved
    ones = np.ones(len(g), g.dtype)
    gradient = {"gain": ones @ (g * h), "shift": ones @ g}
    g = g * p["gain"]
    d = g - g.sum(axis=-1, keepdims=True) * (1.0 / g.shape[-1])
    d -= h * ((g * h).sum(axis=-1, keepdims=True) * (1.0 / g.shape[-1]))
    d *= r
    return d, gradient


def linear(h, p):
    z = h @ p["W"]
    z += p["b"]
    return z


def linear_back(g, h, p):
    return g @ p["W"].T, {"W": h.T @ g, "b": np.ones(len(g), g.dtype) @ g}


def gelu(x):
    t = x * x
    t *= GELU_C * GELU_A
    t += GELU_C
    t *= x
    np.tanh(t, out=t)
    y = t + 1.0
    y *= x
    y *= 0.5
    return y, t


def gelu_back(g, x, t):
    du = x * x
    du *= 1.5 * GELU_C * GELU_A
    du += 0.5 * GELU_C
    du *= x
    slope = t * t
    np.subtract(1.0, slope, out=slope)
    slope *= du
    slope += 0.5 * t
    slope += 0.5
    slope *= g
    return slope


def heads_of(qkv, B, T, heads):
    """q, k, v as views (B, heads, T, D)."""
    return qkv.reshape(B, T, 3, heads, -1).transpose(2, 0, 3, 1, 4)


def attention(qkv, B, T, heads, future):
    q, k, v = heads_of(qkv, B, T, heads)
    a = q @ k.swapaxes(-1, -2)
    a *= 1.0 / math.sqrt(q.shape[-1])
    a += future
    a -= a.max(axis=-1, keepdims=True)
    np.exp(a, out=a)
    a /= a.sum(axis=-1, keepdims=True)
    out = np.empty((B, T, heads, q.shape[-1]), q.dtype)
    np.matmul(a, v, out=out.transpose(0, 2, 1, 3))
    return out.reshape(B * T, -1), a


def attention_back(g, qkv, a, B, T, heads):
    q, k, v = heads_of(qkv, B, T, heads)
    g = g.reshape(B, T, heads, -1).transpose(0, 2, 1, 3)
    gradient = np.empty_like(qkv)
    dq, dk, dv = heads_of(gradient, B, T, heads)
    np.matmul(a.swapaxes(-1, -2), g, out=dv)
    s = g @ v.swapaxes(-1, -2)
    s *= a
    s -= a * s.sum(axis=-1, keepdims=True)
    s *= 1.0 / math.sqrt(q.shape[-1])
    np.matmul(s, k, out=dq)
    np.matmul(s.swapaxes(-1, -2), q, out=dk)
    return gradient


def loss_and_gradient(params, tokens, following, heads):
    """params: the tree of `Transformer.init`; tokens, following (B, T) -> (loss, gradients)"""
    (B, T), V = tokens.shape, params["E"].shape[0]
    C = params["E"].shape[1]
    future = np.triu(np.full((T, T), -np.inf, params["E"].dtype), 1)
    h = (params["E"][tokens] + params["P"][:T]).reshape(B * T, C)
    tape = []
    for p in params["blocks"]:
        n1, s1 = norm(h, p["norm1"])
        qkv = linear(n1, p["qkv"])
        seen, a = attention(qkv, B, T, heads, future)
        h = h + linear(seen, p["out"])
        n2, s2 = norm(h, p["norm2"])
        up = linear(n2, p["up"])
        active, t = gelu(up)
        h = h + linear(active, p["down"])
        tape.append((n1, s1, qkv, seen, a, n2, s2, up, active, t))
    last, saved = norm(h, params["norm"])
    z = linear(last, params["head"])
    rows, labels = np.arange(B * T), following.reshape(-1)
    z -= z.max(axis=-1, keepdims=True)
    chosen = z[rows, labels]
    np.exp(z, out=z)
    total = z.sum(axis=-1)
    loss = (np.log(total) - chosen).sum() * (1.0 / len(rows))

    z /= total[:, None]
    z[rows, labels] -= 1.0
    z *= 1.0 / len(rows)
    g, head = linear_back(z, last, params["head"])
    g, final = norm_back(g, saved, params["norm"])
    blocks = []
    for p, (n1, s1, qkv, seen, a, n2, s2, up, active, t) in zip(params["blocks"][::-1], tape[::-1]):
        d, down = linear_back(g, active, p["down"])
        d, upward = linear_back(gelu_back(d, up, t), n2, p["up"])
        d, norm2 = norm_back(d, s2, p["norm2"])
        g = g + d
        d, out = linear_back(g, seen, p["out"])
        d, inward = linear_back(attention_back(d, qkv, a, B, T, heads), n1, p["qkv"])
        d, norm1 = norm_back(d, s1, p["norm1"])
        g = g + d
        blocks.append({"norm1": norm1, "qkv": inward, "out": out,
                       "norm2": norm2, "up": upward, "down": down})
    onehot = (np.arange(V)[:, None] == tokens.reshape(-1)).astype(g.dtype)
    positions = np.zeros_like(params["P"])
    positions[:T] = g.reshape(B, T, C).sum(axis=0)
    return loss, {"E": onehot @ g, "P": positions, "blocks": blocks[::-1],
                  "norm": final, "head": head}
