"""The diagnostics: rows that leave each other alone, judgements, closed forms by other means."""
import json
import math

import numpy as np
import pytest

from demos.__main__ import main
from demos.induced_metric.diagnostics import landscapes, methods, radius
from demos.induced_metric.diagnostics.landscapes import NAMES, ROWS, judge, moments, starts
from demos.induced_metric.diagnostics.predictions import FORMS, PLATEAU, predict
from minigrad.backend import to_host, xp
from optim import SGD, Objective, descent


@pytest.mark.slow
def test_quick_run(tmp_path):
    assert main(["diagnostics", "--quick", "--why", "log", "--out", str(tmp_path)]) == 0
    record = json.loads((tmp_path / "diagnostics.json").read_text())
    assert len(record["data"]["passed"]) == 8
    assert all(set(cells) == set(NAMES) for cells in record["data"]["passed"].values())
    assert (tmp_path / "diagnostics.png").stat().st_size > 20_000


def test_an_unknown_optimizer_is_named(tmp_path, capsys):
    assert main(["diagnostics", "--why", "Adm", "--out", str(tmp_path)]) == 1
    assert "--why 'Adm' is none of SGD" in capsys.readouterr().err


def test_a_row_alone_walks_as_it_does_in_the_batch():
    batch = [to_host(theta) for _, theta, _, _ in descent(
        SGD(0.01), moments(0, steps=20), xp.asarray(starts()))]
    for name in ("saddle", "plateau", "kink", "turned", "condition", "drift", "noise"):
        row = ROWS.index(name)
        alone = [to_host(theta) for _, theta, _, _ in descent(
            SGD(0.01), moments(0, row, steps=20), xp.asarray(starts()[row]))]
        assert np.allclose(np.array(batch)[:, row], alone, rtol=1e-12, atol=1e-300), name


def test_heights_and_slopes_of_the_batch():
    first = next(moments(0))
    f, g = (to_host(a) for a in Objective(first).value_and_grad(xp.asarray(starts())))
    at = {name: k for k, name in enumerate(ROWS)}
    assert f[at["saddle"]] == pytest.approx(0.75) and f[at["kink"]] == pytest.approx(1.8)
    assert f[at["plateau"]] == pytest.approx(1 - math.exp(-8))
    assert f[at["ravine"]] == pytest.approx(1.0) and f[at["condition"]] == pytest.approx(0.5000005)
    assert f[at["turned"]] == pytest.approx(f[at["plain"]], rel=1e-14) == 5.5
    assert np.allclose(landscapes.ROTATION @ g[at["plain"]], g[at["turned"]], rtol=1e-13)
    assert g[at["zero"]].tolist() == [0.0, 0.0] and f[at["large"]] == 1e8


def test_one_nan_stays_in_its_row():
    *_, (_, theta, _, _) = descent(SGD(1e-9), moments(0, steps=102), xp.asarray(starts()))
    spoilt = np.isnan(to_host(theta)).any(axis=1)
    assert spoilt[ROWS.index("NaN")] and spoilt.sum() == 1


def test_judgements_of_paths_made_by_hand():
    T = landscapes.STEPS
    path = np.repeat(starts()[None], T + 1, axis=0)
    drift = ROWS.index("drift")
    stays = judge(path)
    assert [name for name in NAMES if stays[name]] == ["scale", "rotation", "zero"]
    path[1:] = 0.0
    path[1:, ROWS.index("saddle"), 1] = 1.0
    path[:, drift, 0] = 0.05 * np.arange(T + 1)
    assert all(judge(path).values())
    path[:, drift, 0] -= 0.31
    path[:, ROWS.index("zero")] = np.nan
    late = judge(path)
    assert not late["drift"] and not late["zero"] and late["kink"]


def test_the_plateau_s_number_is_the_integral_it_stands_for():
    u = np.linspace(0.5, 8.0, 200_001)
    integral = np.trapezoid(np.exp(u) / u, u) if hasattr(np, "trapezoid") else np.trapz(
        np.exp(u) / u, u)
    assert integral == pytest.approx(PLATEAU, abs=0.1)


def test_predictions_know_the_update_rules():
    by_name = {m.name: m for m in methods.METHODS}
    assert set(FORMS) == set(NAMES) and len(by_name) == 23
    assert not predict("ravine", by_name["SGD"])[0] and predict("ravine", by_name["plain"])[0]
    assert predict("ravine", by_name["SGD"]._replace(lr=0.019))[0]          # 2/100 is the edge
    assert predict("plateau", by_name["SGD"]._replace(lr=0.3))[0]
    assert not predict("noise", by_name["SGD"]._replace(lr=0.4))[0]
    assert predict("drift", by_name["SGD"]._replace(lr=0.2))[0]
    assert by_name["SGD, momentum"].limit == pytest.approx(3.8)
    assert by_name["plain"].limit == pytest.approx(38.0)


def test_sam_leaves_a_saddle_from_beyond_rho_only(verdicts):
    assert verdicts(radius) == ["holds"]
    assert verdicts(radius, steps=5) == ["fails"]       # too few steps to leave from there


def test_a_method_that_refuses_has_not_arrived():
    lbfgs = next(m for m in methods.METHODS if m.name == "LBFGS")
    path = methods.alone(lbfgs, ROWS.index("NaN"), 0)
    assert path.shape == (landscapes.STEPS + 1, 2) and np.isnan(path).all()
