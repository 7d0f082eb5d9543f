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
from minigrad.kinds import expects, natural, one_of, source, whole
from problems.landscape.doors import operator_of
from problems.landscape.student import standard_error, student_interval

from .hessian import dtype_of, operator

PROBES = ("rademacher", "gaussian")


class TraceResult(NamedTuple):
    """estimate +- stderr, from so many products.

    stderr      standard error over the probes; infinite from a single probe, which cannot tell
    converged   stderr <= tol |estimate|
    samples     the estimate from each probe, host (r,)
    degrees     of freedom of stderr: r - 1. Its use needs Student's t, not 1.96: see `interval`
    rounding    what a sample is uncertain by for its floating-point numbers alone
    """

    estimate: float
    stderr: float
    converged: bool
    products: int
    samples: np.ndarray
    degrees: int
    rounding: float

    def interval(self, level=0.95):
        """(low, high) around the estimate that holds the trace with this probability.

            estimate ± t stderr,    t of Student's distribution with `degrees` of freedom

        Right for samples that are nearly normal: each is a sum over all eigenvalues, so where no
        few of them carry the matrix, or where Hutch++ has taken those out.
        """
        return student_interval(self.estimate, self.stderr, self.degrees, level, self.rounding)


@expects(op=operator_of, m=whole(), rng=source, tol=natural)
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


@expects(op=operator_of, m=whole(1), rng=source, tol=natural,
         probes=one_of("rademacher", "gaussian"))
def hutchinson(op, m, rng, probes="rademacher", tol=0.05):
    """Mean of z^T A z over m probes.

        tr A ~ (1/m) Σ_i z_i^T A z_i,      E[z z^T] = I

    Variance of one probe: 2 (|A|_F^2 - sum_i A_ii^2) for z = +-1, so a diagonal matrix is exact
    with one; 2 |A|_F^2 for Gaussian z.

    Source: Hutchinson 1990; variances for symmetric A.
    """
    op = operator(op)
    return record(0.0, [quadratic_form(op, probe(rng, op, probes)) for _ in range(m)], m, tol)


@expects(op=operator_of, m=whole(3), rng=source, tol=natural,
         probes=one_of("rademacher", "gaussian"))
def hutch_pp(op, m, rng, probes="rademacher", tol=0.05):
    """Exact trace in a sketched subspace plus Hutchinson on its complement.

        Q = orth(A S),   S (n, m/3) random
        tr A = tr(Q^T A Q) + tr((I - Q Q^T) A (I - Q Q^T))

    The identity holds for every orthonormal Q; the second term is sampled with the products that
    are left. Exact when rank A <= m/3.

    Source: Meyer, Musco, Musco & Woodruff 2021, arXiv:2010.09649, Algorithm 1.
    """
    op = operator(op)
    sketch = min(m // 3, op.n)
    Y = xp.stack([op.matvec(probe(rng, op, probes)) for _ in range(sketch)], axis=1)
    Q, _ = xp.linalg.qr(Y)                                              # (n, sketch)
    inside = [quadratic_form(op, q) for q in Q.T]
    exact, noise = sum(value for value, _ in inside), sum(noise for _, noise in inside)
    if sketch == op.n:
        return record(exact, [(0.0, noise)] * 2, 2 * sketch, tol)

    def outside(z):
        return z - Q @ (z @ Q)

    left = m - 2 * sketch
    forms = [quadratic_form(op, outside(probe(rng, op, probes))) for _ in range(left)]
    return record(exact, [(value, own + noise) for value, own in forms], m, tol)


METHODS = {"hutchinson": (hutchinson, 1), "hutch++": (hutch_pp, 3)}


def record(exact, forms, products, tol):
    """exact + the mean of the forms, (value, rounding) each, with the standard error of it."""
    samples, noise = (np.array(column) for column in zip(*forms))
    if not np.all(np.isfinite(samples)) or not math.isfinite(exact):
        raise ValueError("trace: a product with the operator is not finite. "
                         "Check the point (NaN, infinity) at which it was taken.")
    estimate, stderr = exact + float(samples.mean()), standard_error(samples)
    return TraceResult(estimate, stderr, stderr <= tol * abs(estimate), products, exact + samples,
                       len(samples) - 1, float(noise.max()))


def quadratic_form(op, z):
    """z^T A z as a host number, and what rounding may have made of it: 4 eps |z||A z|."""
    w = op.matvec(z)
    size = float_of(xp.linalg.norm(z)) * float_of(xp.linalg.norm(w))
    return float_of(xp.vdot(z, w)), 4.0 * float(np.finfo(w.dtype).eps) * size


def probe(rng, op, kind="rademacher"):
    """A random vector (n,) with E z z^T = I, drawn on the host."""
    z = rng.choice([-1.0, 1.0], op.n) if kind == "rademacher" else rng.standard_normal(op.n)
    return xp.asarray(z, dtype=dtype_of(op))
