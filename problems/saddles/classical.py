"""Saddles on one page: classical, monkey, strict of any size, scalar networks, Rayleigh quartic."""
import numpy as np

import minigrad as mg
from minigrad.arguments import numbers
from minigrad.backend import to_host, xp
from minigrad.kinds import brought, expects, real, table, whole

from problems.problem import Problem


def of_the_plane(theta):
    """The two coordinates of points (..., 2)."""
    if theta.shape[-1:] != (2,):
        raise ValueError(f"saddles: these points have two coordinates, got shape {theta.shape}.")
    return theta[..., 0], theta[..., 1]


class ClassicalSaddle(Problem):
    """f = 5 x^2 - y^2: curvatures 10 and -2, strict."""

    bounds = ((-1.0, 1.0), (-1.0, 1.0))

    def start(self, rng):
        return xp.asarray(rng.uniform(-1.0, 1.0, 2))

    def loss(self, theta, batch=None):
        x, y = of_the_plane(theta)
        return 5.0 * x * x - y * y


class MonkeySaddle(ClassicalSaddle):
    """f = x^3 - 3 x y^2: H = 0 at 0, where three valleys and three ridges meet. Not strict."""

    def loss(self, theta, batch=None):
        x, y = of_the_plane(theta)
        return x * (x * x - 3.0 * y * y)


class StrictSaddle(Problem):
    """f = ½ Σ_{i<d} x_i² - γ/2 x_d², or the same in turned coordinates.

    d, gam    dimension, γ the size of the negative curvature
    rotation  orthogonal (d, d): f(x) of the point rotation @ x; `rotation.T[:, -1]` leads out

    Turned, rounding (1e-16) perturbs a start that lies exactly on the stable manifold; in the plain
    coordinates it never leaves.
    """

    @expects(d=whole(), gam=real, rotation=brought)
    def __init__(self, d=10, gam=1.0, rotation=None):
        if d < 2 or not gam > 0:
            raise ValueError(f"StrictSaddle: needs d >= 2 and gam > 0, got d={d}, gam={gam}.")
        self.d, self.gam, self.coordinates = d, gam, d
        self.rotation = None if rotation is None else xp.asarray(rotation)
        self.curvatures = xp.asarray(np.append(np.ones(d - 1), -gam))

    def start(self, rng):
        """N(0, I)."""
        return xp.asarray(rng.standard_normal(self.d))

    def escaping(self, theta):
        """The coordinate along negative curvature (...)."""
        return theta[..., -1] if self.rotation is None else theta @ self.rotation[-1]

    def loss(self, theta, batch=None):
        x = theta if self.rotation is None else theta @ self.rotation.T
        return 0.5 * mg.sum(self.curvatures * x * x, axis=-1)


class ScalarNet(Problem):
    """f = (1 - w_1 w_2 ... w_k)^2: a network of depth k and width 1 that should say 1.

    The minima form a sheet, prod w = 1, on which the only curvature is 2 sum_i 1/w_i^2: from 2k in
    the balanced middle up to infinity. 0 is a strict saddle (curvatures -2, 2) for k = 2 and
    degenerate for k >= 3.
    """

    @expects(depth=whole(1))
    def __init__(self, depth=2):
        if depth < 2:
            raise ValueError(f"ScalarNet: depth must be at least 2, got {depth}.")
        self.depth = self.coordinates = depth
        self.minimum, self.minimisers = 0.0, ((1.0,) * depth,)

    def start(self, rng):
        """N(0, I)."""
        return xp.asarray(rng.standard_normal(self.depth))

    def loss(self, theta, batch=None):
        product = theta[..., 0]
        for i in range(1, self.depth):
            product = product * theta[..., i]
        return (1.0 - product) * (1.0 - product)

    def sharpness(self, theta):
        """The curvature 2 sum_i 1/w_i^2 across the sheet of minima, at a point of it."""
        return 2.0 * xp.sum(1.0 / (theta * theta), axis=-1)


class RayleighQuartic(Problem):
    """f = -x^T A x/2 + |x|^4/4 for symmetric A: every critical point is an eigenvector.

        0:                 index = number of positive eigenvalues
        +-sqrt(l_i) v_i    (l_i > 0):  f = -l_i^2/4,  eigenvalues 2 l_i and l_i - l_j,
                           index = #{j: l_j > l_i}

    So the height orders the critical points by index, exactly, in any dimension.
    """

    @expects(A=table)
    def __init__(self, A):
        self.A = xp.asarray(numbers("RayleighQuartic", "A", A))
        if self.A.ndim == 1:
            self.A = xp.diag(self.A)
        square = self.A.ndim == 2 and self.A.shape[0] == self.A.shape[1]
        if not square or not bool(xp.all(self.A == self.A.T)):
            raise ValueError("RayleighQuartic: A must be symmetric (n, n), or its diagonal (n,), "
                             f"got shape {self.A.shape}. Symmetrise it: (A + A.T)/2.")
        self.coordinates = len(self.A)
        self.eigenvalues, self.eigenvectors = np.linalg.eigh(to_host(self.A))
        top = max(float(self.eigenvalues[-1]), 0.0)
        self.minimum = -top * top / 4.0

    def start(self, rng):
        """N(0, I)."""
        return xp.asarray(rng.standard_normal(len(self.eigenvalues)))

    def loss(self, theta, batch=None):
        square = mg.sum(theta * theta, axis=-1)
        return 0.25 * square * square - 0.5 * mg.sum(theta * (theta @ self.A), axis=-1)

    def critical_points(self):
        """[(point, height, index)] of 0 and of one of each pair +-sqrt(l_i) v_i, lowest first."""
        l, v = self.eigenvalues, self.eigenvectors
        known = [(xp.asarray(np.sqrt(l[i]) * v[:, i]), -l[i] ** 2 / 4.0, int(np.sum(l > l[i])))
                 for i in range(len(l)) if l[i] > 0]
        known.append((xp.zeros(len(l)), 0.0, int(np.sum(l > 0))))
        return sorted(known, key=lambda point: point[1])


classical_saddle, monkey_saddle = ClassicalSaddle(), MonkeySaddle()
