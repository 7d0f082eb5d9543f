"""The trace of an operator from products with random vectors.

    E z^T A z = tr A      for z with independent entries, mean 0, variance 1

`hutchinson` averages that. `hutch_pp` first spends a third of its products on finding where the
large eigenvalues live, takes the trace there exactly, and samples only the rest. It wins when few
eigenvalues carry the matrix and *loses* when the spectrum is flat: there the sketch finds nothing
worth having, fewer probes are left, and taking a random subspace out of a near-multiple of the
identity even adds variance.
"""
import math
from typing import NamedTuple

import numpy as np

from minigrad.backend import float_of, xp

from .hessian import operator

PROBES = ("rademacher", "gaussian")


class TraceResult(NamedTuple):
    """estimate +- stderr, from so many products.

    stderr      standard error over the probes; infinite from a single probe, which cannot tell
    converged   stderr <= tol |estimate|
    samples     the estimate from each probe, host (r,)
    """

    estimate: float
    stderr: float
    converged: bool
    products: int
    samples: np.ndarray


def trace(op, m, method="hutchinson", rng=None, probes="rademacher", tol=0.05):
    """tr A from m products: a mean over random probes, with its standard error.

    op       operator or square matrix; not necessarily symmetric
    method   "hutchinson", or "hutch++" (m >= 3)
    probes   "rademacher" (+-1) or "gaussian"
    tol      of `converged`
    """
    op = operator(op)
    if rng is None:
        raise ValueError("trace: needs random probes. Pass rng=numpy.random.default_rng(seed).")
    if probes not in PROBES:
        raise ValueError(f"trace: unknown probes {probes!r}. Use one of {', '.join(PROBES)}.")
    if method not in METHODS:
        raise ValueError(f"trace: unknown method {method!r}. Use one of {', '.join(METHODS)}.")
    method, least = METHODS[method]
    if m < least:
        raise ValueError(f"trace: this method needs m >= {least} products, got m={m}.")
    return method(op, m, rng, probes, tol)


def hutchinson(op, m, rng, probes="rademacher", tol=0.05):
    """Mean of z^T A z over m probes.

    Variance of one probe: 2 (|A|_F^2 - sum_i A_ii^2) for z = +-1, so a diagonal matrix is exact
    with one; 2 |A|_F^2 for Gaussian z.

    Source: Hutchinson 1990; variances for symmetric A.
    """
    samples = np.array([quadratic_form(op, probe(rng, op, probes)) for _ in range(m)])
    return record(0.0, samples, m, tol)


def hutch_pp(op, m, rng, probes="rademacher", tol=0.05):
    """Exact trace in a sketched subspace plus Hutchinson on its complement.

        Q = orth(A S),   S (n, m/3) random
        tr A = tr(Q^T A Q) + tr((I - Q Q^T) A (I - Q Q^T))

    The identity holds for every orthonormal Q; the second term is sampled with the products that
    are left. Exact when rank A <= m/3.

    Source: Meyer, Musco, Musco & Woodruff 2021, arXiv:2010.09649, Algorithm 1.
    """
    sketch = min(m // 3, op.n)
    Y = xp.stack([op.matvec(probe(rng, op, probes)) for _ in range(sketch)], axis=1)
    Q, _ = xp.linalg.qr(Y)                                              # (n, sketch)
    exact = sum(quadratic_form(op, q) for q in Q.T)
    if sketch == op.n:
        return record(exact, np.zeros(2), 2 * sketch, tol)

    def outside(z):
        return z - Q @ (z @ Q)

    left = m - 2 * sketch
    samples = np.array([quadratic_form(op, outside(probe(rng, op, probes))) for _ in range(left)])
    return record(exact, samples, m, tol)


METHODS = {"hutchinson": (hutchinson, 1), "hutch++": (hutch_pp, 3)}


def record(exact, samples, products, tol):
    """exact + the mean of the samples, with the standard error of that mean."""
    if not np.all(np.isfinite(samples)) or not math.isfinite(exact):
        raise ValueError("trace: a product with the operator is not finite. "
                         "Check the point (NaN, infinity) at which it was taken.")
    estimate = exact + float(samples.mean())
    stderr = float(samples.std(ddof=1)) / math.sqrt(len(samples)) if len(samples) > 1 else math.inf
    return TraceResult(estimate, stderr, stderr <= tol * abs(estimate), products, exact + samples)


def quadratic_form(op, z):
    """z^T A z as a host number."""
    return float_of(xp.vdot(z, op.matvec(z)))


def probe(rng, op, kind="rademacher"):
    """A random vector (n,) with E z z^T = I, drawn on the host."""
    z = rng.choice([-1.0, 1.0], op.n) if kind == "rademacher" else rng.standard_normal(op.n)
    return xp.asarray(z, dtype=getattr(op, "dtype", float))
