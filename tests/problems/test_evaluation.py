"""Scores in chunks against the same scores in one piece, and text scored with some history."""
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from problems.evaluation import calibration_error, error_rate, mean_loss, text_loss
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


def test_calibration_error_by_hand():
    """Bins of a fifth. .9, .9 (one right): |1 - 1.8| = .8; .7 (right): .3; .6 (wrong, in the bin
    that .6 closes): .6; over 4: .425."""
    p = xp.asarray([[0.9, 0.1], [0.1, 0.9], [0.3, 0.7], [0.6, 0.4]])
    labels = xp.asarray([0, 0, 1, 1])
    assert calibration_error(p, labels, bins=5) == pytest.approx(0.425, abs=1e-14)
    assert calibration_error(p[:2], labels[:2], bins=5) == pytest.approx(0.4, abs=1e-14)


def test_calibration_error_against_bins_gone_through_one_by_one():
    rng = np.random.default_rng(2)
    logits = 3.0 * rng.standard_normal((500, 4))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels, total = rng.integers(0, 4, 500), 0.0
    for k in range(15):
        inside = (p.max(axis=1) > k / 15) & (p.max(axis=1) <= (k + 1) / 15)
        if inside.any():
            right = p[inside].argmax(axis=1) == labels[inside]
            total += inside.mean() * abs(right.mean() - p[inside].max(axis=1).mean())
    for dtype, tight in (("float64", 1e-13), ("float32", 1e-5)):
        found = calibration_error(xp.asarray(p.astype(dtype)), xp.asarray(labels))
        assert found == pytest.approx(total, abs=tight)


def test_a_calibrated_forecast_has_little_and_a_sure_one_its_errors():
    rng = np.random.default_rng(3)
    p = rng.dirichlet(np.ones(3), 40_000)
    labels = (rng.random(len(p))[:, None] > p.cumsum(axis=1)).sum(axis=1)
    assert calibration_error(xp.asarray(p), xp.asarray(labels)) < 0.012     # chance: 15 bins of ~2,700
    sure = np.eye(3)[p.argmax(axis=1)]
    wrong = (p.argmax(axis=1) != labels).mean()
    assert calibration_error(xp.asarray(sure), xp.asarray(labels)) == pytest.approx(wrong, rel=1e-12)


@pytest.mark.parametrize("p, labels, said", [
    (np.ones((2, 3)), [0, 1], "sum to 1. Give softmax"), (np.eye(2), [0], "got shapes"),
    (np.eye(2), [0.0, 1.0], "integer labels"), (np.ones(3), [0], "got shapes")])
def test_calibration_errors(p, labels, said):
    with pytest.raises(ValueError, match=f"calibration_error: .*{said}"):
        calibration_error(xp.asarray(p), xp.asarray(labels))
