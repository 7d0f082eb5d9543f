"""Samplers, continued: products, losses, attention, normalisation, images, recurrence, dropout."""
import warnings

import numpy as np

from tests.minigrad.graphs.programs.program import SAME, Seed
from tests.minigrad.graphs.programs.table import TABLE, axes_of, samples

# ---------------------------------------------------------------- products


@samples
def matmul(d):
    m, k, n = d.dims(3, longest=130)
    lead = d.dims(int(d.rng.integers(0, 3)), most=3, longest=3)
    thin = tuple(1 if d.chance(0.3) else size for size in lead)
    a, b = d.turn(((k,), (k,)), ((m, k), (k,)), ((k,), (k, n)), ((m, k), (k, n)),
                  (lead + (m, k), (k, n)), ((m, k), lead + (k, n)), (lead + (m, k), thin + (k, n)),
                  (thin + (m, k), lead[1:] + (k, n)), (lead + (m, k), (k,)), ((k,), lead + (k, n)))
    a, b = d.of(a), d.of(b)
    return d.add("matmul", a, b if d.chance(0.85) else np.array(d.value(b)))


@samples
def linear(d):
    B, m, n = d.dims(3, longest=130)
    points, lead = d.dims(1, longest=3), d.dims(int(d.rng.integers(0, 2)), longest=3)
    x, W, b = d.turn(((B, m), (m, n), (n,)), (lead + (B, m), (m, n), (n,)),
                     ((B, m), points + (m, n), points + (n,)),
                     (points + (B, m), points + (m, n), points + (n,)))
    return d.add("linear", d.of(x), d.of(W), d.of(b))


@samples
def outer(d):
    lead, thin = d.dims(int(d.rng.integers(0, 2)), longest=3), (1,) * int(d.chance(0.3))
    m, n = d.dims(2, longest=65)
    return d.add("outer", d.of(lead + (m,)), d.of((thin if lead else ()) + (n,)))


@samples
def dot(d):
    a = d.any(least=1)
    shape = d.value(a).shape
    b = d.of((shape if d.chance(0.6) else shape[-1:]))
    return d.add("dot", *d.pick((a, b), (b, a), (a, a)))


# ---------------------------------------------------------------- losses

@samples
def softmax_cross_entropy(d):
    lead, L = (d.dims(int(d.rng.integers(0, 3)), longest=65) for _ in range(2))
    C, = d.dims(1, longest=65)
    return d.add("softmax_cross_entropy", d.of(lead + L + (max(C, 1),)),
                 d.rng.integers(0, max(C, 1), L))


@samples
def mean_squared_error(d):
    lead, S = d.dims(int(d.rng.integers(0, 2)), longest=3), d.dims(int(d.rng.integers(0, 3)))
    target = d.of(S) if d.chance(0.6) else d.normal(*S)
    return d.add("mean_squared_error", d.of(lead + S), np.asarray(target) if isinstance(
        target, (float, np.ndarray)) else target)


# ---------------------------------------------------------------- attention and embedding

@samples
def attention_weights(d):
    lead = d.dims(int(d.rng.integers(0, 2)), longest=3)
    T, S, D = d.dims(3, longest=65)
    causal = d.chance(0.5)
    return d.add("attention_weights", d.of(lead + (T, D)), d.of(lead + (max(S, T), D)),
                 **({"causal": causal} if d.chance(0.8) else {}))


@samples
def attention(d):
    lead = d.dims(int(d.rng.integers(0, 2)), longest=3)
    T, S, D, E = d.dims(4, longest=65)
    S = max(S, T)
    settings = {"causal": True} if d.chance(0.5) else {}
    if d.chance(0.4):
        settings["mask"] = 2.0 * (d.rng.random((lead if d.chance(0.7) else ()) + (T, S)) < 0.6)
    k = d.of(lead + (S, D))
    v = k if d.chance(0.2) else d.of(lead + (S, E))
    return d.add("attention", d.of(lead + (T, D)), k, v, **settings)


@samples
def self_attention(d):
    B, T, D, heads = d.dims(4, most=3, longest=65 if d.chance(0.3) else 3)
    heads = min(max(heads, 1), 3)
    settings = {"heads": heads}
    if d.chance(0.4):
        settings["mask"] = 2.0 * (d.rng.random((B, heads, T, T)) < 0.6)
    return d.add("self_attention", d.of((B, T, 3 * heads * D)), **settings)


@samples
def embedding(d):
    V, C = d.dims(2, longest=130)
    tokens = d.rng.integers(0, max(V, 1), d.dims(int(d.rng.integers(0, 3)), longest=65))
    return d.add("embedding", d.of((max(V, 1), C)), np.asarray(tokens),
                 **d.pick({}, {}, {"known": True}))


@samples
def embedding_sum(d):
    size, C = d.dims(2, longest=130)
    tokens = np.asarray(d.rng.integers(0, max(size, 1), d.dims(int(d.rng.integers(0, 3)),
                                                               longest=65)))
    return d.add("embedding_sum", d.of(tokens.shape + (C,)), tokens, size=max(size, 1))


# ---------------------------------------------------------------- normalisation

def eps_for(d, variance):
    """The default where the variance allows it; standardised noise has no digits."""
    return {} if not variance.size or variance.min() > 0.05 and d.chance(0.6) else {
        "eps": float(d.rng.uniform(0.1, 0.5))}


@samples
def standardize(d):
    x = d.any(least=1, full=True)
    settings, _ = axes_of(d, x)
    axis = settings.get("axis", -1)
    axis = -1 if axis is None or axis == () else axis
    settings = {} if axis == -1 and d.chance(0.5) else {"axis": axis}
    return d.add("standardize", x, **settings, **eps_for(d, d.value(x).var(axis=axis)))


@samples
def layer_norm(d):
    x = d.any(least=1, full=True)
    C = d.value(x).shape[-1:]
    return d.add("layer_norm", x, d.of(C), d.of(C), **eps_for(d, d.value(x).var(axis=-1)))


def images(d, most=4, longest=130):
    """(N, C), (N, L, C) or (N, H, W, C), channels last."""
    return d.of(d.dims(int(d.rng.integers(2, 5)), most=most, longest=longest))


@samples
def batch_statistics(d):
    """Plain arrays, made for evaluation: x standardised by them has no slope through them."""
    x = images(d)
    C = d.value(x).shape[-1:]
    found = d.add("batch_statistics", x, frozen=True)
    mean, variance = (d.add("getitem", found, index=k, ) for k in range(2))
    return d.add("batch_norm", x, d.of(C), d.of(C), statistics=(mean, variance),
                 eps=float(d.rng.uniform(0.1, 0.5)))


@samples
def batch_norm(d):
    x = images(d)
    axes = tuple(range(d.value(x).ndim - 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")                 # the variance of nothing
        settings = eps_for(d, d.value(x).var(axis=axes))
    C = d.value(x).shape[-1:]
    if d.chance(0.3):
        settings["statistics"] = (d.of(C), d.above(d.of(C), 0.3))
    return d.add("batch_norm", x, d.of(C), d.of(C), **settings)


# ---------------------------------------------------------------- images, channels last

def convolution(d):
    """(image, kernel, output) shapes and the settings."""
    kh, kw = d.dims(2, most=3, longest=3)
    kh, kw = max(kh, 1), max(kw, 1)
    stride, padding = d.turn((1, 0), (1, 1), (2, 0), (2, 1), (1, 2), (3, 2), (3, 0), (2, 2))
    B, C, O, H, W = d.dims(5, most=3, longest=65)
    H, W = (max(n - 2 * padding, 1) + int(d.rng.integers(0, 3)) for n in (H + kh - 1, W + kw - 1))
    H, W = max(H, kh - 2 * padding), max(W, kw - 2 * padding)
    rows, columns = ((n + 2 * padding - k) // stride + 1 for n, k in ((H, kh), (W, kw)))
    settings = {"stride": stride, "padding": padding}
    return ((B, H, W, C), (O, C, kh, kw), (B, rows, columns, O),
            {} if (stride, padding) == (1, 0) and d.chance(0.5) else settings)


@samples
def conv2d(d):
    x, K, y, settings = convolution(d)
    return d.add("conv2d", d.of(x), d.of(K), d.of(K[:1]), **settings)


@samples
def conv2d_input(d):
    x, K, y, settings = convolution(d)
    return d.add("conv2d_input", d.of(y), d.of(K), shape=x, **settings)


@samples
def conv2d_kernel(d):
    x, K, y, settings = convolution(d)
    return d.add("conv2d_kernel", d.of(x), d.of(y), window=K[2:], **settings)


def pooling(d):
    size, stride = d.turn((2, None), (2, 1), (3, 2), (2, 3), (1, None), (3, None), (1, 2), (3, 1))
    B, C, H, W = d.dims(4, most=3, longest=65)
    shape = (B, size + max(H, 1) - 1, size + max(W, 1) - 1, C)
    settings = {"size": size, "stride": stride}
    return d.of(shape), {} if size == 2 and stride is None and d.chance(0.5) else settings


@samples
def max_pool(d):
    x, settings = pooling(d)
    return d.add("max_pool", d.apart(x), **settings)


@samples
def average_pool(d):
    x, settings = pooling(d)
    return d.add("average_pool", x, **settings)


# ---------------------------------------------------------------- recurrence and dropout

@samples
def lstm(d):
    T, B, I, H = d.dims(4, most=3, longest=20)
    H = min(H, 5)
    return d.add("lstm", *(d.of(shape) for shape in (
        (T, B, I), (I, 4 * H), (H, 4 * H), (4 * H,), (B, H), (B, H))))


@samples
def dropout(d):
    rate = float(d.rng.uniform(0, 0.9)) if d.chance(0.8) else 0.0
    rng = Seed(d.rng.integers(1000)) if d.chance(0.9) else None
    return d.add("dropout", d.any(), rate=rate, rng=rng)


@samples
def dropout_mask(d):
    x = d.any()
    mask = d.add("dropout_mask", d.value(x).shape, SAME, float(d.rng.uniform(0, 0.9)),
                 Seed(d.rng.integers(1000)))
    return d.add("mul", x, mask)


__all__ = ["TABLE"]
