"""The demos of the alpha-beta condition, and four of the induced metric, in their smallest form."""
import json

import numpy as np
import pytest

from demos.__main__ import main
from demos.alpha_beta import embeddings
from demos.alpha_beta.runs import Setting, measure, network, noisy_clusters, together
from problems.landscape.conditions import Envelope
from tests.demos.quick_runs import quick_run

QUICK = {"conditions": (15, "conditions_surfaces"), "half_space": (5, "half_space"),
         "width_sweep": (4, "width_sweep"), "batch_sweep": (3, "batch_sweep"),
         "depth_sweep": (2, "depth_sweep"), "guarantees": (4, "guarantees"),
         "embeddings": (7, "embeddings"), "arrows": (6, "arrows"),
         "conditions_networks": (5, "conditions_networks"), "cost": (4, "cost"),
         "decay": (6, "decay"), "clipping": (5, "clipping"), "ranks": (3, "ranks")}
MUST_HOLD = {"conditions": 14, "half_space": 4, "width_sweep": 4, "batch_sweep": 1,
             "depth_sweep": 0, "guarantees": 4, "embeddings": 5, "arrows": 0,
             "conditions_networks": 2, "cost": 3, "decay": 6, "clipping": 1, "ranks": 0}


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_quick(name, tmp_path):
    claims, figure = QUICK[name]
    record, folder = quick_run(name, tmp_path)
    assert len(record["claims"]) == claims
    assert sum(claim["verdict"] == "holds" for claim in record["claims"]) >= MUST_HOLD[name]
    assert (folder / f"{figure}.png").stat().st_size > 20_000


@pytest.mark.slow
def test_guarantees_are_not_broken(tmp_path):
    """The bounds in closed form and in expectation, over seven methods and two problems."""
    assert main(["guarantees", "--quick", "--no-plot", "--out", str(tmp_path)]) == 0
    claims = json.loads((tmp_path / "guarantees.json").read_text())["claims"]
    assert [c["verdict"] for c in claims] == ["holds"] * 4
    rows = json.loads((tmp_path / "guarantees.json").read_text())["data"]["rows"]
    assert len({(row[0], row[1]) for row in rows}) == 14 and all(row[-1] < 1 for row in rows)


def test_closed_form_of_sgd():
    """γ = .1: .69779179 and .02631579 before steps 10 and 100; .3: .08823529; .5: .16666667."""
    for gamma, K, value in ((.1, 10, .69779179), (.1, 100, .02631579), (.3, 100, .08823529),
                            (.5, 100, .16666667)):
        square, best = 9.0, np.inf
        for _ in range(K):
            best = min(best, 0.5 * square)
            square = (1 - gamma)**2 * square + gamma**2
        assert min(best, np.inf) == pytest.approx(value, abs=1e-8)


def test_data_and_starts_are_those_described():
    x, y = noisy_clusters()
    assert x.shape == (1000, 20) and set(y) == set(range(10))
    rng = np.random.default_rng(0)
    rng.normal(size=(10, 20))
    clean = rng.integers(0, 10, 1000)
    assert 0.05 < np.mean(clean != y) < 0.13            # a tenth redrawn, some to what they were
    net = network(Setting(width=4))
    W = net.params(net.start(np.random.default_rng(1000)))["layers"][0]["W"]
    assert abs(W).max() <= 20**-0.5


def test_together_is_the_joint_envelope():
    settings = [Setting(width=4, epochs=2, seed=k) for k in range(2)]
    runs = [measure(s) for s in settings]
    both = together(runs)
    assert both["alpha"] == max(both["each"]) and len(both["each"]) == 2
    e = Envelope.joined([Envelope(r["G"], r["F"], r["E"]) for r in runs])
    assert e.min_T(both["alpha"], both["beta"]) >= -1e-12


def test_a_level_ends_a_run_at_its_epoch():
    free = measure(Setting(width=8, epochs=12))
    level = free["final"] * 1.02
    stopped = measure(Setting(width=8, epochs=12, level=level))
    assert stopped["epochs"] <= 12 and stopped["final"] <= level
    before = measure(Setting(width=8, epochs=stopped["epochs"] - 1))
    assert before["final"] > level


def test_a_height_of_exactly_zero_ends_no_run():
    """Beside a minimum rounding gives a height of 0 with a gradient: √L and log L end there."""
    def flat(theta):                                        # 0 at the start, its slope is not
        return theta[..., 0] + 0.0 * theta[..., 1]
    for q, descend in embeddings.DRAWN:
        ends = embeddings.losses(flat, q, descend, np.zeros((1, 2)), np.array([1e-3]), 1, 0.0)
        assert ends.shape == (1, 1) and np.isfinite(ends).all()
