"""The suite notices at least fourteen of fifteen deliberate errors: see mutants.py."""
import os
import subprocess
import sys
from pathlib import Path

import pytest


EVERY = os.environ.get("MINIGRAD_MUTANTS_EVERY", "1")


@pytest.mark.slow
@pytest.mark.parametrize("which", ["verdicts", "library"])
def test_deliberate_errors_are_noticed(which):
    script = Path(__file__).parent / "mutants.py"
    run = subprocess.run([sys.executable, script, which, "--jobs", "2", "--every", EVERY],
                         capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
