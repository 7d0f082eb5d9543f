"""Sharpness-aware minimisation: descend with the gradient of the worst point near by.

    min_w  max_{|T_w⁻¹ e|_p <= ρ}  L(w + e)

SAM replaces the inner maximum by its first-order solution e(w), one gradient, and then
drops the derivative of e: the step is the base optimizer's, fed with g(w + e). So a step
costs two gradients of the same batch. To first order in ρ (p = 2, T = 1)

    g(w + e) = g + ρ H g/|g| + O(ρ²) = ∇( L + ρ |g| ) + O(ρ²),

which is a penalty on the gradient norm: at a minimum's own scale SAM feels curvature.

`worst_step` is the algorithm; the classes add settings. The choices that papers and codes
leave open, as made here: the norm runs over all perturbed parameters jointly, not tensor by
tensor; weight decay belongs to the base step at w and does not enter e; the reported loss
is the loss at w; e is never subtracted again, since w is a value that nobody overwrote.
Under `train` both gradients see the same minibatch and dropout mask, and clipping acts on the
second one (on the first it cancels, since e depends on the direction of g only).
"""
import copy
import math

from minigrad import Layout
from minigrad.arguments import real, short
from minigrad.backend import xp

from optim.optimizer import Optimizer, scaled

TINY = 1e-12                                       # below this norm a gradient counts as zero


def worst_step(g, rho, p=2.0, scale=None):
    """The step e with |e / T|_p <= ρ that raises the linear model <g, e> most.

        u = T g,    e = ρ T sign(u) |u|^(q-1) / (|u|_q^q)^(1/p),    1/p + 1/q = 1

        p = 2        e = ρ T² g / |T g|_2
        p = inf      e = ρ T sign(g)

    Source: Foret et al. 2021, arXiv:2010.01412, eq. 2; with T, Kwon et al. 2021, arXiv:2102.11600.
    Differs from the papers: norms below 1e-12 count as 1e-12, so that e = 0 where g = 0.

    g (..., d), scale T (..., d) or None for 1; each point of a batch gets its own norm.
    """
    u = g if scale is None else scale * g
    if p == 2.0:
        norm = xp.sqrt(xp.sum(u * u, axis=-1, keepdims=True))
        e = scaled(u, rho / xp.maximum(norm, TINY))
    elif math.isinf(p):
        e = scaled(xp.sign(u), rho)
    else:
        q = p / (p - 1.0)
        a = xp.abs(u)
        largest = xp.maximum(xp.max(a, axis=-1, keepdims=True), TINY)
        a = a / largest                             # numerator and denominator scale alike
        total = xp.maximum(xp.sum(a**q, axis=-1, keepdims=True), TINY)
        e = scaled(xp.sign(u) * a ** (q - 1.0), rho / total ** (1.0 / p))
    return e if scale is None else scale * e


class SAM(Optimizer):
    """Two gradients a step: one finds the worst point in a ball, its gradient moves w.

        e_t     = worst_step(g(w_t), ρ, p)
        w_{t+1} = w_t + base.update(g(w_t + e_t))

    Source: Foret et al. 2021, arXiv:2010.01412, eq. 2 and 3, Algorithm 1.
    Differs from the paper: nothing; see the module for the choices it leaves open.

    base    any first-order optimizer; its state, learning rate and decay are used as they are
    rho     ρ  radius of the ball, same unit as w; 0 is the base optimizer, bit for bit.
            Usual search: .01 to .5. A number, or (n, 1) for n points
    p       norm of the ball, 1 < p <= inf
    perturb kinds of parameters to perturb, e.g. ("weight",), with `layout` to find them;
            None: all of them

    State   that of `base`
    Raises  ValueError for ρ < 0, p <= 1, unknown kinds; TypeError for a base that is not
            first-order
    """

    def __init__(self, base, rho=0.05, p=2.0, layout=None, perturb=None):
        name = type(self).__name__
        if not isinstance(base, Optimizer) or type(base).update is Optimizer.update:
            raise TypeError(f"{name}: base must be a first-order optimizer with an update rule, "
                            f"got {type(base).__name__}. Wrap SGD, Adam or another of that kind.")
        if not math.isinf(p if isinstance(p, float) else 0.0):
            real(name, "p", p)
        if not p > 1:
            raise ValueError(f"{name}: p must be larger than 1, got {p}. At p = 1 the worst step "
                             "is a single coordinate and jumps.")
        self.configure(rho=rho)
        self.base, self.p = base, float(p)
        self.perturbed = None if perturb is None else kind_mask(name, layout, perturb)

    def __repr__(self):
        return f"{super().__repr__()[:-1]}, base={self.base!r})"

    @property
    def lr(self):
        """The learning rate is the base optimizer's."""
        return self.base.lr

    @property
    def traces(self):
        return self.base.traces

    def learning_rate(self, state):
        return self.base.learning_rate(state)

    def scheduled(self, schedule):
        other = copy.copy(self)
        other.base = self.base.scheduled(schedule)
        return other

    def init(self, theta):
        super().init(theta)                         # checks theta against the shape of rho
        return self.base.init(theta)

    def may_gain(self, name):
        return self.base.may_gain(name)

    def scale(self, theta):
        """T_w, the diagonal metric of the ball; None stands for the identity."""
        return None

    def perturbation(self, g, theta):
        """e (..., d): the worst step at theta, zero on parameters that are left alone."""
        if self.perturbed is not None:
            g = g * self.perturbed
        return worst_step(g, self.rho, self.p, self.scale(theta))

    def advance(self, objective, theta, state):
        if isinstance(self.rho, float) and self.rho == 0.0:
            return self.base.advance(objective, theta, state)
        loss, g = self.look(objective, theta, state)
        _, g = objective.value_and_grad(theta + self.perturbation(g, theta))
        delta, state = self.base.update(g, loss, theta, state)
        return theta + delta, state, loss


class ASAM(SAM):
    """SAM in a ball that stretches with the weights, T_w = |w| + η.

        e_t = ρ T² g / |T g|_2           (p = 2; `worst_step` for other p)

    With η = 0 the height L(w + e) is exactly invariant to the rescalings that leave a ReLU
    network's function unchanged, per neuron too; but then a weight at 0 is never perturbed.

    Source: Kwon et al. 2021, arXiv:2102.11600, Algorithm 1.
    Differs from the paper: which parameters get T = |w| + η (the others get T = 1) is decided
    by the layout's kinds, not by name; without a layout, all of them.

    rho     ρ  radius in units of the scaled weights, about ten times SAM's
    eta     η  floor of the scale
    scaled  kinds with T = |w| + η when a layout is given
    base, p, layout, perturb, State, Raises: as in SAM; ValueError for η < 0
    """

    def __init__(self, base, rho=0.5, eta=0.01, p=2.0, layout=None, perturb=None,
                 scaled=("weight", "embedding")):
        super().__init__(base, rho, p, layout, perturb)
        self.configure(rho=rho, eta=eta)
        self.scaled = None if layout is None else kind_mask("ASAM", layout, scaled)

    def scale(self, theta):
        T = xp.add(xp.abs(theta), self.eta, dtype=theta.dtype)
        return T if self.scaled is None else T * self.scaled + ~self.scaled


def kind_mask(name, layout, kinds):
    """Boolean (d,): which coordinates of a flat point belong to one of these kinds."""
    if layout is None:
        raise ValueError(f"{name}: choosing parameters by kind {short(kinds)} needs "
                         "layout=problem.layout.")
    if not isinstance(layout, Layout):
        raise TypeError(f"{name}: layout must be a Layout, got {short(layout)}. "
                        "A network has one: network.layout.")
    kinds = kinds if isinstance(kinds, (tuple, list, str)) else (kinds,)
    known = {entry.kind for entry in layout.entries}
    strings = all(isinstance(kind, str) for kind in kinds)
    if isinstance(kinds, str) or not strings or not set(kinds) <= {"weight", "bias", "norm", "embedding"}:
        raise ValueError(f"{name}: kinds must be a tuple out of weight, bias, norm, embedding, "
                         f"got {kinds!r}.")
    if not set(kinds) & known:
        raise ValueError(f"{name}: the layout has no parameter of kind {tuple(kinds)}, only "
                         f"{', '.join(sorted(known))}.")
    mask = xp.zeros(layout.size, dtype=bool)
    for entry in layout.entries:
        if entry.kind in kinds:
            mask[entry.start:entry.stop] = True
    return mask
