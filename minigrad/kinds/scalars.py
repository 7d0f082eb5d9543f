"""Kinds of one number: real, positive, whole, and the source of random ones."""
import math
import numbers as abstract

from minigrad.arguments import count, generator, short


def real(where, name, value):
    """A finite number, or an array of no axes that holds one."""
    value = extended(where, name, value)
    if not math.isfinite(value):
        raise ValueError(f"{where}: {name} must be a finite real number, got {value}. "
                         "Give a float.")
    return value


def extended(where, name, value):
    """A real number, infinity and nan included: the function looks at the range."""
    if getattr(value, "ndim", None) == 0 and value.dtype.kind in "fiu":
        return float(value)
    if not isinstance(value, abstract.Real) or isinstance(value, bool):
        raise TypeError(f"{where}: {name} must be a finite real number, got {short(value)}. "
                        "Give a float.")
    return value


def positive(where, name, value):
    """A finite number above 0."""
    value = real(where, name, value)
    if not value > 0:
        raise ValueError(f"{where}: {name} must be positive, got {value}.")
    return value


def natural(where, name, value):
    """A finite number, 0 or above."""
    value = real(where, name, value)
    if not value >= 0:
        raise ValueError(f"{where}: {name} must not be negative, got {value}.")
    return value


def whole(least=None):
    """A whole number, at least so much, as Python's int; None leaves the range to the function."""
    def kind(where, name, value):
        return count(where, name, value, -math.inf if least is None else least)
    return kind


def source(where, name, value):
    """A NumPy Generator."""
    return generator(where, value)
