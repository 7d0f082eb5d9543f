"""Alignment: the same function, a planted permutation found again, a likeness that never falls."""
import numpy as np
import pytest

from minigrad.backend import to_host, xp
from problems import Network
from problems.landscape.alignment.matching import weight_matching
from problems.landscape.alignment.symmetries import find_symmetries
from problems.networks.mlp import MLP
from problems.networks.transformer import Transformer


def network(sizes=(10, 16, 12, 5), seed=0, **settings):
    rng = np.random.default_rng(seed)
    data = rng.standard_normal((40, sizes[0])), rng.integers(0, sizes[-1], 40)
    return Network(MLP(sizes, **settings), data)


def point(network, rng):
    theta = network.start(rng)
    return theta + xp.asarray(0.1 * rng.standard_normal(theta.shape))  # biases are not zero either


def planted(symmetries, theta, rng):
    permutations = {group: rng.permutation(size) for group, size in symmetries.groups.items()}
    return symmetries.permute(theta, permutations), permutations


@pytest.mark.parametrize("settings", [
    {}, {"sizes": (10, 16, 16, 16, 5), "skip": True, "norm": True}])
def test_a_planted_permutation_is_recovered(settings):
    net, rng = network(**settings), np.random.default_rng(1)
    symmetries = find_symmetries(net)
    a = point(net, rng)
    b, planted_in = planted(symmetries, a, rng)
    found = weight_matching(symmetries, a, b, rng)
    assert found.converged and np.array_equal(to_host(found.theta), to_host(a))
    for group, p in planted_in.items():
        assert np.array_equal(p[found.permutations[group]], np.arange(len(p)))        # the inverse


@pytest.mark.parametrize("settings", [{}, {"sizes": (10, 16, 16, 16, 5), "skip": True}])
@pytest.mark.parametrize("seed", range(3))
def test_same_function_rising_likeness_bijections(settings, seed):
    net, rng = network(**settings), np.random.default_rng(seed)
    a, b = point(net, rng), point(net, rng)
    found = weight_matching(find_symmetries(net), a, b, rng)
    x = net.data[0]
    outputs = [to_host(net.model.apply(net.params(theta), x)) for theta in (b, found.theta)]
    assert abs(outputs[0] - outputs[1]).max() < 1e-10
    assert abs(float(net.loss(b)) - float(net.loss(found.theta))) < 1e-12
    assert np.all(np.diff(found.similarity) >= 0) and found.similarity[-1] > found.similarity[0]
    assert np.isclose(found.similarity[-1], float(a @ found.theta), rtol=1e-12)
    assert float(abs(a - found.theta).max()) > 0.1  # not the same network
    for p in found.permutations.values():
        assert np.array_equal(np.sort(p), np.arange(len(p)))


def test_one_hidden_layer_is_solved_in_one_pass():
    """One group is one assignment: the first sweep is optimal, by brute force over 6! orders."""
    import itertools
    net, rng = network((4, 6, 3)), np.random.default_rng(0)
    symmetries = find_symmetries(net)
    a, b = point(net, rng), point(net, rng)
    found = weight_matching(symmetries, a, b, rng)
    group, = symmetries.groups
    best = max(float(a @ symmetries.permute(b, {group: np.array(p)}))
               for p in itertools.permutations(range(6)))
    assert np.isclose(found.similarity[1], best, rtol=1e-12) and len(found.similarity) == 3


def transformer(seed=0):
    tokens = np.random.default_rng(seed).integers(0, 7, (3, 9))
    return Network(Transformer(7, layers=2, width=16, heads=4, context=8),
                   (xp.asarray(tokens[:, :-1]), xp.asarray(tokens[:, 1:])))


@pytest.mark.parametrize("seed", range(20))
def test_a_planted_permutation_of_a_transformer_is_found_from_every_seed(seed):
    """The residual stream is written and read by the same matrices, so one ascent in ten comes to
    rest elsewhere; the bound tells, and another start follows.
    """
    net, rng = transformer(), np.random.default_rng(seed)
    symmetries = find_symmetries(net)
    a = point(net, rng)
    b, _ = planted(symmetries, a, rng)
    found = weight_matching(symmetries, a, b, rng)
    assert found.converged and float(abs(found.theta - a).max()) == 0.0
    assert found.similarity[-1] == pytest.approx(found.bound, rel=1e-9) == pytest.approx(float(a @ a))


@pytest.mark.parametrize("make", [network, transformer])
def test_no_permutation_exceeds_the_bound_and_more_starts_never_hurt(make):
    net, rng = make(), np.random.default_rng(2)
    symmetries = find_symmetries(net)
    a, b = point(net, rng), point(net, rng)
    reached = [weight_matching(symmetries, a, b, np.random.default_rng(0), starts=k) for k in (1, 2, 5)]
    values = [found.similarity[-1] for found in reached]
    assert values == sorted(values) and [found.starts for found in reached] == [1, 2, 5]
    assert all(found.bound > value for found, value in zip(reached, values))
    for _ in range(20):
        shuffled, _ = planted(symmetries, b, rng)
        assert float(a @ shuffled) <= reached[0].bound
    assert reached[0].bound <= float(xp.linalg.norm(a) * xp.linalg.norm(b))


def test_float32_stays():
    net, rng = network(), np.random.default_rng(0)
    a, b = (point(net, rng).astype("float32") for _ in range(2))
    assert weight_matching(find_symmetries(net), a, b, rng).theta.dtype == xp.float32


def test_errors():
    net, other, rng = network(), network((10, 8, 5)), np.random.default_rng(0)
    symmetries = find_symmetries(net)
    with pytest.raises(ValueError, match="second point has shape .* networks of one architecture"):
        weight_matching(symmetries, net.start(rng), other.start(rng), rng)
    theta = net.start(rng)
    with pytest.raises(ValueError, match="first point contains nan or infinity"):
        weight_matching(symmetries, theta * float("nan"), theta, rng)
    with pytest.raises(ValueError, match="permute: needs a permutation for each of"):
        symmetries.permute(theta, {})
    with pytest.raises(ValueError, match="needs a permutation of 16 units"):
        symmetries.permute(theta, {g: np.zeros(n, int) for g, n in symmetries.groups.items()})
    with pytest.raises(ValueError, match="find_symmetries: the network has no data"):
        find_symmetries(Network(MLP((2, 3, 2))))
