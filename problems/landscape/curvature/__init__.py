"""Curvature around a point, from Hessian-vector products alone.

    op = HessianOp(objective, theta)        v -> H v, linearised once
    lanczos(op, 40, "both", rng=rng)        both ends of the spectrum, with residuals
    trace(op, 60, "hutch++", rng=rng)       the sum of it, with a standard error
    spectral_density(op, rng=rng)           all of it, smeared

The pieces, in reading order: `hessian` (the operator), `spectrum` (power iteration, Lanczos),
`confidence`, `traces`, `density`, `gauss_newton`, `kfac`, `ascent`, `sharpness`, `edge`,
`preconditioned`. Each estimator takes any symmetric operator, a matrix too, and returns a record
with its own uncertainty.
"""
from .density import DensityResult, quadrature, spectral_density
from .edge import EdgeTracker, gradient_flow, sam_threshold, threshold
from .gauss_newton import GaussNewtonOp
from .hessian import HessianOp, MatrixOp, dense_hessian, dense_hessians, hvp, index
from .kfac import KFACOp
from .preconditioned import (
    PreconditionedOp, adam_preconditioner, adam_threshold, preconditioned_sharpness)
from .sharpness import adaptive_sharpness, keskar_sharpness, sam_sharpness, top_curvature
from .spectrum import PowerResult, RitzResult, lanczos, power_iteration
from .traces import TraceResult, hutch_pp, hutchinson, trace

__all__ = ["HessianOp", "MatrixOp", "GaussNewtonOp", "KFACOp", "hvp", "dense_hessian",
           "dense_hessians", "index", "power_iteration", "PowerResult", "lanczos", "RitzResult",
           "trace", "hutchinson", "hutch_pp", "TraceResult", "spectral_density", "quadrature",
           "DensityResult", "EdgeTracker", "gradient_flow", "sam_threshold", "threshold",
           "adaptive_sharpness", "keskar_sharpness", "sam_sharpness", "top_curvature",
           "PreconditionedOp", "adam_preconditioner", "adam_threshold",
           "preconditioned_sharpness"]
