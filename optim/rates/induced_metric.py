"""Descent in the metric that the drawn loss surface has: a smooth form of gradient clipping.

Draw the loss over the parameters, θ ↦ (θ, L(θ)). Weigh the loss axis with ξ against the parameter
axes. A displacement dθ on that surface has the length

    ds² = |dθ|² + ξ dL²,          so the metric is   G = I + ξ g gᵀ

a rank-one update of the identity, which Sherman and Morrison invert in closed form:

    G⁻¹ g = g / (1 + ξ|g|²)

Steepest descent in this metric goes along -g as before; only its length changes. |δθ|/η =
|g|/(1 + ξ|g|²) grows with |g| up to 1/(2√ξ) at |g| = 1/√ξ and falls again beyond: the steeper the
surface, the shorter the step. One dot product is the whole price.

The same with another height, log L, gives `LogInducedMetric`; with another base metric than the
identity, RMSprop's, `RMSInducedMetric`. All three smooth the metric term and the gradient by
exponential means with bias correction, and use one factor s for all parameters. Other heights, and
the metric over any other method: `embedding.py`.
"""
from minigrad import backend
from minigrad.backend import xp
from minigrad.kinds import expects

from .embedding import factor, refuse_nonpositive
from optim.optimizer import column, dot, fresh, is_zero, pieces, scalars, scaled, weight_sum
from optim.coordinatewise.rmsprop import root_of_mean_square
from .scalar_rate import ScalarRate


class InducedMetric(ScalarRate):
    """Gradient descent in the metric I + ξ g gᵀ of the drawn loss surface.

        e ← β e + (1-β) ξ |g|²             ê = e / (1-β^t)
        s = 1 / (1 + ê)
        m ← μ m + (1-μ) g                  m̂ = m / (1-μ^t)
        θ ← θ - η s m̂ - η λ θ

    The norm is that of the current gradient, the direction that of the mean; s does not touch the
    decay. With ξ = 0 and μ = 0 this is SGD.

    Source: Harvey 2025, arXiv:2509.03594; the recursion is that of the author's public code.
    Differs from the code: nothing but the checks of the arguments.

    lr        η   step length per unit of (damped) gradient; a step is at most η/(2√ξ) for μ = β = 0
    xi        ξ   weight of the loss axis; gradients are damped from |g| = 1/√ξ on, so the sensible
                  scale falls with the number of parameters
    momentum  μ   memory of the gradient, in [0, 1)
    beta      β   memory of the metric term, in [0, 1); 0 for exact gradients, .6 to .9 for
                  minibatches
    decay     λ   decoupled weight decay, per unit lr

    State     m   (..., d), holds m/(1-μ);   e, s   () for a point, (n, 1) for a batch.
              If s stays near 1 the run shows plain gradient descent, not the metric.
    Raises    ValueError for a value out of range
    """

    traces = ("s",)
    q, descend = 1.0, "loss"                                # the embedding, see embedding.py

    def __init__(self, lr=0.1, *, xi=0.1, momentum=0.9, beta=0.8, decay=0.0):
        self.configure(lr=lr, xi=xi, momentum=momentum, beta=beta, decay=decay)

    def init(self, theta):
        return {**super().init(theta), "m": xp.zeros_like(theta),
                "e": scalars(theta, 0.0), "s": scalars(theta, 1.0)}

    def rate(self, loss, q, lr, t, state):
        s = self.factor(self.smooth(q, t, state), loss, state)
        return s * (lr / self.weight_sum("momentum", t))

    def direction(self, g, t, state):
        m = state["m"]
        m *= self.momentum
        m += g
        return m

    def smooth(self, q, t, state):
        """ê for q = gᵀ D⁻¹ g, the squared length of the gradient in the inverse base metric."""
        e = state["e"]
        if is_zero(self.beta):                              # nothing is remembered
            return xp.multiply(q, self.xi, out=e)
        e *= self.beta
        e += q * ((1.0 - self.beta) * self.xi)
        return e / (1.0 - self.beta**t)

    def factor(self, e_hat, loss, state):
        """s of the embedding, kept in the state."""
        s = state["s"]
        s[...] = factor(e_hat, loss, self.q, self.descend)
        return s


class LogInducedMetric(InducedMetric):
    """Gradient descent on log L, in the metric I + ξ g gᵀ/L² of its surface; needs L > 0.

        s = L / (L² + ê)                   with L the current loss; all else as in InducedMetric

    For large L the rate is η/L, small at first and growing as L falls; for small L it is Polyak's
    step (η/ξ) L g/|g|² towards the value 0. So this method does not mind the scale of L, but it
    does rely on the minimum being 0.

    Source: Harvey 2025, arXiv:2509.03594; the recursion is that of the author's public code, its
    reading as descent on log L is ours.
    Differs from the code: s = 0 where L = 0 (there 0/0); L < 0, where the step would turn uphill,
    is refused unless asked for.

    on_nonpositive   "raise": L < 0, or L = 0 with a gradient, is an error;
                     "ascend": the formula as it stands, uphill where L < 0, no step where L = 0
    the rest, State and Raises as for InducedMetric
    """

    q, descend = 0.0, "embedding"

    @expects()
    def __init__(self, lr=0.1, *, xi=0.1, momentum=0.9, beta=0.8, decay=0.0,
                 on_nonpositive="raise"):
        super().__init__(lr, xi=xi, momentum=momentum, beta=beta, decay=decay)
        if on_nonpositive not in ("raise", "ascend"):
            raise ValueError("LogInducedMetric: on_nonpositive must be 'raise' or 'ascend', got "
                             f"{on_nonpositive!r}.")
        self.on_nonpositive = on_nonpositive

    @fresh
    def update(self, g, loss, theta, state):
        if self.on_nonpositive == "raise":
            refuse_nonpositive("LogInducedMetric", loss, g,
                               "Add a constant to the loss, or use InducedMetric.")
        return super().update(g, loss, theta, state)


class RMSInducedMetric(InducedMetric):
    """RMSprop's metric D, embedded: descent in D + ξ g gᵀ.

        r ← β_r r + (1-β_r) g²             r̂ = r / (1-β_r^t),   D = √r̂ + ε
        e ← β e + (1-β) ξ gᵀ D⁻¹ g         ê = e / (1-β^t)
        s = 1 / (1 + ê)
        m ← μ m + (1-μ) g                  m̂ = m / (1-μ^t)
        θ ← θ - η s m̂/D - η λ θ

    since (D + ξ g gᵀ)⁻¹ g = D⁻¹ g / (1 + ξ gᵀ D⁻¹ g). With ξ = 0 this is AdamW with β₁ = μ and
    β₂ = β_r.

    Source: Harvey 2025, arXiv:2509.03594; the recursion is that of the author's public code.
    Differs from the code: nothing but the checks of the arguments.

    lr        η    step length in units of θ, as for Adam
    xi        ξ    weight of the loss axis; gᵀ D⁻¹ g is about the 1-norm of the gradient
    momentum  μ    memory of the gradient
    beta      β    memory of the metric term
    beta_rms  β_r  memory of the squared gradient
    eps       ε    added to √r̂, same unit as g
    decay     λ    decoupled weight decay, per unit lr

    State     m (..., d), holds m/(1-μ);   r (..., d), holds r/(1-β_r);   e, s as for InducedMetric.
              If s stays near 1 the run shows AdamW, not the metric.
    Raises    ValueError for a value out of range
    """

    def __init__(self, lr=0.1, *, xi=0.1, momentum=0.9, beta=0.8, beta_rms=0.99, eps=1e-8,
                 decay=0.0):
        self.configure(lr=lr, xi=xi, momentum=momentum, beta=beta, beta_rms=beta_rms, eps=eps,
                       decay=decay)

    def init(self, theta):
        return {**super().init(theta), "r": xp.zeros_like(theta)}

    @fresh
    def update(self, g, loss, theta, state):
        if hasattr(self, "by_pieces") and not backend.plain:
            return self.by_pieces(g, loss, theta, state)
        t, lr = self.tick(state)
        m, r = state["m"], state["r"]
        r[...] = self.beta_rms * r + g * g                  # r ← β_r r + (1-β_r) g²
        m[...] = self.momentum * m + g                      # m ← μ m + (1-μ) g
        D = (r / weight_sum(self.beta_rms, t)) ** 0.5 + self.eps        # D = √r̂ + ε
        e_hat = self.smooth(dot(g, g / D), t, state)        # e ← β e + (1-β) ξ gᵀ D⁻¹ g
        s = self.factor(e_hat, column(loss), state)         # s = 1 / (1 + ê)
        delta = scaled(m / D, -lr * s / weight_sum(self.momentum, t))   # θ ← θ - η s m̂/D
        self.shrink(delta, lr, theta)
        return xp.asarray(delta, dtype=theta.dtype), state

    # ------------------------------------------------------------------ the same, piece by piece

    def by_pieces(self, g, loss, theta, state):
        t, lr = self.tick(state)
        a = self.weight_sum("beta_rms", t, root=True)
        eps, q, delta = self.eps * a, 0.0, xp.empty_like(theta)
        for part in pieces(theta):
            G, M, R, D = g[part], state["m"][part], state["r"][part], delta[part]
            root_of_mean_square(R, G, self.beta_rms, eps, out=D)        # the formula's D, times a
            q = q + dot(G, G / D)                           # gᵀ D⁻¹ g / a
            M *= self.momentum
            M += G                                          # m ← μ m + (1-μ) g
            xp.divide(M, D, out=D)                          # m/D
        s = self.factor(self.smooth(q * a, t, state), column(loss), state)
        delta *= s * (-lr * a / self.weight_sum("momentum", t))
        self.shrink(delta, lr, theta)
        return delta, state
