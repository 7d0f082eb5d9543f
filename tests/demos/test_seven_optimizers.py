"""The page that the network demos share: published settings, curves, and what a run is in truth."""
import numpy as np
import pytest

import optim
from demos.induced_metric.random_search import OWN, SHARED, draw
from demos.induced_metric.seven_optimizers import (NAMES, PUBLISHED, build, claim_spread, curve,
                                                   factor, effective_method, mean_and_std)
from demos.report.verdict import verdict
from minigrad import Layout
from minigrad.backend import xp
from optim.training.run import Run

LAYOUT = Layout({"W": xp.zeros((4, 3)), "E": xp.zeros((5, 4)), "K": xp.zeros((2, 3, 3, 3)),
                 "b": xp.zeros(3)})


@pytest.mark.parametrize("task", ["regression", "mnist", "cifar", "shakespeare"])
def test_every_published_configuration_builds(task):
    assert set(PUBLISHED[task]["configurations"]) == set(PUBLISHED[task]["results"]) == set(NAMES)
    for name in NAMES:
        optimizer = build(task, name, LAYOUT)
        for key, value in PUBLISHED[task]["configurations"][name].items():
            inner = name == "Muon" and key in ("beta1", "beta2")
            holder = optimizer.fallback if inner else optimizer
            assert getattr(holder, key) == value, (task, name, key)


def test_rate_and_damping_change_lr_and_xi_only():
    before = build("shakespeare", "rms", LAYOUT)
    after = build("shakespeare", "rms", LAYOUT, 0.5, 7.0)
    assert after.lr == 0.5 * before.lr and after.xi == 7.0 * before.xi and after.beta == before.beta


def test_muon_orthogonalises_arrays_with_exactly_two_axes():
    muon = build("cifar", "Muon", LAYOUT)
    assert isinstance(muon.fallback, optim.NAdam) and muon.fallback.lr == muon.lr
    taken = [part.where for part in muon.matrices]
    assert taken == [slice(LAYOUT[name].start, LAYOUT[name].stop) for name in ("W", "E")]


def history(rows=None):
    shape = (6,) if rows is None else (6, rows)
    ramp = np.arange(6.0).reshape(6, *[1] * (len(shape) - 1)) + np.zeros(shape)
    return dict(loss=list(ramp), delta=list(10 * ramp), s=list(1 - 0.001 * ramp), epochs=[3, 6],
                evaluated=[3, 6], seconds=[0.1, 0.2], score=list(ramp[[2, 5]]))


def test_a_curve_has_one_entry_an_evaluation():
    for row in (None, 1):
        found = curve(Run(None, {}, history=history(None if row is None else 2)), row)
        assert found["at"] == [3, 6] and found["score"] == [2.0, 5.0]
        assert found["train"] == [1.0, 4.0]
        assert found["seconds"] == ([0.1, 0.2] if row is None else [0.05, 0.1])
        assert found["delta"] == [10.0, 40.0]
        np.testing.assert_allclose(found["s"], [[0.998, 0.999, 1.0], [0.995, 0.996, 0.997]])


def test_what_a_run_is_in_truth():
    def runs(*factors):
        return [{"s": [[f, f, f] for f in factors]}]

    assert effective_method("plain", runs(1.0, 0.995)) == "SGD"
    assert effective_method("rms", runs(*[0.9] + [0.999] * 9)) == "AdamW after 1 of 10"
    assert effective_method("rms", runs(0.9, 0.9)) == "metric acts"
    assert effective_method("log", runs(1.0, 1.0)) == "metric acts"       # its s is no factor near 1
    assert effective_method("Adam", [{}]) is None and factor([{}]) is None
    assert factor(runs(0.5, 0.75)) == "0.5 .. 0.75"


def test_mean_and_std():
    assert mean_and_std([1.0, 3.0]) == (2.0, pytest.approx(2.0**0.5))
    assert mean_and_std([5.0]) == (5.0, 0.0)


class Claims:
    class args:
        seed = 0

    def claim(self, text, measured, **criterion):
        self.p = measured
        self.verdict = verdict(measured, measured, rejects=criterion["rejects"])


def test_the_permutation_test_tells_a_difference_from_none():
    rng, report = np.random.default_rng(0), Claims()
    same = rng.standard_normal((7, 5)) + 10 * np.arange(5)      # seeds differ, optimizers do not
    claim_spread(report, "x", list(same))
    assert report.p > 0.05 and report.verdict == "undecided"
    claim_spread(report, "x", list(same + np.arange(7)[:, None]))
    assert report.p < 0.01 and report.verdict == "holds"
    claim_spread(report, "x", list(same[:, :3] + 9 * np.arange(7)[:, None]))
    assert report.verdict == "undecided"                        # three seeds decide nothing


def test_random_configurations_lie_in_the_published_ranges():
    for name in NAMES:
        drawn = draw(np.random.default_rng(0), name, 400)
        keys = set(PUBLISHED["regression"]["configurations"][name])
        assert set(drawn) == keys                   # every published argument is searched
        for key, values in drawn.items():
            low, high = OWN.get(name, {}).get(key, SHARED[key])
            assert low <= values.min() and values.max() <= high
            assert low <= PUBLISHED["regression"]["configurations"][name][key] <= high
        assert 0.3 < (drawn["lr"] < 1e-3).mean() < 0.5          # log-uniform: 2 of 5 decades
