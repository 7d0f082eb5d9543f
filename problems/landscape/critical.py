"""Critical points of every index: find where the gradient vanishes, say what kind of point it is,
and admit failure.

A descent method finds minima. To see the saddles one solves g(theta) = 0 itself, by one of

    newton     d = -pinv(H) g, halved until |g| falls
    lm         Levenberg-Marquardt on |g|^2/2:   (H^2 + mu I) d = -H g,   mu/5 on success, 4 mu on
                                                 failure
    gradnorm   descent on |g|^2/2, whose gradient is H g: products only, for large n

On |g|^2/2 there are spurious minima, where H g = 0 but g is not: most "critical points" of networks
that such searches reported were of this kind (Frye et al. 2021, arXiv:2003.10397). And tanh
networks have critical points at infinity only. So a search ends in one of four ways:

    converged       |g| <= tol (1 + |f|), theta bounded, and Newton's step from there is short
    gradient_flat   |H g| <= 1e-6 |H| |g| with g not small
    runaway         theta left the bound, or the gradient fades along a way that leads on
    maxiter         none of these

All starts of a batch (n, d) are searched at once; each has its own mu, step and fate.
"""
from typing import Any, NamedTuple

import numpy as np

from minigrad.backend import float_of, to_host, xp
from optim.newton import dense

from .hessian import as_objective, check_finite, index_of

LM_START, LM_DOWN, LM_UP = 1e-3, 0.2, 4.0
# curvatures below this share of the largest count as zero
PINV_CUT = 1e-12
FLAT = 1e-6                                 # |Hg| <= FLAT |H||g|: the gradient lies in the kernel
# a converged point has its root within SHORT (1 + |theta|)
SHORT = 1e-3
MEMORY = 10                                 # heights that gradnorm's steps are compared with
ITERATIONS = {"newton": 100, "lm": 500, "gradnorm": 5000}


class CriticalPoint(NamedTuple):
    """Where a search ended and what is there.

    theta (d,), f, gnorm   the point, its height, |gradient|
    index                  eigenvalues of the Hessian below -max(1e-8 max|eig|, eig_error)
    eig (d,)               all of them, ascending, on the host
    status                 converged | gradient_flat | runaway | maxiter
    distance               |pinv(H) g|: how far Newton's model puts the root, the uncertainty of
                           theta
    eig_error              how far eig may be from the root's; large at degenerate points, where it
                           takes small curvatures out of the index. 0 where there is no root
    iterations             steps taken
    """

    theta: Any
    f: float
    gnorm: float
    index: int
    eig: np.ndarray
    status: str
    distance: float
    eig_error: float
    iterations: int

    @property
    def converged(self):
        return self.status == "converged"

    @property
    def alpha(self):
        """The index as a share of all directions."""
        return self.index / len(self.eig)


def find_critical_point(loss, theta0, method="lm", tol=1e-9, iterations=None, bound=None):
    """Search from theta0 (d,) for a point with g = 0; from (n, d), n searches and a list of n
    records.

    loss        an Objective, a Problem, a function of theta; or a landscape with `gradient`,
                `hessian` and `retract(theta, d)` of its own, such as PSpin on its sphere
    method      "newton", "lm" (finds most in practice), "gradnorm"
    tol         on |g|, relative to 1 + |f|
    iterations  default 100, 500, 5000
    bound       on |theta|; default 100 (1 + |theta0|)

    Raises ValueError for an unknown method and for starts that are not finite
    """
    # a copy: the search writes in it
    theta0 = xp.array(theta0, dtype=float)
    if method not in SEARCHES:
        raise ValueError(f"find_critical_point: unknown method {method!r}. Use one of {', '.join(SEARCHES)}.")
    if theta0.ndim not in (1, 2):
        raise ValueError(f"find_critical_point: theta0 must be (d,) or (n, d), got shape {theta0.shape}.")
    check_finite("find_critical_point", theta0)
    starts = theta0 if theta0.ndim == 2 else theta0[None]
    surface = Curved(loss) if hasattr(loss, "retract") else Flat(loss)
    bound = 100.0 * (1.0 + norms(starts)) if bound is None else bound + xp.zeros(len(starts))
    search = Search(surface, starts, tol, bound)
    SEARCHES[method](search, ITERATIONS[method] if iterations is None else iterations)
    points = search.verdicts()
    return points if theta0.ndim == 2 else points[0]


# ---------------------------------------------------------------------- the landscape as a search sees it

class Flat:
    """Points of R^d: derivatives by minigrad, steps by addition."""

    def __init__(self, loss):
        self.objective = as_objective(loss)

    def model(self, theta):
        """f (n,), g (n, d)."""
        return self.objective.value_and_grad(theta)

    def hessian(self, theta):
        """H (n, d, d)."""
        return dense(self.objective.hvp(theta), theta)

    def times(self, theta, v):
        """H v (n, d)."""
        return self.objective.hvp(theta)(v)

    def move(self, theta, d):
        return theta + d


class Curved:
    """A landscape that knows its own derivatives and how to step along its surface."""

    def __init__(self, landscape):
        self.landscape, self.hessian, self.move = landscape, landscape.hessian, landscape.retract

    def model(self, theta):
        return self.landscape.loss(theta), self.landscape.gradient(theta)

    def times(self, theta, v):
        return (self.landscape.hessian(theta) @ v[..., None])[..., 0]


# ---------------------------------------------------------------------- the three searches

class Search:
    """n searches side by side: points, heights, gradients, and who is still looking."""

    def __init__(self, surface, theta, tol, bound):
        self.surface, self.theta, self.tol, self.bound = surface, theta, tol, bound
        self.f, self.g = surface.model(theta)
        self.steps = xp.zeros(len(theta), dtype=int)
        self.stuck = xp.zeros(len(theta), dtype=bool)

    def active(self):
        """Rows that go on: not yet critical, not out of bounds, not stuck."""
        done = (norms(self.g) <= self.tol * (1.0 + xp.abs(self.f))) | (norms(self.theta) > self.bound)
        return xp.flatnonzero(~(done | self.stuck))

    def try_step(self, rows, d, good_enough):
        """Move `rows` by d where the new |g| is finite and passes; returns the mask of rows that
        moved.
        """
        theta = self.surface.move(self.theta[rows], d)
        f, g = self.surface.model(theta)
        size = norms(g)
        good = xp.isfinite(f) & xp.isfinite(size) & good_enough(size)
        moved = rows[good]
        self.theta[moved], self.f[moved], self.g[moved] = theta[good], f[good], g[good]
        self.steps[moved] += 1
        return good

    def halved(self, rows, d, good_enough):
        """Move each row by d, d/2, d/4, ... until `good_enough(rows)(|g|)`; what never passes is
        stuck.
        """
        t = xp.ones((len(rows), 1), dtype=d.dtype)
        waiting = xp.arange(len(rows))
        for _ in range(40):
            good = self.try_step(rows[waiting], t[waiting] * d[waiting], good_enough(rows[waiting]))
            waiting = waiting[~good]
            if len(waiting) == 0:
                return
            t[waiting] *= 0.5
        self.stuck[rows[waiting]] = True

    def verdicts(self):
        """One record for each row; Hessians one at a time, so that memory stays n d + d^2."""
        return [self.verdict(i) for i in range(len(self.theta))]

    def verdict(self, i):
        row = xp.asarray([i])
        H, eig_error = self.surface.hessian(self.theta[row])[0], 0.0
        if float_of(norms(self.g[i])) <= self.tol * (1.0 + abs(float_of(self.f[i]))):
            H, eig_error = self.polished(row, H)
        theta, f, g = self.theta[i], float_of(self.f[i]), self.g[i]
        gnorm, size = float_of(norms(g)), float_of(norms(theta))
        eig, Q = xp.linalg.eigh(H)
        largest = float_of(xp.max(xp.abs(eig)))
        distance = float_of(norms(pinv_times(eig, Q, g)))
        if not size <= float_of(self.bound[i]):
            status = "runaway"
        elif gnorm <= self.tol * (1.0 + abs(f)):
            status = "converged" if distance <= SHORT * (1.0 + size) else "runaway"
        elif float_of(norms(H @ g)) <= FLAT * largest * gnorm:
            status = "gradient_flat"
        else:
            status = "maxiter"
        return CriticalPoint(theta, f, gnorm, index_of(eig, max(1e-8 * largest, eig_error)),
                             to_host(eig), status,
                             distance, eig_error, int(self.steps[i]))

    def polished(self, row, H):
        """One more Newton step, kept if |g| falls. How much it changes H says how well H is known:
        a root that Newton approaches by halves (a degenerate one) is still one such step away, any
        other much less.
        """
        eig, Q = xp.linalg.eigh(H[None])
        before = norms(self.g[row])
        if not bool(self.try_step(row, -pinv_times(eig, Q, self.g[row]),
                                  lambda size: size < before)[0]):
            return H, 0.0
        new = self.surface.hessian(self.theta[row])[0]
        return new, 2.0 * float_of(xp.linalg.norm(new - H))


def newton(search, iterations):
    """d = -pinv(H) g."""
    for _ in range(iterations):
        rows = search.active()
        if len(rows) == 0:
            return
        eig, Q = xp.linalg.eigh(search.surface.hessian(search.theta[rows]))
        before = norms(search.g)
        search.halved(rows, -pinv_times(eig, Q, search.g[rows]),
                      lambda r: lambda size: size < before[r])


def levenberg_marquardt(search, iterations):
    """d = -(H^2 + mu I)^{-1} H g = -Q lambda/(lambda^2 + mu) Q^T g, on the eigenbasis of H."""
    n, d = search.theta.shape
    eig, Q = xp.zeros((n, d), dtype=search.theta.dtype), xp.zeros((n, d, d),
                                                                  dtype=search.theta.dtype)
    mu = xp.zeros((n, 1), dtype=search.theta.dtype)
    # rows whose H is out of date
    fresh = xp.ones(n, dtype=bool)
    for k in range(iterations):
        rows = search.active()
        if len(rows) == 0:
            return
        new = rows[fresh[rows]]
        if len(new):
            eig[new], Q[new] = xp.linalg.eigh(search.surface.hessian(search.theta[new]))
        largest = xp.max(xp.abs(eig[rows]), axis=1, keepdims=True)
        if k == 0:
            mu[rows] = LM_START * largest**2
        mu[rows] = xp.maximum(mu[rows], 1e-30 * largest**2)
        weight = eig[rows] / xp.maximum(eig[rows]**2 + mu[rows], 1e-300)
        step = -in_basis(Q[rows], weight, search.g[rows])
        before = norms(search.g[rows])
        good = search.try_step(rows, step, lambda size: size < before)
        mu[rows] *= xp.where(good[:, None], LM_DOWN, LM_UP)
        fresh[rows] = good
        search.stuck[rows] = norms(step) <= 1e-16 * (1.0 + norms(search.theta[rows]))


def gradnorm(search, iterations):
    """theta <- theta - t H g with Barzilai & Borwein's t = |s|^2/<s, y>, s and y the last changes
    of theta and H g.

    The step is halved until |g| lies below the largest of its last ten values; one product and
    about one gradient a step.
    """
    theta, p = search.theta.copy(), xp.zeros_like(search.theta)
    t = xp.zeros(len(theta), dtype=theta.dtype)
    recent = xp.repeat(norms(search.g)[:, None], MEMORY, axis=1)
    for k in range(iterations):
        rows = search.active()
        if len(rows) == 0:
            return
        new = search.surface.times(search.theta[rows], search.g[rows])
        s, y = search.theta[rows] - theta[rows], new - p[rows]
        curve = xp.sum(s * y, axis=1)
        # exact along the first line
        if k == 0:
            bent = search.surface.times(search.theta[rows], new)
            size = xp.sum(new * new, axis=1)
            t[rows] = size / xp.maximum(xp.sum(bent * bent, axis=1), 1e-16 * size)
        else:
            ratio = xp.sum(s * s, axis=1) / xp.where(curve > 0, curve, 1.0)
            t[rows] = xp.where(curve > 0, ratio, 2.0 * t[rows])
        theta[rows], p[rows] = search.theta[rows], new
        search.halved(rows, -t[rows, None] * new, lambda r: lambda size: size < xp.max(recent[r],
                                                                                       axis=1))
        recent[:, k % MEMORY] = norms(search.g)


SEARCHES = {"newton": newton, "lm": levenberg_marquardt, "gradnorm": gradnorm}


def in_basis(Q, weight, g):
    """Q diag(weight) Q^T g for a batch: Q (..., d, d), weight and g (..., d)."""
    return (Q @ (weight * (xp.swapaxes(Q, -1, -2) @ g[..., None])[..., 0])[..., None])[..., 0]


def pinv_times(eig, Q, g):
    """pinv(H) g; curvatures below PINV_CUT of the largest count as zero."""
    floor = PINV_CUT * xp.max(xp.abs(eig), axis=-1, keepdims=True)
    keep = xp.abs(eig) > floor
    return in_basis(Q, xp.where(keep, 1.0 / xp.where(keep, eig, 1.0), 0.0), g)


def norms(x):
    return xp.linalg.norm(x, axis=-1)


# ---------------------------------------------------------------------- what a set of points says

class IndexStudy(NamedTuple):
    """Height against index over a set of critical points.

    f, alpha (n,)            heights and indices as shares
    linear, rank             Pearson's and Spearman's correlation; plateaus at infinity spoil the
                             first, not the second
    """

    f: np.ndarray
    alpha: np.ndarray
    linear: float
    rank: float


def index_against_height(points):
    """Correlate height and index over the converged points of a search."""
    points = [point for point in points if point.converged]
    f, alpha = np.array([p.f for p in points]), np.array([p.alpha for p in points])
    if len(points) < 3 or np.ptp(f) == 0 or np.ptp(alpha) == 0:
        return IndexStudy(f, alpha, float("nan"), float("nan"))
    # equal heights differ by rounding
    level = np.round(f / np.abs(f).max(), 9)
    return IndexStudy(f, alpha, float(np.corrcoef(f, alpha)[0, 1]),
                      float(np.corrcoef(ranks(level), ranks(alpha))[0, 1]))


def ranks(x):
    """Ranks 0 ... n-1, ties sharing their mean."""
    _, group, count = np.unique(x, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count + 1) / 2.0)[group]


def distinct(points, tol=1e-6):
    """Converged points that differ in height or in spectrum: copies by a symmetry of the landscape
    are dropped.
    """
    found = []
    for point in sorted((p for p in points if p.converged), key=lambda p: p.f):
        marks = np.append(point.eig, point.f)
        scale = tol * (1.0 + np.abs(marks).max())
        if not any(np.abs(np.append(q.eig, q.f) - marks).max() <= scale for q in found):
            found.append(point)
    return found
