"""What a caller hands in, asked for everywhere in the same words.

Each function returns what it was given, or raises one sentence: where it happened, what is wrong
with which value, what to give instead.
"""
import numpy as np

from minigrad.backend import name as backend
from minigrad.backend import xp


def generator(where, rng):
    """A NumPy Generator: whoever draws random numbers is handed the source of them."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"{where}: rng must be a Generator, got {short(rng)}. Use "
                        "numpy.random.default_rng(seed).")
    return rng


def count(where, name, value, least=1):
    """A whole number >= least."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < least:
        raise ValueError(f"{where}: {name} must be a whole number >= {least}, got {short(value)}.")
    return value


def point(where, theta, name="theta"):
    """A floating-point array (d,), or a batch (..., d) of points, on the backend in use."""
    if isinstance(theta, xp.ndarray) and theta.dtype.kind == "f" and theta.ndim:
        return theta
    kind = getattr(theta, "dtype", type(theta).__name__)
    hint = f" This is the {backend} backend." if isinstance(theta, np.ndarray) and (
        xp is not np) else ""
    raise TypeError(f"{where}: {name} must be a floating-point array (d,) or (n, d), got {kind}"
                    f"{list(getattr(theta, 'shape', ()))}.{hint} Use xp.asarray({name}, "
                    "'float64').")


def short(value):
    """repr, cut where it would fill the screen."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
