"""Kinds of all other things: functions, names, flags, paths, lists of them."""
import os

import numpy as np

from minigrad.arguments import short, whole_numbers
from minigrad.backend import xp
from minigrad.tree import Layout


def function(where, name, value):
    """Something that can be called."""
    if not callable(value):
        raise TypeError(f"{where}: {name} must be a function, got {short(value)}.")
    return value


def layout(where, name, value):
    """A Layout."""
    if not isinstance(value, Layout):
        raise TypeError(f"{where}: {name} must be a Layout, got {short(value)}. "
                        "A network has one: network.layout.")
    return value


def path(where, name, value):
    """A path: a string, or what `pathlib` makes."""
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{where}: {name} must be a path, got {short(value)}. Give a string or a "
                        "pathlib.Path.")
    return value


def floating(where, name, value):
    """A floating-point dtype, by its name or as NumPy has it."""
    try:
        kind = None if value is None else np.dtype(value).kind
    except (TypeError, ValueError):
        kind = None
    if kind != "f":
        raise ValueError(f"{where}: {name} must be float32 or float64, got {short(value)}.")
    return value


def one_of(*choices):
    """One of these words; the function says which, if none of them is given."""
    def kind(where, name, value):
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"{where}: unknown {name} {short(value)}. Use one of "
                             f"{', '.join(map(str, choices))}.")
        return value
    return kind


def having(*names):
    """A thing with these attributes: an optimizer, a network."""
    def kind(where, name, value):
        missing = [attribute for attribute in names if not hasattr(value, attribute)]
        if missing:
            raise TypeError(f"{where}: {name} must have {' and '.join(names)}, got {short(value)}.")
        return value
    return kind


def flag(where, name, value):
    """True or False; 1 or 0, and NumPy's."""
    plain = value.item() if getattr(value, "ndim", None) == 0 else value
    if not isinstance(plain, (bool, int)) or plain not in (0, 1):
        raise TypeError(f"{where}: {name} must be True or False, got {short(value)}.")
    return bool(plain)


def word(where, name, value):
    """A name; the function says which it knows."""
    if not isinstance(value, str):
        raise TypeError(f"{where}: {name} must be a name, got {short(value)}. Give a string.")
    return value


def words(where, name, value):
    """Several names: as a tuple."""
    names = listed(value)
    if names is None or not all(isinstance(item, str) for item in names):
        raise TypeError(f"{where}: {name} must be names, got {short(value)}. Give a tuple of them.")
    return names


def listed(value):
    """The tuple of what a list, a range, a set or a generator holds; None for a string, an array
    and what holds nothing one by one."""
    if isinstance(value, (str, bytes, xp.ndarray, np.ndarray)) or not hasattr(value, "__iter__"):
        return None
    return tuple(value)


def every(attribute):
    """Several things with this attribute: as a tuple."""
    def kind(where, name, value):
        things = listed(value)
        if things is None or not all(hasattr(v, attribute) for v in things):
            raise TypeError(f"{where}: {name} must be a list of things with {attribute}, got "
                            f"{short(value)}.")
        return things
    return kind


def wholes(least=1, length=None):
    """Whole numbers, at least so much each, and so many: as a tuple of Python's ints."""
    return lambda where, name, value: whole_numbers(where, name, value, least, length)
