"""Test functions with a periodic part: one deep basin among many shallow ones.

In float64 NumPy computes sines and cosines one number at a time, but tangents many at once. All of

    t = tan π(x - round x),    s = t / (1 + t²):    2s = sin 2πx,    2ts = 1 - cos 2πx

comes from one tangent, and 1 - cos loses no digits near the bottom. Rastrigin and Ackley use it:
their forward keeps s for the slope. Their other rule has plain sines, for higher derivatives.
Where NumPy's tangents are slow, a fraction (`minigrad/ops/circular.py`) gives w = sin πx and
v = cos πx, and ts = w², s = w v.
"""

import math

import minigrad as mg
from minigrad import backend, primitive, xp
from minigrad.ops.circular import by_fraction, half_angles
from problems.functions.test_function import LIBRARY, TestFunction, row_dot

TIP = 1e-30                                             # below this radius Ackley's cone is blunt


def half_turns(x):
    """a, b and s = ½ sin 2πx with a b = ½ (1 - cos 2πx).   x any shape"""
    t = x - xp.rint(x)
    if not backend.on_device and by_fraction(t):
        t *= 2.0 * math.pi
        w, v = half_angles(t)
        v *= w
        return w, w, v
    t *= math.pi
    t = xp.tan(t)
    s = t * t
    s += 1.0
    s = xp.divide(t, s, out=s)
    return t, s, s


@primitive
def rastrigin(theta):
    """10 d + Σ (x_i² - 10 cos 2πx_i)"""
    a, b, _ = half_turns(theta)
    return row_dot(theta, theta) + 20.0 * row_dot(a, b)


@rastrigin.vjp
def _(g, f, theta):
    return g[..., None] * (2.0 * theta + (20.0 * math.pi) * mg.sin((2.0 * math.pi) * theta))


@rastrigin.arrays
def _(theta):
    a, b, s = half_turns(theta)
    return row_dot(theta, theta) + 20.0 * row_dot(a, b), s


@rastrigin.vjp_arrays
def _(g, f, s, theta, *, needs):
    slope = (40.0 * math.pi) * s
    slope += 2.0 * theta
    slope *= g[..., None]
    return (slope,)


@primitive
def ackley(theta):
    """-20 exp(-0.2 √(Σ x_i²/d)) - exp(Σ cos(2πx_i)/d) + 20 + e

    A cone at its minimum: the slope there is taken as 0, and there is no second derivative.
    """
    return _ackley(theta)[0]


@ackley.vjp
def _(g, f, theta):
    d = theta.shape[-1]
    r = mg.sqrt(mg.mean(theta * theta, axis=-1, keepdims=True))
    c = mg.mean(mg.cos((2.0 * math.pi) * theta), axis=-1, keepdims=True)
    cone = (4.0 / d) * mg.exp(-0.2 * r) / mg.maximum(r, TIP) * theta
    waves = (2.0 * math.pi / d) * mg.exp(c) * mg.sin((2.0 * math.pi) * theta)
    return g[..., None] * (cone + waves)


def _ackley(theta):
    """The height, and what its slope needs."""
    a, b, s = half_turns(theta)
    d = theta.shape[-1]
    r = xp.sqrt(row_dot(theta, theta) * (1.0 / d))
    hill, waves = -0.2 * r, row_dot(a, b) * (-2.0 / d)
    f = -20.0 * xp.expm1(hill) - math.e * xp.expm1(waves)
    return f, (s, r, hill, waves)


ackley.arrays(_ackley)


@ackley.vjp_arrays
def _(g, f, saved, theta, *, needs):
    s, r, hill, waves = saved
    d = theta.shape[-1]
    cone = g * ((4.0 / d) * xp.exp(hill) / xp.maximum(r, TIP))
    wave = g * ((4.0 * math.pi * math.e / d) * xp.exp(waves))
    slope = wave[..., None] * s
    slope += cone[..., None] * theta
    return (slope,)


def griewank(theta):
    """1 + Σ x_i²/4000 - Π cos(x_i/√i)"""
    slower = 1.0 / xp.sqrt(xp.arange(1, theta.shape[-1] + 1, dtype=theta.dtype))
    waves = mg.prod(mg.cos(theta * slower), axis=-1)
    return (1.0 / 4000.0) * mg.sum(theta * theta, axis=-1) + 1.0 - waves


def levy(theta):
    """sin² πw_1 + Σ_{i<d} (w_i - 1)² (1 + 10 sin²(πw_i + 1)) + (w_d - 1)² (1 + sin² 2πw_d)

    with w_i = 1 + (x_i - 1)/4
    """
    v = 0.25 * (theta - 1.0)                            # w - 1
    first, last, rest = v[..., 0], v[..., -1], v[..., :-1]
    # sin π(1 + v) = -sin πv and sin 2π(1 + v) = sin 2πv: exact zeros at the minimum
    f = mg.square(mg.sin(math.pi * first))
    f = f + mg.square(last) * (1.0 + mg.square(mg.sin((2.0 * math.pi) * last)))
    ripple = 1.0 + 10.0 * mg.square(mg.sin(math.pi * rest + (math.pi + 1.0)))
    return f + mg.sum(mg.square(rest) * ripple, axis=-1)


rastrigin = TestFunction(rastrigin, bounds=(-5.12, 5.12), source=LIBRARY, any_dimension=True,
                         minimisers=lambda d: [[0.0] * d], minimum=0.0)
ackley = TestFunction(ackley, bounds=(-32.768, 32.768), source=LIBRARY, any_dimension=True,
                      minimisers=lambda d: [[0.0] * d], minimum=0.0)
griewank = TestFunction(griewank, bounds=(-600.0, 600.0), source=LIBRARY, any_dimension=True,
                        minimisers=lambda d: [[0.0] * d], minimum=0.0)
levy = TestFunction(levy, bounds=(-10.0, 10.0), source=LIBRARY, any_dimension=True,
                    minimisers=lambda d: [[1.0] * d], minimum=0.0)
