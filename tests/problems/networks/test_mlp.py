"""The perceptron against known values, a loop over points, and a naive reading of its formula."""
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from problems.networks.mlp import MLP
from problems.problem import Network
from tests.problems.model_checks import check_layers

THETA = [-.6, -.9, .3, -1.2, 0, .1, .7, 1.2, 1.2]
V = [-1.2, 1, .2, -.4, 1.1, -.5, .6, -.9, -.2]
GRADIENT = [-.118621771, -.2246921044, -.7297196100, -.4816402041, .0409212471, .6178544836,
            .7062571868, .4966134059, .3449029824]
HV = [.3196669917, .0896405658, -.0089930421, .6358492595, -.4816844160, .3020572851,
      -.0952190479, -.5293601136, .4371687457]
EIGENVALUES = [-1.2686936742, -.7538186108, -.3982257179, -.2202999045, -.0191560604, .0375362911,
               .3717873420, 1.1826040654, 1.9350024106]


def tiny():
    """The 2-2-1 tanh network whose derivatives are known to ten digits. There W1's rows are the
    hidden units' weights, the transpose of ours; the loss is half the mean squared error."""
    x = xp.asarray([[-.8, .6], [-1, -.4], [.3, 1.2], [.3, .8]])
    y = xp.asarray([1.2, -.9, .2, 0.0])
    model = MLP((2, 2, 1), activation="tanh", loss="mse")

    def loss(theta):
        params = {"layers": [{"W": mg.reshape(theta[:4], shape=(2, 2)).T, "b": theta[4:6]},
                             {"W": mg.reshape(theta[6:8], shape=(2, 1)), "b": theta[8:]}]}
        return 0.5 * model.loss(params, (x, y))
    return loss, xp.asarray(THETA), xp.asarray(V)


def test_golden_values_of_the_2_2_1_network():
    loss, theta, v = tiny()
    value, gradient = mg.value_and_grad(loss)(theta)
    product = mg.hvp(loss, theta)
    H = np.stack([to_host(product(e)) for e in xp.eye(9)])
    assert float(value) == pytest.approx(1.2307648007, abs=1e-10)
    np.testing.assert_allclose(to_host(gradient), GRADIENT, atol=1.1e-10)
    np.testing.assert_allclose(to_host(product(v)), HV, atol=1e-10)
    np.testing.assert_allclose(np.linalg.eigvalsh(H), EIGENVALUES, atol=1e-10)
    assert np.trace(H) == pytest.approx(.8667361412, abs=1e-10)
    assert (H * H).sum() == pytest.approx(7.6677303671, abs=1e-9)


@pytest.mark.parametrize("sizes, count", [((4, 32, 32, 1), 1249), ((784, 64, 64, 10), 55_050)])
def test_parameter_counts(sizes, count):
    problem = Network(MLP(sizes))
    assert problem.layout.size == count == problem.start(np.random.default_rng(1)).size


def test_layout_knows_the_kinds_and_filters():
    layout = Network(MLP((3, 5, 2))).layout
    assert layout.names == ["layers.0.W", "layers.0.b", "layers.1.W", "layers.1.b"]
    assert [(e.shape, e.kind, e.filter_axis) for e in layout.entries] == [
        ((3, 5), "weight", 1), ((5,), "bias", None), ((5, 2), "weight", 1), ((2,), "bias", None)]


SLOPES = {
    "gelu": lambda z: 0.5 * z * (1 + np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))),
    "tanh": np.tanh, "relu": lambda z: np.maximum(z, 0), "silu": lambda z: z / (1 + np.exp(-z)),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)), "softplus": lambda z: np.log1p(np.exp(z))}


@pytest.mark.parametrize("name", SLOPES)
@pytest.mark.parametrize("skip, norm", [(False, False), (True, False), (False, True), (True, True)])
def test_outputs_are_the_formula_example_by_example(name, skip, norm):
    rng = np.random.default_rng(2)
    model = MLP((3, 4, 4, 4, 2), activation=name, skip=skip, norm=norm)
    params = model.init(rng)
    x = rng.standard_normal((5, 3))
    layers = [{k: to_host(a) for k, a in layer.items()} for layer in params["layers"]]
    expected = []
    for h in x:
        for k, layer in enumerate(layers):
            inside = h
            if norm and k > 0:
                inside = (h - h.mean()) / math.sqrt(h.var() + 1e-5)
            z = np.array([sum(inside[i] * layer["W"][i, j] for i in range(len(inside)))
                          + layer["b"][j] for j in range(len(layer["b"]))])
            h = z if k == 3 else SLOPES[name](z) + (h if skip and k > 0 else 0)
        expected.append(h)
    np.testing.assert_allclose(to_host(model.apply(params, xp.asarray(x))), expected, rtol=1e-12)


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
@pytest.mark.parametrize("skip, norm", [(False, False), (True, True)])
def test_a_batch_of_points_is_a_loop_over_points(loss, skip, norm):
    rng = np.random.default_rng(3)
    x = xp.asarray(rng.standard_normal((6, 3)))
    y = xp.asarray(rng.integers(0, 2, 6)) if loss == "cross_entropy" else xp.asarray(
        rng.standard_normal((6, 2)))
    problem = Network(MLP((3, 4, 4, 2), loss=loss, skip=skip, norm=norm), (x, y))
    points = xp.stack([problem.start(rng) for _ in range(3)])
    heights = problem.loss(points)
    gradient = mg.grad(lambda p: problem.loss(p).sum())(points)
    for k in range(3):
        height, g = mg.value_and_grad(problem.loss)(points[k])
        assert float(heights[k]) == pytest.approx(float(height), rel=1e-13)
        np.testing.assert_allclose(to_host(gradient[k]), to_host(g), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("skip, norm", [(False, False), (True, True)])
@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_gradient_and_hessian_products(loss, skip, norm):
    rng = np.random.default_rng(4)
    x = xp.asarray(rng.standard_normal((6, 3)))
    y = xp.asarray(rng.integers(0, 3, 6)) if loss == "cross_entropy" else xp.asarray(
        rng.standard_normal((6, 3)))
    problem = Network(MLP((3, 4, 4, 3), loss=loss, skip=skip, norm=norm), (x, y))
    mg.check_gradient(problem.loss, problem.start(rng), rng)
    mg.check_hvp(problem.loss, problem.start(rng), rng)


def test_targets_without_a_last_axis():
    model, rng = MLP((2, 3, 1), loss="mse"), np.random.default_rng(5)
    params, x = model.init(rng), xp.asarray(rng.standard_normal((4, 2)))
    y = xp.asarray(rng.standard_normal(4))
    assert float(model.loss(params, (x, y))) == float(model.loss(params, (x, y.reshape(4, 1))))


def test_float32_stays_float32():
    rng = np.random.default_rng(6)
    x, y = rng.standard_normal((4, 3)), rng.integers(0, 2, 4)
    problem = Network(MLP((3, 4, 4, 2), skip=True, norm=True), (x, y), dtype="float32")
    height, gradient = mg.value_and_grad(problem.loss)(problem.start(rng))
    assert height.dtype == gradient.dtype == np.float32


def test_layer_inputs_are_what_each_weight_multiplies():
    x = xp.asarray(np.random.default_rng(7).standard_normal((5, 3)))
    inputs = check_layers(MLP((3, 4, 4, 2), norm=True), x)
    assert list(inputs) == ["layers.0.W", "layers.1.W", "layers.2.W"]
    np.testing.assert_array_equal(inputs["layers.0.W"], to_host(x))
    np.testing.assert_allclose(inputs["layers.2.W"].mean(axis=1), 0.0, atol=1e-12)


@pytest.mark.parametrize("settings, message", [
    (dict(sizes=(3,)), r"MLP: sizes must be two or more"),
    (dict(sizes=(3, 2), activation="elu"), r"MLP: unknown activation 'elu'. Use one of gelu"),
    (dict(sizes=(3, 2), init="zeros"), r"MLP: unknown init 'zeros'"),
    (dict(sizes=(3, 2), loss="hinge"), r"MLP: unknown loss 'hinge'"),
    (dict(sizes=(3, 4, 5, 2), skip=True), r"MLP: skip connections need equal hidden widths")])
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        MLP(**settings)
