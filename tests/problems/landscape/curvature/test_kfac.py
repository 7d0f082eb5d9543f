"""K-FAC against the Gauss-Newton matrix where it is exact, and against factors written out."""
from types import SimpleNamespace

import numpy as np
import pytest

import minigrad as mg
from minigrad import graph
from minigrad.backend import to_host, xp
from optim import Objective
from optim.lmo.factors import output_factors, seeds
from problems import Network
from problems.landscape.curvature import GaussNewtonOp, KFACOp, dense_hessian, lanczos
from problems.networks.cnn import CNN
from problems.networks.lstm import LSTM
from problems.networks.mlp import MLP
from problems.networks.transformer import Transformer


def network(loss="mse", sizes=(3, 4, 2), n=7, seed=0):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((n, sizes[0])), rng.standard_normal((n, sizes[-1]))
    if loss == "cross_entropy":
        y = y.argmax(axis=1)
    problem = Network(MLP(sizes, "tanh", "normal", loss=loss), (x, y))
    return problem, problem.start(rng)


def matrix(op):
    return to_host(dense_hessian(op))


def test_one_linear_layer_under_squares_is_exact():
    problem, theta = network("mse", (3, 2))
    np.testing.assert_allclose(matrix(KFACOp(problem, theta)),
                               matrix(GaussNewtonOp.of_network(problem, theta)), atol=1e-13)


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_one_example_has_exact_blocks(loss):
    """With one example the mean of the product is the product of the means, layer by layer."""
    problem, theta = network(loss, (3, 4, 2), n=1)
    K, G = matrix(KFACOp(problem, theta)), matrix(GaussNewtonOp.of_network(problem, theta))
    first = 3 * 4 + 4
    for block in (slice(0, first), slice(first, None)):
        np.testing.assert_allclose(K[block, block], G[block, block], atol=1e-13)
    np.testing.assert_allclose(K[:first, first:], 0.0, atol=0)


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_factors_written_out(loss):
    """Γ = Σ_r J_rᵀ H J_r from the Jacobian of the second half of the network."""
    problem, theta = network(loss, (3, 4, 2))
    params, (x, y) = problem.params(theta), problem.data
    first, second = params["layers"]
    z = xp.matmul(x, first["W"]) + first["b"]
    Gamma = np.zeros((4, 4))
    for row in z:
        def rest(z):
            return mg.linear(mg.tanh(mg.reshape(z, shape=(1, 4))), second["W"], second["b"])[0]
        out, push = mg.jvp(rest, row)
        J = np.stack([to_host(push(e)) for e in xp.eye(4)], axis=1)
        if loss == "mse":
            H = np.eye(2) * 2.0 / (len(z) * 2)
        else:
            p = np.exp(to_host(out)) / np.exp(to_host(out)).sum()
            H = (np.diag(p) - np.outer(p, p)) / len(z)
        Gamma += J.T @ H @ J
    A, ours, axis, bias = KFACOp(problem, theta).factors["layers.0.W"]
    np.testing.assert_allclose(to_host(ours), Gamma, atol=1e-14)
    a = np.concatenate([to_host(x), np.ones((7, 1))], axis=1)
    np.testing.assert_allclose(to_host(A), a.T @ a / 7, atol=1e-14)
    assert (axis, bias) == (0, "layers.0.b")


def test_a_scaled_loss_scales_the_factors():
    problem, theta = network("mse")

    class Half(Network):
        def tree_loss(self, params, batch=None):
            return 0.5 * super().tree_loss(params, batch)
    half = Half(problem.model, problem.data)
    np.testing.assert_allclose(matrix(KFACOp(half, theta)), 0.5 * matrix(KFACOp(problem, theta)),
                               atol=1e-15)


def test_a_weight_used_twice():
    """x W W with tanh between: A is the mean over both uses, Γ the sum."""
    rng = np.random.default_rng(0)
    W, x, y = rng.normal(size=(3, 3)), rng.normal(size=(6, 3)), rng.normal(size=(6, 3))

    class Shared:
        layout, batched = mg.Layout({"W": xp.asarray(W)}), False

        def tree_loss(self, params, batch=None):
            h = mg.tanh(mg.matmul(xp.asarray(x), params["W"]))
            return mg.mean_squared_error(mg.matmul(h, params["W"]), xp.asarray(y))
    A, Gamma, *_ = KFACOp(Shared(), xp.asarray(W.ravel())).factors["W"]
    h = np.tanh(x @ W)
    np.testing.assert_allclose(to_host(A), (x.T @ x + h.T @ h) / 12, atol=1e-14)
    J = [(1 - row**2)[:, None] * W for row in h]            # (3 hidden sums, 3 outputs)
    expected = np.eye(3) * 2 / 3 + sum(j @ j.T for j in J) * 2 / 18
    np.testing.assert_allclose(to_host(Gamma), expected, atol=1e-14)


def test_signs_are_right_on_average_where_rows_meet():
    """A transformer with one block: 600 draws of signs against the exact Γ of every row."""
    rng = np.random.default_rng(0)
    tokens = rng.integers(0, 4, (2, 3)), rng.integers(0, 4, (2, 3))
    problem = Network(Transformer(4, layers=1, width=4, heads=2, context=3, feedforward=4), tokens)
    theta = problem.start(rng)
    objective = Objective(problem)
    objective.value_and_grad(theta, watch=True)
    (height, layers), = objective.layers
    at = next(i for i, layer in enumerate(layers) if layer.weight == "blocks.0.qkv.W")
    outputs = next(n for n in graph.nodes(height)
                   if n.primitive and n.primitive.__name__ == "softmax_cross_entropy").inputs[0]
    z = layers[at].z
    pull = mg.vjp(lambda d: graph.rerun(outputs, {z.number: d}), xp.zeros_like(z.data))[1]
    p = to_host(mg.softmax(outputs.data)).reshape(-1, 4)
    exact = np.zeros((12, 12))
    for r in range(6):                                       # every label, every column by itself
        for k in range(4):
            seed = np.zeros((6, 4))
            seed[r] = (np.eye(4)[k] - p[r]) * np.sqrt(p[r, k] / 6)
            rows = to_host(pull(xp.asarray(seed.reshape(outputs.shape)))).reshape(-1, 12)
            exact += rows.T @ rows
    drawn = sum(to_host(output_factors(height, [layers[at]], rng)[0]) for _ in range(600)) / 600
    # a mean of 600 draws: off by a few per cent of its norm
    assert np.linalg.norm(drawn - exact) < 0.08 * np.linalg.norm(exact)


def test_batches_are_weighted_by_their_size():
    """Means over examples of both factors; equal to the whole where inputs do not vary."""
    problem, theta = network("mse", (3, 2))
    x, y = problem.data
    whole = KFACOp(problem, theta)
    split = KFACOp(problem, theta, [(x[:5], y[:5]), (x[5:], y[5:])])
    np.testing.assert_allclose(matrix(split), matrix(whole), atol=1e-13)


def test_convolutions_solve_and_lanczos():
    rng = np.random.default_rng(0)
    data = rng.normal(size=(6, 2, 6, 5)), rng.integers(0, 3, 6)
    problem = Network(CNN(image=(2, 6, 5), classes=3, filters=(2, 3), kernel=3), data)
    theta = problem.start(rng)
    op = KFACOp(problem, theta)
    K = matrix(op)
    assert np.linalg.eigvalsh(K)[0] > -1e-12
    assert lanczos(op, 20, rng=rng).values[-1] == pytest.approx(np.linalg.eigvalsh(K)[-1])
    v = xp.asarray(rng.normal(size=len(theta)))
    assert to_host(op.solve(v, 1e-2)) @ to_host(v) > 0
    K = KFACOp(*network("mse", (3, 2)))                     # full rank: damping may vanish
    v = xp.asarray(rng.normal(size=8))
    np.testing.assert_allclose(to_host(K.matvec(K.solve(v, 1e-20))), to_host(v), rtol=1e-6)


def test_messages():
    problem, theta = network()
    with pytest.raises(TypeError, match="KFACOp: needs a Problem with a layout"):
        KFACOp(lambda t: mg.sum(t * t), theta)
    with pytest.raises(ValueError, match="KFACOp: theta must be one flat point"):
        KFACOp(problem, theta[None])
    with pytest.raises(ValueError, match="KFACOp.solve: damping must be above 0"):
        KFACOp(problem, theta).solve(theta, 0.0)
    rng = np.random.default_rng(0)
    tokens = rng.integers(0, 4, (2, 3)), rng.integers(0, 4, (2, 3))
    recurrent = Network(LSTM(4, width=3, hidden=3), tokens)
    with pytest.raises(ValueError, match="layers.0.W is the weight of a recurrent layer"):
        KFACOp(recurrent, recurrent.start(rng))

    class Cubes(Network):
        def tree_loss(self, params, batch=None):
            return mg.mean(self.model.apply(params, self.data[0])**3)
    other = Cubes(problem.model, problem.data)
    with pytest.raises(ValueError, match="needs one cross-entropy or mean squared error, found 0"):
        KFACOp(other, theta)
    many = Network(MLP((3, 40)), (np.ones((2, 3)), np.array([0, 1])))
    with pytest.raises(ValueError, match="40 classes are drawn, not listed. Give rng"):
        KFACOp(many, many.start(rng))
    assert KFACOp(many, many.start(rng), rng=rng).n == many.layout.size


def test_the_curvature_of_outputs_next_to_certain():
    """sum of e e^T = diag(p) - p p^T for logits (0, 40): p (1 - p) = e^-40, no difference from 1."""
    loss = SimpleNamespace(primitive=SimpleNamespace(__name__="softmax_cross_entropy"))
    rows = [to_host(e)[0] for e in seeds(loss, xp.asarray([[0.0, 40.0]]), 1.0, None)]
    H, a = sum(np.outer(e, e) for e in rows), np.exp(-40.0)
    np.testing.assert_allclose(H, a * np.array([[1.0, -1.0], [-1.0, 1.0]]), rtol=1e-13)
