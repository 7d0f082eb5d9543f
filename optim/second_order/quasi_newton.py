"""Quasi-Newton methods: the curvature along the way, learnt from how the gradient changed.

A step s = θ' - θ changed the gradient by y = g' - g. On a quadratic y = ∇²L s, so the matrix H that
stands for (∇²L)⁻¹ should obey the secant equation H y = s. BFGS changes H as little as that allows,
and keeps it positive definite, so that p = -H g leads downhill:

    H ← (I - ρ s yᵀ) H (I - ρ y sᵀ) + ρ s sᵀ,      ρ = 1/(y·s)

L-BFGS never forms H; it keeps the last m pairs (s, y) and applies the same product to g. How far to
go along p is a search of its own (`line_search.py`): golden section asks for heights only and takes
about 15 of them; strong Wolfe asks for gradients and takes two or three.

The landscape must be the same in every step: full batch, no dropout. Work in float64, one point a
time. A step costs one gradient, and what the search asks.
"""
import math

import numpy as np

from minigrad.arguments import count
from minigrad.backend import float_of, xp
from minigrad.kinds import expects, extended

from .line_search import Ray, golden_section, strong_wolfe
from optim.optimizer import Optimizer

CURVED = 1e-10                  # a pair is kept if y·s exceeds this share of |y| |s|


class QuasiNewton(Optimizer):
    """What BFGS and L-BFGS share: direction, search, and the pair (s, y) it leaves.

    A direction that does not lead down, and a search that finds nothing lower, empty the memory and
    try again along -g; if that fails as well, or |g| < `small`, the method stays where it is and
    says so: state["stopped"].

    Source: Nocedal & Wright 2006, Numerical Optimization, sections 6.1 and 7.2.
    """

    traces = ("length", "evaluations")

    @expects(tolerance=extended, small=extended)
    def __init__(self, search="golden", tolerance=1e-2, small=1e-7):
        name = type(self).__name__
        if search not in ("golden", "wolfe"):
            raise ValueError(f"{name}: search must be 'golden' or 'wolfe', got {search!r}.")
        if not 1e-8 <= tolerance < 1:
            raise ValueError(f"{name}: tolerance must lie in [1e-8, 1), got {tolerance}. Heights "
                             "alone cannot place a minimum better.")
        if not 0 <= small < math.inf:
            raise ValueError(f"{name}: small must be a number >= 0, got {small}.")
        self.search, self.tolerance, self.small = search, float(tolerance), float(small)

    def __repr__(self):
        return f"{type(self).__name__}(search={self.search!r}, tolerance={self.tolerance!r})"

    def init(self, theta):
        state = super().init(theta)
        if theta.ndim != 1:
            raise ValueError(f"{type(self).__name__}: steps one point (d,) a time, got theta of "
                             f"shape {theta.shape}. Loop over the points.")
        return {**state, "at": xp.full_like(theta, math.nan), "g": xp.zeros_like(theta),
                "pairs": np.array(0), "skipped": np.array(0), "resets": np.array(0),
                "stopped": np.array(False), "length": np.array(0.0), "evaluations": np.array(0),
                **self.memory_for(theta)}

    def advance(self, objective, theta, state):
        loss, g = self.look(objective, theta, state)
        self.learn(theta, g, state)
        state["t"] += 1
        state["length"][...], state["evaluations"][...] = 0.0, 0
        state["stopped"][...] = float_of(xp.linalg.norm(g)) < self.small
        if state["stopped"]:
            return theta, state, loss
        p = self.direction(g, state)
        if not float_of(xp.vdot(p, g)) < 0.0:
            p = self.reset(g, state)
        step = self.along(objective, theta, p, loss, g, state)
        if not step.length and state["pairs"]:
            p = self.reset(g, state)
            step = self.along(objective, theta, p, loss, g, state)
        state["length"][...], state["stopped"][...] = step.length, not step.length
        return theta + step.length * p, state, loss

    def learn(self, theta, g, state):
        """What the gradient did since the last step; the pair is kept if it shows curvature."""
        s, y = theta - state["at"], g - state["g"]
        known = bool(xp.isfinite(s).all()) and bool((s != 0).any())
        state["at"][...], state["g"][...] = theta, g
        if not known:
            return
        ys = float_of(xp.vdot(y, s))
        if self.curved(ys, y, s):
            self.keep(s, y, ys, state)
            state["pairs"] += 1
        else:
            state["skipped"] += 1

    def along(self, objective, theta, p, loss, g, state):
        """The search along p: its Step."""
        ray = Ray(objective, theta, p, loss, g)
        first = 1.0 if state["pairs"] else 0.5 / float_of(xp.linalg.norm(g))
        if self.search == "golden":
            step = golden_section(ray, first, self.tolerance, start=float_of(loss))
        else:
            step = strong_wolfe(ray, first)
        state["evaluations"] += ray.evaluations
        return step

    def curved(self, ys, y, s):
        """Whether a pair shows enough curvature to be kept."""
        return ys > CURVED * float_of(xp.linalg.norm(y)) * float_of(xp.linalg.norm(s))

    def reset(self, g, state):
        """Forget the curvature: the direction is then -g."""
        state["pairs"][...] = 0
        state["resets"] += 1
        return -g


class BFGS(QuasiNewton):
    """The whole inverse Hessian, d x d, from all pairs so far.

        p = -H g,     H ← (y·s / y·y) I before the first pair, then
        H ← H - ρ (s (Hy)ᵀ + (Hy) sᵀ) + ρ (1 + ρ y·Hy) s sᵀ                O(d²) a step

    Source: Nocedal & Wright 2006, Numerical Optimization, eq. 6.17 and 6.20 (first scaling).

    search      "golden": golden section on heights; "wolfe": strong Wolfe conditions
    tolerance   of the golden section, the width of its last bracket relative to the step
    small       gradient norm at which the method rests

    State       at, g: the last point and its gradient; H (d, d); pairs, skipped, resets: counts;
                length, evaluations of the last search; stopped
    Raises      ValueError for a batch of points, or settings out of range
    """

    def memory_for(self, theta):
        return {"H": xp.eye(len(theta), dtype=theta.dtype)}

    def direction(self, g, state):
        return -(state["H"] @ g) if state["pairs"] else -g

    def keep(self, s, y, ys, state):
        H, rho = state["H"], 1.0 / ys
        if not state["pairs"]:
            H[...] = 0.0
            H.flat[::len(s) + 1] = ys / float_of(xp.vdot(y, y))
        Hy = H @ y
        u = s * (0.5 * rho * (1.0 + rho * float_of(xp.vdot(y, Hy)))) - rho * Hy
        H += xp.outer(s, u)                         # s uᵀ + u sᵀ, u = ρ(1 + ρ y·Hy) s/2 - ρ Hy
        H += xp.outer(u, s)


class LBFGS(QuasiNewton):
    """The same product from the last m pairs, without the matrix.

        q ← g;   newest to oldest:  a_i = ρ_i s_i·q,   q ← q - a_i y_i
        q ← γ q,   γ = y·s / y·y of the newest pair
        oldest to newest:  q ← q + (a_i - ρ_i y_i·q) s_i;      p = -q

    Source: Nocedal & Wright 2006, Algorithms 7.4 and 7.5.

    memory      m, the pairs that are kept
    search, tolerance, small, State, Raises: as in BFGS; State has S, Y (m, d) and ys (m,) for H
    """

    def __init__(self, memory=20, search="golden", tolerance=1e-2, small=1e-7):
        super().__init__(search, tolerance, small)
        self.memory = count(type(self).__name__, "memory", memory)

    def memory_for(self, theta):
        return {"S": xp.zeros((self.memory, len(theta)), theta.dtype),
                "Y": xp.zeros((self.memory, len(theta)), theta.dtype), "ys": np.zeros(self.memory)}

    def keep(self, s, y, ys, state):
        row = int(state["pairs"]) % self.memory
        state["S"][row], state["Y"][row], state["ys"][row] = s, y, ys

    def newest_first(self, state):
        pairs = int(state["pairs"])
        return [i % self.memory for i in range(pairs - 1, max(pairs - self.memory, 0) - 1, -1)]

    def direction(self, g, state):
        S, Y, rows = state["S"], state["Y"], self.newest_first(state)
        rho = {i: 1.0 / self.denominator(state["ys"][i]) for i in rows}
        q, part, a = g.copy(), xp.empty_like(g), {}
        for i in rows:
            a[i] = rho[i] * float_of(xp.vdot(S[i], q))
            q -= xp.multiply(Y[i], a[i], out=part)
        if rows:
            q *= float(state["ys"][rows[0]]) / float_of(xp.vdot(Y[rows[0]], Y[rows[0]]))
        for i in reversed(rows):
            q += xp.multiply(S[i], a[i] - rho[i] * float_of(xp.vdot(Y[i], q)), out=part)
        return -q

    def denominator(self, ys):
        return float(ys)
