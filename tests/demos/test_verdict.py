"""The three words, worked out from an interval and a bar; and what a claim must say of itself."""
import math

import pytest

from demos.report.verdict import complete, verdict


@pytest.mark.parametrize("low, high, criterion, expected", [
    (55, 55, {"equals": 55}, "holds"), (56, 56, {"equals": 55}, "fails"),
    (0, 0, {"equals": 0}, "holds"),
    (3.4, 3.6, {"equivalent": (3.5, 0.2)}, "holds"),
    (3.3, 3.7, {"equivalent": (3.5, 0.2)}, "holds"),
    (3.2, 3.6, {"equivalent": (3.5, 0.2)}, "undecided"),
    (-math.inf, math.inf, {"equivalent": (3.5, 0.2)}, "undecided"),
    (3.8, 3.9, {"equivalent": (3.5, 0.2)}, "fails"),
    (3.0, 3.2, {"equivalent": (3.5, 0.2)}, "fails"),
    (0.95, 0.99, {"at_least": 0.95}, "holds"), (0.94, 0.99, {"at_least": 0.95}, "undecided"),
    (0.90, 0.94, {"at_least": 0.95}, "fails"), (1, 2, {"at_most": 2}, "holds"),
    (1, 3, {"at_most": 2}, "undecided"), (2.1, 3, {"at_most": 2}, "fails"),
    (0, 1, {"above": 0}, "undecided"), (0.1, 1, {"above": 0}, "holds"),
    (-1, 0, {"above": 0}, "fails"), (0, 0, {"above": 0}, "fails"),
    (-1, 0, {"below": 0}, "undecided"), (-1, -0.1, {"below": 0}, "holds"),
    (0, 1, {"below": 0}, "fails"),
    (1, 2, {"between": (0, 3)}, "holds"), (1, 4, {"between": (0, 3)}, "undecided"),
    (4, 5, {"between": (0, 3)}, "fails"), (-2, -1, {"between": (0, 3)}, "fails"),
    (0.04, 0.04, {"rejects": 0.05}, "holds"), (0.06, 0.06, {"rejects": 0.05}, "undecided"),
    (0.04, 0.04, {"survives": 0.05}, "fails"), (0.9, 0.9, {"survives": 0.05}, "undecided"),
    (math.nan, math.nan, {"equals": 1}, "undecided"), (math.nan, 1, {"at_most": 2}, "undecided"),
    (1, math.inf, {"at_least": 1}, "holds"),
])
def test_verdict(low, high, criterion, expected):
    assert verdict(low, high, **criterion) == expected


def test_verdict_refuses_unclear_claims():
    with pytest.raises(ValueError, match="claim: give exactly one of equals, .*at_least.* got 0"):
        verdict(1, 2)
    with pytest.raises(ValueError, match="got 2"):
        verdict(1, 2, at_least=0, at_most=3)
    with pytest.raises(ValueError, match="range of the measurement is empty, low=3 > high=2"):
        verdict(3, 2, at_least=0)
    with pytest.raises(ValueError, match=r"`equals` is for exact numbers, got the range \[1, 2\]"):
        verdict(1, 2, equals=1)


@pytest.mark.parametrize("criterion", [{"equivalent": (0.0, 1.0)}, {"at_least": -1}, {"above": -1},
                                       {"between": (-1, 1)}, {"at_most": 1}, {"below": 1}])
def test_a_wider_interval_never_makes_a_claim_hold(criterion):
    widths = [0.0, 0.5, 0.99, 1.01, 2.0, math.inf]
    verdicts = [verdict(-w, w, **criterion) for w in widths]
    assert verdicts == ["holds"] * 3 + ["undecided"] * 3


@pytest.mark.parametrize("change, sentence", [
    (dict(origin=None), "origin must be one of paper, code, ours, got None"),
    (dict(origin="paper", where=None), "a published number needs `where` it stands"),
    (dict(published=None, where=None), "`where` is missing. Say in which table"),
    (dict(how=""), "`how` is missing. Say how the interval was made"),
    (dict(origin="ours"), "what is published is no claim of ours"),
    (dict(criterion={"at_most": 4}), "`why` is missing. Say why the bar"),
    (dict(criterion={"equivalent": (5, 1)}), "`why` is missing"),
    (dict(criterion={"between": (4, 6)}), "`why` is missing")])
def test_a_claim_says_where_it_comes_from(change, sentence):
    said = dict(origin="paper", where="table 2", how="95 % t, n = 8", why=None, published=5,
                criterion={"at_most": 5})
    complete(**said)
    with pytest.raises(ValueError, match=sentence):
        complete(**{**said, **change})


@pytest.mark.parametrize("criterion", [{"above": 0}, {"at_least": 1}, {"equals": 40},
                                       {"rejects": 0.05}, {"survives": 0.05}])
def test_a_sign_parity_a_count_and_a_level_need_no_reason(criterion):
    complete("ours", "this network", "exact", None, None, criterion)
