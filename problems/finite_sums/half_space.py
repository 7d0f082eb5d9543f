"""Half-space learning: on which side of a plane does a point lie? A sigmoid for each example.

    f_i(x) = σ(-b_i a_i·x) + (λ/2)|x|²,       σ(u) = 1/(1 + e^{-u})

Not convex: an example far on the wrong side has a loss near 1 and hardly any slope.

Source: arXiv:2410.12455 (two Gaussian classes of 20, std 2, λ = 1e-5, SGD at 1/4, one example a
step); class means, labels and protocol: the original authors' notebook.
"""
import numpy as np

import minigrad as mg
from minigrad.backend import xp
from minigrad.kinds import expects, natural, whole

from problems.finite_sums.finite_sum import FiniteSum

MEANS = {                                       # class 0, class 1; the second pair is alternative
    "first": ((-1, 0, 1, -.5, 1, 2, 0, 4, 1), (1, 0, -1, -.5, 2, 1, -1, 0, 3)),
    "second": ((-.5, 3, 1, .5, 2, 4, 0, 2, 2), (2, -.1, -1.5, -.4, 1, .5, 0, 1, 4)),
}


class HalfSpace(FiniteSum):
    """Two classes of points in nine dimensions.

    seed      of the points: class 0 is drawn first, then class 1
    labels    "01": b = 0 or 1, as in the original, so class 0 contributes the constant 1/2;
              "pm1": b = -1 or 1
    means     "first" or "second" pair of class means;   per_class  number of points

    Which minimum is global is not known: `minimisers` is None.
    """

    @expects(seed=whole(0), per_class=whole(1), std=natural, decay=natural)
    def __init__(self, seed=0, labels="pm1", means="first", per_class=20, std=2.0, decay=1e-5):
        if labels not in ("01", "pm1"):
            raise ValueError(f"HalfSpace: labels must be '01' or 'pm1', got {labels!r}.")
        if means not in MEANS:
            raise ValueError(f"HalfSpace: means must be 'first' or 'second', got {means!r}.")
        rng = np.random.default_rng(seed)
        self.a = np.concatenate([m + std * rng.normal(size=(per_class, len(m)))
                                 for m in np.array(MEANS[means], float)])
        low = 0.0 if labels == "01" else -1.0
        self.b = np.repeat([low, 1.0], per_class)
        self.n, self.dimension = self.a.shape
        self.decay = decay
        self.lowest = self.lowest_of(np.sum(self.a**2, axis=1) * self.b**2)

    def parts(self, theta):
        signed = xp.asarray(-(self.a * self.b[:, None]).T, dtype=theta.dtype)          # (d, n)
        ridge = 0.5 * self.decay * mg.sum(theta * theta, axis=-1)
        return mg.sigmoid(mg.matmul(theta, signed)) + ridge[..., None]

    def start(self, rng):
        """2 N(0, I)."""
        return xp.asarray(2.0 * rng.normal(size=self.dimension))

    def lowest_of(self, norms):
        """min over c of σ(-c |a|²) + (λ/2) c² |a|², the minimum along x = c b a, by bisection."""
        low, high = np.zeros_like(norms), np.full_like(norms, 1e6)
        with np.errstate(over="ignore"):
            for _ in range(200):
                c = 0.5 * (low + high)
                s = 1.0 / (1.0 + np.exp(c * norms))
                falling = self.decay * c < s * (1.0 - s)        # derivative / |a|² below 0
                low, high = np.where(falling, c, low), np.where(falling, high, c)
            return 1.0 / (1.0 + np.exp(low * norms)) + 0.5 * self.decay * low**2 * norms
