"""Student's t: how far a mean of few samples may lie from the truth.

    (mean - truth) / (s / √n)   has Student's distribution with ν = n - 1 degrees of freedom

for n independent normal samples with standard deviation s. Its tail is the incomplete beta
function,

    P(|T| > t) = I_x(ν/2, 1/2),    x = ν/(ν + t²)

which a continued fraction gives to rounding. Two samples (ν = 1) need 12.7 standard errors for
95 %, five need 2.8, many need 1.96: that is what an interval from a standard error is made with.
"""
import math
from statistics import NormalDist

TINY = 1e-300                        # stands for a zero denominator of the continued fraction
LARGE = 10.0                         # from here on Stirling's correction is right to rounding


def t_quantile(probability, degrees):
    """The t with P(T <= t) = probability: 1.96 for .975 and many degrees, 12.706 for one.

    probability   in (0, 1); of a two-sided interval of level c take (1 + c)/2
    degrees   ν   degrees of freedom, positive, not necessarily whole; infinity gives the normal

    Right to about 1e-15 (1 + ν/10) of itself.

    Raises ValueError outside these ranges
    """
    if not 0.0 < probability < 1.0:
        raise ValueError(f"t_quantile: probability must lie in (0, 1), got {probability}. "
                         "For an interval of 95 % ask for 0.975.")
    check_degrees("t_quantile", degrees)
    if math.isinf(degrees):
        return NormalDist().inv_cdf(probability)
    if probability < 0.5:
        return -t_quantile(1.0 - probability, degrees)
    tail, low, high = 1.0 - probability, 0.0, 1.0
    while upper_tail(high, degrees) > tail:
        low, high = high, 2.0 * high
    t = 0.5 * (low + high)
    for _ in range(100):                                        # Newton's step, kept in the bracket
        excess = upper_tail(t, degrees) - tail
        low, high = (t, high) if excess > 0 else (low, t)
        new = t + excess / density(t, degrees)
        if not low < new < high:
            new = 0.5 * (low + high)
        if abs(new - t) <= 4e-16 * high:
            return new
        t = new
    return t


def student_interval(mean, stderr, degrees, level=0.95, rounding=0.0):
    """(low, high) = mean ± (t stderr + rounding), t the Student quantile of the level.

    All the line where there are no degrees of freedom: one sample does not tell how far it is off.
    Raises ValueError for a level outside (0, 1)
    """
    check_level("interval", level)
    if degrees < 1:
        return -math.inf, math.inf
    reach = (t_quantile(0.5 + 0.5 * level, degrees) * stderr if stderr else 0.0) + rounding
    return mean - reach, mean + reach


def standard_error(samples):
    """s/√n of samples (n,); infinite for one."""
    return float(samples.std(ddof=1)) / math.sqrt(len(samples)) if len(samples) > 1 else math.inf


def t_cdf(t, degrees):
    """P(T <= t) for Student's T with `degrees` ν of freedom."""
    check_degrees("t_cdf", degrees)
    if math.isinf(degrees):
        return NormalDist().cdf(t)
    return upper_tail(-t, degrees) if t < 0 else 1.0 - upper_tail(t, degrees)


def upper_tail(t, degrees):
    """P(T > t), small values to full relative precision."""
    if t < 0:
        return 1.0 - upper_tail(-t, degrees)
    ratio = (t / math.sqrt(degrees))**2                         # t²/ν
    if math.isinf(ratio):
        return 0.0
    return 0.5 * incomplete_beta(1.0 / (1.0 + ratio), 0.5 * degrees, 0.5, ratio / (1.0 + ratio))


def density(t, degrees):
    """dP/dt = (1 + t²/ν)^(-(ν + 1)/2) / (√ν B(ν/2, 1/2))"""
    log_height = (-0.5 * (degrees + 1.0) * math.log1p(t * t / degrees)
                  - log_beta(0.5 * degrees, 0.5))
    return math.exp(log_height) / math.sqrt(degrees)


def incomplete_beta(x, a, b, rest=None):
    """The regularised incomplete beta function, P(X <= x) for X of the beta distribution (a, b).

        I_x(a, b) = 1/B(a, b) ∫_0^x s^(a-1) (1-s)^(b-1) ds
                  = x^a (1-x)^b / (a B(a, b)) · 1/(1 + d_1/(1 + d_2/(1 + ...)))

        d_2m   = m (b - m) x / ((a + 2m - 1)(a + 2m))
        d_2m+1 = -(a + m)(a + b + m) x / ((a + 2m)(a + 2m + 1))

    The fraction converges fast for x < (a + 1)/(a + b + 2); on the other side I_x(a, b) =
    1 - I_{1-x}(b, a).

    x, a, b   in [0, 1], positive, positive
    rest      1 - x, where the caller knows it to more digits than the difference has

    Source: NIST Digital Library of Mathematical Functions, 8.17.22 and 8.17.4.
    """
    if not (0.0 <= x <= 1.0 and 0.0 < a < math.inf and 0.0 < b < math.inf):
        raise ValueError(f"incomplete_beta: needs 0 <= x <= 1 and positive, finite a and b, got "
                         f"x {x}, a {a}, b {b}.")
    rest = 1.0 - x if rest is None else rest
    if x == 0.0 or rest == 0.0:
        return float(x > 0.0)
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - incomplete_beta(rest, b, a, x)
    log_x, log_rest = (math.log1p(-other) if one > 0.5 else math.log(one)
                       for one, other in ((x, rest), (rest, x)))
    front = math.exp(a * log_x + b * log_rest - log_beta(a, b)) / a
    return front * fraction(x, a, b)


def fraction(x, a, b):
    """1/(1 + d_1/(1 + d_2/...)) by the modified method of Lentz: forward, until it stands still."""
    c, d = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1.0) or TINY)           # d_1
    value = d
    for m in range(1, 100_000):
        before = value
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1.0 / (1.0 + term * d or TINY)
            c = 1.0 + term / c or TINY
            value *= c * d
        if abs(value - before) <= 1e-15 * value:
            break
    return value


def log_beta(a, b):
    """log B(a, b) = log Γ(a) + log Γ(b) - log Γ(a + b), without their cancellation for large a."""
    a, b = max(a, b), min(a, b)
    if a < LARGE:
        return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    between = stirling(a) - stirling(a + b) - (a - 0.5) * math.log1p(b / a)
    if b < LARGE:
        return math.lgamma(b) + between - b * math.log(a + b) + b
    return (0.5 * math.log(2.0 * math.pi / b) + stirling(b) + between + b * math.log(b / (a + b)))


def stirling(a):
    """log Γ(a) - ((a - 1/2) log a - a + log(2π)/2) for a >= 10: 1/(12 a) - 1/(360 a³) + ..."""
    s = 1.0 / (a * a)
    terms = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
    return sum(c * s**k for k, c in enumerate(terms)) / a


def check_degrees(name, degrees):
    if not degrees > 0:
        raise ValueError(f"{name}: degrees of freedom must be positive, got {degrees}. "
                         "n samples have n - 1 of them, so take two at least.")


def check_level(where, level):
    if not 0.0 < level < 1.0:
        raise ValueError(f"{where}: level must lie in (0, 1), got {level}. For 95 % give 0.95.")
