"""The four networks of arXiv:2602.21276: counts, derivatives, torch, the permutation of pixels."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from minigrad.tree import leaves_of
from problems.networks.lenet import LeNet
from problems.networks.mlp import MLP
from problems.networks.row_lstm import RowLSTM, published_permutation
from problems.problem import Network
from tests.problems.model_checks import check_float32, check_landscape, integers


def autoencoder(sizes=(784, 32, 32, 32, 784)):
    return MLP(sizes, "softplus", loss="mse", bias=False, output="sigmoid")


@pytest.mark.parametrize("model, count", [
    (MLP((784, 50, 50, 10), "softplus", bias=False), 39_200 + 2_500 + 500),
    (LeNet(), 156 + 2_416 + 48_120 + 10_164 + 850),
    (autoencoder(), 25_088 + 1_024 + 1_024 + 25_088),
    (RowLSTM(), 5_376 + 9_216 + 192 + 192 + 480)],
    ids=["FCP 42,200", "LeNet 61,706", "autoencoder 52,224", "LSTM 15,456"])
def test_parameter_counts(model, count):
    assert Network(model).layout.size == count
    assert count in (42_200, 61_706, 52_224, 15_456)


def small():
    rng = np.random.default_rng(0)
    images = xp.asarray(rng.random((3, 1, 28, 28)))
    vectors = xp.asarray(rng.random((5, 6)))
    return {"fcp": (MLP((6, 4, 3), "softplus", bias=False), (vectors, integers(rng, 3, 5))),
            "autoencoder": (autoencoder((6, 3, 6)), (vectors, vectors)),
            "lenet": (LeNet("softplus"), (images, integers(rng, 10, 3))),
            "lstm": (RowLSTM(2, 3, 4, 3, [3, 1, 4, 0, 5, 2]), (vectors, integers(rng, 3, 5)))}


@pytest.mark.parametrize("name", small())
def test_derivatives_and_dtype(name):
    model, batch = small()[name]
    check_landscape(model, batch)
    check_float32(model, tuple(b.astype("float32") if b.dtype.kind == "f" else b for b in batch))


def test_autoencoder_loss_is_the_mean_over_pixels_and_images():
    model, (x, _) = small()["autoencoder"]
    params = model.init(np.random.default_rng(1))
    h = to_host(x)
    for layer in params["layers"]:
        z = h @ to_host(layer["W"])
        h = np.log1p(np.exp(z))
    out = 1.0 / (1.0 + np.exp(-z))
    assert np.isclose(float(model.loss(params, (x, x))), ((out - to_host(x))**2).mean(), rtol=1e-12)


def test_the_published_permutation():
    p = published_permutation()
    assert list(p[:6]) == [111, 112, 772, 475, 120, 209] and list(p[-5:]) == [358, 701, 7, 328, 31]
    assert int((np.arange(784) * p).sum()) == 121_019_961


def test_a_point_without_biases_is_a_batch_too():
    model, batch = small()["fcp"]
    problem = Network(model, batch)
    theta = xp.stack([problem.start(np.random.default_rng(k)) for k in range(3)])
    assert np.allclose(to_host(problem.loss(theta)), [float(problem.loss(row)) for row in theta])


@pytest.mark.parametrize("call, message", [
    (lambda: LeNet("elu"), "unknown activation 'elu'"),
    (lambda: LeNet().apply(LeNet().init(np.random.default_rng(0)), xp.zeros((2, 784))),
     r"images must be \(B, 1, 28, 28\), got \(2, 784\)"),
    (lambda: RowLSTM(2, 3, permutation=[0, 1, 2, 3, 4, 4]), "permutation must hold each of 0"),
    (lambda: RowLSTM(2, 3).apply(RowLSTM(2, 3).init(np.random.default_rng(0)), xp.zeros((2, 5))),
     "2 rows of 3 need 6 numbers an input, got 5"),
    (lambda: MLP((2, 2), output="softmax"), "unknown output 'softmax'. Use one of linear, sigmoid"),
])
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.peers
def test_lenet_and_lstm_against_torch():
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    rng = np.random.default_rng(3)
    model, (images, labels) = small()["lenet"]
    params = model.init(rng)
    T = [torch.tensor(to_host(leaf)) for leaf in leaves_of(params)]
    h = torch.tensor(to_host(images))
    for K, b, padding in ((T[0], T[1], 2), (T[2], T[3], 0)):
        h = functional.avg_pool2d(functional.softplus(functional.conv2d(h, K, b, padding=padding)), 2)
    h = h.permute(0, 2, 3, 1).flatten(1)                     # features in our order, channels last
    for W, b in ((T[4], T[5]), (T[6], T[7])):
        h = functional.softplus(h @ W + b)
    assert np.allclose(to_host(model.apply(params, images)), (h @ T[8] + T[9]).numpy(), atol=1e-12)

    model, (x, _) = small()["lstm"]
    params = model.init(rng)
    cell, H = params["cell"], 4
    order = np.concatenate([np.arange(H) + k * H for k in (0, 1, 3, 2)])     # i f o q -> i f g o
    theirs = torch.nn.LSTM(3, H).double()
    with torch.no_grad():
        for to, name in ((theirs.weight_ih_l0, "W"), (theirs.weight_hh_l0, "U"),
                         (theirs.bias_ih_l0, "b"), (theirs.bias_hh_l0, "b2")):
            to.copy_(torch.tensor(to_host(cell[name])[..., order].T.copy()))
        rows = to_host(x)[:, [3, 1, 4, 0, 5, 2]].reshape(5, 2, 3).swapaxes(0, 1)
        out = theirs(torch.tensor(rows.copy()))[0][-1].numpy() @ to_host(params["head"]["W"])
    assert np.allclose(to_host(model.apply(params, x)), out, atol=1e-12)
