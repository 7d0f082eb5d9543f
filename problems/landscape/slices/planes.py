"""Heights along a line and over a plane: a slice of the landscape is a batch of points.

    line     θ + a d                     a on a grid
    plane    θ + a d1 + b d2             (a, b) on a grid

The grid is made of whole multiples of one step, so that 0 is on it exactly and the height there is
L(theta) itself. Points go to the objective in chunks, and the theta of the caller is never written.
"""
from typing import Any, NamedTuple

import numpy as np

from minigrad.backend import float_of, to_host, xp
from minigrad.kinds import expects, array, real, row, whole
from problems.landscape.doors import landscape

from .directions import cosine

CHUNK = 2**17                                       # numbers in a chunk of points: fits the cache


class Line(NamedTuple):
    """heights (n,) at theta + alphas (n,) d, on the host; centre = L(θ)."""

    alphas: Any
    heights: Any
    centre: float


class Plane(NamedTuple):
    """heights (rows, columns) at theta + alphas[column] d1 + betas[row] d2, on the host.

    centre = L(θ), the height at the crossing of the axes
    """

    alphas: Any
    betas: Any
    heights: Any
    centre: float


@expects(low=real, high=real, count=whole())
def grid(low=-1.0, high=1.0, count=51):
    """Evenly spaced numbers that contain 0 exactly and cover [low, high].

    Symmetric ends need an odd count. Other ends are moved outwards to the next whole step.
    """
    if not low < 0 < high:
        raise ValueError(f"grid: [{low}, {high}] must contain the centre 0 in its inside.")
    if count < 3:
        raise ValueError(f"grid: needs at least 3 points, got {count}.")
    if low == -high:
        if count % 2 == 0:
            raise ValueError(f"grid: an even count, {count}, has no point at the centre. "
                             f"Take {count + 1}.")
        half = count // 2
        return np.arange(-half, half + 1) * (high / half)
    step = (high - low) / (count - 1)
    return np.arange(np.floor(low / step + 1e-9), np.ceil(high / step - 1e-9) + 1) * step


@expects(objective=landscape, theta=array, d=array, alphas=row, chunk=whole())
def line_scan(objective, theta, d, alphas=None, chunk=None):
    """Line of heights along d (d,) through theta (d,); alphas: `grid()` by default."""
    alphas = grid() if alphas is None else np.asarray(alphas, dtype=float)
    check("line_scan", theta, d)
    centre = ground("line_scan", objective, theta)
    return Line(alphas, heights(objective, theta, (d,), alphas[:, None], chunk), centre)


@expects(objective=landscape, theta=array, d1=array, d2=array, alphas=row, betas=row, chunk=whole())
def plane_scan(objective, theta, d1, d2, alphas=None, betas=None, chunk=None):
    """Plane of heights over (d1, d2) around theta; alphas, betas: `grid()` by default.

    chunk    points evaluated at once; None takes as many as make 2^17 numbers
    """
    alphas = grid() if alphas is None else np.asarray(alphas, dtype=float)
    betas = alphas if betas is None else np.asarray(betas, dtype=float)
    check("plane_scan", theta, d1, d2)
    if abs(cosine(d1, d2)) > 1.0 - 1e-9:
        raise ValueError("plane_scan: d1 and d2 are parallel, they span no plane. "
                         "Draw another pair.")
    centre = ground("plane_scan", objective, theta)
    b, a = np.meshgrid(betas, alphas, indexing="ij")
    z = heights(objective, theta, (d1, d2), np.stack([a.ravel(), b.ravel()], axis=1), chunk)
    return Plane(alphas, betas, z.reshape(a.shape), centre)


def heights(objective, theta, directions, coordinates, chunk=None):
    """L(theta + sum_k c_k d_k) for coordinates (n, k): (n,), both on the host, chunk by chunk."""
    chunk = max(1, CHUNK // theta.shape[-1]) if chunk is None else chunk
    if chunk < 1:
        raise ValueError(f"heights: chunk must be at least 1 point, got {chunk}.")
    parts = []
    for i in range(0, len(coordinates), chunk):
        c = xp.asarray(coordinates[i:i + chunk], dtype=theta.dtype)      # (n, k)
        points = theta
        for k, d in enumerate(directions):
            points = points + c[:, k:k + 1] * d
        parts.append(to_host(objective.value(points)))
    return np.concatenate(parts)


def check(name, theta, *directions):
    """One point, finite, and directions of its dimension that are not zero."""
    if theta.ndim != 1:
        raise ValueError(f"{name}: theta must be one point (d,), got {theta.shape}. "
                         "Scan points one by one.")
    bad = int(xp.sum(~xp.isfinite(theta)))
    if bad:
        raise ValueError(f"{name}: theta has {bad} entries of {theta.size} that are NaN or "
                         "infinite. Did the training diverge?")
    for d in directions:
        if d.shape != theta.shape:
            raise ValueError(f"{name}: a direction of shape {d.shape} at a point of shape "
                             f"{theta.shape}. Was it made for another network or layout?")
        if not float_of(xp.vdot(d, d)) > 0:
            raise ValueError(f"{name}: a direction is zero or not finite. Nothing to look along.")


def ground(name, objective, theta):
    """L(theta), which has to be a number for the slice to mean anything."""
    height = float_of(objective.value(theta))
    if not np.isfinite(height):
        raise ValueError(f"{name}: the loss at theta is {height}. "
                         "Choose a point where it is finite.")
    return height
