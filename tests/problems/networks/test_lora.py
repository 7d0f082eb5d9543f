"""Low-rank factors beside a trained transformer: start, merged weights, inputs of both factors."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from minigrad.graph import layer_inputs
from problems.networks.lora import LoRA
from problems.networks.transformer import Transformer
from tests.problems.model_checks import check_kinds, check_landscape, integers


def small(**settings):
    base = Transformer(7, layers=2, width=8, heads=2, context=5, feedforward=12)
    return LoRA(base, base.init(np.random.default_rng(0)), **{"rank": 2, **settings})


def batch():
    rng = np.random.default_rng(1)
    return integers(rng, 7, 2, 5), integers(rng, 7, 2, 5)


def test_starts_as_the_trained_network():
    model = small()
    params, (x, _) = model.init(np.random.default_rng(2)), batch()
    np.testing.assert_array_equal(to_host(model.apply(params, x)),
                                  to_host(model.base.apply(model.params, x)))


def test_factors_add_to_the_matrices():
    model, (x, _) = small(places=("qkv", "down")), batch()
    rng = np.random.default_rng(2)
    params = model.init(rng)
    merged = {**model.params, "blocks": [dict(block) for block in model.params["blocks"]]}
    for block, factors in zip(merged["blocks"], params["blocks"]):
        assert set(factors) == {"qkv", "down"}
        for place, f in factors.items():
            f["B"] = xp.asarray(rng.standard_normal(f["B"].shape))
            block[place] = {**block[place], "W": block[place]["W"] + 4.0 * f["A"] @ f["B"]}
    np.testing.assert_allclose(to_host(model.apply(params, x)),
                               to_host(model.base.apply(merged, x)), atol=1e-12)


def test_derivatives_and_kinds():
    model = small()
    check_landscape(model, batch())
    check_kinds(model, {"A": ("weight", 1), "B": ("weight", 1)})


def test_inputs_of_both_factors():
    """x for A, x A for B."""
    model, seen = small(), {}

    def loss(params):
        y = model.loss(params, batch())
        seen.update(layer_inputs(y, params))
        return y
    params = model.init(np.random.default_rng(2))
    mg.grad(loss)(params)
    assert len(seen) == 16
    A = to_host(params["blocks"][0]["up"]["A"])
    np.testing.assert_allclose(to_host(seen["blocks.0.up.A"][0]) @ A,
                               to_host(seen["blocks.0.up.B"][0]), atol=1e-12)


def test_messages():
    with pytest.raises(ValueError, match="LoRA: rank must be at least 1 and places among qkv, out"):
        small(places=("head",))
    with pytest.raises(ValueError, match="LoRA: rank must be at least 1"):
        small(rank=0)
