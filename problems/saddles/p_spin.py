"""The spherical p-spin: a random landscape in which the law of index and height is known.

It has exponentially many critical points; the Hessian at one of height E is, for large N, a random
symmetric matrix shifted by -p E. The higher a point, the more of the spectrum lies below zero:
at high energies nearly all critical points are saddles, and minima exist only in a thin layer at
the bottom. The picture of networks (Dauphin et al. 2014) was taken from here.
"""
import itertools
import math

import numpy as np

import minigrad as mg
from minigrad.arguments import counts, generator
from minigrad.backend import xp
from minigrad.kinds import table

from problems.problem import Problem

LARGEST = 2**28                                     # couplings, 2 GB


class PSpin(Problem):
    """A random homogeneous polynomial of degree p on the sphere |s|^2 = N.

        H(s) = N^(-(p-1)/2) sum J_{i1...ip} s_i1 ... s_ip,    E = H/N

        grad = g - (g.s/N) s                    Riemannian gradient, g the plain one
        Hess = P (d^2 H) P - (g.s/N) P          Riemannian Hessian, P = I - s s^T/N

        At a critical point g.s = p H: a semicircle of centre -p E and radius 2 sqrt(p(p-1)),
        alpha(E) = semicircle_index(-p E/radius),     only minima below E = -2 sqrt((p-1)/p)

    J is symmetrised from independent N(0, 1), so H has variance N at each point.

    Source: Auffinger, Ben Arous & Cerny 2013, arXiv:1003.1129 (critical points by index, the
    threshold); Bray & Dean 2007, cond-mat/0611023 (index against height, Gaussian fields).

    `loss(theta)` is H at the point of the sphere in theta's direction; gradient, hessian and
    retract expect points on the sphere.
    Memory N^p: p = 3 with N = 30 to 100 is comfortable.
    """

    def __init__(self, N, p=3, rng=None):
        N, p = counts("PSpin", least=0, N=N, p=p)
        if N < 2 or p < 2:
            raise ValueError(f"PSpin: needs N >= 2 and p >= 2, got N={N}, p={p}.")
        if p * math.log(N) > math.log(LARGEST):
            raise ValueError(f"PSpin: {N}^{p} couplings do not fit into memory. Use a smaller N or p.")
        if rng is None:
            raise ValueError("PSpin: the couplings are random. "
                             "Pass rng=numpy.random.default_rng(seed).")
        generator("PSpin", rng)
        J = rng.standard_normal((N,) * p)
        orders = itertools.permutations(range(p))
        J = sum(np.transpose(J, order) for order in orders) / math.factorial(p)
        self.J, self.N, self.p, self.coordinates = xp.asarray(J), N, p, N
        self.scale = N ** (-(p - 1) / 2.0)
        self.radius = 2.0 * math.sqrt(p * (p - 1))
        self.threshold = -2.0 * math.sqrt((p - 1) / p)

    def start(self, rng, n=None):
        """A point uniform on the sphere, or n of them (n, N)."""
        s = xp.asarray(rng.standard_normal(self.N if n is None else (n, self.N)))
        return self.retract(s, xp.zeros_like(s))

    def loss(self, theta, batch=None):
        size = mg.sqrt(mg.sum(theta * theta, axis=-1, keepdims=True))
        s = theta * (math.sqrt(self.N) / size)
        return self.scale * mg.sum(self.contract(s, self.p - 1) * s, axis=-1)

    def energy(self, s):
        """E = H/N."""
        return self.loss(s) * (1.0 / self.N)

    def gradient(self, s):
        """Riemannian gradient (..., N)."""
        g = (self.p * self.scale) * self.contract(s, self.p - 1)
        return g - self.radial(g, s) * s

    def hessian(self, s):
        """Riemannian Hessian (..., N, N), zero along s."""
        g = (self.p * self.scale) * self.contract(s, self.p - 1)
        bare = (self.p * (self.p - 1) * self.scale) * self.contract(s, self.p - 2)
        bare = bare.reshape(s.shape[:-1] + (self.N, self.N))
        P = xp.eye(self.N) - s[..., :, None] * s[..., None, :] * (1.0 / self.N)
        return P @ bare @ P - self.radial(g, s)[..., None] * P

    def radial(self, g, s):
        """g.s/N, kept as (..., 1)."""
        return xp.sum(g * s, axis=-1, keepdims=True) * (1.0 / self.N)

    def retract(self, s, d):
        """The point of the sphere in the direction of s + d."""
        s = s + d
        return s * (math.sqrt(self.N) / xp.linalg.norm(s, axis=-1, keepdims=True))

    def contract(self, s, times):
        """J with so many of its indices contracted with s (..., N): (..., N^(p - times))."""
        N = self.N
        if times == 0:
            return mg.broadcast_to(self.J.reshape(-1), shape=s.shape[:-1] + (N**self.p,))
        out = s @ self.J.reshape(N, -1)
        for k in range(1, times):
            rest = N**(self.p - k - 1)
            out = out.reshape(s.shape[:-1] + (N, rest))
            out = (mg.expand_dims(s, axis=-2) @ out).reshape(s.shape[:-1] + (rest,))
        return out

    def index_law(self, E):
        """alpha(E) for large N: share of negative eigenvalues at critical points of energy E."""
        return semicircle_index(-self.p * np.asarray(E, dtype=float) / self.radius)


def semicircle_index(q):
    """Share of a semicircle of radius 1 around q that lies below zero.

        α = 1/2 - (q √(1 - q^2) + asin q)/π,      q clipped to [-1, 1]

    Source: Bray & Dean 2007, Physical Review Letters 98.
    """
    q = np.clip(table("semicircle_index", "q", q), -1.0, 1.0)
    return 0.5 - (q * np.sqrt(1.0 - q * q) + np.arcsin(q)) / math.pi
