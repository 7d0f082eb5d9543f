"""The convolutional network: sizes, formula, derivatives, and torch."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from minigrad.tree import leaves_of, rebuild
from problems.networks.cnn import CNN
from problems.problem import Network
from tests.problems.model_checks import (check_against_torch, check_float32, check_kinds,
                                         check_landscape, check_layers, integers)


def small(**settings):
    return CNN(**{**dict(image=(2, 6, 5), classes=3, filters=(2, 3), kernel=3), **settings})


def batch(seed=0):
    rng = np.random.default_rng(seed)
    return xp.asarray(rng.standard_normal((4, 2, 6, 5))), integers(rng, 3, 4)


@pytest.mark.parametrize("filters, count", [((16, 32), 416 + 12_832 + 15_690),
                                            ((16, 64), 416 + 25_664 + 31_370)])
def test_parameter_counts(filters, count):
    """28 x 28, 5 x 5 kernels: 25 F1 + F1, 25 F1 F2 + F2, and 49 F2 features to 10 classes."""
    assert Network(CNN(filters=filters)).layout.size == count


def test_derivatives_dtype_and_kinds():
    check_landscape(small(), batch())
    check_float32(small(), batch())
    check_kinds(small(), {"K": ("weight", 0), "W": ("weight", 1), "b": ("bias", None)})


def test_layer_inputs_have_channels_last():
    inputs = check_layers(small(), batch()[0])
    assert {k: v.shape for k, v in inputs.items()} == {
        "conv1.K": (4, 6, 5, 2), "conv2.K": (4, 3, 2, 2), "head.W": (4, 3)}


@pytest.mark.parametrize("settings, message", [
    (dict(kernel=4), "CNN: kernel must be odd, got 4"),
    (dict(image=(1, 3, 8)), r"CNN: images of \(3, 8\) are too small")])
def test_errors(settings, message):
    with pytest.raises(ValueError, match=message):
        small(**settings)


@pytest.mark.peers
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_torch_agrees(dtype):
    torch = pytest.importorskip("torch")
    F = torch.nn.functional
    problem = Network(small(image=(2, 8, 8)), (xp.asarray(np.random.default_rng(1).standard_normal(
        (4, 2, 8, 8))), batch()[1]), dtype=dtype)
    params = problem.params(problem.start(np.random.default_rng(2)))
    leaves = [torch.tensor(to_host(a), requires_grad=True) for a in leaves_of(params)]
    p = rebuild(params, leaves)
    x, labels = (torch.tensor(to_host(a)) for a in problem.data)
    h = F.relu(F.max_pool2d(F.conv2d(x, p["conv1"]["K"], p["conv1"]["b"], padding=1), 2))
    h = F.relu(F.max_pool2d(F.conv2d(h, p["conv2"]["K"], p["conv2"]["b"], padding=1), 2))
    features = h.permute(0, 2, 3, 1).reshape(4, -1)                       # channels last
    loss = F.cross_entropy(features @ p["head"]["W"] + p["head"]["b"], labels)
    loss.backward()
    height, g = mg.value_and_grad(problem.tree_loss)(params)
    check_against_torch((height, leaves_of(g)), (loss, [a.grad.numpy() for a in leaves]), dtype)
