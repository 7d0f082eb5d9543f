"""Gradient descent with momentum: heavy ball, dampened, Nesterov."""
from minigrad.backend import xp
from minigrad.kinds import expects

from .elementwise import Elementwise
from optim.optimizer import is_zero


class SGD(Elementwise):
    """Follows the negative gradient, or a sum of past gradients that fades by μ a step.

        v ← μ v + (1-τ) g
        u = v                    heavy ball (τ = 0), or an exponential mean (τ = μ)
        u = g + μ v              Nesterov, τ = 0: looks ahead by one more step of the momentum
        θ ← θ - η u - η λ θ

    Source: Polyak 1964 (heavy ball); Bengio et al. 2012, arXiv:1212.0901, section 3.5 (Nesterov, in
    the variables used here); decay: Loshchilov & Hutter 2017, arXiv:1711.05101, Algorithm 1 (SGDW).
    Differs from the papers: η stands outside of v, so a change of η acts at once; λ is multiplied
    by η. PyTorch starts a dampened velocity at v_1 = g, this one at v_1 = (1-τ) g.

    lr         η   step length. A heavy ball moves as far as plain descent with rate η/(1-μ)
    momentum   μ   what is left of the velocity after a step, in [0, 1)
    dampening  τ   share of the new gradient that is left out, in [0, 1)
    nesterov       True for the look-ahead
    decay      λ   decoupled weight decay, per unit lr

    State      v   (..., d), holds v/(1-τ); absent when momentum is the number 0
    Raises     ValueError for a value out of range, or for Nesterov with dampening
    """

    @expects()
    def __init__(self, lr=0.01, *, momentum=0.0, dampening=0.0, nesterov=False, decay=0.0):
        self.configure(lr=lr, momentum=momentum, dampening=dampening, decay=decay)
        self.nesterov = nesterov
        self.memory = () if is_zero(self.momentum) else ("v",)
        if nesterov and not self.memory:
            raise ValueError("SGD: nesterov needs a momentum above 0, got 0.")
        if nesterov and not is_zero(self.dampening):
            raise ValueError(f"SGD: nesterov needs dampening = 0, got {dampening}.")

    def formula(self, g, t, lr, v=None):
        if v is None:
            return -lr * (1.0 - self.dampening) * g
        v[...] = self.momentum * v + g                      # v ← μ v + (1-τ) g; held: v/(1-τ)
        u = g + self.momentum * v if self.nesterov else v   # u = v, or g + μ v
        return -lr * (1.0 - self.dampening) * u             # θ ← θ - η u

    # ------------------------------------------------------------------ the same, in place

    def factors(self, t, lr):
        return (-lr * (1.0 - self.dampening),)

    def rule(self, D, G, factor, V=None):
        if V is None:
            xp.multiply(G, factor, out=D)
            return
        V *= self.momentum
        V += G                                              # v ← μ v + (1-τ) g
        if self.nesterov:
            xp.multiply(V, self.momentum, out=D)
            D += G                                          # u = g + μ v
            D *= factor                                     # - η u
        else:
            xp.multiply(V, factor, out=D)                   # - η v
