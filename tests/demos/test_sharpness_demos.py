"""The sharpness and picture demos in their smallest form: table, claims, figure and file."""
import json

import pytest

from demos.__main__ import main

VERDICTS = {"holds", "fails", "undecided"}


def quick(name, folder, *flags):
    """The record that the quick run wrote."""
    assert main([name, "--quick", "--out", str(folder), *flags]) == 0
    record = json.loads((folder / f"{name}.json").read_text())
    assert record["claims"] and {claim["verdict"] for claim in record["claims"]} <= VERDICTS
    return record


@pytest.mark.parametrize("name, says", [("edge_of_stability", "threshold"),
                                        ("filter_normalisation", "adaptive")])
def test_the_claims_hold(name, says, tmp_path, capsys):
    record = quick(name, tmp_path)
    assert {claim["verdict"] for claim in record["claims"]} == {"holds"}
    assert says in capsys.readouterr().out
    assert (tmp_path / f"{name}.png").stat().st_size > 50_000


@pytest.mark.slow
def test_sam(tmp_path, capsys):
    record = quick("sam", tmp_path)
    assert {claim["verdict"] for claim in record["claims"]} == {"holds"}
    out = capsys.readouterr().out
    assert "ASAM 2" in out and "2.55" in out                   # ours, and the published table
    assert (tmp_path / "sam.png").stat().st_size > 50_000


@pytest.mark.slow
def test_skip_and_norm(tmp_path, capsys):
    record = quick("skip_and_norm", tmp_path)
    assert {claim["verdict"] for claim in record["claims"]} == {"holds"}
    assert "skip + norm" in capsys.readouterr().out
    assert (tmp_path / "skip_and_norm.png").stat().st_size > 50_000


def test_without_plots_nothing_is_drawn(tmp_path):
    quick("filter_normalisation", tmp_path, "--no-plot")
    assert not list(tmp_path.glob("*.png"))


def test_same_seed_same_numbers(tmp_path):
    first, second = (quick("filter_normalisation", tmp_path / name, "--no-plot") for name in "ab")
    assert first["data"] == second["data"] and first["claims"] == second["claims"]
