"""Sample inputs of every primitive: what the tests of gradients, dtypes and rules are run on.

A sample is (operation, inputs, settings, smooth). `inputs` are functions of a Generator that give
host arrays; the last entry tells how many derivatives exist everywhere near the sample.
"""
import numpy as np

import minigrad as mg
from minigrad.tensor import primitives


def normal(*shape):
    return lambda rng: rng.standard_normal(shape)


def positive(*shape):
    return lambda rng: rng.uniform(0.5, 2.0, shape)


def inside(*shape):
    return lambda rng: rng.uniform(-1.2, 1.2, shape)


def apart(*shape):
    """Distinct values at least 0.1 from each other and from 0: away from every kink."""
    def draw(rng):
        n = int(np.prod(shape))
        return (rng.permutation(n) + 0.5 - n // 2).reshape(shape) * 0.3 + 0.02
    return draw


def zeros_among(*shape):
    """Some zeros among other numbers: none, one and two in a row."""
    def draw(rng):
        x = rng.standard_normal(shape)
        x[0, 1] = x[1, 0] = x[1, 2] = 0.0
        return x
    return draw


def integers(high, *shape):
    return lambda rng: rng.integers(0, high, shape)


def boolean(*shape):
    return lambda rng: rng.random(shape) < 0.5


INDEX = {
    "slice": (slice(None), slice(0, 3, 2)), "integer": 1, "negative": (..., -1),
    "newaxis": (None, slice(1, 3)),
    "integers": np.array([0, 2, 2, 1]), "pair": (np.array([0, 1, 1]), np.array([2, 0, 0])),
    "mask": np.array([[True, False, True, False]] * 3),
}


def on_device(setting):
    """Index arrays and masks as arrays of the backend."""
    if isinstance(setting, np.ndarray):
        return mg.xp.asarray(setting)
    return tuple(on_device(s) for s in setting) if type(setting) is tuple else setting


SAMPLES = [
    ("identity", [normal(3)], {}, 3),
    ("_astype", [normal(3, 2)], {"dtype": "float64"}, 3),
    *[(name, [normal(3, 4), normal(3, 4)], {}, 3) for name in ("add", "sub", "mul")],
    *[(name, [normal(3, 1, 4), normal(2, 1)], {}, 3) for name in ("add", "sub", "mul")],
    ("div", [normal(3, 4), positive(3, 4)], {}, 3),
    ("div", [normal(4), positive(3, 1)], {}, 3),
    ("power", [positive(3, 4), normal(4)], {}, 3),
    ("neg", [normal(3)], {}, 3),
    ("square", [normal(3, 2)], {}, 3),
    *[(name, [normal(3, 2)], {}, 3) for name in (
        "exp", "expm1", "sin", "cos", "arctan", "tanh", "tanh_slope", "sigmoid", "softplus", "gelu",
        "gelu_slope", "silu")],
    *[(name, [positive(3, 2)], {}, 3) for name in ("log", "log1p", "sqrt")],
    ("tan", [inside(3, 2)], {}, 3),
    *[(name, [apart(3, 2)], {}, 1) for name in ("sign", "abs", "relu")],
    *[(name, [apart(3, 2), lambda rng: apart(2)(rng) + 0.11], {}, 1) for name in ("maximum", "minimum")],
    ("where", [boolean(3, 2), normal(3, 2), normal(2)], {}, 3),
    ("clip", [apart(3, 4)], {"low": -0.5, "high": 0.8}, 1),
    *[(name, [normal(3, 4, 2)], {"axis": axis, "keepdims": keep}, 3)
      for name in ("sum", "mean", "logsumexp", "var", "norm", "prod")
      for axis, keep in ((None, False), (1, False), (-1, True), ((0, 2), False))],
    *[(name, [apart(3, 4)], {"axis": axis, "keepdims": keep}, 1)
      for name in ("max", "min") for axis, keep in ((None, False), (1, True), (0, False))],
    ("var", [normal(3, 4)], {"axis": 1, "ddof": 1}, 3),
    *[("prod", [zeros_among(3, 4)], {"axis": axis}, 3) for axis in (None, 0, -1)],
    ("prod", [normal(5)], {"axis": -1}, 3),
    ("prod", [normal(2, 70)], {"axis": -1}, 3),
    ("reshape", [normal(3, 4)], {"shape": (2, -1)}, 3),
    ("transpose", [normal(3, 4, 2)], {"axes": (2, 0, 1)}, 3),
    ("transpose", [normal(3, 4)], {}, 3),
    ("swapaxes", [normal(3, 4, 2)], {"a": 0, "b": -1}, 3),
    ("expand_dims", [normal(3, 4)], {"axis": 1}, 3),
    ("broadcast_to", [normal(3, 1)], {"shape": (2, 3, 4)}, 3),
    ("sum_to", [normal(2, 3, 4)], {"shape": (3, 4)}, 3),
    ("sum_to", [normal(2, 3, 4)], {"shape": (3, 1)}, 3),
    ("sum_to", [normal(2, 3)], {"shape": ()}, 3),
    *[("getitem", [normal(3, 4)], {"index": index}, 3) for index in INDEX.values()],
    ("_put", [normal(4, 4)], {"indices": (INDEX["integers"],), "shape": (3, 4)}, 3),
    ("_put", [normal(3, 2)], {"indices": (INDEX["slice"],), "shape": (3, 4)}, 3),
    ("_put", [normal(3, 2), normal(4), normal(4)],
     {"indices": (INDEX["slice"], INDEX["integer"], 1), "shape": (3, 4)}, 3),
    ("_concatenate", [normal(3, 2), normal(3, 1), normal(3, 2)], {"axis": 1}, 3),
    ("_concatenate", [normal(2, 3), normal(1, 3)], {"axis": 0}, 3),
    ("_matmul", [normal(3, 4), normal(4, 2)], {}, 3),
    ("_matmul", [normal(2, 3, 4), normal(4, 2)], {}, 3),
    ("_matmul", [normal(3, 4), normal(5, 4, 2)], {}, 3),
    ("_matmul", [normal(2, 1, 3, 4), normal(5, 4, 2)], {}, 3),
    ("_matmul_tn", [normal(4, 3), normal(4, 2)], {}, 3),
    ("_matmul_tn", [normal(2, 1, 4, 3), normal(5, 4, 2)], {}, 3),
    ("_matmul_nt", [normal(3, 4), normal(2, 4)], {}, 3),
    ("_matmul_nt", [normal(2, 3, 4), normal(2, 4)], {}, 3),
    ("_matmul_nt", [normal(2, 1, 3, 4), normal(5, 2, 4)], {}, 3),
    ("linear", [normal(3, 4), normal(4, 2), normal(2)], {}, 3),
    ("linear", [normal(2, 3, 4), normal(4, 2), normal(2)], {}, 3),
    ("linear", [normal(3, 4), normal(5, 4, 2), normal(5, 2)], {}, 3),
    ("softmax", [normal(3, 4)], {"axis": -1}, 3),
    ("softmax", [normal(3, 4)], {"axis": 0}, 3),
    ("log_softmax", [normal(3, 4)], {"axis": -1}, 3),
    ("softmax_cross_entropy", [normal(3, 4), integers(4, 3)], {}, 3),
    ("softmax_cross_entropy", [normal(2, 3, 5, 4), integers(4, 3, 5)], {}, 3),
    ("softmax_error", [normal(2, 3, 4), integers(4, 3)], {}, 3),
    ("mean_squared_error", [normal(3, 2), normal(3, 2)], {}, 3),
    ("mean_squared_error", [normal(4, 3, 2), normal(3, 2)], {}, 3),
    ("standardize", [normal(3, 4)], {"axis": -1}, 3),
    ("standardize", [normal(3, 2, 2, 2)], {"axis": (0, 2, 3), "eps": 1e-3}, 3),
    ("standardize_slope", [normal(3, 4), normal(3, 4)], {"axis": -1}, 3),
    ("standardize_slope", [normal(3, 2, 2, 2), normal(3, 2, 2, 2)], {"axis": (0, 2, 3)}, 3),
    ("layer_norm", [normal(3, 2, 4), normal(4), normal(4)], {}, 3),
    ("softmax_slope", [normal(2, 3, 4), normal(2, 3, 4)], {"scale": 0.7}, 3),
    ("level", [normal(2, 4)], {"share": np.array([[0.0, 1, 0, 0], [0, 0.5, 0, 0.5]])}, 3),
    ("level", [normal(2, 2)], {"share": np.array([[0.0, 0.5], [1, 0.5]]), "axis": 0}, 3),
    ("softmax_slope", [normal(2, 3, 4), normal(2, 3, 4)], {"axis": 0}, 3),
    ("attention_weights", [normal(2, 3, 4), normal(2, 3, 4)], {"causal": True}, 3),
    ("attention", [normal(2, 3, 4), normal(2, 3, 4), normal(2, 3, 2)], {}, 3),
    ("attention", [normal(3, 4), normal(3, 4), normal(3, 2)], {"causal": True}, 3),
    ("attention", [normal(2, 3, 4), normal(2, 3, 4), normal(2, 3, 4)],
     {"mask": np.array([[[0.0, 2.0, 2.0], [2.0, 2.0, 0.0], [2.0, 0.0, 2.0]]] * 2)}, 3),
    ("self_attention", [normal(2, 3, 12)], {"heads": 2}, 3),
    ("self_attention", [normal(1, 3, 6)], {"heads": 1, "mask": np.array(
        [[[[2.0, 0.0, 2.0], [0.0, 2.0, 2.0], [2.0, 2.0, 0.0]]]])}, 3),
    ("embedding", [normal(5, 3), integers(5, 2, 4)], {}, 3),
    ("embedding_sum", [normal(2, 4, 3), integers(5, 2, 4)], {"size": 5}, 3),
]


def draw(sample, seed=0, dtype="float64"):
    """(operation, inputs as backend arrays, settings, smooth) of a sample."""
    name, makers, settings, smooth = sample
    rng = np.random.default_rng(seed)
    values = [maker(rng) for maker in makers]
    inputs = [mg.xp.asarray(v.astype(dtype) if v.dtype.kind == "f" else v) for v in values]
    return primitives[name], inputs, {k: on_device(v) for k, v in settings.items()}, smooth


def label(sample):
    return f"{sample[0]}-{sample[2]}".replace("\n", "")[:60]
