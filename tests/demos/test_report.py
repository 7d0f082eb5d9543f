"""The demo framework: verdicts, tables, files, flags, and sentences for what goes wrong."""

import argparse
import io
import json
import math
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import demos.__main__ as door
from demos.evidence import t_interval
from demos.report import Report, plain, writable, write
from demos.tables import format_claim, format_table


def report(tmp_path, **flags):
    args = argparse.Namespace(**{"seed": 3, "quick": True, "out": str(tmp_path), "no_plot": False,
                                 **flags})
    return Report("example", args, source="arXiv:0000.00000")


# ---------------------------------------------------------------------- claims

OURS = dict(origin="ours", where="here", how="exact")


def test_a_claim_shows_its_numbers(tmp_path):
    r = report(tmp_path)
    assert r.claim("Sums agree", 0.123456, 0.1, 0.2, published=0.15, between=(0, 1), origin="paper",
                   where="table 2", how="95 % t, n = 8 seeds", why="a share",
                   unit="nats") == "holds"
    text = format_claim(r.claims[0])
    assert text.split() == ("holds Sums agree measured 0.1235 nats in [0.1, 0.2], published 0.15, "
                            "asked: between 0 and 1 paper, table 2; 95 % t, n = 8 seeds; "
                            "the bar: a share").split()
    r.claim("word " * 60, 1, equals=1, **OURS)
    assert max(map(len, format_claim(r.claims[1]).splitlines())) <= 80


def test_what_fails_is_followed_by_what_one_learns(tmp_path):
    r = report(tmp_path)
    assert r.claim("One is two", 1, equals=2, lesson="Count again.", **OURS) == "fails"
    assert format_claim(r.claims[0]).splitlines()[-1].strip() == "Count again."
    assert r.claim("One is one", 1, equals=1, lesson="Count again.", **OURS) == "holds"
    assert r.claims[1]["lesson"] is None and "Count" not in format_claim(r.claims[1])
    r.claim("One is three", 1, equals=3, **OURS)
    assert "At this size" in format_claim(r.claims[2])


def test_the_smallest_run_is_not_asked_what_it_cannot_decide(tmp_path):
    quick, whole = report(tmp_path), report(tmp_path, quick=False)
    for r, expected in ((quick, "undecided"), (whole, "holds")):
        assert r.claim("Many agree", 3, at_most=3, why="so", quick=False, **OURS) == expected
    assert "not asked in --quick" in format_claim(quick.claims[0])
    assert "not asked" not in format_claim(whole.claims[0])


def test_too_few_runs_decide_nothing(tmp_path):
    r = report(tmp_path)
    assert r.claim("The mean is positive", *t_interval([1.0, 2.0]), above=0, **OURS) == "undecided"
    assert "1.5 (too few runs for an interval), asked: above 0" in format_claim(r.claims[0])


def test_a_published_number_without_a_place_is_refused(tmp_path):
    with pytest.raises(ValueError, match="a published number needs `where` it stands"):
        report(tmp_path).claim("As they say", 1, published=1, equals=1, origin="paper", where="",
                               how="exact")
    with pytest.raises(TypeError, match="missing 3 required keyword-only arguments: 'origin'"):
        report(tmp_path).claim("So it is", 1, equals=1)


# ---------------------------------------------------------------------- tables

def test_table_is_aligned_and_shows_four_digits():
    table = format_table(["name", "value"], [["a", 1.23456], ["bcd", None], ["e", 10], ["f", True]])
    assert table == textwrap.dedent("""\
        name  value
        ----  -----
        a     1.235
        bcd   -
        e     10
        f     yes""")
    right = format_table(["n", "p"], [[1, "5%"], [100, "10%"]]).splitlines()
    assert right == ["  n    p", "---  ---", "  1   5%", "100  10%"]


@pytest.mark.parametrize("words", [5, 30, 60])
def test_wide_tables_wrap_into_80_columns(words):
    rows = [["word " * words, i, "other " * 8, 2.5] for i in range(3)]
    lines = format_table(["what", "number", "more", "x"], rows).splitlines()
    assert max(map(len, lines)) <= 80
    assert " ".join(lines).count("word") == 3 * words           # nothing is lost
    assert format_table(["alone"], []) == "alone\n-----"


# ---------------------------------------------------------------------- files

def test_finish_writes_everything_a_reader_needs(tmp_path, capsys):
    r = report(tmp_path)
    r.banner()
    r.table(["x"], [[1]], "A title")
    r.claim("one is one", 1, published=1, equals=1, origin="paper", where="page 1", how="exact")
    r.data["array"] = np.arange(3.0)
    r.data["odd"] = {1: (np.float32(0.5), math.inf, np.int64(3), tmp_path)}
    figure, axes = r.subplots()
    axes.plot([0, 1])
    r.figure(figure)
    figure, _ = r.subplots(1, 2)
    r.figure(figure, "more")
    r.finish()
    found = json.loads((tmp_path / "example.json").read_text())
    assert {"demo", "source", "backend", "dtype", "seed", "seconds", "versions", "claims", "flags",
            "commit", "date", "machine", "blas", "data"} <= set(found)
    assert found["flags"] == {"seed": 3, "quick": True, "out": str(tmp_path), "no_plot": False}
    assert {"library", "version", "kernel", "threads", "vector_bits"} == set(found["blas"])
    assert found["blas"]["vector_bits"] in (128, 256, 512)
    assert found["demo"] == "example" and found["seed"] == 3 and found["dtype"] == "float64"
    assert found["claims"] == [{
        "claim": "one is one", "origin": "paper", "where": "page 1", "published": 1, "measured": 1,
        "low": 1, "high": 1, "unit": None, "how": "exact", "criterion": {"equals": 1}, "why": None,
        "asked": True, "verdict": "holds", "lesson": None,
        "line": found["claims"][0]["line"]}]
    assert found["data"] == {"array": [0, 1, 2], "odd": {"1": [0.5, None, 3, str(tmp_path)]}}
    assert found["versions"]["numpy"] == np.__version__ and found["seconds"] >= 0
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["example.json", "example.png", "example_more.png"]
    assert (tmp_path / "example.png").read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr().out
    banner = printed.splitlines()[0]
    assert banner.startswith("example  backend=") and banner.endswith("dtype=float64  seed=3  quick")
    assert f"saved {tmp_path / 'example.png'}" in printed and "A title" in printed


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def half(stream):
        stream.write(b"new")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        write(path, half)
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["file"]
    write(path, lambda stream: stream.write(b"new"))
    assert path.read_text() == "new"


def test_unwritable_folder_is_one_sentence_before_the_work(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"demos: cannot write to .*file/deep' \(.*\)\. Name another "
                                      r"folder with --out\."):
        writable(tmp_path / "file" / "deep")


def test_plain_refuses_nothing_that_json_knows():
    assert plain([True, None, "a", 1, 1.5, math.nan]) == [True, None, "a", 1, 1.5, None]


# ---------------------------------------------------------------------- progress

class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_rewrites_one_line_in_a_terminal(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    r = report(tmp_path)
    r.progress("first")
    r.progress("second" * 40, fraction=0.5)
    written = sys.stderr.getvalue()
    assert "\n" not in written and written.count("\r") == 2
    assert all(len(line) <= 79 for line in written.split("\r"))


def test_progress_in_a_pipe_is_a_line_now_and_then(tmp_path, monkeypatch, capsys):
    clock = iter([0.0, *(0.5 * k for k in range(1, 7201)), 0.0])
    monkeypatch.setattr("demos.report.time.perf_counter", lambda: next(clock))
    r = report(tmp_path)
    for k in range(7200):                                   # an hour, asked twice a second
        r.progress("step", fraction=(k + 1) / 7200)
    lines = capsys.readouterr().err.splitlines()
    assert 10 <= len(lines) <= 30
    assert lines[0].split() == "5 s step 0 %, 3595 s left".split()


# ---------------------------------------------------------------------- the door

@pytest.fixture
def a_demo(tmp_path, monkeypatch):
    """A folder of two modules, one of them a demo, put in the place of the real one."""
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "parabola.py").write_text(textwrap.dedent('''
        """Parabolas are flat at the bottom.

        The question, and the answer.
        """
        SOURCE = "Apollonius"
        def arguments(parser):
            parser.add_argument("--steps", type=int, default=2)
            parser.add_argument("--shape", choices=("wide", "steep"), default="wide")
        def run(args, report):
            if args.steps > 5:
                raise RuntimeError("parabola: too many steps. Use fewer.")
            if args.steps == 4:
                raise ValueError("parabola: steps must be odd, got 4.")
            report.claim("steps are few", args.steps, at_most=5, origin="ours", where="here",
                         how="exact", why="five are few")
    '''))
    (folder / "parts.py").write_text('"""Not a demo."""\n')
    monkeypatch.setattr(door, "FOLDER", folder)
    monkeypatch.setattr("demos.__path__", [str(folder)])
    for name in ("demos.parabola", "demos.parts"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield folder
    sys.modules.pop("demos.parabola", None)


def test_the_list_has_one_line_for_each_demo(a_demo, capsys):
    assert door.main([]) == 0
    listed = capsys.readouterr().out
    assert "  parabola  Parabolas are flat at the bottom.\n" in listed and "parts" not in listed


def test_a_demo_runs_and_exits_with_zero(a_demo, tmp_path, capsys):
    assert door.main(["parabola", "--out", str(tmp_path / "new" / "out"), "--steps", "3"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("parabola  backend=") and "holds      steps are few" in printed
    assert json.loads((tmp_path / "new/out/parabola.json").read_text())["source"] == "Apollonius"


def test_a_choice_is_in_the_name_of_the_file(a_demo, tmp_path):
    for flags in ([], ["--shape", "steep"], ["--shape", "wide", "--steps", "3"]):
        assert door.main(["parabola", "--out", str(tmp_path), *flags]) == 0
    assert sorted(os.listdir(tmp_path)) == ["package", "parabola.json", "parabola_steep.json"]
    found = json.loads((tmp_path / "parabola_steep.json").read_text())
    assert found["demo"] == "parabola" and found["flags"]["shape"] == "steep"


def test_help_is_the_docstring(a_demo, capsys):
    with pytest.raises(SystemExit) as stop:
        door.main(["parabola", "--help"])
    text = capsys.readouterr().out
    assert stop.value.code == 0
    assert "The question, and the answer." in text
    for flag in ("--quick", "--seed", "--out", "--data", "--data-dir", "--no-plot", "--jobs",
                 "--steps"):
        assert flag in text


@pytest.mark.parametrize("arguments, status, sentence", [
    (["parabolla"], 2, "demos: there is no demo 'parabolla'. Did you mean 'parabola'?"),
    (["xyz"], 2, "demos: there is no demo 'xyz'. `python -m demos` lists them."),
    (["parabola", "--jobs", "0"], 2, "parabola: --jobs must be at least 1, got 0."),
    (["parabola", "--seed", "-1"], 2, "parabola: --seed must be at least 0, got -1."),
    (["parabola", "--steps", "0"], 2, "parabola: --steps must be at least 1, got 0."),
    (["parabola", "--steps", "9", "--out", "OUT"], 1, "parabola: too many steps. Use fewer."),
])
def test_what_goes_wrong_is_one_sentence(a_demo, tmp_path, capsys, arguments, status, sentence):
    arguments = [str(tmp_path) if word == "OUT" else word for word in arguments]
    assert door.main(arguments) == status
    assert capsys.readouterr().err == sentence + "\n"


def test_a_wrong_value_is_one_sentence_and_a_way_to_see_more(a_demo, tmp_path, capsys, monkeypatch):
    arguments = ["parabola", "--steps", "4", "--out", str(tmp_path)]
    assert door.main(arguments) == 1
    assert capsys.readouterr().err == ("parabola: steps must be odd, got 4.\n"
                                       "(MINIGRAD_TRACEBACK=1 shows where this comes from.)\n")
    monkeypatch.setenv("MINIGRAD_TRACEBACK", "1")
    with pytest.raises(ValueError, match="must be odd"):
        door.main(arguments)


def test_list_and_help_fit_a_terminal(a_demo, capsys):
    words = "word " * 40
    (a_demo / "parabola.py").write_text(f'''"""{words}

Question  {words}
Answer    {words}
          {words}

    kept = as + it + is

{words}
"""
SOURCE = ""
def run(args, report): ...
''')
    door.main([])
    with pytest.raises(SystemExit):
        door.main(["parabola", "--help"])
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    assert printed.count("word") == 6 * 40 and "\n    kept = as + it + is\n" in printed
    assert "\nQuestion  word" in printed and "\n          word" in printed


def test_unknown_backend_is_one_sentence():
    run = subprocess.run([sys.executable, "-m", "demos", "test_functions"], capture_output=True,
                         text=True, env={**os.environ, "MINIGRAD_BACKEND": "abacus"})
    assert run.returncode == 1 and run.stdout == ""
    assert run.stderr == ("MINIGRAD_BACKEND=abacus: unknown backend; use 'numpy' or 'cupy'\n")


def test_unwritable_out_is_one_sentence(a_demo, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert door.main(["parabola", "--out", str(tmp_path / "file")]) == 1
    message = capsys.readouterr().err
    assert message.startswith("demos: cannot write to") and message.count("\n") == 1
