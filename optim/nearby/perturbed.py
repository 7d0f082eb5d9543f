"""Noise against saddles: perturbed gradient descent, and gradient descent with noise in every step.

A step of gradient descent multiplies a coordinate of curvature -γ by (1 + η γ), so that from
y_0 it is R away from the saddle after (`escape_steps`)

    T = ln(R/|y_0|) / ln(1 + η γ)

It leaves from almost every start, but the time
grows without bound as y_0 -> 0. Noise of size r replaces y_0 by about r/√d, so the wait
becomes a logarithm of the noise, and of d.

What the theory promises, and what is often merged into one sentence:

    l Δf / ε²          full gradients, times a power of log d           (Jin et al. 2017)
    l Δf s² / ε⁴       sample gradients of variance s², times logs     (Jin et al. 2021)

Both count the way to a point with |g| <= ε and λ_min >= -√(ρ ε). With |g| >= ε an
exact step of length 1/l lowers the height by ε²/(2l), so there can be 2 l Δf/ε² of them; a
stochastic gradient has to be averaged over about s²/ε² samples (or its step made that much
shorter) before it says more than its noise.
"""
import math
from typing import NamedTuple

import numpy as np

from minigrad.arguments import generator, real
from minigrad.backend import to_host, xp

from optim.hyperparameters import checked
from optim.optimizer import Optimizer, scaled


class PGDParameters(NamedTuple):
    """χ, step lr = η, radius r, and the three thresholds: see `pgd_theory_params`."""

    chi: float
    lr: float
    r: float
    g_thres: float
    f_thres: float
    t_thres: float


def pgd_theory_params(d, l, rho, eps, c, delta, Df):
    """Every parameter of perturbed gradient descent, from the constants of the landscape.

        χ       = 3 max( ln(d l Δf / (c ε² δ)), 4 )
        η       = c / l                          r       = √c/χ² ε/l
        g_thres = √c/χ² ε                        f_thres = c/χ³ √(ε³/ρ)
        t_thres = χ/c² l/√(ρ ε)

    With them the run returns, with probability 1 - δ, a point with |g| <= ε and λ_min
    >= -√(ρ ε) after O(l Δf/ε² log⁴(d l Δf/(ε² δ))) gradients. They are cautious:
    at d = 10, l = ρ = Δf = 1, ε = .01, c = .5, δ = .1 a kick has radius 3.7e-6 and is given
    1741 steps.

    Source: Jin et al. 2017, arXiv:1703.00887, first lines of the algorithm PGD, and its theorem.

    d, l, rho    dimension; Lipschitz constants l of the gradient, ρ of the Hessian
    eps, delta   ε  gradient norm asked for;   δ  probability of failure allowed
    c, Df        absolute constant in (0, 1];   Δf  bound on f(x_0) - f*
    """
    for name, value in dict(d=d, l=l, rho=rho, eps=eps, c=c, delta=delta, Df=Df).items():
        if not real("pgd_theory_params", name, value) > 0:
            raise ValueError(f"pgd_theory_params: {name} must be > 0, got {value}.")
    if c > 1 or delta > 1:
        raise ValueError("pgd_theory_params: c and delta must be at most 1, "
                         f"got c={c} and delta={delta}.")
    try:
        chi = 3.0 * max(math.log(d * l * Df / (c * eps**2 * delta)), 4.0)
        return PGDParameters(chi, lr=c / l,
                             r=math.sqrt(c) / chi**2 * eps / l,
                             g_thres=math.sqrt(c) / chi**2 * eps,
                             f_thres=c / chi**3 * math.sqrt(eps**3 / rho),
                             t_thres=chi / c**2 * l / math.sqrt(rho * eps))
    except (ArithmeticError, ValueError):               # 1e-300, squared
        raise ValueError("pgd_theory_params: these constants are too far apart for numbers of 64 "
                         f"bits, d={d}, l={l}, rho={rho}, eps={eps}, c={c}, delta={delta}, Df={Df}."
                         ) from None


def escape_steps(y0, R, lr, gam):
    """Steps of gradient descent from |y| = y0 to |y| >= R where the height is -γ y²/2.

        T = ceil( ln(R/|y0|) / ln(1 + η γ) );    infinite on the stable manifold, y0 = 0
    """
    for name, value in dict(y0=y0, R=R, lr=lr, gam=gam).items():
        real("escape_steps", name, value)
    if not (R > 0 and lr > 0 and gam > 0):
        raise ValueError(f"escape_steps: R, lr and gam must be > 0, got R={R}, lr={lr}, gam={gam}.")
    if y0 == 0:
        return math.inf
    return max(0, math.ceil(math.log(R / abs(y0)) / math.log1p(lr * gam)))


class PerturbedGD(Optimizer):
    """Gradient descent that kicks itself where the gradient is small.

        if |g(x)| <= g_thres and t - t_noise > t_thres:
            x~ = x,   t_noise = t,   x ← x + ξ,      ξ uniform in the ball of radius r
        if t - t_noise = t_thres and f(x) - f(x~) > -f_thres:
            return x~
        x ← x - η g(x)

    Source: Jin et al. 2017, arXiv:1703.00887, the algorithm PGD.
    Differs from the paper: t_thres is rounded up to an integer; with f_thres = None the run never
    ends by itself.

    lr        η     step length, below 1/l
    rng             host Generator that draws the kicks
    r               radius of a kick
    g_thres         gradient norm below which a point might be a saddle
    t_thres         steps a kick is given to work
    f_thres         decrease that proves a kick worked; None: never stop

    The defaults are practical ones; `PerturbedGD.from_theory` takes those of `pgd_theory_params`.
    Works on batches of points (n, d): each point has its own clock. A kick costs one more gradient.

    State   t, t_noise (..., 1)   steps so far; step of the last kick
            x_tilde, f_tilde      the point and height before that kick
            done (..., 1)         True once x~ has been returned: the point stays there
            rng                   the Generator
    """

    def __init__(self, lr, rng, r=0.01, g_thres=0.01, t_thres=50, f_thres=None):
        if not positive("PerturbedGD", "lr", lr):
            raise ValueError(f"PerturbedGD: lr must be > 0, got {lr}.")
        for name, value in (("r", r), ("g_thres", g_thres), ("t_thres", t_thres)):
            if not positive("PerturbedGD", name, value, or_zero=True):
                raise ValueError(f"PerturbedGD: {name} must be >= 0, got {value}.")
        self.f_thres = None
        self.configure(lr=lr, r=r, g_thres=g_thres, t_thres=xp.ceil(xp.asarray(t_thres)),
                       **({} if f_thres is None else {"f_thres": f_thres}))
        self.rng = generator("PerturbedGD", rng)

    @classmethod
    def from_theory(cls, params, rng):
        """The algorithm exactly as analysed, for `params` from `pgd_theory_params`."""
        return cls(params.lr, rng, params.r, params.g_thres, params.t_thres, params.f_thres)

    def init(self, theta):
        state = super().init(theta)                             # checks theta; "t"
        ones = xp.ones_like(theta[..., :1])
        return {**state, "t_noise": (-self.t_thres - 1) * ones, "x_tilde": theta,
                "f_tilde": xp.inf * ones, "done": ones < 0, "rng": self.rng}

    def advance(self, objective, theta, state):
        loss, g = self.look(objective, theta, state)
        f, t = xp.asarray(loss)[..., None], int(state["t"])
        waited = t - state["t_noise"]
        kick = (norm(g) <= self.g_thres) & (waited > self.t_thres) & ~state["done"]
        if bool(xp.any(kick)):
            state["x_tilde"] = xp.where(kick, theta, state["x_tilde"])
            state["f_tilde"] = xp.where(kick, f, state["f_tilde"])
            state["t_noise"] = xp.where(kick, float(t), state["t_noise"])
            xi = uniform_in_ball(state["rng"], theta, self.r)
            theta = xp.where(kick, theta + xi, theta)
            _, g = objective.value_and_grad(theta)
        if self.f_thres is not None:
            failed = (waited == self.t_thres) & (f - state["f_tilde"] > -self.f_thres)
            state["done"] = state["done"] | failed
        _, lr = self.tick(state)
        return xp.where(state["done"], state["x_tilde"], theta - scaled(g, lr)), state, loss


class PerturbedSGD(Optimizer):
    """Gradient descent with isotropic Gaussian noise in every step.

        x ← x - η (g(x) + σ z),    z ~ N(0, I)

    The noise of mini-batches helps in the same way only if it has a part along the negative
    curvature; it need not, and at a point that fits every example it vanishes. This noise always
    has one.

    Source: Jin et al. 2021, arXiv:1902.04811, the algorithm PSGD, where σ = r/√d.

    lr      η       step length
    sigma   σ       deviation of each coordinate of the noise, in units of the gradient
    rng             host Generator

    State   t       steps so far;   rng  the Generator
    """

    def __init__(self, lr, sigma, rng):
        if not (positive("PerturbedSGD", "lr", lr)
                and positive("PerturbedSGD", "sigma", sigma, or_zero=True)):
            raise ValueError("PerturbedSGD: lr must be > 0 and sigma >= 0, "
                             f"got lr={lr} and sigma={sigma}.")
        self.configure(lr=lr, sigma=sigma)
        self.rng = generator("PerturbedSGD", rng)

    def init(self, theta):
        return {**super().init(theta), "rng": self.rng}

    def update(self, g, loss, theta, state):
        _, lr = self.tick(state)
        z = xp.asarray(state["rng"].standard_normal(g.shape), dtype=g.dtype)
        return scaled(g + scaled(z, self.sigma), -lr), state


def uniform_in_ball(rng, like, r):
    """Points shaped as `like` (..., d), uniform in the ball of radius r:   r u^(1/d) z/|z|."""
    z = xp.asarray(rng.standard_normal(like.shape), dtype=like.dtype)
    u = xp.asarray(rng.random(like.shape[:-1] + (1,)), dtype=like.dtype)
    return scaled(z, r * u ** (1.0 / like.shape[-1]) / norm(z))


def norm(x):
    """|x| over the last axis, kept: (..., 1)."""
    return xp.sqrt(xp.sum(x * x, axis=-1, keepdims=True))


def positive(owner, name, value, or_zero=False):
    """Whether a number, or every number of an array (n, 1), is > 0; a schedule is asked later."""
    if name == "lr" and callable(value):
        return True
    value = to_host(checked(owner, name, value, ""))
    return bool(np.all(value >= 0 if or_zero else value > 0))
