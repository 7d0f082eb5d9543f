"""The plane that a trajectory spans, and what such a plane does not prove.

The rows theta_t - theta_T of a run have singular directions; the first two hold the largest share
of its movement. Two honest numbers belong beside every picture: that share, and how far each
iterate lies from the plane, for the loss at an iterate is not the plane's loss under it.

And a warning. A run that goes nowhere gives a fine PCA plane too. Of a long random walk in many
dimensions, component k explains, whatever the landscape,

    6 / (π k)^2              61 %, 15 %, together 76 %     rows centred on their mean
    8 / (π (2k - 1))^2       81 %,  9 %, together 90 %     rows taken from the last point

so a large share is evidence only by how much it exceeds the walk's, computed the same way. (The
walk is Brownian motion in each coordinate; these are the eigenvalues of its covariance in time,
with free ends and with one end held.)

Source: Li et al. 2018, arXiv:1712.09913, section 7 (PCA directions); the centred walk's shares:
Antognini & Sohl-Dickstein 2018, arXiv:1806.08805. The other line is derived as stated.
"""
import math
from typing import Any, NamedTuple

import numpy as np

from minigrad.backend import to_host, xp
from minigrad.kinds import expects, array, source, whole


class PCA(NamedTuple):
    """directions (k, d), orthonormal; explained (k,), shares of the variation; origin (d,)."""

    directions: Any
    explained: Any
    origin: Any


class Projection(NamedTuple):
    """coordinates (T, k) in the given basis and distances (T,) from its span, on the host."""

    coordinates: Any
    distances: Any


@expects(trajectory=array, k=whole())
def pca_directions(trajectory, k=2, centre=False):
    """Directions of largest variation of a trajectory (T, d).

    Without centring the origin is the last point, so the plane contains it; centre=True is the
    textbook's PCA, whose plane passes through the mean and misses the solution.
    """
    if trajectory.ndim != 2:
        raise ValueError(f"pca_directions: a trajectory is an array (T, d) of points, got shape "
                         f"{tuple(trajectory.shape)}.")
    T, d = trajectory.shape
    if not 1 <= k <= min(T - 1, d):
        raise ValueError(f"pca_directions: {T} points in {d} dimensions have at most "
                         f"{min(T - 1, d)} directions, asked for {k}. Record more iterates.")
    if not bool(xp.isfinite(trajectory).all()):
        raise ValueError("pca_directions: a point of the trajectory has entries that are NaN or "
                         "infinite. Leave out what came after the run diverged.")
    origin = xp.mean(trajectory, axis=0) if centre else trajectory[-1]
    _, s, Vt = xp.linalg.svd(trajectory - origin, full_matrices=False)
    total = float(xp.sum(s * s))
    if not total > 0:
        raise ValueError("pca_directions: the trajectory never moves, or is not finite. "
                         "There is nothing to look along.")
    return PCA(Vt[:k], to_host(s[:k] ** 2) / total, origin)


@expects(points=array, origin=array, basis=array)
def project(points, origin, basis):
    """Least-squares coordinates of points (T, d) in a basis (k, d), which need not be orthonormal.

        coordinates = argmin_c |points - origin - c basis| = (points - origin) B^T (B B^T)^-1
    """
    if basis.ndim != 2:
        raise ValueError(f"project: a basis is an array (k, d) of directions, got shape "
                         f"{tuple(basis.shape)}.")
    if points.shape[-1] != basis.shape[-1] or origin.shape != basis.shape[-1:]:
        raise ValueError(f"project: points {points.shape}, origin {origin.shape} and basis "
                         f"{basis.shape} differ in dimension. Were they made for one network?")
    lengths = xp.sqrt(xp.sum(basis * basis, axis=-1, keepdims=True))
    unit = basis / lengths                          # keeps the Gram matrix well conditioned
    gram, rows = to_host(unit @ unit.T), points - origin             # (k, k): solved on the host
    if abs(np.linalg.det(gram)) < 1e-10:
        raise ValueError("project: the basis vectors are linearly dependent. Draw another pair.")
    c = (rows @ unit.T) @ xp.asarray(np.linalg.inv(gram))
    off = rows - c @ unit
    return Projection(to_host(c / lengths[:, 0]), to_host(xp.sqrt(xp.sum(off * off, axis=-1))))


@expects(T=whole(1), d=whole(1), rng=source)
def random_walk(T, d, rng):
    """The baseline: positions (T, d) of a walk with standard normal steps."""
    return xp.asarray(rng.standard_normal((T, d)).cumsum(axis=0))


@expects(k=whole(1))
def random_walk_share(k, centre=False):
    """Share of a long random walk's variation in its k-th component, k = 1, 2, ... (module)."""
    return 6.0 / (math.pi * k) ** 2 if centre else 8.0 / (math.pi * (2 * k - 1)) ** 2
