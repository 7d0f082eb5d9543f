"""Programs and tests "on a device": in a process of their own, with the double in CuPy's place."""
import atexit
import functools
import os
import subprocess
import sys
from pathlib import Path

DOUBLE = Path(__file__).parent
ROOT = DOUBLE.parent.parent
SUITE = ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-k", "not process and not parallel")
CORE = ("tests/minigrad", "--ignore=tests/minigrad/graphs",
        "tests/optim", "--ignore=tests/optim/training")


def begun(*args):
    """Python with these arguments, on the double."""
    return subprocess.Popen([sys.executable, *args], cwd=ROOT, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env={
                                **os.environ, "MINIGRAD_BACKEND": "cupy",
                                "PYTHONPATH": f"{DOUBLE}{os.pathsep}{ROOT}"})


@functools.cache
def the_core():
    """The core's tests, begun once: half a minute of a processor. They end with this process."""
    run = begun(*SUITE, *CORE)
    atexit.register(run.kill)
    return run
