"""Deep linear networks: not convex, yet every critical point is known.

The product of the weight matrices is all that counts, and the height is convex in it; in the
matrices themselves there is a saddle for every choice of singular directions that have been learned
so far. Learning one more lowers both the height and the index.
"""
import math

import numpy as np

import minigrad as mg
from minigrad.arguments import numbers, whole_numbers
from minigrad.backend import to_host, xp
from minigrad import Layout

from problems.problem import Problem


class DeepLinear(Problem):
    """f = 1/2 |W_k ... W_1 - Y|_F^2

    For two layers with r singular values s_1 ... s_r > 0 of Y and hidden width h >= r, the balanced
    point that has learned the set S (W_2 W_1 = the part of Y in S) is critical, with

        f     = 1/2 sum_{i not in S} s_i^2
        index = (h - |S|)(r - |S|) + #{j in S, i not in S: s_i > s_j}

    so every critical point but the global minimum is a strict saddle. With three layers or more 0
    is not: its Hessian vanishes.

    Source: Baldi & Hornik 1989 (no other minima); Kawaguchi 2016, arXiv:1605.07110 (strictness,
    depth). The index formula is checked against dense Hessians in the tests.

    Y       target (m, n)
    widths  hidden widths, one or more, each at least the rank of Y
    """

    def __init__(self, Y, widths):
        self.Y = xp.asarray(numbers("DeepLinear", "Y", Y, ndim=2))
        self.widths = whole_numbers("DeepLinear", "widths", widths)
        if not self.Y.size:
            raise ValueError(f"DeepLinear: Y is empty, shape {tuple(self.Y.shape)}.")
        U, s, Vt = np.linalg.svd(to_host(self.Y))
        self.rank = int(np.sum(s > 1e-12 * s[0]))
        self.U, self.singular, self.Vt = U, s[:self.rank], Vt
        if not self.widths or min(self.widths) < self.rank:
            raise ValueError(f"DeepLinear: hidden widths {self.widths} must all be at least the "
                             f"rank {self.rank} of Y. Make them wider.")
        sizes = (self.Y.shape[1], *self.widths, self.Y.shape[0])
        self.shapes = tuple(zip(sizes[1:], sizes[:-1]))
        self.layout = Layout([{"W": xp.zeros(shape)} for shape in self.shapes])
        self.minimum = 0.0

    def start(self, rng):
        """Independent N(0, 1/fan_in) entries."""
        draws = [rng.standard_normal(shape) / math.sqrt(shape[1]) for shape in self.shapes]
        return self.layout.ravel([{"W": xp.asarray(W)} for W in draws])

    def tree_loss(self, params, batch=None):
        product = params[0]["W"]
        for layer in params[1:]:
            product = layer["W"] @ product
        error = product - self.Y
        return 0.5 * mg.sum(error * error, axis=(-2, -1))

    def loss(self, theta, batch=None):
        return self.tree_loss(self.layout.unravel(theta))

    def saddle(self, learned):
        """The balanced critical point whose product is the part of Y in `learned`, indices 0 to
        r - 1 of singular values.

            W_1 = D V^T,   W_2 = ... = D,   W_k = U D,   D = diag(s_i^(1/k), i learned)
        """
        learned = self.check(learned)
        k = len(self.shapes)
        params = []
        for layer, shape in enumerate(self.shapes):
            D = np.zeros(shape)
            for i in learned:
                D[i, i] = self.singular[i] ** (1.0 / k)
            W = self.U @ D if layer == k - 1 else D
            params.append({"W": xp.asarray(W @ self.Vt if layer == 0 else W)})
        return self.layout.ravel(params)

    def saddle_height(self, learned):
        """Half the squared singular values that are still missing."""
        learned = self.check(learned)
        return 0.5 * float(sum(s * s for i, s in enumerate(self.singular) if i not in learned))

    def saddle_index(self, learned):
        """Number of negative curvatures at `saddle(learned)`; two layers only."""
        learned = self.check(learned)
        if len(self.widths) != 1:
            raise ValueError("DeepLinear: the index is known for two layers, this network has "
                             f"{len(self.shapes)}. Ask landscape.curvature.index.")
        s, h, r, k = self.singular, self.widths[0], self.rank, len(learned)
        missing = set(range(r)) - learned
        swaps = sum(s[i] > s[j] * (1.0 + 1e-12) for j in learned for i in missing)
        return (h - k) * (r - k) + int(swaps)

    def check(self, learned):
        learned = set(learned)
        if not learned <= set(range(self.rank)):
            raise ValueError("DeepLinear: learned directions must lie in 0 ... "
                             f"{self.rank - 1}, got {sorted(learned)}.")
        return learned
