"""Muon: momentum whose matrices are made orthogonal before they are applied.

A gradient of a weight matrix is often of low rank in effect: a few directions dominate. Muon keeps
its singular vectors and sets all singular values to about 1, so that every direction moves.
"""
import math

from minigrad.backend import xp
from minigrad.kinds import expects

from optim.coordinatewise.adam import AdamW, NAdam
from .products import equal_passes, newton_schulz      # the second for those who look for it here
from .matrix import MatrixMethod
from optim.optimizer import weight_sum

SCALES = {                                          # of the step, by the layer's d_out x d_in
    "jordan": lambda m, n: math.sqrt(max(1.0, m / n)),
    "moonlight": lambda m, n: 0.2 * math.sqrt(max(m, n)),
    "plain": lambda m, n: 1.0,
}


class Muon(MatrixMethod):
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
    scale          "jordan", the shape factor above; "moonlight", .2 √max(d_out, d_in); "plain", 1
    bias_correction   u as optax has it, see `Muon.optax`
    eps        ε   of newton_schulz

    State      m   (d,), holds m/(1-β);   fallback.*   the fallback's own state
    Raises     ValueError for a value out of range, a batch of points, a point of another size
    """

    @expects()
    def __init__(self, layout, lr=0.02, *, momentum=0.95, nesterov=True, decay=0.0, fallback=None,
                 matrices=None, scale="jordan", bias_correction=False, eps=1e-7):
        if scale not in SCALES:
            raise ValueError(f"Muon: unknown scale {scale!r}. Use one of {', '.join(SCALES)}.")
        self.nesterov, self.bias_correction, self.scale = nesterov, bias_correction, scale
        self.configure(lr=lr, momentum=momentum, decay=decay, eps=eps)
        self.split(layout, fallback, matrices)

    @classmethod
    def optax(cls, layout, lr, *, momentum=0.95, beta1=0.9, beta2=0.999, eps=1e-8, decay=0.0):
        """Muon as optax.contrib.muon has it, which the induced-metric experiments compare with.

        Arrays with exactly two axes are matrices, embeddings too. The carrier is bias-corrected,
        u = β m/(1-β^(t+1)) + (1-β) g/(1-β^t), and all else goes to NAdam with the same η, no decay.
        """
        return cls(layout, lr, momentum=momentum, decay=decay, bias_correction=True, eps=eps,
                   fallback=NAdam(lr, beta1=beta1, beta2=beta2, eps=eps),
                   matrices=lambda entry: len(entry.shape) == 2)

    @classmethod
    def moonlight(cls, layout, lr=1e-3, *, momentum=0.95, decay=0.1, **settings):
        """Muon whose steps are as large as AdamW's, so that AdamW's rate and decay can be kept.

            W ← W - η · .2 √max(d_out, d_in) O - η λ W          root mean square of a step: .2 η

        Source: Liu et al. 2025, arXiv:2502.16982 (matching the size of updates). AdamW with the
        same η and λ for the rest, unless another `fallback` is given.
        """
        settings.setdefault("fallback", AdamW(lr, beta1=0.9, beta2=0.95, decay=decay))
        return cls(layout, lr, momentum=momentum, decay=decay, scale="moonlight", **settings)

    def init(self, theta):
        return {**super().init(theta), "m": xp.zeros_like(theta)}

    def prepare(self, g, t, state):
        """The carrier, up to a number: (u', unit) with u = unit · u'.

        newton_schulz does not see the scale of u but through ε, so one multiplication is saved.
        """
        m, beta = state["m"], self.momentum
        m *= beta
        m += g
        unit = 1.0 / weight_sum(beta, t) if self.bias_correction else 1.0 - beta
        if self.scale == "moonlight":               # there the momentum is a sum, no mean
            unit = 1.0
        if not self.nesterov:
            return m, unit
        u = m * beta
        if self.bias_correction:
            u *= weight_sum(beta, t) / weight_sum(beta, t + 1)
        u += g
        return u, unit

    def rule(self, D, part, carrier, lr, t, state):
        u, unit = carrier
        O = equal_passes(u[part.where].reshape(part.shape), eps=self.eps / unit)
        xp.multiply(O, -lr * SCALES[self.scale](part.d_out, part.d_in), out=D)
