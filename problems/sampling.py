"""Write text with a language model: draw one token at a time from what it predicts.

    p(next = w) = softmax(logits / temperature)_w

The model reads the last `context` tokens again for each new one. That repeats work a cache of
keys and values would save, and needs nothing from the model but `apply`.
"""
import numpy as np

from minigrad.arguments import count as number
from minigrad.arguments import generator
from minigrad.backend import to_host, xp


def sample(model, params, prompt, count, rng, temperature=1.0):
    """The `count` tokens drawn after `prompt`, an array (count,) of integers on the host.

    prompt        tokens (n,), n >= 1
    temperature   below 1 prefers the likely, 0 always takes the likeliest
    """
    tokens = [int(token) for token in prompt]
    if not tokens:
        raise ValueError("sample: the prompt is empty. Give at least one token to start from.")
    if temperature < 0.0:
        raise ValueError(f"sample: temperature must be >= 0, got {temperature}.")
    generator("sample", rng)
    for _ in range(number("sample", "count", count, least=0)):
        seen = xp.asarray(np.array([tokens[-model.context:]], dtype=np.int64))
        logits = to_host(model.apply(params, seen)[0, -1]).astype(np.float64)
        tokens.append(draw(logits, rng, temperature))
    return np.array(tokens[len(tokens) - count:], dtype=np.int64)


def draw(logits, rng, temperature):
    """One token from logits (V,)."""
    if temperature == 0.0:
        return int(np.argmax(logits))
    scaled = (logits - logits.max()) / temperature
    p = np.exp(scaled)
    return int(rng.choice(len(p), p=p / p.sum()))
