"""Divide each coordinate by the root mean square of its recent gradients."""
from minigrad.backend import xp

from .elementwise import Elementwise
from optim.optimizer import is_zero


class RMSprop(Elementwise):
    """Steps of about the same length in every coordinate, whatever the size of its gradient.

        r ← β r + (1-β) g²
        u ← μ u + g / (√r + ε)
        θ ← θ - η u - η λ θ

    Source: Hinton 2012, Coursera "Neural networks for machine learning", lecture 6e.
    Differs from the lecture: ε outside of the root (the lecture has none) and the momentum on the
    scaled gradient, both as in PyTorch.

    lr        η   step length in units of θ: with a steady gradient each coordinate moves η a step
    beta_rms  β   memory of the mean square; r has no bias correction, so first steps are
                  longer, up to η/√(1-β)
    eps       ε   added to √r, same unit as g
    momentum  μ   what is left of u after a step, in [0, 1)
    decay     λ   decoupled weight decay, per unit lr

    State     r   (..., d), holds r/(1-β)
              u   (..., d), holds u √(1-β); absent when momentum is the number 0
    Raises    ValueError for a value out of range
    """

    def __init__(self, lr=0.01, *, beta_rms=0.99, eps=1e-8, momentum=0.0, decay=0.0):
        self.configure(lr=lr, beta_rms=beta_rms, eps=eps, momentum=momentum, decay=decay)
        self.memory = ("r",) if is_zero(self.momentum) else ("r", "u")

    def formula(self, g, t, lr, r, u=None):
        a = (1.0 - self.beta_rms) ** 0.5
        r[...] = self.beta_rms * r + g * g                  # r ← β r + (1-β) g²; held: r/(1-β)
        step = g / (a * r**0.5 + self.eps)                  # g / (√r + ε)
        if u is not None:
            u[...] = self.momentum * u + a * step           # u ← μ u + g / (√r + ε); held: √(1-β) u
            step = u / a
        return -lr * step                                   # θ ← θ - η u

    # ------------------------------------------------------------------ the same, in place

    def factors(self, t, lr):
        a = (1.0 - self.beta_rms) ** 0.5                    # √r = a √R
        return -lr / a, self.eps / a

    def rule(self, D, G, factor, eps, R, U=None):
        root_of_mean_square(R, G, self.beta_rms, eps, out=D)        # (√r + ε)/a
        xp.divide(G, D, out=D)                              # a g / (√r + ε)
        if U is None:
            D *= factor                                     # - η g / (√r + ε)
        else:
            U *= self.momentum
            U += D                                          # a u
            xp.multiply(U, factor, out=D)                   # - η u


def root_of_mean_square(R, g, beta, eps, out):
    """R ← β R + g²,   out ← √R + ε,   all in place.

    With the mean square r = (1-β) R:  √r + ε' = √(1-β) (√R + ε),  ε = ε'/√(1-β).
    """
    xp.multiply(g, g, out=out)
    R *= beta
    R += out
    xp.sqrt(R, out=out)
    out += eps
