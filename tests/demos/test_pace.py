"""Time left: from the kept run's pace, from the demo's own share, or not said; and how it is shown in
wide and narrow terminals, without one, and with NO_COLOR."""
import ast
import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest

from demos.__main__ import FOLDER, modules
from demos.report.pace import Pace, kept_marks, words_of
from demos.trial.readme import kept
from tests.rows import mostly_slow


def test_without_a_kept_run_the_share_of_the_demo_counts():
    pace = Pace()
    assert pace.rest(1.0, "begin", None) == ""
    assert pace.rest(10.0, "a", 0.25) == "  25 %, 30 s left"
    assert pace.rest(20.0, "b", 0.5) == "  50 %, 20 s left"


def test_a_share_that_falls_is_another_stage():
    pace = Pace()
    pace.rest(10.0, "1 of 2 runs", 0.5)
    pace.rest(20.0, "2 of 2 runs", 1.0)
    assert pace.rest(25.0, "1 of 4 paths", 0.25) == "  15 s left of this part"      # 5 s each


def test_the_kept_run_knows_what_a_stage_is_worth():
    marks = [["train", 1, 0.0], ["1 of 2", 1, 0.1], ["1 of 2", 2, 0.8], ["draw", 1, 0.95]]
    pace = Pace(marks)
    assert pace.rest(0.0, "train", None) == ""
    assert pace.rest(4.0, "1 of 2", 0.5) == "  10 %, 36 s left"
    assert pace.rest(12.0, "something new", 0.9) == "  30 %, 28 s left"         # of 40 s in all
    assert pace.rest(40.0, "1 of 2", 0.5) == "  80 %, 10 s left"                # the second of them
    assert pace.rest(60.0, "late", None) == "  100 %, 0 s left"


def test_what_a_run_keeps_is_what_the_next_one_reads(tmp_path, monkeypatch):
    pace = Pace()
    for seconds, text in ((0.0, "a"), (5.0, "1 of 9 runs, 5 s"), (5.01, "too close"), (8.0, "b")):
        pace.rest(seconds, text, None)
    marks = pace.kept(10.0)
    assert marks == [["a", 1, 0.0], ["1 of 9 runs", 1, 0.5], ["b", 1, 0.8]]
    assert words_of("1 of 9 runs, 51 s") == "1 of 9 runs"
    assert Pace(json.loads(json.dumps(marks))).rest(20.0, "1 of 9 runs, 20 s", 0.1) == (
        "  50 %, 20 s left")
    assert kept_marks("no such demo", False) == kept_marks("curvature", True) == []


@pytest.mark.parametrize("name", sorted(modules()))
def test_every_demo_of_more_than_ten_seconds_tells_the_time_left(name):
    """By the marks of its kept run, or by a share that it, or run_all for it, hands over."""
    run = kept(name)
    if run is None or run["seconds"] <= 10 or run.get("pace"):
        return
    path = FOLDER.joinpath(*modules()[name].module.split(".")[1:])
    files = [*(path.rglob("*.py") if path.is_dir() else [path.with_suffix(".py")]),
             FOLDER / "alpha_beta/runs.py"]
    assert any(hands_over_a_share(ast.parse(file.read_text(encoding="utf-8"))) for file in files
               if file.name != "runs.py" or ".alpha_beta." in modules()[name].module), (
        f"{name} takes {run['seconds']:.0f} s: hand report.progress the share that is done, or keep "
        "a run again, with its pace")


def hands_over_a_share(tree):
    """Whether progress is called with a share, or handed to what will (run_all)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if getattr(node.func, "attr", "") == "progress" and len(node.args) == 2 and not (
                    isinstance(node.args[1], ast.Constant)):
                return True
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            if any(getattr(argument, "attr", "") == "progress" for argument in given):
                return True
    return False


# ---------------------------------------------------------------------- terminals

def in_terminal(columns, **settings):
    """(standard output, standard error) of a quick demo whose standard error is a terminal."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    process = subprocess.Popen(
        [sys.executable, "-m", "demos", "decay", "--quick", "--no-plot", "--out",
         settings.pop("out")], stdout=slave, stderr=slave, env={**environment, **settings})
    os.close(slave)
    parts = []
    while True:
        try:
            parts.append(os.read(master, 1 << 16))
        except OSError:                                 # Linux: the other side is closed
            break
        if not parts[-1]:
            break
    assert process.wait(60) == 0
    os.close(master)
    return b"".join(parts).decode().replace("\r\n", "\n")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="pseudo terminals differ")
@pytest.mark.parametrize("columns, settings", mostly_slow([(80, {}), (40, {"NO_COLOR": "1"})],
                                                            {0}))
def test_a_terminal_of_any_width_is_kept_to(tmp_path, columns, settings):
    shown = in_terminal(columns, out=str(tmp_path), **settings)
    assert "\x1b" not in shown                                          # no colours, ever
    rewritten = [part for line in shown.split("\n") for part in line.split("\r")[1:]]
    assert max(map(len, rewritten), default=0) < columns
    prose = [line for line in shown.split("\n") if line.startswith(" " * 11)]      # of the claims
    assert prose and max(map(len, prose)) <= columns


def test_no_terminal_no_carriage_return(tmp_path):
    done = subprocess.run([sys.executable, "-m", "demos", "decay", "--quick", "--no-plot", "--out",
                           str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "\r" not in done.stdout + done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80 + len(str(tmp_path))
