"""Gaussian clusters: a small classification problem whose classes are not convex.

    centre_k ~ N(0, spread² I),  k = 0 ... K-1;    x = centre_k + noise · N(0, I),  label k mod C

With K = 15 clusters and C = 5 classes, each class is three separate clouds. Label noise q redraws
that fraction of the labels uniformly (so some keep theirs), which gives a network something to
memorise.
"""

import numpy as np

from minigrad.arguments import generator
from minigrad.backend import xp
from minigrad.kinds import expects, natural, real, source, table, whole

from .dataset import Dataset, Split


def load(seed=0, n_train=1_500, n_valid=1_000, n_test=4_000, clusters=15, dim=10, classes=5,
         spread=1.3, noise=0.6, label_noise=0.0, dtype="float32"):
    """Gaussian clusters as a Dataset: inputs (n, dim), labels (n,) int64.

    The parts share the centres; only the training labels are noisy. facts["centres"] (K, dim).
    """
    rng = np.random.default_rng([*np.ravel(seed), 0])
    centres = gaussian_centres(rng, clusters, dim, spread)
    parts = []
    for n, q in ((n_train, label_noise), (n_valid, 0.0), (n_test, 0.0)):
        x, labels = gaussian_clusters(rng, centres, n, classes, noise, q)
        parts.append(Split(xp.asarray(x.astype(dtype)), xp.asarray(labels)))
    return Dataset("clusters", *parts, classes=tuple(f"class {c}" for c in range(classes)),
                   facts={"centres": centres},
                   about=f"{clusters} Gaussian clusters in {dim}-d, generated (seed {seed})")


def load_eight(seed=0, label_noise=0.1, dtype="float64"):
    """CLUSTERS-8: twelve overlapping clouds, four classes, few and noisily labelled examples.

        mu_k ~ N(0, I) in R^10, k = 0 ... 11;      x = mu_k + 0.9 N(0, I),   label k mod 4

    3,000 points: 400 to train (each label redrawn with probability `label_noise`), 400 to choose
    with, 2,200 to test. A network with 8 hidden units can neither fit all of it nor miss it, which
    is what makes barriers between its minima. Seed 0 is the set that numbers are given for.
    """
    if not 0 <= label_noise <= 1:
        raise ValueError(f"load: clusters-8: label_noise must lie in [0, 1], got {label_noise}.")
    rng = np.random.default_rng(seed)
    centres = gaussian_centres(rng, 12, 10, 1.0)
    k = rng.integers(0, 12, 3000)
    x = xp.asarray((centres[k] + 0.9 * rng.standard_normal((3000, 10))).astype(dtype))
    labels = k % 4
    redrawn = rng.random(400) < label_noise
    labels[:400] = np.where(redrawn, rng.integers(0, 4, 400), labels[:400])
    parts = [Split(x[part], xp.asarray(labels[part]))
             for part in (slice(0, 400), slice(400, 800), slice(800, None))]
    return Dataset("clusters-8", *parts, classes=tuple(f"class {c}" for c in range(4)),
                   facts={"centres": centres},
                   about=f"12 overlapping Gaussian clusters in 10-d, generated (seed {seed})")


@expects(rng=source, clusters=whole(1), dim=whole(1), spread=natural)
def gaussian_centres(rng, clusters=15, dim=10, spread=1.3):
    """Centres (clusters, dim) ~ N(0, spread²)."""
    generator("gaussian_centres", rng)
    return spread * rng.standard_normal((clusters, dim))


@expects(rng=source, centres=table, n=whole(), classes=whole(1), noise=real,
         label_noise=real)
def gaussian_clusters(rng, centres, n, classes=5, noise=0.6, label_noise=0.0):
    """n points (n, dim) around uniformly drawn centres, and their labels (n,) int64."""
    generator("gaussian_clusters", rng)
    if n < 1 or not 0 <= label_noise <= 1 or noise < 0:
        raise ValueError(f"gaussian_clusters: n={n}, noise={noise}, label_noise={label_noise}. "
                         "Ask for at least one point, noise >= 0 and a label_noise in [0, 1].")
    if centres.ndim != 2:
        raise ValueError(f"gaussian_clusters: centres must be (clusters, dim), got "
                         f"{tuple(centres.shape)}.")
    k = rng.integers(0, len(centres), n)
    x = centres[k] + noise * rng.standard_normal((n, centres.shape[1]))
    labels = k % classes
    redrawn = rng.random(n) < label_noise
    return x, np.where(redrawn, rng.integers(0, classes, n), labels)
