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

from .arrays import (array, brought, described, matrices, numbers, or_function, or_none, precision,
                     reals, row, table, tokens, vector)
from .scalars import extended, natural, positive, real, source, whole
from .things import (every, flag, floating, function, having, layout, one_of, path, wholes, word,
                     words)


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
