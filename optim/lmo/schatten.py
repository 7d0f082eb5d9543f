"""Muon, SGD, and everything between: the power of the singular values is chosen while it trains.

Every k steps each layer asks which exponent would have lowered its loss most (`lmo/exponent.py`),
from what the gradient's own evaluation has seen; between those steps nothing extra is computed.
"""
import numpy as np

from minigrad.arguments import short, whole_number
from minigrad.backend import xp
from minigrad.kinds import expects, extended, function, reals, source

from .power import psi
from .products import equal_passes
from .power import powers
from .products import frobenius
from .tightness import CURVATURES, Tightness
from .matrix import MatrixMethod
from .muon import SCALES
from optim.optimizer import weight_sum

RULES = ("exact", "bound")


def adam(t):
    """e of P = (v̂ + ε)^-e at the exponent t."""
    return 0.25


def padam(t):
    """e of P = (v̂ + ε)^-e at the exponent t."""
    return t / (2.0 * (1.0 + t))


MOMENTS = {None: None, "adam": adam, "padam": padam}


def interval(where, name, value):
    """A whole number of steps, or None: never again."""
    whole = whole_number(int(value) if isinstance(value, float) and value % 1 == 0 else value)
    if value is not None and (whole is None or whole < 1):
        raise ValueError(f"{where}: {name} must be a whole number of steps >= 1, or None, got "
                         f"{short(value)}.")
    return whole


class SchattenMuon(MatrixMethod):
    """Steps along Ψ_t of the momentum, with an exponent t for each layer that follows the layer.

        m ← β m + (1-β) g                  m̂ = m / (1-β^j)
        M = β m̂ + (1-β) g                  (Nesterov), or M = m̂
        every k steps:  t = argmax J(t),   J = N(t)²/D(t),  t in [1/50, 1/1.02]
        X = Ψ_t(M) = U diag(s^t) Vᵀ        t = 1: SGD, t = 0: Muon
        W ← W - η F X/|X|_F - η λ W        F = √min(d_out, d_in): Muon's size, whatever t

    and with second moments (`moment`), P applied before and after:

        v ← β₂ v + (1-β₂) g²               P = (v̂ + ε)^-e,     X = P ∘ Ψ_t(P ∘ M)

        moment     t = 1                   t = 0
        None       SGD                     Muon
        "adam"     Adam (e = 1/4)          MuAdam (e = 1/4)
        "padam"    Adam (e = 1/4)          Muon (e = 0)             e = t/(2 (1 + t))

    The statistics c and b (with products or moments N and D on a grid, since no sum is left) are
    averaged exponentially, t itself never is.

    Source: Massena, Friedrich & Serrurier 2026, arXiv:2605.19781, and the authors' code for what
    the abstract leaves open; p there is 1/t here.
    Differs: the carrier of the criterion is exactly the one that is applied (there nearly so); a
    carrier that would go up counts as worthless; with moments J is that of the preconditioned step
    (there of the raw carrier); K-FAC and Hessian-vector products are ours. `psi` by eigenvalues.

    layout      Layout of the point
    lr          η   Frobenius norm of a matrix's step over √min(d_out, d_in)
    t           None: adaptive. A number in [0, 1], or a function step -> number or (L,): prescribed
    every       k   steps from one choice of t to the next; None: never, t stays at its start, 0
    average     memory of the statistics, in [0, 1)
    low, high   range of the adaptive t; at `low` (to 1 %) a layer takes t = 0
    curvature   "identity" (the paper), "kfac" (Γ of each layer) or "hvp" (five products a layer)
    rule        "exact": J;   "bound": Hölder's lower bound of it, from one evaluation alone
    moment      None, "adam" or "padam";  beta2, eps  β₂ and ε, inside the power
    scale       "pinned", the line above; "jordan", "moonlight", "plain" as in `Muon`, no pinning.
                With moments a pinned F goes from Muon's size at t = 0 to the fallback's at t = 1
    surrogate   also follow the best length of the step, N/D, of the last choice: "ratio", that to
                the length of t = 0, between half and twice and averaged, times the usual size;
                "direct", the length itself, times η. An ablation: the paper is said to see spikes
    orthogonal  M -> U Vᵀ for t = 0;   rng  Generator, for curvature "kfac" where rows meet
    momentum, nesterov, bias_correction, decay, fallback, matrices    as in `Muon`

    State   m, v (d,), hold m/(1-β), v/(1-β₂);   exponents (L,), the t of each matrix, in the order
            of the layout;   c.i, b.i  averages;   lengths (L,);   fallback.*
    Raises  ValueError for a value out of range, a batch of points, an objective that shows no
            inputs of any of the matrices
    """

    traces = ("exponents",)

    @expects(every=interval, low=extended, high=extended, orthogonal=function, rng=source)
    def __init__(self, layout, lr=0.02, *, t=None, momentum=0.95, nesterov=True,
                 bias_correction=True, decay=0.0, every=100, average=0.95, low=1 / 50,
                 high=1 / 1.02, curvature="identity", rule="exact", moment=None, beta2=0.999,
                 eps=1e-8, scale="pinned", surrogate=None, orthogonal=equal_passes,
                 fallback=None, matrices=None, rng=None):
        name = type(self).__name__
        for what, value, known in (("curvature", curvature, CURVATURES), ("rule", rule, RULES),
                                   ("moment", moment, MOMENTS),
                                   ("surrogate", surrogate, (None, "ratio", "direct")),
                                   ("scale", scale, ("pinned", *SCALES))):
            if not isinstance(value, (str, type(None))) or value not in known:
                raise ValueError(f"{name}: unknown {what} {short(value)}. Use one of "
                                 f"{', '.join(map(str, known))}.")
        if not 0.0 <= low <= high <= 1.0:
            raise ValueError(f"{name}: low and high must be a range within [0, 1], got {low} and "
                             f"{high}.")
        self.configure(lr=lr, momentum=momentum, decay=decay, beta=average, beta2=beta2, eps=eps)
        self.split(layout, fallback, matrices)
        if not self.matrices:
            raise ValueError(f"{name}: this layout has no matrix, only {', '.join(layout.names)}. "
                             "Use AdamW, or name the matrices.")
        self.t = t if t is None or callable(t) else self.checked_exponents(t, 0)
        self.nesterov, self.bias_correction = nesterov, bias_correction
        self.every = every if t is None else None
        self.moment, self.scale, self.orthogonal = MOMENTS[moment], scale, orthogonal
        self.low, self.surrogate = low, surrogate
        self.tightness = Tightness(name, low, high, curvature, rule, rng, average)
        if scale == "pinned" and moment and self.ratio is None:
            raise ValueError(f"{name}: a pinned step with moments goes from Muon's size to the "
                             "fallback's, so both rates must be numbers, or one schedule.")

    def init(self, theta):
        state = {**super().init(theta), "m": xp.zeros_like(theta),
                 "exponents": np.zeros(len(self.matrices))}
        if self.moment:
            state["v"] = xp.zeros_like(theta)
        if self.surrogate:
            state["lengths"] = np.full(len(self.matrices), float(self.surrogate == "ratio"))
        return state

    def may_gain(self, name):
        return name == "seen" or name.startswith(("c.", "b.")) or super().may_gain(name)

    # ------------------------------------------------------------------ what a step sees

    def due(self, state):
        """Whether t is chosen anew in the coming step: at steps 10, k, 2 k, ... counted from 0."""
        j = int(state["t"])
        return self.every is not None and j > 0 and (j == 10 or j % self.every == 0)

    def observe(self, objective, theta, state):
        if self.due(state):
            if not hasattr(objective, "layers"):
                raise TypeError(f"{type(self).__name__}.step: to choose t it looks at the layers of "
                                f"an Objective, got {type(objective).__name__}. Give an Objective "
                                "of a Problem with a layout, or every=None.")
            return objective.value_and_grad(theta, watch=True)
        return objective.value_and_grad(theta)

    def advance(self, objective, theta, state):
        loss, g = self.look(objective, theta, state)
        state["seen"] = (objective, theta) if self.due(state) else None     # gone after `prepare`
        delta, state = self.update(g, loss, theta, state)
        return theta + delta, state, loss

    def prepare(self, g, t, state):
        """Momentum, second moments, and exponents where they are due: (M, v̂ + ε, exponents), and
        decompositions that were made on the way."""
        seen, parts = state.pop("seen", None), {}
        M, v = self.carrier(g, t, state), None
        if self.moment:
            V = state["v"]
            V *= self.beta2
            V += g * g
            v = V * (1.0 / weight_sum(self.beta2, t))
            v += self.eps
        if seen:
            parts = self.tightness.choose(self, g, M, v, *seen, state)
        elif self.t is not None:
            value = self.t(t - 1) if callable(self.t) else self.t
            state["exponents"][...] = self.checked_exponents(value, t - 1)
        return M, v, state["exponents"], parts

    def carrier(self, g, t, state):
        """M: what Ψ_t is applied to."""
        m, beta = state["m"], self.momentum
        m *= beta
        m += g
        M = m * (1.0 / weight_sum(beta, t) if self.bias_correction else 1.0 - beta)
        if self.nesterov:
            M *= beta
            M += (1.0 - beta) * g
        return M

    def checked_exponents(self, t, step):
        t = reals(type(self).__name__, "t", t)
        if t.shape not in ((), (len(self.matrices),)):
            raise ValueError(f"{type(self).__name__}: t must be one number, or one for each of the "
                             f"{len(self.matrices)} matrices, got shape {t.shape} (step {step}).")
        if not ((t >= 0.0) & (t <= 1.0)).all():
            raise ValueError(f"{type(self).__name__}: t must lie in [0, 1], got {t} (step {step}). "
                             "0 is Muon, 1 is SGD.")
        return t

    # ------------------------------------------------------------------ the step itself

    def rule(self, D, part, shared, lr, t, state):
        M, v, exponents, parts = shared
        i = self.matrices.index(part)
        exponent = float(exponents[i])
        v = None if v is None else v[part.where].reshape(part.shape)
        if i in parts and not self.is_muon(exponent):
            U, s, Vt = parts[i]
            X = (U * powers(s, exponent)) @ Vt                  # (out, in)
            X = X if part.axis else X.T
        else:
            X = self.direction(M[part.where].reshape(part.shape), v, exponent)
        length = float(state["lengths"][i]) if self.surrogate else 1.0
        factor, direct = -lr * length, self.surrogate == "direct"
        if direct or self.scale == "pinned":
            size = frobenius(X)
            xp.divide(X, xp.where(size > 0, size, 1.0), out=D)
            if direct and length > 0:
                D *= factor
            else:                                               # no length is known yet
                D *= (-lr if direct else factor) * self.pinned(part, exponent)
        else:
            xp.multiply(X, factor * SCALES[self.scale](part.d_out, part.d_in), out=D)

    def direction(self, M, v, t):
        """X = Ψ_t(M), or P ∘ Ψ_t(P ∘ M) with P = v^-e."""
        if v is None:
            return self.power(M, t)
        P = v ** -self.moment(t)
        return P * self.power(P * M, t)

    def power(self, M, t):
        return self.orthogonal(M) if self.is_muon(t) else psi(M, t)

    def is_muon(self, t):
        """Whether t counts as 0: it is, or the choice went as low as it may."""
        return t == 0.0 or self.every is not None and t <= 1.01 * self.low

    def pinned(self, part, t):
        """F: √min(d_out, d_in), with moments times κ^t, κ = (η_rest ρ / η) √max(d_out, d_in),
        ρ = √((1-β₁)/(1+β₁)) the root mean square of a step of Adam in pure noise."""
        m, n = part.d_out, part.d_in
        if not self.moment:
            return min(m, n) ** 0.5
        beta1 = getattr(self.fallback, "beta1", self.momentum)
        kappa = self.ratio * ((1.0 - beta1) / (1.0 + beta1)) ** 0.5 * max(m, n) ** 0.5
        return min(m, n) ** 0.5 * kappa**t


class MuAdam(SchattenMuon):
    """Muon between two halves of Adam's denominator.

        P = (v̂ + ε)^-1/4,     W ← W - η P ∘ polar(P ∘ M) - η λ W       M as in SchattenMuon

    Source: the corner (moment "adam", t = 0) of arXiv:2605.19781. Other methods of similar names
    are other methods: AdaMuon (arXiv:2507.11005), NAMO (arXiv:2602.17080), the Adam of muP.

    lr      η   length of a step before P     beta1  β   memory of the gradient
    beta2   β₂  memory of its square          eps    ε   inside the power
    State, Raises, and the other arguments as for SchattenMuon
    """

    @expects()
    def __init__(self, layout, lr=0.01, *, beta1=0.9, beta2=0.999, eps=1e-8, scale="plain",
                 **settings):
        super().__init__(layout, lr, t=0.0, momentum=beta1, beta2=beta2, eps=eps, moment="adam",
                         scale=scale, **settings)
