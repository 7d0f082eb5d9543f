"""Every public operation once more, in torch: its own function where it has one, else a formula.

Names and arguments are minigrad's. Arrays are torch's, but indices, masks and labels are NumPy's.
"""
import numpy as np
import torch
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from tests.minigrad.graphs.programs.program import SAME, evaluate, weighed
from tests.minigrad.graphs.truth import reference

IN_TORCH = {
    "identity": torch.clone, "neg": torch.neg, "square": torch.square, "sign": torch.sign,
    "abs": torch.abs, "exp": torch.exp, "expm1": torch.expm1, "log": torch.log,
    "log1p": torch.log1p, "sqrt": torch.sqrt, "sin": torch.sin, "cos": torch.cos,
    "tan": torch.tan, "arctan": torch.arctan, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
    "relu": F.relu, "silu": F.silu, "gelu": lambda x: F.gelu(x, approximate="tanh"),
    "softplus": lambda x: F.softplus(x, threshold=50.0),        # the default is a line from 20 on
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b, "power": lambda a, b: a ** b,
    "matmul": torch.matmul, "dot": torch.linalg.vecdot,
    "swapaxes": lambda x, a, b: torch.swapaxes(x, a, b),
    "broadcast_to": lambda x, shape: torch.broadcast_to(x, shape),
    "sum_to": lambda x, shape: x.sum_to_size(shape),
    "transpose": lambda x, axes=None: x.permute(axes or tuple(range(x.ndim))[::-1]),
    "reshape": lambda x, shape: x.reshape(shape),
    "stack": lambda arrays, axis=0: torch.stack(arrays, axis),
    "concatenate": lambda arrays, axis=0: torch.concatenate(arrays, axis),
    "softmax": lambda x, axis=-1: torch.softmax(x, axis),
    "log_softmax": lambda x, axis=-1: torch.log_softmax(x, axis),
}


def translates(function):
    IN_TORCH[function.__name__] = function
    return function


# ---------------------------------------------------------------- number by number

def of_tensors(function):
    """function(a, b), where one may be a number."""
    return lambda a, b: function(*(torch.as_tensor(x, dtype=torch.result_type(a, b))
                                   for x in (a, b)))


IN_TORCH.update(maximum=of_tensors(torch.maximum), minimum=of_tensors(torch.minimum))


@translates
def where(condition, a, b):
    return torch.where(torch.as_tensor(condition), a, b)


@translates
def clip(x, low=-np.inf, high=np.inf):
    return torch.clamp(x, low, high)


@translates
def astype(x, dtype):
    return x.to(getattr(torch, dtype) if isinstance(dtype, str) else dtype)


@translates
def dropout(x, rate, rng=None):
    return x if rng is None else x * dropout_mask(x.shape, x.dtype, rate, rng)


@translates
def dropout_mask(shape, dtype, rate, rng):
    """The numbers are NumPy's: torch draws others."""
    return torch.as_tensor(reference.dropout_mask(tuple(shape), "float64", rate, rng), dtype=dtype)


# ---------------------------------------------------------------- reductions

def reduction(function):
    """function(x, axes, keepdim) as ours: over all axes, over one, over some, over none."""
    def reduced(x, axis=None, keepdims=False, **settings):
        axes = reference.along(x, axis)
        if not axes:                                    # to torch () means all of them
            return function(x.unsqueeze(-1), (-1,), False, **settings)
        return function(x, axes, keepdims, **settings)
    return reduced


def product_over(x, axes, keepdim):
    for axis in sorted(axes, reverse=True):             # torch's takes one axis at a time
        x = torch.prod(x, axis, keepdim)
    return x


def variance(x, axes, keepdim, ddof=0):
    return torch.var(x, axes, correction=ddof, keepdim=keepdim)


IN_TORCH.update({name: reduction(function) for name, function in {
    "sum": torch.sum, "mean": torch.mean, "max": torch.amax, "min": torch.amin, "var": variance,
    "logsumexp": torch.logsumexp, "prod": product_over,
    "norm": lambda x, axes, keepdim: torch.linalg.vector_norm(x, dim=axes, keepdim=keepdim),
}.items()})


@translates
def global_mean(x):
    return F.adaptive_avg_pool2d(x.permute(0, 3, 1, 2), 1)[:, :, 0, 0]


# ---------------------------------------------------------------- shapes

@translates
def expand_dims(x, axis):
    axes = axis if isinstance(axis, tuple) else (axis,)
    for place in sorted(a % (x.ndim + len(axes)) for a in axes):
        x = x.unsqueeze(place)
    return x


@translates
def getitem(x, index):
    """By the places that NumPy gives: torch has no steps backwards."""
    return torch.take(x, torch.as_tensor(np.arange(x.numel()).reshape(x.shape)[index].copy()))


@translates
def put(x, index, shape):
    places = np.arange(int(np.prod(shape))).reshape(shape)[index].ravel()
    flat = torch.zeros(int(np.prod(shape)), dtype=x.dtype)
    return flat.index_add(0, torch.as_tensor(places.copy()), x.reshape(-1)).reshape(shape)


# ---------------------------------------------------------------- products, losses, attention

@translates
def linear(x, W, b):
    return F.linear(x, W.T, b) if W.ndim == 2 else x @ W + b.unsqueeze(-2)


@translates
def outer(a, b):
    return torch.einsum("...i,...j->...ij", a, b)


@translates
def softmax_cross_entropy(logits, labels):
    C, lead = logits.shape[-1], logits.shape[:logits.ndim - 1 - labels.ndim]
    rows = logits.reshape(int(np.prod(logits.shape[:-1])), C)
    every = np.broadcast_to(labels, tuple(lead) + labels.shape).ravel()
    losses = F.cross_entropy(rows, torch.as_tensor(every.copy()), reduction="none")
    return losses.reshape(tuple(lead) + (labels.size,)).mean(-1)


@translates
def mean_squared_error(prediction, target):
    squares = F.mse_loss(prediction, target.expand(prediction.shape), reduction="none")
    return squares.mean(tuple(range(-target.ndim, 0))) if target.ndim else squares


def seen(q, k):
    """What causal attention sees, (T, S): the last query all keys, the one before one less."""
    T, S = q.shape[-2], k.shape[-2]
    return torch.as_tensor(np.arange(S) <= np.arange(T)[:, None] + S - T)


@translates
def attention_weights(q, k, causal=False):
    scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    return torch.softmax(scores.masked_fill(~seen(q, k), -np.inf) if causal else scores, -1)


@translates
def attention(q, k, v, causal=False, mask=None):
    if mask is not None:                                # torch has a random one only
        return (attention_weights(q, k, causal) * mask) @ v
    with sdpa_kernel(SDPBackend.MATH):                  # of torch's ways the one of all orders
        return F.scaled_dot_product_attention(q, k, v, seen(q, k) if causal else None)


@translates
def self_attention(qkv, heads, mask=None):
    B, T, C3 = qkv.shape
    q, k, v = qkv.reshape(B, T, 3, heads, C3 // 3 // heads).permute(2, 0, 3, 1, 4)
    mask = None if mask is None else mask.transpose(-1, -2)
    return attention(q, k, v, True, mask).transpose(1, 2).reshape(B, T, C3 // 3)


@translates
def embedding(table, tokens, known=False):
    return table[torch.as_tensor(tokens)]


@translates
def embedding_sum(rows, tokens, size):
    flat = rows.reshape((tokens.size,) + rows.shape[tokens.ndim:])
    start = torch.zeros((size,) + flat.shape[1:], dtype=rows.dtype)
    return start.index_add(0, torch.as_tensor(tokens.ravel().copy()), flat)


# ---------------------------------------------------------------- normalisation

@translates
def standardize(x, axis=-1, eps=1e-5):
    variance, mean = torch.var_mean(x, axis, correction=0, keepdim=True)
    return (x - mean) / torch.sqrt(variance + eps)


@translates
def layer_norm(x, gain, shift, eps=1e-6):
    return standardize(x, -1, eps) * gain + shift


@translates
def batch_norm(x, gain, shift, statistics=None, eps=1e-5):
    mean, variance = batch_statistics(x) if statistics is None else statistics
    scale = gain / torch.sqrt(variance + eps)
    return (x - mean) * scale + shift


@translates
def batch_statistics(x):
    axes = tuple(range(x.ndim - 1))
    return torch.stack([x.mean(axes), x.var(axes, correction=0)])


# ---------------------------------------------------------------- images: torch has channels second

def second(x):
    return some(x, 3).permute(0, 3, 1, 2).contiguous()


def last(x, channels):
    return x.permute(0, 2, 3, 1)[..., :channels]


def some(a, *axes):
    """Along axes without channels one of zeros, which `last` takes away: torch refuses none."""
    for axis in axes:
        if a.shape[axis] == 0:
            a = torch.cat([a, a.new_zeros(a.shape[:axis] + (1,) + a.shape[axis + 1:])], axis)
    return a


@translates
def conv2d(x, K, b, stride=1, padding=0):
    return last(F.conv2d(second(x), some(K, 0, 1), some(b, 0), stride, padding), len(K))


@translates
def conv2d_input(g, K, shape, stride=1, padding=0):
    B, H, W, C = shape
    return last(torch.nn.grad.conv2d_input(
        (B, max(C, 1), H, W), some(K, 0, 1), second(g), stride, padding), C)


@translates
def conv2d_kernel(x, g, window, stride=1, padding=0):
    O, C = g.shape[3], x.shape[3]
    return torch.nn.grad.conv2d_weight(
        second(x), (max(O, 1), max(C, 1), *window), second(g), stride, padding)[:O, :C]


@translates
def max_pool(x, size=2, stride=None):
    return last(F.max_pool2d(second(x), size, stride), x.shape[3])


@translates
def average_pool(x, size=2, stride=None):
    return last(F.avg_pool2d(second(x), size, stride), x.shape[3])


@translates
def lstm(x, W, U, b, h0, c0):
    """torch's cell, whose gates come in another order: i, f, q, o."""
    W, U, b = (a[..., gates(U.shape[0])] for a in (W, U, b))
    state, states = (h0, c0), []
    for x_t in x:
        state = torch.lstm_cell(x_t, state, W.T, U.T, b, torch.zeros_like(b))
        states.append(torch.stack(state))
    return torch.stack(states, 1)


def gates(H):
    i, f, o, q = np.arange(4 * H).reshape(4, H)
    return torch.as_tensor(np.concatenate([i, f, q, o]))


# ---------------------------------------------------------------- torch's own normalisations

def own_layer_norm(x, gain, shift, eps=1e-6):
    return F.layer_norm(x, x.shape[-1:], gain, shift, eps)


def own_batch_norm(x, gain, shift, statistics=None, eps=1e-5):
    """torch's has no derivative along given statistics, and refuses channels of one number."""
    if statistics is not None or x.numel() <= x.shape[-1]:
        return batch_norm(x, gain, shift, statistics, eps)
    rows = x.reshape(-1, x.shape[-1])
    return F.batch_norm(rows, None, None, gain, shift, True, eps=eps).reshape(x.shape)


# torch's own of these keep mean and deviation as numbers when they are differentiated twice: their
# third derivatives are not those of their formulas, which are used above. Right to second order.
OWN = {"layer_norm": own_layer_norm, "batch_norm": own_batch_norm}


# ---------------------------------------------------------------- programs

def derivatives(program, v, dtype, orders=3, operations=IN_TORCH):
    """The values of all lines, and as lists of arrays like the leaves the derivatives of the height

        ∇h,   H v,   ∇(v·H v)        the first `orders` of them
    """
    dtype = getattr(torch, dtype)
    x = [torch.tensor(a, dtype=dtype, requires_grad=True) for a in program.leaves]
    v = [torch.tensor(a, dtype=dtype) for a in v]
    values = values_of(program, x, dtype, operations)
    weights = [torch.tensor(w, dtype=dtype) for w in program.slopes_of(program.weights)]
    h = sum(weighed(a, w).sum() for a, w in zip(program.slopes_of(values), weights))
    found = [slope(h, x)]
    for _ in range(orders - 1):
        found.append(slope(sum((a * b).sum() for a, b in zip(found[-1], v)), x))
    return [[a.detach().numpy() for a in arrays] for arrays in ([h, *values], *found)]


def values_of(program, leaves, dtype, operations):
    def given(a):
        if a is SAME:
            return dtype
        return torch.as_tensor(a, dtype=dtype) if a.dtype.kind == "f" else a

    def call(line, inputs, settings):
        y = operations[line.name](*inputs, **settings)
        return y.detach() if line.frozen else y
    return evaluate(call, program, leaves, given)


def slope(y, x):
    """dy/dx to be differentiated again; zeros where y does not depend on x."""
    if not y.requires_grad:
        return [torch.zeros_like(a) for a in x]
    return torch.autograd.grad(y, x, create_graph=True, materialize_grads=True)
