"""linear_assignment against brute force, and large cases by what optimality implies."""
import itertools
import time

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
    assert linear_assignment(np.zeros((0, 3))).shape == (0,)
    assert linear_assignment(np.zeros((2, 0))).tolist() == [-1, -1]


@pytest.mark.parametrize("shape", [(2, 3), (3, 2), (1, 5), (5, 1), (3, 6), (6, 3)])
@pytest.mark.parametrize("kind", ["normal", "integer"])
def test_rectangles_equal_brute_force(shape, kind):
    """Each row has a column of its own; where rows are left over, they have -1."""
    rng = np.random.default_rng(sum(shape))
    short, long = sorted(shape)
    everything = np.array(list(itertools.permutations(range(long), short)))
    for _ in range(20):
        cost = rng.standard_normal(shape)
        cost = cost if kind == "normal" else np.round(2 * cost)
        wide = cost if shape[0] == short else cost.T
        sums = wide[np.arange(short), everything].sum(axis=1)
        for maximize, best in ((False, sums.min()), (True, sums.max())):
            p = linear_assignment(cost, maximize=maximize)
            chosen = np.flatnonzero(p >= 0)
            assert len(p) == shape[0] and len(chosen) == len(set(p[chosen])) == short
            assert cost[chosen, p[chosen]].sum() == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("kind", ["constant", "ones and zeros", "few ones", "tenths", "blocks", "products"])
def test_ties_are_exact_and_quick(kind):
    """At n = 200, certified by duality: prices u, v with u_i + v_j <= cost everywhere whose sum is
    the cost reached. And the ties cost no more than five times what distinct costs do.
    """
    rng, n = np.random.default_rng(3), 200
    cost = {"constant": np.full((n, n), 3.0), "ones and zeros": (rng.random((n, n)) < 0.5) * 1.0,
            "few ones": (rng.random((n, n)) > 0.005) * 1.0, "tenths": np.round(rng.random((n, n)), 1),
            "blocks": np.kron(rng.integers(0, 3, (20, 20)), np.ones((10, 10))),
            "products": rng.integers(-2, 3, (n, 2)) @ rng.integers(-2, 3, (2, n)) * 1.0}[kind]
    p = linear_assignment(cost)
    assert sorted(p) == list(range(n))
    assert total(cost, p) == pytest.approx(-cheapest_prices(cost, p), abs=1e-9)
    distinct = rng.standard_normal((n, 5)) @ rng.standard_normal((5, n))
    assert seconds(cost) < 5 * seconds(distinct)


def cheapest_prices(cost, p):
    """-(sum u + sum v) of prices that make every chosen pair tight: shortest paths between columns
    with lengths cost[i, j] - cost[i, p(i)], by Bellman and Ford. A cycle of negative length, which
    would go on for ever, is an improvement of p.
    """
    n = len(cost)
    v = np.zeros(n)
    length = np.empty((n, n))
    length[p] = cost - cost[np.arange(n), p][:, None]               # from column p(i) to column j
    for _ in range(n + 1):
        new = np.minimum(v, (v[:, None] + length).min(axis=0))
        if np.array_equal(new, v):
            u = (cost - v).min(axis=1)
            return -(u.sum() + v.sum())
        v = new
    raise AssertionError("a cheaper assignment exists")


def seconds(cost):
    best = np.inf
    for _ in range(3):
        start = time.process_time()
        linear_assignment(cost)
        best = min(best, time.process_time() - start)
    return best


def test_errors():
    with pytest.raises(ValueError, match=r"must form a matrix of real numbers, got shape \(3,\)"):
        linear_assignment(np.zeros(3))
    with pytest.raises(ValueError, match="must form a matrix of real numbers, .* of complex128"):
        linear_assignment(np.zeros((2, 2), complex))
    with pytest.raises(ValueError, match="nan or infinity"):
        linear_assignment(np.array([[1.0, np.inf], [0.0, 1.0]]))


@pytest.mark.parametrize("forbidden", [1e9, 1e18, 1e100])
def test_a_forbidden_pair_hides_no_difference_between_the_others(forbidden):
    """Beside 1e18 all other costs are rounding; what is never paid must not decide what is equal."""
    rng = np.random.default_rng(0)
    for _ in range(40):
        m, n = rng.integers(1, 6, 2).tolist()
        walls = rng.random((m, n)) < 0.3
        cost = np.where(walls, forbidden, rng.integers(0, 10, (m, n)))
        tall = cost if m <= n else cost.T
        best = min(sum(tall[i, j] for i, j in enumerate(p))
                   for p in itertools.permutations(range(max(m, n)), min(m, n)))
        if best < forbidden:
            for found in (linear_assignment(cost), linear_assignment(-cost, maximize=True)):
                assert sum(cost[i, j] for i, j in enumerate(found) if j >= 0) == best
