"""Objective: values, own gradients of each row, products, counters, problems with a layout."""
import numpy as np
import pytest

import minigrad as mg
from minigrad import Layout
from minigrad.backend import to_host, xp
from optim import Objective


def f(theta):
    """x² y + sin y: gradient (2xy, x² + cos y), Hessian [[2y, 2x], [2x, -sin y]]."""
    x, y = theta[..., 0], theta[..., 1]
    return x * x * y + mg.sin(y)


def by_hand(theta):
    x, y = theta[..., 0], theta[..., 1]
    gradient = np.stack([2 * x * y, x**2 + np.cos(y)], axis=-1)
    hessian = np.stack([np.stack([2 * y, 2 * x], -1), np.stack([2 * x, -np.sin(y)], -1)], -2)
    return x**2 * y + np.sin(y), gradient, hessian


class Network:
    """Two-layer landscape over a tree, in the form of a Problem."""

    def __init__(self, batched=True):
        rng = np.random.default_rng(0)
        self.batched = batched
        self.tree = {"W": xp.asarray(rng.normal(size=(3, 2))), "b": xp.asarray(rng.normal(size=2))}
        self.layout = Layout(self.tree)
        self.data = xp.asarray(rng.normal(size=(5, 3))), xp.asarray(rng.normal(size=(5, 2)))
        self.calls = []

    def tree_loss(self, params, batch=None):
        x, y = self.data if batch is None else batch
        self.calls.append(params["W"].shape)
        error = mg.tanh(x @ params["W"] + params["b"][..., None, :]) - y
        return mg.sum(error * error, axis=(-2, -1))

    def loss(self, theta, batch=None):
        return self.tree_loss(self.layout.unravel(theta), batch)


@pytest.mark.parametrize("shape", [(2,), (7, 2), (3, 4, 2)])
def test_against_hand_derivatives(shape):
    rng = np.random.default_rng(0)
    theta, v = rng.normal(size=shape), rng.normal(size=shape)
    objective, x = Objective(f), xp.asarray(theta)
    height, gradient, hessian = by_hand(theta)
    np.testing.assert_allclose(to_host(objective(x)), height, rtol=1e-13)
    loss, g = objective.value_and_grad(x)
    np.testing.assert_allclose(to_host(loss), height, rtol=1e-13)
    np.testing.assert_allclose(to_host(g), gradient, rtol=1e-13)
    Hv = objective.hvp(x)(xp.asarray(v))
    np.testing.assert_allclose(to_host(Hv), np.einsum("...ij,...j->...i", hessian, v), rtol=1e-12)


@pytest.mark.parametrize("shape, n", [((2,), 1), ((7, 2), 7), ((3, 4, 2), 12)])
def test_counters_are_per_point(shape, n):
    objective, x = Objective(f), xp.ones(shape)
    assert (objective.values, objective.gradients, objective.hvps) == (0, 0, 0)
    objective(x), objective.value(x)
    assert (objective.values, objective.gradients, objective.hvps) == (2 * n, 0, 0)
    objective.value_and_grad(x)
    assert (objective.values, objective.gradients, objective.hvps) == (2 * n, n, 0)
    product = objective.hvp(x)
    for _ in range(3):
        product(x)
    assert (objective.values, objective.gradients, objective.hvps) == (2 * n, 2 * n, 3 * n)


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("shape", [(8,), (4, 8), (2, 2, 8)])
def test_problem_with_a_layout(batched, shape):
    """Differentiated over the tree; the same as over the flat point, in one go or row by row."""
    rng = np.random.default_rng(1)
    theta, v = xp.asarray(rng.normal(size=shape)), xp.asarray(rng.normal(size=shape))
    problem = Network(batched)
    objective, flat = Objective(problem), Objective(lambda x: Network().loss(x))
    objective(theta), problem.calls.clear()                 # the first look tries one row alone
    (loss, g), (flat_loss, flat_g) = objective.value_and_grad(theta), flat.value_and_grad(theta)
    assert all((shape == (3, 2)) is (not batched or theta.ndim == 1) for shape in problem.calls)
    np.testing.assert_allclose(to_host(loss), to_host(flat_loss), rtol=1e-12)
    np.testing.assert_allclose(to_host(g), to_host(flat_g), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(to_host(objective(theta)), to_host(flat_loss), rtol=1e-12)
    Hv, flat_Hv = objective.hvp(theta)(v), flat.hvp(theta)(v)
    np.testing.assert_allclose(to_host(Hv), to_host(flat_Hv), rtol=1e-10, atol=1e-11)


def test_batches_of_data():
    problem = Network()
    theta = problem.layout.ravel(problem.tree)
    half = tuple(part[:2] for part in problem.data)
    objective = Objective(problem, half)
    assert float(objective(theta)) == pytest.approx(float(problem.loss(theta, half)), rel=1e-14)
    objective.batch = None
    assert float(objective(theta)) == pytest.approx(float(problem.loss(theta)), rel=1e-14)


def test_problem_without_a_layout():
    class Valley:
        layout = None

        def loss(self, theta, batch=None):
            return mg.sum(theta * theta, axis=-1) * (1.0 if batch is None else batch)

    assert float(Objective(Valley())(xp.ones(3))) == 3.0
    _, g = Objective(Valley(), 2.0).value_and_grad(xp.ones(3))
    np.testing.assert_allclose(to_host(g), 4.0)


def test_float32_stays_float32():
    ones = xp.ones(2, dtype="float32")
    loss, g = Objective(f).value_and_grad(ones)
    assert loss.dtype == g.dtype == Objective(f).hvp(ones)(ones).dtype == "float32"


def test_messages():
    with pytest.raises(ValueError, match=r"must have shape \(3,\) for points \(3, 2\), got \(\)"):
        Objective(lambda x: mg.sum(x)).value_and_grad(xp.ones((3, 2)))
    with pytest.raises(ValueError, match=r"must have shape \(\) for points \(2,\), got \(2,\)"):
        Objective(lambda x: x).value(xp.ones(2))
    with pytest.raises(TypeError, match="needs a function of theta or a Problem, got float"):
        Objective(3.0)
    with pytest.raises(TypeError, match="a batch needs a Problem, got a plain function"):
        Objective(f, batch=1)
