"""Barriers whose value is known: a product of two numbers, a spike, a bowl."""
import numpy as np
import pytest

from minigrad.backend import to_host, xp
from optim import Objective
from problems import Network
from problems.landscape.paths.barriers import accuracy, barrier, linear_path
from problems.networks.mlp import MLP


def product(theta):
    """(1 - a b)^2: minima along the hyperbola ab = 1."""
    return (1.0 - theta[..., 0] * theta[..., 1]) ** 2


def line(a, b):
    return linear_path(xp.asarray(a), xp.asarray(b))


def test_straight_lines_of_the_scalar_network():
    high = barrier(Objective(product), line([1.0, 1.0], [-1.0, -1.0]))
    assert abs(high.height - 1.0) < 1e-15 and high.t == 0.5 and high.above_ends == high.height
    low = barrier(Objective(product), line([2.0, 0.5], [0.5, 2.0]))
    assert abs(low.height - 0.31640625) < 1e-15 and low.gain == 0.0


def test_the_hyperbola_itself_has_no_barrier():
    def hyperbola(t):
        a = 2.0 * xp.asarray(0.25) ** xp.asarray(t)                     # from 2 to 1/2
        return xp.stack([a, 1.0 / a], axis=-1)
    assert barrier(Objective(product), hyperbola).height < 1e-25


def test_refinement_finds_a_peak_between_the_points():
    """L = 1/(1 + 900 (x - .51)^2) - its chord: 25 points miss the peak, refinement does not."""
    def spike(theta):
        return 1.0 / (1.0 + 900.0 * (theta[..., 0] - 0.51) ** 2)
    path = line([0.0], [1.0])
    fine = np.linspace(0, 1, 200001)
    heights = 1.0 / (1.0 + 900.0 * (fine - 0.51) ** 2)
    exact = (heights - (1 - fine) * heights[0] - fine * heights[-1]).max()
    coarse = barrier(Objective(spike), path, refinements=0)
    fine = barrier(Objective(spike), path)
    assert exact - coarse.height > 0.05
    assert 0 <= exact - fine.height < 1e-4 and abs(fine.t - 0.51) < 1e-3
    assert 0 <= fine.gain < 1e-3
    assert np.all(np.diff(fine.ts) > 0) and len(fine.ts) == len(fine.losses)


def test_zero_in_a_convex_basin_and_the_climb_from_the_higher_end():
    def bowl(theta):
        return (theta * theta).sum(axis=-1)
    result = barrier(Objective(bowl), line([1.0, 0.0], [0.0, 3.0]))
    assert result.height == 0.0 and result.above_ends == 0.0


def test_ends_of_a_line_are_exact():
    a, b = np.random.default_rng(0).standard_normal((2, 20))
    points = to_host(line(a, b)(xp.asarray([0.0, 1.0])))
    assert np.array_equal(points, [a, b])
    a, b = (xp.asarray(point, dtype="float32") for point in (a, b))
    assert linear_path(a, b)(0.5).dtype == xp.float32


def test_further_measures_at_the_same_points_and_chunks():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((30, 3)), rng.integers(0, 2, 30)
    network = Network(MLP((3, 4, 2), activation="relu"), (x, y))
    a, b = network.start(rng), network.start(rng)
    right = accuracy(network)
    result = barrier(Objective(network), linear_path(a, b), also={"accuracy": right}, chunk=7)
    assert result.also["accuracy"].shape == result.ts.shape
    for k in (0, 9, len(result.ts) - 1):
        point = linear_path(a, b)(result.ts[k])
        logits = to_host(network.model.apply(network.params(point), network.data[0]))
        assert result.also["accuracy"][k] == (logits.argmax(axis=1) == y).mean()
        assert np.isclose(result.losses[k], float(network.loss(point)), rtol=1e-12)
    whole = barrier(Objective(network), linear_path(a, b), chunk=1000)
    assert np.allclose(result.losses, whole.losses, rtol=1e-12)


def test_errors():
    with pytest.raises(ValueError, match="at least 3 points, got 2"):
        barrier(Objective(product), line([1.0, 1.0], [0.0, 0.0]), points=2)
    with pytest.raises(ValueError, match=r"linear_path: needs two points .* \(2,\) and \(3,\)"):
        line([1.0, 1.0], [1.0, 1.0, 1.0])
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="loss at the ends .* nan"):
        barrier(Objective(product), line([1.0, np.nan], [0.0, 0.0]))
