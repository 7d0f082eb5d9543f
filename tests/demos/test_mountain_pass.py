"""The quick run of demos/mountain_pass.py: its table, verdicts, JSON and figure."""
import json

import pytest

from demos.__main__ import main


@pytest.mark.slow
def test_quick(tmp_path, capsys):
    assert main(["mountain_pass", "--quick", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "climbing band" in printed
    assert (tmp_path / "mountain_pass.png").stat().st_size > 20_000
    record = json.loads((tmp_path / "mountain_pass.json").read_text())
    verdicts = {claim["claim"]: claim["verdict"] for claim in record["claims"]}
    assert len(verdicts) >= 4 and "fails" not in verdicts.values()
    assert record["data"]["tree"] == [[1, 2], [0, 2]]
