"""Polynomial test functions: bowls, curved valleys, a few basins.

The three that optimizers are run on a thousand times are primitives, value and slope side by side;
a slope is written with operators, so that it serves second derivatives too. The others leave their
slope to the engine.
"""

import math

import numpy as np

import minigrad as mg
from minigrad import Tensor, primitive, xp
from minigrad.arguments import numbers
from problems.functions.test_function import LIBRARY, SURVEY, TestFunction, row_dot


def sphere(theta):
    """Σ x_i²"""
    return mg.sum(theta * theta, axis=-1)


def quadratic(spectrum, basis=None):
    """The bowl ½ Σ λ_i (q_i · x)² whose Hessian has the eigenvalues λ and the eigenvectors q_i.

    spectrum  λ (d,), of any sign: a negative one makes it a saddle
    basis     (d, d) orthogonal, its columns the q_i; the coordinate axes if None
    returns   a TestFunction of d coordinates; a saddle has no minimiser and minimum -inf
    """
    spectrum = numbers("quadratic", "spectrum", spectrum)
    if spectrum.ndim != 1 or spectrum.size == 0:
        raise ValueError(f"quadratic: spectrum must be a vector, got shape {spectrum.shape}.")
    d = spectrum.size
    if basis is not None:
        basis = numbers("quadratic", "basis", basis)
        if basis.shape != (d, d) or np.abs(basis.T @ basis - np.eye(d)).max() > 1e-9:
            raise ValueError(f"quadratic: basis must be an orthogonal {(d, d)} matrix.")

    def quadratic(theta):
        y = theta if basis is None else theta @ xp.asarray(basis, dtype=theta.dtype)
        return mg.sum(xp.asarray(0.5 * spectrum, dtype=theta.dtype) * (y * y), axis=-1)

    quadratic.__doc__ = "½ Σ λ_i (q_i · x)²"
    bowl = spectrum.min() >= 0.0
    landscape = TestFunction(quadratic, bounds=(-1.0, 1.0), any_dimension=True, source="",
                             minimisers=lambda d: np.zeros((int(bowl), d)),
                             minimum=0.0 if bowl else -math.inf)
    landscape = landscape.in_dimensions(d)
    landscape.coordinates = d
    return landscape


def booth(theta):
    """(x + 2y - 7)² + (2x + y - 5)²"""
    x, y = theta[..., 0], theta[..., 1]
    a, b = x + 2.0 * y - 7.0, 2.0 * x + y - 5.0
    return a * a + b * b


def three_hump_camel(theta):
    """2x² - 1.05x⁴ + x⁶/6 + xy + y²"""
    x, y = theta[..., 0], theta[..., 1]
    x2 = x * x
    return x2 * (2.0 - 1.05 * x2 + (1.0 / 6.0) * (x2 * x2)) + x * y + y * y


def styblinski_tang(theta):
    """½ Σ (x_i⁴ - 16 x_i² + 5 x_i)"""
    square = theta * theta
    return 0.5 * mg.sum(square * (square - 16.0) + 5.0 * theta, axis=-1)


@primitive
def beale(theta):
    """(1.5 - x + xy)² + (2.25 - x + xy²)² + (2.625 - x + xy³)²"""
    a, b, c = _beale_residuals(theta[..., 0], theta[..., 1])
    return a * a + b * b + c * c


def _beale_residuals(x, y):
    xy = x * y
    xyy = xy * y
    return (1.5 - x) + xy, (2.25 - x) + xyy, (2.625 - x) + xyy * y


@beale.vjp
def _(g, f, theta):
    x, y = theta[..., 0], theta[..., 1]
    a, b, c = _beale_residuals(x, y)
    yy = y * y
    slope_x = a * (y - 1.0) + b * (yy - 1.0) + c * (yy * y - 1.0)
    slope_y = x * (a + 2.0 * (y * b) + 3.0 * (yy * c))
    return (2.0 * g)[..., None] * _point(theta, slope_x, slope_y)


@primitive
def himmelblau(theta):
    """(x² + y - 11)² + (x + y² - 7)²"""
    x, y = theta[..., 0], theta[..., 1]
    a, b = x * x + y - 11.0, x + y * y - 7.0
    return a * a + b * b


@himmelblau.vjp
def _(g, f, theta):
    x, y = theta[..., 0], theta[..., 1]
    a, b = x * x + y - 11.0, x + y * y - 7.0
    return (2.0 * g)[..., None] * _point(theta, 2.0 * (x * a) + b, a + 2.0 * (y * b))


def _point(theta, x, y):
    """The points with coordinates x and y; as arrays, in the memory order of theta."""
    if isinstance(x, Tensor) or isinstance(y, Tensor):
        return mg.stack([x, y], axis=-1)
    point = xp.empty_like(theta)
    point[..., 0], point[..., 1] = x, y
    return point


@primitive
def rosenbrock(theta):
    """Σ_i 100 (x_{i+1} - x_i²)² + (1 - x_i)²,   i = 1 .. d-1"""
    x, r = _rosenbrock_residual(theta)
    s = 1.0 - x
    return 100.0 * row_dot(r, r) + row_dot(s, s)


def _rosenbrock_residual(theta):
    x = theta[..., :-1]
    return x, theta[..., 1:] - x * x


@rosenbrock.vjp
def _(g, f, theta):
    x, r = _rosenbrock_residual(theta)
    nothing = xp.zeros((*theta.shape[:-1], 1), theta.dtype)
    slope = (mg.concatenate([-400.0 * (x * r) - 2.0 * (1.0 - x), nothing], axis=-1)
             + mg.concatenate([nothing, 200.0 * r], axis=-1))
    return g[..., None] * slope


@rosenbrock.arrays
def _(theta):
    x, r = _rosenbrock_residual(theta)
    s = 1.0 - x
    return 100.0 * row_dot(r, r) + row_dot(s, s), r


@rosenbrock.vjp_arrays
def _(g, f, r, theta, *, needs):
    x = theta[..., :-1]
    slope = xp.empty_like(theta)
    slope[..., 0] = 0.0
    slope[..., 1:] = 200.0 * r
    slope[..., :-1] -= 400.0 * (x * r) + 2.0 * (1.0 - x)
    slope *= g[..., None]
    return (slope,)


sphere = TestFunction(sphere, bounds=(-5.12, 5.12), any_dimension=True, source=LIBRARY,
                      minimisers=lambda d: [[0.0] * d], minimum=0.0)
booth = TestFunction(booth, bounds=(-10.0, 10.0), source=LIBRARY,
                     minimisers=[(1.0, 3.0)], minimum=0.0)
three_hump_camel = TestFunction(three_hump_camel, bounds=(-5.0, 5.0), source=LIBRARY,
                                minimisers=[(0.0, 0.0)], minimum=0.0)
styblinski_tang = TestFunction(styblinski_tang, bounds=(-5.0, 5.0), source=LIBRARY,
                               any_dimension=True,
                               minimisers=lambda d: [[-2.903534027771177] * d],
                               minimum=lambda d: -39.16616570377142 * d)
beale = TestFunction(beale, bounds=(-4.5, 4.5), source=LIBRARY,
                     minimisers=[(3.0, 0.5)], minimum=0.0)
himmelblau = TestFunction(himmelblau, bounds=(-5.0, 5.0), source=SURVEY, minimum=0.0, minimisers=[
    (3.0, 2.0), (-2.805118086952745, 3.131312518250573),
    (3.584428340330492, -1.848126526964404), (-3.779310253377747, -3.283185991286170)])
rosenbrock = TestFunction(rosenbrock, bounds=(-5.0, 10.0), source=LIBRARY, any_dimension=True,
                          minimisers=lambda d: [[1.0] * d], minimum=0.0)
