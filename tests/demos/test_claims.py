"""Every claim of every demo says who claims it, where, and how its interval was made; the README's
table is what the kept runs say."""
import json
import re

import pytest

from demos.trial import readme
from demos.__main__ import demos, main
from demos.report.verdict import complete
from tests.demos.quick_runs import folder_made, record as made_record

PART = {"speed": ["--only", "tiny"]}                # the rest of it takes minutes
KEPT = [name for name in demos() if readme.kept(name)]
QUOTES = {"quiz"}                                   # repeats claims of kept runs, makes none
POINTS = ("exact", "one ", "Fisher", "permutation", "search", "no interval")


def check(record):
    """Every claim of a run is complete, and its verdict follows from its numbers."""
    assert bool(record["claims"]) != (record["demo"] in QUOTES), "a demo without a claim"
    for claim in record["claims"]:
        said = f"{record['demo']}: {claim['claim']}"
        criterion = {k: tuple(v) if isinstance(v, list) else v
                     for k, v in claim["criterion"].items()}
        complete(claim["origin"], claim["where"], claim["how"], claim["why"], claim["published"],
                 criterion)
        assert readme.decided_again(claim) == claim["verdict"], said
        assert (claim["lesson"] is not None) == (claim["verdict"] == "fails"), said
        extreme = re.search(r"\b(largest|least|best)\b", claim["claim"])   # of intervals or draws
        if claim["low"] == claim["high"] is not None and not extreme:
            assert any(word in claim["how"] for word in POINTS), f"{said}: a point, by what right?"
    assert record["flags"] and record["date"] and record["machine"] and record["blas"]


@pytest.mark.slow
@pytest.mark.parametrize("name", demos())
def test_every_claim_of_a_quick_run_is_complete(name, tmp_path, monkeypatch, tmp_path_factory):
    made = folder_made(name)
    if made:
        return check(made_record(name, made))
    folder = tmp_path_factory.getbasetemp() / "cache"
    folder.mkdir(exist_ok=True)
    monkeypatch.setenv("MINIGRAD_CACHE", str(folder))
    monkeypatch.delenv("MINIGRAD_DATA", raising=False)
    assert main([name, "--quick", "--no-plot", "--out", str(tmp_path), *PART.get(name, [])]) == 0
    check(json.loads((tmp_path / f"{name}.json").read_text()))


@pytest.mark.parametrize("name", KEPT)
def test_every_claim_of_a_kept_run_is_complete(name):
    check(readme.kept(name))


def test_the_readme_says_what_the_kept_runs_say():
    """If this fails: python -m demos.trial.readme. A demo never kept may still be missing."""
    text = readme.README.read_text(encoding="utf-8")
    shown = text.split(readme.BEGIN)[1].split(readme.END)[0].strip().splitlines()
    rows = [*readme.table().splitlines(), "", *readme.machines().splitlines()]
    assert set(shown) <= set(rows)
    assert {row for row in rows if "| - |" not in row} <= set(shown)


def test_runs_with_other_flags_are_not_kept(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(readme, "home", lambda name: tmp_path / "kept" / f"{name}.json")
    record = {key: None for key in readme.KEPT} | dict(
        demo="curvature", claims=[], flags={"seed": 0, "quick": False, "out": "x", "jobs": 2})
    (tmp_path / "curvature.json").write_text(json.dumps(record))
    readme.keep(tmp_path)
    assert readme.kept("curvature")["flags"]["jobs"] == 2
    record["flags"]["seed"] = 1
    (tmp_path / "curvature.json").write_text(json.dumps(record))
    readme.keep(tmp_path)
    assert "not kept, run with its own seed" in capsys.readouterr().out
    assert readme.kept("curvature")["flags"]["seed"] == 0
