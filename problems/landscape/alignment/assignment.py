"""The linear assignment problem: give every row its own column, at the least total cost.

    minimise  sum_i cost[i, p(i)]   over the ways p to give each row a column of its own

Linear programming duality makes it a shortest-path problem. Row prices u and column prices v with
u_i + v_j <= cost_ij certify optimality when every chosen pair is tight (equality) and no column
that is left over has a price. Prices are first lowered to the least cost of each column and row,
and tight pairs taken as they come. The other rows are added one by one: from a free row, Dijkstra's
algorithm over the reduced costs cost_ij - u_i - v_j >= 0 finds the cheapest way to reach a free
column through pairs that are already made; the pairs along the path are swapped, and the prices of
what was visited are lowered or raised so that all stay tight. Columns at one distance (costs with
many ties have nothing else) are visited together, and the search ends as soon as one is free.
O(n^3) in all.

Small and sequential, so it runs on the host, in float64.
"""
import numpy as np

from minigrad.backend import to_host
from minigrad.kinds import expects


@expects()
def linear_assignment(cost, maximize=False):
    """Best column for each row: p (m,) with sum_i cost[i, p[i]] as small as any choice allows.

    cost      (m, n), finite. With more rows than columns n of the rows get one, the others -1
    maximize  look for the largest sum instead

    Source: Jonker & Volgenant 1987, Computing 38, sections 3 and 4 (column reduction,
    augmentation).
    Differs from the paper: reduction of rows too and pairs taken greedily in place of its
    augmenting row reduction (both only save time); equal distances are settled together.
    Raises ValueError for costs that are no matrix or not finite
    """
    C = np.asarray(to_host(cost))
    if C.ndim != 2 or C.dtype.kind not in "fiub":
        raise ValueError(f"linear_assignment: the costs must form a matrix of real numbers, got "
                         f"shape {C.shape} of {C.dtype}. Give rows times columns.")
    C = np.asarray(C, dtype=np.float64)
    if not np.isfinite(C).all():
        raise ValueError("linear_assignment: the costs contain nan or infinity. "
                         "Forbid a pair with a large finite cost.")
    C = -C if maximize else C
    m, n = C.shape
    if m > n:
        chosen = linear_assignment(C.T)                         # the row of each column
        p = np.full(m, -1)
        p[chosen] = np.arange(n)
        return p
    u, v, column_of, row_of = greedy(C)
    for row in np.flatnonzero(column_of < 0):
        augment(C, u, v, column_of, row_of, row)
    return column_of


def rounding(u, v):
    """Closer distances count as equal. (The prices tell: costs that forbid a pair may be any size.)
    """
    return 4e-16 * max(np.abs(u).max(initial=0.0), np.abs(v).max(initial=0.0))


def greedy(C):
    """Prices that leave no reduced cost negative, and tight pairs, those with fewest choices first.

    A column may have a price only if every column finds a row in the end, in a square matrix.
    """
    m, n = C.shape
    v = C.min(axis=0) if m == n and n else np.zeros(n)
    reduced = C - v
    u = reduced.min(axis=1) if n else np.zeros(m)
    tight = reduced - u[:, None] <= rounding(u, v)
    column_of, row_of = np.full(m, -1), np.full(n, -1)
    for i in np.argsort(tight.sum(axis=1), kind="stable"):
        choices = tight[i] & (row_of < 0)
        j = int(choices.argmax()) if n else 0
        if n and choices[j]:
            column_of[i], row_of[j] = j, i
    return u, v, column_of, row_of


def augment(C, u, v, column_of, row_of, row):
    """Pair one free row by the cheapest alternating path; all the arrays are brought up to date."""
    n = C.shape[1]
    distance = np.full(n, np.inf)          # of each column from the free row, over reduced costs
    frontier = np.full(n, np.inf)          # the same, infinite where the column is settled
    parent = np.full(n, row)
    settled = np.zeros(n, dtype=bool)
    rows, shortest, noise = np.array([row]), 0.0, rounding(u, v)
    while True:
        if len(rows) == 1:
            nearest, through = rows[0], C[rows[0]] - v
            through += shortest - u[rows[0]]
        else:
            block = C[rows] - u[rows, None]
            best = block.argmin(axis=0)
            nearest, through = rows[best], block[best, np.arange(n)] - v + shortest
        closer = (through < distance) & ~settled
        distance[closer] = frontier[closer] = through[closer]
        parent[closer] = nearest if len(rows) == 1 else nearest[closer]
        j = int(frontier.argmin())
        further = frontier[j] > shortest + noise
        shortest = float(frontier[j])
        noise = max(noise, 4e-16 * shortest)
        at = j
        if not further:                                     # another at the same distance: take all
            at = np.flatnonzero(frontier <= shortest + noise)
            j = at[row_of[at].argmin()]                     # -1, a free one, comes first
        if row_of[j] < 0:
            break
        settled[at], frontier[at] = True, np.inf
        rows = np.atleast_1d(row_of[at])
    slack = shortest - distance[settled]   # the free column's price stays
    u[row] += shortest
    u[row_of[settled]] += slack
    v[settled] -= slack
    while True:                            # swap the pairs along the path, from its free end
        i = parent[j]
        row_of[j] = i
        column_of[i], j = j, column_of[i]
        if i == row:
            return
