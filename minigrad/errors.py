"""What a failed operation says: its name, what is wrong, with the values, and what to do."""
from minigrad import backend


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
    return kind(f"{name}: {error}, for inputs {', '.join(shapes)}. See help(minigrad.{name}).")


def differentiable(data, operation):
    """The array itself, if it can be differentiated."""
    if backend.on_device:
        backend.refuse_foreign(operation, data)
    if data.dtype.kind != "f":
        raise TypeError(f"{operation}: cannot differentiate {data.dtype} values. "
                        "Convert them with .astype(float), or pass them as data.")
    return data
