"""REPAIR: the statistics that were asked for, nothing moved where nothing was lost."""
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from optim import Objective
from problems import Network
from problems.landscape import barrier, repair, repaired_line
from problems.landscape.alignment.statistics import statistics
from problems.networks.cnn import CNN
from problems.networks.mlp import MLP


def perceptron(sizes=(3, 6, 5, 4), n=40, dtype="float64", **settings):
    rng = np.random.default_rng(5)
    data = rng.standard_normal((n, sizes[0])), rng.integers(0, sizes[-1], n)
    return Network(MLP(sizes, "relu", **settings), tuple(map(xp.asarray, data)), dtype)


def hidden(network, theta):
    """Inputs z of the hidden units of a perceptron with relu, in NumPy: [(N, units)]."""
    layers, h, found = network.params(theta)["layers"], to_host(network.data[0]), []
    for layer in layers[:-1]:
        found.append(h @ to_host(layer["W"]) + to_host(layer["b"]))
        h = np.maximum(found[-1], 0.0)
    return found


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_every_hidden_unit_has_the_mean_of_the_members_statistics(share):
    network, rng = perceptron(), np.random.default_rng(0)
    a, b = network.start(rng), network.start(rng)
    fixed = repair(network, (1 - share) * a + share * b, [a, b], [1 - share, share])
    assert fixed.dtype == a.dtype and fixed.shape == a.shape
    for z, za, zb in zip(hidden(network, fixed), hidden(network, a), hidden(network, b)):
        for what in (np.mean, np.std):
            wanted = (1 - share) * what(za, axis=0) + share * what(zb, axis=0)
            assert np.allclose(what(z, axis=0), wanted, rtol=1e-12, atol=1e-13)


def test_one_unit_by_hand():
    """z = 2x and z = 4x + 1 on x = ±1: deviations 2 and 4, means 0 and 1. In the middle z = 3x +
    .5 needs nothing; at θ = (x, 0) the factor is 3, and the shift .5."""
    network = Network(MLP((1, 1, 2)), (xp.asarray([[1.0], [-1.0]]), xp.asarray([0, 1])))

    def at(w, b):
        return network.layout.ravel({"layers": [
            {"W": xp.asarray([[w]]), "b": xp.asarray([b])},
            {"W": xp.asarray([[1.0, 2.0]]), "b": xp.asarray([3.0, 4.0])}]})
    members = [at(2.0, 0.0), at(4.0, 1.0)]
    for theta in (at(3.0, 0.5), at(1.0, 0.0)):
        assert np.allclose(to_host(repair(network, theta, members)), to_host(at(3.0, 0.5)),
                           atol=1e-15)


@pytest.mark.parametrize("model", [
    MLP((3, 6, 5, 4), "relu"), MLP((3, 6, 6, 4), skip=True, norm=True),
    CNN((2, 4, 4), 3, (3, 4), 3)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_network_with_itself_is_left_alone_to_rounding(model, dtype):
    rng = np.random.default_rng(1)
    shape = (9, 3) if isinstance(model, MLP) else (9, 2, 4, 4)
    data = rng.standard_normal(shape), rng.integers(0, 3, 9)
    network = Network(model, tuple(map(xp.asarray, data)), dtype)
    theta = network.start(rng)
    line = repaired_line(network, theta, theta)(np.linspace(0, 1, 5))
    assert line.dtype == theta.dtype and line.shape == (5, network.layout.size)
    moved = float(abs(line - theta).max())
    assert moved < 200 * float(np.finfo(dtype).eps)         # of weights up to 2
    assert statistics(network, theta, network.data[0])      # and there were units to move


def test_the_ends_of_a_repaired_line_are_the_networks():
    network, rng = perceptron(), np.random.default_rng(2)
    a, b = network.start(rng), network.start(rng)
    line = repaired_line(network, a, b)
    assert np.allclose(to_host(line(0.0)), to_host(a), atol=1e-14)
    assert np.allclose(to_host(line([0.0, 1.0])[1]), to_host(b), atol=1e-14)
    half = repair(network, 0.5 * (a + b), [a, b])
    assert np.allclose(to_host(line(0.5)), to_host(half), atol=1e-14)


def test_two_units_of_correlation_rho_average_to_less_variance():
    """One layer, σ² (1 + ρ) / 2, with ρ taken from the data; the repaired one has σ again."""
    network, rng = perceptron((4, 1, 3), n=500), np.random.default_rng(3)
    a, b = network.start(rng), network.start(rng)
    (za,), (zb,) = hidden(network, a), hidden(network, b)
    rho = float(np.corrcoef(za[:, 0], zb[:, 0])[0, 1])
    scale = float(za.std() / zb.std())
    first, last = network.params(b)["layers"]
    b = network.layout.ravel({"layers": [{k: v * scale for k, v in first.items()}, last]})
    (middle,) = hidden(network, 0.5 * (a + b))
    assert middle.var() == pytest.approx(za.var() * (1 + rho) / 2, rel=1e-10)
    (fixed,) = hidden(network, repair(network, 0.5 * (a + b), [a, b]))
    assert fixed.std() == pytest.approx(za.std(), rel=1e-10)


def test_channels_of_a_convolution_are_repaired_over_examples_and_pixels():
    rng = np.random.default_rng(4)
    data = rng.standard_normal((20, 2, 8, 8)), rng.integers(0, 3, 20)
    network = Network(CNN((2, 8, 8), 3, (3, 4), 3), tuple(map(xp.asarray, data)))
    a, b = network.start(rng), network.start(rng)
    found = [statistics(network, theta, network.data[0])
             for theta in (a, b, repair(network, 0.5 * (a + b), [a, b]))]
    assert [units.weight for units in found[0]] == ["conv1.K", "conv2.K"]
    assert [len(units.mean) for units in found[0]] == [3, 4]
    for first, second, fixed in zip(*found):
        for what in ("mean", "deviation"):
            wanted = 0.5 * (to_host(getattr(first, what)) + to_host(getattr(second, what)))
            assert np.allclose(to_host(getattr(fixed, what)), wanted, rtol=1e-12, atol=1e-13)


def test_a_unit_that_never_changes_keeps_its_weights():
    network, rng = perceptron((3, 4, 2)), np.random.default_rng(6)
    a, b = network.start(rng), network.start(rng)
    layers = network.params(0.5 * (a + b))["layers"]
    W = xp.array(layers[0]["W"])
    W[:, 1] = 0.0
    theta = network.layout.ravel({"layers": [{**layers[0], "W": W}, layers[1]]})
    fixed = network.params(repair(network, theta, [a, b]))["layers"][0]
    assert bool(xp.all(xp.isfinite(fixed["W"]))) and bool(xp.all(fixed["W"][:, 1] == 0.0))
    wanted = 0.5 * (hidden(network, a)[0][:, 1].mean() + hidden(network, b)[0][:, 1].mean())
    assert float(fixed["b"][1]) == pytest.approx(wanted, rel=1e-12)


def test_layers_without_a_bias_and_the_last_one_stay():
    network, rng = perceptron(bias=False), np.random.default_rng(7)
    a, b = network.start(rng), network.start(rng)
    assert np.array_equal(to_host(repair(network, a, [a, b])), to_host(a))
    network = perceptron()
    a, b = network.start(rng), network.start(rng)
    last = slice(-(5 * 4 + 4), None)
    assert np.array_equal(to_host(repair(network, a, [a, b])[last]), to_host(a[last]))


class Twice:
    """One layer that acts twice, then one of its own, then the outputs."""

    def init(self, rng):
        return {name: {"W": xp.asarray(rng.standard_normal(shape)),
                       "b": xp.asarray(rng.standard_normal(shape[1]))}
                for name, shape in (("tied", (3, 3)), ("own", (3, 5)), ("head", (5, 2)))}

    def apply(self, params, x):
        for name in ("tied", "tied", "own"):
            x = mg.relu(mg.linear(x, params[name]["W"], params[name]["b"]))
        return mg.linear(x, params["head"]["W"], params["head"]["b"])


def test_a_layer_that_acts_twice_has_no_statistics_of_its_own_and_stays():
    rng = np.random.default_rng(11)
    network = Network(Twice(), (xp.asarray(rng.standard_normal((30, 3))), xp.zeros(30, dtype=int)))
    a, b = network.start(rng), network.start(rng)
    assert [units.weight for units in statistics(network, a, network.data[0])] == ["own.W"]
    middle = 0.5 * (a + b)
    fixed = [network.params(theta)["tied"] for theta in (middle, repair(network, middle, [a, b]))]
    assert all(np.array_equal(to_host(fixed[0][k]), to_host(fixed[1][k])) for k in ("W", "b"))


def test_strangers_fall_silent_by_half_and_are_heard_again():
    """At random ρ is near 0: in the first layer deviations shrink to about 1/√2, then by more."""
    network, rng = perceptron((3, 60, 60, 60, 4), n=200), np.random.default_rng(8)
    a, b = network.start(rng), network.start(rng)
    middle = 0.5 * (a + b)

    def share(theta):
        return [float((units.deviation / (0.5 * (first.deviation + second.deviation))).mean())
                for units, first, second in zip(*(statistics(network, point, network.data[0])
                                                  for point in (theta, a, b)))]
    lost = share(middle)
    assert 0.6 < lost[0] < 0.85 and lost[0] > lost[1] > lost[2]
    assert share(repair(network, middle, [a, b])) == pytest.approx([1.0, 1.0, 1.0], rel=1e-12)


def test_a_barrier_can_be_measured_along_a_repaired_line():
    network, rng = perceptron(), np.random.default_rng(10)
    a, b = network.start(rng), network.start(rng)
    objective = Objective(network)
    found = barrier(objective, repaired_line(network, a, b), points=9, refinements=1)
    for height, theta in ((found.losses[0], a), (found.losses[-1], b)):
        assert height == pytest.approx(float(objective.value(theta)), rel=1e-12)
    line = repaired_line(network, a, b)
    assert found.height == pytest.approx(float(objective.value(line(found.t))) - (1 - found.t) *
                                         found.losses[0] - found.t * found.losses[-1], rel=1e-9)


def test_errors():
    network, rng = perceptron(), np.random.default_rng(9)
    a = network.start(rng)
    for call, said in (
            (lambda: repair(network, a[:-1], [a]), "repair: the network has 83 weights, a point"),
            (lambda: repair(network, a, [a, a[:2]]), "needs one or more points of one shape"),
            (lambda: repair(network, a, []), "repair: needs one or more points"),
            (lambda: repair(network, a, [a, a], [1.0]), "2 members need as many shares"),
            (lambda: repair(network, a, [a, a], [2.0, -1.0]), "none below 0"),
            (lambda: repair(network, a * math.nan, [a]), "contains nan"),
            (lambda: repair(network, a, [a], inputs=xp.zeros((1, 3))), "two examples or more"),
            (lambda: repair(Network(network.model), a, [a]), "no data to run on"),
            (lambda: repaired_line(network, a, a)(1.5), r"t must lie in \[0, 1\]"),
            (lambda: repaired_line(network, a, a[:3]), "needs two points of one shape")):
        with pytest.raises(ValueError, match=said):
            call()
