"""A low path between two points, found as a sine series: all points of all starts in one batch.

    φ(t) = (1-t) θ₀ + t θ₁ + Σ_{k=1..K} a_k sin(kπt)

The highest point of a path is what counts, and a maximum has no useful gradient: only one point
would move. So the maximum is softened, and sharpened as the search goes on. With L_i the heights at
t_i, β growing from 10 to 300 and C the rise of the path itself above its higher end,

    J = C/β log (1/M) Σ_i exp(β L_i / C) + λ C E,      E = 1/(4 D²) Σ_k (kπ)² |a_k|²,  D = |θ₁ - θ₀|

E is the elastic energy of the path beyond that of the straight line (Parseval). Three things make
it work, as trials without each of them show:

  - the points are **jittered**: t_i = (i + u)/(M + 1), a new u every step. Points that stay where
    they are let the curve hide its crossing of the pass between two of them;
  - the search **never starts on the straight line**, which a symmetric landscape may hold for good,
    but from random curves of several amplitudes, **in pairs** a and -a: if one passes a hill on its
    left, the other passes on its right. Many **candidates** of two modes go a tenth of the way, and
    the lowest of them go on with K modes;
  - the unknowns are c_k = k a_k, so that high modes, which bend the path most, move least
    (Sobolev's scaling), and the step is measured by one number for all of them.

This is our design; the paper's own finder, as printed and as coded, is `published_path`.
"""
import math
import warnings
from typing import Any, NamedTuple

import numpy as np

from minigrad.backend import to_host, xp
from minigrad.kinds import expects, whole
from optim import Objective

from .heights import PathWarning, measure
from .path import Fourier, Straight, check_ends, sines
from .published_path import check_counts


class Found(NamedTuple):
    """What the path finder found.

    path      `Fourier`: the lowest as measured, never higher than the straight line
    height    its `Height`
    straight  `Height` of the straight line
    heights   (starts,) highest height of the path of every start; +inf for a start that left the
              landscape
    paths     the paths of all starts
    gradients points whose gradient was asked for
    """

    path: Any
    height: Any
    straight: Any
    heights: Any
    paths: list
    gradients: int


class FourierPathFinder:
    """Finds a low path between two points by gradient descent on a sine series.

    K           modes
    starts      paths that are followed to the end
    steps       of descent
    points      M, heights a step and start; None: max(64, 4K)
    candidates  for each start; 1: no choice among them is made, and all begin with K modes
    amplitudes  of the candidates, taken in turn by their pairs, in units of D
    beta        sharpness of the soft maximum, first and last
    elastic     λ, first and last, (0, 0) for none; β and λ run over the first 70 % of the steps
    lr          length of a step in units of D; constant for the first half, then half a cosine to 0
    noise       False: begin on the straight line, as one should not
    jitter      False: the points stay where they are
    soft        False: the mean height instead of the soft maximum
    places      at which the paths are measured in the end; 61 are enough between networks

    Raises ValueError for ends of different shapes, ends that are one point or not finite, K and M
    out of range, and where every start leaves the landscape (heights that are NaN or infinite).
    """

    @expects(K=whole(), starts=whole(), steps=whole(), candidates=whole())
    def __init__(self, K=8, starts=8, steps=1500, points=None, candidates=4,
                 amplitudes=(0.1, 0.5, 1.0, 2.0), beta=(10.0, 300.0), elastic=(1e-1, 1e-3),
                 lr=0.03, noise=True, jitter=True, soft=True, places=2001):
        points = max(64, 4 * K) if points is None else points
        check_counts(WHO, K, points, steps)
        if min(starts, candidates) < 1 or not all(a > 0 for a in amplitudes):
            raise ValueError(f"{WHO}: needs at least one start and candidate and amplitudes above "
                             f"0, got {starts}, {candidates} and {amplitudes}.")
        if not (min(beta) > 0 and (min(elastic) > 0 or max(elastic) == 0)):
            raise ValueError(f"{WHO}: beta must be above 0, and elastic too or (0, 0), got {beta} "
                             f"and {elastic}.")
        self.K, self.starts, self.steps, self.points = K, starts, steps, points
        self.candidates, self.amplitudes, self.noise = candidates, amplitudes, noise
        self.beta, self.elastic, self.lr, self.jitter, self.soft = beta, elastic, lr, jitter, soft
        self.places = places

    def find(self, objective, start, end, rng):
        """`Found`: the lowest path from start to end (d,), of all starts."""
        check(start, end)
        objective = objective if hasattr(objective, "value_and_grad") else Objective(objective)
        straight = measure(WHO, objective, Straight(start, end), self.places)
        spent, search = objective.gradients, Search(self, objective, start, end, rng)
        c, alive = search.run()
        paths = [Fourier(start, end, each) for each in c / modes(self.K, c.dtype)]
        found = [measure(WHO, objective, path, self.places) for path in paths]
        heights = np.array([each.highest if ok else math.inf for each, ok in zip(found, alive)])
        lost = int((~np.isfinite(heights)).sum())
        if lost == self.starts:
            raise ValueError(f"{WHO}: every one of {lost} starts came upon a height that is NaN or "
                             "infinite. Lower the amplitudes, or mend the landscape.")
        if lost or straight.not_finite:
            warnings.warn(f"{WHO}: {lost} of {self.starts} starts came upon a height that is NaN "
                          f"or infinite and were left out; on the straight line there are "
                          f"{straight.not_finite}.", PathWarning, stacklevel=2)
        best = int(heights.argmin())
        path, height = paths[best], found[best]
        if not heights[best] < straight.highest:
            path, height = Fourier(start, end, 0.0 * path.inner), straight
        return Found(path, height, straight, heights, paths, objective.gradients - spent)


WHO = "FourierPathFinder"


class Search:
    """One search: the landscape, the ends, and what every step of the descent needs."""

    def __init__(self, finder, objective, start, end, rng):
        self.finder, self.objective, self.rng = finder, objective, rng
        self.start, self.end, self.dtype = start, end, start.dtype
        self.D = float(xp.sqrt(xp.sum((end - start) ** 2)))
        self.top = float(xp.max(objective.value(xp.stack([start, end]))))

    def run(self):
        """c (starts, K, d) after candidates and descent, and which (starts,) are still finite."""
        f = self.finder
        if f.candidates == 1 or f.K < 2 or not f.noise:
            return self.descend(self.drawn(f.starts, f.K, f.amplitudes), f.steps, f.points)
        few = max(f.steps // 10, 1)
        c, alive = self.descend(self.drawn(f.starts * f.candidates, 2, f.amplitudes), few,
                                max(f.points // 4, 8))
        L = self.objective.value(self.points(c, np.linspace(0.0, 1.0, f.points + 2)[1:-1]))
        tops = np.where(alive, np.nan_to_num(to_host(L).max(axis=1), nan=np.inf), np.inf)
        chosen = xp.asarray(np.argsort(tops, kind="stable")[:f.starts])
        fresh = self.drawn(f.starts, f.K, f.amplitudes[:1])
        return self.descend(xp.concatenate([c[chosen], fresh[:, 2:]], axis=1), f.steps - few,
                            f.points)

    def drawn(self, count, K, amplitudes):
        """c (count, K, d) ~ N(0, (amplitude D)²/d)/k; every second one is the negative of the one
        before.
        """
        shape = (K,) + self.start.shape
        if not self.finder.noise:
            return xp.zeros((count,) + shape, dtype=self.dtype)
        scale = self.D / math.sqrt(len(self.start)) / np.arange(1, K + 1)[:, None]
        c = []
        for pair in range((count + 1) // 2):
            draw = self.rng.standard_normal(shape) * scale * amplitudes[pair % len(amplitudes)]
            c += [draw, -draw]
        return xp.asarray(np.stack(c[:count]), dtype=self.dtype)

    def points(self, c, t):
        """φ(t) (starts, M, d) of c (starts, K, d) at t (M,) on the host."""
        self.S = xp.asarray(sines(t, c.shape[1]), dtype=self.dtype)
        t = xp.asarray(t, dtype=self.dtype)[:, None]
        return (1.0 - t) * self.start + t * self.end + self.S @ (c / modes(c.shape[1], self.dtype))

    def descend(self, c, steps, M):
        """c after so many steps with M points, and which starts (count,) stayed finite.

            m ← 0.9 m + 0.1 g,    v ← 0.99 v + 0.01 |g|²,    c ← c - η D m̂ / √v̂
        """
        f = self.finder
        m, v, C = xp.zeros_like(c), xp.zeros((len(c), 1, 1), dtype=self.dtype), None
        alive = xp.ones(len(c), dtype=bool)
        for step in range(steps):
            done = step / steps
            beta, lam = (first * (last / first) ** min(1.0, done / 0.7) if first else 0.0
                         for first, last in (f.beta, f.elastic))
            eta = f.lr * self.D * (1.0 if done < 0.5 else 0.5 - 0.5 * math.cos(2 * math.pi * done))
            u = self.rng.uniform(-0.5, 0.5) if f.jitter else 0.0
            L, g = self.objective.value_and_grad(
                self.points(c, (np.arange(1, M + 1) + u) / (M + 1)))
            good = xp.isfinite(L).all(axis=1)
            if not bool(good.all()):                          # a start that left stays where it is
                alive &= good
                L, g = xp.where(good[:, None], L, 0.0), xp.where(good[:, None, None], g, 0.0)
            high = xp.max(L, axis=1, keepdims=True)
            rise = xp.maximum(high - self.top, 1e-12)
            C = rise if C is None else 0.9 * C + 0.1 * rise
            slope = slope_of(L, g, self.S, c, C, beta if f.soft else None, lam, self.D)
            m = 0.9 * m + 0.1 * slope
            v = 0.99 * v + 0.01 * xp.sum(slope * slope, axis=(1, 2), keepdims=True)
            scale = xp.sqrt(v * (1.0 / (1.0 - 0.99 ** (step + 1)))) * (1.0 - 0.9 ** (step + 1))
            delta = m * (eta / xp.maximum(scale, 1e-150))
            c = c - xp.where(alive[:, None, None], delta, 0.0)
        return c, to_host(alive)


def value_of(L, c, C, beta, lam, D):
    """J / C (starts,) for heights L (starts, M); beta None: the mean height for the soft maximum."""
    E = xp.sum((math.pi * c) ** 2, axis=(1, 2)) * (1.0 / (4.0 * D * D))       # k a_k = c_k
    if beta is None:
        return xp.mean(L, axis=1) / C[:, 0] + lam * E
    high = xp.max(L, axis=1, keepdims=True)
    mean = xp.mean(xp.exp((L - high) * (beta / C)), axis=1)
    return high[:, 0] / C[:, 0] + xp.log(mean) * (1.0 / beta) + lam * E


def slope_of(L, g, S, c, C, beta, lam, D):
    """Gradient of `value_of` in c (starts, K, d), for gradients g (starts, M, d), S (M, K):

        ∂/∂c_k = 1/k [ Σ_i (p_i / C) sin(kπt_i) ∇L_i + λ (kπ)² a_k / (2 D²) ],   p = softmax(βL/C)
    """
    k = modes(c.shape[1], c.dtype)
    high = xp.max(L, axis=1, keepdims=True)
    p = xp.ones_like(L) if beta is None else xp.exp((L - high) * (beta / C))
    p = p / (xp.sum(p, axis=1, keepdims=True) * C)
    return S.T @ (p[..., None] * g) / k + (lam * math.pi**2 / (2.0 * D * D)) * c


def modes(K, dtype):
    """k = 1..K as a column (K, 1)."""
    return xp.arange(1, K + 1).astype(dtype)[:, None]


def check(start, end):
    """Raises ValueError unless the ends are two different finite points of one shape (d,)."""
    check_ends(WHO, start, end)
    for name, point in (("start", start), ("end", end)):
        if not bool(xp.isfinite(point).all()):
            raise ValueError(f"{WHO}: the {name} holds NaN or infinite numbers. "
                             "Did the training diverge?")
    if not bool((start != end).any()):
        raise ValueError(f"{WHO}: start and end are the same point, there is no way to find. "
                         "Give two different minima.")
