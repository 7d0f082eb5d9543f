"""What every model must pass: derivatives through the flat point, dtype, the layers of its graph."""
import numpy as np

import minigrad as mg
from minigrad.backend import to_host, xp
from minigrad.graph import layers
from problems.problem import Network


def check_landscape(model, batch, seed=0):
    """Gradient and Hessian products of the wrapped model in float64, and the unravelled start."""
    rng = np.random.default_rng(seed)
    problem = Network(model, batch)
    theta = problem.start(rng)
    mg.check_gradient(problem.loss, theta, rng)
    mg.check_hvp(problem.loss, theta, rng)


def check_float32(model, batch):
    """Loss and gradient of a float32 point are float32."""
    problem = Network(model, batch, dtype="float32")
    theta = problem.start(np.random.default_rng(1))
    loss, gradient = mg.value_and_grad(problem.tree_loss)(problem.params(theta))
    assert loss.dtype == np.float32
    assert {str(g.dtype) for g in mg.tree.leaves_of(gradient)} == {"float32"}


def check_kinds(model, expected):
    """expected: {last part of a leaf's name: (kind, filter axis)}; every leaf must be listed."""
    for entry in Network(model).layout.entries:
        assert (entry.kind, entry.filter_axis) == expected[entry.name.split(".")[-1]], entry


def check_layers(model, x, **settings):
    """Every matrix or kernel of the layout meets one input, and what left each layer is that
    input times the matrix, plus the bias; {name of a weight: its input} for further checks."""
    params = model.init(np.random.default_rng(2))
    leaves = [mg.tensor(leaf) for leaf in mg.tree.leaves_of(params)]
    lifted = mg.tree.rebuild(params, leaves)
    found = layers(model.apply(lifted, x, **settings), lifted)
    entries = {e.name: (e, to_host(leaf.data))
               for e, leaf in zip(Network(model).layout.entries, leaves)}
    weights = [name for name, (e, _) in entries.items() if e.kind == "weight"]
    assert sorted(layer.weight for layer in found) == sorted(weights)
    for layer in found:
        if layer.z.primitive is not mg.lstm:
            W = entries[layer.weight][1]
            W = W.reshape(len(W), -1).T if layer.axis else W
            z = to_host(layer.z.data).reshape(-1, W.shape[1])
            np.testing.assert_allclose(
                to_host(layer.rows()) @ W + entries[layer.bias][1], z, rtol=0, atol=1e-12)
    return {layer.weight: to_host(layer.x) for layer in found}


def check_against_torch(ours, theirs, dtype):
    """(loss, [gradients]) of both engines agree: 1e-6 in float32, 1e-10 in float64, relative to the
    loss and to the length of the whole gradient."""
    tolerance = {"float32": 1e-6, "float64": 1e-10}[dtype]
    loss = float(theirs[0].detach())
    assert abs(float(ours[0]) - loss) <= tolerance * abs(loss)
    square = error = 0.0
    for a, b in zip(ours[1], theirs[1], strict=True):
        a = to_host(a)
        assert a.shape == b.shape and a.dtype == b.dtype == dtype
        square += float((b.astype(float) ** 2).sum())
        error += float(((a.astype(float) - b) ** 2).sum())
    assert error ** 0.5 <= tolerance * square ** 0.5


def integers(rng, high, *shape):
    return xp.asarray(rng.integers(0, high, shape))
