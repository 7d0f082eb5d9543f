"""Adam and its relatives: a mean of the gradient over the root of a mean of its square.

Both means carry the bias correction as a weighted sum over the sum of its weights (`optimizer.py`):
the state holds M = m/(1-β₁) and V = v/(1-β₂), so m̂ = M/c₁ and v̂ = V/c₂ with c₁, c₂ the sums of
weights.
"""
from minigrad.backend import xp

from .elementwise import Elementwise
from optim.optimizer import weight_sum
from .rmsprop import root_of_mean_square


class Adam(Elementwise):
    """Steps of at most about η in every coordinate, along the mean of recent gradients.

        m ← β₁ m + (1-β₁) g                m̂ = m / (1-β₁^t)
        v ← β₂ v + (1-β₂) g²               v̂ = v / (1-β₂^t)
        θ ← θ - η m̂ / (√v̂ + ε)

    Source: Kingma & Ba 2014, arXiv:1412.6980, Algorithm 1.
    Differs from the paper: nothing.

    lr      η   step length in units of θ; the first step is η in every coordinate
    beta1   β₁  memory of the gradient
    beta2   β₂  memory of its square
    eps     ε   added to √v̂, same unit as g

    State   m   (..., d), holds m/(1-β₁);   v (..., d), holds v/(1-β₂)
    Raises  ValueError for a value out of range
    """

    memory = ("m", "v")

    def __init__(self, lr=0.001, *, beta1=0.9, beta2=0.999, eps=1e-8):
        self.configure(lr=lr, beta1=beta1, beta2=beta2, eps=eps)

    def formula(self, g, t, lr, m, v):
        m[...] = self.beta1 * m + g                         # m ← β₁ m + (1-β₁) g; held: m/(1-β₁)
        v[...] = self.beta2 * v + g * g                     # v ← β₂ v + (1-β₂) g²; held: v/(1-β₂)
        m_hat = m / weight_sum(self.beta1, t)               # m̂ = m / (1-β₁^t)
        v_hat = v / weight_sum(self.beta2, t)               # v̂ = v / (1-β₂^t)
        return -lr * m_hat / (v_hat**0.5 + self.eps)        # θ ← θ - η m̂ / (√v̂ + ε)

    # ------------------------------------------------------------------ the same, in place
    # m̂ / (√v̂ + ε)  =  (√c₂/c₁) · M / (√V + ε √c₂)

    def factors(self, t, lr):
        c1, a = self.weight_sum("beta1", t), self.weight_sum("beta2", t, root=True)
        return -lr * a / c1, self.eps * a

    def rule(self, D, G, factor, eps, M, V):
        M *= self.beta1
        M += G                                              # m ← β₁ m + (1-β₁) g
        root_of_mean_square(V, G, self.beta2, eps, out=D)   # √v̂ + ε, with v ← β₂ v + (1-β₂) g²
        xp.divide(M, D, out=D)                              # m̂ / (√v̂ + ε)
        D *= factor                                         # - η m̂ / (√v̂ + ε)


class AdamW(Adam):
    """Adam with decoupled weight decay.

        θ ← θ - η m̂ / (√v̂ + ε) - η λ θ

    Source: Loshchilov & Hutter 2017, arXiv:1711.05101, Algorithm 2.
    Differs from the paper: λ is multiplied by the full learning rate η, not by a schedule
    multiplier only, as in PyTorch and optax.

    decay   λ   weight decay, per unit lr; the rest, State and Raises as for Adam
    """

    def __init__(self, lr=0.001, *, beta1=0.9, beta2=0.999, eps=1e-8, decay=0.01):
        self.configure(lr=lr, beta1=beta1, beta2=beta2, eps=eps, decay=decay)


class NAdam(Adam):
    """Adam that looks ahead: the new gradient counts once more, and the old mean one step later.

        n = β₁ m / (1-β₁^(t+1)) + (1-β₁) g / (1-β₁^t)
        θ ← θ - η n / (√v̂ + ε) - η λ θ

    with m, v as in Adam.

    Source: Dozat 2016, "Incorporating Nesterov momentum into Adam" (ICLR workshop), with constant
    β₁, the form of optax.
    Differs from the paper: β₁ is not warmed up. PyTorch's NAdam warms it up (momentum_decay).

    decay   λ   decoupled weight decay, per unit lr; the rest, State and Raises as for Adam
    """

    def __init__(self, lr=0.001, *, beta1=0.9, beta2=0.999, eps=1e-8, decay=0.0):
        self.configure(lr=lr, beta1=beta1, beta2=beta2, eps=eps, decay=decay)

    def formula(self, g, t, lr, m, v):
        c, c_next = weight_sum(self.beta1, t), weight_sum(self.beta1, t + 1)
        m[...] = self.beta1 * m + g                         # m ← β₁ m + (1-β₁) g
        v[...] = self.beta2 * v + g * g                     # v ← β₂ v + (1-β₂) g²
        # n = β₁ m / (1-β₁^(t+1)) + (1-β₁) g / (1-β₁^t)
        n = self.beta1 * m / c_next + g / c
        v_hat = v / weight_sum(self.beta2, t)               # v̂ = v / (1-β₂^t)
        return -lr * n / (v_hat**0.5 + self.eps)            # θ ← θ - η n / (√v̂ + ε)

    # ------------------------------------------------------------------ the same, in place

    def factors(self, t, lr):
        c, c_next = self.weight_sum("beta1", t), self.weight_sum("beta1", t + 1)
        a = self.weight_sum("beta2", t, root=True)
        return -lr * a / c, self.eps * a, self.beta1 * c / c_next

    def rule(self, D, G, factor, eps, ahead, M, V):
        M *= self.beta1
        M += G                                              # m ← β₁ m + (1-β₁) g
        root_of_mean_square(V, G, self.beta2, eps, out=D)   # √v̂ + ε, with v ← β₂ v + (1-β₂) g²
        N = M * ahead
        N += G                                              # c n = β₁ M c/c_next + g
        xp.divide(N, D, out=D)                              # n / (√v̂ + ε)
        D *= factor                                         # - η n / (√v̂ + ε)
