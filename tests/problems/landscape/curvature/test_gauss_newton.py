"""Gauss-Newton products against J^T l'' J written out."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from problems import Network
from problems.landscape.curvature import (GaussNewtonOp, HessianOp, dense_hessian, lanczos,
                                          spectral_density)
from problems.networks.cnn import CNN
from problems.networks.lstm import LSTM
from problems.networks.mlp import MLP
from problems.networks.transformer import Transformer


def network(loss="mse", sizes=(3, 4, 2), n=7, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, sizes[0]))
    y = rng.standard_normal((n, sizes[-1]))
    if loss == "cross_entropy":
        y = y.argmax(axis=1)
    problem = Network(MLP(sizes, "tanh", "normal", loss=loss), (xp.asarray(x), xp.asarray(y)))
    return problem, problem.start(rng)


def matrix(op):
    return to_host(dense_hessian(op))


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_against_the_jacobian(loss):
    problem, theta = network(loss)
    x = problem.data[0]

    def outputs(t):
        return problem.model.apply(problem.params(t), x)

    z, push = mg.jvp(outputs, theta)
    J = np.stack([to_host(push(e)).ravel() for e in xp.eye(len(theta))], axis=1)
    if loss == "mse":
        bend = np.eye(J.shape[0]) * 2.0 / z.size                    # mean over all 14 outputs
    else:
        p = to_host(mg.softmax(z))
        bend = np.zeros((J.shape[0],) * 2)
        for i, row in enumerate(p):                         # diag(p) - p p^T for each example
            bend[2 * i:2 * i + 2, 2 * i:2 * i + 2] = (np.diag(row) - np.outer(row, row)) / len(p)
    G = matrix(GaussNewtonOp.of_network(problem, theta))
    np.testing.assert_allclose(G, J.T @ bend @ J, atol=1e-12)
    assert np.linalg.eigvalsh(G)[0] > -1e-12


def test_a_linear_network_is_its_own_gauss_newton():
    problem, theta = network("mse", (3, 2))
    G, H = matrix(GaussNewtonOp.of_network(problem, theta)), matrix(HessianOp(problem, theta))
    np.testing.assert_allclose(G, H, atol=1e-12)


def test_the_remainder_vanishes_with_the_residuals():
    """Where the network fits its targets exactly, H = G."""
    problem, theta = network("mse")
    z = problem.model.apply(problem.params(theta), problem.data[0])
    fitted = Network(problem.model, (problem.data[0], z))
    np.testing.assert_allclose(matrix(GaussNewtonOp.of_network(fitted, theta)),
                               matrix(HessianOp(fitted, theta)), atol=1e-12)
    assert np.abs(matrix(GaussNewtonOp.of_network(problem, theta))
                  - matrix(HessianOp(problem, theta))).max() > 1e-3


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_batches_are_weighted_by_their_size(loss):
    problem, theta = network(loss)
    x, y = problem.data
    whole, split = (GaussNewtonOp.of_network(problem, theta, batches)
                    for batches in (None, [(x[:5], y[:5]), (x[5:], y[5:])]))
    v = xp.asarray(np.random.default_rng(1).standard_normal(len(theta)))
    np.testing.assert_allclose(to_host(split.matvec(v)), to_host(whole.matvec(v)), atol=1e-12)
    assert split.calls == 1 and split.n == len(theta)


def test_targets_without_an_output_axis():
    problem, theta = network("mse", (3, 4, 1))
    flat = Network(problem.model, (problem.data[0], problem.data[1][:, 0]))
    np.testing.assert_allclose(matrix(GaussNewtonOp.of_network(flat, theta)),
                               matrix(GaussNewtonOp.of_network(problem, theta)))


class Halved(MLP):
    """Half the squared error, plus a pull on the weights that the outputs know nothing of."""

    def loss(self, params, batch, *, rng=None):
        inputs, targets = batch
        error = self.apply(params, inputs, rng=rng) - targets
        return 0.5 * mg.mean(error * error) + 0.1 * mg.sum(params["layers"][0]["b"]**2)


class Smoothed(MLP):
    """Cross-entropy with a tenth of the label spread over all classes."""

    def loss(self, params, batch, *, rng=None):
        log_p = mg.log_softmax(self.apply(params, batch[0]))
        return 0.9 * mg.softmax_cross_entropy(self.apply(params, batch[0]), batch[1]) - 0.1 * mg.mean(log_p)


@pytest.mark.parametrize("own, like, factor", [(Halved, "mse", 0.5), (Smoothed, "cross_entropy", 1.0)])
def test_a_networks_own_loss_is_the_one_that_is_bent(own, like, factor):
    """Half the square has half the curvature; smoothing labels leaves it, being linear in them."""
    problem, theta = network(like)
    other = Network(own((3, 4, 2), "tanh", "normal", loss=like), problem.data)
    np.testing.assert_allclose(matrix(GaussNewtonOp.of_network(other, theta)),
                               factor * matrix(GaussNewtonOp.of_network(problem, theta)), atol=1e-12)
    linear = Network(own((3, 2), "tanh", "normal", loss=like), problem.data)
    start = linear.start(np.random.default_rng(0))
    pull = np.zeros(len(start))
    if own is Halved:
        pull[linear.layout.entries[-1].start:] = 0.2            # the Hessian of 0.1 |b|²
    np.testing.assert_allclose(matrix(GaussNewtonOp.of_network(linear, start)) + np.diag(pull),
                               matrix(HessianOp(linear, start)), atol=1e-12)


def test_a_loss_past_apply_is_refused_unless_its_value_is_known():
    class Elsewhere(MLP):
        def loss(self, params, batch, *, rng=None):
            h = mg.tanh(batch[0] @ params["layers"][0]["W"])
            return mg.mean(h * h)

    class Known(MLP):
        def loss(self, params, batch, *, rng=None):
            return mg.mean_squared_error(MLP.apply(self, params, batch[0]), batch[1])

    problem, theta = network()
    with pytest.raises(ValueError, match="GaussNewtonOp: the network's loss is not made of what"):
        GaussNewtonOp.of_network(Network(Elsewhere((3, 4, 2)), problem.data), theta).matvec(theta)
    known = Network(Known((3, 4, 2), "tanh", "normal", loss="mse"), problem.data)
    np.testing.assert_array_equal(matrix(GaussNewtonOp.of_network(known, theta)),
                                  matrix(GaussNewtonOp.of_network(problem, theta)))


def small_models():
    rng = np.random.default_rng(0)
    images = xp.asarray(rng.standard_normal((6, 1, 8, 8)))
    tokens = rng.integers(0, 5, (3, 7))
    return {"cnn": Network(CNN((1, 8, 8), 3, filters=(2, 3), kernel=3),
                           (images, xp.asarray(rng.integers(0, 3, 6)))),
            "lstm": Network(LSTM(5, width=4, hidden=6, layers=1), (xp.asarray(tokens[:, :-1]), xp.asarray(tokens[:, 1:]))),
            "transformer": Network(Transformer(5, layers=1, width=8, heads=2, context=6),
                                   (xp.asarray(tokens[:, :-1]), xp.asarray(tokens[:, 1:])))}


@pytest.mark.parametrize("name", ["cnn", *(pytest.param(name, marks=pytest.mark.slow)
                                          for name in ("transformer", "lstm"))])
def test_curvature_of_the_larger_models(name):
    """Ends, moments and Gauss-Newton part of a CNN and a transformer against all eigenvalues."""
    problem = small_models()[name]
    rng = np.random.default_rng(1)
    theta = problem.start(rng)
    op = HessianOp(problem, theta)
    eig = np.linalg.eigvalsh(matrix(op))
    ends = lanczos(op, 60, "both", rng=rng)
    assert ends.values[0] == pytest.approx(eig[0], abs=1e-4 * eig[-1])
    assert ends.values[1] == pytest.approx(eig[-1], rel=1e-8)
    mean, stderr = spectral_density(op, 20, 8, rng=rng).moment(2)
    assert abs(mean - np.mean(eig**2)) < 5 * stderr
    difference = HessianOp(problem, theta, mode="fd")
    v = xp.asarray(rng.standard_normal(len(theta)))
    exact = to_host(op.matvec(v))
    error = np.abs(to_host(difference.matvec(v)) - exact).max()
    assert error < 1e-5 * np.abs(exact).max()                           # ReLU kinks, pooling
    gauss = GaussNewtonOp.of_network(problem, theta)
    assert lanczos(gauss, 60, "SA", rng=rng).values[0] > -1e-10


def test_errors():
    problem, theta = network()
    with pytest.raises(ValueError, match=r"GaussNewtonOp: theta must be one flat point \(n,\)"):
        GaussNewtonOp.of_network(problem, theta[None])
    with pytest.raises(ValueError, match="GaussNewtonOp: theta has 1 entries that are NaN"):
        GaussNewtonOp.of_network(problem, theta + xp.where(xp.arange(len(theta)) == 2, xp.nan, 0.0))
    with pytest.raises(ValueError, match="GaussNewtonOp: the list of batches is empty"):
        GaussNewtonOp.of_network(problem, theta, [])
    with pytest.raises(ValueError, match="takes vectors of shape .* Ravel the direction"):
        GaussNewtonOp.of_network(problem, theta).matvec(theta[:3])


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_a_loss_that_is_fitted_tells_no_factor(factor):
    """At zero loss half a square and a square have one value, and not one curvature."""
    class Direct:
        def init(self, rng):
            return {"W": rng.standard_normal((3, 2))}

        def apply(self, params, inputs):
            return inputs @ params["W"]

        def loss(self, params, batch):
            return factor * mg.mean((batch[0] @ params["W"] - batch[1]) ** 2)

    x = xp.asarray(np.random.default_rng(0).standard_normal((9, 3)))
    problem = Network(Direct(), (x, xp.zeros((9, 2))))
    if factor != 1.0:
        with pytest.raises(ValueError, match="the network's loss is not made of what its apply"):
            matrix(GaussNewtonOp.of_network(problem, xp.zeros(6)))
        return
    H = dense_hessian(HessianOp(problem, xp.zeros(6)))
    assert np.allclose(matrix(GaussNewtonOp.of_network(problem, xp.zeros(6))), to_host(H))
