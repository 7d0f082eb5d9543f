"""A two-layer network on labels ±1, small enough that its minimisers can be searched for.

    f_i(W, v) = log(1 + exp(-y_i v·relu(W x_i))) + λ_1 |v|² + λ_2 |W|²_F

Source: arXiv:2410.12455, example 5: on a bounded set, without interpolation, (α, α - 1) holds for
α >= max_i{ 2 max_i log(1 + exp(R r |x_i|)) / (c - f_i*), 1 } with |v| <= r, |W| <= R and c the
lowest value of any f_i over the minimisers (`claimed_alpha`).
"""
import numpy as np

import minigrad as mg
from minigrad.arguments import count, generator, numbers
from minigrad.backend import to_host, xp

from problems.finite_sums.finite_sum import FiniteSum, distinct


class LogisticNetwork(FiniteSum):
    """theta = (W (h, p) row by row, v (h,)).

    x (n, p), y (n,) of ±1;   hidden h;   decay (λ_1, λ_2) > 0

    `search` fills minimisers, minimum and lowest by descent from many starts: what it finds is the
    best that is known, not a proof.
    """

    def __init__(self, x, y, hidden=1, decay=(0.02, 0.02)):
        self.x = numbers("LogisticNetwork", "x", x, ndim=2).copy()
        self.y = numbers("LogisticNetwork", "y", y, ndim=1).copy()
        if not self.x.size:
            raise ValueError(f"LogisticNetwork: x is empty, shape {self.x.shape}.")
        if len(self.x) != len(self.y):
            raise ValueError(f"LogisticNetwork: {len(self.x)} inputs, but {len(self.y)} labels.")
        if not set(np.unique(self.y)) <= {-1.0, 1.0}:
            raise ValueError(f"LogisticNetwork: labels must be -1 or 1, got {np.unique(self.y)}.")
        self.hidden = hidden = count("LogisticNetwork", "hidden", hidden)
        self.decay = tuple(numbers("LogisticNetwork", "decay", decay, ndim=1).tolist())
        if len(self.decay) != 2 or not min(self.decay) > 0:
            raise ValueError(f"LogisticNetwork: decay must be two numbers above 0, got {decay}.")
        self.n, width = self.x.shape
        self.dimension = hidden * (width + 1)

    def parts(self, theta):
        h, width = self.hidden, self.x.shape[1]
        W = mg.reshape(theta[..., :h * width], shape=(*theta.shape[:-1], h, width))
        v = theta[..., h * width:]
        seen = mg.relu(mg.matmul(W, xp.asarray(self.x.T, dtype=theta.dtype)))          # (..., h, n)
        out = mg.sum(v[..., None] * seen, axis=-2)
        first, second = self.decay
        ridge = first * mg.sum(v * v, axis=-1) + second * mg.sum(W * W, axis=(-2, -1))
        return mg.softplus(-xp.asarray(self.y, dtype=theta.dtype) * out) + ridge[..., None]

    def start(self, rng):
        return xp.asarray(rng.normal(size=self.dimension))

    def search(self, rng, starts=60, steps=3000):
        """Fill the facts; returns self."""
        generator("LogisticNetwork.search", rng)
        points = rng.normal(size=(starts, self.dimension))
        whole = descent(lambda t: mg.mean(self.parts(t), axis=-1), points, steps)
        heights = self.values(whole).mean(axis=-1)
        self.minimum = float(heights.min())
        self.minimisers = distinct(whole[heights <= self.minimum + 1e-10], 1e-4)
        ends = [descent(lambda t, i=i: self.parts(t)[..., i], points, steps) for i in range(self.n)]
        self.lowest = np.array([self.values(e)[:, i].min() for i, e in enumerate(ends)])
        return self

    def claimed_alpha(self, r, R):
        """The paper's α on |v| <= r, |W|_F <= R; infinite where some f_i is minimised with f.

        Its c is the least of all c_i = min f_i over the minimisers; where parts differ in f_i* that
        can lie below some f_i*, so each part's own c_i is taken here: never a larger α.
        """
        gap = self.values(self.minimisers).min(axis=0) - self.lowest
        top = np.log1p(np.exp(R * r * np.linalg.norm(self.x, axis=1))).max()
        return float(max(np.max(2.0 * top / gap), 1.0)) if (gap > 1e-9).all() else float("inf")


def descent(f, points, steps):
    """Gradient descent whose rate doubles with every success and halves with every failure."""
    x = xp.asarray(points)
    rate = xp.full((len(points), 1), 0.1)
    height, pullback = mg.vjp(f, x)
    g = pullback(xp.ones_like(height))
    for _ in range(steps):
        there = x - rate * g
        value, pullback = mg.vjp(f, there)
        slope = pullback(xp.ones_like(value))
        better = (value < height)[:, None]
        x, g = xp.where(better, there, x), xp.where(better, slope, g)
        height = xp.where(better[:, 0], value, height)
        rate = xp.clip(rate * xp.where(better, 1.5, 0.5), 1e-12, 1e3)
    return to_host(x)
