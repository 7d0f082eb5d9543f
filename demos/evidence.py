"""How sure is a number? One rule for every demo: 95 %, over independent runs, five at least.

    mean, low, high = t_interval(accuracies)            # Student: runs that differ by their seed
    p = permutation_test(ours, theirs)                  # exact where the arrangements can be listed
    share, low, high = count_interval(18, 40)           # exact: 18 of 40 starts arrived

An interval is (value, low, high) and is handed on as it is: report.claim(text, *interval, ...).
With fewer than five runs, or with one that is no number, it is (value, -inf, inf): so few decide
nothing, and fewer runs never make a claim easier to keep. Of m intervals that stand together each
is made wider, so that all m cover at once in 95 of 100 cases (`of=m`, Bonferroni); of m p values
`holm` makes those for all at once.

What counts as one run is whatever was drawn anew: a seed, a data set, a random matrix. Points of
one curve, or units of one network, are no runs.
"""
import math
from itertools import combinations, product

import numpy as np

from problems.landscape.student import t_quantile

LEAST = 5                                               # independent runs behind an interval
LEVEL = 0.95
LISTED = 40_000                                         # arrangements that are tried one by one


# ---------------------------------------------------------------------- intervals over runs

def t_interval(runs, of=1):
    """Mean of n runs with Student's interval: (mean, low, high).

        x̄ ± t s / √n,    s² = Σ (x - x̄)² / (n - 1),    t: the (1 - (1 - .95) / 2 of) quantile
                                                           of n - 1 degrees of freedom
    Source: Student 1908. A paired comparison is the interval of the differences of pairs.

    runs  (n,) one number for each independent run
    of    how many intervals stand together
    """
    x = numbers("t_interval", runs)
    mean, n = float(x.mean()), len(x)
    if n < LEAST or not np.isfinite(x).all():
        return mean, -math.inf, math.inf
    width = t_quantile(quantile_of(of), n - 1) * float(x.std(ddof=1)) / math.sqrt(n)
    return mean, mean - width, mean + width


def ratio_interval(runs, below=None, of=1):
    """Geometric mean of ratios with its interval: exp of the t interval of their logarithms.

    runs   (n,) positive ratios; or numerators, with `below` the denominators of the same runs
    """
    x = np.asarray(runs, float) if below is None else np.divide(runs, below)
    if np.any(x <= 0):
        raise ValueError(f"ratio_interval: ratios must be positive, got {x.min():.4g}. "
                         "Use t_interval of the differences.")
    return tuple(math.exp(v) if v < 700 else math.inf for v in t_interval(np.log(x), of))


def welch_interval(ours, theirs, of=1):
    """Difference of two means, the runs unpaired: (mean(ours) - mean(theirs), low, high).

    Either side is its runs, or (mean, standard deviation, n) where a source gives no more.

        degrees of freedom = (a + b)² / (a² / (n - 1) + b² / (m - 1)),   a = s²/n,  b = S²/m

    Source: Welch 1947 (Satterthwaite 1946).
    """
    (mean, s, n), (other, S, m) = (side if isinstance(side, tuple) else summary(side)
                                   for side in (ours, theirs))
    gap = mean - other
    if min(n, m) < LEAST or not math.isfinite(gap):
        return gap, -math.inf, math.inf
    a, b = s * s / n, S * S / m
    if a + b == 0:
        return gap, gap, gap
    degrees = (a + b)**2 / (a * a / (n - 1) + b * b / (m - 1))
    width = t_quantile(quantile_of(of), degrees) * math.sqrt(a + b)
    return gap, gap - width, gap + width


def median_interval(runs, of=1):
    """Median with the exact interval between two order statistics: (median, low, high).

        the k-th smallest and the k-th largest, k the largest with  P(Bin(n, 1/2) < k) <= .05 / 2 of

    It asks nothing of the distribution, and runs that never end may count as inf. Six runs are the
    fewest that give one.
    """
    x = np.sort(np.asarray(runs, float))
    n, k, tail = len(x), 0, 0.0
    while tail + math.comb(n, k) / 2**n <= 1 - quantile_of(of):
        tail += math.comb(n, k) / 2**n
        k += 1
    middle = float((x[(n - 1) // 2] + x[n // 2]) / 2)
    return (middle, float(x[k - 1]), float(x[n - k])) if k else (middle, -math.inf, math.inf)


def paired_bootstrap(rng, statistic, *samples, draws=4000, of=1):
    """Any statistic of runs with a percentile interval: (value, low, high).

    Run i stands in the i-th row of every sample; rows are drawn again with replacement, the same
    in all samples. Source: Efron 1979. Student's interval is the better one for a mean: with few
    runs this one is too narrow (10 normal runs: it covers in about 90 of 100 cases).

    statistic  of the samples (each (n, ...)), a number
    """
    samples = [np.asarray(sample, float) for sample in samples]
    n = len(samples[0])
    if any(len(sample) != n for sample in samples):
        raise ValueError("paired_bootstrap: samples of unequal length "
                         f"{[len(s) for s in samples]}. Give one row for each run.")
    value = float(statistic(*samples))
    if n < LEAST:
        return value, -math.inf, math.inf
    found = [statistic(*(sample[pick] for sample in samples))
             for pick in rng.integers(0, n, (draws, n))]
    q = quantile_of(of)
    low, high = np.quantile(found, (1 - q, q))
    return value, float(low), float(high)


def ratio_of_medians(rng, above, below, draws=2000):
    """median(above) / median(below) with a 95 % interval: (ratio, low, high).

    The runs of both sides are drawn again with replacement `draws` times, each side by itself
    (percentile bootstrap; Efron 1979). With below = [1.0] it is the interval of a median.
    """
    above, below = np.asarray(above, float), np.asarray(below, float)
    ratios = (np.median(above[rng.integers(0, len(above), (draws, len(above)))], axis=1)
              / np.median(below[rng.integers(0, len(below), (draws, len(below)))], axis=1))
    low, high = np.quantile(ratios, (0.025, 0.975))
    return float(np.median(above) / np.median(below)), float(low), float(high)


# ---------------------------------------------------------------------- tests

def permutation_test(ours, theirs=None, rng=None, draws=LISTED):
    """p value of: the labels of the runs mean nothing, against a difference of means, two-sided.

    Two groups of runs: the share of the ways to deal them out whose means differ at least as much.
    One group, of differences of pairs: the share of the ways to sign them. All ways are tried
    where they are at most 40,000; otherwise `draws` random ones, and the one seen counts as one
    more: p = (1 + k) / (1 + draws). Source: Fisher 1935, Pitman 1937.
    """
    ours = numbers("permutation_test", ours)
    if theirs is None:
        n, ways = len(ours), 2**len(ours)
        signs = (product((-1.0, 1.0), repeat=n) if ways <= LISTED
                 else rng.choice((-1.0, 1.0), (draws, n)))
        means = np.array([np.dot(sign, ours) for sign in signs]) / n
        seen = abs(float(ours.mean()))
    else:
        every = np.concatenate([ours, numbers("permutation_test", theirs)])
        n, m = len(ours), len(every) - len(ours)
        ways = math.comb(n + m, n)
        picks = (combinations(range(n + m), n) if ways <= LISTED
                 else (rng.permutation(n + m)[:n] for _ in range(draws)))
        first = np.array([every[list(pick)].sum() for pick in picks])
        means = first / n - (every.sum() - first) / m
        seen = abs(float(ours.mean() - every[n:].mean()))
    slack = 1e-9 * max(abs(means).max(), seen)          # equal in truth, apart by rounding
    k = int((abs(means) >= seen - slack).sum())
    return k / ways if ways <= LISTED else (1 + k) / (1 + draws)


def same_rate(k, n, K, N):
    """p value of: k successes in n trials and K in N have the same probability.

        p = Σ P(j) over all j with P(j) <= P(k),    P(j) = C(n, j) C(N, k+K-j) / C(n+N, k+K)

    that is, of the ways to spread k + K successes over all trials, the share that is no more even
    than what was seen. Small p: the rates differ. Two-sided and exact for any n and N.
    Source: Fisher's exact test, 1934.
    """
    total = k + K
    ways = {j: math.comb(n, j) * math.comb(N, total - j)
            for j in range(max(0, total - N), min(n, total) + 1)}
    return sum(w for w in ways.values() if w <= ways[k]) / math.comb(n + N, total)


def holm(p_values):
    """p values of m tests made comparable with the level of one: the list, in the same order.

        p₍ᵢ₎ -> max over j <= i of min(1, (m - j + 1) p₍ⱼ₎)      p₍₁₎ <= p₍₂₎ <= ...

    Those at most .05 are then all true findings in 95 of 100 cases. Source: Holm 1979.
    """
    m, largest, adjusted = len(p_values), 0.0, [0.0] * len(p_values)
    for j, i in enumerate(sorted(range(m), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (m - j) * p_values[i]))
        adjusted[i] = largest
    return adjusted


# ---------------------------------------------------------------------- counts

def count_interval(k, n, of=1):
    """Share of k successes in n trials with the exact interval: (k/n, low, high).

        low: P(Bin(n, low) >= k) = .05 / 2 of,    high: P(Bin(n, high) <= k) = .05 / 2 of

    Source: Clopper and Pearson 1934. It covers in at least 95 of 100 cases, for any n.
    """
    if not 0 <= k <= n or n < 1:
        raise ValueError(f"count_interval: {k} successes of {n} trials. Give 0 <= k <= n, n >= 1.")
    tail = 1 - quantile_of(of)
    low = 0.0 if k == 0 else bisect(lambda p: 1 - at_most(k - 1, n, p) - tail)
    high = 1.0 if k == n else bisect(lambda p: tail - at_most(k, n, p))
    return k / n, low, high


def at_most(k, n, p):
    """P(Bin(n, p) <= k) for 0 < p < 1; by logarithms, since C(n, j) overflows a float."""
    return math.fsum(math.exp(math.lgamma(n + 1) - math.lgamma(j + 1) - math.lgamma(n - j + 1)
                              + j * math.log(p) + (n - j) * math.log1p(-p)) for j in range(k + 1))


def bisect(rising):
    """Where a rising function of p in [0, 1] is zero."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return (low + high) / 2


# ---------------------------------------------------------------------- the level

def quantile_of(of):
    """The upper quantile for one of `of` two-sided intervals: .975 for a single one."""
    return 1 - (1 - LEVEL) / (2 * of)


def summary(runs):
    x = numbers("welch_interval", runs)
    if not np.isfinite(x).all():
        return math.nan, 0.0, len(x)
    return float(x.mean()), float(x.std(ddof=1)) if len(x) > 1 else 0.0, len(x)


def numbers(name, runs):
    """The runs as a float array (n,), n >= 1."""
    x = np.asarray(runs, float)
    if x.ndim != 1 or not len(x):
        raise ValueError(f"{name}: runs must be one list of numbers, got shape {x.shape}. "
                         "Give one number for each independent run.")
    return x
