"""Conditions on a whole domain: the worst point of a box, or of all space.

The domain is cut into the regions of the nearest minimisers x_p. In each, for each part, the score
is taken on a fine mesh; *every* local maximum of the mesh (all 3^d - 1 neighbours, borders
included) is climbed by Nelder and Mead's simplex inside the region. Looking only at the largest
mesh values misses narrow peaks. For all of space the mesh is one of u with x = c + s u/(1 - u²),
and the limit at infinity is added. In four dimensions and more random starts take the mesh's place.

    beta_min(problem, box, alpha)      sup (α D - G)/H         see envelope.py for the letters
    alpha_min(problem, box, gap)       gap + max(sup (δ D - G)/I, 0)
    verify_on_domain(problem, box, alpha, beta)   inf T        the witness, if it is < 0
    least(problem, box, condition)     inf of a rival's constant

A search can miss; what is found is a lower bound of the sup, tested against closed forms.
"""
from itertools import product
from typing import NamedTuple

import numpy as np

from problems.landscape.conditions.simplex import climb

MESH = {1: 2001, 2: 151, 3: 31}                         # points a side
STARTS = 4000                                           # from four dimensions on


class Extreme(NamedTuple):
    """The worst case: its value, where (None: at infinity), and of which part (None: the mean)."""

    value: float
    point: np.ndarray | None
    part: int | None


class Place(NamedTuple):
    """What a score may ask about points (m, d): with x_p, heights and gradients of the parts."""

    x: np.ndarray
    xp: np.ndarray
    F: np.ndarray
    E: np.ndarray
    g: np.ndarray
    lowest: np.ndarray
    minimum: float

    @property
    def G(self):
        return np.einsum("mnd,md->mn", self.g, self.x - self.xp)

    @property
    def whole(self):
        """∇f (m, d)."""
        return self.g.mean(axis=1)


def beta_min(problem, box, alpha, **search):
    """The smallest β with (α, β) on the domain, signed: Extreme."""
    return supremum(problem, box, lambda p: ratio(alpha * (p.F - p.E) - p.G, p.F - p.lowest),
                    **search)


def alpha_min(problem, box, gap, **search):
    """The smallest α with (α, α - gap) on the domain, β >= 0: Extreme; infinite: there is none."""
    if not gap > 0:
        raise ValueError(f"alpha_min: the gap alpha - beta must be > 0, got {gap}.")

    def score(p):
        above, I = gap * (p.F - p.E) - p.G, p.E - p.lowest
        hard = np.where(above > 1e-12, np.inf, -np.inf)
        return np.where(I > 1e-15, above / np.where(I > 1e-15, I, 1.0), hard)
    worst = supremum(problem, box, score, **search)
    return worst._replace(value=gap + max(worst.value, 0.0))


def verify_on_domain(problem, box, alpha, beta, **search):
    """The least T of the pair on the domain, with its witness: Extreme. It holds if value >= 0."""
    if not alpha > beta:
        raise ValueError(f"verify_on_domain: needs alpha > beta, got alpha={alpha}, beta={beta}.")
    worst = supremum(problem, box, lambda p: alpha * (p.F - p.E) - p.G - beta * (p.F - p.lowest),
                     **search)
    return worst._replace(value=-worst.value)


RIVALS = {
    "PL": lambda p, gap: np.sum(p.whole**2, axis=-1) / (2.0 * gap),
    "relaxed PL": lambda p, gap: 0.5 * np.sum(p.whole**2, axis=-1) / gap**2,      # d = 1
    "Aiming": lambda p, gap: np.sum(p.whole * (p.x - p.xp), axis=-1) / gap,
}


def least(problem, box, condition, centre=None, **search):
    """The least constant (μ or θ) of a rival on the domain: Extreme; <= 0 is its failure.

    condition   "PL", "relaxed PL" (d = 1, the weakest at small f - f*), "Aiming", or "QCvx", which
                takes one `centre` x* for all x
    """
    if condition not in (*RIVALS, "QCvx"):
        raise ValueError(f"least: unknown condition {condition!r}. Use one of "
                         f"{', '.join(RIVALS)}, QCvx.")
    if condition == "QCvx" and centre is None:
        raise ValueError("least: QCvx is measured from one minimiser. Give centre=x*.")
    formula = RIVALS["Aiming" if condition == "QCvx" else condition]

    def score(p):
        gap = p.F.mean(axis=1) - p.minimum
        p = p if centre is None else p._replace(xp=np.broadcast_to(centre, p.x.shape))
        there = gap > 1e-9
        return -np.where(there, formula(p, np.where(there, gap, 1.0)), np.inf)[:, None]
    worst = supremum(problem, box, score, bounded=box is not None, **search)
    return Extreme(-worst.value, worst.point, None)


def ratio(above, below):
    """above/below; nothing is said where below vanishes (its neighbours say it)."""
    return np.where(below > 1e-15, above / np.where(below > 1e-15, below, 1.0), -np.inf)


# ---------------------------------------------------------------------- the search

def supremum(problem, box, score, *, mesh=None, bounded=False, rng=None):
    """The largest score (m, n) over the domain: Extreme.

    box      (low, high), each (d,) or a number; None for all of space
    mesh     points a side;   rng  draws the starts where there is no mesh
    """
    d = problem.dimension
    enter, low, high = coordinates(problem, box, d)
    regions = [None] if problem.minimisers is None else range(len(problem.minimisers))
    axes = ([np.linspace(low[k], high[k], mesh or MESH.get(d, 0)) for k in range(d)]
            if d < 4 else None)
    u = (np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, d) if axes else
         (rng or np.random.default_rng(0)).uniform(low, high, (STARTS, d)))
    best = Extreme(-np.inf, None, None)
    for j in regions:
        heights = measured(problem, enter(u), j, score)
        for i in range(heights.shape[1]):
            starts = (peaks(heights[:, i].reshape([len(a) for a in axes])) if axes
                      else np.argsort(-heights[:, i])[:60])
            if not len(starts):
                continue
            if np.isposinf(heights[starts, i]).any():
                at = starts[np.argmax(heights[starts, i])]
                return Extreme(np.inf, enter(u[at:at + 1])[0], i)
            step = (high - low) / (len(axes[0]) - 1 if axes else 20)
            top, where = climb(lambda v, i=i: measured(problem, enter(v), j, score)[:, i],
                               u[starts], step, low, high)
            if top > best.value:
                best = Extreme(float(top), enter(where[None])[0], i)
    if box is None and problem.far is not None and not bounded:
        best = max(best, at_infinity(problem, score), key=lambda e: e.value)
    return best


def coordinates(problem, box, d):
    """(u -> x, low, high): the box itself, or the compactified space."""
    if box is not None:
        if len(box) != 2 or any(np.shape(end) not in ((), (d,)) for end in box):
            raise ValueError(f"domain: a box is (low, high), each a number or {d} of them, got "
                             f"{box}.")
        low, high = (np.broadcast_to(np.asarray(end, float), (d,)) for end in box)
        if not (low < high).all():
            raise ValueError(f"domain: the box is empty, low={low}, high={high}.")
        return (lambda u: u), low, high
    known = [s.point for s in problem.stationary]
    known = np.array(known) if known else np.zeros((1, d))
    centre, scale = known.mean(axis=0), 1.0 + np.ptp(known, axis=0).max()
    edge = np.full(d, 1.0 - 1e-7)
    return (lambda u: centre + scale * u / (1.0 - u * u)), -edge, edge


def measured(problem, x, j, score):
    """The score at x (m, d) in region j, -inf outside of it: (m, n)."""
    if j is None:
        xp, inside = problem.nearest(x)[:, 0], None
    else:
        away = np.linalg.norm(x[:, None] - problem.minimisers, axis=-1)
        inside = away[:, j] <= away.min(axis=1) + 1e-12
        xp = np.broadcast_to(problem.minimisers[j], x.shape)
    F, g = problem.slopes(x)
    E = problem.values(xp[:1] if j is not None else xp)
    found = score(Place(x, xp, F, np.broadcast_to(E, F.shape), g, problem.lowest, problem.minimum))
    return found if inside is None else np.where(inside[:, None], found, -np.inf)


def at_infinity(problem, score):
    """The best of the limits, where all slopes vanish."""
    xp = problem.nearest(np.zeros((1, problem.dimension)))[:, 0] if problem.minimisers is None \
        else problem.minimisers
    m, n = len(xp), problem.n
    found = score(Place(xp, xp, np.broadcast_to(problem.far, (m, n)), problem.values(xp),
                        np.zeros((m, n, problem.dimension)), problem.lowest, problem.minimum))
    j, i = np.unravel_index(np.argmax(found), found.shape)
    return Extreme(float(found[j, i]), None, int(i))


def peaks(heights):
    """Flat indices of the local maxima of a mesh: no neighbour is higher."""
    padded = np.pad(heights, 1, constant_values=-np.inf)
    top = heights > -np.inf
    for shift in product((0, 1, 2), repeat=heights.ndim):
        if set(shift) != {1}:
            window = tuple(slice(s, s + n) for s, n in zip(shift, heights.shape))
            top &= heights >= padded[window]
    found = np.flatnonzero(top)
    return found[np.argsort(-heights.ravel()[found])][:200]         # a plateau has too many
