"""What a reader may rely on: nothing is written but in --out and the cache, and the same command
gives the same numbers, again and with --jobs 2."""
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from demos.__main__ import FOLDER, modules
from tests.demos.quick_runs import folder_made, record

ROOT = FOLDER.parent
TIMES = ("seconds", "processor_seconds", "peak_memory_mb", "date", "pace", "jobs", "out", "commit")
# What these are about is time: their numbers differ from run to run.
CLOCKS = {"cost", "errata", "lmo_geometry", "overhead", "speed", "loss_surface",
          "conditions_networks"}


def run(name, folder, *flags, cwd=None, env=()):
    done = subprocess.run(
        [sys.executable, "-m", "demos", name, "--quick", "--out", str(folder), *flags],
        cwd=cwd or ROOT, capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **dict(env)})
    assert done.returncode == 0, done.stderr
    return numbers(json.loads((Path(folder) / f"{name}.json").read_text()))


def numbers(record):
    """The record without what only says when, where and how fast."""
    if isinstance(record, dict):
        return {key: numbers(value) for key, value in record.items() if key not in TIMES}
    return [numbers(value) for value in record] if isinstance(record, list) else record


def files(folder):
    return {path: path.stat().st_mtime_ns for path in Path(folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts and ".git" not in path.parts
            and ".pytest_cache" not in path.parts}


def check_trust(name, tmp_path):
    here, home, out, cache = (tmp_path / part for part in ("here", "home", "out", "cache"))
    here.mkdir(), home.mkdir()
    places = {"HOME": str(home), "XDG_CACHE_HOME": str(cache), "TMPDIR": str(tmp_path / "tmp")}
    (tmp_path / "tmp").mkdir()
    before = files(ROOT)
    second = run(name, out, "--jobs", "2", cwd=here, env=places)
    assert not files(here) and not files(home) and not files(tmp_path / "tmp")
    assert files(ROOT) == before
    assert {path.name for path in out.rglob("*.png")} == set(second["figures"])
    made = folder_made(name)
    first = numbers(record(name, made)) if made else run(name, tmp_path / "again")
    assert first == second, f"{name}: --jobs 2 gives other numbers"


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(modules()) - CLOCKS))
def test_nothing_is_written_elsewhere_and_numbers_repeat(name, tmp_path):
    check_trust(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(CLOCKS))
def test_demos_of_time_write_nowhere_else(name, tmp_path):
    if folder_made(name):
        pytest.skip("the run was made before; .ci/run looks what was written where")
    before = files(ROOT)
    here = tmp_path / "here"
    here.mkdir()
    run(name, tmp_path / "out", cwd=here, env={"XDG_CACHE_HOME": str(tmp_path / "cache")})
    assert not files(here) and files(ROOT) == before
