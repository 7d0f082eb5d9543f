"""The arms, the aligned line, statistics over runs and the published tables of `topography`."""
import json

import numpy as np
import pytest

from minigrad.backend import to_host, xp
from optim import BFGS
from problems.data import load

from problems.landscape.slices.kernel_pca import kernel_pca, separation

from demos.__main__ import main
from demos.topography import topography
from demos.topography.arms import Penalised, quasi_newton, sgd
from demos.topography.connect import connect
from demos.topography.topography import ours, paper
from tests.demos.quick_runs import quick_run


def small():
    problem, parts = ours.problem_of(3)
    return problem, parts, problem.start(np.random.default_rng(0))


def test_penalty_is_half_the_squared_norm():
    problem, parts, theta = small()
    plain = Penalised(problem.model, parts[0], decay=0.0)
    assert np.isclose(float(problem.loss(theta) - plain.loss(theta)),
                      0.5e-4 * float((theta * theta).sum()), rtol=1e-9)
    both = xp.stack([theta, 2.0 * theta])
    assert np.allclose(to_host(problem.loss(both)), [float(problem.loss(t)) for t in both])


def test_arms_keep_the_right_points():
    problem, parts, start = small()
    arm = quasi_newton(problem, start, parts, BFGS(), steps=40, level=0.9)
    steps, train, valid, test = np.array(arm.curve).T
    assert all(b <= a + 1e-12 for a, b in zip(train, train[1:]))
    assert np.isclose(float(problem.loss(arm.level)), train[train <= 0.9][0])
    assert np.isclose(float(problem.loss(arm.end)), train[-1])
    slow = sgd(problem, start, parts, np.random.default_rng(1), epochs=5)
    assert len(slow.curve) == 6 and slow.passes == 5.0
    assert slow.curve[-1][1] < slow.curve[0][1]


def test_aligned_units_compute_the_same_and_a_permuted_copy_comes_back():
    problem, parts, theta = small()
    params = problem.params(theta)
    order, sign = xp.asarray([2, 0, 1]), xp.asarray([1.0, -1.0, -1.0])
    first, head = params["layers"]
    turned = problem.layout.ravel({"layers": [
        {"W": first["W"][:, order] * sign, "b": first["b"][order] * sign},
        {"W": head["W"][order] * sign[:, None], "b": head["b"]}]})
    assert np.isclose(float(problem.loss(turned)), float(problem.loss(theta)), rtol=1e-13)
    assert np.allclose(to_host(ours.aligned(problem, theta, turned)), to_host(theta), atol=1e-15)


def test_barriers_above_the_higher_end():
    problem, _, theta = small()
    found = connect(problem, theta, theta + 0.5, 0, quick=True)
    assert 0.0 <= found["path"] <= found["straight"] + 1e-12 and found["gradients"] > 0


def test_pairs_stand_evenly():
    for n, per in ((20, 3), (5, 2), (5, 1), (3, 1)):
        counts = np.bincount(np.array(ours.pairs_of(n, per)).ravel(), minlength=n)
        assert counts.min() == counts.max()
    assert len(ours.pairs_of(5, 2)) == 10 and len(ours.pairs_of(20, 3)) == 60


def test_intervals_are_over_runs_not_pairs():
    """A run that raises all of its pairs makes the interval wide, however many pairs there are."""
    rng, pairs = np.random.default_rng(0), ours.pairs_of(20, 3)
    noise = rng.standard_normal(len(pairs))
    of_runs = rng.standard_normal(20)
    shared = np.array([of_runs[i] + of_runs[j] for i, j in pairs])

    def width(values):
        _, low, high = ours.over_runs(np.random.default_rng(1), np.mean, pairs, values)
        return (high - low) / np.std(values)
    assert width(shared) > 1.3 * width(noise)


def test_a_claim_of_the_runs_can_fail():
    """C3 on numbers that hold, that fail, that say nothing."""
    from types import SimpleNamespace

    from demos.report import verdict
    rng = np.random.default_rng(0)
    found = []
    for shift in (-0.1, 0.1, 0.0):
        runs = [{"numbers": {arm: {name: base + 0.01 * rng.standard_normal() for name in
                                   ("train", "test", "accuracy", "lambda_max")}
                             for arm, base in (("SGD-long", 0.5), ("QN-full", 0.5 + shift),
                                               ("SGD-ES", 0.5), ("QN-ES", 0.5))}}
                for _ in range(8)]
        claims = {}
        report = SimpleNamespace(claim=lambda text, value, low, high, **rest: claims.update(
            {text[:2]: verdict(low, high, **{k: v for k, v in rest.items()
                                             if k in ("above", "below")})}))
        topography.claims_of_runs(report, runs)
        found.append(claims["C3"])
    assert found[:2] == ["holds", "fails"] and found[2] != "holds"


def test_published_numbers_are_pinned():
    """Tables I and S1 of arXiv:2602.21276."""
    there = topography.PUBLISHED
    assert there["loss"]["fcp"] == {"qn train": 1.26e-8, "sgd train": 6.21e-4, "qn test": 9.69e-2,
                                    "sgd test": 8.25e-2}
    assert there["loss"]["autoencoder"]["qn test"] == 1.65e-2
    assert there["loss"]["lstm"]["sgd train"] == 1.35e-2
    assert there["loss"]["lenet"]["qn train"] == 3.35e-8
    assert there["mean and deviation of the weights"]["lstm"]["qn train"] == [1.06e-2, 0.733]
    assert there["toy heights"] == {"10": 0.646, "100": 0.640, "1000": 0.652}
    for tables in (there["loss"], there["mean and deviation of the weights"]):
        assert set(tables) == {"fcp", "lenet", "autoencoder", "lstm"}
        assert all(set(row) == set(paper.SETS) for row in tables.values())


@pytest.mark.slow
def test_gaussian_vectors_of_the_published_table_are_parted_by_their_norm_or_not_at_all():
    """The null model: 48 + 48 vectors with table S1's numbers, its kernel, first component."""
    there = topography.PUBLISHED["mean and deviation of the weights"]
    rng = np.random.default_rng(0)
    areas = {}
    for name, d in (("fcp", 42_200), ("lstm", 15_456)):
        (m1, s1), (m2, s2) = (there[name][key] for key in ("qn train", "sgd test"))
        rows = np.concatenate([m + s * rng.standard_normal((48, d))
                               for m, s in ((m1, s1), (m2, s2))])
        scores = kernel_pca(rows, bandwidth="parameters",
                                       components=1).coordinates[:, 0]
        areas[name] = separation(scores[:48], scores[48:])
    assert areas["fcp"] < 0.7


@pytest.mark.parametrize("name", ["fcp", "fcp relu", "autoencoder", "lenet", "lstm"])
def test_models_have_the_published_sizes(name):
    from problems import Network
    count = {"fcp": 42_200, "autoencoder": 52_224, "lenet": 61_706, "lstm": 15_456}
    assert Network(paper.model_of(name)).layout.size == count[name.split()[0]]


def test_vectors_of_others_are_read_or_refused(tmp_path, capsys):
    bad = tmp_path / "bad.npy"
    np.save(bad, np.zeros((3, 4), dtype=int))
    assert main(["topography", "--weights", str(bad), "--quick", "--out", str(tmp_path)]) == 1
    assert "holds int64 of shape (3, 4). Give floats" in capsys.readouterr().err
    assert main(["topography", "--weights", str(tmp_path / "none.npy"), "--quick",
                 "--out", str(tmp_path)]) == 1
    assert "cannot be read as an array" in capsys.readouterr().err


def test_unknown_networks_and_data_are_sentences(tmp_path, capsys):
    assert main(["transfer", "--data", "cifar-10", "--quick", "--out", str(tmp_path)]) != 0
    assert "Use clusters-8 (the default) or mnist." in capsys.readouterr().err


def test_the_second_task_has_other_classes():
    from demos.topography.transfer import tasks
    _, parts, (few, test), *_ = tasks(None, None)
    assert few.n == 60 and set(to_host(test.targets).tolist()) == {0, 1, 2, 3}
    assert load("clusters-8").train.n == parts[0].n


@pytest.mark.slow
def test_transfer_runs(tmp_path):
    assert main(["transfer", "--quick", "--out", str(tmp_path)]) == 0
    record = json.loads((tmp_path / "transfer.json").read_text())
    assert len(record["claims"]) == 4 and (tmp_path / "transfer.png").exists()


@pytest.mark.slow
def test_topography_runs(tmp_path):
    record, folder = quick_run("topography", tmp_path)
    assert {claim["origin"] for claim in record["claims"]} == {"paper", "ours"}
    assert (folder / "topography.png").exists() and (folder / "topography_protocol.png").exists()


def test_every_slip_is_executed():
    """Twelve rows; the numbers of the toy landscape are those of the specification."""
    from demos.topography.topography import slips
    rng = np.random.default_rng(0)
    runs = [{"losses": {key: {"train": 0.1, "test": 0.2} for key in (*paper.SETS, "sgd valid")},
             "points": {key: rng.standard_normal(20) for key in paper.SETS},
             "curves": {"qn": [(0, 1.0, 1, 1), (1, 0.5, 1, 1), (2, 0.6, 1, 1)]}} for _ in range(3)]
    heights = {key: [{"path": 0.3, "ends": 0.25, "straight": 1.0}] * 3 for key in paper.SETS}
    rows = slips.table({"fcp": (runs, [], heights)}, "MNIST has 60,000")
    assert [row[0] for row in rows] == list(range(1, 13))
    text = {row[0]: row[2] for row in rows}
    assert "35.531625" in text[1] and "by eq. 4 0.6" in text[1]
    assert "0.6405 (10 terms, 100)" in text[6] and "0.6397 (10, 101)" in text[6]
    assert "1.2258" in text[10] and "0.0150" in text[10]
    assert "1.0 uphill steps" in text[9] and "83 % of H" in text[12]
