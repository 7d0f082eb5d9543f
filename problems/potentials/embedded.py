"""A landscape of few coordinates inside a space of many: rotated, and stiff across."""
import numpy as np

from minigrad.arguments import count, generator
from minigrad.backend import to_host, xp
from minigrad.kinds import expects, having

from .potential import Potential, Route, positive


class Embedded(Potential):
    """W(θ) = V(u) + κ |z|²,   (u, z) = θ Q,   Q orthogonal (d, d)

    Every fact of V holds for W: critical points θ = (u, 0) Qᵀ with the same heights, the same
    lowest ways, and straight lines between points with z = 0.

    potential   V, a Potential of k coordinates
    d           coordinates of W, >= k
    rng         draws Q; None: no rotation, the first k coordinates are u
    stiffness   κ
    """

    @expects(potential=having("dimension", "minima", "routes"))
    def __init__(self, potential, d, rng=None, stiffness=100.0):
        k = potential.dimension
        d = count("Embedded", "d", d)
        if d < k:
            raise ValueError(f"Embedded: {type(potential).__name__} has {k} coordinates and does "
                             f"not fit into {d}.")
        self.potential, self.k = potential, k
        self.stiffness = positive("Embedded", "stiffness", stiffness)
        rotation = np.eye(d)
        if rng is not None:
            rotation = np.linalg.qr(generator("Embedded", rng).standard_normal((d, d)))[0]
        self.rotation = xp.asarray(rotation)
        self.minima, self.minima_heights = self.lift(potential.minima), potential.minima_heights
        self.saddles, self.saddle_heights = self.lift(potential.saddles), potential.saddle_heights
        self.routes = {name: Route(*self.lift((route.start, route.end)), *route[2:])
                       for name, route in potential.routes.items()}
        far = max(max(abs(low), abs(high)) for low, high in potential.bounds)
        self.bounds = ((-far, far),) * d

    def lift(self, points):
        """(u, 0) Qᵀ (n, d) on the host, for points u (n, k)."""
        if not len(points):
            return ()
        return np.asarray(points) @ to_host(self.rotation)[:, :self.k].T

    def loss(self, theta, batch=None):
        turned = theta @ xp.asarray(self.rotation, dtype=theta.dtype)
        z = turned[..., self.k:]
        return self.potential.loss(turned[..., :self.k]) + self.stiffness * (z * z).sum(axis=-1)
