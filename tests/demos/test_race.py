"""The race: dots and characters, frames that fit, and what a terminal is shown."""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from demos.__main__ import main
from demos.induced_metric import race
from demos.induced_metric.race import Runner, screen
from demos.induced_metric.race.braille import Window, characters, contour, lines
from demos.induced_metric.race.screen import Screen, live

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
ROOT = Path(__file__).parents[2]


def runners():
    paths = {"log": [(2.0, 2.0), (1.0, 1.0), (0.0, 0.0)], "SGD": [(2.0, 2.0), (9.0, 9.0)],
             "Adam": [(2.0, 2.0), (np.nan, 0.0)]}
    return [Runner(name, name[0].upper(), np.array(path), np.arange(len(path), 0, -1.0),
                   2.0 if name == "log" else float("inf"), {}) for name, path in paths.items()]


def bowl(points):
    return np.sum(points * points, axis=-1)


def test_each_dot_has_its_place_in_the_character():
    expected = {(0, 0): "⠁", (1, 0): "⠂", (2, 0): "⠄", (3, 0): "⡀", (0, 1): "⠈", (1, 1): "⠐",
                (2, 1): "⠠", (3, 1): "⢀"}
    for place, character in expected.items():
        dots = np.zeros((4, 2), bool)
        dots[place] = True
        assert characters(dots)[0, 0] == character
    assert characters(np.ones((8, 4), bool)).tolist() == [["⣿", "⣿"]] * 2
    dots = np.zeros((4, 4), bool)
    dots[0, 3] = True
    assert characters(dots).tolist() == [["⠀", "⠈"]]


def test_lines_lie_where_a_level_is_crossed():
    heights = np.array([[0.0, 1.0, 2.0, 3.0]] * 2)
    assert lines(heights, np.array([1.5])).tolist() == [[False, True, False, False]] * 2
    assert not lines(heights, np.array([9.0])).any()
    assert lines(heights.T, np.array([1.5])).tolist() == [[False] * 2, [True] * 2, [False] * 2,
                                                          [False] * 2]


def test_a_window_knows_its_cells():
    window = Window((1.0, 1.0), 2.0, 20, 10)
    assert window.cell((-1.0, 3.0)) == (0, 0) and window.cell((2.999, -0.999)) == (9, 19)
    assert window.cell((1e9, -1e300)) == (9, 19) and window.cell((np.nan, 0.0)) is None
    points = window.points()
    assert points.shape == (40, 40, 2)
    assert np.allclose(points[0, 0], (-0.95, 2.95)) and np.allclose(points[-1, -1], (2.95, -0.95))


def test_contours_of_a_bowl_are_round():
    window = Window((0.0, 0.0), 1.0, 24, 12)
    points = window.points()
    dots = lines(bowl(points), np.array([0.5]))
    radius = np.linalg.norm(points[dots], axis=-1)
    assert dots.sum() > 80 and np.abs(radius - 0.5**0.5).max() <= 1.5 * 2 / 48      # dots of 1/24
    found = contour(bowl, window)
    assert found.shape == (12, 24) and {ord(c) >> 8 for c in found.flat} == {0x28}


@pytest.mark.parametrize("size", [(80, 24), (40, 24), (40, 50), (20, 10), (200, 60), (75, 12)])
@pytest.mark.parametrize("colour", [False, True])
def test_frames_fit_the_terminal(size, colour):
    frame = Screen(bowl, (1.0, 1.0), 2.0, size, colour).frame(runners(), 2)
    bare = [ESCAPE.sub("", line) for line in frame]
    assert max(map(len, bare)) <= min(size[0], 80)
    assert len(bare) < size[1] or size[1] < 14
    assert (frame != bare) == colour
    text = "\n".join(bare)
    assert "update 2" in text and "L log     in 2" in text and "S SGD" in text


def test_runners_stand_where_they_are_and_trails_behind_them():
    view = Screen(bowl, (1.0, 1.0), 2.0, (80, 24), False)
    row, column = view.window.cell((1.0, 1.0))
    at = [view.frame(runners(), t)[row][column] for t in (0, 1, 2)]
    assert at[0] not in "lL" and at[1] == "L" and at[2] == "l"
    edge = view.window.cell((9.0, 9.0))
    assert view.frame(runners(), 2)[edge[0]][edge[1]] == "S"
    order = [line.strip()[0] for line in view.board(runners(), 2) if line and "update" not in line]
    assert order[0] == "L"


def test_live_frames_are_drawn_over_each_other_and_the_cursor_comes_back(capsys, monkeypatch):
    pauses = []
    monkeypatch.setattr(screen.time, "sleep", pauses.append)
    live(iter([["a", "b"], ["c", "d"]]), 0.5)
    out = capsys.readouterr().out
    assert out.startswith("\x1b[?25l") and out.endswith("\x1b[?25h") and out.count("\x1b[2A") == 1
    assert pauses == [0.5, 0.5]

    def broken():
        yield ["a"]
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        live(broken(), 0.0)
    assert capsys.readouterr().out.endswith("\x1b[?25h")


@pytest.mark.slow
def test_without_a_terminal_one_last_frame(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    assert main(["race", "--quick", "--no-plot", "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out and out.count("update ") == 1
    frame = out[out.index("first?"):out.index("Updates until")].splitlines()[1:]
    assert max(map(len, frame)) <= 40
    record = json.loads((tmp_path / "race.json").read_text())
    assert [c["verdict"] for c in record["claims"]] == ["holds"] * 3
    assert record["claims"][0]["measured"] == 1


def test_the_verdicts_can_come_out_the_other_way(verdicts):
    import argparse
    args = argparse.Namespace(function="rastrigin", seed=0)
    order = sorted(runners(), key=lambda r: r.updates)
    order = [r._replace(name=name, updates=u, settings={"lr": 1.0, "momentum": 0.5})
             for r, name, u in zip(order, ("SGD", "log", "Adam"), (2.0, 3.0, np.inf))]
    there = {"SGD": [2, 0.0], "log": [17, 1e-7], "Adam": [None, 0.04]}
    first = verdicts(lambda report: race.claims(args, report, order, there))
    assert first == ["holds", "holds", "fails"]          # luck: no start beside arrives
    turned = [order[1]._replace(updates=1.0), *order[:1], order[2]]
    turned[0] = turned[0]._replace(settings={"lr": 10.0, "momentum": 0.5, "xi": 1.0})
    assert verdicts(lambda report: race.claims(args, report, turned, there))[0] == "fails"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals here")
@pytest.mark.parametrize("quiet", [False, True])
def test_in_a_terminal(tmp_path, quiet):
    """Frames over each other, in colour unless NO_COLOR is set."""
    ours, theirs = os.openpty()
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24",
           "PYTHONPATH": str(ROOT)}
    env.pop("NO_COLOR", None)
    if quiet:
        env["NO_COLOR"] = "1"
    child = subprocess.Popen([sys.executable, "-m", "demos", "race", "--quick", "--no-plot",
                              "--out", str(tmp_path)], stdout=theirs, stderr=subprocess.DEVNULL,
                             env=env)
    os.close(theirs)
    said = b""
    try:
        while piece := os.read(ours, 65536):
            said += piece
    except OSError:                                     # Linux: the other end has closed
        pass
    os.close(ours)
    assert child.wait() == 0
    text = said.decode()
    assert text.count("A\r") > 20 and text.count("\x1b[?25h") == 1
    assert ("\x1b[38;5;" in text) != quiet
