"""Bands: a row of points relaxes into the lowest pass between two minima.

Images p_0 ... p_N lie on a path whose ends are fixed minima. Pulled down by the gradient alone they
would slide off into the two valleys, so the gradient acts only across the band, and its spacing is
kept along the band: by springs, or by moving the images to equal distances after each step
(k = inf). What stands still is a minimum-energy path, and its highest point is a saddle. One image
can be made to climb: it feels no spring, and the gradient along the band with its sign reversed,
and so it comes to rest on the saddle itself.

    force on image i        F = -(g - (g.t) t) + k (|p_{i+1} - p_i| - |p_i - p_{i-1}|) t
    on the climbing image   F = -g + 2 (g.t) t

with t the unit tangent. The images are one batch of points: a step is one batched gradient.

The string method does without projection: move every image by the whole gradient, then
redistribute.
"""
import math
from typing import Any, NamedTuple

import numpy as np

from minigrad.backend import float_of, to_host, xp

TINY = 1e-30                               # keeps 0/0 away where two images coincide


class Band(NamedTuple):
    """A row of images between two minima.

    images     (N+1, d)
    heights    (N+1,) on the host
    climber    index of the image that climbed, or None
    residual   largest |F| over the images: 0 when the band has come to rest
    converged  residual <= the tolerance asked for
    steps      batched gradients spent
    """

    images: Any
    heights: Any
    climber: Any
    residual: float
    converged: bool
    steps: int

    @property
    def top(self):
        """Index of the highest image."""
        return int(self.heights.argmax())


def straight_band(start, end, images=21):
    """Evenly spaced points (images, d) from start to end, the ends exact."""
    if start.shape != end.shape or start.ndim != 1:
        raise ValueError(f"straight_band: needs two points of one shape (d,), got {start.shape} "
                         f"and {end.shape}.")
    if images < 3:
        raise ValueError(f"straight_band: needs at least 3 images, got {images}.")
    t = xp.linspace(0.0, 1.0, images, dtype=start.dtype)[:, None]
    return (1.0 - t) * start + t * end


def tangents(images, heights):
    """Unit tangents (N-1, d) of the inner images of a band (N+1, d) with heights (N+1,).

    With t+ and t- the unit vectors to the next image and from the previous one: t+ where the band
    rises, t- where it falls (always the side of the higher neighbour; the average of the two makes
    bands kink). At an extremum, M and m being the larger and smaller of
    |V_{i+1} - V_i|, |V_{i-1} - V_i|,

        t = M t+ + m t-  if V_{i+1} > V_{i-1},    else  m t+ + M t-

    Source: Henkelman & Jonsson 2000, J. Chem. Phys. 113, 9978, section III.
    Differs from the paper: differences of neighbours enter as unit vectors, also where spacing is
    uneven; on a level stretch t+ + t- is taken.
    """
    steps = unit(images[1:] - images[:-1])
    forward, backward = steps[1:], steps[:-1]
    up = heights[2:] - heights[1:-1]                                  # V_{i+1} - V_i
    down = heights[:-2] - heights[1:-1]                               # V_{i-1} - V_i
    larger, smaller = xp.maximum(abs(up), abs(down)), xp.minimum(abs(up), abs(down))
    level = (larger == 0).astype(images.dtype)
    higher_ahead = heights[2:] > heights[:-2]
    ahead = xp.where(higher_ahead, larger, smaller) + level
    behind = xp.where(higher_ahead, smaller, larger) + level
    rising, falling = (up > 0) & (down < 0), (up < 0) & (down > 0)
    ahead, behind = xp.where(rising, 1.0, ahead), xp.where(rising, 0.0, behind)
    ahead, behind = xp.where(falling, 0.0, ahead), xp.where(falling, 1.0, behind)
    return unit(ahead[:, None].astype(images.dtype) * forward
                + behind[:, None].astype(images.dtype) * backward)


def unit(v):
    return v / xp.maximum(length(v), TINY)


def length(v):
    return xp.sqrt(xp.sum(v * v, axis=-1, keepdims=True))


def redistribute(images):
    """The same polygon with its images (m, d) at equal distances along it; the ends stay."""
    along = np.concatenate([[0.0], np.cumsum(to_host(length(images[1:] - images[:-1]))[:, 0])])
    if len(images) < 3 or not along[-1] > 0:
        return images
    wanted = np.linspace(0.0, along[-1], len(images))[1:-1]
    left = np.clip(np.searchsorted(along, wanted, side="right") - 1, 0, len(images) - 2)
    part = (wanted - along[left]) / np.maximum(along[left + 1] - along[left], TINY)
    part = xp.asarray(part, dtype=images.dtype)[:, None]
    left = xp.asarray(left)
    inner = (1.0 - part) * images[left] + part * images[left + 1]
    return xp.concatenate([images[:1], inner, images[-1:]])


class NEB:
    """Nudged elastic band.

    spring   k, or inf: no springs, images are moved to equal distances after each step
    climb    let the highest inner image climb in the second half of the steps

    Source: Henkelman, Uberuaga & Jonsson 2000, J. Chem. Phys. 113, 9901 (climbing image); on
    networks Draxler et al. 2018, arXiv:1803.00885 (with equal spacing).
    """

    def __init__(self, spring=math.inf, climb=True):
        if not spring > 0:
            raise ValueError(f"NEB: the spring constant must be positive or inf, got {spring}.")
        self.spring, self.climb = spring, climb

    def force(self, images, heights, g, climber=None):
        """F (N-1, d) on the inner images, given heights (N+1,) and their gradients g (N-1, d)."""
        t = tangents(images, heights)
        along = xp.sum(g * t, axis=-1, keepdims=True)
        F = along * t - g
        if math.isfinite(self.spring):
            gaps = length(images[1:] - images[:-1])
            F = F + self.spring * (gaps[1:] - gaps[:-1]) * t
        if climber is not None:
            climbing = xp.asarray(np.arange(1, len(images) - 1) == climber)[:, None]
            F = xp.where(climbing, 2.0 * along * t - g, F)
        return F

    def imbalance(self, F, images, heights, g):
        """What should vanish at rest (N-1, d)."""
        return F

    def settle(self, images, climber=None):
        """Equal spacing where there are no springs, on both sides of the climbing image."""
        if math.isfinite(self.spring):
            return images
        if climber is None:
            return redistribute(images)
        before, after = redistribute(images[:climber + 1]), redistribute(images[climber:])
        return xp.concatenate([before[:-1], after])

    def relax(self, objective, images, optimizer, steps, tolerance=0.0):
        """Band after at most `steps` steps of a first-order optimizer along the force.

        objective  heights of points; `value_and_grad` of a batch of points
        images     (N+1, d), for instance `straight_band(a, b)`; the first and the last never move
        tolerance  stop when no force is larger (once the climbing half has begun)
        """
        if images.ndim != 2 or len(images) < 3:
            raise ValueError(f"{type(self).__name__}: needs images (N+1, d) with at least 3 rows, "
                             f"got shape {tuple(images.shape)}.")
        heights = xp.asarray(objective.value(images))         # the two ends are asked only here
        state = optimizer.init(images[1:-1])
        climber, residual = None, math.inf
        for step in range(steps + 1):
            inner = images[1:-1]
            V, g = objective.value_and_grad(inner)
            heights = xp.concatenate([heights[:1], V, heights[-1:]])
            climbing = self.climb and 2 * step >= steps
            climber = 1 + int(V.argmax()) if climbing else None
            F = self.force(images, heights, g, climber)
            residual = float_of(xp.max(length(self.imbalance(F, images, heights, g))))
            if not math.isfinite(residual):
                raise RuntimeError(f"{type(self).__name__}: the force is not finite after {step} "
                                   "steps. Lower the learning rate.")
            if step == steps or (residual <= tolerance and climbing == self.climb):
                break
            delta, state = optimizer.update(-F, V, inner, state)
            images = self.settle(xp.concatenate([images[:1], inner + delta, images[-1:]]), climber)
        return Band(images, to_host(heights), climber, residual, residual <= tolerance, step + 1)


class StringMethod(NEB):
    """The whole gradient moves the images, redistribution alone keeps them apart.

    At rest the gradient is parallel to the string; what is left across it is the residual.

    Source: E, Ren & Vanden-Eijnden 2007, J. Chem. Phys. 126, 164103 (the simplified string method),
    with straight pieces between the images where the paper has cubic splines.
    """

    def __init__(self):
        super().__init__(spring=math.inf, climb=False)

    def force(self, images, heights, g, climber=None):
        return -g

    def imbalance(self, F, images, heights, g):
        t = unit(images[2:] - images[:-2])
        return xp.sum(g * t, axis=-1, keepdims=True) * t - g
