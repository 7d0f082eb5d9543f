"""The functions that decide the claims about optimizers, fed three small tables each: one that must
hold, one that must fail, one that must stay undecided. And the published numbers, pinned once."""
import json
from types import SimpleNamespace

import numpy as np
import pytest

from demos.induced_metric import cifar, mnist, random_search, regression, shakespeare
from demos.induced_metric.seven_optimizers import FILE, NAMES, PUBLISHED, claim_idle
from demos.induced_metric.test_functions import tables

SPREAD = np.array([-0.3, 0.1, 0.4, -0.2, 0.0])          # five seeds, in units of their spread


def scores(plain, better=1.0, spread=0.01):
    """{optimizer: five scores}: `better` for the three, `plain`, and 2 for the rest."""
    means = {name: better for name in ("Adam", "AdamW", "rms")} | {"plain": plain}
    return {name: means.get(name, 2.0) + spread * np.roll(SPREAD, k)
            for k, name in enumerate(NAMES)}


def test_regression_order(verdicts):
    order = regression.claim_order, ("Adam", "AdamW", "rms"), ("plain",)
    for plain, spread, expected in ((1.1, 0.01, "holds"), (0.9, 0.01, "fails"),
                                    (1.1, 1.0, "undecided")):
        assert verdicts(order[0], scores(plain, spread=spread), *order[1:]) == [expected]
    four = {name: runs[:4] for name, runs in scores(1.1).items()}
    assert verdicts(order[0], four, *order[1:]) == ["undecided"]


def test_regression_reference():
    """torch's 40 seeds where there are any, else the 20 of the author's code: not published."""
    assert regression.reference("Adam") == (0.0391, 0.0145, 40)
    assert regression.reference("SGD") == (0.0588, 0.0209, 40)
    assert regression.reference("rms") == (0.035, 0.0154, 20)


def cifar_scores(ahead, behind, spread=0.01):
    return {name: behind - spread * SPREAD if name in cifar.CAPPED else ahead + spread * SPREAD
            for name in NAMES}


@pytest.mark.parametrize("ahead, behind, spread, expected", [
    (0.5, 0.3, 0.01, ["holds"] * 2), (0.3, 0.5, 0.01, ["fails"] * 2),
    (0.4, 0.39, 0.5, ["undecided"] * 2)])
def test_cifar_groups(verdicts, ahead, behind, spread, expected):
    assert verdicts(cifar.claim_groups, cifar_scores(ahead, behind, spread)) == expected


def test_cifar_group_with_a_straggler(verdicts):
    test = cifar_scores(0.5, 0.3) | {"Muon": 0.2 + 0.01 * SPREAD}
    assert verdicts(cifar.claim_groups, test) == ["holds", "fails"]


def perplexities(ratio, spread=0.01):
    return {name: [{"best": x, "test": x} for x in (
        5.0 * ratio * np.exp(spread * SPREAD) if name in shakespeare.PLAIN else
        5.0 * np.exp(-spread * SPREAD))] for name in NAMES}


@pytest.mark.parametrize("ratio, spread, expected", [
    (1.2, 0.01, ["holds", "holds"]), (0.8, 0.01, ["fails", "fails"]),
    (1.05, 0.03, ["undecided", "holds"]), (1.02, 0.3, ["undecided", "undecided"])])
def test_shakespeare_groups(verdicts, ratio, spread, expected):
    assert verdicts(shakespeare.claim_groups, perplexities(ratio, spread), 300) == expected


def test_a_rate_at_the_edge_widens_the_grid():
    """The best rate is 4: outside {1/4 .. 2}, found by doubling once; one more shows that it is."""
    asked = []

    def train(pairs):
        asked.append([rate for name, rate in pairs if name == "log"])
        return [{"best": abs(np.log2(rate) - (2 if name == "log" else 0))} for name, rate in pairs]

    tuned, best = shakespeare.tune(train, (0.25, 0.5, 1.0, 2.0))
    assert asked == [[0.25, 0.5, 1.0, 2.0], [4.0], [8.0]]
    assert best["log"] == 4.0 and best["Adam"] == 1.0
    assert not shakespeare.at_edge(tuned["log"], 4.0) and shakespeare.at_edge(tuned["log"], 8.0)
    assert not shakespeare.at_edge({1.0: None}, 1.0)    # one rate was never a search


def mnist_scores(log, spread=0.0005):
    means = {"log": log, "SGD": 0.9745}
    return {name: means.get(name, 0.975) + spread * np.roll(SPREAD, k)
            for k, name in enumerate(NAMES)}


@pytest.mark.parametrize("log, spread, band, gap, lead", [
    (0.978, 0.0005, "holds", "holds", "holds"), (0.970, 0.0005, "holds", "holds", "fails"),
    (0.950, 0.0005, "fails", "fails", "fails"), (0.975, 0.03, "undecided", None, "undecided")])
def test_mnist_results(verdicts, log, spread, band, gap, lead):
    test = mnist_scores(log, spread)
    stats = {name: (np.mean(v), np.std(v)) for name, v in test.items()}
    found = verdicts(mnist.claim_results, "mnist", test, stats, 20)
    assert len(found) == 10 and found[NAMES.index("log")] == band and found[-1] == lead
    assert gap is None or found[-3] == gap
    assert verdicts.claims[-1]["measured"] == pytest.approx(np.mean(test["log"] - test["plain"]))


def test_an_idle_metric(verdicts):
    def runs(*s):
        return [{"s": [[low, 1.0, 1.0] for low in s]}]

    assert verdicts(claim_idle, "rms", runs(0.995, 1.0)) == ["holds"]
    assert verdicts(claim_idle, "rms", runs(0.98, 1.0)) == ["fails"]
    assert verdicts.claims[-1]["measured"] == pytest.approx(0.02)


def test_the_best_tenth_of_a_search():
    rows = np.array([5.0, 1.0, 3.0, 2.0])
    assert random_search.gap(2, rows, np.stack([rows - 1, rows - 1], axis=1)) == 1.0
    assert random_search.gap(1, rows, np.stack([rows + 1, rows + 3], axis=1)) == -2.0


def runs_with(counts):
    """A sweep in which so many of n configurations arrive from each start."""
    updates = np.zeros((len(counts), 40), int)
    for row, k in zip(updates, counts):
        row[:k] = 7
    return SimpleNamespace(updates=updates, values=np.full(updates.shape, 1e-9))


def test_function_counts(verdicts):
    """Published counts, then one cell that is off by more than its range and three."""
    cells = tables.PUBLISHED["converged"]["cells"]
    runs = {(kind, f, o): runs_with([min(cells[o][f]["low"], 40)] * n) for f, o in tables.PAIRS
            for kind, n in (("grid", 1), ("moved", 2))}
    for f, o in tables.PAIRS:                           # counts above 40 do not fit the toy
        for kind, n in (("grid", 1), ("moved", 2)):
            wide = np.zeros((n, 400), int)
            wide[:, :cells[o][f]["low"]] = 7
            runs[kind, f, o] = SimpleNamespace(updates=wide, values=np.full(wide.shape, 1e-9))
    right = lambda report: tables.compare_counts(runs, report)
    assert verdicts(right) == ["holds"]
    runs["grid", "ackley", "SGD"].updates[0, :4] = 7    # published 0, reference 0 to 0, three more
    assert verdicts(right) == ["fails"] and verdicts.claims[0]["measured"] == 29


def test_function_random_starts(verdicts):
    def decide(solved, n=10):
        runs = {("random", f, o): runs_with([1 if k < solved(f, o) * n / 40 else 0
                                             for k in range(n)]) for f, o in tables.PAIRS}
        return verdicts(lambda report: tables.compare_random_starts(runs, n, report))

    there = tables.PUBLISHED["random_starts"]["cells"]
    same = lambda f, o: there.get(o, {f: [0]})[f][0]
    assert decide(same) == ["undecided", "holds"]       # agreement is never shown by a test
    assert decide(lambda f, o: 0 if o == "log" else same(f, o)) == ["fails", "fails"]
    assert decide(lambda f, o: 34 if o == "log" else same(f, o))[1] == "undecided"


def test_shakespeare_with_one_good_rival(verdicts):
    runs = perplexities(1.2) | {"log": [{"best": 4.5, "test": 4.5 + x} for x in 0.01 * SPREAD]}
    assert verdicts(shakespeare.claim_groups, runs, 300) == ["fails", "fails"]
    runs = perplexities(1.2) | {"Muon": [{"best": 6.5, "test": 6.5 + x} for x in 0.01 * SPREAD]}
    assert verdicts(shakespeare.claim_groups, runs, 300) == ["fails", "fails"]


class Part(list):
    """Data that know their name; taking rows or unpacking gives the same part."""

    def __init__(self, name):
        super().__init__([np.zeros((64, 784)), np.zeros(64, int)])
        self.name, self.n, self.inputs = name, 64, np.zeros((64, 8, 8, 1))

    def take(self, rows):
        return self


def scored(module, monkeypatch, call):
    """Which part of the data chooses the epoch, and which gives the score, by a fake of both."""
    asked = []
    run = SimpleNamespace(theta="last", best="best", best_step=3)
    monkeypatch.setattr(module, "attempt", lambda *a, evaluate, **k: evaluate("way") and run or run)
    monkeypatch.setattr(module, "curve", lambda run: {})
    monkeypatch.setattr(module, "build", lambda *a: None)
    monkeypatch.setattr(module, "batches", lambda *a, **k: [slice(None)])
    monkeypatch.setattr(module, "error_rate", lambda model, theta, part, *a, **k: asked.append(
        (theta, part.name)) or 0.25)
    monkeypatch.setattr(module, "Network", lambda model, dtype: SimpleNamespace(
        model=model, layout=None, params=lambda theta: theta))
    assert call()["test"] == 0.75
    return asked


def test_mnist_is_chosen_on_validation_and_scored_on_test_images(monkeypatch):
    data = SimpleNamespace(train=Part("train"), valid=Part("valid"), test=Part("test"))
    monkeypatch.setattr(mnist, "digits", lambda *a: data)
    args = SimpleNamespace(data_dir=None, quick=True, seed=0)
    asked = scored(mnist, monkeypatch, lambda: mnist.train_one(args, "strokes", "SGD", 0, 1))
    assert asked[:2] == [("way", "valid"), ("best", "test")]


def test_cifar_is_chosen_on_validation_and_scored_on_test_images(monkeypatch):
    parts = Part("train"), Part("valid"), Part("test"), "about"
    monkeypatch.setattr(cifar, "images", lambda *a: parts)
    monkeypatch.setattr(cifar, "ResNet", lambda *a, **k: None)
    monkeypatch.setattr(cifar, "statistics", lambda *a: None)
    args = SimpleNamespace(data_dir=None, size="small", seed=0)
    size = dict(cifar.SIZES["quick"])
    asked = scored(cifar, monkeypatch, lambda: cifar.train_one(args, "strokes", size, "SGD", 0))
    assert asked == [("way", "valid"), ("best", "test")]


# ---------------------------------------------------------------------- what is published

def test_published_numbers_are_what_they_were_when_they_were_read():
    """Sums over each table of arXiv:2509.03594's notebooks, and single entries of all of them."""
    sums = {task: {key: round(sum(PUBLISHED[task]["results"][n][key] for n in NAMES), 6)
                   for key in ("best", "best_epoch", "top50_mean", "top50_std")}
            for task in ("regression", "mnist", "cifar", "shakespeare")}
    assert sums == SUMS
    assert PUBLISHED["mnist"]["results"]["log"]["best"] == 0.98329
    assert PUBLISHED["regression"]["configurations"]["plain"]["xi"] == 0.00192567
    settings = [value for task in SUMS for n in NAMES
                for value in PUBLISHED[task]["configurations"][n].values()]
    assert round(float(np.sum(np.log(settings))), 5) == SETTINGS
    best = tables.PUBLISHED["best"]["cells"]
    assert sum(u or 0 for f in best for u, _ in best[f].values()) == UPDATES
    heights = [h for f in best for _, h in best[f].values() if h]
    assert round(float(np.log(heights).sum()), 5) == HEIGHTS
    table = json.loads((FILE.parents[2] / "landscape/published/sam.json").read_text())
    assert table["rows"] == [["CIFAR-10, WRN-16-8", 3.20, 2.86, 2.55]]
    assert "davda54/sam" in table["source"] and "unofficial" in table["source"]


SUMS = {
    "regression": {"best": 0.20291, "best_epoch": 1340,
        "top50_mean": 0.31337, "top50_std": 0.04208},
    "mnist": {"best": 6.868816, "best_epoch": 939, "top50_mean": 6.852897, "top50_std": 0.005876},
    "cifar": {"best": 5.489041, "best_epoch": 1649, "top50_mean": 5.060527, "top50_std": 0.265537},
    "shakespeare": {"best": 37.0823, "best_epoch": 1393,
        "top50_mean": 44.5775, "top50_std": 4.1603},
}
SETTINGS, UPDATES, HEIGHTS = -414.79221, 5139, -396.4844
