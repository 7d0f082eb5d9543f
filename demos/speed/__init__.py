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

from demos.speed.timing import ONE_THREAD, PEERS
from minigrad import backend

SOURCE = "measured here"
GROUPS = ("tiny", "functions", "mlp", "optimizers", "transformer", "lstm", "cnn", "memory",
          "growth")


def arguments(parser):
    parser.add_argument("--only", default=",".join(GROUPS), metavar="GROUPS",
                        help=f"comma-separated groups out of {', '.join(GROUPS)}")
    parser.add_argument("--peers", default=",".join(PEERS), metavar="PEERS",
                        help=f"comma-separated libraries out of {', '.join(PEERS)}")
    parser.add_argument("--nanogpt", action="store_true",
                        help="train nanoGPT's processor line, ours and torch, and no more")


def run(args, report):
    if backend.on_device:
        raise RuntimeError("speed: it compares libraries on one processor, not on a GPU. "
                           "Run it with MINIGRAD_BACKEND=numpy.")
    for peer in args.peers.split(","):
        if peer and peer not in PEERS:
            raise RuntimeError(f"speed: there is no peer '{peer}'; use {', '.join(PEERS)}.")
    if args.nanogpt:
        return trained(args, report)
    rounds = 5 if args.quick else 15
    rows, groups = [], args.only.split(",")
    asked = dict(origin="ours", where="this machine, one thread",
                 why="a bound this project sets itself, what a readable engine may cost")
    for group in groups:
        if group not in GROUPS:
            raise RuntimeError(f"speed: there is no group '{group}'; use {', '.join(GROUPS)}.")
    for k, group in enumerate(g for g in groups if g not in ("memory", "growth")):
        report.progress(f"timing {group}", k / len(groups))
        result = in_process("measure", group, str(rounds), args.peers)
        report.data[group] = result
        for case in result["cases"]:
            for t in case["timings"]:
                rows.append([t["claim"], 1e6 * t["seconds"], 1e6 * t["reference"],
                             f"{t['ratio']:.2f}", f"{t['low']:.2f}-{t['high']:.2f}", t["bound"]])
                report.claim(t["claim"], round(t["ratio"], 3), round(t["low"], 3),
                             round(t["high"], 3), at_most=t["bound"], **asked,
                             how=f"exact 95 % interval of the median, n = {rounds} rounds")
    if rows:
        b = result["blas"]
        report.note(f"BLAS: {b['library']} {b['version']}, kernel {b['kernel']}, {b['threads']} "
                    f"thread; NumPy's own loops have vectors of {b['vector_bits']} bits. Times in "
                    "microseconds of processor time, one thread; one operation's where a row says "
                    "one.")
        report.table(["work", "ours", "other", "ratio", "95 %", "bound"], rows)
    missing = [p for p in PEERS if p not in args.peers.split(",") or not find_spec(p)]
    if missing:
        report.note(f"Rows left out, since it is not installed or not asked for: "
                    f"{', '.join(missing)}. `pip install -e .[peers]` brings all of them.")
    if "memory" in groups:
        memory(report)
    if "growth" in groups:
        grown(args, report)


def trained(args, report):
    """Time and loss of 2,000 iterations of training, ours and torch's."""
    if not find_spec("torch"):
        raise RuntimeError("speed: --nanogpt compares with torch, which is not installed here. "
                           "`pip install -e .[peers]` brings it.")
    report.progress("training nanoGPT's processor line, ours and torch's in turn")
    root = [args.data_dir] if args.data_dir else []
    result = in_process("training.nanogpt", "100" if args.quick else "2000", *map(str, root))
    report.data["nanogpt"] = result
    report.table(["engine", "seconds of processor", "validation loss"],
                 [[name, result["seconds"][name], result["loss"][name]] for name in result["loss"]],
                 title=f"{result['iterations']} iterations, {result['parameters']} parameters")
    asked = dict(origin="ours", where="this machine, one thread", how="one run", quick=False)
    report.claim("nanoGPT's processor line: our time / torch eager's",
                 result["seconds"]["minigrad"] / result["seconds"]["torch"], at_most=1.0,
                 why="a readable engine need not be slower", **asked)
    report.claim("nanoGPT's processor line: validation loss, in nats", result["loss"]["minigrad"],
                 at_most=1.90, why="1.88 stands in nanoGPT's README for its own model", **asked)


def in_process(module, *arguments):
    """What `python -m demos.speed.MODULE` prints as JSON, run with one thread for every library."""
    done = subprocess.run([sys.executable, "-m", f"demos.speed.{module}", *arguments],
                          env={**os.environ, **ONE_THREAD}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"speed: {arguments[0]}: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout)


def grown(args, report):
    """How cost grows with size: a table of exponents, and the figure."""
    report.progress("measuring growth")
    found = in_process("growth", "2" if args.quick else "0")
    report.data["growth"] = found
    report.table(["what doubles", "from", "to", "us there", "exponent", "in theory"],
                 [[s["name"], s["sizes"][0], s["sizes"][-1], 1e6 * s["seconds"][-1],
                   f"{s['exponent']:.2f}", " to ".join(map(str, dict.fromkeys(s["theory"])))]
                  for s in found],
                 title="Growth of the cost of a gradient (fit over the upper half of the sizes)")
    for s in found:
        report.claim(f"exponent of the cost in the {s['name']}", round(s["exponent"], 3),
                     at_most=s["theory"][1] + 0.1, origin="ours", where="this machine, one thread",
                     how="least squares in logarithms, upper half of the sizes; no interval",
                     quick=False,
                     why="the theoretical exponent, and a tenth for caches that run out")
    if report.plotting:
        from demos.speed.growth import draw
        draw(report, found)


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
                     where="this machine", how="one measurement of each process; no interval",
                     why="torch's library alone takes more")
    found = in_process("memory", "reads")
    (few, many), (less, more) = found["T"], found["bytes"]
    report.claim(f"Hessian-vector product of T reads: bytes at T = {many} / at {few}, beside the "
                 f"{many // few} of T", more / less / (many / few), at_most=1.1, origin="ours",
                 where="this machine", how="one count of the arrays held, the same every time",
                 why="linear in T, and a tenth for what does not grow with it")
    report.data["memory"], report.data["reads"] = rows, found
    report.table(["engine", "peak of the process, MB", "of it the gradient's", "page faults"], rows)
