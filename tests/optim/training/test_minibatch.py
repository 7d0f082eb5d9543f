"""The objective of one step: mean over parts, clipping, frozen noise."""
import numpy as np
import pytest

import minigrad as mg
from minigrad import Layout
from minigrad.backend import to_host, xp
from optim.training.minibatch import MinibatchObjective, takes_noise


class Noisy:
    """w (5,) against targets, with half of the inputs dropped at random when a rng is given."""

    layout = Layout({"W": xp.zeros((5, 1))})
    batched = True

    def tree_loss(self, params, batch=None, rng=None):
        x, y = batch
        if rng is not None:
            x = x * xp.asarray(rng.random(x.shape) < 0.5) * 2.0
        return mg.mean_squared_error(mg.matmul(x, params["W"]), y)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return xp.asarray(rng.standard_normal((12, 5))), xp.asarray(rng.standard_normal((12, 1)))


THETA = xp.asarray([0.3, -1.0, 2.0, 0.5, 0.1])


def test_parts_are_averaged(data):
    x, y = data
    whole = MinibatchObjective(Noisy(), [(x, y)])
    parts = MinibatchObjective(Noisy(), [(x[i:i + 4], y[i:i + 4]) for i in (0, 4, 8)])
    v = xp.asarray([1.0, 0.0, -1.0, 2.0, 0.5])
    for a, b in [(whole.value(THETA), parts(THETA)),
                 (whole.value_and_grad(THETA)[0], parts.value_and_grad(THETA)[0]),
                 (whole.value_and_grad(THETA)[1], parts.value_and_grad(THETA)[1]),
                 (whole.hvp(THETA)(v), parts.hvp(THETA)(v))]:
        np.testing.assert_allclose(to_host(a), to_host(b), rtol=1e-12)
    assert (parts.values, parts.gradients, parts.hvps) == (3, 9, 3)     # linearising is a gradient
    assert (whole.values, whole.gradients, whole.hvps) == (1, 3, 1)


def test_clipping_keeps_the_direction_and_bounds_the_length(data):
    loss, g = MinibatchObjective(Noisy(), [data]).value_and_grad(THETA)
    length = float(np.linalg.norm(to_host(g)))
    clipped_loss, clipped = MinibatchObjective(Noisy(), [data], clip=0.5).value_and_grad(THETA)
    np.testing.assert_allclose(to_host(clipped), to_host(g) * (0.5 / length), rtol=1e-12)
    assert float(loss) == float(clipped_loss)
    untouched = MinibatchObjective(Noisy(), [data], clip=2 * length).value_and_grad(THETA)[1]
    np.testing.assert_array_equal(to_host(untouched), to_host(g))
    clipped = MinibatchObjective(Noisy(), [data], clip=0.5)
    assert clipped.value_and_grad(THETA.astype("float32"))[1].dtype == np.float32


def test_clipping_is_point_by_point():
    def bowl(theta):
        return mg.sum(mg.square(theta), axis=-1)

    objective = MinibatchObjective(bowl, [None], clip=1.0)
    _, g = objective.value_and_grad(xp.asarray([[3.0, 4.0], [0.1, 0.2]]))
    np.testing.assert_allclose(to_host(g), [[0.6, 0.8], [0.2, 0.4]], rtol=1e-14)


def test_within_a_step_the_noise_stands_still_and_between_steps_it_moves(data):
    rng = np.random.default_rng(5)
    step, later = (MinibatchObjective(Noisy(), [data], rng) for _ in range(2))
    assert float(step.value(THETA)) == float(step.value_and_grad(THETA)[0])
    assert float(step.value(THETA)) != float(later.value(THETA))
    again = MinibatchObjective(Noisy(), [data], np.random.default_rng(5))
    assert float(again.value(THETA)) == float(step.value(THETA))
    assert float(MinibatchObjective(Noisy(), [data]).value(THETA)) != float(step.value(THETA))


def test_which_problems_take_noise():
    assert takes_noise(Noisy())
    assert not takes_noise(lambda theta: 0.0)
