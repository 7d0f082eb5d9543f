"""Saddle-free Newton: every direction gets the step its curvature allows, and always downhill.

Near a saddle Newton's step -H⁻¹ g divides by *signed* curvature, so along negative curvature it
climbs and the saddle attracts. Dividing by |curvature| keeps the length of the step and repairs its
sign: in one step a coordinate y with curvature -γ goes to y (1 + γ/(γ + λ)), about 2y,
whatever γ is, where gradient descent needs a time that grows like 1/γ.
"""
import math

import numpy as np

from minigrad.arguments import count, real
from minigrad.backend import float_of, to_host, xp
from minigrad.kinds import precision

from optim.hyperparameters import checked
from .krylov import krylov_basis
from optim.optimizer import Optimizer, scaled

DAMPINGS = tuple(10.0**-j for j in range(7))        # the candidates 1, .1, ..., 1e-6
FLAT = 1e-13                                        # curvatures below this share of the top are 0


class SaddleFreeNewton(Optimizer):
    """Newton's step with the absolute values of the curvatures.

        |H| = Q |Λ| Qᵀ              from H = Q Λ Qᵀ
        d   = -(|H| + λ I)⁻¹ g       θ ← θ + η d

    Krylov form, for large d: V (k, d) spans g, Hg, ..., H^(k-1) g and the previous step,

        H_k = V H Vᵀ,    d = -Vᵀ (|H_k| + λ I)⁻¹ V g

    so directions outside the span are left alone. A step costs two gradients and k + 1 products
    with H; d products in the dense form.

    Source: Dauphin et al. 2014, arXiv:1406.2572, Algorithm 1 (Krylov form).
    Differs from the paper: one step in each subspace, not several; a curvature that is zero to
    rounding gets no step when λ = 0.

    k            number of Krylov vectors; None: the dense form, for batches of points (n, d) too
    damping  λ   >= 0; None: of 1, .1, ..., 1e-6 the one whose step ends lowest, seven heights more
    lr       η   share of the step that is taken

    State   t   steps so far;   d   the previous step (..., d)
    Raises  ValueError for k < 1, negative damping, lr <= 0, a batch of points in Krylov form
    """

    def __init__(self, k=None, damping=None, lr=1.0):
        if k is not None and count("SaddleFreeNewton", "k", k, least=-math.inf) < 1:
            raise ValueError(f"SaddleFreeNewton: k must be at least 1, got {k}. "
                             "Use None for the dense form.")
        if damping is not None and not real("SaddleFreeNewton", "damping", damping) >= 0:
            raise ValueError(f"SaddleFreeNewton: damping must be >= 0, got {damping}.")
        if not callable(lr) and not bool(
                xp.all(xp.asarray(checked("SaddleFreeNewton", "lr", lr, "")) > 0)):
            raise ValueError(f"SaddleFreeNewton: lr must be > 0, got {lr}.")
        self.configure(lr=lr)
        self.k, self.damping = k, damping

    def init(self, theta):
        state = super().init(theta)
        precision("SaddleFreeNewton.init", "theta", theta)
        if self.k is not None and theta.ndim != 1:
            raise ValueError("SaddleFreeNewton: the Krylov form steps one point at a time, got "
                             f"theta of shape {theta.shape}. Loop over the points, or use k=None.")
        return {**state, "d": xp.zeros_like(theta)}

    def advance(self, objective, theta, state):
        loss, g = self.look(objective, theta, state)
        t, lr = self.tick(state)
        if self.k is None:
            curvatures, c, lift = dense_model(objective.hessian(theta), g)
        else:
            curvatures, c, lift = krylov_model(objective.hvp(theta), g, self.k, state["d"])
        if self.damping is not None:
            d = lift(saddle_free_step(curvatures, c, self.damping))
        else:
            steps = [lift(saddle_free_step(curvatures, c, lam)) for lam in DAMPINGS]
            d = lowest(objective, theta, steps, lr)
        state["d"] = scaled(d, lr)
        return theta + state["d"], state, loss


def saddle_free_step(curvatures, c, damping):
    """-(|Λ| + λ)⁻¹ c in the eigenbasis; curvatures and c are (..., k)."""
    size = xp.abs(curvatures) + damping
    floor = FLAT * xp.max(size, axis=-1, keepdims=True)
    return -c * xp.where(size > floor, 1.0 / xp.where(size > floor, size, 1.0), 0.0)


def dense_model(H, g):
    """Curvatures (..., d), the gradient in their basis (..., d), the map back to coordinates.

    A point of a batch whose curvature is not finite gets a step of NaN, and the others theirs.
    """
    known = xp.isfinite(H).all(axis=(-2, -1))
    curvatures, Q = xp.linalg.eigh(xp.where(known[..., None, None], H, 0.0))
    g = xp.where(known[..., None], g, math.nan)

    def lift(s):
        return (Q @ s[..., None])[..., 0]

    return curvatures, (xp.swapaxes(Q, -1, -2) @ g[..., None])[..., 0], lift


def krylov_model(hvp, g, k, previous):
    """The same three inside span{g, Hg, ..., H^(k-1) g, previous step}."""
    if float_of(xp.max(xp.abs(g))) == 0.0:
        return xp.zeros(1, dtype=g.dtype), xp.zeros(1, dtype=g.dtype), lambda s: xp.zeros_like(g)
    space = krylov_basis(hvp, g, min(k, g.shape[0]))
    V = space.V
    H_k = np.diag(space.a) + np.diag(space.b[:-1], 1) + np.diag(space.b[:-1], -1)
    p = previous
    for _ in range(2):
        p = p - (V @ p) @ V
    length, whole = float_of(xp.linalg.norm(p)), float_of(xp.linalg.norm(previous))
    if length > 1e-6 * whole and V.shape[0] < g.shape[0]:
        p = p * (1.0 / length)
        V = xp.concatenate([V, p[None]])
        edge = to_host(V @ hvp(p))                  # the new last row of V H V^T
        H_k = np.block([[H_k, edge[:-1, None]], [edge[None, :-1], edge[-1:, None]]])
    curvatures, S = np.linalg.eigh(H_k)
    S = xp.asarray(S, dtype=g.dtype)
    return xp.asarray(curvatures, dtype=g.dtype), (V @ g) @ S, lambda s: (S @ s) @ V


def lowest(objective, theta, steps, lr):
    """Of several steps (..., d) the one that ends lowest, for each point of a batch by itself."""
    heights = xp.stack([objective.value(theta + lr * d) for d in steps])
    best = xp.argmin(xp.where(xp.isfinite(heights), heights, xp.inf), axis=0)
    if theta.ndim == 1:
        return steps[int(best)]
    return xp.take_along_axis(xp.stack(steps), best[None, ..., None], axis=0)[0]
