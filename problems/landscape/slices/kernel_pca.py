"""Kernel principal components: a few coordinates in which many solutions can be seen side by side.

Principal components of vectors z_1 ... z_n that were first sent into another space by a kernel,
k(z, z') = <φ(z), φ(z')>. Only the table of kernels is needed, centred in that space:

    K̃ = K - 1K - K1 + 1K1          (1: the n x n matrix with all entries 1/n)
    K̃ u_j = l_j u_j,               coordinates of the n vectors along component j:  √l_j u_j

A vector z that was not among them, a snapshot along a run, has the coordinate

    u_j . k̃(z) / √l_j,             k̃_i(z) = k(z, z_i) - mean_m k(z, z_m) - mean_m K_im + mean K

Two things mislead. Independent random vectors in many dimensions are nearly orthogonal, so raw
weights mostly show their norms: look at unit vectors (`unit`) and aligned ones as well. And n points
in d >> n dimensions look like the corners of a simplex, so even the first components carry little.
`gaussian_twins` gives the null model: vectors that share nothing but the mean and the deviation.

Source: Schölkopf, Smola & Müller 1998, Neural Computation 10, 1299. With 2σ² = number of
parameters, as arXiv:2602.21276 uses it on trained networks: bandwidth="parameters".
"""
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.arguments import count
from minigrad.kinds import brought, expects, real
from minigrad.backend import to_host, xp

KERNELS = ("rbf", "linear", "polynomial", "sigmoid")
FLAT = 1e-12                    # eigenvalues below this share of the largest are rounding


@dataclass(frozen=True)
class KernelPCA:
    """Components of n vectors: what `kernel_pca` returns.

    coordinates (n, k)   of the vectors, √l_j u_j; the largest entry of each u_j is positive
    shares (k,)          l_j / Σ l: how much of the spread in feature space a component carries
    eigenvalues (k,)     l_j
    sigma2               σ² of the rbf kernel, None for the others
    """
    coordinates: np.ndarray
    shares: np.ndarray
    eigenvalues: np.ndarray
    sigma2: float | None
    kernel: str
    rows: Any                   # (n, d), on the device
    vectors: np.ndarray         # u (n, k)
    means: np.ndarray           # (n,) row means of K

    def project(self, z):
        """Coordinates (m, k) of vectors z (m, d) in the same components."""
        K = table(xp.asarray(z), self.rows, self.kernel, self.sigma2)
        K = K - K.mean(axis=1, keepdims=True) - self.means + self.means.mean()
        return K @ self.vectors / np.sqrt(self.eigenvalues)


def width(where, name, value):
    """A rule by its name, or a number."""
    return value if isinstance(value, str) else real(where, name, value)


@expects(rows=brought, bandwidth=width)
def kernel_pca(rows, kernel="rbf", bandwidth="median", components=4):
    """The first principal components of vectors in the space of a kernel.

        rbf          exp(-|z - z'|² / 2σ²)
        linear       z . z'                         (ordinary principal components)
        polynomial   (z . z'/d + 1)³
        sigmoid      tanh(z . z'/d + 1)             (may be indefinite: negative l_j are left out)

    rows         (n, d), n >= 2 vectors of one length, all groups to be compared together
    bandwidth    of rbf: "median" (σ² = median of the squared distances between the vectors),
                 "parameters" (2σ² = d), or the number σ²
    components   how many at most; components without spread are left out

    Returns  a KernelPCA record
    Raises   ValueError for fewer than two vectors, numbers that are not finite, an unknown kernel,
             a bandwidth that is not positive, vectors that are all equal
    """
    rows = xp.asarray(rows)
    if rows.ndim != 2 or rows.shape[0] < 2:
        raise ValueError(f"kernel_pca: needs at least two vectors as rows (n, d), got shape "
                         f"{rows.shape}. Stack them.")
    if not bool(xp.isfinite(rows).all()):
        raise ValueError("kernel_pca: a vector has entries that are NaN or infinite. Leave out "
                         "the runs that diverged.")
    if kernel not in KERNELS:
        raise ValueError(f"kernel_pca: unknown kernel {kernel!r}. Use one of {', '.join(KERNELS)}.")
    components = count("kernel_pca", "components", components)
    sigma2 = width_of(rows, bandwidth) if kernel == "rbf" else None
    K = table(rows, rows, kernel, sigma2)
    means = K.mean(axis=1)
    centred = K - means[:, None] - means[None, :] + means.mean()
    l, u = np.linalg.eigh(0.5 * (centred + centred.T))
    l, u = l[::-1], u[:, ::-1]
    kept = (l > FLAT * np.abs(K).max() * len(K)).nonzero()[0][:components]
    if not len(kept):
        raise ValueError("kernel_pca: all vectors are equal in the space of the kernel. Give "
                         "vectors that differ, or another bandwidth.")
    total = l[l > 0].sum()
    l, u = l[kept], u[:, kept]
    u = u * np.sign(u[np.abs(u).argmax(axis=0), np.arange(len(l))])
    return KernelPCA(u * np.sqrt(l), l / total, l, sigma2, kernel, rows, u, means)


def table(a, b, kernel, sigma2):
    """Kernels of all pairs (n, m) on the host, of vectors a (n, d) and b (m, d)."""
    if a.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ValueError(f"kernel_pca: vectors of shape {a.shape} do not fit those of shape "
                         f"{b.shape}. Give rows (m, {b.shape[1]}).")
    if kernel == "rbf":
        return np.exp(squared_distances(a, b) * (-0.5 / sigma2))
    if kernel == "linear":                          # from the mean: centring it is then exact
        centre = b.mean(axis=0)
        return to_host((a - centre) @ (b - centre).T).astype("float64")
    inner = to_host(a @ b.T).astype("float64")
    inner = inner * (1.0 / a.shape[1]) + 1.0
    return inner * inner * inner if kernel == "polynomial" else np.tanh(inner)


def squared_distances(a, b):
    """|a_i - b_j|² (n, m) on the host, by differences: no digits are lost for close vectors."""
    return np.stack([to_host(((row - b) ** 2).sum(axis=1)) for row in a]).astype("float64")


def width_of(rows, bandwidth):
    """σ² from its name, or as given."""
    if bandwidth == "median":
        pairs = squared_distances(rows, rows)[np.triu_indices(len(rows), 1)]
        if not np.median(pairs) > 0:
            raise ValueError("kernel_pca: more than half of the vectors are equal, so their median "
                             "distance is 0. Give bandwidth as a number.")
        return float(np.median(pairs))
    if bandwidth == "parameters":
        return 0.5 * rows.shape[1]
    if isinstance(bandwidth, str) or not np.isscalar(bandwidth) or not 0 < bandwidth < np.inf:
        raise ValueError("kernel_pca: bandwidth must be 'median', 'parameters' or a number > 0, "
                         f"got {bandwidth!r}.")
    return float(bandwidth)


def unit(rows):
    """The vectors (n, d) divided by their norms; a zero vector stays zero."""
    norms = xp.sqrt((rows * rows).sum(axis=1, keepdims=True))
    return rows / xp.where(norms > 0, norms, 1.0)


def gaussian_twins(rng, n, d, mean, deviation):
    """n vectors (n, d) with independent normal entries: the null model of a group of networks."""
    return xp.asarray(mean + deviation * rng.standard_normal((n, d)))


def separation(scores, other):
    """How well one coordinate tells two groups apart: area under the ROC curve, at least 1/2.

    The share of pairs (one of each group) in which the first group's coordinate is larger, ties
    counted half; 1/2 says nothing, 1 says that a threshold parts them.
    """
    a, b = np.asarray(scores, float)[:, None], np.asarray(other, float)[None, :]
    if not a.size or not b.size:
        raise ValueError("separation: needs at least one score in each group.")
    area = float(((a > b) + 0.5 * (a == b)).mean())
    return max(area, 1.0 - area)
