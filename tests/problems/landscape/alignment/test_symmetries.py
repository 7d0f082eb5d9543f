"""Permutation groups read off the graph of each model: where they act, and that nothing changes."""
import numpy as np
import pytest

import minigrad as mg
from minigrad import Layout
from minigrad.backend import to_host, xp
from minigrad.tensor import primitive
from problems import Network
from problems.networks.cnn import CNN
from problems.landscape.alignment.matching import weight_matching
from problems.landscape.alignment.symmetries import find_symmetries
from problems.networks.lstm import LSTM
from problems.networks.mlp import MLP
from problems.networks.resnet import ResNet
from problems.networks.transformer import Transformer

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 5, 6)
ROWS = (RNG.standard_normal((6, 10)), LABELS)
IMAGES = (RNG.standard_normal((6, 3, 8, 8)), LABELS)
TOKENS = (RNG.integers(0, 13, (3, 7)), RNG.integers(0, 13, (3, 7)))

NETWORKS = {
    "mlp": (MLP((10, 16, 12, 5)), ROWS),
    "residual": (MLP((10, 16, 16, 16, 5), skip=True, norm=True), ROWS),
    "cnn": (CNN((3, 8, 8), 5, (6, 8), 3), IMAGES),
    "resnet": (ResNet((6, 8), 2, (3, 8, 8), 5), IMAGES),
    "lstm": (LSTM(13, 5, 6, layers=2), TOKENS),
    "tied lstm": (LSTM(13, 6, 6, layers=2, tied=True), TOKENS),
    "transformer": (Transformer(13, 2, 12, 3, 7), TOKENS),
    "longer context": (Transformer(13, 1, 12, 3, 9), TOKENS),
    "tied transformer": (Transformer(13, 1, 12, 3, 7, tied=True), TOKENS),
}


def network(name):
    return Network(*NETWORKS[name])


def random_point(net, rng):
    theta = net.start(rng)
    return theta + xp.asarray(0.1 * rng.standard_normal(theta.shape))


def outputs(net, theta):
    return to_host(net.model.apply(net.params(theta), net.data[0]))


@pytest.mark.parametrize("name", NETWORKS)
def test_any_permutation_of_the_groups_leaves_the_function_and_matching_undoes_it(name):
    net, rng = network(name), np.random.default_rng(1)
    symmetries = find_symmetries(net)
    theta = random_point(net, rng)
    permutations = {group: rng.permutation(n) for group, n in symmetries.groups.items()}
    other = symmetries.permute(theta, permutations)
    assert float(abs(other - theta).max()) > 0.1
    assert abs(outputs(net, other) - outputs(net, theta)).max() < 1e-10
    assert np.array_equal(np.sort(to_host(other)), np.sort(to_host(theta)))
    found = weight_matching(symmetries, theta, other, rng)
    assert np.array_equal(to_host(found.theta), to_host(theta))


def acts_on(symmetries, name, axis):
    """Every (leaf, factor) that moves together with this one."""
    group = symmetries.factors[name][axis][1]
    return None if group is None else {place for place in symmetries.axes_of(group)}


def test_mlp_has_one_group_a_hidden_layer():
    symmetries = find_symmetries(network("mlp"))
    assert symmetries.groups == {"layers.0.W[1]": 16, "layers.1.W[1]": 12}
    assert acts_on(symmetries, "layers.0.b", 0) == {
        ("layers.0.W", 1), ("layers.0.b", 0), ("layers.1.W", 0)}
    assert acts_on(symmetries, "layers.0.W", 0) is None                      # inputs
    assert acts_on(symmetries, "layers.2.W", 1) is None                      # classes


def test_a_residual_stream_shares_one_permutation():
    symmetries = find_symmetries(network("residual"))
    assert list(symmetries.groups.values()) == [16]
    stream = acts_on(symmetries, "layers.0.W", 1)
    assert {("layers.1.W", 0), ("layers.1.W", 1), ("layers.3.W", 0)} <= stream


def test_channels_are_a_factor_of_the_flattened_image():
    symmetries = find_symmetries(network("cnn"))
    assert symmetries.groups == {"conv1.K[0]": 6, "conv2.K[0]": 8}
    assert symmetries.factors["head.W"] == [(2, None), (2, None), (8, "conv2.K[0]"), (5, None)]


def test_a_resnet_has_a_stream_each_stage_and_a_group_each_block():
    symmetries = find_symmetries(network("resnet"))
    assert sorted(symmetries.groups.values()) == 3 * [6] + 3 * [8]
    assert {("stages.0.0.conv2.K", 0), ("stages.0.1.norm2.gain", 0),
            ("stages.1.0.shortcut.conv.K", 1)} <= acts_on(symmetries, "stem.conv.K", 0)
    assert acts_on(symmetries, "stages.0.1.conv1.K", 0) == {
        ("stages.0.1.conv1.K", 0), ("stages.0.1.conv1.b", 0), ("stages.0.1.norm1.gain", 0),
        ("stages.0.1.norm1.shift", 0), ("stages.0.1.conv2.K", 1)}


def test_attention_heads_move_as_blocks_and_feedforward_layers_are_free():
    symmetries = find_symmetries(network("transformer"))
    assert symmetries.factors["blocks.0.qkv.W"] == [
        (12, "E[1]"), (3, None), (3, "blocks.0.qkv.W[1]"), (4, None)]           # C, qkv, H, D
    assert acts_on(symmetries, "blocks.0.qkv.W", 2) == {
        ("blocks.0.qkv.W", 2), ("blocks.0.qkv.b", 1), ("blocks.0.out.W", 0)}
    assert acts_on(symmetries, "blocks.1.up.b", 0) == {
        ("blocks.1.up.W", 1), ("blocks.1.up.b", 0), ("blocks.1.down.W", 0)}
    stream = acts_on(symmetries, "E", 1)
    assert {("P", 1), ("blocks.0.norm1.gain", 0), ("blocks.1.out.W", 2), ("norm.shift", 0),
            ("head.W", 0)} <= stream
    assert acts_on(symmetries, "E", 0) is None and acts_on(symmetries, "P", 0) is None


def test_the_four_gates_of_an_lstm_move_together():
    symmetries = find_symmetries(network("lstm"))
    group = symmetries.groups and symmetries.factors["layers.0.U"][0][1]
    assert symmetries.factors["layers.0.U"] == [(6, group), (4, None), (6, group)]
    assert symmetries.factors["layers.1.W"][0] == (6, group)


# ---------------------------------------------------------------------- small graphs

class Formula:
    """A model of one formula: outputs = formula(params, x), weights of the given shapes."""

    batched = False

    def __init__(self, formula, **shapes):
        self.formula, self.shapes = formula, shapes

    def init(self, rng):
        return {name: xp.asarray(rng.standard_normal(shape)) for name, shape in self.shapes.items()}

    def apply(self, params, x):
        return self.formula(params, x)


def groups_of(formula, **shapes):
    return find_symmetries(Network(Formula(formula, **shapes)), ROWS[0][:2]).groups


@primitive
def reversed_order(x):
    """x with its last axis turned round: an operation that no rule knows."""
    return x[..., ::-1]


def test_an_unknown_operation_pins_what_it_touches():
    shapes = {"A": (10, 7), "B": (7, 5), "C": (5, 3), "D": (3, 2)}

    def formula(p, x):
        return reversed_order(mg.tanh(x @ p["A"]) @ p["B"]) @ p["C"] @ p["D"]
    assert groups_of(formula, **shapes) == {"A[1]": 7, "C[1]": 3}


def test_a_constant_pins_unless_it_is_uniform():
    shapes = {"A": (10, 4), "B": (4, 2)}
    assert groups_of(lambda p, x: (x @ p["A"] * xp.ones(4)) @ p["B"], **shapes) == {"A[1]": 4}
    assert groups_of(lambda p, x: (x @ p["A"] * xp.arange(4.0)) @ p["B"], **shapes) == {}


def test_cutting_or_indexing_a_hidden_axis_pins_it():
    shapes = {"A": (10, 4), "B": (4, 2)}
    assert groups_of(lambda p, x: (x @ p["A"])[..., :2] @ p["B"][:2], **shapes) == {}
    assert groups_of(lambda p, x: (x @ p["A"])[:, :] @ p["B"], **shapes) == {"A[1]": 4}
    weighted = groups_of(lambda p, x: mg.sum((x @ p["A"]) * p["B"][:, 0], axis=-1), **shapes)
    assert weighted == {"A[1]": 4}


def test_a_reshape_makes_products():
    """(6) seen as (2, 3): the cut axis keeps the permutations of rows and of columns only."""
    shapes = {"A": (10, 6), "B": (6, 2)}

    def formula(p, x):
        h = (x @ p["A"]).reshape(2, 2, 3).swapaxes(1, 2)
        return mg.tanh(h).swapaxes(-1, -2).reshape(2, 6) @ p["B"]
    assert groups_of(formula, **shapes) == {"A[1]": 2, "A[1]'": 3}


def test_axes_that_do_not_factor_alike_are_pinned():
    shapes = {"A": (10, 6), "B": (6, 2)}
    assert groups_of(lambda p, x: (x @ p["A"]).reshape(3, 4)[:, :2] @ p["B"][:2], **shapes) == {}


def test_the_layout_is_the_networks():
    net = network("mlp")
    assert find_symmetries(net).layout == net.layout and isinstance(net.layout, Layout)
