"""Critical points of every index: where the gradient vanishes, what is there, and when none is.

A descent method finds minima. To see the saddles too one solves g(θ) = 0 itself (`searches`
has three ways). Lowering |g|^2 has its own spurious minima, where H g = 0 and g is not zero: most
"critical points" of networks that such searches reported were of that kind (Frye et al. 2021,
arXiv:2003.10397). And networks of tanh have critical points at infinity. So a search ends as

    converged       |g| <= tol (1 + |f - f at the start|), θ bounded, Newton's step from there
                    short, and nothing of g in the kernel of H, where Newton does not see it
    gradient_flat   |H g| <= 1e-6 |H| |g| with g not small, or a small g with a part in the kernel
    runaway         θ left the bound, or the gradient fades along a way that leads on
    maxiter         none of these
"""
from typing import Any, NamedTuple

import numpy as np

from minigrad.backend import float_of, to_host, xp
from minigrad.kinds import expects, numbers, positive, whole

from problems.landscape.doors import landscape
from problems.landscape.curvature.hessian import as_objective, check_finite, index_of
from .index_study import IndexStudy, distinct, index_against_height
from .searches import SEARCHES, Search, bent, in_basis, norms, pinv_times

__all__ = ["CriticalPoint", "find_critical_point", "IndexStudy", "distinct", "index_against_height"]

FLAT = 1e-6                               # |H g| below this share of |H||g|: g lies in H's kernel
NOISE = 1e-12                             # rounding of g in H's kernel, a share of |H|(1 + |θ|)
SHORT = 1e-3                              # a converged point's root is within SHORT (1 + |theta|)
ITERATIONS = {"newton": 100, "lm": 500, "gradnorm": 5000}


class CriticalPoint(NamedTuple):
    """Where a search ended and what is there.

    theta (d,), f, gnorm   the point, its height, |gradient|
    index                  eigenvalues of the Hessian below -max(1e-8 max|eig|, eig_error)
    eig (d,)               all of them, ascending, on the host
    status                 converged | gradient_flat | runaway | maxiter
    distance               |pinv(H) g|: how far Newton puts the root, the uncertainty of theta
    eig_error              how far eig may be from the root's: large at a degenerate point, where it
                           keeps small curvatures out of the index; 0 where there is no root
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


def a_landscape(where, name, value):
    """One with derivatives of its own as it is; what else is a landscape as an Objective."""
    return value if hasattr(value, "retract") else landscape(where, name, value)


@expects(loss=a_landscape, theta0=numbers, tol=positive, iterations=whole(1), bound=positive)
def find_critical_point(loss, theta0, method="lm", tol=1e-9, iterations=None, bound=None):
    """Search from theta0 (d,) for a point with g = 0; from (n, d), n searches and n records.

    loss        an Objective, a Problem, a function of theta; or a landscape with `gradient`,
                `hessian` and `retract(theta, d)` of its own, such as PSpin on its sphere
    method      "newton", "lm" (finds most in practice), "gradnorm" (products only, for large d; the
                record's spectrum still takes d products)
    tol         on |g|, relative to 1 + |f - f at the start|
    iterations  default 100, 500, 5000
    bound       on |θ|; default 100 (1 + |θ_0|)

    Raises ValueError for an unknown method and for starts that are not finite
    """
    theta0 = xp.array(theta0, dtype=float)                      # a copy: the search writes in it
    if method not in SEARCHES:
        raise ValueError(f"find_critical_point: unknown method {method!r}. "
                         f"Use one of {', '.join(SEARCHES)}.")
    if theta0.ndim not in (1, 2):
        raise ValueError(f"find_critical_point: theta0 must be (d,) or (n, d), got shape "
                         f"{theta0.shape}. Flatten the batch.")
    check_finite("find_critical_point", theta0)
    starts = theta0 if theta0.ndim == 2 else theta0[None]
    surface = Curved(loss) if hasattr(loss, "retract") else Flat(loss)
    bound = 100.0 * (1.0 + norms(starts)) if bound is None else bound + xp.zeros(len(starts))
    search = Search(surface, starts, tol, bound)
    iterations = ITERATIONS[method] if iterations is None else iterations
    SEARCHES[method](search, iterations)
    points = [verdict(search, i) for i in range(len(starts))]
    halfway = xp.asarray([fell_far(search, i, point) for i, point in enumerate(points)])
    if bool(halfway.any()):                                     # on, from there, with less to gain
        search.ground = xp.where(halfway, search.f, search.ground)
        SEARCHES[method](search, iterations)
        points = [verdict(search, i) if halfway[i] else point for i, point in enumerate(points)]
    return points if theta0.ndim == 2 else points[0]


class Flat:
    """Points of R^d: derivatives by minigrad, steps by addition. All methods take rows (n, d)."""

    def __init__(self, loss):
        self.objective = as_objective(loss)

    def model(self, theta):
        return self.objective.value_and_grad(theta)

    def hessian(self, theta):
        return self.objective.hessian(theta)

    def times(self, theta, v):
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


def verdict(search, i):
    """The record of row i. Hessians are taken one row at a time, so that memory stays n d + d^2."""
    row = xp.asarray([i])
    H, eig_error = search.surface.hessian(search.theta[row])[0], 0.0
    if float_of(norms(search.g[i])) <= float_of(search.goal()[i]):
        H, eig_error = polished(search, row, H)
    theta, f, g = search.theta[i], float_of(search.f[i]), search.g[i]
    gnorm, size = float_of(norms(g)), float_of(norms(theta))
    eig, Q = xp.linalg.eigh(H)
    largest = float_of(xp.max(xp.abs(eig)))
    distance = float_of(norms(pinv_times(eig, Q, g)))
    if not size <= float_of(search.bound[i]):
        status = "runaway"
    elif gnorm <= float_of(search.goal()[i]):
        unseen = float_of(norms(in_basis(Q, 1.0 - bent(eig), g)))
        if unseen > max(NOISE * largest * (1.0 + size), NOISE * search.tol):
            status = "gradient_flat"
        else:
            status = "converged" if distance <= SHORT * (1.0 + size) else "runaway"
    elif float_of(norms(H @ g)) <= FLAT * largest * gnorm:
        status = "gradient_flat"
    else:
        status = "maxiter"
    index = index_of(eig, max(1e-8 * largest, eig_error))
    return CriticalPoint(theta, f, gnorm, index, to_host(eig), status, distance, eig_error,
                         int(search.steps[i]))


def fell_far(search, i, point):
    """Whether row i ended only because what it fell, from a high start, made its goal a large one.
    """
    return (point.status == "runaway" and point.gnorm > search.tol
            and float_of(norms(point.theta)) <= float_of(search.bound[i]))


def polished(search, row, H):
    """One more Newton step, kept if |g| falls; what it changes in H tells how well H is known.

    A root that Newton approaches by halves (a degenerate one) is still one such step away, any
    other is much closer.
    """
    eig, Q = xp.linalg.eigh(H[None])
    g = search.g[row]
    good = search.try_step(row, -pinv_times(eig, Q, g), lambda size: size < norms(g))
    if not bool(good[0]):
        return H, 0.0
    new = search.surface.hessian(search.theta[row])[0]
    return new, 2.0 * float_of(xp.linalg.norm(new - H))
