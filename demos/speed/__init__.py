"""The engine against hand-written NumPy, torch eager and autograd, on one processor.

Question   What does a readable tape cost, against a backward pass written by hand and against the
           libraries people use?
Answer     Ratios of CPU time, one thread, below the bounds shown; a bound that is missed is shown
           as failing.
Method     Each group runs in a process of its own with one thread for every library. The engines
           work on the same arrays, must agree before they are timed, and take turns; the median
           of the ratio within each round, with its exact 95 % interval. torch and autograd come
           with `pip install -e .[peers]`; without them their rows are missing.
Time       About three minutes; --quick about one.  --only mlp,functions picks groups.
Source     Measured here; nothing is published elsewhere.
"""
import json
import os
import subprocess
import sys
from importlib.util import find_spec

from demos.speed.timing import ONE_THREAD
from minigrad import backend

SOURCE = "measured here"
GROUPS = ("tiny", "functions", "mlp", "optimizers", "transformer", "lstm", "cnn", "memory")


def arguments(parser):
    parser.add_argument("--only", default=",".join(GROUPS), metavar="GROUPS",
                        help=f"comma-separated groups out of {', '.join(GROUPS)}")


def run(args, report):
    if backend.on_device:
        raise RuntimeError("speed: it compares libraries on one processor, not on a GPU. "
                           "Run it with MINIGRAD_BACKEND=numpy.")
    rounds = 5 if args.quick else 15
    rows, groups = [], args.only.split(",")
    asked = dict(origin="ours", where="this machine, one thread",
                 why="a bound this project sets itself, what a readable engine may cost")
    for group in groups:
        if group not in GROUPS:
            raise RuntimeError(f"speed: there is no group '{group}'; use {', '.join(GROUPS)}.")
    for group in [g for g in groups if g != "memory"]:
        report.progress(f"timing {group}")
        result = in_process("measure", group, str(rounds))
        report.data[group] = result
        for case in result["cases"]:
            for t in case["timings"]:
                rows.append([t["claim"], 1e6 * t["seconds"], 1e6 * t["reference"],
                             f"{t['ratio']:.2f}", f"{t['low']:.2f}-{t['high']:.2f}", t["bound"]])
                report.claim(t["claim"], round(t["ratio"], 3), round(t["low"], 3),
                             round(t["high"], 3), at_most=t["bound"], **asked,
                             how=f"exact 95 % interval of the median, n = {rounds} rounds")
    if rows:
        report.note(f"BLAS: {result['blas']}. Times in microseconds of CPU time, one thread.")
        report.table(["work", "ours", "other", "ratio", "95 %", "bound"], rows)
    if not find_spec("torch"):
        report.note("torch is not installed here: its rows are missing. "
                    "`pip install -e .[peers]` brings it.")
    if "memory" in groups:
        memory(report)


def in_process(module, *arguments):
    """What `python -m demos.speed.MODULE` prints as JSON, run with one thread for every library."""
    done = subprocess.run([sys.executable, "-m", f"demos.speed.{module}", *arguments],
                          env={**os.environ, **ONE_THREAD}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"speed: {arguments[0]}: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout)


def memory(report):
    """The transformer's gradient: peak memory of the process, and page faults of a step."""
    report.progress("measuring memory")
    ours = in_process("memory", "minigrad")
    rows = [["minigrad", *(round(ours[key]) for key in ("peak", "growth", "faults"))]]
    report.claim("page faults in one training step of the transformer", ours["faults"], at_most=50,
                 origin="ours", where="this machine", how="one count, after three steps",
                 why="a heap that is kept asks the system for next to nothing")
    if find_spec("torch"):
        torch = in_process("memory", "torch")
        rows.append(["torch", *(round(torch[key]) for key in ("peak", "growth", "faults"))])
        report.claim("transformer gradient, peak memory of the process / torch's",
                     round(ours["peak"] / torch["peak"], 3), at_most=0.5, origin="ours",
                     where="this machine", how="one measurement of each process",
                     why="torch's library alone takes more")
    report.data["memory"] = rows
    report.table(["engine", "peak of the process, MB", "of it the gradient's", "page faults"], rows)
