"""The demo of norm layers: three kinds of network at one point, its measures, its verdicts."""
import json
from types import SimpleNamespace

import numpy as np
import pytest

import minigrad as mg
from demos.__main__ import main
from demos.landscape.training import norm_layers
from demos.landscape.training.norm_layers import kinds, measures
from minigrad.backend import float_of, to_host, xp
from optim import Objective
from problems.landscape.curvature.sharpness import top_curvature

SPREAD = np.array([-0.3, 0.1, 0.4, -0.2, 0.0])          # five runs, in units of their spread


@pytest.fixture(scope="module", params=kinds.FAMILIES)
def case(request):
    return kinds.FAMILIES[request.param](0, 0)


def test_frozen_norms_are_the_same_function_at_the_start_and_another_landscape(case):
    norm, frozen = case.problems["norm"], case.problems["frozen"]
    assert norm.layout.size == frozen.layout.size == case.problems["none"].layout.size
    assert float_of(norm.loss(case.start)) == pytest.approx(float_of(frozen.loss(case.start)),
                                                            rel=1e-12)
    g, other = (to_host(Objective(p).value_and_grad(case.start)[1]) for p in (norm, frozen))
    assert np.linalg.norm(g - other) > 0.1 * np.linalg.norm(g)
    step = xp.asarray(0.05 * np.random.default_rng(1).standard_normal(case.start.shape))
    assert float_of(norm.loss(case.start + step)) != pytest.approx(
        float_of(frozen.loss(case.start + step)), rel=1e-3)


def test_a_norm_forgets_the_scale_of_its_input_and_the_others_do_not(case):
    """Twice the weights before a norm: the same height with it, another without."""
    def moved(problem):
        params = problem.params(case.start)
        name = "E" if "E" in params else "stem"
        tree = {**params, name: params["E"] * 2.0} if name == "E" else {
            **params, "stem": {**params["stem"], "conv": {
                key: value * 2.0 for key, value in params["stem"]["conv"].items()}}}
        if name == "E":
            tree["P"] = params["P"] * 2.0
        return abs(float_of(problem.loss(problem.layout.ravel(tree)))
                   / float_of(problem.loss(case.start)) - 1)

    change = {kind: moved(problem) for kind, problem in case.problems.items()}
    assert change["none"] > 1e-3 and change["frozen"] > 1e-3
    if "stem" in case.problems["norm"].params(case.start):              # eps is all that is left
        assert change["norm"] < 1e-4


def test_without_norms_gain_and_shift_are_all_that_is_left():
    model = kinds.FixedTransformer(5, layers=1, width=4, heads=1, context=3)
    layer = {"gain": xp.asarray([1.0, 2.0, 3.0, 4.0]), "shift": xp.asarray([0.0, 1.0, 0.0, 1.0])}
    h = xp.asarray(np.arange(8.0).reshape(2, 4))
    np.testing.assert_allclose(to_host(model.normed(h, layer, "norm")),
                               [[0, 3, 6, 13], [4, 11, 18, 29]])
    model.fixed = {"norm": (xp.asarray([[1.0], [2.0]]), xp.asarray([[2.0], [0.5]]))}
    np.testing.assert_allclose(to_host(model.normed(h, layer, "norm")),
                               [[-2, 1, 6, 17], [1, 4, 6, 11]])


def test_the_loss_of_the_best_constant():
    assert kinds.entropy(np.array([3, 3, 7, 7])) == pytest.approx(np.log(2))
    assert kinds.entropy(np.array([[1, 1], [1, 2]])) == pytest.approx(
        0.75 * np.log(4 / 3) + 0.25 * np.log(4))


# ---------------------------------------------------------------------- measures

class Bowl:
    """x²/2 in one dimension, as a case: λ = 1, and 2 is the largest stable rate."""

    def __new__(cls, constant):
        def half_square(x):
            return 0.5 * (x * x)[..., 0]
        return kinds.Case({"norm": half_square, "none": half_square}, xp.ones(1), constant)


def test_a_slow_run_is_stable_and_nothing_counts_after_a_failure():
    rates = np.array([1e-4, 1.0, 1.9, 2.1, 1.0])
    assert measures.works(Bowl(1e-9), "norm", rates).tolist() == [True, True, True, False, False]


def test_a_rise_is_forgiven_to_those_that_learn(monkeypatch):
    monkeypatch.setattr(measures, "STEPS", 10)          # rate 2.1: from .5 up to 2.4
    assert measures.works(Bowl(10.0), "norm", np.array([2.1])).tolist() == [True]
    assert measures.works(Bowl(2.0), "norm", np.array([2.1])).tolist() == [False]
    assert measures.works(Bowl(10.0), "norm", np.array([1e300])).tolist() == [False]


def test_a_fall_and_then_a_rise_is_not_stable():
    """√(1 + x²) from 3 with rate 3: to .15 at once, then up into a cycle of height 1.5."""
    def height(x):
        return mg.sqrt(1.0 + x[..., 0] * x[..., 0])
    case = kinds.Case({"norm": height}, xp.full(1, 3.0), 1.0)
    assert measures.works(case, "norm", np.array([0.5, 3.0])).tolist() == [True, False]


def test_slow_descent_halves_a_bowl_every_step():
    """λ = 1, so the rate is 1/2 and the loss falls by a factor of 4."""
    way = measures.slow_descent(Bowl(1.0).problems["norm"], xp.ones(1), np.random.default_rng(0))
    assert way.steps.tolist() == list(range(0, 161, 20)) and len(way.points) == 161
    np.testing.assert_allclose(way.losses, 0.5 * 0.25 ** np.arange(161), rtol=1e-9)
    np.testing.assert_allclose(way.lam, 1.0, rtol=1e-9)


def test_matched_loss_is_the_higher_least_one_and_measured_there(case):
    rng = np.random.default_rng(0)
    points = [case.start, 0.9 * case.start, 0.8 * case.start]
    ways = {"norm": measures.Way(None, None, points, np.array([3.0, 2.0, 1.0])),
            "none": measures.Way(None, None, points, np.array([4.0, 2.5, 2.5]))}
    level, norm, none = measures.at_matched_loss(case, ways, "none", rng)
    assert level == 2.5
    for kind, value in (("norm", norm), ("none", none)):
        first, there, last = (top_curvature(case.problems[kind], point, rng, 20).value
                              for point in points)
        assert value == pytest.approx(there, rel=1e-3)
        assert abs(first / there - 1) > 0.01 and abs(last / there - 1) > 0.01


# ---------------------------------------------------------------------- verdicts

@pytest.mark.parametrize("lam, rate, spread, expected", [
    ((1.0, 5.0, 5.0), (100.0, 1.0, 1.0), 0.1, ["holds"] * 7),
    ((5.0, 1.0, 1.0), (0.1, 1.0, 1.0), 0.1, ["fails"] * 7),
    ((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), 1.0, ["undecided"] * 7)])
def test_the_verdicts(verdicts, lam, rate, spread, expected):
    cases = []
    for x in spread * SPREAD:
        stretch = dict(zip(measures.KINDS, np.exp([x, -x, -x])))
        start = {kind: value * stretch[kind] for kind, value in zip(measures.KINDS, lam)}
        cases.append(SimpleNamespace(
            start=start, matched={kind: (1.0, start["norm"], start[kind])
                                  for kind in measures.KINDS[1:]},
            rate={kind: value * stretch[kind] for kind, value in zip(measures.KINDS, rate)}))
    for family in kinds.FAMILIES:
        assert verdicts(norm_layers.claim_norms, family, cases) == expected


@pytest.mark.slow
def test_the_smallest_run(tmp_path, capsys):
    assert main(["norm_layers", "--quick", "--out", str(tmp_path)]) == 0
    record = json.loads((tmp_path / "norm_layers.json").read_text())
    assert len(record["claims"]) == 14 and not any(c["asked"] for c in record["claims"])
    assert "stable rate" in capsys.readouterr().out
    assert (tmp_path / "norm_layers.png").stat().st_size > 50_000
