"""The README's examples print what their comments say, and its two commands are where CI looks."""
import contextlib
import io
import re
from pathlib import Path

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_examples_print_what_they_say():
    names = {}
    for block in re.findall(r"```python\n(.*?)```", README, re.S):
        expected = re.findall(r"print\(.*\)\s*# (.*)", block)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(block, names)
        assert printed.getvalue().splitlines() == [line.strip() for line in expected]
        assert expected


def test_two_commands_do_all_the_set_up():
    commands = re.findall(r"^python3 -m venv \.venv && .*$", README, re.M)
    assert len(commands) == 2
    assert commands[0].endswith("-m demos test_functions") and commands[1].endswith("-m pytest")
    assert all("pip install -e" in command for command in commands)


def test_named_files_exist():
    root = Path(__file__).parent.parent
    for name in re.findall(r"`((?:minigrad|optim|problems|demos|tests)/[\w/.]*)`", README):
        assert (root / name).exists(), name
