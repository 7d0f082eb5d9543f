"""The rescaling test: what each normalisation undoes, exactly, on a small ReLU network."""
import numpy as np
import pytest

import minigrad as mg
from minigrad import Layout
from minigrad.backend import to_host, xp
from optim import Objective
from problems import Network
from problems.landscape.slices.directions import normalise
from problems.landscape.slices.rescaling import rescale, rescaling_test
from problems.landscape.curvature.sharpness import adaptive_sharpness, sam_sharpness, top_curvature
from problems.landscape.slices.planes import grid
from problems.networks.mlp import MLP

RNG = np.random.default_rng(0)
NETWORK = Network(MLP((4, 8, 6, 3), activation="relu", init="he"),
                  (RNG.standard_normal((30, 4)), RNG.integers(0, 3, 30)))
OBJECTIVE, LAYOUT = Objective(NETWORK), NETWORK.layout
D = xp.asarray(RNG.standard_normal(LAYOUT.size))
PER_UNIT = np.exp(RNG.normal(0.0, 1.0, 8))


def start():
    """He weights and biases that are not zero, so that the biases have something to scale."""
    theta = NETWORK.start(np.random.default_rng(1))
    return theta + 0.1 * xp.asarray(np.random.default_rng(2).standard_normal(LAYOUT.size))


THETA = start()


def gap(c, norm):
    other = rescale(THETA, LAYOUT, "layers.0", "layers.1", c)
    return rescaling_test(OBJECTIVE, LAYOUT, THETA, other, D, norm, grid(count=11))[2]


@pytest.mark.parametrize("c", [0.1, 4.0, PER_UNIT], ids=["0.1", "4", "per unit"])
def test_the_function_is_unchanged_and_the_point_is_not(c):
    other = rescale(THETA, LAYOUT, "layers.0", "layers.1", c)
    assert float(OBJECTIVE.value(other)) == pytest.approx(float(OBJECTIVE.value(THETA)), rel=1e-13)
    assert float(xp.max(xp.abs(other - THETA))) > 0.1
    inputs = xp.asarray(np.random.default_rng(5).standard_normal((20, 4)))     # points it was not fitted on
    before, after = (to_host(NETWORK.model.apply(NETWORK.params(w), inputs)) for w in (THETA, other))
    np.testing.assert_allclose(after, before, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("norm", ["filter", "layer", "weight"])
@pytest.mark.parametrize("c", [4.0, 10.0])
def test_normalised_slices_ignore_one_factor_for_the_layer(norm, c):
    assert gap(c, norm) < 1e-8                          # 1e-10 in the division leaves a few 1e-10


def test_raw_slices_do_not():
    assert gap(10.0, "none") > 0.1


def test_a_factor_for_each_unit_is_undone_by_weight_mode_only():
    assert gap(PER_UNIT, "weight") < 1e-11
    assert gap(PER_UNIT, "filter") > 1e-2
    assert gap(PER_UNIT, "layer") > 1e-2


@pytest.mark.parametrize("c", [10.0, PER_UNIT], ids=["layer", "per unit"])
def test_adaptive_sharpness_is_invariant_and_the_others_are_not(c):
    other, rng = rescale(THETA, LAYOUT, "layers.0", "layers.1", c), np.random.default_rng(0)
    adaptive, plain, curvature = ([measure(w) for w in (THETA, other)] for measure in (
        lambda w: adaptive_sharpness(OBJECTIVE, w, 0.05, steps=1).value,
        lambda w: sam_sharpness(OBJECTIVE, w, 0.05, steps=1).value,
        lambda w: top_curvature(OBJECTIVE, w, rng).value))
    assert adaptive[1] == pytest.approx(adaptive[0], rel=1e-11)
    assert abs(plain[1] / plain[0] - 1) > 0.1
    assert abs(curvature[1] / curvature[0] - 1) > 0.1


def test_batch_norm_after_each_filter_makes_filter_slices_exactly_invariant():
    """BN(c_i z_i) = BN(z_i): here a factor for each unit needs no change of the next layer at all."""
    rng = np.random.default_rng(4)
    x, labels = xp.asarray(rng.standard_normal((30, 4))), xp.asarray(rng.integers(0, 3, 30))
    layout = Layout({"first": {"W": np.ones((4, 8)), "gain": np.ones(8), "shift": np.ones(8)},
                     "last": {"W": np.ones((8, 3))}})

    def loss(theta):
        p = layout.unravel(theta)
        h = mg.relu(mg.batch_norm(x @ p["first"]["W"], p["first"]["gain"], p["first"]["shift"], eps=1e-30))
        return mg.softmax_cross_entropy(h @ p["last"]["W"], labels)

    theta = xp.asarray(rng.standard_normal(layout.size))
    factor = np.ones(layout.size)
    factor[layout["first.W"].start:layout["first.W"].stop] = np.tile(PER_UNIT, 4)
    d = xp.asarray(rng.standard_normal(layout.size))
    heights = {norm: [[float(loss(w + a * normalise(d, w, layout, norm))) for a in (-0.5, 0.0, 0.7)]
                      for w in (theta, theta * xp.asarray(factor))] for norm in ("filter", "layer")}
    np.testing.assert_allclose(*heights["filter"], rtol=1e-8)
    assert np.max(np.abs(np.diff(heights["layer"], axis=0))) > 1e-3


def test_a_direction_of_another_layout_is_refused():
    small = Network(MLP((4, 8, 3)), NETWORK.data).layout
    with pytest.raises(ValueError, match="another network"):
        normalise(D, THETA, small)


@pytest.mark.parametrize("call, match", [
    (lambda: rescale(THETA, LAYOUT, "layers.7", "layers.1", 2.0), r"no weights layers.7.W. It has: layers.0"),
    (lambda: rescale(THETA, LAYOUT, "layers.0", "layers.2", 2.0), r"layers.0 has 8 units but layers.2 takes 6"),
    (lambda: rescale(THETA, LAYOUT, "layers.0", "layers.1", -1.0), r"c must be positive"),
])
def test_bad_arguments(call, match):
    with pytest.raises(ValueError, match=match):
        call()
