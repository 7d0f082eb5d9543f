"""Paths: functions from t in [0, 1] to points, between two ends that are met exactly.

    Straight   (1-t) θ₀ + t θ₁
    Polygon    straight pieces through given points
    Bezier     Bernstein polynomials of control points
    Fourier    the straight line and a sine series: (1-t) θ₀ + t θ₁ + Σ_k a_k sin(kπt)
    Arc        on the sphere: turning from θ₀ to θ₁ instead of cutting across

All but the last are sums  φ(t) = Σ_j c_j(t) w_j  of points w_j with coefficients that depend on t
alone. t (m,) gives points (m, d), a number t gives one point (d,). What any function t -> points is
worth as a way across the landscape, `heights.height` measures.
"""
import math

import numpy as np

from minigrad import norm
from minigrad.arguments import point
from minigrad.backend import float_of, to_host, xp
from minigrad.kinds import array, expects

from .heights import Height, height                       # noqa: F401  the measure of every path

TINY = 1e-300                      # keeps 0/0 away where two points coincide
PARALLEL = 0.9995                  # above this cosine the arc and its chord cannot be told apart


class Path:
    """A path from `start` to `end`, both (d,): t (...) -> points (..., d)."""

    def __init__(self, start, end, name=None):
        self.start, self.end = start, end
        check_ends(name or type(self).__name__, start, end)

    def __call__(self, t):
        raise NotImplementedError(f"{type(self).__name__} does not say where it leads.")

    def velocity(self, t):
        """dφ/dt (..., d) at t (...)."""
        raise NotImplementedError(f"{type(self).__name__} does not say how fast it goes.")

    def speed(self, t):
        """|dφ/dt| (...), on the host."""
        v = self.velocity(t)
        return to_host(xp.sqrt(xp.sum(v * v, axis=-1)))

    def length(self, pieces=64):
        """Arc length: Gauss' rule of five points on each of `pieces` parts of [0, 1]."""
        x, w = np.polynomial.legendre.leggauss(5)
        cuts = self.breaks(pieces)
        half = 0.5 * np.diff(cuts)
        t = (cuts[:-1] + half)[:, None] + half[:, None] * x
        speeds = np.array([self.speed(row) for row in t], dtype=np.float64)
        return float((half[:, None] * w * speeds).sum())

    def breaks(self, pieces):
        """Places (n,) from 0 to 1 between which the speed is smooth."""
        return np.linspace(0.0, 1.0, pieces + 1)


class Combination(Path):
    """φ(t) = Σ_j c_j(t) w_j: the first coefficient belongs to `start`, the last to `end`.

    inner  (K, d) the points, or whatever stands in their place, of the coefficients between
    """

    def __init__(self, start, end, inner, name=None):
        super().__init__(start, end, name)
        self.inner = inner

    def coefficients(self, t):
        """c_j(t) on the host: t (...) -> (..., K + 2)."""
        raise NotImplementedError(f"{type(self).__name__} has no coefficients.")

    def slopes(self, t):
        """dc_j/dt on the host: t (...) -> (..., K + 2)."""
        raise NotImplementedError(f"{type(self).__name__} has no slopes.")

    def __call__(self, t):
        return self.combine(self.coefficients(on_host(t)))

    def velocity(self, t):
        return self.combine(self.slopes(on_host(t)))

    def combine(self, c):
        c = xp.asarray(c, dtype=self.start.dtype)
        out = c[..., :1] * self.start + c[..., -1:] * self.end
        return out + c[..., 1:-1] @ self.inner if len(self.inner) else out


class Straight(Combination):
    """The straight line  (1-t) θ₀ + t θ₁."""

    def __init__(self, start, end, name=None):
        super().__init__(start, end, (), name)

    def coefficients(self, t):
        return np.stack([1.0 - t, t], axis=-1)

    def slopes(self, t):
        return np.stack([-np.ones_like(t), np.ones_like(t)], axis=-1)


class Polygon(Combination):
    """Straight pieces through the points (K, d), K >= 2.

        φ(t) = (1-u) w_i + u w_{i+1},     u = (t - t_i) / (t_{i+1} - t_i)

    knots  (K,) the t of each point, not falling; None: by arc length, so that the speed is constant
    """

    def __init__(self, points, knots=None, name=None):
        name = name or type(self).__name__
        check_points(name, points)
        super().__init__(points[0], points[-1], points[1:-1], name)
        self.knots = arc_knots(points) if knots is None else np.asarray(knots, dtype=np.float64)
        if self.knots.shape != (len(points),) or np.any(np.diff(self.knots) < 0):
            raise ValueError(f"{name}: needs one knot for each of the {len(points)} points, not "
                             f"falling, got shape {self.knots.shape}.")

    def coefficients(self, t):
        i, u, _ = self.place(t)
        return self.on_two(i, 1.0 - u, u)

    def slopes(self, t):
        i, _, gap = self.place(t)
        return self.on_two(i, -1.0 / gap, 1.0 / gap)

    def place(self, t):
        """The piece i (...) that t (...) lies in, the share u of it that is passed, its width."""
        i = np.clip(np.searchsorted(self.knots, t, side="right") - 1, 0, len(self.knots) - 2)
        gap = np.maximum(self.knots[i + 1] - self.knots[i], TINY)
        return i, np.clip((t - self.knots[i]) / gap, 0.0, 1.0), gap

    def on_two(self, i, first, second):
        """(..., K) with `first` at place i and `second` at i + 1, zeros elsewhere."""
        c = np.zeros(np.shape(i) + (len(self.knots),))
        np.put_along_axis(c, i[..., None], np.asarray(first)[..., None], axis=-1)
        np.put_along_axis(c, i[..., None] + 1, np.asarray(second)[..., None], axis=-1)
        return c

    def breaks(self, pieces):
        return np.unique(np.concatenate([self.knots, np.linspace(0.0, 1.0, pieces + 1)]))


class Bezier(Combination):
    """c_j(t) = binomial(K, j) t^j (1 - t)^(K-j), Bernstein's polynomials of K + 1 points (K+1, d)."""

    def __init__(self, points, name=None):
        check_points(name or type(self).__name__, points)
        super().__init__(points[0], points[-1], points[1:-1], name)

    def coefficients(self, t):
        return bernstein(t, len(self.inner) + 1)

    def slopes(self, t):
        """c_j' = K (b_{j-1} - b_j) with b the polynomials of degree K - 1."""
        K = len(self.inner) + 1
        b = np.pad(bernstein(t, K - 1), [(0, 0)] * np.ndim(t) + [(1, 1)])
        return K * (b[..., :-1] - b[..., 1:])


def bernstein(t, K):
    """Bernstein's polynomials of degree K: t (...) -> (..., K + 1)."""
    t, j = np.asarray(t, dtype=np.float64)[..., None], np.arange(K + 1)
    binomial = np.array([math.comb(K, k) for k in j], dtype=np.float64)
    return binomial * t**j * (1.0 - t)**(K - j)


class Fourier(Combination):
    """The straight line and a sine series, exact at both ends for any a (K, d):

        φ(t) = (1-t) θ₀ + t θ₁ + Σ_{k=1..K} a_k sin(kπt)

    The modes are orthogonal, so  ∫ |φ'|² dt = |θ₁ - θ₀|² + ½ Σ_k (kπ)² |a_k|²  (Parseval).
    Walked the other way the path has a_k -> (-1)^(k+1) a_k.

    Source: Yu & Morozov 2026, arXiv:2602.21276, section on the path finder.
    """

    @expects(a=array)
    def __init__(self, start, end, a, name=None):
        super().__init__(start, end, a, name)
        if a.ndim != 2 or a.shape[1:] != start.shape:
            raise ValueError(f"Fourier: coefficients {tuple(a.shape)} between ends of shape "
                             f"{tuple(start.shape)}. Give (K, d).")

    def coefficients(self, t):
        return np.concatenate([1.0 - t[..., None], sines(t, len(self.inner)), t[..., None]], -1)

    def slopes(self, t):
        k, one = np.arange(1, len(self.inner) + 1), np.ones_like(t)[..., None]
        return np.concatenate([-one, k * math.pi * np.cos(k * math.pi * t[..., None]), one], -1)


def sines(t, K):
    """sin(kπt), k = 1..K: t (...) -> (..., K); exactly 0 at t = 0 and t = 1."""
    t = np.asarray(t, dtype=np.float64)[..., None]
    s = np.sin(np.arange(1, K + 1) * math.pi * t)
    return np.where((t == 0.0) | (t == 1.0), 0.0, s)


class Arc(Path):
    """Spherical linear interpolation between p and q (d,):

        cos w = <p, q> / (|p| |q|),     φ(t) = sin((1-t) w)/sin w  p  +  sin(t w)/sin w  q

    If |p| = |q| the norm stays (the midpoint of the chord shrinks by cos(w/2)). Where
    cos w > 0.9995, or a part is zero or a single number, the chord is taken.

    parts  list of (name, slice): each turns by its own angle; None: the whole point by one

    Source: Shoemake 1985, SIGGRAPH, for unit quaternions. Raises ValueError for opposite
    directions: infinitely many arcs join them.
    """

    def __init__(self, start, end, parts=None, name=None):
        super().__init__(start, end, name)
        self.parts = [("the whole", slice(None))] if parts is None else parts
        self.angles = [angle(name or "Arc", part, start[where], end[where])
                       for part, where in self.parts]

    def __call__(self, t):
        return self.sum(on_host(t), lambda t: (1.0 - t, t),
                        lambda t, w: (np.sin((1.0 - t) * w), np.sin(t * w)))

    def velocity(self, t):
        return self.sum(on_host(t), lambda t: (-np.ones_like(t), np.ones_like(t)),
                        lambda t, w: (-w * np.cos((1.0 - t) * w), w * np.cos(t * w)))

    def sum(self, t, chord, turned):
        """a(t) p + b(t) q for each part: the pair (a, b) of the chord, or turned over sin w."""
        found = []
        for w, (_, where) in zip(self.angles, self.parts):
            pair = chord(t) if w is None else [c / math.sin(w) for c in turned(t, w)]
            a, b = (xp.asarray(c, dtype=self.start.dtype)[..., None] for c in pair)
            found.append(a * self.start[where] + b * self.end[where])
        return xp.concatenate(found, axis=-1) if len(found) > 1 else found[0]


def angle(name, part, p, q):
    """The angle between p and q, None where the chord stands for the arc."""
    P, Q = norm(p), norm(q)
    known = p.size > 1 and min(float_of(P), float_of(Q)) > 0
    cosine = float_of(xp.vdot(p / P, q / Q)) if known else 1.0
    if cosine < -PARALLEL:
        raise ValueError(f"{name}: {part} points in opposite directions (cosine {cosine:.6f}), and "
                         "no arc is the shortest. Interpolate linearly, or flip the sign of one.")
    return None if cosine > PARALLEL else math.acos(cosine)


# ---------------------------------------------------------------------- what is checked

def check_ends(name, start, end):
    """Raises ValueError unless both are one point (d,) of one network."""
    shapes = getattr(start, "shape", ()), getattr(end, "shape", ())
    if len(shapes[0]) == len(shapes[1]) == 1:
        real_numbers(name, start, "start"), real_numbers(name, end, "end")
    if shapes[0] != shapes[1] or len(shapes[0]) != 1:
        raise ValueError(f"{name}: needs two points of one shape (d,), got {tuple(shapes[0])} and "
                         f"{tuple(shapes[1])}. Do both belong to the same network?")


def check_points(name, points):
    if getattr(points, "ndim", 0) != 2 or len(points) < 2:
        raise ValueError(f"{name}: needs at least two points, (K, d), got shape "
                         f"{tuple(getattr(points, 'shape', ()))}.")
    real_numbers(name, points, "points")


def real_numbers(where, points, name):
    """Floats, or whole numbers, which become floats on the way."""
    return points if points.dtype.kind in "iu" else point(where, points, name)


def on_host(t):
    return np.asarray(to_host(t), dtype=np.float64)


def arc_knots(points):
    """(K,) from 0 to 1, the share of the polygon's length passed at each of its points."""
    steps = points[1:] - points[:-1]
    gaps = to_host(xp.sqrt(xp.sum(steps * steps, axis=-1))).astype(np.float64)
    along = np.concatenate([[0.0], np.cumsum(gaps)])
    return along / along[-1] if along[-1] > 0 else np.linspace(0.0, 1.0, len(points))
