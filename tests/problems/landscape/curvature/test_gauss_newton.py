"""Gauss-Newton products against J^T l'' J written out."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from problems import Network
from problems.landscape.curvature import (GaussNewtonOp, HessianOp, dense_hessian, lanczos,
                                          spectral_density)
from problems.networks.cnn import CNN
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


def small_models():
    rng = np.random.default_rng(0)
    images = xp.asarray(rng.standard_normal((6, 1, 8, 8)))
    tokens = rng.integers(0, 5, (3, 7))
    return {"cnn": Network(CNN((1, 8, 8), 3, filters=(2, 3), kernel=3),
                           (images, xp.asarray(rng.integers(0, 3, 6)))),
            "transformer": Network(Transformer(5, layers=1, width=8, heads=2, context=6),
                                   (xp.asarray(tokens[:, :-1]), xp.asarray(tokens[:, 1:])))}


@pytest.mark.parametrize("name", ["cnn", "transformer"])
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
