"""The octopus: a tube through d saddles that gradient descent takes exponentially long to walk."""
import math

import numpy as np

import minigrad as mg
from minigrad.backend import xp
from minigrad.kinds import expects, real, whole

from problems.problem import Problem


class Octopus(Problem):
    """A chain of d saddles of index 1, each entered on the way to the next, and then a minimum.

    With a = |x| and i the first coordinate with a_i < 2τ (all earlier ones have left, in order):

        f = Σ_{j<i} (L (a_j - 4τ)² - ν)
            + { -γ a_i² + L Σ_{j>i} a_j²                             if a_i <= τ
              { g₁(a_i) + g₂(a_i) a_{i+1}² + L Σ_{j>i+1} a_j²        if τ < a_i < 2τ

        g₁(s) = -γ s² + (-14 L + 10 γ)(s - τ)³/(3τ) + (5 L - 3 γ)(s - τ)⁴/(2τ²)
        g₂(s) = -γ - (L + γ)(10 u³ + 15 u⁴ + 6 u⁵),    u = (s - 2τ)/τ
        ν     = -g₁(2τ) + 4 L τ²

    While coordinate i leaves at the rate 1 + 2 η γ, coordinate i + 1 shrinks by 1 - 2 η L:
    gradient descent arrives at each saddle closer than at the one before, and the time at it grows
    by the factor `slowdown`. A kick at each saddle undoes that.

    Source: Du et al. 2017, arXiv:1705.10412: the function on which gradient descent takes
    exponential time. The reflections |x|, as there, put the saddles into the interior.

    d, L, gam         dimension, curvature L across and γ along, L >= γ > 0
    tau               scale of the tube, default e

    minimum   -d nu, at (+-4 tau, ..., +-4 tau)
    saddle(k) 4τ k times, then 0: eigenvalues -2γ once and 2 L

    f has two continuous derivatives along the tube. At the border a_i = 2 tau it jumps where
    a_{i+1} > τ, so start inside: |x_j| <= 1.
    """

    @expects(d=whole(), L=real, gam=real, tau=real)
    def __init__(self, d, L=1.0, gam=1.0, tau=math.e):
        if d < 1 or not L >= gam > 0 or not 1e-50 < tau < 1e50:
            raise ValueError("Octopus: needs d >= 1, L >= gam > 0 and tau > 0 (1e-50 to 1e50), "
                             f"got d={d}, L={L}, gam={gam}, tau={tau}.")
        self.d, self.L, self.gam, self.tau, self.coordinates = d, L, gam, tau, d
        self.nu = -self.g1(2.0 * tau) + 4.0 * L * tau**2
        self.minimum = -d * self.nu
        self.minimisers = (tuple([4.0 * tau] * d),)

    def start(self, rng):
        """Uniform in [-1, 1]^d."""
        return xp.asarray(rng.uniform(-1.0, 1.0, self.d))

    def saddle(self, k):
        """The k-th saddle: k coordinates have arrived at 4 tau, the others wait at 0."""
        if not 0 <= k < self.d:
            raise ValueError(f"Octopus: there are saddles 0 to {self.d - 1}, got k={k}.")
        return xp.asarray(np.where(np.arange(self.d) < k, 4.0 * self.tau, 0.0))

    def slowdown(self, lr):
        """Factor by which gradient descent's time grows from one saddle to the next:

            1 + ln(1/(1 - 2 η L)) / ln(1 + 2 η γ)        2.71 at L = γ = 1, η = 1/4
        """
        if not 0 < lr < 0.5 / self.L:
            raise ValueError(f"Octopus.slowdown: lr must lie in (0, 1/(2 L)), got {lr}.")
        return 1.0 - math.log1p(-2.0 * lr * self.L) / math.log1p(2.0 * lr * self.gam)

    def g1(self, s):
        L, gam, tau = self.L, self.gam, self.tau
        t = s - tau
        return (-gam * s * s + (-14.0 * L + 10.0 * gam) / (3.0 * tau) * t * t * t
                + (5.0 * L - 3.0 * gam) / (2.0 * tau**2) * t * t * t * t)

    def g2(self, s):
        u = (s - 2.0 * self.tau) * (1.0 / self.tau)
        return -self.gam - (self.L + self.gam) * (u * u * u * (10.0 + u * (15.0 + 6.0 * u)))

    def loss(self, theta, batch=None):
        L, gam, tau = self.L, self.gam, self.tau
        a, square = mg.abs(theta), theta * theta
        passed = xp.cumprod((a >= 2.0 * tau).astype(int), axis=-1) > 0      # j < i
        front = shifted(passed, True) & ~passed                             # j = i
        bending = front & (a > tau)
        own = mg.where(bending, self.g1(a), -gam * square)
        leader = mg.concatenate([a[..., :1], a[..., :-1]], axis=-1)         # a_{j-1} beside a_j
        across = mg.where(shifted(bending, False), self.g2(leader), L)
        away = a - 4.0 * tau
        arrived = L * away * away - self.nu
        waiting = mg.where(front, own, across * square)
        return mg.sum(mg.where(passed, arrived, waiting), axis=-1)


def shifted(mask, first):
    """Each coordinate's mask moved to the next one."""
    return xp.concatenate([xp.full_like(mask[..., :1], first), mask[..., :-1]], axis=-1)
