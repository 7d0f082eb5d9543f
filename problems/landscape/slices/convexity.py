"""Where a slice looks convex, is the landscape convex there? A map of the Hessian's two ends.

A plane sees curvature in two directions of many. Over the same plane the ratio

    |λ_min / λ_max|       0: convex there;  near 1: as much down as up

of the *whole* Hessian says how much negative curvature the picture hides.

Source: Li et al. 2018, arXiv:1712.09913, the map of |lambda_min / lambda_max|.
"""
from typing import Any, NamedTuple

import numpy as np

from minigrad.kinds import expects, array, row, source, vector, whole
from problems.landscape.doors import landscape

from problems.landscape.curvature import HessianOp, lanczos
from .planes import check, grid


class CurvatureMap(NamedTuple):
    """lam_min, lam_max and their uncertainty, residual: (rows, columns) on the grid of a Plane."""

    alphas: Any
    betas: Any
    lam_min: Any
    lam_max: Any
    residual: Any

    @property
    def ratio(self):
        """|lambda_min / lambda_max|, 0 where the Hessian has no negative eigenvalue."""
        return np.maximum(-self.lam_min, 0.0) / np.maximum(np.abs(self.lam_max), 1e-300)


@expects(objective=landscape, theta=vector, d1=array, d2=array, rng=source, alphas=row, betas=row,
         m=whole(1))
def curvature_map(objective, theta, d1, d2, rng, alphas=None, betas=None, m=20):
    """Both ends of the Hessian's spectrum at every point of a plane, m Lanczos steps each."""
    alphas = grid(count=9) if alphas is None else np.asarray(alphas, dtype=float)
    betas = alphas if betas is None else np.asarray(betas, dtype=float)
    check("curvature_map", theta, d1, d2)
    low, high, residual = (np.empty((len(betas), len(alphas))) for _ in range(3))
    for i, b in enumerate(betas):
        for j, a in enumerate(alphas):
            op = HessianOp(objective, theta + float(a) * d1 + float(b) * d2)
            ritz = lanczos(op, min(m, theta.shape[-1]), which="both", rng=rng)
            low[i, j], high[i, j] = ritz.values[0], ritz.values[-1]
            residual[i, j] = ritz.residuals.max()
    return CurvatureMap(alphas, betas, low, high, residual)
