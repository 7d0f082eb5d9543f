"""Bowls with a brim: parts that are low at a point each and flat far away.

    f_i(x) = φ_i(|x - b_i|²),     φ(r) = 1 - exp(-r),  r/(1+r),  r/(4+r),  (1+r)/(4+r)

The mean has a minimum near each centre, or a higher one at some, and saddles between: landscapes
where neither PL nor Aiming can hold. Every φ tends to 1.

Source: arXiv:2410.12455, the remark on n functions of d coordinates; its examples stand below.
Errata    the constants the paper gives for example 3 (f* = .408, f(0, 0) = .588) belong to
          φ_2 = r/(1+r), which is `example3`; its formula, with one term mistyped, reads most like
          r/(4+r), which is `example3_variant`. f_1* is 1/4 there, not 0. In example 2 the bound
          8/c is 8.80e6, not 72·10⁷.
"""
import numpy as np

import minigrad as mg
from minigrad.arguments import numbers
from minigrad.backend import xp
from minigrad.kinds import expects, words

from problems.finite_sums.finite_sum import FiniteSum, distinct

# name: (φ on minigrad's operations, (φ, φ', φ'') at r on the host, φ(0))
SHAPES = {
    "gauss": (lambda r: 1.0 - mg.exp(-r), lambda r: (np.exp(-r), -np.exp(-r)), 0.0),
    "1+r": (lambda r: r / (1.0 + r), lambda r: ((1 + r) ** -2.0, -2 * (1 + r) ** -3.0), 0.0),
    "4+r": (lambda r: r / (4.0 + r), lambda r: (4 * (4 + r) ** -2.0, -8 * (4 + r) ** -3.0), 0.0),
    "raised": (lambda r: (1.0 + r) / (4.0 + r),
               lambda r: (3 * (4 + r) ** -2.0, -6 * (4 + r) ** -3.0), 0.25),
}


def spelled(where, name, value):
    """A name, or several."""
    return value if isinstance(value, str) else words(where, name, value)


class Bowls(FiniteSum):
    """n bowls with centres b_i in d dimensions.

    centres  (n, d);   shapes  a name of SHAPES for all, or one for each

    The stationary points are found by Newton's method from a mesh of starts around the centres
    (7 to a side for d <= 3, 2,000 drawn otherwise): all of them for the paper's examples, those
    that were found for larger families.
    """

    @expects(shapes=spelled)
    def __init__(self, centres, shapes="1+r"):
        self.centres = numbers("Bowls", "centres", centres, ndim=2).copy()
        self.n, self.dimension = self.centres.shape
        if not self.centres.size:
            raise ValueError(f"Bowls: centres are empty, shape {self.centres.shape}.")
        self.shapes = (shapes,) * self.n if isinstance(shapes, str) else tuple(shapes)
        for shape in self.shapes:
            if shape not in SHAPES:
                raise ValueError(f"Bowls: unknown shape {shape!r}. Use one of {', '.join(SHAPES)}.")
        if len(self.shapes) != self.n:
            raise ValueError(f"Bowls: {self.n} centres but {len(self.shapes)} shapes. "
                             "Give one for each, or one for all.")
        self.lowest = np.array([SHAPES[shape][2] for shape in self.shapes])
        self.far = np.ones(self.n)
        points, curvatures = self.newton(self.starts())
        self.sort_stationary(points, curvatures)

    def parts(self, theta):
        away = theta[..., None, :] - xp.asarray(self.centres, dtype=theta.dtype)
        r = mg.sum(away * away, axis=-1)
        if len(set(self.shapes)) == 1:
            return SHAPES[self.shapes[0]][0](r)
        return mg.stack([SHAPES[shape][0](r[..., i])
                         for i, shape in enumerate(self.shapes)], axis=-1)

    def start(self, rng):
        """A point drawn uniformly around the centres."""
        return xp.asarray(rng.uniform(self.centres.min(axis=0) - 1, self.centres.max(axis=0) + 1))

    def starts(self):
        low, high = self.centres.min(axis=0) - 0.5, self.centres.max(axis=0) + 0.5
        if self.dimension <= 3:
            axes = [np.linspace(a, b, 13) for a, b in zip(low, high)]
            mesh = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, self.dimension)
        else:
            mesh = np.random.default_rng(0).uniform(low, high, (2000, self.dimension))
        between = [(1 - t) * a + t * b for a in self.centres for b in self.centres
                   for t in np.linspace(0, 1, 21)]
        return np.concatenate([mesh, distinct(between)])

    def newton(self, x, steps=60):
        """(points, Hessian eigenvalues) where Newton's method arrives, each point once."""
        with np.errstate(all="ignore"):
            for _ in range(steps):
                g, H = self.derivatives(x)
                move = np.linalg.solve(H + 1e-14 * np.eye(self.dimension), g[..., None])[..., 0]
                x = x - move
            g, H = self.derivatives(x)
            flat = np.linalg.norm(g, axis=-1) < 1e-13
            # the gradient is a positive sum of x - b_i, so it vanishes among the centres only
            flat &= ((x >= self.centres.min(axis=0) - 1e-9)
                     & (x <= self.centres.max(axis=0) + 1e-9)).all(axis=-1)
        points = distinct(x[flat])
        return points, np.linalg.eigvalsh(self.derivatives(points)[1])

    def derivatives(self, x):
        """Gradient (m, d) and Hessian (m, d, d) of the mean at x (m, d)."""
        away = x[:, None] - self.centres                                            # (m, n, d)
        r = np.sum(away * away, axis=-1)
        first, second = np.empty_like(r), np.empty_like(r)
        for i, shape in enumerate(self.shapes):
            first[:, i], second[:, i] = SHAPES[shape][1](r[:, i])
        g = 2.0 * np.einsum("mn,mnd->md", first, away) / self.n
        H = 4.0 * np.einsum("mn,mnd,mne->mde", second, away, away) / self.n
        return g, H + 2.0 * first.mean(axis=1)[:, None, None] * np.eye(self.dimension)


def example2():
    """f_1 = 1 - exp(-|x|²), f_2 = 1 - exp(-|x - (2, 2)|²): a saddle at (1, 1).

    Source: arXiv:2410.12455, example 2.
    """
    return Bowls([[0.0, 0.0], [2.0, 2.0]], "gauss")


def example3():
    """f_1 = (1+r)/(4+r), f_2 = q/(1+q), q = |x - (2.5, 2.5)|²: a local minimum by the origin.

    Source: arXiv:2410.12455, example 3.
    """
    return Bowls([[0.0, 0.0], [2.5, 2.5]], ("raised", "1+r"))


def example3_variant():
    """Example 3 with f_2 = q/(4+q), nearer to the printed formula."""
    return Bowls([[0.0, 0.0], [2.5, 2.5]], ("raised", "4+r"))


def example6():
    """f_1 = r/(1+r), f_2 = q/(1+q), q = |x - (1, 1)|²: two minima and a saddle at (1/2, 1/2).

    Source: arXiv:2410.12455, example 6.
    """
    return Bowls([[0.0, 0.0], [1.0, 1.0]], "1+r")
