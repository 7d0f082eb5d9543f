"""`python -m demos all`: ledger and page, from runs that end well, badly, or write nothing."""
import json
import os
import stat
import sys
from html.parser import HTMLParser

import pytest

from demos.__main__ import main
from demos.report import Report
from demos.trial import ledger
from demos.trial.page import page

CLAIM = dict(claim="a < b & c", origin="paper", where="table 1", published=55, measured=54.0,
             low=50.0, high=58.0, unit="steps", how="95 % t, n = 8", criterion={"equals": 55},
             why=None, asked=True, verdict="fails", line="demos/x.py:7", lesson="It is <so>.")


def fake_python(tmp_path, monkeypatch, body):
    """What stands for `python -m demos NAME ... --out DIR`: a script that is given these words."""
    script = tmp_path / "python"
    script.write_text(f"#!{sys.executable}\nimport json, sys\n"
                      f"name, out = sys.argv[3], sys.argv[-1]\n{body}")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(script))


class Balance(HTMLParser):
    """Tags that are opened are closed in order; what is loaded comes from inside the page."""

    VOID = {"meta", "img", "br", "wbr"}

    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attributes):
        assert tag not in ("script", "link", "iframe")
        assert dict(attributes).get("src", "data:").startswith("data:")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(html):
    parser = Balance()
    parser.feed(html)
    parser.close()
    assert not parser.open
    return "".join(parser.text)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_demo_that_fails_ends_nothing_but_itself(tmp_path, monkeypatch, capsys, jobs):
    fake_python(tmp_path, monkeypatch, f"""
if name == "cost":
    sys.exit("cost: the disk is full.\\n(MINIGRAD_TRACEBACK=1 shows where)")
record = dict(claims=[{CLAIM!r}], figures=["none.png"])
open(f"{{out}}/{{name}}.json", "w").write(json.dumps(record))
""")
    out = tmp_path / "out"
    assert main(["all", "cost", "decay", "sam", "--quick", "--jobs", jobs, "--out", str(out)]) == 1
    said = capsys.readouterr().out
    assert "ended with 1: cost: the disk is full." in said and "2 fails" in said
    entries = {e["demo"]: e for e in json.loads((out / "ledger.json").read_text())["demos"]}
    assert list(entries) == ["cost", "decay", "sam"]
    assert entries["cost"]["status"] == 1 and entries["cost"]["claims"] == []
    assert entries["decay"]["claims"] == [CLAIM]
    assert entries["sam"]["command"] == "python -m demos sam --quick"
    text = read((out / "index.html").read_text())
    assert "cost: the disk is full." in text and "a < b & c" in text and "54 [50, 58] steps" in text
    assert "demos/x.py:7" in text and "It is <so>." in text


def test_the_result_of_an_earlier_run_is_not_taken_for_this_one(tmp_path, monkeypatch):
    fake_python(tmp_path, monkeypatch, "")
    out = tmp_path / "out"
    out.mkdir()
    (out / "decay.json").write_text(json.dumps(dict(claims=[CLAIM])))
    os.utime(out / "decay.json", (1e9, 1e9))
    main(["all", "decay", "--out", str(out)])
    assert json.loads((out / "ledger.json").read_text())["demos"][0]["claims"] == []


@pytest.mark.parametrize("words, sentence", [
    (["nonsense_of_mine"], "there is no demo 'nonsense_of_mine'"),
    (["--jobs", "0"], "all: --jobs must be at least 1, got 0."),
    (["--seed", "-1"], "all: --seed must be at least 0, got -1.")])
def test_wrong_words_are_answered_before_the_work(words, sentence, capsys, tmp_path):
    assert main(["all", *words, "--out", str(tmp_path)]) == 2
    assert sentence in capsys.readouterr().err


def test_every_room_has_its_document():
    assert {ledger.room(name) for name in ledger.demos()} <= set(ledger.DOCUMENTS)


def test_figures_lie_inside_the_page(tmp_path):
    (tmp_path / "decay.png").write_bytes(b"\x89PNG and more")
    entry = dict(demo="decay", document="A", claim="It decays.", command="python -m demos decay",
                 status=0, seconds=1.0, said=None, figures=["decay.png", "gone.png"],
                 claims=[CLAIM])
    html = page(dict(quick=False, seed=0, demos=[entry]), tmp_path)
    read(html)
    assert html.count("data:image/png;base64,iVBORyBhbmQgbW9yZQ==") == 1 and "gone" not in html


def test_a_claim_names_the_line_that_makes_it(tmp_path):
    args = type("Flags", (), dict(out=str(tmp_path), no_plot=True, quick=False, seed=0))()
    report = Report("decay", args, source="none")
    report.claim("one is one", 1, equals=1, origin="ours", where="here", how="exact", why="it is")
    file, _, line = report.claims[0]["line"].partition(":")
    with open(__file__, encoding="utf-8") as lines:
        assert file == "tests/demos/test_ledger.py"
        assert "one is one" in lines.read().splitlines()[int(line) - 1]
