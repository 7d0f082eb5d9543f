"""Sums, products, powers and choices, with broadcasting. A rule multiplies the cotangent g by the
slope."""
import math

from minigrad.backend import xp
from minigrad.ops.elementary import log
from minigrad.tensor import Tensor, constant, primitive


@primitive
def identity(x):
    """x.   dy = dx.  A fresh Tensor with the same values."""
    return x


@identity.vjp
def _(g, y, x):
    return g


@primitive
def _astype(x, *, dtype):
    """x in another floating dtype.   dy = dx"""
    return x.astype(dtype)


@_astype.vjp
def _(g, y, x, *, dtype):
    return _astype(g, dtype=x.dtype)


def astype(x, dtype):
    """x in another dtype.   dy = dx.  Integers and booleans are plain arrays, like the result of a
    comparison: a cast to them is a staircase, dy = 0. Complex numbers have no derivative here."""
    if type(x) is Tensor and xp.dtype(dtype).kind in "biu":
        return x.data.astype(dtype)
    return _astype(x, dtype=dtype)


@primitive(elementwise=True)
def add(a, b):
    """a + b.   dy = da + db"""
    return a + b


add.vjp(lambda g, y, a, b: g,
        lambda g, y, a, b: g)


@primitive(elementwise=True)
def sub(a, b):
    """a - b.   dy = da - db"""
    return a - b


sub.vjp(lambda g, y, a, b: g,
        lambda g, y, a, b: -g)


@primitive(elementwise=True)
def mul(a, b):
    """a b.   dy = b da + a db"""
    return a * b


mul.vjp(lambda g, y, a, b: g * b,
        lambda g, y, a, b: g * a)


@primitive(elementwise=True)
def div(a, b):
    """a / b.   dy = da / b - (a/b) db / b"""
    return a / b


div.vjp(lambda g, y, a, b: g / b,
        lambda g, y, a, b: -(g * y) / b)


@primitive
def neg(x):
    """-x.   dy = -dx"""
    return -x


@neg.vjp
def _(g, y, x):
    return -g


@primitive(elementwise=True)
def power(x, p):
    """x^p.   dy = p x^(p-1) dx + x^p log(x) dp.   Whole p = 2, 3, 4 are products, not powers:
    NumPy's x**3 is hundreds of times slower than x*x*x. p = 0.5 is sqrt, also at -0 (-0, slope
    infinity) and -infinity (NaN); an array of powers follows C's pow (0 and infinity there)."""
    if type(p) is float and p == 0.5:
        return xp.sqrt(x)
    if type(p) in (int, float) and p in (2, 3, 4):
        square = x * x
        return square if p == 2 else square * x if p == 3 else square * square
    return x ** p


def _power_base(g, y, x, p):
    """p x^(p-1), with 0 where p = 0 (x^-1 would be infinite at x = 0)."""
    if type(p) in (int, float):
        if p == 0.5:
            return 0.5 * g / (y + 0.0)
        return (g * p if p == 1 else g * 0.0 if p == 0 else
                g * (p * (x if p == 2 else power(x, p - 1))))
    return g * (p * power(x, where(constant(p) == 0, 1.0, p - 1)))


def _power_exponent(g, y, x, p):
    """x^p log x, with 0 where x = 0."""
    if type(x) in (int, float):
        return g * y * (math.log(x) if x > 0 else 0.0 if x == 0 else math.nan)
    return g * y * log(where(constant(x) == 0, 1.0, x))


power.vjp(_power_base, _power_exponent)


@primitive
def square(x):
    """x^2.   dy = 2 x dx"""
    return x * x


@square.vjp
def _(g, y, x):
    return g * (2.0 * x)


@primitive
def sign(x):
    """-1, 0 or 1.   dy = 0"""
    return xp.sign(x)


@sign.vjp
def _(g, y, x):
    return g * 0.0


@primitive
def abs(x):
    """|x|.   dy = sign(x) dx;  0 at x = 0"""
    return xp.abs(x)


@abs.vjp
def _(g, y, x):
    return g * sign(x)


def _share(a, b):
    """1 where a > b, a half where they are equal, 0 elsewhere: who owns the maximum."""
    a, b = constant(a), constant(b)
    return ((a > b) + 0.5 * (a == b)).astype(xp.result_type(a, b))


@primitive(elementwise=True)
def maximum(a, b):
    """The larger of a and b.   dy goes to the larger one; halved where they are equal; NaN where one
    is, and then dy goes to none"""
    return xp.maximum(a, b)


maximum.vjp(lambda g, y, a, b: g * _share(a, b),
            lambda g, y, a, b: g * _share(b, a))


@primitive(elementwise=True)
def minimum(a, b):
    """The smaller of a and b.   dy goes to the smaller one; halved where they are equal; NaN where
    one is, and then dy goes to none"""
    return xp.minimum(a, b)


minimum.vjp(lambda g, y, a, b: g * _share(b, a),
            lambda g, y, a, b: g * _share(a, b))


@primitive(elementwise=True)
def where(condition, a, b):
    """a where the condition (a boolean array) holds, b elsewhere.   dy goes to the one taken, 0 to
    the other: where that has an infinite slope, 0 times infinity is NaN. Keep it from there too,
    where(x > 0, log(where(x > 0, x, 1)), 0)."""
    return xp.where(condition, a, b)


where.vjp(None,
          lambda g, y, condition, a, b: where(condition, g, 0.0),
          lambda g, y, condition, a, b: where(condition, 0.0, g))


@primitive(elementwise=True)
def clip(x, *, low=-math.inf, high=math.inf):
    """x limited to [low, high].   dy = dx inside, 0 outside"""
    return xp.clip(x, low, high)


@clip.vjp
def _(g, y, x, *, low=-math.inf, high=math.inf):
    x = constant(x)
    return g * ((x >= low) & (x <= high)).astype(x.dtype)
