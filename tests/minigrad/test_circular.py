"""Sine and cosine by a continued fraction, against long doubles, and how it is chosen."""
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import backend
from minigrad.ops import circular, passes

pytestmark = pytest.mark.skipif(backend.on_device, reason="what is chosen are NumPy's functions")


def arguments():
    rng = np.random.default_rng(0)
    near = np.arange(-64, 65) * (math.pi / 4)                # where signs change and slopes vanish
    return np.concatenate([rng.uniform(-10, 10, 50_000), rng.uniform(-1e4, 1e4, 50_000),
                           rng.uniform(-circular.FAR, circular.FAR, 50_000), near,
                           np.nextafter(near, 100), [0.0, -0.0, 1e-300, 1e-8, circular.FAR]])


@pytest.mark.skipif(np.finfo(np.longdouble).eps > 1e-18, reason="no long doubles to compare with")
def test_right_to_9e_16():
    x = arguments()
    c, s = circular.cos_sin(x)
    assert float(np.abs(c - np.cos(x.astype(np.longdouble))).max()) <= 9e-16
    assert float(np.abs(s - np.sin(x.astype(np.longdouble))).max()) <= 9e-16


def test_small_angles_keep_their_digits():
    x = np.geomspace(1e-300, 1.0, 200)
    np.testing.assert_allclose(circular.cos_sin(x)[1], np.sin(x), rtol=1e-15)


@pytest.mark.parametrize("slow", [True, False])
def test_sine_and_cosine_either_way(slow, monkeypatch):
    monkeypatch.setattr(circular, "tangents_are_slow", lambda: slow)
    x = np.random.default_rng(1).uniform(-50, 50, (70, 70))
    for ours, theirs, slope in ((mg.sin, np.sin, np.cos), (mg.cos, np.cos, lambda x: -np.sin(x))):
        for laid_out in (x, np.asfortranarray(x), x[::-1, 5:]):
            np.testing.assert_allclose(ours(laid_out), theirs(laid_out), atol=1e-15)
            g = mg.grad(lambda z: mg.sum(ours(z)))(laid_out)
            np.testing.assert_allclose(g, slope(laid_out), atol=1e-15)


def test_huge_numbers_and_nan_go_the_other_way(monkeypatch):
    monkeypatch.setattr(circular, "tangents_are_slow", lambda: True)
    x = np.random.default_rng(2).uniform(-1e15, 1e15, circular.MANY)
    np.testing.assert_allclose(mg.sin(x), np.sin(x), atol=1e-15)
    x[7] = np.nan
    assert np.isnan(mg.cos(x)[7]) and np.isfinite(mg.cos(x)).sum() == x.size - 1


def test_the_choice_is_one_and_the_same():
    assert circular.tangents_are_slow() is circular.tangents_are_slow()


@pytest.mark.parametrize("choice, inputs", [(circular.tangents_are_slow, ()),
                                            (passes.cosh_is_quick, ("float32",)),
                                            (passes.cosh_is_quick, ("float64",))])
def test_what_is_quicker_is_found_again_and_again(choice, inputs):
    """The ways differ in their last digits: another choice in the next run would be other numbers."""
    assert len({choice.__wrapped__(*inputs) for _ in range(40)}) == 1
