"""What a caller hands in, asked for everywhere in the same words.

Each function returns what it was given, or raises one sentence: where it happened, what is wrong
with which value, what to give instead.
"""
import math

import numpy as np

from minigrad.backend import name as backend
from minigrad.backend import to_host, xp
from minigrad.tensor import Tensor


def generator(where, rng):
    """A NumPy Generator: whoever draws random numbers is handed the source of them."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"{where}: rng must be a Generator, got {short(rng)}. Use "
                        "numpy.random.default_rng(seed).")
    return rng


def whole_number(value):
    """The int that a value is: Python's own, NumPy's, an array of no axes; None for all else.

    Python's ints have no largest one: np.uint8(2) - 3 is 255.
    """
    if isinstance(value, int):
        return None if isinstance(value, bool) else value
    whole = getattr(value, "ndim", None) == 0 and value.dtype.kind in "iu"
    return int(value) if whole else None


def count(where, name, value, least=1):
    """A whole number >= least, as Python's int."""
    whole = whole_number(value)
    if whole is None or whole < least:
        floor = "" if least == -math.inf else f" >= {least}"
        raise ValueError(f"{where}: {name} must be a whole number{floor}, got {short(value)}.")
    return whole


def point(where, theta, name="theta", tensors=False):
    """A floating-point array (d,), or a batch (..., d) of points, on the backend in use.

    tensors   whether it may be a Tensor as well: inside of a function that is differentiated
    """
    if isinstance(theta, xp.ndarray) and theta.dtype.kind == "f" and theta.ndim:
        return theta
    if tensors and isinstance(theta, Tensor):
        return theta
    kind = getattr(theta, "dtype", type(theta).__name__)
    hint = f" This is the {backend} backend." if isinstance(theta, np.ndarray) and (
        xp is not np) else ""
    raise TypeError(f"{where}: {name} must be a floating-point array (d,) or (n, d), got {kind}"
                    f"{list(getattr(theta, 'shape', ()))}.{hint} Use xp.asarray({name}, "
                    "'float64').")


def counts(where, least=1, **values):
    """Whole numbers >= least, each called by its name: as Python's ints."""
    return [count(where, name, value, least) for name, value in values.items()]


def real(where, name, value, low=-math.inf, high=math.inf):
    """A real number in [low, high], finite where these are not: as a float."""
    plain = value.item() if getattr(value, "ndim", None) == 0 else value
    if isinstance(plain, bool) or not isinstance(plain, (int, float)):
        raise TypeError(f"{where}: {name} must be a real number, got {short(value)}. Give a float.")
    if not low <= plain <= high or math.isinf(plain):
        ends = "(" if math.isinf(low) else "[", ")" if math.isinf(high) else "]"
        raise ValueError(f"{where}: {name} must be a number in {ends[0]}{low:g}, {high:g}{ends[1]}, "
                         f"got {plain}.")
    return float(plain)


def function(where, name, value, optional=False):
    """Something that can be called; None too, where it is optional."""
    if not callable(value) and not (optional and value is None):
        raise TypeError(f"{where}: {name} must be a function, got {short(value)}.")
    return value


def whole_numbers(where, name, values, least=1, length=None):
    """A tuple of whole numbers >= least, `length` of them where that is given."""
    wanted = "whole numbers" if length is None else f"{length} whole numbers"
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise TypeError(f"{where}: {name} must be a list of {wanted}, got {short(values)}.")
    values = tuple(values)
    plain = tuple(whole_number(v) for v in values)
    if any(v is None or v < least for v in plain) or len(values) != (length or len(values)):
        raise ValueError(f"{where}: {name} must be {wanted} >= {least}, got {short(values)}.")
    return plain


def numbers(where, name, value, ndim=None):
    """A finite floating-point array on the host, of `ndim` axes where that is given, from an array
    or nested lists of numbers."""
    try:
        array = np.asarray(to_host(value) if isinstance(value, xp.ndarray) else value)
        array = array.astype(float) if array.dtype.kind in "iu" or (
            array.dtype.kind == "f" and array.dtype.itemsize not in (4, 8)) else array
    except ValueError:                                      # lists of unequal length
        array = np.asarray(None)
    if array.dtype.kind != "f":
        raise TypeError(f"{where}: {name} must be an array of real numbers, got {short(value)}.")
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{where}: {name} must have {ndim} axes, got shape {array.shape}.")
    if not np.isfinite(array).all():
        raise ValueError(f"{where}: {name} holds NaN or infinite numbers. Leave them out.")
    return array


def short(value):
    """repr, cut where it would fill the screen."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
