"""Write text with a language model: draw one token at a time from what it predicts.

    p(next = w) = softmax(logits / temperature)_w

The model reads the last `context` tokens again for each new one. That repeats work a cache of
keys and values would save, and needs nothing from the model but `apply`.
"""
import numpy as np

from minigrad.backend import to_host, xp
from minigrad.kinds import expects, having, real, source, tokens, whole

from problems.evaluation import tried


def rows_of_tokens(where, x):
    """(B, T) of tokens x (B, T)."""
    if getattr(x, "ndim", 0) != 2:
        raise ValueError(f"{where}: tokens must be (B, T), a text in each row, got shape "
                         f"{tuple(getattr(x, 'shape', ()))}.")
    return x.shape


def begun(where, name, value):
    """Tokens, at least one: an array, or what holds them one by one."""
    listed = value if hasattr(value, "dtype") else list(value) if hasattr(value, "__iter__") else [None]
    if len(listed) == 0:
        raise ValueError(f"{where}: the prompt is empty. Give at least one token to start from.")
    return tokens(where, name, listed)


def heat(where, name, value):
    """A number >= 0."""
    value = real(where, name, value)
    if value < 0.0:
        raise ValueError(f"{where}: {name} must be >= 0, got {value}.")
    return value


@expects(prompt=begun, count=whole(0), temperature=heat, rng=source, model=having("apply", "context"))
def sample(model, params, prompt, count, rng, temperature=1.0):
    """The `count` tokens drawn after `prompt`, an array (count,) of integers on the host.

    prompt        tokens (n,), n >= 1
    temperature   below 1 prefers the likely, 0 always takes the likeliest
    """
    tokens = to_host(prompt).tolist()
    for _ in range(count):
        seen = xp.asarray(np.array([tokens[-model.context:]], dtype=np.int64))
        outputs = tried("sample", model, model.apply, params, seen)
        logits = to_host(outputs[0, -1]).astype(np.float64)
        tokens.append(draw(logits, rng, temperature))
    return np.array(tokens[len(tokens) - count:], dtype=np.int64)


def draw(logits, rng, temperature):
    """One token from logits (V,)."""
    if temperature == 0.0:
        return int(np.argmax(logits))
    scaled = (logits - logits.max()) / temperature
    p = np.exp(scaled)
    return int(rng.choice(len(p), p=p / p.sum()))
