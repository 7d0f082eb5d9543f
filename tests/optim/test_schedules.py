"""Schedules: ends, middles, monotony, arrays of rates."""
import math

import numpy as np
import pytest

from minigrad.backend import to_host, xp
from optim import constant, cosine, linear, warmup_cosine


def test_constant():
    assert [constant(0.3)(step) for step in (0, 7, 10**6)] == [0.3] * 3


def test_linear_holds_and_falls():
    rate = linear(1.0, 10, end=0.2, hold=4)
    assert [rate(step) for step in (0, 3, 4)] == [1.0] * 3
    assert rate(7) == pytest.approx(0.6)                        # half way down
    assert [rate(step) for step in (10, 11, 99)] == [0.2] * 3


def test_cosine_by_hand():
    rate = cosine(2.0, 8, end=1.0)
    for step in range(9):
        wave = 0.5 * (1 + math.cos(math.pi * step / 8))
        assert rate(step) == pytest.approx(1.0 + wave, rel=1e-14)
    assert rate(0) == 2.0 and rate(4) == pytest.approx(1.5) and rate(8) == rate(100) == 1.0


def test_warmup_cosine():
    rate = warmup_cosine(1.0, 4, 20)
    assert [rate(step) for step in range(4)] == [0.25, 0.5, 0.75, 1.0]
    rest = [rate(step) for step in range(4, 25)]
    assert rest[0] == 1.0 and rest[16] == rest[-1] == 0.0
    assert all(a >= b for a, b in zip(rest, rest[1:]))
    assert rate(12) == pytest.approx(cosine(1.0, 16)(8))


@pytest.mark.parametrize("make", [constant, lambda lr: linear(lr, 10), lambda lr: cosine(lr, 10),
                                  lambda lr: warmup_cosine(lr, 3, 10)])
def test_rates_may_be_arrays(make):
    rows = xp.asarray([[1.0], [0.5]])
    for step in (0, 4, 12):
        expected = [[make(1.0)(step)], [make(0.5)(step)]]
        np.testing.assert_allclose(to_host(make(rows)(step)), expected, rtol=1e-15)


@pytest.mark.parametrize("make, message", [
    (lambda: cosine(1.0, 0), "cosine: steps must be at least 1, got 0"),
    (lambda: linear(1.0, 10, hold=10), r"linear: hold must lie in \[0, 10\), got 10"),
    (lambda: warmup_cosine(1.0, -1, 10), r"warmup_cosine: warmup must lie in \[0, 10\), got -1"),
])
def test_bad_lengths(make, message):
    with pytest.raises(ValueError, match=message):
        make()
