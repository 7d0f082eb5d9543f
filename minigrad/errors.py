"""What a failed operation says: its name, what is wrong, with the values, and what to do."""
import functools
import re

from minigrad import backend


class LostDerivative(TypeError):
    """A Tensor was to become a number or an array, which cannot carry its derivative."""


class OutOfRange(IndexError, ValueError):
    """An index beyond the end: an IndexError, as Python's protocols want it, and a wrong value."""


def in_our_words(error):
    """The error itself, or what is to be done where NumPy refuses a Tensor in words of its own."""
    if type(error.__cause__) is LostDerivative:              # buffer[0] = x
        return error.__cause__
    if "__array_ufunc__=None" in str(error):                 # np.exp(x)
        return LostDerivative("np.exp, np.add, array += x, ...: NumPy's functions take no Tensor. "
                              "Use minigrad's (minigrad.exp for np.exp, a = a + x for a += x), or "
                              "minigrad.constant(x) for the value alone.")
    return error


INNER = (ValueError, TypeError, IndexError, AttributeError, KeyError, ArithmeticError,
         AssertionError, NotImplementedError)           # what comes out of the inside of a calculation
WORDS_OF_NUMPY = ("ufunc", "object ", "NoneType", "Input operand", "cannot reshape", "could not",
                  "unexpected keyword", "positional", "unsupported", "invalid literal", "must be str",
                  "unpack", "interpreted as", "only integer scalar")


def explained(operation, arrays, error, settings=None):
    """The error of a forward pass, in a sentence that names the operation and the shapes."""
    name = operation.__name__.lstrip("_")              # _concatenate is what concatenate calls
    if str(error).startswith(name + ":"):
        return error
    for array in arrays:
        backend.refuse_foreign(name, array)
    shapes = [str(x.shape) if hasattr(x, "shape") else repr(x) for x in arrays]
    if getattr(operation, "elementwise", False) and "broadcast" in str(error):
        return ValueError(f"{name}: cannot broadcast shapes {' and '.join(shapes)}. Axes are "
                          "matched from the right and must be equal or 1.")
    for k, x in enumerate(arrays):
        if not is_data(x):
            return TypeError(f"{name}: input {k} must be an array of numbers, got {a(x)}. Convert "
                             "it with xp.asarray(...).")
    kind = (TypeError if isinstance(error, (TypeError, AttributeError)) else
            OutOfRange if isinstance(error, IndexError) else ValueError)
    what = str(error).rstrip(".").replace("positional ", "")
    if what.startswith("The truth value"):             # an array in the place of a number
        what = " and ".join(f"{key} must be no array" for key, value in (settings or {}).items()
                            if getattr(value, "ndim", 0)) or "these do not go together"
    if not isinstance(error, (ValueError, TypeError, IndexError)) or any(
            word in what for word in WORDS_OF_NUMPY) or what.startswith("'"):
        what = "these do not go together"
    given = ", ".join(f"{key}={short(value)}" for key, value in (settings or {}).items())
    given = f" with {given}" if given else ""
    return kind(f"{name}: {what}, for inputs {', '.join(shapes)}{given}. "
                f"See help(minigrad.{name}).")


def is_data(x):
    """Is it an array of real numbers, or a number?"""
    if hasattr(x, "dtype"):
        return getattr(x.dtype, "kind", "") in "fiub"
    return isinstance(x, (int, float)) and not isinstance(x, bool)


def short(value):
    return f"an array {value.shape}" if hasattr(value, "shape") else repr(value)[:40]


def numbers_as_arrays(way, operation, arrays, settings, error):
    """What a forward pass gives once Python numbers are arrays, since it failed with `error` as
    they were; or that error, explained."""
    if any(type(x) in (int, float) for x in arrays) and isinstance(error, AttributeError):
        try:
            return way(*[backend.xp.asarray(float(x)) if type(x) in (int, float) else x
                         for x in arrays], **settings)
        except INNER as again:
            error = again
    raise explained(operation, arrays, error, settings) from error


def said(function):
    """A function whose inner errors become a sentence with its name, as an operation's do."""
    @functools.wraps(function)
    def saying(*inputs, **settings):
        try:
            return function(*inputs, **settings)
        except INNER as error:
            if re.match(r"\w+: ", str(error)):           # it is a sentence already
                raise
            arrays = [x.data if hasattr(x, "primitive") and hasattr(x, "data") else x
                      for x in inputs]
            flat = [y for x in arrays for y in (x if isinstance(x, (list, tuple)) else [x])]
            raise explained(function, flat, error, settings) from error
    return saying


def no_derivative(operation, y):
    """The error of an operation on Tensors whose values are not real numbers."""
    name, values = operation.__name__.lstrip("_"), y.dtype
    if values.kind == "c":
        return TypeError(f"{name}: gives {values} values, and derivatives are taken in real "
                         "numbers only. Keep the real and the imaginary part apart.")
    return TypeError(f"{name}: gives {values} values, which have no derivative. Apply it to the "
                     "values, minigrad.constant(x).")


def differentiable(data, operation):
    """The array itself, if it can be differentiated."""
    if not hasattr(data, "dtype"):
        raise TypeError(f"{operation}: cannot differentiate with respect to {a(data)}. "
                        "Pass floating point arrays, or a tree (dict, list, tuple) of them.")
    if backend.on_device:
        backend.refuse_foreign(operation, data)
    if data.dtype.kind != "f":
        raise TypeError(f"{operation}: cannot differentiate {data.dtype} values. "
                        "Convert them with .astype(float), or pass them as data.")
    return data


def called(f, operation):
    """The function itself, if it is one."""
    if not callable(f):
        raise TypeError(f"{operation}: f must be a function, got {a(f)}.")
    return f


def not_a_scalar(y):
    if not hasattr(y, "shape"):
        kind = "a scalar array" if isinstance(y, (int, float)) else "a scalar"
        raise ValueError(f"grad: loss must return {kind}, got {a(y)}. Return what the operations "
                         "gave; a number that does not depend on x is xp.asarray(number).")
    raise ValueError(f"grad: loss must return a scalar, got shape {y.shape}. Sum or average it.")


def outputs(leaves, operation):
    """The leaves of a function's result, if they are arrays."""
    for leaf in leaves:
        if not hasattr(leaf, "shape"):
            raise TypeError(f"{operation}: the function returned {a(leaf)}. Return arrays, or a "
                            "tree (dict, list, tuple) of them.")
    return leaves


def fitting_cotangent(g, o, operation):
    """A cotangent g of the output o, as an array of its shape: converted where that can only mean
    one thing, or refused."""
    if getattr(g, "shape", None) == o.shape and g.dtype.kind == "f" and not backend.on_device:
        return g
    if type(g) in (int, float):
        g = backend.xp.asarray(g)
    if not hasattr(g, "shape"):
        raise TypeError(f"{operation}: got {a(g)} for an output of shape {o.shape}. "
                        "Convert it with xp.asarray(...).")
    backend.refuse_foreign(operation, g)
    if g.shape != o.shape:
        raise ValueError(f"{operation}: a cotangent of shape {g.shape} does not match an "
                         f"output of shape {o.shape}.")
    if g.dtype.kind == "c":
        raise TypeError(f"{operation}: got a cotangent of {g.dtype} values. Give real numbers.")
    return g if g.dtype.kind == "f" else g.astype(o.dtype)


def a(thing):
    """What it is, for a sentence: 'a list of 2', 'an int', 'an array of shape (2, 3)'."""
    if hasattr(thing, "shape"):
        return f"an array of shape {thing.shape}"
    name = type(thing).__name__
    article = "an" if name[0].lower() in "aeiou" else "a"
    return f"{article} {name}" + (f" of {len(thing)}" if type(thing) in (list, tuple) else
                                  f" with keys {', '.join(map(str, thing))}" if type(thing) is dict
                                  else "")
