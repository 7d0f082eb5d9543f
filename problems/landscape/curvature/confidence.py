"""How far the ends of a spectrum may lie outside what a short Lanczos run has seen.

A residual proves that some eigenvalue is near a Ritz value, not that it is the last one: of one
still larger nothing is seen if the start happens to be nearly orthogonal to its eigenvector q. A
random start makes that unlikely, and by a known amount. For v uniform on the sphere of R^n

    w = <v, q>² has the distribution of t²/(t² + n - 1),      t Student's with n - 1 degrees

so with probability c the weight w is at least w_c. On the other hand the run itself bounds the
weight that an eigenvalue λ can have in the start: for the orthonormal polynomials p_k of T,

    w <= 1/(p_0(λ)² + ... + p_m(λ)²)         b_k p_{k+1} = (λ - a_k) p_k - b_{k-1} p_{k-1}

which falls as λ leaves the Ritz values. The largest λ that still allows w_c is the upper end of an
interval for λ_max; the largest Ritz value, which λ_max is never below, is its lower end.

It holds with probability c or more, for every matrix and any number of steps: a guarantee, not an
estimate. It is c where all the weight that T leaves to be had above the Ritz value is one
eigenvalue's, so where that is seen apart from the rest and has not converged to rounding (94.8 to
95.4 % of 3,000 starts, where 95 were asked for). While the run is short the rest takes its share of
that weight, and once it has converged rounding is all that is left: then it holds nearly always. T
alone cannot tell these cases apart, so no interval made of it can be narrower for all of them.

Source: the bound on a weight is Chebyshev's, as in Szegö, Orthogonal Polynomials, section 3.41;
random starts of Lanczos: Kuczynski & Wozniakowski 1992, SIAM J. Matrix Anal. Appl. 13, 1094-1122.
The interval is derived here from both.
"""
import math

import numpy as np

from problems.landscape.student import t_quantile


def top_interval(a, b, n, level, rounding):
    """(low, high) for the largest eigenvalue of an operator of size n, from T = (a (m,), b (m,)).

    b[-1] leads out of the space. rounding: what the entries of T are uncertain by.
    """
    theta = float(np.linalg.eigvalsh(np.diag(a) + np.diag(b[:-1], 1) + np.diag(b[:-1], -1))[-1])
    size = max(float(np.abs(a).max()), float(b.max()), 1e-300)
    low, high = theta - rounding, theta + rounding
    if n == 1 or len(a) == n:                               # all there is has been seen
        return low, high
    t = t_quantile(0.5 + 0.5 * (1.0 - level), n - 1)        # |t| is smaller with chance 1 - level
    largest = (t * t + n - 1) / (t * t)                     # 1/w_c
    reach = max(rounding, 1e-15 * size)
    while inverse_weight(theta + reach, a, b) < largest:
        reach *= 2.0
    inside, outside = 0.0, reach
    for _ in range(60):
        middle = 0.5 * (inside + outside)
        if inverse_weight(theta + middle, a, b) < largest:
            inside = middle
        else:
            outside = middle
    return low, high + outside


def inverse_weight(x, a, b):
    """p_0(x)² + ... + p_m(x)², the inverse of the most that an eigenvalue x can weigh."""
    before, now, total = 0.0, 1.0, 1.0
    for k in range(len(a)):
        if b[k] == 0.0:
            return math.inf
        before, now = now, ((x - a[k]) * now - (b[k - 1] * before if k else 0.0)) / b[k]
        total += now * now
        if total > 1e300:
            return math.inf
    return total
