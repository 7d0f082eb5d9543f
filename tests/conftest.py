"""One BLAS thread for the tests, as for the demos: see demos/__main__.py."""
import os

for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")
