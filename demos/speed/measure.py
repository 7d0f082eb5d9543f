"""Time the cases of one file in a process of its own:

    python -m demos.speed.measure mlp [ROUNDS [PEER,PEER]]

Prints one JSON object. Run by `python -m demos speed`, which sets one thread for every library.
"""
import dataclasses
import importlib
import json
import os
import resource
import sys

import minigrad
from demos.report.provenance import blas
from demos.speed.timing import PEERS, measure, only, pin


def main(name, rounds=15, peers=",".join(PEERS)):
    pin()
    only(peers.split(","))
    minigrad.keep_heap()
    results = []
    for case in importlib.import_module(f"demos.speed.{name}").cases():
        timings = [dataclasses.asdict(timing) for timing in measure(case, rounds)]
        results.append({"title": case.title, "per": case.per, "timings": timings})
    print(json.dumps({"cases": results, "blas": blas(), "load": os.getloadavg(),
                      "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:3]), *sys.argv[3:4])
