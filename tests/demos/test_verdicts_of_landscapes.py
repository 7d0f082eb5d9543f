"""The functions that decide the claims about landscapes, fed three small tables each: one that must
hold, one that must fail, one that must stay undecided."""
import functools
from types import SimpleNamespace

import numpy as np
import pytest

from demos.landscape import edge_of_stability, mode_connectivity, model_merging, sam
from demos.landscape.training import skip_and_norm
from demos.landscape.loss_surface.measures import reciprocal
from demos.landscape.saddle_escape.orders import CANDIDATES, count, crossing
from demos.landscape.sam.networks import matched, rank_correlation
from problems.functions.ramp import Ramp

SPREAD = np.array([-0.3, 0.1, 0.4, -0.2, 0.0])          # five seeds, in units of their spread


@pytest.mark.parametrize("ratio, expected", [
    (1 + 0.01 * SPREAD, "holds"), (0.8 + 0.05 * SPREAD, "fails"), (1 + 0.1 * SPREAD, "undecided")])
def test_the_edge(verdicts, ratio, expected):
    assert verdicts(edge_of_stability.claim_settled, "GD", "gd", ratio) == [expected]


def eigenvalues(skip_norm, plain, norm, relu, spread):
    shift = np.exp(spread * SPREAD)
    sharp = {(kind, depth): (growth if depth == 24 else 1.0) * (shift if depth == 24 else 1 / shift)
             for kind, growth in (("plain", plain), ("skip", 30.0), ("norm only", norm),
                                  ("skip + norm", skip_norm)) for depth in (2, 24)}
    return sharp, {"plain": 100 * shift, "skip": 100 * relu / shift}


@pytest.mark.parametrize("table, expected", [
    ((3, 70, 5000, 50, 0.1), ["holds"] * 4), ((9, 5, 2, 0.1, 0.1), ["fails"] * 4),
    ((3.9, 11, 12, 1.1, 2.0), ["undecided"] * 4)])
def test_growth_with_depth(verdicts, table, expected):
    if table[-1] == 2.0:                                # scatter for the ratio of growths too
        sharp, relu = eigenvalues(*table)
        sharp["norm only", 24] = np.roll(sharp["norm only", 24], 2)
        assert verdicts(skip_and_norm.claim_growth, sharp, relu, (2, 24), 5) == expected
    else:
        assert verdicts(skip_and_norm.claim_growth, *eigenvalues(*table), (2, 24), 5) == expected


def ridges(line, curve, narrow, wide, spread):
    def records(height, n):
        return [SimpleNamespace(height=height * np.exp(spread * x))
                for x in np.resize([-1.0, 1.0, -0.4, 0.3, 0.1, -0.6], n)]

    found = {(64, "straight line"): records(line, 10), (64, "aligned line"): records(curve, 10)}
    found |= {(64, name): records(curve, 10) for name in ("Bezier curve", "chain")}
    return found | {(16, "aligned line"): records(narrow, 10),
                    (256, "aligned line"): records(wide, 6)}


@pytest.mark.parametrize("table, change, expected", [
    ((0.7, 0.03, 0.3, 0.03, 0.2), 1e-14, ["holds"] * 7),
    ((0.1, 0.5, 0.1, 0.5, 0.2), 1e-3, ["fails"] * 7),
    ((0.3, 0.1, 0.1, 0.1, 1.0), 1e-14, ["undecided"] * 5 + [None, "holds"])])
def test_ridges(verdicts, table, change, expected):
    pairs = {16: 10, 64: 10, 256: 6}
    found = verdicts(mode_connectivity.claim_ridges, ridges(*table), pairs, change)
    assert [f if e else None for f, e in zip(found, expected)] == expected


def merged(greedy, swa, soup, arc, tuned, strange, chosen=0.0, spread=0.001):
    def around(mean, k=0):
        return mean + spread * np.roll(SPREAD, k)

    test = {"greedy soup": around(0.9 + greedy), "best single (held-out)": around(0.9, 1),
            "SWA of these": around(0.8 + swa), "points of one run, mean": around(0.8, 2),
            "strangers, mean of 4": around(0.85), "soup of strangers": around(0.85 - soup, 3),
            "SLERP of two": around(0.85 - arc, 4)}
    kept = [(*[None] * 4, np.array([tuned + x, 0.0]), np.array([strange + x, 9.0]), chosen)
            for x in spread * SPREAD]
    return test, kept, 5


@pytest.mark.parametrize("table, spread, expected", [
    ((0.02, 0.01, 0.5, 0.3, 0.01, 0.7), 0.001, ["holds"] * 7),
    ((-0.02, -0.01, 0.1, 0.01, 0.5, 0.01, -0.1), 0.001, ["fails"] * 7),
    ((0.02, 0.01, 0.41, 0.11, 0.09, 0.11), 0.3, ["holds"] + ["undecided"] * 6)])
def test_merging(verdicts, table, spread, expected):
    arguments = merged(*table, spread=spread)
    found = verdicts(lambda report: (report.data, model_merging.claim_merging(report, *arguments)))
    assert found == expected


def test_the_soup_is_chosen_on_held_out_points(monkeypatch):
    """400 of them choose; the 4000 of the test set are never shown to the recipe."""
    sizes = []
    whole = model_merging.accuracy

    def accuracy(network, split=None):
        score = whole(network, split) if split is not None else whole(network)
        score = functools.partial(lambda inner, theta: inner(theta), score)
        score.points = len((split or network.data)[0])
        return score

    def greedy(thetas, score, objective):
        sizes.append(score.points)
        return greedy_soup(thetas, score, objective)

    greedy_soup = model_merging.greedy_soup
    monkeypatch.setattr(model_merging, "accuracy", accuracy)
    monkeypatch.setattr(model_merging, "greedy_soup", greedy)
    def stay(split, theta, *rest, evaluate=None, **settings):
        for _ in range(15 if evaluate else 0):
            evaluate(theta)
        return theta

    monkeypatch.setattr(model_merging, "descend", stay)
    model_merging.one_seed(np.random.default_rng(0), 1, {})
    assert sizes == [400]


def networks(matched_ratio, end_ratio, gain, order, spread):
    """ends (5 methods, 5 sets, 5 quantities) and same (5 sets, 2, 3) for claim_networks."""
    ends, same = np.ones((5, 5, 5)), np.ones((5, 2, 3))
    shift = np.exp(spread * SPREAD)
    same[:, 0, 1:] = (matched_ratio * shift)[:, None]
    rank = np.arange(5.0)
    ends[:, :, 0] = 0.8 + 0.01 * rank[:, None]
    ends[2, :, 0] = ends[0, :, 0] + gain + 0.01 * spread * SPREAD
    ends[:, :, 2] = ends[:, :, 4] = np.exp(np.argsort(np.argsort(order * ends[:, 0, 0])))[:, None]
    ends[0, :, 2], ends[2, :, 2] = 10.0 * end_ratio * shift, 10.0
    return ends, same


@pytest.mark.parametrize("table, expected", [
    ((3.0, 3.0, 0.02, -1, 0.1), ["holds", "holds", "holds", "holds", None, "holds"]),
    ((0.3, 0.3, -0.02, 1, 0.1), ["fails", "fails", "fails", "fails", None, "fails"]),
    ((1.1, 1.1, 0.001, -1, 3.0), ["undecided"] * 4 + [None, None])])
def test_flatness_of_networks(verdicts, table, expected):
    found = verdicts(sam.claim_networks, *networks(*table), "n = 5")
    assert [f if e else None for f, e in zip(found, expected)] == expected


def test_rank_correlation_counts_ranks():
    assert rank_correlation([1, 2, 3, 4], [10, 20, 300, 301]) == pytest.approx(1.0)
    assert rank_correlation([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1.0)
    assert rank_correlation([1, 2, 3, 4], [2, 1, 4, 3]) == pytest.approx(0.6)


def test_matched_loss_takes_the_slower_ones_final_loss():
    """One-dimensional bowls: at loss .5 the first method stands at its second point of three."""
    objective = SimpleNamespace(value=lambda w: 0.5 * (w**2).sum(-1))
    way = np.array([[[[2.0]], [[3.0]]], [[[1.1]], [[2.0]]], [[[0.1]], [[1.0]]]])
    sharp = lambda objective, w, *rest: SimpleNamespace(value=float(w[0]))
    names = matched.__globals__
    kept = names["top_curvature"], names["adaptive_sharpness"]
    try:
        names["top_curvature"] = names["adaptive_sharpness"] = sharp
        found = matched(objective, way, None)
    finally:
        names["top_curvature"], names["adaptive_sharpness"] = kept
    assert found[0, 0, 1] == 1.1 and found[1, 0, 1] == 1.0 and found[1, 0, 0] == 0.5


def test_the_valleys_eigenvalue():
    from minigrad.backend import to_host, xp
    from optim import Objective
    for point in ([3.0, 1 / 3], [0.9865, 0.9865], [-1.3, 0.4]):
        H = to_host(Objective(sam.VALLEY).hessian(xp.asarray(point)))
        assert sam.top_eigenvalue(np.array(point)) == pytest.approx(np.linalg.eigvalsh(H)[-1])


def test_the_step_that_rests():
    """Mean squares lr/2: the bar .01 is passed at lr = .02, between two candidates."""
    mean = CANDIDATES / 2
    assert crossing(mean, 0.01) == pytest.approx(0.02, rel=1e-12)
    quiet = np.where(CANDIDATES < 1.9, 0.0, 1.0)
    assert crossing(quiet, 0.01) == CANDIDATES[CANDIDATES < 1.9][-1]


def test_the_noise_is_on():
    """Two groups of noisy runs count differently, and slower than the exact run does."""
    rng, ramp = np.random.default_rng(0), Ramp(0.4)
    noisy = count(ramp, 0.2, np.array([0.1, 0.1]), 1.0, rng, 4)
    exact = count(ramp, 0.2, np.array([0.1, 0.1]), 0.0, rng, 4)
    assert noisy[0] != noisy[1] and exact[0] == exact[1]


def test_a_mean_that_may_be_zero_leaves_its_reciprocal_open():
    assert reciprocal(10.0, 2.0, 0.0, 10) == (5.0, 5.0, 5.0)
    assert reciprocal(10.0, 2.0, 5.0, 10)[2] == np.inf
    assert reciprocal(10.0, 2.0, 0.0, 3)[2] == np.inf
