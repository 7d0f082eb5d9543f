"""Walking a graph: nodes, running it again, and where weights meet their inputs."""
import numpy as np
import pytest

import minigrad as mg
from minigrad import graph
from minigrad.backend import to_host, xp
from minigrad.tree import rebuild


def array(*shape, seed=0):
    return xp.asarray(np.random.default_rng(seed).standard_normal(shape))


def seen(f, params):
    """What `graph.layers` says of f(params) inside a gradient: (layers, leaves)."""
    kept = {}

    def loss(leaves):
        result = f(leaves)
        kept["layers"], kept["leaves"] = graph.layers(result, leaves), leaves
        return mg.sum(result)
    mg.grad(loss)(params)
    return kept["layers"], kept["leaves"]


def test_nodes_are_those_the_result_was_made_from_oldest_first():
    x, unused = mg.tensor(array(3)), mg.tensor(array(3))
    y = mg.tanh(x)
    mg.exp(y)                                                   # not part of z
    z = mg.sum(y * y + 1.0)
    found = graph.nodes(z)
    assert [n.number for n in found] == sorted(n.number for n in found)
    assert found[0] is x and found[1] is y and found[-1] is z and len(found) == 5
    assert all(n is not unused for n in found)
    assert graph.nodes(to_host(z.data)) == [] and graph.nodes(3.0) == []


def test_a_long_chain_needs_no_recursion():
    x = mg.tensor(xp.asarray(1.0))
    y = x
    for _ in range(5000):
        y = y + 1.0
    assert len(graph.nodes(y)) == 5001


def test_rerun_gives_the_cotangent_of_a_node_inside():
    """h = tanh(x W): d sum(h^2)/dh is 2 h, whatever comes before h."""
    W, x = mg.tensor(array(4, 3)), array(5, 4, seed=1)
    h = mg.tanh(mg.matmul(x, W))
    y = mg.sum(h * h)
    assert float(graph.rerun(y, {})) == float(y.data)
    value, pull = mg.vjp(lambda d: graph.rerun(y, {h.number: d}), xp.zeros((5, 3)))
    assert float(value) == float(y.data)
    np.testing.assert_allclose(to_host(pull(xp.ones(()))), 2.0 * to_host(h.data), rtol=1e-15)
    before = h.inputs[0]                                        # one node further back
    _, pull = mg.vjp(lambda d: graph.rerun(y, {before.number: d}), xp.zeros((5, 3)))
    H = to_host(h.data)
    np.testing.assert_allclose(to_host(pull(xp.ones(()))), 2.0 * H * (1 - H**2), rtol=1e-14)


def test_both_sides_of_a_product_and_transposes():
    W, x = array(4, 3), array(5, 4, seed=1)
    (layer,), _ = seen(lambda p: mg.matmul(x, p["W"]), {"W": W})
    assert (layer.weight, layer.bias, layer.axis) == ("W", None, 0) and layer.x is x
    (layer,), _ = seen(lambda p: mg.matmul(p["W"], mg.transpose(x)), {"W": W.T})
    assert layer.axis == 1
    np.testing.assert_array_equal(to_host(layer.rows()), to_host(x))
    (layer,), _ = seen(lambda p: mg.matmul(x, mg.transpose(p["W"])), {"W": W.T})
    assert layer.axis == 1 and layer.x is x
    (layer,), _ = seen(lambda p: mg.matmul(x, mg.swapaxes(mg.transpose(p["W"]), a=0, b=1)),
                       {"W": W})
    assert layer.axis == 0


def test_a_weight_used_twice_has_two_layers():
    """Shared between two layers, and tied the other way round in an autoencoder x -> x W W^T."""
    W, x = array(4, 4), array(5, 4, seed=1)
    found, _ = seen(lambda p: mg.matmul(mg.tanh(mg.matmul(x, p["W"])), p["W"]), {"W": W})
    assert [layer.axis for layer in found] == [0, 0]
    np.testing.assert_allclose(to_host(found[1].x), np.tanh(to_host(x) @ to_host(W)), rtol=1e-14)
    found, leaves = seen(lambda p: mg.matmul(mg.matmul(x, p["W"]), mg.transpose(p["W"])), {"W": W})
    assert [layer.axis for layer in found] == [0, 1]
    inputs = {}

    def loss(p):
        y = mg.sum(mg.matmul(mg.matmul(x, p["W"]), p["W"]))
        inputs.update(graph.layer_inputs(y, p))
        return y
    mg.grad(loss)({"W": W})
    assert len(inputs["W"]) == 2 and inputs["W"][0] is x


def test_rows_looked_up_are_no_layer_and_unused_weights_have_none():
    E, tokens = array(7, 3), xp.asarray([0, 2, 2])
    found, _ = seen(lambda p: mg.matmul(mg.embedding(p["E"], tokens), mg.transpose(p["E"])),
                    {"E": E, "unused": array(2, 2)})
    assert [(layer.weight, layer.axis) for layer in found] == [("E", 1)]


def test_names_go_through_a_layout_and_through_outer_transforms():
    """A flat point, unravelled inside; and inside of an hvp, where leaves hang on outer ones."""
    x, params = array(5, 4), {"layers": [{"W": array(4, 3), "b": array(3)}]}
    layout, names = mg.Layout(params), []

    def loss(theta):
        tree = layout.unravel(theta)
        y = mg.sum(mg.linear(x, tree["layers"][0]["W"], tree["layers"][0]["b"])**2)
        names.append([(layer.weight, layer.bias) for layer in graph.layers(y, tree)])
        return y
    theta = layout.ravel(params)
    mg.grad(loss)(theta)
    mg.hvp(loss, theta)(theta)
    assert names == [[("layers.0.W", "layers.0.b")]] * 2


@pytest.mark.parametrize("stride, padding", [(1, 1), (2, 0)])
def test_rows_of_a_convolution_are_its_windows(stride, padding):
    x, params = array(2, 5, 6, 3), {"K": array(4, 3, 3, 3), "b": array(4)}
    (layer,), _ = seen(lambda p: mg.conv2d(x, p["K"], p["b"], stride=stride, padding=padding),
                       params)
    M = to_host(params["K"]).reshape(4, -1)
    z = to_host(layer.z.data)
    np.testing.assert_allclose(to_host(layer.rows()) @ M.T + to_host(params["b"]),
                               z.reshape(-1, 4), atol=1e-13)
    assert layer.axis == 1 and layer.bias == "b"


def test_outside_of_a_transform_there_is_no_graph():
    params = {"W": array(2, 2)}
    with pytest.raises(ValueError, match="layers: the result is no Tensor with a history"):
        graph.layers(mg.matmul(array(3, 2), params["W"]), params)
    with mg.no_grad(), pytest.raises(ValueError, match="inside the function"):
        leaves = rebuild(params, [mg.tensor(params["W"])])
        graph.layer_inputs(mg.matmul(array(3, 2), leaves["W"]), leaves)
