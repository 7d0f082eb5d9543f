"""Could two counts come from the same coin? Fisher's exact test."""

from math import comb


def same_rate(k, n, K, N):
    """p value of: k successes in n trials and K in N have the same probability.

        p = Σ P(j) over all j with P(j) <= P(k),    P(j) = C(n, j) C(N, k+K-j) / C(n+N, k+K)

    that is, of the ways to spread k + K successes over all trials, the share that is no more even
    than what was seen. Small p: the rates differ. Two-sided and exact for any n and N.
    """
    total = k + K
    ways = {j: comb(n, j) * comb(N, total - j) for j in range(max(0, total - N), min(n, total) + 1)}
    return sum(w for w in ways.values() if w <= ways[k]) / comb(n + N, total)
