"""How far to go along a direction: searches for one number, the length a of the step θ + a p.

    golden_section   values alone: bracket the lowest point, then shrink the bracket by 0.618
    backtracking     halve the step until it pays (Armijo)
    strong_wolfe     values and slopes: until the height has fallen and the slope is nearly flat
    section          a bracket made narrow, several brackets at once

A `Ray` is the landscape along the direction, a function of one number; a search answers with a
`Step`. Heights that are NaN count as +inf: a search steps back from where there is no landscape.
"""
import math
from typing import NamedTuple

import numpy as np

from minigrad.backend import float_of, xp
from minigrad.kinds import array, expects, extended, function, having, real, whole

R = (math.sqrt(5.0) - 1.0) / 2.0                    # the golden ratio 0.618...,  r² = 1 - r
SHORTEST = 1e-12                                    # a step this short is no step


class Step(NamedTuple):
    """What a search found.

    length       a; 0.0 when nothing lower than the start was found
    height       φ(a), never above φ(0)
    evaluations  heights asked for (those that came with a slope included)
    found        whether the search ended well: a bracket made narrow, or its conditions met
    """

    length: float
    height: float
    evaluations: int
    found: bool


class Ray:
    """The landscape along a direction:  φ(a) = L(θ + a p),  φ'(a) = ∇L(θ + a p) · p.

    objective    an Objective
    theta        θ (d,), where the ray begins
    p            (d,) its direction, of any length
    height, g    L(θ) and ∇L(θ), if they are known: φ(0) and φ'(0) then cost nothing

    evaluations  heights asked for so far, with or without their gradient
    gradients    gradients among them
    """

    @expects(objective=having("value", "value_and_grad"), theta=array, p=array)
    def __init__(self, objective, theta, p, height=None, g=None):
        if theta.ndim != 1 or p.shape != theta.shape:
            raise ValueError(f"Ray: needs a point (d,) and a direction of its shape, got "
                             f"{tuple(theta.shape)} and {tuple(p.shape)}. Search one point a time.")
        if not bool(xp.isfinite(p).all()):
            raise ValueError("Ray: the direction holds NaN or infinite numbers. "
                             "Look at the gradient it was made from.")
        self.objective, self.theta, self.p = objective, theta, p
        self.heights = {} if height is None else {0.0: float_of(height)}
        self.last = None if height is None or g is None else (0.0, float_of(height), g)
        self.evaluations = self.gradients = 0

    def point(self, a):
        """θ + a p (d,)."""
        return self.theta + float(a) * self.p

    def __call__(self, a):
        """φ(a), a float; a height asked for before is remembered."""
        a = float(extended("Ray", "a", a))
        if a not in self.heights:
            self.evaluations += 1
            self.heights[a] = float_of(self.objective.value(self.point(a)))
        return self.heights[a]

    def value_and_grad(self, a):
        """φ(a) and the whole gradient (d,) there; the last one asked for is remembered."""
        a = float(a)
        if self.last is None or self.last[0] != a:
            self.evaluations += 1
            self.gradients += 1
            height, g = self.objective.value_and_grad(self.point(a))
            self.last, self.heights[a] = (a, float_of(height), g), float_of(height)
        return self.last[1:]

    def slope(self, a):
        """φ'(a), a float."""
        return float_of(xp.vdot(self.value_and_grad(a)[1], self.p))


class Trials:
    """A function of one number that remembers the lowest place it was asked at."""

    def __init__(self, height, start=None):
        self.height, self.asked = height, 0
        self.best = (math.inf, 0.0)                         # (height, a)
        self.start = self(0.0) if start is None else finite(start)
        check_start(self.start)
        self.best = (self.start, 0.0)

    def __call__(self, a):
        self.asked += 1
        value = finite(self.height(a))
        self.best = min(self.best, (value, float(a)))
        return value

    def step(self, found):
        return Step(self.best[1], self.best[0], self.asked, found and self.best[1] > 0.0)


def finite(value):
    """The value as a float, NaN as +inf."""
    return math.inf if math.isnan(value) else float(value)


# ---------------------------------------------------------------------- values alone

@expects(height=function, first=extended, tolerance=extended, start=extended,
         expansions=whole(0))
def golden_section(height, first=1.0, tolerance=1e-2, start=None, expansions=60):
    """A minimum of φ along a > 0 by values alone: bracket it, then golden section.

        shrink    b ← r² b             until φ(b) < φ(0)
        expand    (a, b, c) ← (b, c, c + (c - b)/r)   while φ(c) < φ(b),    from (0, b, b/r)
        section   of [a, c], until it is narrower than tolerance · c

    The lowest point ever evaluated is returned, not the middle of the last bracket: φ need not have
    one valley only, and so the height never rises. Values alone place a minimum to about √eps
    (1.5e-8 in float64, 3e-4 in float32).

    height      φ: a Ray, or any function of a
    first       the first trial b
    tolerance   width of the last bracket, relative to its far end; at least 1e-8
    start       φ(0), if it is known
    expansions  the most evaluations spent on going further out

    Source: Kiefer 1953, Proc. AMS 4, 502 (the section). The bracket and its safeguards are ours.
    """
    check("golden_section", first, tolerance=tolerance)
    if not 1e-8 <= tolerance < 1.0:
        raise ValueError(f"golden_section: tolerance must lie in [1e-8, 1), got {tolerance}. "
                         "Values alone cannot place a minimum better.")
    phi = Trials(height, start)
    b = float(first)
    lowest = phi(b)
    while not lowest < phi.start:
        b *= R * R
        if b < SHORTEST:
            return phi.step(False)
        lowest = phi(b)
    a, c = 0.0, b / R
    for _ in range(expansions):
        value = phi(c)
        if not value < lowest:
            break
        a, b, c, lowest = b, c, c + (c - b) / R, value
    else:
        return phi.step(False)                              # it falls and falls
    section(phi, a, c, lambda low, high: tolerance * high)
    return phi.step(True)


def section(height, low, high, width):
    """Brackets made narrow around a minimum of each: (low, high).

    One new height a step shrinks a bracket by r; the half with the lower inner point is kept.

    height      a (...) -> heights (...)
    low, high   (...) numbers, or arrays of several brackets that are worked on side by side
    width       a number, or (low, high) -> number: stop when no bracket is wider
    """
    wanted = width if callable(width) else lambda low, high: width
    x1, x2 = high - R * (high - low), low + R * (high - low)
    f1, f2 = height(x1), height(x2)
    for _ in range(200):                                    # r^200 = 1e-42: rounding comes first
        if not np.any(high - low > wanted(low, high)):
            break
        left = f1 <= f2
        low, high = np.where(left, low, x1), np.where(left, x2, high)
        new = np.where(left, high - R * (high - low), low + R * (high - low))
        f = height(new)
        x1, x2 = np.where(left, new, x2), np.where(left, x1, new)
        f1, f2 = np.where(left, f, f2), np.where(left, f1, f)
    return low, high


@expects(height=function, slope=real, first=extended, c=extended, shrink=extended,
         start=extended)
def backtracking(height, slope, first=1.0, c=1e-4, shrink=0.5, start=None):
    """The first of a = b, ρb, ρ²b, ... that pays:  φ(a) <= φ(0) + c a φ'(0).

    height   φ: a Ray, or any function of a
    slope    φ'(0) < 0
    first    b;    c  the share of the promised descent asked for;    shrink  ρ

    Source: Armijo 1966, Pacific J. Math. 16, 1; Nocedal & Wright 2006, Algorithm 3.1.
    """
    check("backtracking", first, slope, c=c, shrink=shrink)
    phi, a = Trials(height, start), float(first)
    while a >= SHORTEST:
        value = phi(a)
        if value <= phi.start + c * a * slope:
            return Step(a, value, phi.asked, True)
        a *= shrink
    return phi.step(False)


# ---------------------------------------------------------------------- values and slopes

@expects(ray=having("value_and_grad", "slope", "evaluations"), first=extended, c1=extended,
         c2=extended, expansions=whole(0), zooms=whole(0))
def strong_wolfe(ray, first=1.0, c1=1e-4, c2=0.9, expansions=25, zooms=25):
    """A step that has fallen enough and ends nearly flat:

        φ(a) <= φ(0) + c1 a φ'(0)     and     |φ'(a)| <= c2 |φ'(0)|

    Further out by doubling until a bracket holds such a step, then cubic interpolation inside it.
    When rounding or `zooms` end the search first, the lowest step tried is returned, found=False.

    ray     a Ray: height and slope at a, both from one gradient
    first   the first trial;    c1, c2   with 0 < c1 < c2 < 1

    Source: Nocedal & Wright 2006, Algorithms 3.5 and 3.6, and eq. 3.59 for the cubic.
    Differs: a cubic step within a tenth of either end of its bracket is moved to that distance.
    """
    at_start = (0.0, ray.value_and_grad(0.0)[0], ray.slope(0.0))
    before = ray.evaluations
    check_start(at_start[1])
    check("strong_wolfe", first, at_start[2], c1=c1, c2=c2)
    if not c1 < c2:
        raise ValueError(f"strong_wolfe: c1 must be below c2, got c1={c1} and c2={c2}.")
    search = Wolfe(ray, at_start, c1, c2)
    last, a = at_start, float(first)
    for k in range(expansions):
        here = search.look(a)
        if search.too_high(here) or (k > 0 and here[1] >= last[1]):
            search.zoom(last, here, zooms)
        elif search.flat(here):
            search.accepted = here
        elif here[2] >= 0:
            search.zoom(here, last, zooms)
        else:
            last, a = here, 2.0 * a
            continue
        break
    a, height, _ = search.accepted or search.lowest
    return Step(a, height, ray.evaluations - before, bool(search.accepted))


class Wolfe:
    """The two conditions along one ray; a place is (a, φ(a), φ'(a))."""

    def __init__(self, ray, start, c1, c2):
        self.ray, self.start, self.c1, self.c2 = ray, start, c1, c2
        self.accepted, self.lowest = None, start

    def look(self, a):
        height = self.ray.value_and_grad(a)[0]
        here = (a, finite(height), self.ray.slope(a))
        if here[1] < self.lowest[1]:
            self.lowest = here
        return here

    def too_high(self, here):
        return not here[1] <= self.start[1] + self.c1 * here[0] * self.start[2]

    def flat(self, here):
        return abs(here[2]) <= -self.c2 * self.start[2]

    def zoom(self, low, high, steps):
        """Between `low`, the lowest place that has fallen enough, and `high`, on its other side."""
        for _ in range(steps):
            if low[0] == high[0]:                       # the bracket has closed, to rounding
                return
            here = self.look(cubic(low, high))
            if self.too_high(here) or here[1] >= low[1]:
                high = here
            elif self.flat(here):
                self.accepted = here
                return
            else:
                if here[2] * (high[0] - low[0]) >= 0:
                    high = low
                low = here


def cubic(one, other):
    """The minimum of the cubic with the heights and slopes of two places, kept inside of them."""
    (a, f, s), (b, g, t) = one, other
    low, high = min(a, b), max(a, b)
    at, d1 = 0.5 * (a + b), s + t - 3.0 * (f - g) / (a - b)
    under = d1 * d1 - s * t
    if math.isfinite(under) and under >= 0.0:
        d2 = math.copysign(math.sqrt(under), b - a)
        if t - s + 2.0 * d2 != 0.0:
            at = b - (b - a) * (t + d2 - d1) / (t - s + 2.0 * d2)
    room = 0.1 * (high - low)
    return min(max(at, low + room), high - room)


def check_start(height):
    if not math.isfinite(height):
        raise ValueError(f"line search: the height at the start is {height}. "
                         "Begin where the landscape is finite.")


def check(name, first, slope=-1.0, **between):
    """The settings every search shares."""
    if not (first > 0 and math.isfinite(first)):
        raise ValueError(f"{name}: the first step must be positive and finite, got {first}.")
    if not slope < 0:
        raise ValueError(f"{name}: the slope at the start is {slope}, the direction does not lead "
                         "down. Search along the negative gradient, or turn the direction round.")
    for key, value in between.items():
        if not 0.0 < value < 1.0:
            raise ValueError(f"{name}: {key} must lie in (0, 1), got {value}.")
