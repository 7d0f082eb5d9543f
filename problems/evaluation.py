"""Scores of a trained model on many examples, in chunks that fit into memory.

    mean_loss            the model's own loss, averaged over a data set
    error_rate           share of wrong classes
    calibration_error    how far a model's confidence is from its accuracy
    text_loss            nats per token of a running text, every token with some history before it
"""
import re

import numpy as np

import minigrad as mg
from minigrad.arguments import count, short
from minigrad.backend import float_of, to_host, xp
from minigrad.kinds import array, expects, having, whole
from minigrad.kinds import tokens as whole_tokens

SENTENCE = re.compile(r"\w+: ")


@expects(model=having("loss"))
def mean_loss(model, params, split, rows=256):
    """Mean loss over the examples of a Split (inputs (N, ...), targets (N, ...)), dropout off."""
    return average(lambda part: float_of(tried("mean_loss", model, model.loss, params, part)),
                   split, rows)


def error_rate(model, params, split, rows=2000, **settings):
    """Share of the examples whose largest output is not at their label; `settings` go to apply.

    Labels are integers, one for each row of outputs: (N,), or (N, T) for a text. Where an output is
    NaN the answer is wrong: a model that has diverged knows no class.
    """
    if not callable(getattr(model, "apply", None)):
        raise TypeError(f"error_rate: needs a model with apply(params, inputs) -> outputs, got "
                        f"{type(model).__name__}.")

    def wrong(part):
        outputs = tried("error_rate", model, model.apply, params, part[0], **settings)
        if tuple(part[1].shape) != tuple(outputs.shape[:-1]):
            raise ValueError(f"error_rate: {tuple(outputs.shape[:-1])} labels belong to outputs of "
                             f"shape {tuple(outputs.shape)}, got {tuple(part[1].shape)}. "
                             "Reshape the labels: labels.reshape(-1).")
        lost = xp.isnan(outputs).any(axis=-1)
        return float_of((lost | (outputs.argmax(axis=-1) != part[1])).mean())
    return average(wrong, split, rows)


@expects(probabilities=array, bins=whole(1))
def calibration_error(probabilities, labels, bins=15):
    """Expected calibration error: confidence against accuracy, in bins of equal width.

        ECE = Σ_b N_b / N |accuracy_b - confidence_b|,     bin b: b/M < max_c p_c <= (b+1)/M

    0 where of all the cases in which the model is 80 % sure it is right in 80 %. From N examples it
    is too large by what chance alone does to N_b of them, also for a model that is calibrated.

    probabilities  (N, C), each row summing to 1
    labels         (N,) integers below C
    bins           M, the number of bins

    Source: Guo et al. 2017, arXiv:1706.04599, eq. 3 (15 bins in its tables).
    """
    p, labels = probabilities, xp.asarray(labels)
    if p.ndim != 2 or labels.shape != p.shape[:1] or labels.dtype.kind not in "iu":
        raise ValueError("calibration_error: needs probabilities (N, C) and integer labels (N,), "
                         f"got shapes {tuple(p.shape)} and {tuple(labels.shape)} of "
                         f"{labels.dtype}.")
    if not 0 <= int(labels.min()) <= int(labels.max()) < p.shape[1]:
        raise ValueError(f"calibration_error: labels must lie in [0, {p.shape[1]}), got "
                         f"{int(labels.min())} to {int(labels.max())}.")
    slack = 1e-3 if p.dtype.itemsize < 8 else 1e-6
    if not float_of(xp.max(xp.abs(p.sum(axis=1) - 1.0))) < slack or float_of(p.min()) < -slack:
        raise ValueError("calibration_error: each row of probabilities must be at least 0 and sum "
                         "to 1. Give softmax(logits), not the logits.")
    confidence = p.max(axis=1)
    right = (p.argmax(axis=1) == labels).astype(p.dtype)
    b = xp.clip(xp.ceil(confidence * bins) - 1, 0, bins - 1).astype("int64")
    return float_of(xp.sum(xp.abs(xp.bincount(b, right - confidence, bins)))) / len(labels)


@expects(tokens=whole_tokens, context=whole(2))
def text_loss(model, params, tokens, context, rows=128):
    """Cross-entropy in nats per token of a text (N,), each token with at least context/2 before it.

    Windows of `context` tokens overlap by half, and only the second half of each is scored. So the
    model is not charged for tokens whose beginning a window cut off, as cutting the text into
    separate windows would; the first context/2 tokens are left out.
    """
    tokens = np.asarray(to_host(tokens))
    half = context // 2
    starts = np.arange(0, len(tokens) - context, half)
    if not len(starts):
        raise ValueError(f"text_loss: {len(tokens)} tokens do not fill a context of {context}. "
                         "Give more text or a shorter context.")
    at = starts[:, None] + np.arange(context)
    having("apply")("text_loss", "model", model)

    def loss(part):
        logits = tried("text_loss", model, model.apply, params, part[0])[:, half:]
        return float_of(mg.softmax_cross_entropy(logits, part[1]))
    return average(loss, (xp.asarray(tokens[at]), xp.asarray(tokens[at + 1][:, half:])), rows)


def tried(where, model, call, params, data, **settings):
    """call(params, data); where the inside of a model breaks, a sentence says on what."""
    try:
        return call(params, data, **settings)
    except (TypeError, IndexError, KeyError, AttributeError) as error:
        if SENTENCE.match(str(error)):
            raise
        raise TypeError(f"{where}: {type(model).__name__} cannot be evaluated with parameters "
                        f"{short(params)}. Give the tree that its init(rng) makes.") from error


def average(score, split, rows):
    """Mean of score(chunk) over chunks of `rows` examples, each by its size."""
    rows = count("evaluation", "rows", rows)
    if not isinstance(split, (tuple, list)) or len(split) != 2:
        raise TypeError(f"evaluation: needs a Split or a pair (inputs, targets), got "
                        f"{short(split)}.")
    if not all(getattr(part, "ndim", 0) for part in split):
        raise TypeError("evaluation: inputs and targets must be arrays (N, ...), got "
                        f"{short(split)}.")
    n, total = len(split[0]), 0.0
    if n == 0 or len(split[1]) != n:
        raise ValueError(f"evaluation: {n} inputs and {len(split[1])} targets. Give at least one, "
                         "and as many of each.")
    for i in range(0, n, rows):
        part = tuple(array[i:i + rows] for array in split)
        total += score(part) * len(part[0])
    return total / n
