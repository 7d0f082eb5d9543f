"""The warm-up demo: its theory against exact sums, its search, its verdicts, its smallest run."""
import json
from types import SimpleNamespace

import numpy as np
import pytest

from demos.__main__ import main
from demos.landscape.training import stable_rate
from demos.landscape.training.warmup import catapult, networks, quadratic
from minigrad.backend import to_host, xp
from optim import Objective, cosine
from problems.landscape.curvature.sharpness import top_curvature

SPREAD = np.array([-0.3, 0.1, 0.4, -0.2, 0.0])          # five runs, in units of their spread


# ---------------------------------------------------------------------- the search

@pytest.mark.parametrize("edge", [1.3, 2.0, 7.7])
@pytest.mark.parametrize("rounds, parts", [(1, 7), (2, 7 * 9), (3, 7 * 81)])
def test_the_bracket_holds_the_edge_and_is_as_narrow_as_promised(edge, rounds, parts):
    found = stable_rate.largest_stable(lambda rates: rates < edge, 1.0, 10.0, rounds=rounds)
    assert found.low < edge <= found.high and found.low < found.value < found.high
    assert np.log(found.high / found.low) == pytest.approx(np.log(10.0) / parts)


def test_islands_above_the_first_failure_do_not_count():
    found = stable_rate.largest_stable(lambda r: (r < 2.0) | (r > 5.0), 1.0, 10.0)
    assert found.low < 2.0 <= found.high


def test_what_the_range_does_not_hold():
    all_work = stable_rate.largest_stable(lambda rates: rates > 0, 1.0, 10.0)
    assert (all_work.value, all_work.low, all_work.high) == (10.0, 10.0, np.inf)
    none = stable_rate.largest_stable(lambda rates: rates < 0, 1.0, 10.0)
    assert np.isnan(none.value) and none.low == 0.0


def test_a_rising_rate_arrives_and_stays():
    rate = stable_rate.rising(0.8, 4)
    assert [rate(t) for t in range(6)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 0.8, 0.8])


# ---------------------------------------------------------------------- theory

@pytest.mark.parametrize("a", [1.0, 2.5, 3.5, 4.0, 5.0])
def test_the_mean_logarithm_of_a_cosine_decay(a):
    """log(a/4), by the midpoint rule away from the grid's zeros; so 4 is where it ends level."""
    s = (np.arange(200_000) + 0.5) / 200_000
    mean = np.log(np.abs(1 - a * (1 + np.cos(np.pi * s)) / 2)).mean()
    assert mean == pytest.approx(np.log(a / 4), abs=1e-4)


@pytest.mark.parametrize("a, ends_below", [(3.5, True), (4.5, False)])
def test_a_decaying_run_multiplies_by_that(a, ends_below):
    rate = cosine(a, 400)
    product = sum(np.log(abs(1 - rate(t))) for t in range(400))
    # one factor of 400 lies close to 0, as small as e^-5
    assert product == pytest.approx(400 * np.log(a / 4), abs=5.0) and (product < 0) == ends_below
    start = xp.ones(len(quadratic.H))
    assert quadratic.works("cosine", start, np.array([a])).tolist() == [ends_below]


@pytest.mark.parametrize("tool", ["constant", "warm-up"])
def test_two_over_lambda_is_the_edge_on_a_quadratic(tool):
    start = xp.ones(len(quadratic.H))
    assert quadratic.works(tool, start, np.array([1.9, 1.98, 2.03, 2.2])).tolist() == [
        True, True, False, False]


def test_a_clipped_run_cycles_between_its_bounds():
    start, a, c = xp.full((1, 10), 2.0), quadratic.CLIPPED, quadratic.CLIP
    losses = stable_rate.losses_of(Objective(quadratic.height, clip=c), start, a, 3000)
    top = losses[-100:].max() / (c * c / 2)
    assert 1.0 <= top <= a * a


def test_descent_on_two_layers_is_the_recursion():
    """f' = f (1 - ηλ + η² f²/n), λ' = λ + (η f²/n)(ηλ - 4): two numbers instead of 1024."""
    start = xp.asarray(np.random.default_rng(3).standard_normal(2 * catapult.N))
    n, lam = catapult.N, float(catapult.curvature(start))
    rates = np.array([1.5, 3.0, 3.7]) / lam
    losses, way = catapult.fly(start, rates, steps=40)
    u = to_host(start)
    f, lam = np.full(3, u[:n] @ u[n:] / n**0.5), np.full(3, lam)
    for t in range(41):
        np.testing.assert_allclose(np.sqrt(2 * losses[t]), abs(f), rtol=1e-9, atol=1e-13)
        np.testing.assert_allclose(way[t], lam, rtol=1e-9)
        f, lam = (f * (1 - rates * lam + rates**2 * f * f / n),
                  lam + rates * f * f / n * (rates * lam - 4))


def test_what_lands_and_what_is_lost():
    """Without a warm-up 4 is the edge; 5 is lost, unless the rate is warmed up."""
    start = xp.asarray(np.random.default_rng(3).standard_normal(2 * catapult.N))
    rates = np.array([1.0, 3.0, 3.9, 4.1, 5.0]) / float(catapult.curvature(start))
    assert catapult.lands(start, rates).tolist() == [True, True, True, False, False]
    assert catapult.lands(start, rates, warmup=100).tolist() == [True] * 5


@pytest.mark.slow
def test_a_climb_is_matched_by_the_first_slow_point_as_low():
    one = networks.case(0, 0)
    found = networks.climb(one, 4.0 / one.lam, np.random.default_rng(0))
    assert found.steps[found.full] == networks.WARMUP and found.steps[-1] == networks.STEPS
    assert found.lam[0] == pytest.approx(one.lam, rel=1e-3)
    slow = stable_rate.losses_of(Objective(one.problem), one.start[None], 0.5 / one.lam, 400)[:, 0]
    reached = slow[slow <= found.losses[found.full]][0]
    assert found.slow[0] == pytest.approx(reached, rel=1e-9) and found.slow[1] > found.lam[-1]


def test_lambda_is_the_largest_eigenvalue_where_f_is_zero():
    rng = np.random.default_rng(4)
    u, v = rng.standard_normal((2, 20))
    v -= u * (u @ v) / (u @ u)
    theta = xp.asarray(np.concatenate([u, v]))
    top = top_curvature(Objective(catapult.height), theta, rng, 40).value
    assert float(catapult.curvature(theta)) == pytest.approx(top, rel=1e-10)


# ---------------------------------------------------------------------- verdicts

@pytest.mark.parametrize("warm, decay, cycle, expected", [
    (1.0, 2.0, 2.0, "holds"), (1.5, 1.0, 0.5, "fails"), (1.0, 2.0, 6.0, "undecided")])
def test_the_control(verdicts, warm, decay, cycle, expected):
    spread = {"holds": 0.01, "fails": 0.01, "undecided": 1.0}[expected]
    found = {"warm-up": warm + spread * SPREAD, "cosine": decay + spread * SPREAD}
    assert verdicts(quadratic.claim_control, found, cycle + spread * SPREAD, "95 % t") == [
        expected] * 3


def flights(peak, end, lam, lost, spread):
    rows = np.ones((5, 3, len(catapult.PHASES)))
    rows[:, :, catapult.PHASES.index(3.0)] = np.stack(
        [value * np.exp(spread * SPREAD) for value in (peak, end, lam)], axis=1)
    rows[:lost, 1, -1] = np.inf
    return rows


@pytest.mark.parametrize("table, limit, warm, spread, expected", [
    ((100, 1e-9, 0.1, 5), 4.0, 6.0, 0.1, ["holds"] * 6),
    ((0.9, 2.0, 1.5, 4), 2.0, 1.5, 0.1, ["fails"] * 6),
    ((1.1, 0.9, 0.9, 5), 4.0, 4.1, 2.0, ["undecided"] * 4 + ["holds", "undecided"])])
def test_the_catapult(verdicts, table, limit, warm, spread, expected):
    limits = limit * np.exp(0.1 * spread * SPREAD)
    decided = verdicts(catapult.claim_flights, flights(*table, spread), limits,
                       warm * np.exp(-spread * SPREAD), "n = 5")
    assert decided == expected


@pytest.mark.parametrize("ratios, lam, spread, expected", [
    ((2.0, 4.0, 2.5), (0.2, 0.3, 0.9, 1.0), 0.05, "holds"),
    ((0.8, 0.7, 1.0), (1.4, 1.3, 1.4, 1.3), 0.05, "fails"),
    ((1.1, 1.1, 2.1), (0.9, 0.9, 1.0, 1.0), 2.0, "undecided")])
def test_the_networks(verdicts, ratios, lam, spread, expected):
    shift = np.exp(spread * SPREAD)
    rates = dict(zip(networks.TOOLS[1:], (r * shift for r in ratios)), constant=np.ones(5))
    start, slow, edge, later = lam
    climbs = []
    for s in shift:                                     # λ at full rate: 1
        climbs.append(SimpleNamespace(
            full=1, lam=np.array([s / start, 1.0, *[later / edge] * 5]), slow=(0.1, s / slow),
            rate=2 * edge * s))
    assert verdicts(networks.claim_networks, rates, climbs, "n = 5") == [expected] * 7


# ---------------------------------------------------------------------- the run

@pytest.mark.slow
def test_the_smallest_run(tmp_path, capsys):
    assert main(["warmup", "--quick", "--out", str(tmp_path)]) == 0
    record = json.loads((tmp_path / "warmup.json").read_text())
    assert len(record["claims"]) == 16
    assert [c["verdict"] for c in record["claims"] if c["asked"]] == []
    assert "Largest stable rate" in capsys.readouterr().out
    assert (tmp_path / "warmup.png").stat().st_size > 50_000
