"""The chi-square distribution: how far a mean of few squares may lie from the truth.

    z_1² + ... + z_ν²   of normal z has the chi-square distribution with ν degrees of freedom

Its distribution function is the incomplete gamma function P(ν/2, x/2). With ν = 1 the sum lies
between 0.001 and 5.02 with 95 %: a mean of one square may be a thousand times too small, and only
five times too large. An interval that looks equally far both ways misses that.
"""
import math
from statistics import NormalDist

from problems.landscape.student import TINY, check_degrees

MANY = 1e5                           # from so many degrees on the cube root is normal to 1e-8


def chi_square_quantile(probability, degrees):
    """The x with P(χ² <= x) = probability.

    probability   in (0, 1)
    degrees   ν   degrees of freedom, positive, not necessarily whole

    Raises ValueError outside these ranges
    """
    if not 0.0 < probability < 1.0:
        raise ValueError(f"chi_square_quantile: probability must lie in (0, 1), got {probability}.")
    check_degrees("chi_square_quantile", degrees)
    spread = 2.0 / (9.0 * degrees)
    root = 1.0 - spread + NormalDist().inv_cdf(probability) * math.sqrt(spread)
    guess = degrees * max(root, 1e-2)**3                    # Wilson & Hilferty's, exact for many
    if degrees >= MANY:
        return guess
    a, log_x = 0.5 * degrees, math.log(0.5 * guess)
    for k in range(100):            # log P is concave in log x: Newton's steps go up, but the first
        x = math.exp(log_x)
        found = lower_gamma(a, x)
        if found == 0.0:
            return 0.0                                      # below the smallest number
        slope = math.exp(a * log_x - x - math.lgamma(a)) / found        # d log P/d log x
        step = math.log(probability / found) / slope
        log_x += step
        if abs(step) <= 4e-16 * max(1.0, abs(log_x)) or k and step < 0.0:
            break                                           # what is left is rounding
    return 2.0 * math.exp(log_x)


def lower_gamma(a, x):
    """The regularised incomplete gamma function

        P(a, x) = 1/Γ(a) ∫_0^x s^(a-1) e^(-s) ds
                = x^a e^(-x)/Γ(a + 1) (1 + x/(a + 1) + x²/((a + 1)(a + 2)) + ...)
            1 - P = x^a e^(-x)/Γ(a) · 1/(x + 1 - a - 1 (1 - a)/(x + 3 - a - 2 (2 - a)/(...)))

    the series for x < a + 1, the fraction elsewhere.

    Source: NIST Digital Library of Mathematical Functions, 8.11.4 and 8.9.2.
    """
    if x == 0.0:
        return 0.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1.0:
        term = total = 1.0 / a
        k = a
        while term > 1e-17 * total:
            k += 1.0
            term *= x / k
            total += term
        return front * total
    c, b = 1.0 / TINY, x + 1.0 - a
    d = value = 1.0 / (b or TINY)
    for k in range(1, 100_000):                             # the modified method of Lentz
        b += 2.0
        d = 1.0 / (k * (a - k) * d + b or TINY)
        c = b + k * (a - k) / c or TINY
        value *= c * d
        if abs(c * d - 1.0) <= 1e-15:
            break
    return 1.0 - front * value
