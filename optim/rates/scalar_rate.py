"""Methods that choose one number a step: the direction is given, only the rate is thought about.

    δ = -γ g,      γ = rate(L, q, η, t, state),      q = |g|²

From the height L, the squared slope q and what they remember, such methods decide how far to go.
They cost one dot product more than gradient descent. Written this way each is its formula:

    gradient descent        γ = η
    Polyak's step           γ = (L - L*) / q                       stochastic_polyak.py
    NGN                     γ = η / (1 + η q/(2L))                 stochastic_polyak.py
    AdaGrad-norm            γ = η / √(b² + Σ q)                    stochastic_polyak.py
    induced metric          γ = η / (1 + ξ q)                      induced_metric.py
    its embeddings          γ = η / (1 + ξ q f'(L)²)               embedding.py

A batch of points has a rate each: L, q and γ are () for a point (d,), (n, 1) for a batch (n, d).
"""
from optim.optimizer import Optimizer, column, dot, fresh, scalars, scaled


class ScalarRate(Optimizer):
    """θ ← θ - γ g - η λ θ with γ from `rate`; a subclass writes `rate`, and may turn `direction`.

    State   gamma   () or (n, 1), the rate of the last step
    """

    traces = ("gamma",)
    decay = 0.0

    def init(self, theta):
        return {**super().init(theta), "gamma": scalars(theta, 0.0)}

    def rate(self, loss, q, lr, t, state):
        """γ for the height L, q = |g|² and the learning rate η of step t = 1, 2, ..."""
        raise NotImplementedError(f"{type(self).__name__} does not say how far to go.")

    def direction(self, g, t, state):
        """What γ multiplies: the gradient, or what is made of it."""
        return g

    @fresh
    def update(self, g, loss, theta, state):
        t, lr = self.tick(state)
        gamma = state["gamma"]
        gamma[...] = self.rate(column(loss), dot(g, g), lr, t, state)
        delta = scaled(self.direction(g, t, state), -gamma)
        self.shrink(delta, lr, theta)
        return delta, state
