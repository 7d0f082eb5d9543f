"""The convex twin: its measures against answers by hand, its verdicts fed tables that must hold,
fail and stay open, and its smallest run."""
from types import SimpleNamespace

import numpy as np
import pytest

from demos.landscape.training import convex_twin
from demos.landscape.training.convex_twin import twins
from minigrad.backend import to_host, xp
from optim import Objective
from problems.landscape.critical import KKT
from tests.demos.test_sharpness_demos import quick

SPREAD = np.array([-0.3, 0.1, 0.4, -0.2, 0.0])          # five data sets, in units of their spread


@pytest.fixture(scope="module")
def landscapes():
    return twins.landscapes(3)


def test_the_twin_by_hand(landscapes):
    """Height and gradient of softmax regression with a ridge, written out."""
    twin, _, _, data = landscapes
    theta = twin.start(np.random.default_rng(0))
    x, y = (to_host(a) for a in data.train)
    W, b = (to_host(twin.params(theta)["layers"][0][name]) for name in "Wb")
    z = x @ W + b
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    height = -np.log(p[np.arange(len(y)), y]).mean() + 0.5 * twins.RIDGE * (
        np.sum(W * W) + np.sum(b * b))
    assert float(twin.loss(theta)) == pytest.approx(height, rel=1e-12)
    slope = twin.params(Objective(twin).value_and_grad(theta)[1])["layers"][0]["W"]
    error = p - np.eye(5)[y]
    np.testing.assert_allclose(to_host(slope), x.T @ error / len(x) + twins.RIDGE * W, atol=1e-13)


def test_the_saddle_by_hand(landscapes):
    """Curvatures ρ ± s_j(M) for each hidden unit: the index is that of the formula."""
    _, network, _, data = landscapes
    point = twins.saddle(network)
    assert point.converged and np.all(to_host(point.theta)[:-5] == 0)
    x, y = (to_host(a) for a in data.train)
    b = to_host(point.theta)[-5:]
    p = np.exp(b) / np.exp(b).sum()
    s = np.linalg.svd(to_host(twins.augmented(xp.asarray(x))).T @ (p - np.eye(5)[y]) / len(x))[1]
    below = sorted(twins.RIDGE - v for v in s if v > twins.RIDGE for _ in range(twins.HIDDEN))
    assert point.index == len(below)
    np.testing.assert_allclose(point.eig[:len(below)], below, atol=1e-12)


def test_squares_are_half_the_mean_over_examples(landscapes):
    squares = landscapes[2]
    x, y = (to_host(a) for a in squares.data)
    V = np.random.default_rng(1).standard_normal((11, 5))
    assert float(squares.loss(xp.asarray(V.ravel()))) == pytest.approx(
        0.5 * np.sum((x @ V - y)**2) / len(x), rel=1e-12)


def test_a_wrong_multiplier_shows(landscapes):
    """One part in a million off leaves more than the bar of 1e-8 allows."""
    wall = twins.walled(landscapes[2], 0.5)
    assert wall.active and wall.kkt.worst < 1e-13
    assert 1e-6 * wall.multiplier * np.linalg.norm(wall.theta) > 1e-8


def test_least_squares_has_one_rate(landscapes):
    rates, top = twins.one_rate(landscapes[2], np.random.default_rng(2), 100)
    Hessian = to_host(Objective(landscapes[2]).hessian(xp.zeros(55)))
    assert np.linalg.eigvalsh(Hessian)[-1] == pytest.approx(top, rel=1e-10)
    assert rates["below"][-1] < rates["below"][0] and rates["above"][-1] > rates["above"][0]


# ---------------------------------------------------------------------- verdicts

def a_set(way, gain, sign, height, index):
    """One data set whose network curves by `sign`, ends at `height` ratios, and so on."""
    ways = {"network": SimpleNamespace(lowest=np.array([[sign, 1.0]]),
                                       final=np.array([1.0, height]),
                                       highest=np.array([[1.0, way]])),
            "twin": SimpleNamespace(lowest=np.array([[0.001]]))}
    return dict(ways=ways, accuracy=(0.8, 0.8 + gain),
                saddle=SimpleNamespace(index=index, converged=True))


@pytest.mark.parametrize("table, spread, expected", [
    ((3.0, 0.1, -1.0, 1.1, 32), 0.05, ["holds"] * 6),
    ((1.2, -0.1, 1.0, 1.001, 0), 0.001, ["fails", "holds", "fails", "fails", "fails", "fails"]),
    ((2.1, 0.01, -0.1, 1.02, 3), 1.0, ["undecided", "holds", "undecided", "holds", "undecided",
                                       "undecided"])])
def test_the_network(verdicts, table, spread, expected):
    way, gain, sign, height, index = table
    found = [a_set(way * np.exp(spread * x), gain + 0.1 * spread * x, sign + spread * x,
                   1 + (height - 1) * np.exp(3 * spread * x), index) for x in SPREAD]
    assert verdicts(convex_twin.claim_network, found, "n = 5") == expected


@pytest.mark.parametrize("curvature, apart, expected", [
    ((1.0, 0.7), 1e-14, ["holds"] * 3), ((-3.0, 1.1), 0.1, ["fails"] * 3)])
def test_the_twin(verdicts, curvature, apart, expected):
    found = [dict(places=9, curvature=curvature, apart=apart)]
    assert verdicts(convex_twin.claim_twin, found, "n = 1") == expected


@pytest.mark.parametrize("below, above, without, expected", [
    (0.98, 1.02, 0.5, ["holds"] * 4), (1.01, 0.99, 2.0, ["fails"] * 4)])
def test_the_rate(verdicts, below, above, without, expected):
    rates = {name: growth ** (2.0 * np.arange(5)) for name, growth in
             (("below", below), ("above", above), ("without", without))}
    assert verdicts(convex_twin.claim_rate, [dict(rates=rates)]) == expected


@pytest.mark.parametrize("residual, active, expected", [
    (1e-15, True, ["holds"] * 4), (1e-3, False, ["fails", "fails", "fails", "fails"])])
def test_the_walls(verdicts, residual, active, expected):
    def wall(share, active):
        return twins.Walled(share, active, 0.9, KKT(residual, 0, 0, 0), residual,
                            0.9 + residual, None, None)

    walls = {"touched": wall(0.5, active), "not touched": wall(2.0, not active)}
    assert verdicts(convex_twin.claim_walls, [dict(walls=walls)]) == expected


@pytest.mark.slow
def test_convex_twin(tmp_path, capsys):
    record = quick("convex_twin", tmp_path)
    assert {c["verdict"] for c in record["claims"] if c["asked"]} == {"holds"}
    assert "multiplier" in capsys.readouterr().out
    assert (tmp_path / "convex_twin.png").stat().st_size > 50_000
