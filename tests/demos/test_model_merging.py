"""The quick run of demos/model_merging.py: its table, verdicts, JSON and figure."""
import json

import pytest

from demos.__main__ import main


@pytest.mark.slow
def test_quick(tmp_path, capsys):
    assert main(["model_merging", "--quick", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "soup of strangers" in printed
    assert (tmp_path / "model_merging.png").stat().st_size > 20_000
    record = json.loads((tmp_path / "model_merging.json").read_text())
    verdicts = {claim["claim"]: claim["verdict"] for claim in record["claims"]}
    assert len(verdicts) >= 6 and "fails" not in verdicts.values()
    assert record["data"]["test accuracy"]["greedy soup"]
