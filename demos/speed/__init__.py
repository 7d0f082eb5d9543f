"""The engine against hand-written NumPy, torch eager and autograd, on one processor.

Question   What does a readable tape cost, against a backward pass written by hand and against the
           libraries people use?
Answer     Ratios of CPU time, one thread, below the bounds shown; a bound that is missed is shown
           as failing.
Method     Each group runs in a process of its own with one thread for every library. The engines
           work on the same arrays, must agree before they are timed, and take turns; medians and
           quartiles of the ratio within each round. torch and autograd come with
           `pip install -e .[peers]`; without them their rows are missing.
Time       About three minutes; --quick about one.  --only mlp,functions picks groups.
Source     Measured here; nothing is published elsewhere.
"""
import json
import os
import subprocess
import sys

from demos.speed.timing import ONE_THREAD
from minigrad import backend

SOURCE = "measured here"
GROUPS = ("tiny", "functions", "mlp", "optimizers", "transformer", "lstm", "cnn")


def arguments(parser):
    parser.add_argument("--only", default=",".join(GROUPS), metavar="GROUPS",
                        help=f"comma-separated groups out of {', '.join(GROUPS)}")


def run(args, report):
    if backend.on_device:
        raise RuntimeError("speed: it compares libraries on one processor, not on a GPU. "
                           "Run it with MINIGRAD_BACKEND=numpy.")
    rounds = 5 if args.quick else 15
    rows = []
    for group in args.only.split(","):
        if group not in GROUPS:
            raise RuntimeError(f"speed: there is no group '{group}'; use {', '.join(GROUPS)}.")
        report.progress(f"timing {group}")
        done = subprocess.run([sys.executable, "-m", "demos.speed.measure", group, str(rounds)],
                              env={**os.environ, **ONE_THREAD}, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"speed: {group}: {done.stderr.strip().splitlines()[-1]}")
        result = json.loads(done.stdout)
        report.data[group] = result
        for case in result["cases"]:
            for t in case["timings"]:
                rows.append([t["claim"], 1e6 * t["seconds"], 1e6 * t["reference"],
                             f"{t['ratio']:.2f}", f"{t['low']:.2f}-{t['high']:.2f}", t["bound"]])
                report.claim(t["claim"], round(t["ratio"], 3), round(t["low"], 3),
                             round(t["high"], 3), at_most=t["bound"])
    report.note(f"BLAS: {result['blas']}. Times in microseconds of CPU time, one thread.")
    report.table(["work", "ours", "other", "ratio", "quartiles", "bound"], rows)
    if not result["torch"]:
        report.note("torch is not installed here: its rows are missing. "
                    "`pip install -e .[peers]` brings it.")
