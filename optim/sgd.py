"""Gradient descent with momentum: heavy ball, dampened, Nesterov."""
from minigrad.backend import xp

from .optimizer import Optimizer, blocks


class SGD(Optimizer):
    """Follows the negative gradient, or a sum of past gradients that fades by μ a step.

        v ← μ v + (1-τ) g
        u = v                    heavy ball (τ = 0), or an exponential mean (τ = μ)
        u = g + μ v              Nesterov, τ = 0: looks ahead by one more step of the momentum
        θ ← θ - η u - η λ θ

    Source: Polyak 1964 (heavy ball); Bengio et al. 2012, arXiv:1212.0901, section 3.5 (Nesterov, in
    the variables used here); decay: Loshchilov & Hutter 2017, arXiv:1711.05101, Algorithm 1 (SGDW).
    Differs from the papers: η stands outside of v, so a change of η acts at once; λ is multiplied by
    η. PyTorch starts a dampened velocity at v_1 = g, this one at v_1 = (1-τ) g.

    lr         η   step length. A heavy ball moves as far as plain descent with rate η/(1-μ)
    momentum   μ   what is left of the velocity after a step, in [0, 1)
    dampening  τ   share of the new gradient that is left out, in [0, 1)
    nesterov       True for the look-ahead
    decay      λ   decoupled weight decay, per unit lr

    State      v   (..., d), holds v/(1-τ); absent when momentum is the number 0
    Raises     ValueError for a value out of range, or for Nesterov with dampening
    """

    def __init__(self, lr=0.01, *, momentum=0.0, dampening=0.0, nesterov=False, decay=0.0):
        self.configure(lr=lr, momentum=momentum, dampening=dampening, decay=decay)
        self.nesterov = nesterov
        self.plain = isinstance(self.momentum, float) and self.momentum == 0.0
        if nesterov and self.plain:
            raise ValueError("SGD: nesterov needs a momentum above 0, got 0.")
        if nesterov and not (isinstance(self.dampening, float) and self.dampening == 0.0):
            raise ValueError(f"SGD: nesterov needs dampening = 0, got {dampening}.")

    def init(self, theta):
        state = super().init(theta)
        if not self.plain:
            state["v"] = xp.zeros_like(theta)
        return state

    def update(self, g, loss, theta, state):
        t, lr = self.tick(state)
        mu, tau = self.momentum, self.dampening
        delta = xp.empty_like(theta)
        for part in blocks(theta):
            G, D = g[part], delta[part]
            if not self.plain:
                V = state["v"][part]
                V *= mu
                V += G
            if self.nesterov:
                xp.multiply(V, mu, out=D)
                D += G
                D *= -lr
            else:
                xp.multiply(G if self.plain else V, -lr * (1.0 - tau), out=D)
            self.shrink(D, lr, theta[part])
        return delta, state
