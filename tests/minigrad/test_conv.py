"""Convolution against four nested loops, its derivatives of every order, both rules, and errors."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from minigrad.tensor import primitives
from tests.minigrad.order_checks import check_dtypes, check_orders

CASES = [                       # (B, H, W, C), (O, C, kh, kw), stride, padding
    ((2, 5, 4, 3), (2, 3, 3, 3), 1, 1),
    ((2, 5, 6, 1), (3, 1, 3, 3), 1, 0),
    ((1, 6, 5, 2), (2, 2, 3, 2), 2, 1),
    ((2, 4, 4, 2), (3, 2, 1, 1), 1, 0),
    ((2, 5, 5, 2), (3, 2, 1, 1), 2, 0),
    ((1, 4, 5, 2), (2, 2, 2, 3), 1, 3),
    ((1, 7, 7, 1), (2, 1, 3, 3), 3, 0),
]


def drawn(case, seed=0, dtype="float64"):
    x, K, stride, padding = case
    rng = np.random.default_rng(seed)
    arrays = [xp.asarray(rng.standard_normal(s).astype(dtype)) for s in (x, K, K[:1])]
    return arrays, dict(stride=stride, padding=padding)


def loops(x, K, b, stride, padding):
    """The formula, one number at a time."""
    (B, H, W, C), (O, _, kh, kw) = x.shape, K.shape
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    rows, columns = (H + 2 * padding - kh) // stride + 1, (W + 2 * padding - kw) // stride + 1
    y = np.empty((B, rows, columns, O))
    for image, p, q, o in np.ndindex(y.shape):
        window = x[image, p * stride:p * stride + kh, q * stride:q * stride + kw]
        y[image, p, q, o] = b[o] + sum(K[o, c, i, j] * window[i, j, c]
                                       for i, j, c in np.ndindex(kh, kw, C))
    return y


@pytest.mark.parametrize("case", CASES, ids=str)
def test_values_are_those_of_the_loops(case):
    (x, K, b), size = drawn(case)
    expected, y = loops(to_host(x), to_host(K), to_host(b), **size), mg.conv2d(x, K, b, **size)
    np.testing.assert_allclose(to_host(y), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_derivatives_of_three_orders(case):
    inputs, size = drawn(case)
    check_orders(primitives["conv2d"], inputs, size)


def test_images_in_several_blocks_are_images_in_one(monkeypatch):
    """The windows of one image at a time, or of all: the same values and gradients."""
    inputs, size = drawn(CASES[0])
    results = []
    for numbers in 1, 1 << 20:
        monkeypatch.setattr("minigrad.ops.conv.WINDOWS", numbers)
        monkeypatch.setattr("minigrad.ops.conv.ROWS", numbers)
        f = lambda p: mg.sum(mg.conv2d(*p, **size) ** 2)
        results.append([mg.conv2d(*inputs, **size), *mg.grad(f)(inputs)])
    for one, all_ in zip(*results):
        np.testing.assert_allclose(to_host(one), to_host(all_), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_three_maps_are_one_trilinear_form(case):
    """<g, conv(x, K)> = <input(g, K), x> = <kernel(x, g), K>, and the maps' own derivatives."""
    (x, K, b), size = drawn(case)
    y = mg.conv2d(x, K, 0.0 * b, **size)
    g = xp.asarray(np.random.default_rng(1).standard_normal(y.shape))
    pairing = float((g * y).sum())
    back = mg.conv2d_input(g, K, shape=x.shape, **size)
    kernel = mg.conv2d_kernel(x, g, window=K.shape[2:], **size)
    assert float((back * x).sum()) == pytest.approx(pairing, rel=1e-11)
    assert float((kernel * K).sum()) == pytest.approx(pairing, rel=1e-11)
    check_orders(primitives["conv2d_input"], [g, K], dict(shape=x.shape, **size))
    check_orders(primitives["conv2d_kernel"], [x, g], dict(window=K.shape[2:], **size))


@pytest.mark.parametrize("case", CASES[:3], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_in_is_dtype_out(case, dtype):
    inputs, size = drawn(case, dtype=dtype)
    check_dtypes(primitives["conv2d"], inputs, size, dtype)


def test_no_gradient_is_computed_for_images_that_are_data():
    (x, K, b), size = drawn(CASES[0])
    g = xp.ones_like(mg.conv2d(x, K, b, **size))
    rule = primitives["conv2d"].rule
    assert rule(g, g, x, K, b, needs=[False, True, False], **size)[0] is None


def images(*shape):
    return xp.zeros(shape)


@pytest.mark.parametrize("x, K, b, size, message", [
    (images(1, 4, 4, 3), images(2, 1, 3, 3), images(2), {}, r"conv2d: x .* do not fit. Give x"),
    (images(4, 4, 3), images(2, 3, 3, 3), images(2), {}, r"conv2d: x \(4, 4, 3\)"),
    (images(1, 4, 4, 3), images(2, 3, 3, 3), images(3), {}, r"conv2d: the bias has shape \(3,\)"),
    (images(1, 4, 4, 3), images(2, 3, 3, 3), images(2), dict(stride=0), r"conv2d: stride 0"),
    (images(1, 4, 4, 3), images(2, 3, 5, 5), images(2), {}, r"conv2d: the kernel \(5, 5\) is")])
def test_errors_name_the_shapes(x, K, b, size, message):
    with pytest.raises(ValueError, match=message):
        mg.conv2d(x, K, b, **size)


@pytest.mark.peers
@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("dtype, rtol", [("float32", 1e-5), ("float64", 1e-11)])
def test_torch_agrees(case, dtype, rtol):
    torch = pytest.importorskip("torch")
    inputs, size = drawn(case, dtype=dtype)
    x, K, b = (torch.tensor(to_host(a), requires_grad=True) for a in inputs)
    theirs = torch.nn.functional.conv2d(x.permute(0, 3, 1, 2), K, b, **size).permute(0, 2, 3, 1)
    w = np.random.default_rng(2).standard_normal(theirs.shape).astype(dtype)
    (theirs * torch.tensor(w)).sum().backward()
    ours = mg.grad(lambda p: mg.sum(mg.conv2d(*p, **size) * xp.asarray(w)))(inputs)
    for a, t in zip(ours, (x, K, b)):
        scale = abs(t.grad.numpy()).max()
        np.testing.assert_allclose(to_host(a), t.grad.numpy(), rtol=0, atol=rtol * scale)
