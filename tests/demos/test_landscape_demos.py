"""curvature, critical_points, saddle_escape in their smallest form: table, claims, figure, file."""
import pytest

from tests.demos.quick_runs import fresh_run

QUICK = {"curvature": (6, "rms error of the trace"), "critical_points": (6, "every saddle"),
         "saddle_escape": (7, "Median steps through the octopus")}


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_quick(name, tmp_path, capsys):
    claims, title = QUICK[name]
    record = fresh_run(name, tmp_path)
    assert title in capsys.readouterr().out
    assert (tmp_path / f"{name}.png").stat().st_size > 50_000
    assert len(record["claims"]) == claims and record["dtype"] == "float64"
    assert {claim["verdict"] for claim in record["claims"]} <= {"holds", "undecided"}
    exact = [claim for claim in record["claims"] if claim["how"].startswith("exact")]
    assert exact and all(claim["verdict"] == "holds" for claim in exact)


@pytest.mark.slow
def test_same_seed_same_numbers(tmp_path):
    """And without a figure there is none. The quickest of the three stands for all."""
    first, second = (fresh_run("critical_points", tmp_path / k, "--no-plot", "--seed", "3") for k in "ab")
    assert first["claims"] == second["claims"] and first["data"] == second["data"]
    assert not (tmp_path / "a" / "critical_points.png").exists()
