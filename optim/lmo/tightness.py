"""The exponents of all layers, chosen from what one evaluation of the loss has seen.

Layer by layer the statistics of `exponent.py` are gathered from the recorded layers, averaged
over time, and J is maximised, for all layers in one search.

Source: Massena, Friedrich & Serrurier 2026, arXiv:2605.19781 (averages on c and b, by index; never
on t).
"""
import numpy as np

from minigrad.backend import float_of, xp

from .exponent import TINY, best, bound, curve, gain, spectrum
from .factors import output_factors
from .power import fast_svd

CURVATURES = ("identity", "kfac", "hvp")
POINTS = {"hvp": 5, "moment": 9}                # exponents tried where every one costs a product
WIDTH, GRID = 8e-3, 17                          # of t: more digits are noise


class Tightness:
    """How the exponents are chosen; arguments as of SchattenMuon."""

    def __init__(self, owner, low, high, curvature, rule, rng, average):
        self.owner, self.low, self.high, self.rng = owner, low, high, rng
        self.curvature, self.bound, self.average = curvature, rule == "bound", average

    def choose(self, method, g, M, v, objective, theta, state):
        """New entries of state["exponents"], of the layers whose inputs were seen. Returns the
        decompositions of M that were made for it, {i: (U, s, Vᵀ)}: the step needs them too."""
        seen = self.by_weight(method, objective)
        found, parts = {}, {}
        for i, part in enumerate(method.matrices):
            uses = seen.get(part.name)
            if uses:
                found[i] = [side(a[part.where].reshape(part.shape), part.axis) for a in (g, M)]
                found[i] += [None if v is None else side(v[part.where].reshape(part.shape),
                                                         part.axis), uses, part]
        if self.bound:
            chosen = {i: self.by_bound(*entry) for i, entry in found.items()}
        elif self.curvature == "hvp" or v is not None:
            product = objective.hvp(theta) if self.curvature == "hvp" else None
            chosen = {i: self.on_grid(method, i, *entry, product, state)
                      for i, entry in found.items()}
        else:
            chosen = self.by_spectrum(found, state, parts, method.surrogate)
        for i, (t, *lengths) in chosen.items():
            if t is not None:
                state["exponents"][i] = t
                if method.surrogate and all(length > 0 for length in lengths):
                    state["lengths"][i] = followed(method.surrogate, state["lengths"][i], *lengths)
        return parts

    def by_weight(self, method, objective):
        """{name: [(share of the batch, Layer, Γ or None)]} of what the objective has seen."""
        names, seen = {part.name for part in method.matrices}, {}
        for share, (height, layers) in zip(objective.shares, objective.layers):
            layers = [layer for layer in layers if layer.weight in names]
            factors = (output_factors(height, layers, self.rng) if self.curvature == "kfac"
                       and layers else [None] * len(layers))
            for layer, Gamma in zip(layers, factors):
                seen.setdefault(layer.weight, []).append((share, layer, Gamma))
        if not seen:
            raise ValueError(f"{self.owner}.step: no input of {', '.join(sorted(names)[:3])} was "
                             "seen. Give an Objective of a Problem with a layout whose weights "
                             "meet their inputs in matmul, linear, conv2d or lstm; or every=None.")
        return seen

    # ------------------------------------------------------------------ three ways

    def by_spectrum(self, found, state, parts, surrogate):
        """Averages of c and b, and one search for all layers: {i: (t, the best lengths of its step
        and of Muon's)}."""
        spectra = {}
        for i, (G, M, _, uses, part) in found.items():
            U, s, Vt = parts[i] = fast_svd(M)
            b = None
            for share, layer, Gamma in uses:
                if layer.axis == part.axis:
                    s, c, bent = spectrum(G, M, layer.rows(), Gamma, parts[i])
                else:                                       # this input meets the other side
                    s, c, bent = spectrum(G.T, M.T, layer.rows(), Gamma, (Vt.T, s, U.T))
                b = added(b, share * bent)
            c, b = (self.averaged(state, f"{name}.{i}", a) for name, a in (("c", c), ("b", b)))
            if c is not None and b is not None:
                spectra[i] = (s, c, b)
        chosen = {i: (None, 0.0, 0.0) for i in found}
        if spectra:
            s, c, b = (padded([spectrum[k] for spectrum in spectra.values()]) for k in range(3))
            pick = best(s, c, b, self.low, self.high, WIDTH, GRID)
            for k, i in enumerate(spectra):
                if pick.J[k] > 0:
                    chosen[i] = (pick.t[k], 0.0, 0.0)
            if surrogate:
                best_one, muon = (length(s, c, b, t) for t in (pick.t, np.zeros(len(s))))
                chosen |= {i: (chosen[i][0], best_one[k], muon[k]) for k, i in enumerate(spectra)}
        return chosen

    def on_grid(self, method, i, G, M, v, uses, part, product, state):
        """N and D at a few exponents; those of the preconditioned step where there are moments."""
        points = POINTS["hvp" if product else "moment"]
        grid = np.linspace(self.low, self.high, points)
        steps = [method.direction(M, v, t) for t in (*grid, 0.0)]
        N = np.array([float_of((G * X).sum()) for X in steps])
        D = np.array([self.bent(X, uses, part, product, method.layout.size) for X in steps])
        sizes = np.array([float_of(xp.sqrt((X * X).sum())) for X in steps])
        N, D = self.averaged(state, f"c.{i}", N), self.averaged(state, f"b.{i}", D)
        if N is None or D is None or not (N[:-1] > 0).any():
            return None, 0.0, 0.0
        J = np.where((D <= 0) & (N > 0), np.inf, gain(N, D))
        k = max(range(points), key=lambda k: (J[k], N[k] / max(sizes[k], TINY)))
        lengths = np.where(D > 0, N * sizes / np.maximum(D, TINY), 0.0)
        return grid[k], lengths[k], lengths[-1]

    def bent(self, X, uses, part, product, size):
        """<X, H X>: by a product, or by the curvature of the layers the weight is used in."""
        if product is not None:
            v = xp.zeros(size, X.dtype)
            v[part.where] = side(X, part.axis).ravel()
            return float_of((v * product(v)).sum())
        total = 0.0
        for share, layer, Gamma in uses:
            Z = layer.rows() @ side(X, layer.axis == part.axis).T
            if Gamma is None:
                total += share * float_of((Z * Z).sum()) / len(Z)
            else:
                total += share * float_of(((Z @ Gamma) * Z).sum()) / len(Z)
        return total

    def by_bound(self, G, M, v, uses, part):
        """The best t of Hölder's bound, with the inputs of all uses side by side."""
        rows = [layer.rows() for _, layer, _ in uses if layer.axis == part.axis]
        if not rows:
            return None, 0.0, 0.0
        found = bound(G, M, xp.concatenate(rows).T, self.low, self.high)
        return (found.t if found.J > 0 else None), 0.0, 0.0

    def averaged(self, state, name, value):
        """The exponential mean of a statistic, kept in the state; None if it is not finite."""
        value = np.asarray(value, float)
        if not np.isfinite(value).all():
            return None
        before = state.get(name)
        if before is not None and before.shape == value.shape:
            value = self.average * before + (1.0 - self.average) * value
        state[name] = value
        return value


def side(A, inputs_last):
    """A matrix as stored, turned so that its inputs run along the last axis."""
    return A if inputs_last else A.T


def added(b, other):
    """The sum of two curvatures, each (r,) or, with cross terms, (r, r)."""
    if b is not None and b.ndim != other.ndim:
        b, other = (np.diag(a) if a.ndim == 1 else a for a in (b, other))
    return other if b is None else b + other


def padded(arrays):
    """Arrays (r,) or (r, r) of several lengths, in one array with zeros after each."""
    if len({a.ndim for a in arrays}) > 1:
        arrays = [np.diag(a) if a.ndim == 1 else a for a in arrays]
    r = max(a.shape[-1] for a in arrays)
    out = np.zeros((len(arrays),) + (r,) * arrays[0].ndim)
    for row, a in zip(out, arrays):
        row[tuple(slice(n) for n in a.shape)] = a
    return out


def length(s, c, b, t):
    """The best length (L,) of the steps Ψ_t in units of their Frobenius norm: N/D · |Ψ_t|_F."""
    N, D = curve(s, c, b, t[:, None])
    size = np.where(s > 0, np.where(s > 0, s, 1.0) ** (2 * t[:, None]), 0.0).sum(axis=-1) ** 0.5
    return N[:, 0] / np.maximum(D[:, 0], TINY) * size


def followed(how, before, length, muon):
    """What a step's length becomes: itself ("direct"), or an exponential mean of .9 of its ratio
    to Muon's, between 1/2 and 2 ("ratio")."""
    return length if how == "direct" else 0.9 * before + 0.1 * min(max(length / muon, 0.5), 2.0)
