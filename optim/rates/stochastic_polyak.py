"""Rates from heights: if the lowest value of this sample is known, one knows how far to go.

Along -g a convex height falls to its minimum f* no sooner than at the rate (f - f*)/|g|². Polyak
took that rate. On samples f_i, each with its own minimum f_i*, the methods here temper it: by a
largest rate (SPS_max), by a falling one (DecSPS), or by reading f_i = r² and making a Gauss-Newton
step in r (NGN), which damps instead of cutting off. AdaGrad-norm needs no heights: it remembers
slopes. `NormalizedSGD` takes a direction and schedules alone.

A falling rate is a schedule: NGN(polynomial(0.1, 0.5)) is NGN with γ/√(k+1).

Source: as used in arXiv:2410.12455, appendix (algorithms); each method's own source stands with it.
"""
import math

from minigrad.backend import xp
from minigrad.kinds import expects

from optim.hyperparameters import checked
from optim.optimizer import Optimizer, dot, scalars, scaled
from .scalar_rate import ScalarRate

FLAT = 1e-30                                        # |g|² below which no rate can be computed


class StochasticPolyak(ScalarRate):
    """Polyak's rate on every sample, but never above a largest one (SPS_max).

        γ_k = min{ (f_k - f_k*) / (c |g_k|²), γ_b }

    Source: Loizou et al. 2021, arXiv:2002.10542 (SPS_max; the growth limit is its smoothing); as
    used in arXiv:2410.12455.
    Differs from the paper: γ_b is returned where |g|² < 1e-30.

    lr        γ_b  largest rate, or a schedule of it
    c         c    1/2 in convex theory, 0.2 was used for networks
    minimum   f_k* lowest value of the sample: a number, an array (n, 1), or a function of the step
                   0, 1, ... for samples that differ
    growth    τ^(B/n): a rate is at most so many times the one before; None: no such limit
    State     gamma  () or (n, 1)
    Raises    ValueError where f_k* lies above f_k
    """

    def __init__(self, lr=1.0, *, c=0.5, minimum=0.0, growth=None):
        self.configure(lr=lr, c=c, **({} if growth is None else {"growth": growth}))
        self.minimum, self.limited = lowest(self, minimum), growth is not None

    def rate(self, loss, q, lr, t, state):
        cap = lr
        if self.limited and t > 1:
            cap = xp.minimum(cap, self.growth * state["gamma"])
        return xp.minimum(self.polyak(loss, q, t) / self.c, cap)

    def polyak(self, loss, q, t):
        """(f - f*)/|g|², infinite where the slope is 0."""
        lowest = self.minimum(t - 1) if callable(self.minimum) else self.minimum
        gap = xp.asarray(loss - lowest)
        slack = 1e-12 * (1.0 + abs(loss))                   # rounding of a value at its minimum
        if bool(xp.any(gap < -slack)):
            worst = float(gap.min())
            raise ValueError(f"{type(self).__name__}: the sample's minimum lies {-worst:g} above "
                             f"its loss at step {t}. Give a lower bound as minimum.")
        known = q >= FLAT
        return xp.where(known, xp.maximum(gap, 0.0) / xp.where(known, q, 1.0), math.inf)


def lowest(method, minimum):
    """f*: a number, an array (n, 1), or a function of the step."""
    return minimum if callable(minimum) else checked(type(method).__name__, "minimum", minimum)


class DecSPS(StochasticPolyak):
    """Polyak's rate that can only fall, so that noise is averaged out.

        γ_k = (1/c_k) min{ (f_k - f_k*)/|g_k|², c_{k-1} γ_{k-1} },     c_k = c √(k+1)

    with c_{-1} = c_0 and γ_{-1} = γ_b. Needs bounded iterates in theory.

    Source: Orvieto et al. 2022, arXiv:2205.04583 (DecSPS); as used in arXiv:2410.12455.
    Differs from the paper: nothing.

    lr   γ_b  largest rate;   c  c_0;   minimum, State and Raises as for StochasticPolyak
    """

    def __init__(self, lr=1.0, *, c=1.0, minimum=0.0):
        super().__init__(lr, c=c, minimum=minimum)

    def rate(self, loss, q, lr, t, state):
        before = self.c * lr if t == 1 else self.c * math.sqrt(t - 1.0) * state["gamma"]
        return xp.minimum(self.polyak(loss, q, t), before) / (self.c * math.sqrt(float(t)))


class NGN(ScalarRate):
    """A Gauss-Newton step in √f: the rate γ, damped where the slope is large for the height.

        γ_k = γ / (1 + γ |g_k|² / (2 f_k)),       f_k > 0

    For an L-smooth f >= 0 it lies in [γ/(1 + γ L), γ]: any γ may be tried. It is the induced metric
    of √f, `Induced(SGD(γ), q=0.5, xi=γ/2)`; that reading is ours.

    Source: Orvieto & Xiao 2024, arXiv:2407.04358 (NGN); as used in arXiv:2410.12455.
    Differs from the paper: nothing.

    lr      γ   largest rate; a schedule gives the decreasing variant
    State   gamma  () or (n, 1)
    Raises  ValueError for a height that is not positive
    """

    def __init__(self, lr=1.0):
        self.configure(lr=lr)

    def rate(self, loss, q, lr, t, state):
        f = xp.asarray(loss)
        if bool(xp.any(f <= 0.0)):
            raise ValueError(f"{type(self).__name__}: needs a loss > 0, got "
                             f"{float(f[f <= 0.0].ravel()[0])} at step {t}. Add a constant to the "
                             "loss, or use StochasticPolyak with its minimum.")
        return lr / (1.0 + (0.5 * lr) * q / f)


class NGNM(NGN):
    """NGN with momentum: a heavy ball whose push is damped, not its memory.

        x_{k+1} = x_k - (1-β) γ_k g_k + β (x_k - x_{k-1})              γ_k as in NGN

    Source: Islamov et al. 2025, arXiv:2508.15071, Algorithm 1.
    Differs from the paper: nothing.

    momentum  β   in [0, 1);   lr and Raises as for NGN
    State     gamma;   v (..., d), the last displacement x_k - x_{k-1}
    """

    def __init__(self, lr=1.0, *, momentum=0.9):
        self.configure(lr=lr, momentum=momentum)

    def init(self, theta):
        return {**super().init(theta), "v": xp.zeros_like(theta)}

    def update(self, g, loss, theta, state):
        push, state = super().update(g, loss, theta, state)
        v = state["v"]
        v *= self.momentum
        v += push * (1.0 - self.momentum)
        return v.copy(), state


class AdaGradNorm(ScalarRate):
    """One AdaGrad rate for all coordinates: it falls as slopes add up.

        b_k² = b_{k-1}² + |g_k|²          γ_k = γ / b_k
        with largest=True, slopes count as the largest so far:
        c_k² = max(c_{k-1}², |g_k|²)      b_k² = b_{k-1}² + c_k²

    Source: Ward et al. 2019, arXiv:1806.01811; the form with the largest slope: arXiv:2410.12455.
    Differs from the papers: nothing.

    lr       γ       length scale;   b0  b_{-1} > 0
    State    gamma, b2 (b²), c2 (c²)   () or (n, 1)
    """

    @expects()
    def __init__(self, lr=1.0, *, b0=1.0, largest=False):
        self.configure(lr=lr, b0=b0)
        self.largest = largest

    def init(self, theta):
        b2 = scalars(theta, 0.0) + self.b0 * self.b0
        return {**super().init(theta), "b2": xp.asarray(b2, theta.dtype), "c2": scalars(theta, 0.0)}

    def rate(self, loss, q, lr, t, state):
        c2 = state["c2"]
        c2[...] = xp.maximum(c2, q) if self.largest else q
        state["b2"] = state["b2"] + c2
        return lr / state["b2"] ** 0.5


class NormalizedSGD(Optimizer):
    """Steps of a length that only the schedule decides, along a mean of gradients.

        m_k = (1 - α_k) m_{k-1} + α_k g_k            θ ← θ - η_k m_k / |m_k|

    The schedules of arXiv:2410.12455's language models: NormalizedSGD(polynomial(158, 0.75),
    share=polynomial(1.0, 0.5)), that is η_k = η (k+1)^(-3/4) and α_k = (k+1)^(-1/2).

    Source: Cutkosky & Mehta 2020, arXiv:2002.03305.
    Differs from the paper: no step where |m|² < 1e-30.

    lr      η   length of a step, or a schedule;   share  α  of the new gradient in (0, 1], or one
    State   m   (..., d)
    """

    def __init__(self, lr=1.0, *, share=1.0):
        self.configure(lr=lr, **({} if callable(share) else {"share": share}))
        if callable(share):
            self.share = share

    def init(self, theta):
        return {**super().init(theta), "m": xp.zeros_like(theta)}

    def update(self, g, loss, theta, state):
        t, lr = self.tick(state)
        share, m = self.share(t - 1) if callable(self.share) else self.share, state["m"]
        m *= 1.0 - share
        m += g * share
        length = dot(m, m) ** 0.5
        safe = xp.where(length * length < FLAT, 1.0, length)
        return scaled(m, xp.where(length * length < FLAT, 0.0, -lr / safe)), state
