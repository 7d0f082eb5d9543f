"""Two spirals: points in the plane that no straight line separates, for pictures of boundaries.

Arm c = 0, 1 winds 1.75 times around the origin; its point at radius r ∈ [0, 1] has the angle

    2π · 1.75 · r + π c,      r = sqrt(u), u uniform (even along the disc),

and noise of standard deviation 0.06 r is added to both coordinates.
"""

import math

import numpy as np

from minigrad.arguments import generator
from minigrad.backend import xp
from minigrad.kinds import expects, real, source, whole

from .dataset import Dataset, Split


def load(seed=0, n_train=1_000, n_valid=1_000, n_test=2_000, noise=0.06, turns=1.75,
         dtype="float32"):
    """Two spirals as a Dataset: inputs (n, 2), labels (n,) int64, three streams of one seed."""
    parts = []
    for stream, n in enumerate((n_train, n_valid, n_test)):
        x, labels = two_spirals(np.random.default_rng([seed, stream]), n, noise, turns)
        parts.append(Split(xp.asarray(x.astype(dtype)), xp.asarray(labels)))
    return Dataset("spirals", *parts, classes=("first arm", "second arm"),
                   about=f"two spirals, generated (seed {seed})")


@expects(rng=source, n=whole(), noise=real, turns=real)
def two_spirals(rng, n, noise=0.06, turns=1.75):
    """n points (n, 2) and their arms (n,) int64, drawn independently."""
    generator("two_spirals", rng)
    if n < 1 or noise < 0:
        raise ValueError(f"two_spirals: n={n}, noise={noise}. "
                         "Ask for at least one point and no negative noise.")
    labels = rng.integers(0, 2, n)
    r = np.sqrt(rng.random(n))
    angle = 2 * math.pi * turns * r + math.pi * labels
    x = r[:, None] * np.stack([np.cos(angle), np.sin(angle)], -1)
    return x + noise * r[:, None] * rng.standard_normal((n, 2)), labels
