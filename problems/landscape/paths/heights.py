"""The one measure of a path: how high it rises, how long it is, and where its top lies.

    above the higher end    B_hi  = max_t L(φ(t)) - max(L₀, L₁)      the climb that remains
    above the lower end     B_lo  = max_t L(φ(t)) - min(L₀, L₁)
    above the chord         B_lin = max_t [ L(φ(t)) - (1-t) L₀ - t L₁ ]     linear connectivity

The ends count, so none is negative. A path is any function from t in [0, 1] to points. It is looked
at in equal steps of its length, since equal steps of t may jump over a pass that is walked fast;
then the highest places are narrowed down by golden section, for L and for L above the chord apart,
because their tops lie at different t.

Where the height is NaN the landscape is not defined, and such a place counts as infinitely high:
the record says how many there are, and a `PathWarning` where.
"""
import warnings
from typing import Any, NamedTuple

import numpy as np

from minigrad.backend import to_host, xp
from minigrad.kinds import expects, function, natural, or_none, whole
from problems.landscape.doors import heights_of
from optim.second_order.line_search import section

from problems.landscape.slices.planes import CHUNK


class PathWarning(UserWarning):
    """The landscape is not finite somewhere along the path."""


class Height(NamedTuple):
    """A path as measured (numbers and arrays on the host).

    highest       H = max_t L, the ends included; +inf where the height is NaN on the way
    above_higher  B_hi = H - max(L₀, L₁) >= 0
    above_lower   B_lo = H - min(L₀, L₁) >= 0
    above_chord   B_lin >= 0, from the straight interpolation of the end heights in t
    t, t_chord    where H and B_lin are attained
    length        arc length of the path
    ends          (L₀, L₁)
    gain          what the last three steps of the golden section added: how far it may still be off
    evaluations   heights asked for
    not_finite    places among them where the height is NaN or infinite
    ts, heights   (m,) all the places looked at, in order, and L there
    also          name -> (m,) further measures at the same places
    """

    highest: float
    above_higher: float
    above_lower: float
    above_chord: float
    t: float
    t_chord: float
    length: float
    ends: tuple
    gain: float
    evaluations: int
    not_finite: int
    ts: Any
    heights: Any
    also: dict


@expects(objective=heights_of, path=function, points=whole(), tops=whole(1),
         tolerance=or_none(natural), chunk=whole(1))
def height(objective, path, points=2001, tops=3, tolerance=1e-10, also=None, chunk=None):
    """Measure a path; returns a `Height`.

    objective  heights of points: an Objective, a Problem, a function (m, d) -> (m,)
    path       t (m,) -> points (m, d)
    points     places at equal distances along it, both ends included (2,001 where a height costs
               nothing, 61 between networks)
    tops       how many of the highest places are refined
    tolerance  width in t down to which they are; None: not at all
    also       name -> function of points (m, d) with values (m,), as {"accuracy": accuracy(net)}
    chunk      points evaluated at once; None takes as many as make 2^17 numbers
    """
    found = measure("height", objective, path, points, tops, tolerance, also, chunk)
    warn("height", found)
    return found


def measure(name, objective, path, points, tops=3, tolerance=1e-10, also=None, chunk=None):
    """`height` without its warning, under the name of who asks."""
    if points < 3:
        raise ValueError(f"{name}: needs at least 3 points, got {points}. 25 is a good number.")
    ts, length = equal_steps(path, points, chunk)
    seen = Seen(getattr(objective, "value", objective), path, chunk)
    seen.look(ts)
    first, last = seen.at_ends
    if not (np.isfinite(first) and np.isfinite(last)):
        raise ValueError(f"{name}: the loss at the ends of the path is {first} and {last}. "
                         "Did the training diverge?")
    if tolerance is not None and np.isfinite(seen.losses[0]).all():
        refine(seen, first, last, tops, tolerance)
    (ts, losses), rough = seen.sorted(), seen.sorted(but=3)
    rise, before = (L - (1.0 - t) * first - t * last for t, L in ((ts, losses), rough))
    also = profile(also or {}, path, ts, chunk)
    high, low, top, over = max(first, last), min(first, last), losses.argmax(), rise.argmax()
    gain = 0.0 if np.isinf(rise[over]) else float(rise[over] - before.max())
    return Height(float(losses[top]), float(losses[top] - high), float(losses[top] - low),
                  float(rise[over]), float(ts[top]), float(ts[over]), length,
                  (float(first), float(last)), gain, seen.count, int((~np.isfinite(losses)).sum()),
                  ts, losses, also)


class Seen:
    """Heights along a path, all of them remembered; NaN as +inf."""

    def __init__(self, value, path, chunk):
        self.value, self.path, self.chunk = value, path, chunk
        self.ts, self.losses, self.count, self.at_ends = [], [], 0, None

    def look(self, ts):
        """Heights (...) at ts (...)."""
        ts = np.asarray(ts, dtype=np.float64)
        losses = profile({"loss": self.value}, self.path, ts.reshape(-1), self.chunk)["loss"]
        losses = losses.astype(np.float64)
        self.at_ends = self.at_ends or (losses[0], losses[-1])
        losses[np.isnan(losses)] = np.inf
        self.ts.append(ts.reshape(-1))
        self.losses.append(losses)
        self.count += ts.size
        return losses.reshape(ts.shape)

    def sorted(self, but=0):
        """(ts, heights) in the order of t, each t once; without the last `but` looks."""
        upto = max(1, len(self.ts) - but)
        ts, order = np.unique(np.concatenate(self.ts[:upto]), return_index=True)
        return ts, np.concatenate(self.losses[:upto])[order]


def refine(seen, first, last, tops, tolerance):
    """Golden section around the highest places of L, and of L above the chord, side by side."""
    ts, losses = seen.ts[0], seen.losses[0]
    low, high, share = [], [], []
    for s in (0.0, 1.0):
        rise = losses - s * ((1.0 - ts) * first + ts * last)
        for i in local_tops(rise)[:tops]:
            low.append(ts[max(i - 1, 0)])
            high.append(ts[min(i + 1, len(ts) - 1)])
            share.append(s)
    share = np.array(share)

    def below(t):
        return share * ((1.0 - t) * first + t * last) - seen.look(t)

    section(below, np.array(low), np.array(high), tolerance)


def local_tops(rise):
    """Indices of the local maxima of (m,), the highest first; of a level stretch one."""
    padded = np.concatenate([[-np.inf], rise, [-np.inf]])
    tops = np.flatnonzero((rise > padded[:-2]) & (rise >= padded[2:]))
    return tops[np.argsort(-rise[tops], kind="stable")]


def equal_steps(path, points, chunk=None):
    """t (points,) at equal distances along the path, and its length."""
    t = np.linspace(0.0, 1.0, max(points, 101))
    along, before = [np.zeros(1)], None
    for part in pieces(t, path, chunk):
        there = path(xp.asarray(part))
        joined = there if before is None else xp.concatenate([before, there])
        steps = joined[1:] - joined[:-1]
        along.append(to_host(xp.sqrt(xp.sum(steps * steps, axis=-1))).astype(np.float64))
        before = there[-1:]
    s = np.cumsum(np.concatenate(along))
    length, wanted = float(s[-1]), np.linspace(0.0, 1.0, points)
    if not (np.isfinite(length) and length > 0) or np.allclose(s, t * length, 0, 1e-6 * length):
        return wanted, length                               # nowhere faster: equal steps of t
    return np.concatenate([[0.0], np.interp(wanted[1:-1] * length, s, t), [1.0]]), length


def pieces(ts, path, chunk):
    """ts cut into parts of `chunk` points, by default of so many that they fit the cache."""
    chunk = max(1, CHUNK // path(xp.asarray(0.0)).shape[-1]) if chunk is None else chunk
    return [ts[i:i + chunk] for i in range(0, len(ts), chunk)]


def profile(measures, path, ts, chunk=None):
    """name -> values (m,) on the host of each measure at path(ts), ts (m,) on the host.

    measures   name -> function of points (m, d) with values (m,)
    """
    parts = {name: [] for name in measures}
    for part in pieces(ts, path, chunk) if measures else ():
        points = path(xp.asarray(part))
        for name, measure_of in measures.items():
            parts[name].append(to_host(measure_of(points)))
    return {name: np.concatenate(part) for name, part in parts.items()}


def warn(name, found):
    """Say where on its way a path leaves the landscape."""
    if found.not_finite:
        first = found.ts[~np.isfinite(found.heights)][0]
        warnings.warn(f"{name}: {found.not_finite} of {found.evaluations} heights along the path "
                      f"are NaN or infinite, the first at t = {first:.4g}. NaN counts as infinitely "
                      "high; keep the path where the landscape is defined.",
                      PathWarning, stacklevel=3)
