"""Sine and cosine by additions and products alone, for processors where NumPy has none in vectors.

NumPy computes float64 sines one number at a time. Tangents come eight at a time on processors with
AVX-512, and everything circular can be had of one tangent; elsewhere they are as slow. There the
tangent's continued fraction, known since Lambert (1761), is quicker:

    tan u = u / (1 - u² / (3 - u² / (5 - ... - u² / 17)))  =  u P(u²) / Q(u²)

cut where |u| <= π/4 is right to 1e-18. With p = u P and q = Q at u = x/4 doubling the angle twice
needs one division:

    w = sin x/2 = 2 p q / (p² + q²),   v = cos x/2 = (q² - p²) / (p² + q²)
    sin x = 2 w v,                     cos x = (v - w) (v + w)

Which one is quicker is measured, once, on the machine that runs.
"""
import functools
import math

import numpy

from minigrad.ops.passes import best_times, several

MANY = 4096                 # so many numbers are worth it
BLOCK = 1 << 13             # numbers that go through it together: 64 KB, which malloc keeps
FAR = 2.0**29               # beyond, too many digits are lost in taking whole turns away

# 2π in three parts; k times the first two is exact for whole numbers k up to 2^27.
TURN = tuple(map(float.fromhex, ("0x1.921fb5p+2", "0x1.110b46p-24", "0x1.1a62633145c07p-52")))

# P and Q in powers of x², for u = x/4.
TOP = [c / 34459425 / 16**k / 4 for k, c in enumerate((34459425, -4729725, 135135, -990, 1))]
BOTTOM = [c / 34459425 / 16**k for k, c in enumerate((34459425, -16216200, 945945, -13860, 45))]


def polynomial(c, x):
    """c0 + c1 x + c2 x² + ..."""
    y = x * c[-1]
    for a in c[-2:0:-1]:
        y += a
        y *= x
    y += c[0]
    return y


def half_angles(x):
    """sin x/2 and cos x/2 for -π <= x <= π."""
    xx = x * x
    p, q = polynomial(TOP, xx), polynomial(BOTTOM, xx)
    p *= x
    w = p * q
    w += w
    p *= p
    q *= q
    h = numpy.add(p, q, out=xx)
    q -= p
    w /= h
    q /= h
    return w, q


def cos_sin(x):
    """cos x and sin x, right to 9e-16, for an array with |x| <= FAR."""
    c, s = numpy.empty_like(x, order="C"), numpy.empty_like(x, order="C")
    for x_, c_, s_ in several(BLOCK, *(a.reshape(-1) for a in (x, c, s))):
        k = x_ * (1.0 / sum(TURN))
        numpy.rint(k, out=k)
        r = x_ - k * TURN[0]
        r -= k * TURN[1]
        r -= k * TURN[2]
        w, v = half_angles(r)
        numpy.multiply(w, v, out=s_)
        s_ += s_
        numpy.subtract(v, w, out=c_)
        v += w
        c_ *= v
    return c, s


@functools.cache
def tangents_are_slow():
    """Is the fraction quicker than tan here? By a margin that noise does not cross: 2.3 without
    AVX-512, 0.5 with it."""
    x = numpy.linspace(-3.0, 3.0, MANY)
    tan, fraction = best_times(lambda: numpy.tan(x), lambda: half_angles(x))
    return tan > math.sqrt(2.0) * fraction


def by_fraction(x):
    """Is this an array of the host for which the fraction is quicker?"""
    return x.dtype == numpy.float64 and x.size >= MANY and tangents_are_slow()
