"""What a Tensor answers to Python and to NumPy: as an array would, or with the way to say it.

A derivative must never be lost in silence. So there are three kinds of answer:
  - what can carry a derivative does: iteration, unpacking, operators, `x += y` (a new Tensor);
  - what only looks at values, and has derivative 0 wherever it has one, gives plain values:
    comparisons, the truth of a number (a branch `if x > 0:` takes the derivative of the branch
    taken), printing;
  - what would make a number or an array of a Tensor (float(x), math.exp(x), np.asarray(x),
    buffer[0] = x, pickling) is refused with the remedy. `minigrad.constant(x)`, `x.data` are the
    deliberate door. A Tensor without a history, or under no_grad(), has nothing to lose: it
    converts.
"""
import operator

from minigrad.errors import LostDerivative
from minigrad.tape import recording
from minigrad.tensor import Tensor, constant

# ------------------------------------------------------------------------- looking at values


def comparison(symbol, compare):
    def compared(a, b):
        try:
            return compare(a.data, constant(b))
        except ValueError:
            raise ValueError(f"{symbol}: cannot compare shapes {a.shape} and {b.shape}. Axes are "
                             "matched from the right and must be equal or 1.") from None
    return compared


Tensor.__eq__, Tensor.__ne__ = comparison("==", operator.eq), comparison("!=", operator.ne)
Tensor.__lt__, Tensor.__le__ = comparison("<", operator.lt), comparison("<=", operator.le)
Tensor.__gt__, Tensor.__ge__ = comparison(">", operator.gt), comparison(">=", operator.ge)
Tensor.__hash__ = None                               # like an array: == compares values


def truth(self):
    if self.size != 1:
        raise ValueError(f"bool: a Tensor of shape {self.shape} is neither true nor false. Compare "
                         "it, and take .all() or .any() of the result.")
    return bool(self.data)


def formatted(self, spec):
    if spec and self.size != 1:
        raise TypeError(f"format: a Tensor of shape {self.shape} has no format {spec!r}, which is "
                        "for one number. Print it without.")
    return format(self.data.item(), spec) if spec else repr(self)


Tensor.__bool__, Tensor.__format__ = truth, formatted

# -------------------------------------------------------------------------- as a sequence


def length(self):
    if self.ndim == 0:
        raise TypeError("len: a Tensor of shape () has no length. Use .size for the number of "
                        "elements.")
    return self.shape[0]


def rows(self):
    if self.ndim == 0:
        raise TypeError("iter: a Tensor of shape () cannot be iterated over or unpacked. Give it "
                        "an axis with x[None].")
    return (self[i] for i in range(self.shape[0]))


Tensor.__len__, Tensor.__iter__ = length, rows
Tensor.__pos__ = lambda self: self
Tensor.__copy__ = lambda self: self                  # values need no copies
Tensor.__deepcopy__ = lambda self, memo: self

# ----------------------------------------------------------------------------- refusals


def conversion(what, convert, instead):
    def converted(self, *arguments):
        if self.number and recording.get():
            raise LostDerivative(f"{what}: a number cannot carry the derivative of a Tensor. Use "
                                 f"{instead}, or .data or minigrad.constant(x) for the value "
                                 "alone.")
        return convert(self.data, *arguments)
    return converted


Tensor.__float__ = conversion("float(x), math.f(x) or buffer[i] = x", float, "minigrad's functions "
                              "(minigrad.exp for math.exp, minigrad.stack for a buffer)")
Tensor.item = conversion("item", lambda data: data.item(), "the Tensor itself, or x[i]")
Tensor.__complex__ = conversion("complex", complex, "real and imaginary parts apart")
Tensor.__int__ = conversion("int", int, "the Tensor itself")
Tensor.__index__ = conversion("index", operator.index, "integers for indices and counts")
Tensor.__round__ = conversion("round", lambda data, *n: round(data.item(), *n), "the Tensor itself")
Tensor.__trunc__ = conversion("math.trunc", int, "the Tensor itself")
Tensor.__floor__ = conversion("math.floor", lambda data: int(data // 1), "the Tensor itself")
Tensor.__ceil__ = conversion("math.ceil", lambda data: -int(-data // 1), "the Tensor itself")


def refusal(what, why):
    def refuse(self, *_, **__):
        raise TypeError(f"{what}: {why}")
    return refuse


STAIRCASE = ("a Tensor does not do this, since a staircase has no slope. Write "
             "constant(x) // y, and x - y * (constant(x) // y) for the remainder.")
for name in ("floordiv", "mod", "divmod"):
    symbol = {"floordiv": "//", "mod": "%"}.get(name, name)
    setattr(Tensor, f"__{name}__", refusal(symbol, STAIRCASE))
    setattr(Tensor, f"__r{name}__", refusal(symbol, STAIRCASE))
Tensor.__array__ = Tensor.__array_function__ = refusal(
    "np.asarray, np.sum, ...", "a Tensor is not an array. Use its .data for the values, or "
    "minigrad's functions (minigrad.sum, ...) to differentiate.")
Tensor.__setitem__ = refusal(
    "item assignment", "a Tensor is a value and cannot be written into. Use "
    "minigrad.where(mask, new, old), or build it with concatenate or stack.")
Tensor.__delitem__ = refusal("del x[i]", "a Tensor is a value. Use x[...] to take parts of it.")
Tensor.__contains__ = lambda self, value: bool((self == value).any())
Tensor.__reduce_ex__ = refusal(
    "pickle", "a Tensor is part of a calculation, and cannot be stored or sent to another process. "
    "Use its .data.")
