"""Scores in chunks against the same scores in one piece, and text scored with some history."""
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from problems.evaluation import error_rate, mean_loss, text_loss
from problems.networks.lstm import LSTM
from problems.networks.mlp import MLP
from problems.networks.transformer import Transformer


def test_chunks_of_unequal_size_are_weighed():
    rng = np.random.default_rng(0)
    model = MLP((3, 4, 5))
    params = model.init(rng)
    x, y = xp.asarray(rng.standard_normal((23, 3))), xp.asarray(rng.integers(0, 5, 23))
    assert mean_loss(model, params, (x, y), rows=5) == pytest.approx(
        float(model.loss(params, (x, y))), rel=1e-12)
    wrong = (to_host(model.apply(params, x)).argmax(axis=1) != to_host(y)).mean()
    assert error_rate(model, params, (x, y), rows=7) == pytest.approx(wrong, rel=1e-12)


@pytest.mark.parametrize("model", [Transformer(6, layers=1, width=8, heads=2, context=8),
                                   LSTM(6, 5, 7)])
def test_every_scored_token_has_half_a_context_before_it(model):
    rng = np.random.default_rng(1)
    params = model.init(rng)
    tokens = rng.integers(0, 6, 30)
    expected = []
    for start in range(0, 30 - 8, 4):               # windows of 8, overlapping by 4
        window = xp.asarray(tokens[None, start:start + 8])
        log_p = to_host(mg.log_softmax(model.apply(params, window)))[0]
        expected += [-log_p[t, tokens[start + t + 1]] for t in range(4, 8)]
    found = text_loss(model, params, tokens, 8, rows=2)
    assert found == pytest.approx(np.mean(expected), rel=1e-12)


def test_a_model_that_knows_nothing_scores_the_logarithm_of_the_vocabulary():
    class Guess:
        def apply(self, params, x):
            return xp.zeros((*x.shape, 6))

    assert text_loss(Guess(), None, np.arange(50) % 6, 8) == pytest.approx(math.log(6), rel=1e-12)


def test_a_text_that_is_too_short():
    with pytest.raises(ValueError, match="text_loss: 8 tokens do not fill a context of 8"):
        text_loss(None, None, np.zeros(8, int), 8)
