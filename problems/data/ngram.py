"""Interpolated Witten-Bell n-grams: the yardstick a text model has to beat.

    P_n(c | h) = (N(hc) + T(h) P_{n-1}(c | h')) / (N(h) + T(h)),      P_0 = 1 / V

h is the history, the n - 1 symbols before c, and h' is h without its oldest symbol; N counts
occurrences in the training text and T(h) is how many different symbols followed h there. A
history never seen leaves the decision to the shorter one.

Source: Witten and Bell 1991, IEEE Trans. Information Theory 37(4), method C, in the
interpolated form of Chen and Goodman 1998, Harvard TR-10-98, section 2.
"""

import math

import numpy as np

from minigrad.backend import to_host
from minigrad.kinds import expects, table, tokens, whole


@expects(train=tokens, test=tokens, symbols=whole(1), orders=table)
def ngram_bits(train, test, symbols, orders):
    """{n: bits per symbol of `test` under the n-gram of `train`} for each n in `orders`.

    train, test   tokens (N,) int64 in [0, symbols)
    orders        n, counted in symbols of h and c together: n = 1 ignores the history

    The first symbols of `test` have a shorter history and keep their lower-order probability.
    A history of n symbols is one integer in base V, so V^n has to stay below 2^63.
    """
    train, test = to_host(train), to_host(test)
    for name, tokens_of in (("train", train), ("test", test)):
        if tokens_of.min() < 0 or tokens_of.max() >= symbols:
            raise ValueError(f"ngram_bits: {name} has tokens from {tokens_of.min()} to "
                             f"{tokens_of.max()}, outside of [0, {symbols}).")
    orders = [int(n) for n in orders.reshape(-1)]
    if max(orders) < 1 or symbols ** max(orders) >= 2**63:
        raise ValueError(f"ngram_bits: order {max(orders)} over {symbols} symbols does not fit 63 "
                         "bits. Use lower orders.")
    p = np.full(len(test), 1 / symbols)
    bits = {}
    for n in range(1, max(orders) + 1):
        seen, counts = np.unique(grams(train, n, symbols), return_counts=True)  # N(hc), keys sorted
        histories, first = np.unique(seen // symbols, return_index=True)
        N = np.add.reduceat(counts, first)
        T = np.diff(first, append=len(seen))

        asked = grams(test, n, symbols)
        N_hc = look_up(seen, counts, asked)
        N_h, T_h = (look_up(histories, values, asked // symbols) for values in (N, T))
        known = N_h > 0
        shorter = p[n - 1:]
        p[n - 1:] = np.where(known, (N_hc + T_h * shorter) / np.maximum(N_h + T_h, 1), shorter)
        if n in orders:
            bits[n] = -float(np.log(p).mean()) / math.log(2)
    return bits


def grams(tokens, n, symbols):
    """The n-grams of a text as integers in base `symbols`: (N,) to (N - n + 1,)."""
    keys = np.zeros(len(tokens) - n + 1, np.int64)
    for k in range(n):
        keys = keys * symbols + tokens[k:len(tokens) - n + 1 + k]
    return keys


def look_up(keys, values, asked):
    """values[i] where keys[i] == asked, 0 where there is none; `keys` sorted."""
    i = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return np.where(keys[i] == asked, values[i], 0)
