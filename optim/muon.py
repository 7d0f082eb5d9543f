"""Muon: momentum whose matrices are made orthogonal before they are applied.

A gradient of a weight matrix is often of low rank in effect: a few directions dominate. Muon keeps
its singular vectors and sets all singular values to about 1, so that every direction moves.
"""
import math

from minigrad.backend import xp

from .adam import AdamW, NAdam
from .lmo import newton_schulz
from .optimizer import Optimizer, weight_sum

FALLBACK = "fallback."                              # its part of the state


class Muon(Optimizer):
    """Orthogonalised momentum for matrices, another optimizer for everything else.

        m ← β m + (1-β) g                      u = β m + (1-β) g    (Nesterov), or u = m
        O = newton_schulz(u)                   (d_out, d_in) or its transpose
        W ← W - η √max(1, d_out/d_in) O - η λ W

    Source: K. Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/, and the reference
    code there (github.com/KellerJordan/Muon).
    Differs from the reference: float32 or float64 instead of bfloat16.

    layout     Layout of the point: says which parts are matrices. A convolution kernel is taken as
               the matrix (out, in · height · width)
    lr         η   spectral norm of a step, before the shape factor
    momentum   β   memory of the gradient, in [0, 1)
    nesterov       the new gradient counts once more
    decay      λ   decoupled weight decay of the matrices, per unit lr
    fallback       first-order optimizer for all other parts; default AdamW(lr=3e-4, beta1=.9,
                   beta2=.95, eps=1e-10, decay=0), or with .015 lr where lr is a schedule. One that
                   is given keeps its own rate; a schedule of `train` keeps the ratio of the two
    matrices       which entries of the layout are matrices, a function entry -> bool; default:
                   weights with two or more axes. Jordan advises to leave out the output layer too
    bias_correction   u as optax has it, see `Muon.optax`
    eps        ε   of newton_schulz

    State      m   (d,), holds m/(1-β);   fallback.*   the fallback's own state
    Raises     ValueError for a value out of range, a batch of points, a point of another size
    """

    def __init__(self, layout, lr=0.02, *, momentum=0.95, nesterov=True, decay=0.0, fallback=None,
                 matrices=None, bias_correction=False, eps=1e-7):
        self.layout, self.nesterov, self.bias_correction = layout, nesterov, bias_correction
        self.configure(lr=lr, momentum=momentum, decay=decay, eps=eps)
        if fallback is None:
            follows = callable(lr)                  # at lr = .02 the fallback's rate is 3e-4
            fallback = AdamW(times(lr, 0.015) if follows else 3e-4, beta1=0.9, beta2=0.95,
                             eps=1e-10, decay=0.0)
            self.ratio = 0.015 if follows else ratio(fallback.lr, self.lr)
        else:
            self.ratio = ratio(fallback.lr, self.lr)
        self.fallback = fallback
        chosen = matrices or (lambda entry: entry.kind == "weight" and len(entry.shape) > 1)
        self.matrices, self.rest = [], []
        for entry in layout.entries:
            where = slice(entry.start, entry.stop)
            if chosen(entry):
                self.matrices.append((where, *as_matrix(entry)))
            else:
                self.rest.append(where)

    @classmethod
    def optax(cls, layout, lr, *, momentum=0.95, beta1=0.9, beta2=0.999, eps=1e-8, decay=0.0):
        """Muon as optax.contrib.muon has it, which the induced-metric experiments compare with.

        Arrays with exactly two axes are matrices, embeddings too. The carrier is bias-corrected,
        u = β m/(1-β^(t+1)) + (1-β) g/(1-β^t), and all else goes to NAdam with the same η, no decay.
        """
        return cls(layout, lr, momentum=momentum, decay=decay, bias_correction=True, eps=eps,
                   fallback=NAdam(lr, beta1=beta1, beta2=beta2, eps=eps),
                   matrices=lambda entry: len(entry.shape) == 2)

    def scheduled(self, schedule):
        """The same with another rate of the matrices; the other parts keep their ratio to it."""
        other = super().scheduled(schedule)
        if self.ratio is not None:
            other.fallback = self.fallback.scheduled(times(other.lr, self.ratio))
        return other

    def init(self, theta):
        state = super().init(theta)
        if theta.shape != (self.layout.size,):
            raise ValueError(f"Muon.init: theta must be one point ({self.layout.size},) of the "
                             f"layout, got {theta.shape}. Run a batch of points one by one.")
        state["m"] = xp.zeros_like(theta)
        if self.rest:
            state |= prefixed(self.fallback.init(gather(theta, self.rest)))
        return state

    def update(self, g, loss, theta, state):
        t, lr = self.tick(state)
        m, beta = state["m"], self.momentum
        m *= beta
        m += g
        u, unit = self.carrier(m, g, t)
        delta = xp.empty_like(theta)
        for where, shape, factor in self.matrices:
            O = newton_schulz(u[where].reshape(shape), eps=self.eps / unit)
            D = delta[where]
            xp.multiply(O.ravel(), -lr * factor, out=D)
            self.shrink(D, lr, theta[where])
        if self.rest:
            own = {key[len(FALLBACK):]: a for key, a in state.items() if key.startswith(FALLBACK)}
            moved, own = self.fallback.update(
                gather(g, self.rest), loss, gather(theta, self.rest), own)
            state.update(prefixed(own))
            scatter(moved, self.rest, delta)
        return delta, state

    def carrier(self, m, g, t):
        """What is made orthogonal, up to a number: (u', unit) with u = unit · u'.

        newton_schulz does not see the scale of u but through ε, so one multiplication is saved.
        """
        beta = self.momentum
        unit = 1.0 / weight_sum(beta, t) if self.bias_correction else 1.0 - beta
        if not self.nesterov:
            return m, unit
        u = m * beta
        if self.bias_correction:
            u *= weight_sum(beta, t) / weight_sum(beta, t + 1)
        u += g
        return u, unit


def times(lr, factor):
    """factor · lr, for a number or a schedule."""
    return (lambda step: factor * lr(step)) if callable(lr) else factor * lr


def ratio(rate, lr):
    """rate / lr where that says something: of two numbers, or of one schedule for both."""
    if callable(rate) or callable(lr):
        return 1.0 if rate is lr else None
    return rate / lr if lr > 0 else None


def as_matrix(entry):
    """Shape (rows, columns) in which an entry is stored, and √max(1, d_out/d_in).

    The outputs are the filter axis of a weight: the last of a dense one (x @ W), the first of a
    kernel; and the last axis of an embedding, a dense layer on one-hot rows.
    """
    size, first, last = math.prod(entry.shape), entry.shape[0], entry.shape[-1]
    out_first = entry.kind == "weight" and entry.filter_axis == 0
    d_out = first if out_first else last
    shape = (first, size // first) if out_first else (size // last, last)
    return shape, math.sqrt(max(1.0, d_out * d_out / size))


def gather(a, parts):
    return xp.concatenate([a[part] for part in parts])


def scatter(a, parts, out):
    start = 0
    for part in parts:
        length = part.stop - part.start
        out[part] = a[start:start + length]
        start += length


def prefixed(state):
    return {FALLBACK + key: value for key, value in state.items()}
