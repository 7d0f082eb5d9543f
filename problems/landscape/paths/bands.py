"""Chains: a row of points relaxes into the lowest pass between two minima.

Images p_0 ... p_N lie on a path whose ends are fixed minima; all of them are one batch of points,
and a step is one batched gradient. Pulled down by the gradient alone the images would slide off
into the two valleys. Two ways to prevent it:

    elastic band   the gradient acts only across the band, its spacing is kept along the band: by
                   springs, or by moving the images to equal distances after each step (k = inf)
    string         the whole gradient acts, then the images are moved to equal distances

What stands still is a minimum-energy path, and its highest point is a saddle. One image of a band
can be made to climb: it feels no spring, and the gradient along the band with its sign reversed,
and so it comes to rest on the saddle itself.

    force on image i        F = -(g - (g.t) t) + k (|p_{i+1} - p_i| - |p_i - p_{i-1}|) t
    on the climbing image   F = -g + 2 (g.t) t

with t the unit tangent. An image climbs only where there is something to climb to: it must be
higher than both its neighbours and the two ends (between two points of one bowl none is), and no
higher than a path through the images was when the climb began: the lowest pass is below that, so
an image above it follows a tangent that is too coarse, and has to come down again.

The highest image of a chain lies below the top of the path, and may lie below the true pass;
`Band.measured` is the height of a path through the images, which never does.
"""
import math
from typing import Any, NamedTuple

import numpy as np

from minigrad.backend import float_of, to_host, xp
from minigrad.kinds import array, expects, extended, having, natural, whole
from problems.landscape.doors import landscape

from .heights import measure
from .path import Polygon, Straight, arc_knots, check_ends
from .spline import Spline

TINY = 1e-30                               # keeps 0/0 away where two images coincide


class Band(NamedTuple):
    """A row of images between two minima.

    images     (N+1, d)
    heights    (N+1,) on the host: of the images, not of what lies between them
    climber    index of the image that climbed, or None
    residual   largest |F| over the images of a band, 0 at rest; of a string the largest gradient
               across it, small at rest where steps and distances between images are short
    converged  the chain is at rest within the tolerance asked for (a band: residual; a string: the
               speed of its images), and a climber is on a saddle: the landscape curves down there
    steps      batched gradients spent
    measured   `Height` of a path through the images, no lower than the pass: `through_images`
    """

    images: Any
    heights: Any
    climber: Any
    residual: float
    converged: bool
    steps: int
    measured: Any = None

    @property
    def top(self):
        """Index of the highest image; of one of the ends where no pass lies between them."""
        return int(self.heights.argmax())

    @property
    def has_pass(self):
        """Whether the path through the images rises above both ends."""
        highest = float(self.heights.max()) if self.measured is None else self.measured.highest
        return highest > max(float(self.heights[0]), float(self.heights[-1]))


@expects(images=whole())
def straight_band(start, end, images=21):
    """Evenly spaced points (images, d) from start to end, the ends exact."""
    check_ends("straight_band", start, end)
    if images < 3:
        raise ValueError(f"straight_band: needs at least 3 images, got {images}.")
    return Straight(start, end)(xp.linspace(0.0, 1.0, images, dtype=start.dtype))


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


def redistribute(images, through=Polygon):
    """The same polygon with its images (m, d) at equal distances along it; the ends stay.

    through  Polygon, or Spline: a smooth curve through the images (equal distances along its
             chords)
    """
    if len(images) < 3:
        return images
    knots = arc_knots(images)
    if not np.all(np.diff(knots) > 0):
        through = Polygon                                   # no spline through coinciding images
    inner = through(images, knots)(np.linspace(0.0, 1.0, len(images))[1:-1])
    return xp.concatenate([images[:1], inner, images[-1:]])


class Chain:
    """What a band and a string share: steps of a first-order optimizer, all images at once."""

    climb = False

    def force(self, images, heights, g, climber=None):
        """F (N-1, d) on the inner images, given heights (N+1,) and their gradients g (N-1, d)."""
        raise NotImplementedError(f"{type(self).__name__} does not say what pulls its images.")

    def settle(self, images, climber=None):
        """The images (N+1, d) moved along the path, after a step."""
        raise NotImplementedError(f"{type(self).__name__} does not say how its images spread.")

    def unrest(self, F, speed):
        """What should vanish at rest (N-1, d).

        speed  (N-1, d) how far the last step moved each image, per unit of step; None before it
        """
        return F

    def residual(self, images, F):
        """What is left of the force (N-1, d) where it should vanish."""
        return F

    @expects(objective=landscape, images=array, optimizer=having("init", "update"), steps=whole(0),
             tolerance=natural)
    def relax(self, objective, images, optimizer, steps, tolerance=0.0):
        """Band after at most `steps` steps of a first-order optimizer along the force.

        objective  heights of points; `value_and_grad` of a batch of points
        images     (N+1, d), for instance `straight_band(a, b)`; the first and the last never move
        tolerance  stop when the chain is so nearly at rest (once the climbing half has begun)
        """
        name = type(self).__name__
        if images.ndim != 2 or len(images) < 3:
            raise ValueError(f"{name}: needs images (N+1, d) with at least 3 rows, got shape "
                             f"{tuple(images.shape)}.")
        heights = xp.asarray(objective.value(images))         # the two ends are asked only here
        state, speed, ceiling = optimizer.init(images[1:-1]), None, None
        for step in range(steps + 1):
            inner = images[1:-1]
            V, g = objective.value_and_grad(inner)
            heights = xp.concatenate([heights[:1], V, heights[-1:]])
            climbing = self.climb and 2 * step >= steps
            if climbing and ceiling is None:
                before = through_images(name, objective, images)
                ceiling = before.highest + 1e-6 * before.above_lower
            climber = climbs(heights, ceiling) if climbing else None
            F = self.force(images, heights, g, climber)
            unrest = float_of(xp.max(length(self.unrest(F, speed))))
            if math.isnan(unrest) or not bool(xp.isfinite(F).all()):
                raise RuntimeError(f"{name}: the force is not finite after {step} steps. "
                                   "Lower the learning rate.")
            if step == steps or (unrest <= tolerance and climbing == self.climb):
                break
            delta, state = optimizer.update(-F, V, inner, state)
            unit_step = float_of(xp.max(length(delta)) / xp.maximum(xp.max(length(F)), TINY))
            moved = xp.concatenate([images[:1], inner + delta, images[-1:]])
            images = self.settle(moved, climber)
            speed = (images[1:-1] - inner) * (1.0 / max(unit_step, TINY))
        residual = float_of(xp.max(length(self.residual(images, F))))
        converged = unrest <= tolerance and (
            climber is None or curves_down(objective, images, heights, climber))
        return Band(images, to_host(heights), climber, residual, converged, step + 1,
                    through_images(name, objective, images))


def climbs(heights, ceiling):
    """The index of the image that climbs: the highest, if it is above its neighbours and the ends.

    heights (N+1,); None where no inner image is, or the highest is above the ceiling.
    """
    V = to_host(heights)
    i = 1 + int(V[1:-1].argmax())
    return i if max(V[0], V[-1], V[i - 1], V[i + 1]) < V[i] <= ceiling else None


def curves_down(objective, images, heights, i):
    """Whether t·Ht < 0 at image i, with t the tangent of the band there."""
    t = tangents(images[i - 1:i + 2], heights[i - 1:i + 2])[0]
    return float_of(xp.vdot(t, objective.hvp(images[i])(t))) < 0.0


def through_images(name, objective, images):
    """`Height` of the polygon or of the cubic spline through the images, the lower of the two.

    Both lead from end to end, so neither is lower than the lowest pass.
    """
    ways = [Polygon(images)]
    if np.all(np.diff(ways[0].knots) > 0):
        ways.append(Spline(images))
    found = [measure(name, objective, way, 8 * len(images) - 7, 1, 1e-8) for way in ways]
    return min(found, key=lambda each: each.highest)


class NEB(Chain):
    """Nudged elastic band.

    spring   k, or inf: no springs, images are moved to equal distances after each step
    climb    let the highest inner image climb in the second half of the steps

    Source: Henkelman, Uberuaga & Jonsson 2000, J. Chem. Phys. 113, 9901 (climbing image); on
    networks Draxler et al. 2018, arXiv:1803.00885 (with equal spacing).
    """

    @expects(spring=extended)
    def __init__(self, spring=math.inf, climb=True):
        if not spring > 0:
            raise ValueError(f"NEB: the spring constant must be positive or inf, got {spring}.")
        self.spring, self.climb = spring, climb

    def force(self, images, heights, g, climber=None):
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

    def settle(self, images, climber=None):
        """Equal spacing where there are no springs, on both sides of the climbing image."""
        if math.isfinite(self.spring):
            return images
        if climber is None:
            return redistribute(images)
        before, after = redistribute(images[:climber + 1]), redistribute(images[climber:])
        return xp.concatenate([before[:-1], after])


class StringMethod(Chain):
    """The whole gradient moves the images, redistribution alone keeps them apart.

    The images are spread along a cubic spline: straight pieces would cut every bend at every step,
    and the string would come to rest beside its path. It rests when its images no longer move, that
    is when  max_i |p_i' - p_i| / η  is within the tolerance, η the length of a step per unit of
    force.

    Source: E, Ren & Vanden-Eijnden 2007, J. Chem. Phys. 126, 164103 (the simplified string method).
    """

    def force(self, images, heights, g, climber=None):
        return -g

    def settle(self, images, climber=None):
        return redistribute(images, Spline)

    def unrest(self, F, speed):
        return xp.full_like(F, math.inf) if speed is None else speed

    def residual(self, images, F):
        t = unit(images[2:] - images[:-2])
        return F - xp.sum(F * t, axis=-1, keepdims=True) * t
