"""The Fourier path finder of a paper, as printed and as coded: two different objectives.

    φ(t) = (1-t) θ₀ + t θ₁ + Σ_{n=1..N} b_n sin(nπt),   φ_m = φ(t_m), t_m equally spaced

Adam on b from b = 0 lowers the sum of heights as printed, the sum of their squares as coded. The
paper's figure comes from the second; the first does not reach its values. Ours is `fourier_path`. These two are here to be compared with, and are used nowhere else.
"""
import math
from typing import Any, NamedTuple

import numpy as np

from minigrad.backend import to_host, xp
from minigrad.kinds import expects, natural, positive, real, whole
from optim import Adam, Objective

from .path import Fourier, Straight, check_ends, sines


class Published(NamedTuple):
    """A path of the paper's finder.

    path       `Fourier`: the last iterate as printed, the best one by its objective as coded
    height     max_m L(φ_m) over the points of that path, ends included: the paper's H
    objective  (steps + 1,) the objective before each step and after the last
    gradients  points whose gradient was asked for
    """

    path: Any
    height: float
    objective: Any
    gradients: int


class PublishedPath:
    """Adam on the coefficients of a sine series, every point of the curve in one batch.

        J = Σ_m L(φ_m)  + λ Σ_m |φ_{m+1} - φ_m|²                                         (eq. 4)
        J = Σ_m L(φ_m)² + λ Σ_m |φ_{m+1} - φ_m|²                      in the code's toy notebook
        H = max_m L(φ_m)                                                                 (eq. 5)
        ∂J/∂b_n = Σ_m ∇L(φ_m) sin(nπt_m)                                            (Algorithm 2)
                  + 2 λ Σ_m (φ_{m+1} - φ_m) (sin(nπt_{m+1}) - sin(nπt_m))

    power    1: sum of heights, as printed;  2: sum of squared heights, as coded
    terms    N;    points  M, both ends included;    penalty  λ
    steps, lr  of Adam (0.9, 0.999, 1e-8)
    noise    standard deviation of the normal numbers added to every gradient (coded: 1)
    keep     "last" or "best" (lowest objective) iterate

    Source: Yu & Morozov 2026, arXiv:2602.21276, eqs. 4 and 5, Algorithm 2; and its public code.
    """

    @expects(power=real, terms=whole(), points=whole(), penalty=natural, steps=whole(),
             lr=positive, noise=natural)
    def __init__(self, power, terms, points, penalty, steps, lr, noise=0.0, keep="last"):
        if power not in (1, 2) or keep not in ("last", "best"):
            raise ValueError(f"PublishedPath: power is 1 or 2 and keep 'last' or 'best', got "
                             f"{power} and {keep!r}.")
        check_counts("PublishedPath", terms, points, steps)
        self.power, self.terms, self.points, self.penalty = power, terms, points, penalty
        self.steps, self.lr, self.noise, self.keep = steps, lr, noise, keep

    @classmethod
    def printed(cls, penalty, terms=10, points=100, steps=300, lr=0.01):
        """The text: sum of heights, no noise, the last iterate. Its steps and rate are the code's.

        (The text has 100 points on the toy landscape and 50 on networks.)
        """
        return cls(1, terms, points, penalty, steps, lr)

    @classmethod
    def coded(cls, penalty, terms=15, points=101, steps=300, lr=0.01, noise=1.0):
        """The toy notebook: squared heights, noisy gradients, the best iterate."""
        return cls(2, terms, points, penalty, steps, lr, noise, "best")

    @classmethod
    def coded_for_networks(cls, penalty=1e-3, terms=10, points=51, steps=100, lr=1e-3):
        """The code for networks: sum of heights, the best iterate (here by the whole objective)."""
        return cls(1, terms, points, penalty, steps, lr, 0.0, "best")

    def find(self, objective, start, end, rng=None):
        """`Published` path from start to end (d,); rng draws the noise."""
        check_ends("PublishedPath", start, end)
        if self.noise and rng is None:
            raise ValueError(f"PublishedPath: noise {self.noise} needs a generator. Give rng.")
        objective = objective if hasattr(objective, "value_and_grad") else Objective(objective)
        t = np.linspace(0.0, 1.0, self.points)
        S = sines(t, self.terms)
        steps = np.diff(S, axis=0)
        line = Straight(start, end)(xp.asarray(t))
        D2 = float(xp.sum((end - start) ** 2)) / (self.points - 1)       # Σ |step|² of the line
        S, G = xp.asarray(S, dtype=start.dtype), xp.asarray(steps.T @ steps, dtype=start.dtype)
        adam, b = Adam(self.lr), xp.zeros((self.terms,) + start.shape, start.dtype)
        state, values = adam.init(b.reshape(-1)), []
        best = (math.inf, b, None)
        for step in range(self.steps + 1):
            L, g = objective.value_and_grad(line + S @ b)
            Gb = G @ b                              # the steps of line and series are orthogonal
            J = float(xp.sum(L if self.power == 1 else L * L)
                      + self.penalty * (D2 + xp.vdot(b, Gb)))
            if not math.isfinite(J):
                raise ValueError(f"PublishedPath: the objective is {J} at step {step}: the height "
                                 "is not finite somewhere along the path.")
            values.append(J)
            if self.keep == "last" or J < best[0]:
                best = (J, b, L)
            if step < self.steps:
                slope = S.T @ (g if self.power == 1 else 2.0 * L[:, None] * g)
                slope += (2.0 * self.penalty) * Gb
                if self.noise:
                    slope += self.noise * xp.asarray(rng.standard_normal(b.shape), dtype=b.dtype)
                delta, state = adam.update(slope.reshape(-1), J, b.reshape(-1), state)
                b = b + delta.reshape(b.shape)
        _, b, L = best
        return Published(Fourier(start, end, b), float(to_host(L).max()), np.array(values),
                         (self.steps + 1) * self.points)


def check_counts(name, terms, points, steps):
    """Raises ValueError for counts of modes, points and steps that make no path."""
    if terms < 1 or steps < 1:
        raise ValueError(f"{name}: needs at least one mode and one step, got {terms} and {steps}.")
    if points < 3 or points < terms:
        raise ValueError(f"{name}: {points} points cannot show {terms} modes: take at least "
                         f"{max(3, terms)}.")
