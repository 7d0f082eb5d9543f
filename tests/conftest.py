"""One BLAS thread for the tests, as for the demos: see demos/__main__.py. And the tests of the core
on a device's double run beside the others, on a second processor: see tests/test_device.py."""
import os

from tests.device_double.runs import the_core

for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")


def pytest_collection_finish(session):
    wanted = any(item.name == "test_the_core_on_the_double" for item in session.items)
    if wanted and not session.config.option.collectonly:
        the_core()
