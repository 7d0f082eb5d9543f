"""The elementary functions: exponentials, roots, circular and hyperbolic functions, elementwise."""
import math

from minigrad.backend import on_device, xp
from minigrad.engine.rules import primitives
from minigrad.ops import circular
from minigrad.ops.passes import blocks, over_cosh_squared, overflow_is_infinity
from minigrad.tensor import Tensor, primitive


@primitive
def exp(x):
    """e^x.   dy = y dx"""
    return xp.exp(x)


@exp.vjp
def _(g, y, x):
    return g * y


@primitive
def expm1(x):
    """e^x - 1, exact for small x.   dy = e^x dx:  y + 1 is 0 below -37"""
    return xp.expm1(x)


@expm1.vjp
def _(g, y, x):
    return g * exp(x)


@primitive
def log(x):
    """Natural logarithm.   dy = dx / x"""
    return xp.log(x)


@log.vjp
def _(g, y, x):
    return g / x


@primitive
def log1p(x):
    """log(1 + x), exact for small x.   dy = dx / (1 + x)"""
    return xp.log1p(x)


@log1p.vjp
def _(g, y, x):
    return g / (1.0 + x)


@primitive
def sqrt(x):
    """Square root.   dy = dx / 2y;  infinity at 0 and at -0 (where y is -0), NaN below"""
    return xp.sqrt(x)


@sqrt.vjp
def _(g, y, x):
    return 0.5 * g / (y + 0.0)


@primitive
def sin(x):
    """sin x.   dy = cos(x) dx"""
    return xp.sin(x)


@sin.vjp
def _(g, y, x):
    return g * cos(x)


@primitive
def cos(x):
    """cos x.   dy = -sin(x) dx"""
    return xp.cos(x)


@cos.vjp
def _(g, y, x):
    return -(g * sin(x))


@primitive
def tan(x):
    """tan x.   dy = (1 + y^2) dx"""
    return xp.tan(x)


@tan.vjp
def _(g, y, x):
    return g * (1.0 + y * y)


@primitive
def arctan(x):
    """arctan x.   dy = dx / (1 + x^2)"""
    return xp.arctan(x)


@arctan.vjp
def _(g, y, x):
    if type(x) is Tensor:                           # of infinity the bend would be 0 times infinity
        most = float(xp.finfo(x.dtype).max)
        x = primitives["clip"](x, low=-most, high=most)
    with overflow_is_infinity():
        return g / (1.0 + x * x)


@primitive
def tanh(x):
    """tanh x.   dy = dx / cosh^2 x:  1 - y^2 is 0 beyond 19"""
    return xp.tanh(x)


@tanh.vjp
def _(g, y, x):
    return g * tanh_slope(x, of=y)


@primitive
def tanh_slope(x, *, of=None):
    """s = 1 / cosh^2 x, right to its digits however small.   ds = -2 tanh(x) s dx
    of: the Tensor tanh(x), if there is one"""
    with overflow_is_infinity():
        r = 1.0 / xp.cosh(x)
    return r * r


@tanh_slope.vjp
def _(g, y, x, *, of=None):
    return g * (-2.0 * tanh(x) * y)


FAR = {2: 10.0, 4: 88.0, 8: 708.0}          # bytes of a number -> e^FAR is still a number


def gate(x):
    """1 / (1 + e^-x) of an array: right to the last digit also where it is nearly 0."""
    with overflow_is_infinity():
        return 1.0 / (1.0 + xp.exp(-x))


@primitive
def sigmoid(x):
    """s(x) = 1 / (1 + e^-x).   dy = s(x) s(-x) dx = dx / 4 cosh^2(x/2):  s (1 - s) loses its digits
    where s is near 1, and its slope where s is near 1/2"""
    return gate(x)


@sigmoid.vjp
def _(g, y, x):
    return g * (0.25 * tanh_slope(0.5 * x))


@primitive
def softplus(x):
    """log(1 + e^x).   dy = sigmoid(x) dx"""
    return xp.logaddexp(x, 0.0)


@softplus.vjp
def _(g, y, x):
    return g * sigmoid(x)


# ---------------------------------------------------------------- the same, block by block
#
# Sine and cosine come in one go and each is the other's slope. In float64 NumPy computes them one
# number at a time but, on processors with AVX-512, tangents eight at a time. With t = tan(x/2),
# cos = (1 - t²)/(1 + t²) and sin = 2t/(1 + t²): one call for both, right to 4e-16. On others see
# `circular`, if no number is so large that whole turns matter. A few are quicker the plain way.


def _cos_sin(x):
    """cos x and sin x."""
    if on_device or x.dtype != xp.float64 or x.size < 64:
        return xp.cos(x), xp.sin(x)
    if circular.by_fraction(x) and -circular.FAR <= x.min() and x.max() <= circular.FAR:
        return circular.cos_sin(x)
    t = x * 0.5
    t = xp.tan(t, out=t)
    tt = t * t
    r = tt + 1.0
    xp.divide(1.0, r, out=r)
    t *= r
    t += t
    tt -= 1.0
    tt *= r
    return xp.negative(tt, out=tt), t


@sin.arrays
def _(x):
    c, s = _cos_sin(x)
    return s, c


@cos.arrays
def _(x):
    return _cos_sin(x)


@sin.vjp_arrays
def _(g, y, c, x, *, needs):
    return (g * c,)


@cos.vjp_arrays
def _(g, y, s, x, *, needs):
    return (-(g * s),)


@sigmoid.arrays
def _(x):
    with overflow_is_infinity():
        e = xp.exp(-x)
    return 1.0 / (1.0 + e), e


@sigmoid.vjp_arrays
def _(g, y, e, x, *, needs):
    e = xp.minimum(e, math.exp(FAR[x.dtype.itemsize]))  # inf times 0 would be no number
    return (g * (e * y * y),)                       # e/(1 + e) = sigmoid(-x)


@tanh.vjp_arrays
def _(g, y, _, x, *, needs):
    slope = xp.empty(x.shape, x.dtype)
    with overflow_is_infinity():
        for g_, x_, slope_ in blocks(g, x, slope):
            over_cosh_squared(g_, x_, slope_)
    return (slope,)


@tanh_slope.arrays
def _(x, *, of=None):
    """Its own slope is kept when it is first asked for: products at one point share it."""
    y = xp.empty(x.shape, x.dtype)
    with overflow_is_infinity():
        for x_, y_ in blocks(x, y):
            over_cosh_squared(1.0, x_, y_)
    return y, []


@tanh_slope.vjp_arrays
def _(g, y, kept, x, *, needs, of=None):
    if not kept:
        bend = (of.data if type(of) is Tensor else xp.tanh(x)) * y
        bend *= -2.0
        kept.append(bend)
    return (g * kept[0],)
