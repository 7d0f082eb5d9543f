"""The demos of arXiv:2605.19781 in their smallest form: claims, table, figure, file."""
import pytest

from tests.demos.quick_runs import fresh_run

QUICK = {"lmo_geometry": (7, "Steps of norm 1 along one gradient"),
         "criterion": (10, "SGD or Muon?"), "overhead": (4, "an ordinary step, and what a choice"),
         "adaptive_lmo": (9, "perceptron: at the end of 60 steps"),
         "ablation": (3, "What a change of one part does")}
VERDICTS = {"holds", "fails", "undecided"}


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_quick(name, tmp_path, capsys):
    claims, title = QUICK[name]
    record = fresh_run(name, tmp_path)
    assert title in capsys.readouterr().out
    assert (tmp_path / f"{name}.png").stat().st_size > 30_000
    assert len(record["claims"]) == claims
    assert {claim["verdict"] for claim in record["claims"]} <= VERDICTS
    if name == "criterion":
        exact = [claim for claim in record["claims"] if "exact J, full batch" in claim["claim"]]
        assert exact[0]["measured"] == 1.0


@pytest.mark.slow
def test_criterion_where_all_networks_are_of_one_kind(tmp_path):
    """Seed 2 draws no network with cross-entropy among the eight of --quick."""
    record = fresh_run("criterion", tmp_path, "--seed", "2", "--no-plot")
    assert len({group for group, *_ in record["data"]["networks"]}) == 3
