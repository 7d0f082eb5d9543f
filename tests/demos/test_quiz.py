"""The quiz: answers come from kept runs, whatever they say; a terminal is asked, a pipe is not."""
import argparse
import io
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from demos.landscape.training import quiz
from demos.report import Report
from demos.trial import readme

ROOT = Path(__file__).parents[2]
RANGE = {"holds": (2.0, 3.0), "fails": (-3.0, -2.0), "undecided": (-1.0, 1.0)}     # asked: above 0
QUESTION = quiz.QUESTIONS[0]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def claim(text, word, **changes):
    low, high = RANGE[word]
    return dict(claim=text, measured=(low + high) / 2, low=low, high=high, unit="nats", why=None,
                criterion={"above": 0.0}, asked=True, origin="ours", where="a made up run",
                how="95 % t, n = 3 runs", published=None, lesson=None, verdict="typed") | changes


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """runs(word): every claim of the quiz is kept with numbers that make it so; the folder."""
    folder = tmp_path / "kept"
    folder.mkdir()
    monkeypatch.setattr(readme, "home", lambda name: folder / f"{name}.json")

    def keep(word, **changes):
        for name in {question.demo for question in quiz.QUESTIONS}:
            claims = [claim(question.claim + ", in full", word, **changes)
                      for question in quiz.QUESTIONS if question.demo == name]
            (folder / f"{name}.json").write_text(json.dumps(dict(demo=name, claims=claims)))
        return folder
    return keep


@pytest.fixture
def play(tmp_path, monkeypatch):
    """play(typed, ...): (what was printed, report); typed None: no terminal."""
    def go(typed=None, answers=False, seed=0, stdout=Terminal):
        args = argparse.Namespace(seed=seed, quick=False, out=str(tmp_path), no_plot=True,
                                  answers=answers)
        report, screen = Report("quiz", args, source="here"), stdout()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", io.StringIO("a\n") if typed is None else Terminal(typed))
            patch.setattr(sys, "stdout", screen)
            quiz.run(args, report)
            report.finish()
        assert max(map(len, screen.getvalue().splitlines())) <= 80 + len(str(tmp_path))
        return screen.getvalue(), report
    return go


def flat(text):
    return " ".join(text.split())


@pytest.mark.parametrize("word", RANGE)
def test_the_numbers_decide_which_choice_is_right(word, runs, play):
    runs(word)
    text, report = play()
    assert [entry["verdict"] for entry in report.data["answers"]] == [word] * 7
    text = flat(text)
    for question in quiz.QUESTIONS:
        assert f": {getattr(question, word)}. \"{question.claim}, in full\" {word}:" in text
    assert text.count(f"measured {sum(RANGE[word]) / 2:g} nats in") == 7
    assert text.count("(ours, a made up run; 95 % t, n = 3 runs).") == 7
    assert report.claims == []                          # they are the other demos'
    assert "your choice" not in text and "as measured" not in text


@pytest.mark.parametrize("word", RANGE)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_letter_named_is_that_of_the_choice_shown(word, seed, runs, play):
    runs(word)
    lines = play(seed=seed)[0].splitlines()
    letters = [line.split()[1][0] for line in lines if line.startswith("Answer ")]
    shown = [line[3] for line in lines if line[3:6] in ("a  ", "b  ", "c  ")
             and line[6:] in {getattr(question, word) for question in quiz.QUESTIONS}]
    assert letters == shown and len(letters) == 7
    assert len(set(letters)) > 1                        # the right one is not always in one place


def test_right_and_wrong_choices_are_counted(runs, play):
    runs("holds")
    right = [line.split()[1][0] for line in play()[0].splitlines() if line.startswith("Answer ")]
    text, report = play("\n".join(right) + "\n")
    assert "7 of 7 as measured." in text and text.count("Right. Answer") == 7
    wrong = ["b" if letter == "a" else "a" for letter in right]
    text = play("\n".join(wrong) + "\n")[0]
    assert "0 of 7 as measured." in text and text.count("Measured otherwise. Answer") == 7
    assert len(report.data["answers"]) == 7


@pytest.mark.parametrize("typed", ["d", "", "ab", "1", "yes please, the second one of them"])
def test_another_key_is_answered_with_one_sentence_and_asked_again(typed, runs, play):
    runs("fails")
    text = flat(play(f"{typed}\n A \n")[0])
    assert f"quiz: '{typed[:20]}' is no choice. Type a, b or c; Ctrl-D ends." in text
    assert text.count("is no choice") == 1 and "of 1 as measured." in text      # ' A ' counts as a


def test_bytes_that_are_no_letters_are_no_choice(runs, play, monkeypatch):
    runs("holds")
    said = iter([UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"), EOFError()])

    def read(prompt):
        raise next(said)
    monkeypatch.setattr("builtins.input", read)
    assert "quiz: '' is no choice." in play("")[0]


@pytest.mark.parametrize("stop", [EOFError, KeyboardInterrupt])
def test_leaving_is_quiet_and_gives_nothing_away(stop, runs, play, monkeypatch):
    runs("holds")
    said = iter(["a", "b"])

    def read(prompt):
        try:
            return next(said)
        except StopIteration:
            raise stop from None
    monkeypatch.setattr("builtins.input", read)
    text, report = play("")
    assert len(report.data["answers"]) == 2 and report.data["answered"] == 2
    assert text.count("Answer ") == 2 and "of 2 as measured." in text and "4. (" not in text


def test_an_interrupt_where_nobody_is_asked_stays_one(runs, play, monkeypatch):
    def interrupted(question):
        raise KeyboardInterrupt
    monkeypatch.setattr(quiz, "find", interrupted)
    with pytest.raises(KeyboardInterrupt):
        play()


@pytest.mark.parametrize("settings", [
    dict(typed="", answers=True), dict(typed="", stdout=io.StringIO), dict(typed=None)])
def test_nobody_is_asked_with_answers_or_without_a_terminal(settings, runs, play, monkeypatch):
    runs("holds")
    monkeypatch.setattr("builtins.input", lambda prompt: pytest.fail("asked"))
    assert play(**settings)[0].count("Answer ") == 7


def test_closed_or_absent_input_is_no_terminal(monkeypatch):
    closed = Terminal()
    closed.close()
    monkeypatch.setattr(sys, "stdout", Terminal())
    for stream, there in ((closed, False), (None, False), (Terminal(), True)):
        monkeypatch.setattr(sys, "stdin", stream)
        assert quiz.terminal() is there


def test_what_is_not_kept_is_said_and_the_rest_goes_on(runs, play):
    folder = runs("holds")
    (folder / "sam.json").unlink()
    (folder / "mode_connectivity.json").write_text("{")
    (folder / "saddle_escape.json").write_text(json.dumps(dict(claims=[claim("other", "holds")])))
    twice = [claim(f"{QUESTION.claim} {k}", "holds") for k in (1, 2)]
    (folder / "critical_points.json").write_text(json.dumps(dict(claims=twice)))
    text, report = play()
    text = flat(text)
    assert len(report.data["answers"]) == 2 and text.count("No answer: ") == 5
    assert text.count("No answer: no run of sam is kept. Run `python -m demos sam`, then "
                      "`python -m demos.trial.readme results` keeps it.") == 2
    assert "No answer: the kept run of mode_connectivity cannot be read." in text
    assert "the kept run of saddle_escape makes 0 claims that begin 'sample" in text
    assert "the kept run of critical_points makes 2 claims that begin 'tanh" in text
    assert report.data["without_answer"].count("sam") == 2


def test_an_open_end_decides_nothing(runs, play):
    runs("holds", low=None)
    assert [entry["verdict"] for entry in play()[1].data["answers"]] == ["undecided"] * 7


def test_the_typed_verdict_of_a_kept_run_is_not_believed(runs, play):
    runs("fails", verdict="holds")
    assert {entry["verdict"] for entry in play()[1].data["answers"]} == {"fails"}


def test_four_ask_and_three_reflect():
    kinds = [question.kind for question in quiz.QUESTIONS]
    assert kinds == ["quiz"] * 4 + ["reflection"] * 3
    for question in quiz.QUESTIONS:
        assert len({question.holds, question.fails, question.undecided}) == 3


@pytest.mark.parametrize("question", quiz.QUESTIONS, ids=lambda q: f"{q.demo}-{q.claim[:20]}")
def test_the_runs_kept_here_answer_every_question(question):
    """The claims still have these names, and the demos are found."""
    found, problem = quiz.find(question)
    assert problem is None and found["claim"].startswith(question.claim)
    assert (ROOT / quiz.file_of(question.demo)).read_text(encoding="utf-8").count("def run(") == 1


@pytest.mark.slow
@pytest.mark.parametrize("key", [b"\x04", b"\x03"], ids=["Ctrl-D", "Ctrl-C"])
def test_a_real_terminal_can_be_left(key, tmp_path):
    pty = pytest.importorskip("pty")
    master, slave = pty.openpty()
    with subprocess.Popen([sys.executable, "-m", "demos", "quiz", "--out", str(tmp_path)],
                          stdin=slave, stdout=slave, stderr=slave, cwd=ROOT, preexec_fn=own_terminal
                          ) as child:
        os.close(slave)
        text = until(master, b"your choice: ")
        os.write(master, b"a\n")
        text += until(master, b"your choice: ")
        os.write(master, key)
        text += until(master, None, key)
        assert child.wait(20) == 0
    os.close(master)
    assert b"of 1 as measured." in text and b"Traceback" not in text
    assert len(json.loads((tmp_path / "quiz.json").read_text())["data"]["answers"]) == 1


def own_terminal():
    """The child leads a session whose terminal is its standard input, so that Ctrl-C reaches it."""
    import fcntl
    import termios

    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def until(master, mark, key=b""):
    """What the terminal shows, up to the mark; up to its end if there is none.

    key  typed again after two seconds of silence: Python's line editor may miss a signal that comes
         just as it begins to wait
    """
    text = b""
    while mark is None or mark not in text:
        if not select.select([master], [], [], 2.0)[0]:
            os.write(master, key)
            continue
        try:
            piece = os.read(master, 4096)
        except OSError:                                 # Linux: nobody holds the other end
            break
        if not piece:
            break
        text += piece
    return text
