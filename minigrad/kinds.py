"""What each argument of a function may be, declared above it; what is not is told in a sentence.

    @expects(theta=array, rho=real, steps=whole(1), rng=source)
    def sharpness(objective, theta, rho, steps=20, rng=None): ...

    sharpness(f, theta, "x")
    TypeError: sharpness: rho must be a finite real number, got 'x'. Give a float.

A kind is a function (where, name, value) -> the value to go on with; it looks at the kind of thing
that a value is, and leaves to the function what its formula allows. None passes where it is the
default, and what has True, False or a word for its default is a flag or a word. For doors, which
are called now and then: a call costs some microseconds more.
"""
import functools
import inspect
import math
import numbers as abstract

import numpy as np

from minigrad.arguments import count, generator, point, short
from minigrad.backend import to_host, xp
from minigrad.tree import Layout


def expects(**kinds):
    """Decorator: pass each named argument through its kind before the function sees it."""
    def decorate(function):
        signature = inspect.signature(function)
        named = function.__qualname__.replace(".__init__", "").split("<locals>.")[-1]
        makes = function.__name__ == "__init__"          # in the name of the class that is made
        unknown = set(kinds) - set(signature.parameters)
        assert not unknown, f"{named} has no arguments {unknown}"
        optional = {name for name, p in signature.parameters.items() if p.default is None}
        plain = {name: flag if isinstance(p.default, bool) else word
                 for name, p in signature.parameters.items() if isinstance(p.default, (bool, str))}
        known = {**plain, **kinds}

        @functools.wraps(function)
        def checked(*args, **settings):
            where = type(args[0]).__name__ if makes and args else named
            try:
                bound = signature.bind(*args, **settings)
            except TypeError as error:
                raise TypeError(f"{where}: {error}. It takes {signature}.") from None
            for name, kind in known.items():
                if name in bound.arguments:
                    value = bound.arguments[name]
                    if value is not None or name not in optional:
                        bound.arguments[name] = kind(where, name, value)
            return function(*bound.args, **bound.kwargs)
        return checked
    return decorate


# ---------------------------------------------------------------------- numbers

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
    if not real(where, name, value) > 0:
        raise ValueError(f"{where}: {name} must be positive, got {value}.")
    return value


def natural(where, name, value):
    """A finite number, 0 or above."""
    if not real(where, name, value) >= 0:
        raise ValueError(f"{where}: {name} must not be negative, got {value}.")
    return value


def whole(least=None):
    """A whole number, at least so much; None leaves the range to the function."""
    def kind(where, name, value):
        if least is None:
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
                raise ValueError(f"{where}: {name} must be a whole number, got {short(value)}.")
            return value
        return count(where, name, value, least)
    return kind


def source(where, name, value):
    """A NumPy Generator."""
    return generator(where, value)


# ---------------------------------------------------------------------- arrays

def array(where, name, value):
    """A floating-point array on the backend in use, with at least one axis and one number."""
    point(where, value, name)
    if value.size == 0:
        raise ValueError(f"{where}: {name} is empty, shape {tuple(value.shape)}. "
                         "Give at least one number.")
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
    return value


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
    """Whole numbers along one axis, at least one, on whichever side they are."""
    if getattr(value, "ndim", 0) != 1 or value.dtype.kind not in "iu" or value.size == 0:
        raise TypeError(f"{where}: {name} must be whole numbers along one axis, at least one, got "
                        f"{short(value)}. Give an array (N,).")
    return value


# ---------------------------------------------------------------------- things

def described(value):
    """Shape of an array, and its dtype where that is the trouble; the repr of anything else."""
    if getattr(value, "shape", None) is None:
        return short(value)
    return f"shape {tuple(value.shape)}" + ("" if value.dtype.kind == "f" else f" of {value.dtype}")


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
    """True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{where}: {name} must be True or False, got {short(value)}.")
    return value


def word(where, name, value):
    """A name; the function says which it knows."""
    if not isinstance(value, str):
        raise TypeError(f"{where}: {name} must be a name, got {short(value)}. Give a string.")
    return value


def words(where, name, value):
    """A tuple or list of names."""
    if not isinstance(value, (tuple, list)) or not all(isinstance(item, str) for item in value):
        raise TypeError(f"{where}: {name} must be names, got {short(value)}. Give a tuple of them.")
    return value


def every(attribute):
    """A list or tuple of things with this attribute."""
    def kind(where, name, value):
        if not isinstance(value, (tuple, list)) or not all(hasattr(v, attribute) for v in value):
            raise TypeError(f"{where}: {name} must be a list of things with {attribute}, got "
                            f"{short(value)}.")
        return value
    return kind
