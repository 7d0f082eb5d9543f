"""The README's examples run, each by itself, and print what their comments say; its numbers are those
of the files, and its two commands are where CI looks."""
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from demos.induced_metric.test_functions.grid import own_optimizer, own_runs
from demos.trial import lines

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.S)
FILES = {re.match(r"# (\w+\.py)", block)[1]: block for block in BLOCKS if block.startswith("# ")}
SNIPPETS = [pytest.param(block, marks=pytest.mark.peers if "import torch" in block else ())
            for block in BLOCKS if not block.startswith("# ")]
LOST = "a name that only another example defines, or an import that is missing"


def own_table(folder):
    """The table that the README speaks of: names, numbers, a class in the last column."""
    rng = np.random.default_rng(1)
    centres, labels = 1.5 * rng.normal(size=(3, 4)), rng.integers(0, 3, 200)
    table = np.column_stack([centres[labels] + rng.normal(size=(200, 4)), labels])
    np.savetxt(folder / "own.csv", table, fmt="%.4f", delimiter=",", header="a,b,c,d,class",
               comments="")


def said(block):
    """What an example says it prints: the comment behind a print, or the lines of comments below."""
    expected = []
    for line in block.splitlines():
        if printed := re.match(r"\s*print\(.*\)\s*# (.*)|# (.*)", line):
            expected.append(printed[1] or printed[2])
    return [line.strip() for line in expected]


@pytest.mark.parametrize("block", SNIPPETS)
def test_every_example_runs_alone_and_prints_what_it_says(block, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    own_table(tmp_path)
    try:
        exec(block, {})
    except NameError as error:
        raise AssertionError(LOST) from error
    printed = capsys.readouterr().out.splitlines()
    assert printed == said(block) and printed
    for picture in re.findall(r'savefig\("(.*)"\)', block):
        assert (tmp_path / picture).stat().st_size > 10_000


def test_a_recipe_is_at_most_fifteen_lines():
    recipes = re.findall(r"```python\n(.*?)```", README[README.index("## Recipes"):], re.S)
    assert len(recipes) == 7
    for recipe in recipes:
        assert sum(1 for line in recipe.splitlines() if line.strip()) <= 15 + len(
            [line for line in recipe.splitlines() if line.startswith("# ")]), recipe


def test_own_optimizer_of_the_readme_arrives_where_the_readme_says(tmp_path):
    (tmp_path / "mine.py").write_text(FILES["mine.py"])
    name, build, settings = own_optimizer(tmp_path / "mine.py")
    arrived = {f: runs.updates.max() for f, runs in own_runs(build, settings).items()}
    solved = sum(updates > 0 for updates in arrived.values())
    word = re.search(r"where it\s+solves (\w+) of the five", README)[1]
    assert word == ("none", "one", "two", "three", "four", "all")[solved], arrived


@pytest.mark.slow
def test_own_optimizer_of_the_readme_joins_the_table(tmp_path):
    (tmp_path / "mine.py").write_text(FILES["mine.py"])
    command = re.search(r"`python -m (demos test_functions --quick --own mine.py)`", README)[1]
    ran = subprocess.run([sys.executable, "-m", *command.split(), "--no-plot"], cwd=tmp_path,
                         env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True)
    assert ran.returncode == 0 and re.search(r"^mine +\d+", ran.stdout, re.M), ran.stderr


def test_lines_of_the_engine_are_counted_as_they_are():
    """If this fails: python -m demos.trial.readme."""
    assert lines.counted(README) == README
    numbers = [int(n) for n in re.findall(r"\| (\d+) \|$", README.split(lines.BEGIN)[1].split(
        lines.END)[0], re.M)]
    assert len(numbers) > 5 and sum(numbers[:-1]) == numbers[-1] < 200


def test_lines_are_code_without_docstrings_and_comments(tmp_path, monkeypatch):
    (tmp_path / "some.py").write_text(
        '@mark\ndef one(x):\n    """Said\n    here."""\n\n    # why\n    return x    # 1\n\n'
        "one.vjp(lambda g: g,\n        None)\n\ntwo = one(3)\n")
    monkeypatch.setattr(lines, "FOLDER", tmp_path / "demos")
    assert lines.lines_of("some.py", ["one"]) == 5
    with pytest.raises(ValueError, match="some.py has no three"):
        lines.lines_of("some.py", ["three"])


def test_two_commands_do_all_the_set_up():
    commands = re.findall(r"^python3 -m venv \.venv && .*$", README, re.M)
    assert len(commands) == 2
    assert commands[0].endswith("-m demos test_functions") and commands[1].endswith("-m pytest")
    assert all("pip install -e" in command for command in commands)


def test_named_files_exist():
    for name in re.findall(r"`((?:minigrad|optim|problems|demos|tests)/[\w/.]*)`", README):
        assert (ROOT / name).exists(), name
