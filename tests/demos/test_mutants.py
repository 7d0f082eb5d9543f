"""The suite notices at least fourteen of fifteen deliberate errors: see mutants.py."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.demos.library_mutants import LIBRARY
from tests.demos.mutants import ROOT, VERDICTS

LISTS = {"verdicts": VERDICTS, "library": LIBRARY}
EVERY = os.environ.get("MINIGRAD_MUTANTS_EVERY", "1")


@pytest.mark.parametrize("which", LISTS)
def test_every_deliberate_error_fits_the_code(which):
    for name, old, new, _ in LISTS[which]:
        assert old != new and old in (ROOT / name).read_text(encoding="utf-8"), f"{name}: {old!r}"


@pytest.mark.slow
@pytest.mark.parametrize("which", LISTS)
def test_deliberate_errors_are_noticed(which):
    script = Path(__file__).parent / "mutants.py"
    run = subprocess.run([sys.executable, script, which, "--jobs", "2", "--every", EVERY],
                         capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
