"""The plane through three points: two trained networks and what joins them, or three ingredients.

With u = b - a and v the part of c - a across u, stretched to the length of u,

    point(x, y) = a + x u + y v,       a = (0, 0),  b = (1, 0),  c = (x_c, y_c)

Both axes have one scale, |b - a|, so angles in the picture are angles in parameter space. A
quadratic Bezier curve lies in the plane of its control points, a chain with one bend too.

Source: the planes of Garipov et al. 2018, arXiv:1802.10026, figure 1 (there with unit u and v).
"""
from typing import Any, NamedTuple

import numpy as np

from minigrad.backend import float_of, xp
from minigrad.kinds import expects, array, natural, whole
from problems.landscape.doors import landscape

from problems.landscape.plots import contours
from .planes import Plane, heights
from .trajectory import project


class ThreePoints(NamedTuple):
    """plane: heights on a grid (a `Plane`); corners (3, 2): where a, b and c lie in it.

    origin (d,), basis (2, d): a, and u, v, for `place`
    """

    plane: Plane
    corners: Any
    origin: Any
    basis: Any

    def place(self, points):
        """Coordinates (T, 2) on the host of points (T, d), projected onto the plane."""
        return project(points, self.origin, self.basis).coordinates

    def draw(self, ax, names, levels=None):
        """Contours with the three corners named; returns the filled set, for a colour bar."""
        filled = contours(ax, self.plane, levels=levels, labels=False)
        for name, (x, y) in zip(names, self.corners):
            ax.plot(x, y, "o", color="white", markeredgecolor="black", markersize=5, zorder=5)
            ax.annotate(name, (x, y), (4, 5), textcoords="offset points", fontsize=8, color="white",
                        zorder=5)
        ax.set(xlabel="along B - A", ylabel="across, same scale", aspect="equal")
        return filled

    def trace(self, ax, path, colour):
        """A path, t (m,) -> points (m, d), as a line over the contours."""
        x, y = self.place(path(xp.linspace(0, 1, 61))).T
        ax.plot(x, y, color="white", linewidth=3)
        ax.plot(x, y, color=colour, linewidth=1.6)


@expects(objective=landscape, a=array, b=array, c=array, count=whole(2), margin=natural,
         chunk=whole())
def plane_through(objective, a, b, c, count=41, margin=0.25, chunk=None):
    """Heights on a square grid of count^2 points around the triangle a, b, c, each (d,).

    margin   room left around it, in units of |b - a|
    chunk    points evaluated at once, as in `slices`
    """
    if not a.shape == b.shape == c.shape or a.ndim != 1:
        raise ValueError(f"plane_through: needs three points of one shape (d,), got {a.shape}, "
                         f"{b.shape} and {c.shape}. Do they belong to one network?")
    u, w = b - a, c - a
    uu = xp.vdot(u, u)
    v = w - (xp.vdot(w, u) / xp.where(uu == 0, 1.0, uu)) * u
    vv = xp.vdot(v, v)
    if not float_of(uu * vv) > 1e-12 * float_of(xp.vdot(w, w) + uu) ** 2:
        raise ValueError("plane_through: the three points lie on one line, they span no plane.")
    basis = xp.stack([u, xp.sqrt(uu / vv) * v])
    corners = project(xp.stack([a, b, c]), a, basis).coordinates
    low, high = corners.min(axis=0), corners.max(axis=0)
    half = 0.5 * (high - low).max() + margin
    x, y = (np.linspace(centre - half, centre + half, count) for centre in 0.5 * (low + high))
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    z = heights(objective, a, tuple(basis), grid, chunk).reshape(count, count)
    return ThreePoints(Plane(x, y, z, float_of(objective.value(a))), corners, a, basis)
