"""Methods whose formula treats every coordinate alone: SGD, RMSprop, Adam and kin.

Each writes its paper's lines as `formula`, on whole arrays. Below a banner stands the same once
more, for speed: written into arrays that are there already, on one piece of the point at a time.
Everything below the banners may be deleted; what is left does the same, slower.
"""
from minigrad import backend
from minigrad.backend import xp

from optim.optimizer import Optimizer, is_zero, pieces


class Elementwise(Optimizer):
    """A method whose formula treats every coordinate alone.

    memory    names of the arrays in the state, each shaped as theta
    formula   (g, t, lr, *memory) -> displacement without the decay; writes the memory

    What stands below the banner, here and in each method, is the same once more, for speed:

    factors   (t, lr) -> the numbers of step t, computed once
    rule      (D, G, *factors, *memory): D ← displacement for the gradient G, memory updated

    A method without a rule goes by its formula alone; so does every method with MINIGRAD_PLAIN=1.
    """

    decay = 0.0
    rule = None

    def init(self, theta):
        return {**super().init(theta), **{name: xp.zeros_like(theta) for name in self.memory}}

    def update(self, g, loss, theta, state):
        if self.rule is not None and not backend.plain:
            return self.by_pieces(g, theta, state, as_step)
        t, lr = self.tick(state)
        delta = self.formula(g, t, lr, *(state[name] for name in self.memory))
        if not is_zero(self.decay):
            delta = delta - lr * self.decay * theta
        return xp.asarray(delta, dtype=theta.dtype), state

    # ------------------------------------------------------------------ the same, piece by piece
    # One long point is worked on in pieces that stay in the cache from one operation to the next,
    # up to the addition to theta: a rule of ten operations then reads its arrays from memory once.

    def advance(self, objective, theta, state):
        if type(self).update is not Elementwise.update or self.rule is None or backend.plain:
            return super().advance(objective, theta, state)
        loss, g = self.look(objective, theta, state)
        theta, state = self.by_pieces(g, theta, state, as_point)
        return theta, state, loss

    def by_pieces(self, g, theta, state, finish):
        """The rule on each piece, then finish(D, W, η λ) with the piece W of theta."""
        t, lr = self.tick(state)
        factors, share = self.factors(t, lr), None if is_zero(self.decay) else lr * self.decay
        out = xp.empty_like(theta)
        for part in pieces(theta):
            D = out[part]
            self.rule(D, g[part], *factors, *(state[name][part] for name in self.memory))
            finish(D, theta[part], share)
        return out, state


def as_step(D, W, share):
    """D ← D - η λ W."""
    if share is not None:
        D -= W * share


def as_point(D, W, share):
    """D ← (1 - η λ) W + D."""
    D += W if share is None else W * (1.0 - share)
