"""Pooling against loops over windows, its derivatives, ties, both rules, errors, and torch."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from minigrad.tensor import primitives
from tests.minigrad.order_checks import check_dtypes, check_orders, check_rules_agree

CASES = [((2, 4, 6, 3), 2, None), ((1, 5, 7, 2), 2, None), ((2, 6, 6, 2), 3, 1),
         ((1, 7, 7, 1), 3, 2), ((1, 4, 4, 2), 4, None), ((1, 5, 5, 2), 1, 2), ((1, 6, 5, 1), 2, 3)]


def apart(shape, seed=0):
    """Distinct numbers 0.3 from each other, shuffled: no ties, no kink within a difference step."""
    n = int(np.prod(shape))
    values = (np.random.default_rng(seed).permutation(n) - n / 2) * 0.3
    return values.reshape(shape)


def windows(x, size, stride):
    stride = size if stride is None else stride
    rows, columns = (x.shape[1] - size) // stride + 1, (x.shape[2] - size) // stride + 1
    for p, q in np.ndindex(rows, columns):
        yield p, q, x[:, p * stride:p * stride + size, q * stride:q * stride + size]


@pytest.mark.parametrize("shape, size, stride", CASES)
@pytest.mark.parametrize("pool, reduce", [(mg.max_pool, np.max), (mg.average_pool, np.mean)])
def test_values_are_those_of_the_windows(shape, size, stride, pool, reduce):
    x = apart(shape)
    y = to_host(pool(xp.asarray(x), size=size, stride=stride))
    for p, q, window in windows(x, size, stride):
        np.testing.assert_allclose(y[:, p, q], reduce(window, axis=(1, 2)), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("shape, size, stride", CASES)
@pytest.mark.parametrize("pool, smooth", [(mg.max_pool, 1), (mg.average_pool, 3)])
def test_derivatives(shape, size, stride, pool, smooth):
    check_orders(pool, [xp.asarray(apart(shape))], dict(size=size, stride=stride), smooth)


@pytest.mark.parametrize("shape, size, stride", CASES)
def test_the_maps_of_max_pooling(shape, size, stride):
    """Picking and routing are transposes of each other, and both rules of pool_max agree."""
    rng, step = np.random.default_rng(1), size if stride is None else stride
    x = xp.asarray(apart(shape))
    for axis in 1, 2:
        settings = dict(axis=axis, size=size, stride=step)
        check_rules_agree(primitives["pool_max"], [x], settings)
        c = xp.asarray(rng.standard_normal(shape))
        pick, route = primitives["pool_pick"], primitives["pool_route"]
        picked = pick(c, x, **settings)
        g = xp.asarray(rng.standard_normal(picked.shape))
        assert float((picked * g).sum()) == pytest.approx(
            float((route(g, x, **settings) * c).sum()), rel=1e-11, abs=1e-12)
        check_orders(lambda c: pick(c, x, **settings), [c], {})
        check_orders(lambda g: route(g, x, **settings), [g], {})
        np.testing.assert_array_equal(to_host(pick(x, x, **settings)),
                                      to_host(primitives["pool_max"](x, **settings)))


def test_of_equal_elements_the_first_gets_the_gradient():
    x = xp.asarray(np.array([[2.0, 2.0], [1.0, 2.0]]).reshape(1, 2, 2, 1))
    g = to_host(mg.grad(lambda x: mg.sum(mg.max_pool(x)))(x)).reshape(2, 2)
    np.testing.assert_array_equal(g, [[1, 0], [0, 0]])


def test_global_mean_is_the_mean_over_pixels():
    x = np.random.default_rng(3).standard_normal((2, 3, 4, 5))
    np.testing.assert_allclose(to_host(mg.global_mean(xp.asarray(x))), x.mean(axis=(1, 2)))
    check_orders(mg.global_mean, [xp.asarray(x)], {})


@pytest.mark.parametrize("pool", [mg.max_pool, mg.average_pool, lambda x, **_: mg.global_mean(x)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_in_is_dtype_out(pool, dtype):
    x = xp.asarray(apart((2, 6, 6, 2)).astype(dtype))
    check_dtypes(pool, [x], dict(size=3, stride=1), dtype)


@pytest.mark.parametrize("settings, message", [
    (dict(size=5), r"max_pool: windows of size 5 with stride 5 do not fit images of 4 x 4"),
    (dict(size=2, stride=0), r"max_pool: windows of size 2 with stride 0")])
def test_errors_name_the_sizes(settings, message):
    with pytest.raises(ValueError, match=message):
        mg.max_pool(xp.zeros((1, 4, 4, 1)), **settings)


def test_images_need_four_axes():
    with pytest.raises(ValueError, match=r"average_pool: x has shape \(4, 4\). Give images"):
        mg.average_pool(xp.zeros((4, 4)))


@pytest.mark.peers
@pytest.mark.parametrize("shape, size, stride", CASES)
@pytest.mark.parametrize("kind", ["max", "avg"])
def test_torch_agrees(shape, size, stride, kind):
    torch = pytest.importorskip("torch")
    x = np.maximum(np.random.default_rng(4).standard_normal(shape), 0)      # with ties, at zero
    t = torch.tensor(x, requires_grad=True)
    function = getattr(torch.nn.functional, f"{kind}_pool2d")
    theirs = function(t.permute(0, 3, 1, 2), size, stride).permute(0, 2, 3, 1)
    w = np.random.default_rng(5).standard_normal(theirs.shape)
    (theirs * torch.tensor(w)).sum().backward()
    pool = {"max": mg.max_pool, "avg": mg.average_pool}[kind]
    g = mg.grad(lambda x: mg.sum(pool(x, size=size, stride=stride) * xp.asarray(w)))(xp.asarray(x))
    differs = (abs(to_host(g) - t.grad.numpy()) > 1e-12) & (x > 0)          # zeros tie: any may win
    assert not differs.any()
