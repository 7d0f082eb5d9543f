"""Places where a deliberate error once went unnoticed: an axis that is not the last one, a padding as
wide as the kernel, a height exactly at the tolerance, a Hessian without negative eigenvalues, the
quantiles of a bootstrap. See tests/demos/mutants.py."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from minigrad.ops.normalisation import standardize_slope
from optim import SGD, Objective
from optim.sweep import sweep
from problems.landscape.critical.index_study import bootstrap, ranks
from problems.landscape.slices.convexity import CurvatureMap


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_log_softmax_along_any_axis(axis):
    """exp of it sums to one along that axis, and its gradient is that of the formula, by hand."""
    rng = np.random.default_rng(axis)
    x, w = rng.standard_normal((2, 3, 4)), rng.standard_normal((2, 3, 4))
    y = to_host(mg.log_softmax(xp.asarray(x), axis=axis))
    np.testing.assert_allclose(np.exp(y).sum(axis=axis), 1.0, rtol=1e-12)
    np.testing.assert_allclose(y, x - np.log(np.exp(x).sum(axis=axis, keepdims=True)), atol=1e-12)
    g = mg.grad(lambda x: mg.sum(mg.log_softmax(x, axis=axis) * xp.asarray(w)))(xp.asarray(x))
    p = np.exp(y)
    np.testing.assert_allclose(to_host(g), w - p * w.sum(axis=axis, keepdims=True), atol=1e-12)


def test_the_slope_of_standardize_is_its_symmetric_jacobian():
    """J g against differences of (x - mean) / sqrt(var + eps), called on plain arrays."""
    rng = np.random.default_rng(0)
    x, g, h = rng.standard_normal((3, 5)), rng.standard_normal((3, 5)), 1e-6

    def standard(x):
        centred = x - x.mean(axis=-1, keepdims=True)
        return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)

    slope = to_host(standardize_slope(xp.asarray(g), xp.asarray(x), axis=-1, eps=1e-5))
    np.testing.assert_allclose(slope, (standard(x + h * g) - standard(x - h * g)) / (2 * h),
                               rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("padding", [2, 3, 4])
def test_convolution_with_a_padding_as_wide_as_the_kernel(padding):
    """The gradient in x against differences; a 3 x 3 kernel, and in the middle its exact width."""
    rng = np.random.default_rng(padding)
    x, K = rng.standard_normal((1, 4, 5, 2)), rng.standard_normal((3, 2, 3, 3))
    size = tuple(n + 2 * padding - 2 for n in (4, 5))
    w = xp.asarray(rng.standard_normal((1, *size, 3)))

    def f(x):
        return mg.sum(mg.conv2d(x, xp.asarray(K), xp.zeros(3), padding=padding) * w)

    g, v = to_host(mg.grad(f)(xp.asarray(x))), rng.standard_normal(x.shape)
    h = 1e-6                                            # f is linear in x: only rounding remains
    slope = (float(f(xp.asarray(x + h * v))) - float(f(xp.asarray(x - h * v)))) / (2 * h)
    assert float((g * v).sum()) == pytest.approx(slope, rel=1e-7)


def test_a_height_exactly_at_the_tolerance_has_arrived():
    """x^2/2 from 2 with lr 1/2: 1/2 after one update, to the bit."""
    found = sweep(Objective(lambda x: 0.5 * mg.sum(x * x, axis=-1)), SGD, {"lr": np.array([0.5])},
                  xp.asarray([[2.0]]), steps=5, tolerance=0.5)
    assert found.updates.tolist() == [[1]] and found.values.tolist() == [[0.5]]


def test_the_convexity_ratio_is_zero_where_nothing_bends_down():
    low, high = np.array([[-2.0, 0.5, 0.0]]), np.array([[4.0, 5.0, 1.0]])
    found = CurvatureMap(None, None, low, high, None).ratio
    assert found.tolist() == [[0.5, 0.0, 0.0]]


def test_the_bootstrap_of_a_correlation_covers_as_it_says():
    """Fisher's z of normal pairs: its 95 % interval and the bootstrap's agree within a tenth."""
    rng, n = np.random.default_rng(0), 400
    a = rng.standard_normal(n)
    b = 0.6 * a + 0.8 * rng.standard_normal(n)
    low, high = bootstrap(a, b, rng.integers(0, n, (4000, n)))
    z, width = np.arctanh(np.corrcoef(a, b)[0, 1]), 1.96 / (n - 3)**0.5
    expected = np.tanh(z + width) - np.tanh(z - width)
    assert high - low == pytest.approx(expected, rel=0.1)


def test_ranks_begin_at_zero_and_ties_share_their_mean():
    assert ranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [2.5, 0.0, 2.5, 1.0]
