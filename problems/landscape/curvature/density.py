"""The density of all eigenvalues, from a few short Lanczos runs.

    φ(t) = 1/n Σ_i δ(t - λ_i)  ~  mean over probes v of  Σ_j τ_j δ(t - θ_j)

For a unit vector v, <v, A^k v> = sum_i (v.q_i)^2 lambda_i^k are the moments of a measure. m Lanczos
steps from v give its m-point Gauss quadrature: nodes θ_j are the eigenvalues of T, weights
τ_j the squares of the *first* components of its eigenvectors. So

    Σ_j τ_j θ_j^k = <v, A^k v>    exactly, for k = 0 ... 2m - 1,

and the mean over random v is tr A^k / n. For a picture each node is smeared by a Gaussian; for
numbers (moments, the share of eigenvalues below a bound) use the nodes.

Source: Golub & Welsch 1969 (quadrature from T); Lin, Saad & Yang 2016, arXiv:1308.5467 (densities);
Ghorbani, Krishnan & Xiao 2019, arXiv:1901.10159 (networks).
"""
import math
from typing import NamedTuple

import numpy as np

from minigrad.kinds import expects, natural, positive, source, vector, whole
from problems.landscape.doors import operator_of

from optim.second_order.krylov import krylov_basis
from problems.landscape.student import check_level, standard_error

from .hessian import operator
from .moments import mean_interval
from .traces import probe


ROUNDING = 1e-10                    # nodes closer than this share of the largest are one


class DensityResult(NamedTuple):
    """A spectral density with what it came from; all arrays on the host.

    grid (g,), density (g,)    the smeared density, integral 1
    stderr (g,)                its standard error over the probes
    nodes, weights (nv, m)     the quadratures, one probe a row; a run that ended early is padded
                               with weight 0
    sigma                      width of the Gaussians
    converged                  the integral of stderr is below tol
    products                   with the operator
    n                          size of the operator
    """

    grid: np.ndarray
    density: np.ndarray
    stderr: np.ndarray
    nodes: np.ndarray
    weights: np.ndarray
    sigma: float
    converged: bool
    products: int
    n: int

    def expect(self, f):
        """1/n Σ_i f(λ_i) as (mean, stderr) over the probes; f takes an array."""
        per_probe = np.sum(self.weights * f(self.nodes), axis=1)
        return float(per_probe.mean()), standard_error(per_probe)

    def moment(self, k):
        """tr A^k / n."""
        return self.expect(lambda t: t**k)

    def mass_below(self, bound):
        """Share of the eigenvalues below a bound; at -tol that is the index divided by n."""
        return self.expect(lambda t: (t < bound).astype(float))

    @property
    def degrees(self):
        """Of freedom of every standard error here: probes less one."""
        return len(self.nodes) - 1

    def interval(self, f, level=0.95):
        """(low, high) that holds 1/n Σ_i f(λ_i) with about this probability, from one probe on.

        By the distribution of the weights, which is known, and not by the scatter of a few skewed
        samples: 93 to 97 % from three probes on where 95 are asked for, see `moments`. For f a
        polynomial of degree up to 2m - 1 the quadrature is exact and only the probes differ; for a
        share (f a step) what m steps leave unresolved comes on top.
        """
        check_level("DensityResult.interval", level)
        values = f(self.nodes)
        low, high = mean_interval(self.weights, values, self.n, level)
        rounding = 1e-15 * float(np.sum(self.weights * np.abs(values), axis=1).max())
        return low - rounding, high + rounding


@expects(op=operator_of, m=whole(), nv=whole(), sigma=positive, rng=source, points=whole(2),
         tol=natural)
def spectral_density(op, m=None, nv=10, sigma=None, rng=None, points=1000, tol=0.2):
    """Stochastic Lanczos quadrature: nv probes of m steps each.

    m       steps of a probe, at most n; default 80, or n where that is smaller
    nv      Rademacher probes; with one there is no standard error
    sigma   width of the Gaussians; default (range of the nodes)/m
    points  of the grid; its spacing must not exceed sigma, or peaks fall between

    Raises ValueError for m > n, nv < 1, a grid coarser than sigma
    """
    op = operator(op)
    if rng is None:
        raise ValueError("spectral_density: needs random probes. "
                         "Pass rng=numpy.random.default_rng(seed).")
    if nv < 1:
        raise ValueError(f"spectral_density: nv must be at least 1, got {nv}.")
    m = min(80, op.n) if m is None else m
    if not 1 <= m <= op.n:
        raise ValueError(f"spectral_density: m must lie in [1, n], got m={m} for an operator of "
                         f"size n={op.n}. A Krylov space has at most n dimensions.")
    nodes, weights = np.zeros((nv, m)), np.zeros((nv, m))
    products = 0
    for i in range(nv):
        theta, tau = quadrature(op, probe(rng, op), m)
        nodes[i, :len(theta)], weights[i, :len(tau)] = theta, tau
        nodes[i, len(theta):] = theta[-1]
        products += len(theta)
    low, high, size = nodes.min(), nodes.max(), np.abs(nodes).max()
    if sigma is None:
        sigma = (high - low if high - low > ROUNDING * size else size or 1.0) / m
    if not sigma > ROUNDING * size / points:
        raise ValueError(f"spectral_density: sigma = {sigma:.3g} is within the rounding of "
                         f"eigenvalues of size {size:.3g}. Use a larger one.")
    grid = np.linspace(low - 4.0 * sigma, high + 4.0 * sigma, points)
    if grid[1] - grid[0] > sigma:
        raise ValueError(f"spectral_density: the grid's spacing {grid[1] - grid[0]:.3g} exceeds "
                         f"sigma = {sigma:.3g}, so peaks would be lost. Use points >= "
                         f"{math.ceil((high - low) / sigma + 9)}, or a larger sigma.")
    curves = np.stack([smeared(grid, *pair, sigma) for pair in zip(nodes, weights)])
    stderr = curves.std(axis=0, ddof=1) / math.sqrt(nv) if nv > 1 else np.full(points, np.inf)
    converged = nv > 1 and float(np.sum(stderr) * (grid[1] - grid[0])) <= tol
    return DensityResult(grid, curves.mean(axis=0), stderr, nodes, weights, float(sigma), converged,
                         products, op.n)


@expects(op=operator_of, v=vector, m=whole())
def quadrature(op, v, m):
    """Nodes and weights (m,) of the Gauss quadrature of v's spectral measure.

        θ_j = eigenvalues of T,    τ_j = (e_1 . s_j)^2,    Σ τ = 1

    Fewer than m if the Krylov space of v is smaller.
    """
    theta, S = krylov_basis(operator(op).matvec, v, m).ritz()
    return theta, S[0]**2


def smeared(t, nodes, weights, sigma):
    """Σ_j τ_j N(t; θ_j, σ²) on the grid t."""
    u = (t[:, None] - nodes) / sigma
    return np.exp(-0.5 * u * u) @ weights / (sigma * math.sqrt(2.0 * math.pi))
