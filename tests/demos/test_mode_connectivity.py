"""The quick run of demos/mode_connectivity.py: its table, verdicts, JSON and figure."""
import json

import pytest

from demos.__main__ import main


@pytest.mark.slow
def test_quick(tmp_path, capsys):
    assert main(["mode_connectivity", "--quick", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "aligned line" in printed
    assert (tmp_path / "mode_connectivity.png").stat().st_size > 20_000
    record = json.loads((tmp_path / "mode_connectivity.json").read_text())
    verdicts = {claim["claim"]: claim["verdict"] for claim in record["claims"]}
    assert len(verdicts) >= 6 and "fails" not in verdicts.values()
    barriers = record["data"]["barriers"]
    assert barriers["64 chain"][0] < barriers["64 straight line"][0]
