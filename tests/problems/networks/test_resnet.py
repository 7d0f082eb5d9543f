"""Residual networks: published sizes, derivatives, running statistics, and torch."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from minigrad.tree import leaves_of, rebuild
from problems.problem import Network
from problems.networks.resnet import ResNet, updated
from problems.networks.resnet9 import ResNet9
from tests.problems.model_checks import (check_against_torch, check_float32, check_kinds,
                                         check_landscape, check_layers, integers)

KINDS = {"K": ("weight", 0), "W": ("weight", 1), "b": ("bias", None), "gain": ("norm", None),
         "shift": ("norm", None)}


def tiny():
    return ResNet(widths=(2, 3), blocks=1, image=(2, 6, 6), classes=3)


def tiny9(**settings):
    return ResNet9(width=2, image=(2, 8, 8), classes=3, **settings)


def batch(model, seed=0, n=4):
    rng = np.random.default_rng(seed)
    return xp.asarray(rng.standard_normal((n, *model.image))), integers(rng, 3, n)


@pytest.fixture(scope="module")
def resnet18():
    model = ResNet()
    return model, Network(model).layout


def test_resnet18_has_11_178_762_parameters_and_9_600_statistics(resnet18):
    model, layout = resnet18
    assert layout.size == 11_178_762
    assert sum(s.size for pair in model.statistics().values() for s in pair) == 9_600


def test_resnet18_has_one_dense_matrix_and_twenty_kernels(resnet18):
    names = [entry.name.split(".")[-1] for entry in resnet18[1].entries]
    assert names.count("W") == 1 and names.count("K") == 20 and names.count("gain") == 20


def test_resnet9_has_eight_kernels_and_a_matrix():
    """9 (3 64 + 64 128 + 2 128^2 + 128 256 + 256 512 + 2 512^2) weights, biases, norms, head."""
    layout = Network(ResNet9()).layout
    weights = 9 * (192 + 8192 + 2 * 16384 + 32768 + 131072 + 2 * 262144)
    assert layout.size == weights + 3 * (64 + 3 * 128 + 256 + 3 * 512) + 5130
    assert [e.name.split(".")[-1] for e in layout.entries].count("K") == 8


@pytest.mark.parametrize("model", [tiny(), tiny9()], ids=["ResNet", "ResNet9"])
def test_derivatives_dtype_and_kinds(model):
    check_landscape(model, batch(model))
    check_float32(model, batch(model))
    check_kinds(model, KINDS)
    check_layers(model, batch(model)[0])


@pytest.mark.parametrize("model", [tiny(), tiny9()], ids=["ResNet", "ResNet9"])
def test_statistics_are_what_the_batch_norms_saw(model):
    """Evaluating with the statistics of a batch gives the outputs the batch itself had."""
    params, (x, _) = model.init(np.random.default_rng(1)), batch(model)
    seen = {}
    trained = model.apply(params, x, seen=seen)
    assert seen.keys() == model.statistics().keys()
    assert {k: v[0].shape for k, v in seen.items()} == {
        k: v[0].shape for k, v in model.statistics().items()}
    evaluated = model.apply(params, x, statistics=seen)
    np.testing.assert_allclose(to_host(evaluated), to_host(trained), rtol=1e-10, atol=1e-12)
    one_by_one = xp.concatenate(
        [model.apply(params, x[i:i + 1], statistics=seen) for i in range(4)])
    np.testing.assert_allclose(to_host(one_by_one), to_host(evaluated), rtol=1e-10, atol=1e-12)


def test_statistics_are_collected_while_differentiating():
    """As plain arrays: no gradient reaches them, and the loss and its gradient do not change."""
    model = tiny()
    params, data, seen = model.init(np.random.default_rng(2)), batch(model), {}
    loss, g = mg.value_and_grad(lambda p: model.loss(p, data, seen=seen))(params)
    quiet, h = mg.value_and_grad(lambda p: model.loss(p, data))(params)
    assert float(loss) == float(quiet) and type(seen["stem.norm"][0]) is type(data[0])
    for a, b in zip(leaves_of(g), leaves_of(h)):
        np.testing.assert_array_equal(to_host(a), to_host(b))


def test_running_statistics_move_one_per_cent_a_batch():
    old = {"n": (xp.asarray([0.0]), xp.asarray([1.0]))}
    new = updated(old, {"n": (xp.asarray([2.0]), xp.asarray([3.0]))})
    mean, variance = new["n"]
    assert float(mean[0]) == pytest.approx(0.02) and float(variance[0]) == pytest.approx(1.02)
    assert float(old["n"][0][0]) == 0.0


def test_float32_evaluation_stays_float32():
    model = tiny()
    params = rebuild(model.init(rng := np.random.default_rng(3)),
                     [a.astype("float32") for a in leaves_of(model.init(rng))])
    out = model.apply(params, batch(model)[0].astype("float32"), statistics=model.statistics())
    assert out.dtype == np.float32


def test_the_dropout_of_the_classifier_needs_an_rng():
    model, rng = tiny9(dropout=0.5), np.random.default_rng
    params, data = model.init(rng(4)), batch(model)
    assert float(model.loss(params, data)) == float(tiny9().loss(params, data))
    dropped = [float(model.loss(params, data, rng=rng(seed))) for seed in (1, 1, 2)]
    assert dropped[0] == dropped[1] != dropped[2]


@pytest.mark.parametrize("call, message", [
    (lambda: ResNet(widths=()), r"ResNet: needs stages and blocks, got \(\) and 2"),
    (lambda: ResNet9(image=(3, 12, 12)), r"ResNet9: images of \(12, 12\) cannot be halved")])
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def resnet_in_torch(F, model, p, x):
    def bn(h, q):
        return F.batch_norm(h, None, None, q["gain"], q["shift"], training=True, eps=1e-5)

    def conv(h, q, **size):
        return F.conv2d(h, q["K"], q["b"], **size)
    h = F.relu(bn(conv(x, p["stem"]["conv"], padding=1), p["stem"]["norm"]))
    for s, stage in enumerate(p["stages"]):
        for k, block in enumerate(stage):
            stride = 2 if s and k == 0 else 1
            step = F.relu(bn(conv(h, block["conv1"], stride=stride, padding=1), block["norm1"]))
            step = bn(conv(step, block["conv2"], padding=1), block["norm2"])
            if "shortcut" in block:
                h = bn(conv(h, block["shortcut"]["conv"], stride=stride), block["shortcut"]["norm"])
            h = F.relu(h + step)
    return h.mean(dim=(2, 3)) @ p["head"]["W"] + p["head"]["b"]


def resnet9_in_torch(F, model, p, x):
    def conv(h, name):
        q = p[name]
        h = F.conv2d(h, q["conv"]["K"], q["conv"]["b"], padding=1)
        gain, shift = q["norm"]["gain"], q["norm"]["shift"]
        return F.relu(F.batch_norm(h, None, None, gain, shift, training=True))
    h = F.max_pool2d(conv(conv(x, "conv1"), "conv2"), 2)
    h = h + conv(conv(h, "residual1a"), "residual1b")
    h = F.max_pool2d(conv(F.max_pool2d(conv(h, "conv3"), 2), "conv4"), 2)
    h = h + conv(conv(h, "residual2a"), "residual2b")
    return h.amax(dim=(2, 3)) @ p["head"]["W"] + p["head"]["b"]


@pytest.mark.peers
@pytest.mark.parametrize("model, reference", [
    (ResNet(widths=(4, 6), blocks=2, image=(2, 8, 8), classes=3), resnet_in_torch),
    (ResNet9(width=2, image=(2, 16, 16), classes=3), resnet9_in_torch)], ids=["ResNet", "ResNet9"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_torch_agrees(model, reference, dtype):
    """Batches of 16, so that no batch norm divides by a deviation made of very few pixels."""
    torch = pytest.importorskip("torch")
    problem = Network(model, batch(model, n=16), dtype=dtype)
    params = problem.params(problem.start(np.random.default_rng(5)))
    leaves = [torch.tensor(to_host(a), requires_grad=True) for a in leaves_of(params)]
    x, labels = (torch.tensor(to_host(a)) for a in problem.data)
    loss = torch.nn.functional.cross_entropy(
        reference(torch.nn.functional, model, rebuild(params, leaves), x), labels)
    loss.backward()
    height, g = mg.value_and_grad(problem.tree_loss)(params)
    check_against_torch((height, leaves_of(g)), (loss, [a.grad.numpy() for a in leaves]), dtype)
