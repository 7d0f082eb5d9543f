"""linear_assignment against brute force, and large cases by what optimality implies."""
import itertools

import numpy as np
import pytest

from problems.landscape.alignment.assignment import linear_assignment


def total(cost, p):
    return cost[np.arange(len(cost)), p].sum()


@pytest.mark.parametrize("n", range(1, 8))
@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("kind", ["normal", "integer"])         # integers: many ties
def test_equals_brute_force(n, maximize, kind):
    rng = np.random.default_rng(n)
    rows = np.arange(n)
    everything = np.array(list(itertools.permutations(range(n))))
    for _ in range(10):
        cost = rng.standard_normal((n, n))
        cost = cost if kind == "normal" else np.round(2 * cost)
        p = linear_assignment(cost, maximize=maximize)
        sums = cost[rows, everything].sum(axis=1)
        best = sums.max() if maximize else sums.min()
        assert sorted(p) == list(rows)
        assert abs(total(cost, p) - best) <= 1e-12


def test_planted_permutation_of_orthogonal_rows():
    rng = np.random.default_rng(0)
    rows = np.linalg.qr(rng.standard_normal((64, 64)))[0]
    planted = rng.permutation(64)
    assert np.array_equal(linear_assignment(rows[planted] @ rows.T, maximize=True), planted)


def test_low_rank_costs_leave_no_better_swap():
    """With n = 200 brute force is out; no exchange of two or three rows may improve."""
    rng = np.random.default_rng(1)
    cost = rng.standard_normal((200, 5)) @ rng.standard_normal((5, 200))
    p = linear_assignment(cost)
    assert sorted(p) == list(range(200))
    chosen = cost[np.arange(200), p]
    crossed = cost[:, p]  # (i, j): row i takes the column of row j
    swap = crossed + crossed.T - chosen[:, None] - chosen[None, :]
    assert swap.min() >= -1e-10
    for i, j, k in rng.integers(0, 200, (2000, 3)):
        if len({i, j, k}) == 3:
            turned = crossed[i, j] + crossed[j, k] + crossed[k, i]
            assert turned >= chosen[i] + chosen[j] + chosen[k] - 1e-10


def test_empty():
    assert linear_assignment(np.zeros((0, 0))).shape == (0,)


def test_errors():
    with pytest.raises(ValueError, match=r"square matrix, got shape \(2, 3\)"):
        linear_assignment(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="nan or infinity"):
        linear_assignment(np.array([[1.0, np.inf], [0.0, 1.0]]))
