"""L-BFGS as one paper's code has it, so that the paper's runs can be repeated beside better ones."""
from minigrad.backend import float_of, xp

from .line_search import Ray, Step, finite
from .quasi_newton import LBFGS


class CrudeLBFGS(LBFGS):
    """L-BFGS as the code behind a paper has it: ten pairs, and a search of six heights.

    The search (`six_heights`) may accept a step that goes up, so the method is not monotone. Every
    pair is kept; if one of them has cos(y, s) < 1e-4, or a number is NaN, the memory is emptied and
    the step goes along -g.

        ρ = 1/(y·s + 1e-6)

    Source: the code accompanying arXiv:2602.21276, described from reading it; the text of the paper
    gives L-BFGS and a golden section along p only.
    Differs: one gradient and six heights a step, where the code takes seven gradients.

    State, Raises: as in LBFGS
    """

    def __init__(self, memory=10):
        super().__init__(memory, small=0.0)

    def denominator(self, ys):
        return float(ys) + 1e-6

    def direction(self, g, state):
        for i in self.newest_first(state):
            s, y = state["S"][i], state["Y"][i]
            size = float_of(xp.linalg.norm(s)) * float_of(xp.linalg.norm(y))
            if not state["ys"][i] >= 1e-4 * size or size == 0.0:
                return self.reset(g, state)
        p = super().direction(g, state)
        return p if bool(xp.isfinite(p).all()) else self.reset(g, state)

    def along(self, objective, theta, p, loss, g, state):
        ray = Ray(objective, theta, p, loss, g)
        step = six_heights(ray, float_of(loss))
        state["evaluations"] += ray.evaluations
        return step

    def curved(self, ys, y, s):
        return True                                 # a bad pair empties the memory later


def six_heights(height, start, first=0.2, most=6, close=1e-4):
    """A step from six heights at most, never refused.

        lower at 0.2:    0.8, 1.6, 3.2, ... while it falls; then golden steps into the larger side
        higher at 0.2:   b ← 0.382 b until it is lower than the start; then golden steps

    It ends as well when the bracket is shorter than 1e-4, or the heights at its ends differ by less
    than 1e-4. So (i) a first trial that is *higher* by less than 1e-4 is accepted, and (ii) if all
    six are higher, the last one is.

    height   φ of the step a;    start   φ(0)
    Source: the code accompanying arXiv:2602.21276, described from reading it.
    """
    asked, phi = 0, {0.0: finite(start)}

    def ask(a):
        nonlocal asked
        asked += 1
        phi[a] = finite(height(a))
        return a

    def done(a, b):
        return asked >= most or abs(b - a) < close or abs(phi[a] - phi[b]) < close

    a, x, b = 0.0, ask(first), None
    if phi[x] < phi[a]:
        trial = 4.0 * first
        while asked < most:
            b = ask(trial)
            if not phi[b] < phi[x]:
                break
            a, x, b, trial = x, b, None, 2.0 * trial
    else:
        a, x, b = 0.0, None, x
        while not done(a, b):
            x = ask(0.5 * (a + b) if phi[b] == phi[a] else 0.382 * b)
            if phi[x] < phi[a]:
                break
            x, b = None, x
    while x is not None and b is not None and not done(a, b):
        right = b - x > x - a
        y = ask(x + 0.382 * (b - x) if right else x - 0.382 * (x - a))
        if phi[y] < phi[x]:
            a, x, b = (x, y, b) if right else (a, y, x)
        else:
            a, b = (a, y) if right else (y, b)
    found = b if x is None else x
    return Step(found, phi[found], asked, phi[found] < phi[0.0])
