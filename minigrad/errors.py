"""What a failed operation says: its name, what is wrong, with the values, and what to do."""
from minigrad import backend


class LostDerivative(TypeError):
    """A Tensor was to become a number or an array, which cannot carry its derivative."""


class OutOfRange(IndexError, ValueError):
    """An index beyond the end: an IndexError, as Python's protocols want it, and a wrong value."""


def explained(operation, arrays, error):
    """The error of a forward pass, in a sentence that names the operation and the shapes."""
    name = operation.__name__.lstrip("_")              # _concatenate is what concatenate calls
    if str(error).startswith(name + ":"):
        return error
    for a in arrays:
        backend.refuse_foreign(name, a)
    shapes = [str(a.shape) if hasattr(a, "shape") else repr(a) for a in arrays]
    if operation.elementwise and "broadcast" in str(error):
        return ValueError(f"{name}: cannot broadcast shapes {' and '.join(shapes)}. Axes are "
                          "matched from the right and must be equal or 1.")
    kind = (TypeError if isinstance(error, TypeError) else
            OutOfRange if isinstance(error, IndexError) else ValueError)
    what = str(error).rstrip(".")
    return kind(f"{name}: {what}, for inputs {', '.join(shapes)}. See help(minigrad.{name}).")


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
