"""The rules' variances and supports, on samples large enough for their stated spread."""
import math

import numpy as np
import pytest

from minigrad.backend import to_host
from problems.initialisers import (RULES, TRUNCATED_STD, convolution, dense, fans, table,
                                   truncated_normal)

N = 400 * 300           # numbers drawn; relative error of a standard deviation below 1/sqrt(N)
SPREAD = 4 / math.sqrt(N)


def test_the_truncated_normal_has_the_stated_deviation_and_support():
    z = truncated_normal(np.random.default_rng(0), (400, 300))
    assert abs(z).max() <= 2.0
    assert z.std() == pytest.approx(TRUNCATED_STD, rel=SPREAD)
    assert TRUNCATED_STD == pytest.approx(0.87962566103423978, abs=1e-15)   # flax's literal


@pytest.mark.parametrize("rule, std, largest", [
    ("lecun", 1 / math.sqrt(400), 2 / math.sqrt(400) / TRUNCATED_STD),
    ("he", math.sqrt(2 / 400), np.inf),
    ("xavier", math.sqrt(2 / 700), math.sqrt(6 / 700)),
    ("normal", 1 / math.sqrt(400), np.inf),
    ("uniform", 1 / math.sqrt(3 * 400), 1 / math.sqrt(400))])
def test_rules(rule, std, largest):
    W = to_host(RULES[rule](np.random.default_rng(1), (400, 300), 1.5))
    assert W.std() == pytest.approx(1.5 * std, rel=SPREAD)
    assert abs(W).max() <= 1.5 * largest
    assert abs(W.mean()) < 4 * 1.5 * std / math.sqrt(N)


def test_a_kernel_counts_its_window_as_inputs():
    assert fans((400, 300)) == (400, 300)
    assert fans((16, 8, 3, 5)) == (8 * 15, 16 * 15)
    K = to_host(convolution(np.random.default_rng(2), 30, 40, 10)["K"])
    assert K.shape == (40, 30, 10, 10)
    assert K.std() == pytest.approx(1 / math.sqrt(3000), rel=SPREAD)


def test_biases_are_zero_except_where_torch_draws_them():
    rng = np.random.default_rng(3)
    assert (to_host(dense(rng, 9, 50)["b"]) == 0).all()
    b = to_host(dense(rng, 9, 5000, "uniform")["b"])
    assert b.std() == pytest.approx(1 / math.sqrt(27), rel=0.05) and abs(b).max() <= 1 / 3


def test_embeddings_have_variance_one_over_width():
    assert to_host(table(np.random.default_rng(4), 1000, 120)).std() == pytest.approx(
        1 / math.sqrt(120), rel=SPREAD)


def test_an_unknown_rule_is_named():
    with pytest.raises(ValueError, match="init: unknown rule 'zeros'. Use one of lecun, he"):
        dense(np.random.default_rng(0), 2, 3, "zeros")
