"""Time the cases of one file in a process of its own:  python -m demos.speed.measure mlp [ROUNDS].

Prints one JSON object. Run by `python -m demos speed`, which sets one thread for every library.
"""
import dataclasses
import importlib
import json
import resource
import sys

import minigrad
from demos.speed.timing import blas, measure, pin


def main(name, rounds):
    pin()
    minigrad.keep_heap()
    results = []
    for case in importlib.import_module(f"demos.speed.{name}").cases():
        timings = [dataclasses.asdict(timing) for timing in measure(case, rounds)]
        results.append({"title": case.title, "timings": timings})
    print(json.dumps({"cases": results, "blas": blas(), "torch": "torch" in sys.modules,
                      "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 15)
