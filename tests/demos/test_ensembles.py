"""The demo of ensembles: equal counts, rates, scores, verdicts that can fail, a quick run."""
import json

import numpy as np
import pytest

from demos.__main__ import main
from demos.landscape.training import ensembles
from demos.landscape.training.ensembles import aligned, compute, scores
from demos.landscape.training.ensembles.figure import STYLES
from minigrad.backend import to_host, xp
from optim import Objective
from problems import Network
from problems.data import clusters
from problems.networks.mlp import MLP


@pytest.fixture(scope="module")
def small():
    data = clusters.load(3, n_train=96, n_valid=40, n_test=50, noise=1.0, dtype="float64")
    network = Network(MLP((10, 8, 8, 5), "relu", init="he"), data.train)
    return data, network, compute.all_ways(network, data.valid, 100, np.random.default_rng(0))


def test_every_way_but_the_single_one_costs_the_same(small):
    _, network, ways = small
    assert {name: way.spent for name, way in ways.items()} == {
        name: 20 if name == "one of the five" else 100 for name in ways}
    assert {name: len(way.networks) for name, way in ways.items()} == {
        "one of the five": 1, "independent": 5, "one run": 1, "one run, stopped": 1,
        "points of a curve": 5, "snapshots (FGE)": 5, "SWA": 1, "its ingredients": 5, "soup": 1}
    assert all(way.networks.shape[1] == network.layout.size for way in ways.values())


def test_members_differ_and_the_soup_is_their_mean(small):
    ways = small[2]
    for name in ("independent", "snapshots (FGE)", "its ingredients", "points of a curve"):
        networks = to_host(ways[name].networks)
        assert min(abs(a - b).max() for i, a in enumerate(networks) for b in networks[:i]) > 1e-6
    assert np.allclose(to_host(ways["soup"].networks[0]),
                       to_host(ways["its ingredients"].networks).mean(axis=0), atol=1e-14)


def test_the_stopped_run_is_the_best_of_its_places_on_held_out_data(small):
    data, network, ways = small
    objective = Objective(network, data.valid)
    assert float(objective.value(ways["one run, stopped"].networks)[0]) <= float(
        objective.value(ways["one run"].networks)[0])


def test_snapshots_are_taken_where_the_rate_is_lowest(monkeypatch):
    """A cycle of 20: LOW at its tenth step, whose result is the snapshot; HIGH at its last."""
    seen = {}

    def descend(objective, theta, rate, steps, rng, keep):
        seen.update(rates=[rate(t) for t in range(steps)], keep=keep, steps=steps)
    monkeypatch.setattr(compute, "descend", descend)
    compute.snapshots(None, None, 90, 20, None)
    assert seen["keep"] == [10, 30, 50, 70, 90]
    for snapshot in seen["keep"]:
        assert seen["rates"][snapshot - 1] == pytest.approx(compute.LOW)
    assert seen["rates"][19] == pytest.approx(compute.HIGH) == max(seen["rates"])
    assert np.allclose(np.abs(np.diff(seen["rates"])), (compute.HIGH - compute.LOW) / 10)


def test_scores_of_a_forecast_by_hand():
    """Twice too sure: at T = 2 the probabilities are the true ones, and the loss their entropy."""
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), 20_000)
    labels = (rng.random(len(p))[:, None] > p.cumsum(axis=1)).sum(axis=1)
    sure = p**2 / (p**2).sum(axis=1, keepdims=True)
    accuracy, loss, error, cooled = scores.score(xp.asarray(sure), labels, xp.asarray(sure), labels)
    entropy = -np.log(p[np.arange(len(p)), labels]).mean()
    assert accuracy == (p.argmax(axis=1) == labels).mean()
    assert loss == pytest.approx(-np.log(sure[np.arange(len(p)), labels]).mean(), rel=1e-10)
    assert cooled == pytest.approx(entropy, rel=1e-3) and loss > cooled + 0.05 and error > 0.05


def test_the_posterior_is_that_of_the_clusters():
    centres = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])
    x = np.array([[0.5, 0.3]])
    weights = np.exp(-((x - centres)**2).sum(axis=1) / (2 * 0.7**2))
    found = to_host(scores.posterior(xp.asarray(x), centres, 0.7, 2))
    assert np.allclose(found, np.array([[weights[0] + weights[2], weights[1]]]) / weights.sum())


def test_a_pair_of_one_network_has_no_ridge_and_loses_nothing(small):
    _, network, ways = small
    a = ways["one run"].networks[0]
    found = aligned.ridge(network, a, a, np.random.default_rng(0))
    assert max(record.height for record in found.records.values()) < 1e-12
    assert np.allclose(list(found.lost.values()), 1.0, atol=1e-12) and found.moved < 1e-13


def made_up(better):
    """Scores in which ensembles are better (or worse) than all else by more than seeds differ."""
    rng, found = np.random.default_rng(0), {}
    for G in (1, 2, 3):
        for name in STYLES:
            gain = better * {"independent": 0.2, "points of a curve": 0.1, "snapshots (FGE)": 0.1,
                             "SWA": 0.1, "its ingredients": 0.05, "soup": 0.045}.get(name, 0.0)
            signs = np.array([1.0, -1.0, -1.0, -1.0])
            found[G, name] = 0.5 + signs * gain + 1e-4 * rng.standard_normal((8, 4))
    return found, {key: [key[0]] * 8 for key in found}


@pytest.mark.parametrize("better", [1, -1])
def test_claims_follow_the_numbers(better, verdicts):
    found, spent = made_up(better)
    words = verdicts(ensembles.claim_compute, found, spent, (1, 2, 3), "n = 8 sets")
    same = [k for k, c in enumerate(verdicts.claims) if "as accurate as" in c["claim"]]
    rest = [word for k, word in enumerate(words) if k not in same]
    assert set(rest[1:]) == {"holds" if better > 0 else "fails"}
    spent[3, "soup"] = [4] * 8
    assert verdicts(ensembles.claim_compute, found, spent, (1, 2, 3), "n = 8 sets")[0] == "fails"


@pytest.mark.parametrize("left, word", [(0.1, "holds"), (0.9, "fails")])
def test_claims_of_repair_follow_the_ridges(left, word, verdicts):
    class Record:
        def __init__(self, height):
            self.height = height
    ridges = [aligned.Ridge({name: Record(height) for name, height in zip(
        aligned.LINES, (2.0, 1.5 + k / 50, 1.0, left + k / 99))},
        {"aligned": [0.9, 0.8, 0.7 + k / 99]}, 1e-15) for k in range(8)]
    found = verdicts(ensembles.claim_repair, ridges, "n = 8 pairs")
    assert found == ["holds", "holds", word, "holds", "holds"]


@pytest.mark.slow
def test_quick(tmp_path, capsys):
    assert main(["ensembles", "--quick", "--out", str(tmp_path)]) == 0
    assert "aligned, repaired" in capsys.readouterr().out
    assert (tmp_path / "ensembles.png").stat().st_size > 20_000
    record = json.loads((tmp_path / "ensembles.json").read_text())
    verdicts = {claim["claim"]: claim["verdict"] for claim in record["claims"]}
    assert len(verdicts) >= 15 and "fails" not in verdicts.values()
