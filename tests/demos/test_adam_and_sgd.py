"""Adam beside SGD: the runs against loops by hand, the verdicts on tables, the smallest run."""
import numpy as np
import pytest

from demos.landscape.training import adam_and_sgd
from demos.landscape.training.adam_and_sgd import runs
from minigrad.backend import to_host, xp
from optim import SGD, Adam, Objective
from tests.demos.test_sharpness_demos import quick

SPREAD = np.array([-0.3, 0.1, 0.4, -0.2, 0.0])          # five data sets, in units of their spread


@pytest.fixture(scope="module")
def problem():
    return runs.network([0, 0])[0]


def test_the_loss_by_hand(problem):
    theta = problem.start(np.random.default_rng(0))
    h, y = (to_host(a) for a in problem.data)
    layers = problem.params(theta)["layers"]
    for k, layer in enumerate(layers):
        h = h @ to_host(layer["W"]) + to_host(layer["b"])
        h = np.tanh(h) if k < len(layers) - 1 else h
    assert float(problem.loss(theta)) == pytest.approx(0.5 * ((h - y)**2).sum() / len(y), rel=1e-12)


def test_a_way_by_hand(problem):
    """The path's length counts every step, not only those that are kept."""
    rng = np.random.default_rng(1)
    start, batches = problem.start(rng), runs.draw_batches(problem, rng, 3 * runs.KEEP)
    way = runs.follow(problem, SGD(0.05, momentum=0.9), start, batches)
    theta, v, length = to_host(start), 0.0, 0.0
    for batch in batches:
        v = 0.9 * v + to_host(Objective(problem, batch).value_and_grad(xp.asarray(theta))[1])
        theta, length = theta - 0.05 * v, length + 0.05 * np.linalg.norm(v)
    np.testing.assert_allclose(to_host(way.points[-1]), theta, rtol=1e-9)
    assert way.lengths[-1] == pytest.approx(length, rel=1e-9) and len(way.losses) == 4
    assert way.losses[-1] == pytest.approx(float(problem.loss(way.points[-1])), rel=1e-12)


def test_runs_side_by_side_are_those_one_by_one(problem):
    rng = np.random.default_rng(2)
    start, batches = problem.start(rng), runs.draw_batches(problem, rng, runs.KEEP)
    rates = xp.asarray([0.01, 0.05])
    both = runs.follow(problem, SGD(rates[:, None], momentum=0.9), xp.tile(start, (2, 1)), batches)
    one = runs.follow(problem, SGD(0.05, momentum=0.9), start, batches)
    np.testing.assert_allclose(both.losses[:, 1], one.losses, rtol=1e-9)
    np.testing.assert_allclose(both.lengths[-1, 1], one.lengths[-1], rtol=1e-9)


def test_matched_takes_the_loss_of_the_one_that_ends_higher():
    ways = {"a": runs.Way(None, np.array([1.0, 0.5, 0.2, 0.01]), None),
            "b": runs.Way(None, np.array([1.0, 0.9, 0.6, 0.21]), None),
            "c": runs.Way(None, np.array([1.0, 0.22, np.nan, np.inf]), None)}
    assert runs.matched(ways) == {"a": 2, "b": 3, "c": 1}


@pytest.mark.slow
def test_lanczos_agrees_with_the_dense_matrix(problem):
    """On P^-1/2 H P^-1/2 of the demo's network, to 1e-10, in the middle of a run."""
    edge = runs.to_the_edge(problem, Adam(0.01), 100, 50, np.random.default_rng(3))
    assert runs.against_dense(problem, edge, np.random.default_rng(4)) <= 1e-10
    assert edge.share.shape == (2,) and np.all((0 < edge.share) & (edge.share < 1))


def test_descent_is_measured_by_lambda_max_itself(problem):
    edge = runs.to_the_edge(problem, SGD(0.3), 100, 50, np.random.default_rng(3))
    np.testing.assert_allclose(edge.share, edge.raw * 0.3 / 2)


def edge_of(share, raw):
    return runs.Edge(np.arange(9), np.ones(9), np.asarray(raw, float), np.asarray(share, float),
                     None, None)


def test_arrival_and_advance():
    found = edge_of([0.2, 0.5, 0.99, 1.1, 1, 1, 1, 1.03, 0.97], [1, 2, 4, 5, 5, 5, 6, 6, 6])
    assert runs.settled(found) == pytest.approx(1.0) and runs.advance(found) == pytest.approx(1.5)
    assert np.isnan(runs.advance(edge_of([0.2] * 9, [1] * 9)))


# ---------------------------------------------------------------------- verdicts

@pytest.mark.parametrize("at, rise, spread, expected", [
    (1.0, 1.3, 0.01, ["holds"] * 7), (0.6, 0.7, 0.01, ["fails"] * 7),
    (1.0, 1.0, 0.2, ["undecided"] * 7)])
def test_the_edges(verdicts, at, rise, spread, expected):
    def found(x):
        share = [0.5, 1.0, 1.0, 1.0, 1.0, 1.0, *[at + spread * x] * 3]
        return edge_of(share, [1.0, *[2.0] * 5, *[2.0 * rise * np.exp(spread * x)] * 3])

    edges = {name: [found(x) for x in SPREAD] for name in adam_and_sgd.EDGES}
    assert verdicts(adam_and_sgd.claim_edges, edges) == expected


def an_end(sharpness, distance, length, error):
    return runs.End(0.05, 100, length, distance, error, sharpness, np.array([sharpness]))


@pytest.mark.parametrize("adam, quarter, spread, expected", [
    ((2.0, 2.0, 0.5, 0.2), 1.5, 0.02, ["holds"] * 7),
    ((0.5, 0.5, 2.0, 0.05), 0.8, 0.02, ["fails"] * 7),
    ((1.0, 1.0, 1.0, 0.1), 1.0, 0.5, ["undecided"] * 7)])
def test_the_ends(verdicts, adam, quarter, spread, expected):
    """SGD is (1, 1, 1, .1) in sharpness, distance, length and error, up to a spread."""
    ends = []
    for k, x in enumerate(SPREAD):
        up = np.exp(spread * x)
        ends.append({"Adam": an_end(*(value * up for value in adam)),
                     "SGD": an_end(1.0, 1.0, 1.0, 0.1),
                     adam_and_sgd.QUARTER: an_end(quarter * np.exp(spread * SPREAD[k - 1]), 1.0,
                                                  1.0, 0.1)})
    assert verdicts(adam_and_sgd.claim_ends, ends) == expected


@pytest.mark.slow
def test_adam_and_sgd(tmp_path, capsys):
    record = quick("adam_and_sgd", tmp_path)
    assert len(record["claims"]) == 15
    assert [c["verdict"] for c in record["claims"] if c["asked"]] == ["holds"]   # Lanczos, dense
    assert "settles/edge" in capsys.readouterr().out
    assert (tmp_path / "adam_and_sgd.png").stat().st_size > 50_000
