"""Kinds of arrays: points on the backend, matrices, rows of numbers on the host."""
import numpy as np

from minigrad.arguments import point, short, whole_number
from minigrad.backend import to_host, xp


def array(where, name, value):
    """A floating-point array on the backend in use, with at least one axis and one number."""
    precision(where, name, point(where, value, name))
    if value.size == 0:
        raise ValueError(f"{where}: {name} is empty, shape {tuple(value.shape)}. "
                         "Give at least one number.")
    return value


def precision(where, name, value):
    """An array of float32 or float64: no decomposition is written for other precisions."""
    if value.dtype.itemsize not in (4, 8):
        raise TypeError(f"{where}: {name} must be float32 or float64, got {value.dtype}. "
                        "Convert it with .astype('float64').")
    return value


def brought(where, name, value):
    """As `array`; one that lies on the host is brought to the backend in use."""
    return array(where, name, xp.asarray(value) if isinstance(value, np.ndarray) else value)


def or_none(kind):
    """What `kind` allows, or None."""
    return lambda where, name, value: None if value is None else kind(where, name, value)


def or_function(kind):
    """What `kind` allows, or a function that gives it."""
    return lambda where, name, value: value if callable(value) else kind(where, name, value)


def matrices(where, name, value):
    """A matrix (m, n) of floating-point numbers, or a stack (..., m, n) of them."""
    if getattr(value, "ndim", 0) < 2 or getattr(value.dtype, "kind", "") != "f" or not value.size:
        raise ValueError(f"{where}: {name} must be a matrix (m, n) of floating-point numbers, or a "
                         f"stack of them, got {described(value)}. A vector has no singular "
                         "vectors: give it to another method.")
    return precision(where, name, value)


def vector(where, name, value):
    """One point (d,), every coordinate finite."""
    array(where, name, value)
    if value.ndim != 1:
        raise ValueError(f"{where}: {name} must be one point (d,), got shape {tuple(value.shape)}. "
                         "Give points one by one.")
    bad = int((~xp.isfinite(value)).sum())
    if bad:
        raise ValueError(f"{where}: {name} has {bad} entries of {value.size} that are NaN or "
                         "infinite. Did the training diverge?")
    return value


def numbers(where, name, value):
    """Real numbers, a list of them included: as a fresh array of float64 on the backend in use."""
    try:
        result = xp.array(value, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(f"{where}: {name} must be an array of real numbers, got {short(value)}. "
                        "Give a list or an array.") from None
    if result.size == 0:
        raise ValueError(f"{where}: {name} is empty, shape {result.shape}.")
    return result


def reals(where, name, value):
    """Real numbers, a list of them included, NaN and none at all too: as float64 on the host."""
    try:
        result = np.asarray(to_host(value))
        if result.dtype.kind not in "fiu":
            raise TypeError
    except (TypeError, ValueError):
        raise TypeError(f"{where}: {name} must be an array of real numbers, got {short(value)}. "
                        "Give a list or an array.") from None
    return np.asarray(result, dtype=float)


def table(where, name, value):
    """As `reals`, at least one and all finite."""
    result = reals(where, name, value)
    if result.size == 0 or not np.isfinite(result).all():
        raise ValueError(f"{where}: {name} must hold finite numbers, at least one, got shape "
                         f"{result.shape} with {int((~np.isfinite(result)).sum())} that are not.")
    return result


def row(where, name, value):
    """Real numbers along one axis, as `table`."""
    result = table(where, name, value)
    if result.ndim != 1:
        raise ValueError(f"{where}: {name} must lie along one axis, got shape {result.shape}.")
    return result


def tokens(where, name, value):
    """Whole numbers along one axis, at least one, on whichever side they are; a list is brought."""
    if isinstance(value, (list, tuple, range)) and all(whole_number(v) is not None for v in value):
        value = np.asarray(value)
    if getattr(value, "ndim", 0) != 1 or value.dtype.kind not in "iu" or value.size == 0:
        raise TypeError(f"{where}: {name} must be whole numbers along one axis, at least one, got "
                        f"{short(value)}. Give an array (N,).")
    return value


def described(value):
    """Shape of an array, and its dtype where that is the trouble; the repr of anything else."""
    if getattr(value, "shape", None) is None:
        return short(value)
    return f"shape {tuple(value.shape)}" + ("" if value.dtype.kind == "f" else f" of {value.dtype}")
