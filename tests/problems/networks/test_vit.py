"""The vision transformer: patches, derivatives, layers, an independent reading of its formula."""
import numpy as np
import pytest

from minigrad.backend import to_host, xp
from problems.networks.vit import ViT
from tests.problems.model_checks import (check_float32, check_kinds, check_landscape, check_layers,
                                         integers)


def small():
    return ViT(image=(2, 4, 6), patch=2, classes=3, layers=1, width=4, heads=2, feedforward=5)


def batch(seed=0):
    rng = np.random.default_rng(seed)
    return xp.asarray(rng.standard_normal((3, 2, 4, 6))), integers(rng, 3, 3)


def test_patches_in_reading_order():
    x = np.arange(2 * 4 * 6.0).reshape(1, 2, 4, 6)
    rows = to_host(small().cut(xp.asarray(x)))
    assert rows.shape == (6, 8)
    for k, (i, j) in enumerate((i, j) for i in (0, 2) for j in (0, 2, 4)):
        np.testing.assert_array_equal(rows[k], x[0, :, i:i + 2, j:j + 2].ravel())


def test_derivatives_dtype_kinds_layers():
    check_landscape(small(), batch())
    check_float32(small(), batch())
    check_kinds(small(), {"W": ("weight", 1), "P": ("embedding", 0), "b": ("bias", None),
                          "gain": ("norm", None), "shift": ("norm", None)})
    assert check_layers(small(), batch()[0])["patch.W"].shape == (18, 8)


def test_against_a_naive_reading():
    model = small()
    params, (x, _) = model.init(np.random.default_rng(1)), batch()
    host = {key: to_host(a) for key, a in (("x", x),)}

    def ln(h, layer):
        h = (h - h.mean(-1, keepdims=True)) / np.sqrt(h.var(-1, keepdims=True) + 1e-6)
        return h * to_host(layer["gain"]) + to_host(layer["shift"])

    def lin(h, layer):
        return h @ to_host(layer["W"]) + to_host(layer["b"])

    def gelu(z):
        return 0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))
    block, expected = params["blocks"][0], []
    for image in host["x"]:
        rows = np.stack([image[:, i:i + 2, j:j + 2].ravel() for i in (0, 2) for j in (0, 2, 4)])
        h = lin(rows, params["patch"]) + to_host(params["P"])
        qkv, heads = lin(ln(h, block["norm1"]), block["qkv"]), []
        for k in range(2):
            q, key, v = (qkv[:, 4 * part + 2 * k:4 * part + 2 * k + 2] for part in range(3))
            a = np.exp(q @ key.T / np.sqrt(2))
            heads.append(a / a.sum(1, keepdims=True) @ v)
        h = h + lin(np.concatenate(heads, axis=1), block["out"])
        h = h + lin(gelu(lin(ln(h, block["norm2"]), block["up"])), block["down"])
        expected.append(lin(ln(h, params["norm"]).mean(0), params["head"]))
    np.testing.assert_allclose(to_host(model.apply(params, x)), expected, atol=1e-12)


def test_messages():
    with pytest.raises(ValueError, match=r"ViT: images of \(4, 6\) cannot be cut into patches of 3"):
        ViT(image=(2, 4, 6), patch=3)
    with pytest.raises(ValueError, match="ViT: width 10 cannot be cut into 4 heads"):
        ViT(width=10)
