"""The linear assignment problem: give every row its own column, at the least total cost.

    minimise  sum_i cost[i, p(i)]   over the permutations p of n columns

Linear programming duality makes it a shortest-path problem. Row prices u and column prices v with
u_i + v_j <= cost_ij certify optimality when every chosen pair is tight (equality). The rows are
added one by one: from a free row, Dijkstra's algorithm over the reduced costs cost_ij - u_i - v_j
>= 0 finds the cheapest way to reach a free column through pairs that are already made; the pairs
along the path are swapped, and the prices of what was visited are lowered or raised so that all
stay tight. That is O(n) per visited column with one vector operation, O(n^3) in all.

Small and sequential, so it runs on the host, in float64.
"""
import numpy as np

from minigrad.backend import to_host


def linear_assignment(cost, maximize=False):
    """Best column for each row: p (n,) with sum_i cost[i, p[i]] as small as any permutation allows.

    cost      (n, n), finite
    maximize  look for the largest sum instead

    Source: Jonker & Volgenant 1987, Computing 38, sections 3 and 4 (column reduction,
    augmentation).
    Differs from the paper: no reduction transfer, no augmenting row reduction; both only save time.
    """
    C = np.asarray(to_host(cost), dtype=np.float64)
    if C.ndim != 2 or C.shape[0] != C.shape[1]:
        raise ValueError(f"linear_assignment: the costs must form a square matrix, got shape "
                         f"{C.shape}. Pad the shorter side with rows or columns of zeros.")
    if not np.isfinite(C).all():
        raise ValueError("linear_assignment: the costs contain nan or infinity. "
                         "Forbid a pair with a large finite cost.")
    C = -C if maximize else C
    n = len(C)
    u, v = np.zeros(n), C.min(axis=0, initial=np.inf)
    column_of, row_of = np.full(n, -1), np.full(n, -1)
    for j, i in enumerate(C.argmin(axis=0) if n else ()):   # column reduction: tight pairs for free
        if column_of[i] < 0:
            column_of[i], row_of[j] = j, i
    for row in np.flatnonzero(column_of < 0):
        augment(C, u, v, column_of, row_of, row)
    return column_of


def augment(C, u, v, column_of, row_of, row):
    """Pair one free row by the cheapest alternating path; all the arrays are brought up to date."""
    n = len(C)
    distance = np.full(n, np.inf)          # of each column from the free row, over reduced costs
    frontier = np.full(n, np.inf)          # the same, infinite where the column is settled
    parent = np.full(n, row)
    settled = np.zeros(n, dtype=bool)
    i, shortest = row, 0.0
    while True:
        through_i = C[i] - v
        through_i += shortest - u[i]
        closer = (through_i < distance) & ~settled
        distance[closer] = frontier[closer] = through_i[closer]
        parent[closer] = i
        j = int(frontier.argmin())
        shortest = float(frontier[j])
        settled[j], frontier[j] = True, np.inf
        if row_of[j] < 0:
            break
        i = row_of[j]
    settled[j] = False                     # the free column's price stays
    slack = shortest - distance[settled]
    u[row] += shortest
    u[row_of[settled]] += slack
    v[settled] -= slack
    while True:                            # swap the pairs along the path, from its free end
        i = parent[j]
        row_of[j] = i
        column_of[i], j = j, column_of[i]
        if i == row:
            return
