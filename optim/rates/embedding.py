"""The metric of a drawn surface, for any height that is drawn and any method below it.

Draw f(L) over the parameters instead of L. Weigh that axis with ξ. The metric of the surface is
I + ξ f'(L)² g gᵀ, and steepest descent in it is damped gradient descent. The family

    f_q(L) = (L^q - 1)/q,       f_q'(L) = L^(q-1)

holds three known methods (q = 0 means the limit, log L):

    descending L      η g / (1 + ξ |g|² L^(2q-2))           q = 1    the induced metric, plain
                                                            q = 1/2  NGN, when ξ = η/2
    descending f(L)   η g L^(q-1) / (1 + ξ |g|² L^(2q-2))   q = 0    the log variant; for ξ → ∞
                                                                     Polyak's (η/ξ) L g/|g|²

Multiplied through by L^(2-2q), so that L = 0 needs no care, with ê = ξ |g|²:

    s = L^(2-2q) / (L^(2-2q) + ê)     or     s = L^(1-q) / (L^(2-2q) + ê)             (`factor`)

Source: induced metric and its log variant: Harvey 2025, arXiv:2509.03594. NGN: Orvieto & Xiao 2024,
as used in arXiv:2410.12455. That they are one family, the wrapper and its reading are ours.
"""
import copy

import numpy as np

from minigrad.backend import xp
from minigrad.kinds import expects

from optim.optimizer import Optimizer, column, dot, fresh, scalars, scaled

NAMED = ("none", "gradient", "momentum", "theta")


def factor(e_hat, L, q, descend="loss"):
    """s = L^(2-2q)/(L^(2-2q) + ê), or L^(1-q)/(...) when the embedding is descended; 0 where 0/0.

    e_hat, L   () or (n, 1);   L > 0 unless 2 - 2q and 1 - q are whole numbers
    """
    if isinstance(q, float) and q == 1.0:
        return 1.0 / (1.0 + e_hat)
    height = L ** (2.0 - 2.0 * q)
    above = height if descend == "loss" else L ** (1.0 - q)
    tiny = float(np.finfo(xp.asarray(e_hat).dtype).tiny)
    return above / xp.maximum(height + e_hat, tiny)


def refuse_nonpositive(owner, loss, g, remedy):
    """ValueError where f_q has no value: L < 0, or L = 0 with a gradient. NaN is let through."""
    L = xp.asarray(loss)
    bad = (L < 0) | ((L == 0) & xp.any(g != 0, axis=-1))
    if bool(xp.any(bad)):
        raise ValueError(f"{owner}: needs a loss > 0, got {float(L[bad].ravel()[0])}. {remedy}")


class Induced(Optimizer):
    """Damps any first-order method by the metric of the surface f_q(L), drawn over its own metric.

        u        the step the base method would make at rate 1, without decay
        e ← β e + (1-β) ξ |gᵀu|             ê = e / (1-β^t)
        θ ← θ - η s(ê, L) u - η λ θ         s as in `factor`

    If the base is u = P g with a metric P⁻¹, this is steepest descent in P⁻¹ + ξ f'² g gᵀ
    (Sherman and Morrison). With momentum in the base, u is no longer P g: the size of gᵀu is ours.

    Source: for RMSprop, arXiv:2509.03594 (its code); the wrapper for any other base is ours.

    base      SGD, Adam, Muon, ...: its lr and decay become those of the whole
    xi        ξ  weight of the drawn axis
    q            the embedding f_q: 1 plain, 1/2 square root, 0 log
    descend      "loss" or "embedding": what is descended
    beta      β  memory of the metric term
    State     e, s  () or (n, 1);   base.*  the base's own
    Raises    ValueError for values out of range; for q ≠ 1, a loss that is not > 0
    """

    traces = ("s",)

    @expects()
    def __init__(self, base, *, xi=0.1, q=1.0, descend="loss", beta=0.0):
        if not isinstance(base, Optimizer):
            raise TypeError(f"Induced: needs an optimizer to damp, got {base!r}. Try SGD(0.1).")
        if descend not in ("loss", "embedding"):
            raise ValueError(f"Induced: descend must be loss or embedding, got {descend!r}.")
        self.base, self.descend = copy.deepcopy(base).scheduled(1.0), descend
        self.configure(lr=base.lr, xi=xi, q=q, beta=beta, decay=getattr(base, "decay", 0.0))
        self.base.decay = 0.0

    def init(self, theta):
        own = {f"base.{key}": a for key, a in self.base.init(theta).items() if key != "t"}
        return {**super().init(theta), **own, "e": scalars(theta, 0.0), "s": scalars(theta, 1.0)}

    def may_gain(self, name):
        return name.startswith("base.") and self.base.may_gain(name[5:])

    @fresh
    def update(self, g, loss, theta, state):
        if not isinstance(self.q, float) or self.q != 1.0:
            refuse_nonpositive("Induced", loss, g, "Add a constant to the loss, or use q=1.")
        t, lr = self.tick(state)
        own = {key[5:]: a for key, a in state.items() if key.startswith("base.")}
        u, own = self.base.update(g, loss, theta, {"t": np.array(t - 1), **own})    # -u
        state.update({f"base.{key}": a for key, a in own.items() if key != "t"})
        e, s = state["e"], state["s"]
        e *= self.beta
        e += abs(dot(g, u)) * ((1.0 - self.beta) * self.xi)
        s[...] = factor(e / (1.0 - self.beta**t), column(loss), self.q, self.descend)
        delta = scaled(u, s * lr)
        self.shrink(delta, lr, theta)
        return delta, state


class OffDiagonal(Optimizer):
    """Descent in the metric G = I + ξ (g gᵀ + a gᵀ + g bᵀ): the loss axis leans on others.

        D = 1 + ξ (a·g + b·g + g·g) + ξ² (a·g b·g - g·g a·b)
        θ ← θ - η [(1 + ξ a·g) g - ξ g·g a] / D

    a = b = 0 is the induced metric, a = b = g the same with 3ξ. a along the momentum is momentum
    from geometry, a along θ geometric decay. G need not be symmetric or positive for a ≠ b or long
    a, b, so a step may go uphill, and D may vanish: this is an experiment, not a method to trust.

    Source: named as future work in arXiv:2509.03594; the inverse is checked by a dense solve.

    a, b      "none", "gradient", "momentum" (the mean m ← μ m + (1-μ) g), "theta"
    xi    ξ   weight of the loss axis;   momentum  μ  memory of m
    State     m (..., d);   s () or (n, 1), the share (1 + ξ a·g)/D of the gradient in the step
    """

    traces = ("s",)

    @expects()
    def __init__(self, lr=0.1, *, xi=0.1, a="momentum", b="none", momentum=0.9):
        for name, kind in (("a", a), ("b", b)):
            if kind not in NAMED:
                raise ValueError(f"OffDiagonal: {name} must be one of {', '.join(NAMED)}, got "
                                 f"{kind!r}.")
        self.a, self.b = a, b
        self.configure(lr=lr, xi=xi, momentum=momentum)

    def init(self, theta):
        return {**super().init(theta), "m": xp.zeros_like(theta), "s": scalars(theta, 1.0)}

    @fresh
    def update(self, g, loss, theta, state):
        t, lr = self.tick(state)
        m, xi = state["m"], self.xi
        m *= self.momentum
        m += g * (1.0 - self.momentum)
        vectors = {"none": xp.zeros_like(g), "gradient": g, "momentum": m, "theta": theta}
        a, b = vectors[self.a], vectors[self.b]
        ag, bg, gg, ab = dot(a, g), dot(b, g), dot(g, g), dot(a, b)
        D = 1.0 + xi * (ag + bg + gg) + xi * xi * (ag * bg - gg * ab)
        state["s"][...] = (1.0 + xi * ag) / D
        return scaled(g, -lr * state["s"]) + scaled(a, lr * xi * gg / D), state
