"""The progress line: its text, and how often it appears."""
import io

import pytest

from optim import progress
from optim.training.progress import Progress, duration


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_step_loss_speed_and_time_left(clock):
    lines = []
    shown = Progress(total=2000, out=lines.append, every=15.0)
    for step in range(1, 401):
        clock[0] += 0.125
        shown.update(step, lambda: 1.83421)
    assert len(lines) == 3                          # after 15, 30 and 45 s of 50
    assert lines[0] == "step 120/2000  loss 1.834  8 steps/s  3:55 left"
    shown.update(401, lambda: 2.0, last=True)
    assert lines[-1].startswith("step 401/2000  loss 2 ")


def test_a_short_run_in_a_pipe_says_nothing_and_none_is_silent(clock, capsys):
    for out in ("auto", None):
        shown = Progress(total=3, out=out)
        for step in range(1, 4):
            shown.update(step, lambda: 0.0, last=step == 3)
    assert capsys.readouterr().err == ""


def test_a_terminal_rewrites_one_line(clock, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(progress.sys, "stderr", terminal)
    shown = Progress(total=None)
    for step in range(1, 4):
        clock[0] += 1.0
        shown.update(step, lambda: 0.5, last=step == 3)
    text = terminal.getvalue()
    assert text.count("\r") == 3 and text.count("\n") == 1 and text.endswith("\n")
    assert "step 3  loss 0.5  1 steps/s" in text


def test_durations():
    assert [duration(s) for s in (7.4, 750, 3725)] == ["0:07", "12:30", "1:02:05"]
