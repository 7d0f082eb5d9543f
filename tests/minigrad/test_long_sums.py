"""Sums of millions of float32 numbers, along any axis of any layout, against float64."""
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import on_device, sum_rows, to_host, xp
from minigrad.ops.passes import crossed, total
from minigrad.tensor import constant

N = 1_000_000
X = np.random.default_rng(0).random((N, 2), dtype="float32")
EXACT = X.astype("float64")
NEAR = dict(rtol=4 * 2.0**-23)                           # four roundings
in_trees = pytest.mark.skipif(hasattr(xp, "reads"), reason="a device adds in trees, its double "
                              "as NumPy does")


def close(found, right, **near):
    assert found.dtype == "float32"
    np.testing.assert_allclose(to_host(found), right, **(near or NEAR))


@in_trees
def test_reductions_along_the_rows():
    """NumPy's own: 8e-5 off in a sum of 5 million, 4e-3 in a variance."""
    x = xp.asarray(X)
    close(mg.sum(x, axis=0), EXACT.sum(axis=0))
    close(mg.sum.formula(x, axis=0), EXACT.sum(axis=0))
    close(mg.sum(x), EXACT.sum())
    close(mg.mean(x, axis=0, keepdims=True), EXACT.mean(axis=0, keepdims=True))
    close(mg.var(x, axis=0), EXACT.var(axis=0), rtol=2e-6)           # of centred, rounded numbers
    close(mg.norm(x, axis=0), np.sqrt((EXACT**2).sum(axis=0)))
    close(mg.logsumexp(x, axis=0), np.log(np.exp(EXACT).sum(axis=0)))
    close(mg.mean(x.reshape(2, N // 2, 2), axis=1), EXACT.reshape(2, N // 2, 2).mean(axis=1))
    for found, right in zip(mg.batch_statistics(x), (EXACT.mean(axis=0), EXACT.var(axis=0))):
        close(found, right, rtol=2e-6)
    centred = EXACT - EXACT.mean(axis=0)
    h = mg.standardize(x, axis=0)
    np.testing.assert_allclose(to_host(h)[:9], (centred / np.sqrt(centred.var(axis=0) + 1e-5))[:9],
                               atol=1e-6)
    p = mg.softmax(x, axis=0)
    np.testing.assert_allclose(to_host(p)[:9], (np.exp(EXACT) / np.exp(EXACT).sum(axis=0))[:9],
                               rtol=1e-6)


@in_trees
def test_cotangents_added_up():
    """The gradients of biases, gains and weights add one number a row."""
    x, g, one = xp.asarray(X), xp.asarray(X[::-1].copy()), xp.ones(2, "float32")
    close(mg.sum_to(x, shape=(2,)), EXACT.sum(axis=0))
    close(mg.sum_to.formula(x, shape=(1, 2)), EXACT.sum(axis=0, keepdims=True))
    pull = lambda f, at: mg.grad(lambda a: mg.sum(f(a) * g))(at)
    close(pull(lambda b: x + b, one), EXACT[::-1].sum(axis=0))
    eye = xp.asarray(np.eye(2, dtype="float32"))
    close(pull(lambda b: mg.linear(x, eye, b), one), EXACT[::-1].sum(axis=0))
    close(pull(lambda b: mg.layer_norm(x, one, b), one), EXACT[::-1].sum(axis=0))
    close(pull(lambda W: mg.matmul(x, W), eye), EXACT.T @ EXACT[::-1], rtol=4e-6)      # BLAS's own
    column = xp.asarray(X[:, :1].copy())
    found = mg.grad(lambda W: mg.sum(mg.matmul(x, W) * column))(xp.ones((2, 1), "float32"))
    close(found, EXACT.T @ EXACT[:, :1])
    found = mg.grad(lambda W: mg.sum(mg.linear(x, W, xp.zeros(1, "float32")) * column))(
        xp.ones((2, 1), "float32"))
    close(found, EXACT.T @ EXACT[:, :1])
    close(crossed(column, x), EXACT[:, :1].T @ EXACT)
    flat = xp.asarray(X.reshape(-1))
    close(mg.norm(flat), np.sqrt((EXACT**2).sum()))


@in_trees
def test_losses_of_many_examples():
    x, target = xp.asarray(X), xp.zeros((N, 2), "float32")
    close(mg.mean_squared_error(x, target), (EXACT**2).mean())
    labels = xp.asarray(np.random.default_rng(1).integers(0, 2, N))
    p = np.log(np.exp(EXACT).sum(axis=1)) - EXACT[np.arange(N), to_host(labels)]
    close(mg.softmax_cross_entropy(x, labels), p.mean())


@in_trees
@pytest.mark.parametrize("words", [10, 1000])
def test_rows_that_share_an_index_many_times(words):
    """One word in two a hundred thousand times, in a small and in a large vocabulary."""
    rng = np.random.default_rng(words)
    tokens = np.where(rng.random(200_000) < 0.5, 3, rng.integers(0, words, 200_000))
    rows = rng.random((200_000, 2), dtype="float32")
    right = np.zeros((words, 2))
    np.add.at(right, tokens, rows.astype("float64"))
    close(sum_rows(xp.asarray(rows), xp.asarray(tokens), words), right, rtol=2e-6)


@in_trees
@pytest.mark.parametrize("seed", range(60))
def test_any_axes_of_any_layout(seed):
    """Random shapes, axes, orders of memory and strides: the same shape and, to 1e-6, number."""
    rng = np.random.default_rng(seed)
    ndim = int(rng.integers(1, 5))
    shape = [int(n) for n in rng.integers(1, 9, ndim)]
    shape[int(rng.integers(ndim))] = int(rng.integers(2000, 20000))
    x = xp.asarray(rng.random(shape, dtype="float32"))
    x = x.transpose([int(a) for a in rng.permutation(ndim)])
    if rng.random() < 0.5:
        x = x[tuple(slice(None, None, int(rng.choice([1, 1, 2, -1]))) for _ in range(ndim))]
    if rng.random() < 0.2:
        x = xp.broadcast_to(x, (3, *x.shape))
    axes = [int(a) for a in np.flatnonzero(rng.random(x.ndim) < 0.6)]
    axis = None if rng.random() < 0.2 else tuple(a - x.ndim * bool(rng.random() < 0.3) for a in axes)
    keepdims = bool(rng.random() < 0.5)
    found, right = total(x, axis, keepdims), to_host(x).astype("float64").sum(axis, keepdims=keepdims)
    assert found.shape == right.shape and found.dtype == "float32"
    np.testing.assert_allclose(to_host(found), right, rtol=1e-6)


# ---------------------------------------------------------------- lengths at the ends of the range

@pytest.mark.parametrize("dtype, size", [
    *[("float64", s) for s in (1e-320, 1e-200, 1e-160, 1.0, 1e200, 1e307)],
    *[("float32", s) for s in (1e-30, 1e-20, 1.0, 1e20, 1e37)]])
def test_norm_of_any_size(dtype, size):
    """3, 4, 12 have the length 13; slope x/r, curvature (1 - x x^T / r²) / r."""
    x = xp.asarray(np.array([3.0, 4.0, 12.0]) * size, dtype=dtype)
    unit, near = np.array([3.0, 4.0, 12.0]) / 13, dict(rtol=8 * np.finfo(dtype).eps)
    if size == 1e-320:                                                  # subnormal: three digits
        near = dict(rtol=2e-3)
    with np.errstate(over="raise"):
        np.testing.assert_allclose(float(mg.norm(x)) / 13, size, **near)
        np.testing.assert_allclose(to_host(mg.norm(x[None], axis=1, keepdims=True)), [[13 * size]],
                                   **near)
        if size > 1e-300:
            np.testing.assert_allclose(to_host(mg.grad(mg.norm)(x)), unit, **near)
            v = np.array([1.0, 0.0, 0.0])
            bent = to_host(mg.hvp(mg.norm, x)(xp.asarray(v, dtype=dtype))).astype("float64")
            least = size * np.finfo(dtype).tiny if on_device else 0.0   # a GPU rounds these to 0
            np.testing.assert_allclose(bent * size, (v - unit * unit[0]) / 13, rtol=1e-5, atol=least)


def test_norm_of_rows_of_different_sizes_and_of_none():
    x = xp.asarray([[3e200, 4e200], [3e-200, 4e-200], [3.0, 4.0], [0.0, 0.0], [math.inf, 1.0],
                    [math.nan, 1.0], [0.0, -2.0]])
    np.testing.assert_allclose(to_host(mg.norm(x, axis=1)), [5e200, 5e-200, 5, 0, math.inf, math.nan,
                                                            2], rtol=1e-15)
    assert float(mg.norm(xp.zeros(0))) == 0.0 and mg.norm(xp.zeros((0, 3)), axis=1).shape == (0,)
    assert to_host(mg.norm(xp.zeros((3, 0)), axis=1)).tolist() == [0.0] * 3
    assert float(mg.norm(xp.asarray(-2e-200))) == 2e-200


def test_norm_where_it_has_no_slope():
    """At 0 the slope is 0, as documented, and so is the slope of that, as for |x|."""
    x, v = xp.zeros(3), xp.ones(3)
    assert to_host(mg.grad(mg.norm)(x)).tolist() == [0.0] * 3
    assert to_host(mg.hvp(mg.norm, x)(v)).tolist() == [0.0] * 3
    assert to_host(mg.hvp(lambda x: mg.sum(mg.abs(x)), x)(v)).tolist() == [0.0] * 3


# ---------------------------------------------------------------- what was decided

def test_relu_at_nan_and_extremes_with_nan():
    x = xp.asarray([math.nan, -1.0, 2.0])
    assert np.isnan(to_host(mg.relu(x))).tolist() == [True, False, False]
    assert to_host(mg.grad(lambda x: mg.sum(mg.relu(x)))(x)).tolist() == [0.0, 0.0, 1.0]
    for extreme in (mg.maximum, mg.minimum):
        assert np.isnan(to_host(extreme(x, 0.0))[0])
        assert float(mg.grad(lambda x: mg.sum(extreme(x, 0.0)))(x)[0]) == 0.0


def test_square_roots_at_minus_zero_and_minus_infinity():
    x = xp.asarray([-0.0, 0.0, 4.0, -math.inf, -1.0])
    with np.errstate(all="ignore"):
        for root in (mg.sqrt, lambda x: mg.power(x, 0.5)):
            y, g = to_host(root(x)), to_host(mg.grad(lambda x: mg.sum(root(x)))(x))
            assert y[:3].tolist() == [0.0, 0.0, 2.0] and np.signbit(y[:2]).tolist() == [True, False]
            assert g[:3].tolist() == [math.inf, math.inf, 0.25]
            assert np.isnan(y[3:]).all() and np.isnan(g[3:]).all()
        y = to_host(mg.power(x, xp.full(5, 0.5)))                   # C's pow
        assert y[:4].tolist() == [0.0, 0.0, 2.0, math.inf] and not np.signbit(y[0])


def test_the_branch_that_where_leaves_out():
    """0 times an infinite slope is NaN; the way out that the docstring names is exact."""
    x = xp.asarray([0.0, 2.0])
    with np.errstate(all="ignore"):
        left = mg.grad(lambda x: mg.sum(mg.where(constant(x) > 0, mg.log(x), 0.0)))(x)
    assert np.isnan(to_host(left)[0]) and to_host(left)[1] == 0.5
    kept = mg.grad(lambda x: mg.sum(mg.where(
        constant(x) > 0, mg.log(mg.where(constant(x) > 0, x, 1.0)), 0.0)))(x)
    assert to_host(kept).tolist() == [0.0, 0.5]


def test_rows_with_nothing_to_attend_to():
    q, k, v = (xp.ones((2, 3)) for _ in range(3))
    mask = xp.asarray([[1.0, 1.0], [0.0, 0.0]])
    y = to_host(mg.attention(q, k, v, mask=mask))
    assert y.tolist() == [[1.0] * 3, [0.0] * 3]
    gradients = mg.grad(lambda x: mg.sum(mg.attention(*x, mask=mask)))([q, k, v])
    assert all(np.isfinite(to_host(g)).all() for g in gradients)
    with np.errstate(all="ignore"):
        bad = mg.attention(q, k, v, mask=xp.asarray([[1.0, 1.0], [-math.inf, 0.0]]))
        assert not np.isfinite(to_host(bad)[1]).any()               # seen at once, never a number
        all_out = xp.full((2,), -math.inf)
        assert np.isnan(to_host(mg.softmax(all_out))).all()
        assert np.isnan(to_host(mg.log_softmax(all_out))).all()
        assert float(mg.logsumexp(all_out)) == -math.inf
        assert np.isnan(to_host(mg.grad(mg.logsumexp)(all_out))).all()
    some = xp.asarray([-math.inf, 0.0, 0.0])
    assert to_host(mg.softmax(some)).tolist() == [0.0, 0.5, 0.5]
    assert to_host(mg.grad(mg.logsumexp)(some)).tolist() == [0.0, 0.5, 0.5]
