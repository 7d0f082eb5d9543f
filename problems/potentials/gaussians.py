"""Sums of Gaussians in the plane: one fused operation, and the landscapes made of it.

    mueller_brown   three minima, two passes, curved so that straight lines mislead
    three_hole      two deep minima, one upper one on the better of two ways between them
    toy             two wells behind two hills: the landscape of a path finder's paper
"""
import numpy as np

import minigrad as mg
from minigrad import primitive
from minigrad.backend import xp

from .potential import Potential, Route


@primitive
def gaussian_sum(theta, *, A, Q):
    """V(x, y) = Σ_k A_k exp(q_k),   q_k = Q_0k x² + Q_1k xy + Q_2k y² + Q_3k x + Q_4k y + Q_5k

    theta (..., 2), A (n,), Q (6, n); returns (...)
    """
    return weighed(theta, A=A, Q=Q)[0]


@gaussian_sum.vjp
def _(g, V, theta, *, A, Q):
    x, y = theta[..., 0:1], theta[..., 1:2]
    w = A * mg.exp(x * x * Q[0] + x * y * Q[1] + y * y * Q[2] + x * Q[3] + y * Q[4] + Q[5])
    along_x = mg.sum(w * (2.0 * x * Q[0] + y * Q[1] + Q[3]), axis=-1)
    along_y = mg.sum(w * (x * Q[1] + 2.0 * y * Q[2] + Q[4]), axis=-1)
    return mg.stack([g * along_x, g * along_y], axis=-1)


# ---------------------------------------------------------------- the same, the Gaussians kept

@gaussian_sum.arrays
def weighed(theta, *, A, Q):
    """V, and the Gaussians A_k exp(q_k) (..., n)."""
    x, y = theta[..., 0], theta[..., 1]
    w = xp.exp(xp.stack([x * x, x * y, y * y, x, y, xp.ones_like(x)], axis=-1) @ Q)
    return w @ A, w * A


@gaussian_sum.vjp_arrays
def _(g, V, w, theta, *, needs, A, Q):
    sums = (w * g[..., None]) @ Q.T                               # (..., 6): Σ_k w_k Q_k
    x, y = theta[..., 0], theta[..., 1]
    slope = xp.empty_like(theta)
    slope[..., 0] = 2.0 * x * sums[..., 0] + y * sums[..., 1] + sums[..., 3]
    slope[..., 1] = x * sums[..., 1] + 2.0 * y * sums[..., 2] + sums[..., 4]
    return (slope,)


def quadratics(a, b, c, X, Y):
    """Q (6, n) of  a (x - X)² + b (x - X)(y - Y) + c (y - Y)²."""
    a, b, c, X, Y = (np.broadcast_to(np.asarray(v, dtype=float), np.shape(X))
                     for v in (a, b, c, X, Y))
    return np.stack([a, b, c, -2 * a * X - b * Y, -b * X - 2 * c * Y,
                     a * X * X + b * X * Y + c * Y * Y])


class Gaussians(Potential):
    """Potentials made of `A` and `Q`, in the dtype of the point."""

    A, Q = (), ()

    def gaussians(self, theta):
        A, Q = (xp.asarray(part, dtype=theta.dtype) for part in (self.A, self.Q))
        return gaussian_sum(theta, A=A, Q=Q)

    def loss(self, theta, batch=None):
        return self.gaussians(theta)


class MuellerBrown(Gaussians):
    """Three minima and two passes, curved so that straight lines and coordinate axes mislead.

        V(x, y) = Σ_k A_k exp( a_k (x - X_k)² + b_k (x - X_k)(y - Y_k) + c_k (y - Y_k)² )

    Source: Mueller & Brown 1979, Theoretica Chimica Acta 53, 75.

    The lowest way between the first two minima passes both saddles.
    """

    A = (-200.0, -100.0, -170.0, 15.0)
    a = (-1.0, -1.0, -6.5, 0.7)
    b = (0.0, 0.0, 11.0, 0.6)
    c = (-10.0, -10.0, -6.5, 0.7)
    X = (1.0, 0.0, -0.5, -1.0)
    Y = (0.0, 0.5, 1.5, 1.0)
    Q = quadratics(a, b, c, X, Y)

    bounds = ((-1.5, 1.2), (-0.2, 2.0))
    minima = ((-0.558223634633, 1.441725841805), (0.623499404931, 0.028037758529),
              (-0.050010822998, 0.466694104872))
    minima_heights = (-146.699517209954, -108.166724116852, -80.767818129659)
    saddles = ((0.212486582001, 0.292988325107), (-0.822001558733, 0.624312802815))
    saddle_heights = (-72.248940112325, -40.664843508657)
    routes = {"A-C": Route(minima[0], minima[1], saddle_heights[1], 12.67622752),
              "A-B": Route(minima[0], minima[2], saddle_heights[1]),
              "B-C": Route(minima[2], minima[1], saddle_heights[0], -72.24687193)}


class ThreeHole(Gaussians):
    """Two deep minima with an upper one between: two ways, the better one a detour.

        V = 3 exp(-x² - (y - 1/3)²) - 3 exp(-x² - (y - 5/3)²) - 5 exp(-(x - 1)² - y²)
            - 5 exp(-(x + 1)² - y²) + x⁴/5 + (y - 1/3)⁴/5

    The direct way goes over the third saddle; by the upper minimum it is lower.

    Source: Park, Sener, Lu & Schulten 2003, J. Chem. Phys. 119, 1313.
    """

    A = (3.0, -3.0, -5.0, -5.0)
    Q = quadratics(-1.0, 0.0, -1.0, (0.0, 0.0, 1.0, -1.0), (1 / 3, 5 / 3, 0.0, 0.0))

    bounds = ((-2.0, 2.0), (-1.5, 2.5))
    minima = ((-1.048054992824, -0.042093666307), (1.048054992824, -0.042093666307),
              (0.0, 1.537082004449))
    minima_heights = (-3.994860601854, -3.994860601854, -2.172153622994)
    saddles = ((-0.617272307876, 1.102734517508), (0.617272307876, 1.102734517508),
               (0.0, -0.315826550478))
    saddle_heights = (-1.646687453475, -1.646687453475, -1.384586640398)
    maxima, maxima_heights = ((0.0, 0.519186741892),), (-0.715229886982,)
    routes = {"by the upper minimum": Route(minima[0], minima[1], saddle_heights[0],
                                            -1.224521988090),
              "to the upper minimum": Route(minima[0], minima[2], saddle_heights[0])}

    def loss(self, theta, batch=None):
        x, y = theta[..., 0], theta[..., 1] - 1.0 / 3.0
        return self.gaussians(theta) + 0.2 * (x**4 + y**4)


class Toy(Gaussians):
    """Two wells behind two hills, on which a path finder was shown at work.

        V = -Σ_i exp(-3 |r - c_i|²) + Σ_j exp(-15 |r - d_j|²) + C

    with c = (-.5, -.5), (.5, 0), d = (-.2, -.4), (0, .3). The printed C is 1.019; the code, and
    this, have the C that puts the deeper end a little below 0. The ends of its route are those of
    the published figure, 1e-2 off the minima.

    Source: Yu & Morozov 2026, arXiv:2602.21276, figure 3; C and the ends from its code.
    """

    C = 1.0190055296306975
    A = (-1.0, -1.0, 1.0, 1.0)
    Q = quadratics((-3.0, -3.0, -15.0, -15.0), 0.0, (-3.0, -3.0, -15.0, -15.0),
                   (-0.5, 0.5, -0.2, 0.0), (-0.5, 0.0, -0.4, 0.3))

    bounds = ((-1.0, 1.0), (-1.0, 0.8))
    minima = ((0.488100218007, -0.022255460632), (-0.613801612515, -0.535415525054))
    minima_heights = (-3.0904230624e-05, 0.108707167886)
    saddles = ((-0.164726548540, -0.069917182062), (0.052889530254, -0.688158207771),
               (-0.292709599859, 0.743623930164))
    saddle_heights = (0.624393347187, 0.637257237656, 0.996067195679)
    maxima = ((-0.175210069934, -0.397861447368), (-0.027590409789, 0.332071845431))
    maxima_heights = (1.145515253485, 1.616921167793)
    routes = {"figure 3": Route((-0.62, -0.54), (0.49, -0.02), saddle_heights[0], 1.102346002753),
              "minima": Route(minima[1], minima[0], saddle_heights[0])}

    def loss(self, theta, batch=None):
        return self.gaussians(theta) + self.C
