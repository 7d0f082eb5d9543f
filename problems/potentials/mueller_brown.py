"""The Mueller-Brown surface: a standard trial of methods that look for the lowest pass."""
import minigrad as mg
from minigrad.backend import xp

from problems.problem import Problem


class MuellerBrown(Problem):
    """Three minima and two passes, curved so that straight lines and coordinate axes mislead.

        V(x, y) = sum_k A_k exp( a_k (x - X_k)^2 + b_k (x - X_k)(y - Y_k) + c_k (y - Y_k)^2 )

    Source: Mueller & Brown, Theoretica Chimica Acta 53, 75 (1979).

    minima (3, 2), saddles (2, 2)       critical points in the order of their heights
    minima_heights, saddle_heights      V there; the lowest way between the first two minima passes
                                        both saddles
    """

    A = (-200.0, -100.0, -170.0, 15.0)
    a = (-1.0, -1.0, -6.5, 0.7)
    b = (0.0, 0.0, 11.0, 0.6)
    c = (-10.0, -10.0, -6.5, 0.7)
    X = (1.0, 0.0, -0.5, -1.0)
    Y = (0.0, 0.5, 1.5, 1.0)

    bounds = ((-1.5, 1.2), (-0.2, 2.0))
    minima = ((-0.5582236346, 1.441725842), (0.6234994049, 0.02803775853),
              (-0.05001082300, 0.4666941049))
    minima_heights = (-146.6995172, -108.1667241, -80.76781813)
    saddles = ((0.2124865820, 0.2929883251), (-0.8220015587, 0.6243128028))
    saddle_heights = (-72.24894011, -40.66484351)
    minimum, minimisers = minima_heights[0], minima[:1]

    def start(self, rng):
        """Uniform in the bounds."""
        low, high = zip(*self.bounds)
        return xp.asarray(rng.uniform(low, high))

    def loss(self, theta, batch=None):
        A, a, b, c, X, Y = (xp.asarray(values, dtype=theta.dtype)
                            for values in (self.A, self.a, self.b, self.c, self.X, self.Y))
        x, y = theta[..., 0:1] - X, theta[..., 1:2] - Y                     # (..., 4)
        return mg.sum(A * mg.exp(a * x * x + b * x * y + c * y * y), axis=-1)
