"""All pairs (alpha, beta) that a set of measurements allows, exactly and without a grid.

The alpha-beta condition asks at every point x, with x_p a nearest minimiser, for every part i,

    <∇f_i(x), x - x_p>  >=  α (f_i(x) - f_i(x_p)) - β (f_i(x) - f_i*)             α > β >= 0

With G = <∇f_i, x - x_p>, F = f_i(x), E = f_i(x_p), D = F - E, H = F - f_i*, I = E - f_i*, that is

    T = G - α D + β H  =  G - δ D + β I  >=  0,              δ = α - β

(the caption of every figure of the paper prints "- β"; β relaxes the condition, so it enlarges T).
A measurement is a half-plane, so what is allowed is convex, with the lower edges

    β_min(α) = max (α D - G)/H          α_min(δ) = δ + max(B(δ), 0),   B(δ) = max (δ D - G)/I

A measurement with I = 0 (the part is minimal at x_p) asks for G >= δ D, whatever β: Aiming. When
it fails, no pair has that gap.

Source: the condition: arXiv:2410.12455, definition 1. The envelope and the two robust variants
(quantile, without the end of the run) are ours.
"""
import numpy as np

from minigrad.backend import to_host
from minigrad.kinds import expects, reals

BLOCK = 2**22                                           # numbers held at a time for a mesh


class Envelope:
    """The pairs allowed by measurements G, F, E (k,), in the order in which they were made.

    lowest   f_i*: one number, or one for each measurement; 0 is a lower bound for losses >= 0,
             which makes β too small, never too large
    Raises   ValueError for empty or unequal records, and where f_i* lies above a measured height
    """

    @expects(G=reals, F=reals, E=reals, lowest=reals)
    def __init__(self, G, F, E, lowest=0.0):
        G, F, E = (np.ravel(np.asarray(to_host(a), float)) for a in (G, F, E))
        if not G.size:
            raise ValueError("Envelope: there are no measurements. Record at least one step.")
        if not G.shape == F.shape == E.shape:
            raise ValueError(f"Envelope: G, F and E must be equally long, got {G.size}, {F.size} "
                             f"and {E.size}.")
        if not all(np.isfinite(a).all() for a in (G, F, E)):
            raise ValueError("Envelope: a measurement is not finite. Did the run diverge?")
        if np.shape(lowest) not in ((), (1,), G.shape):
            raise ValueError("Envelope: lowest must be one number, or one for each of the "
                             f"{G.size} measurements, got shape {np.shape(lowest)}.")
        if not np.isfinite(lowest).all():
            raise ValueError("Envelope: lowest must be finite, the lowest values f_i* of the parts. "
                             "0 is a lower bound for losses that cannot be negative.")
        lowest = np.broadcast_to(np.asarray(to_host(lowest), float), G.shape)
        under = np.minimum(F, E) - lowest
        k = int(np.argmin(under))
        if under[k] < -1e-12 * (1.0 + abs(lowest[k])):
            raise ValueError(f"Envelope: f_i* = {lowest[k]:g} lies above the height "
                             f"{min(F[k], E[k]):g} of measurement {k}. Give a lower bound.")
        self.G, self.F, self.E, self.lowest = G, F, E, lowest
        self.D, self.H, self.I = F - E, np.maximum(F - lowest, 0.0), np.maximum(E - lowest, 0.0)

    @classmethod
    def joined(cls, envelopes):
        """One envelope for several runs: a pair must hold in all of them."""
        return cls(*(np.concatenate([getattr(e, name) for e in envelopes])
                     for name in ("G", "F", "E", "lowest")))

    def until(self, share):
        """Without the end of the run, where x_K is no converged stand-in for a minimiser."""
        k = max(1, int(round(share * self.G.size)))
        return Envelope(self.G[:k], self.F[:k], self.E[:k], self.lowest[:k])

    def beta_min(self, alpha):
        """The smallest β, signed, for each α: an array of α's shape, or a number."""
        alphas = np.atleast_1d(np.asarray(alpha, float))
        found = np.array([float(ratios(a * self.D - self.G, self.H).max()) for a in alphas.ravel()])
        return float(found[0]) if np.ndim(alpha) == 0 else found.reshape(alphas.shape)

    def bounds(self, gap):
        """(δ D - G)/I of each measurement; with I = 0: -inf where G >= δ D, else inf."""
        if not gap > 0:
            raise ValueError(f"Envelope: the gap alpha - beta must be > 0, got {gap}.")
        return ratios(gap * self.D - self.G, self.I)

    def alpha_min(self, gap=0.1, quantile=0.0):
        """The smallest α with α - β = gap; infinite where there is none.

        quantile   leaves out that share of the measurements, the most demanding ones
        """
        bounds = self.bounds(gap)
        edge = np.sort(bounds)[-1 - int(quantile * bounds.size)]
        return float(gap + max(edge, 0.0))

    def pair(self, gap=0.1):
        """(α, β) at the corner."""
        alpha = self.alpha_min(gap)
        return alpha, alpha - gap

    def active(self, gap=0.1):
        """Index of the measurement that decides α_min."""
        return int(np.argmax(self.bounds(gap)))

    def min_T(self, alpha, beta):
        """The least T for arrays α, β that broadcast: of their common shape. Any α, β."""
        alpha, beta = np.broadcast_arrays(np.asarray(alpha, float), np.asarray(beta, float))
        a, b, out = alpha.ravel(), beta.ravel(), np.empty(alpha.size)
        rows = max(1, BLOCK // self.G.size)
        for i in range(0, a.size, rows):
            part = slice(i, i + rows)
            T = self.G - a[part, None] * self.D + b[part, None] * self.H
            out[part] = T.min(axis=1)
        return out.reshape(alpha.shape) if alpha.ndim else float(out[0])

    def holds(self, alpha, beta):
        """Whether the pair is allowed by every measurement."""
        if not alpha > beta:
            raise ValueError(f"Envelope: the condition needs alpha > beta, got alpha={alpha} and "
                             f"beta={beta}.")
        return self.min_T(alpha, beta) >= -1e-12

    @property
    def noise(self):
        """σ_int², estimated as the mean of E - f_i*."""
        return float(self.I.mean())

    def floor(self, gap=0.1):
        """β σ_int², the part of the theorems' bounds that no rate removes, times the gap."""
        return self.pair(gap)[1] * self.noise

    def uphill(self):
        """Share of the measurements with G < 0, where a step leads away from x_p."""
        return float(np.mean(self.G < 0))


def ratios(above, below):
    """above/below, with -inf for what asks nothing (below = 0, above <= 0) and inf for what
    cannot be."""
    free = below <= 0.0
    bound = np.where(above > 0.0, np.inf, -np.inf)
    return np.where(free, bound, above / np.where(free, 1.0, below))
