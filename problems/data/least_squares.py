"""Power-law least squares: a quadratic landscape with a spectrum like that of real data.

    x_i = Q diag(k^(-p/2)) z_i,    y_i = w·x_i + s e_i,    z, w, e standard normal, Q a rotation

so the covariance of x has eigenvalues k^-p, k = 1 ... d. The loss is the mean square of
x·v - y, whose minimiser is known to rounding: what is left to measure is how fast a method gets
there along directions of curvature 1 and of curvature 1 / d^p.
"""

import numpy as np

from minigrad.arguments import generator
from minigrad.backend import xp
from minigrad.kinds import expects, natural, real, source, table, whole

from .dataset import Dataset, Split


def load(seed=0, n=2_000, dim=100, power=2.0, noise=0.01, dtype="float64"):
    """Power-law least squares as a Dataset: inputs (n, dim), targets (n,).

    The validation and test parts are drawn from the same teacher, n points each.

    facts (host arrays and floats, of the training part, for loss(v) = mean (x·v - y)^2)
        solution         the minimiser v (dim,)
        minimum          loss(solution)
        teacher          w (dim,)
        curvature        eigenvalues of X^T X / n, largest first
        condition        their ratio, largest to smallest
    """
    rng = np.random.default_rng([seed, 0])
    rotation, teacher = power_law_teacher(rng, dim)
    drawn = [power_law_points(rng, n, rotation, teacher, power, noise) for _ in range(3)]
    x, y = drawn[0]
    solution = np.linalg.lstsq(x, y, rcond=None)[0]
    curvature = np.linalg.eigvalsh(x.T @ x / n)[::-1]
    facts = {"solution": solution, "minimum": float(np.mean((x @ solution - y) ** 2)),
             "teacher": teacher, "curvature": curvature,
             "condition": float(curvature[0] / curvature[-1])}
    train, valid, test = (Split(*(xp.asarray(a.astype(dtype)) for a in part)) for part in drawn)
    return Dataset("power-law", train, valid, test, facts=facts,
                   about=f"power-law least squares in {dim} dimensions, generated (seed {seed})")


@expects(rng=source, dim=whole(1))
def power_law_teacher(rng, dim):
    """A random rotation Q (dim, dim), uniform over the orthogonal group, and weights w (dim,)."""
    generator("power_law_teacher", rng)
    Q, R = np.linalg.qr(rng.standard_normal((dim, dim)))
    return Q * np.sign(np.diag(R)), rng.standard_normal(dim)


@expects(rng=source, n=whole(), rotation=table, teacher=table, power=natural, noise=real)
def power_law_points(rng, n, rotation, teacher, power=2.0, noise=0.01):
    """n inputs (n, dim) with covariance eigenvalues k^-power and their noisy answers (n,)."""
    generator("power_law_points", rng)
    if noise < 0 or n < 1:
        raise ValueError(f"power_law_points: n={n}, noise={noise}. "
                         "Ask for at least one point and no negative noise.")
    if teacher.ndim != 1 or rotation.shape != 2 * teacher.shape:
        raise ValueError(f"power_law_points: needs a rotation (dim, dim) and a teacher (dim,), got "
                         f"{rotation.shape} and {teacher.shape}. power_law_teacher draws both.")
    k = np.arange(1, len(teacher) + 1)
    x = (rng.standard_normal((n, len(teacher))) * k ** (-power / 2)) @ rotation.T
    return x, x @ teacher + noise * rng.standard_normal(n)
