"""Every demo in turn, and one ledger of all their claims: `python -m demos all`.

    python -m demos all --quick --jobs 2      the smallest runs, two at a time
    python -m demos all sam decay             these two
    python -m demos all --seed 1 --out again  every run as it is, with another seed

Each demo runs in a process of its own, so one that fails ends nothing but itself: what it said last
stands in its place in the ledger. DIR/ledger.json is written anew after each of them,
DIR/index.html when all are done or the work is interrupted; both in one step, so what is there is
whole.

    ledger.json   {"quick", "seed", "demos": [{"demo", "document", "claim", "command", "status",
                  "seconds", "said", "figures", "claims": [...]}]}; a claim as in the demo's own
                  file, with `line`, the place in the source that computes it
    index.html    the same to be read, with the figures inside: see `page.py`
"""
import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed

from demos.__main__ import FOLDER, common_flags, complain, demos, miscounted, room, unknown
from demos.report import writable, write
from demos.trial.page import VERDICTS, page

DOCUMENTS = {
    "induced_metric": "A. Optimisers from the induced metric, arXiv:2509.03594",
    "topography": "B. SGD against quasi-Newton, arXiv:2602.21276",
    "landscape": "C. A tutorial on loss landscapes",
    "alpha_beta": "D. The alpha-beta condition, arXiv:2410.12455",
    "lmo": "E. Adaptive LMO geometries, arXiv:2605.19781",
    "trial": "All five: what is wrong in print",
    "speed": "The engine",
}


def parser():
    parser = argparse.ArgumentParser(prog="python -m demos all", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="demos to run (default: all)")
    common_flags(parser)
    return parser


def main(argv):
    """Run `python -m demos all ARGV`; returns 0 if every demo ended well, else 1; 2 wrong call."""
    args = parser().parse_args(argv)
    known = demos()
    wrong = [unknown(name, known) for name in args.names if name not in known]
    if wrong := next(iter(wrong), None) or miscounted("all", args):
        return complain(wrong, 2)
    folder = writable(args.out)
    names = sorted(dict.fromkeys(args.names or known),
                   key=lambda name: (list(DOCUMENTS).index(room(name)), name))
    return 0 if all(entry["status"] == 0 for entry in run_all(names, args, folder)) else 1


def run_all(names, args, folder):
    """Run the demos, args.jobs at a time: the ledger after each, the page at the end, also when
    the work is interrupted; returns the entries."""
    entries, children, began = {}, set(), time.monotonic()
    print(f"{len(names)} demos, {args.jobs} at a time", flush=True)
    try:
        with ThreadPoolExecutor(args.jobs) as pool, ending(pool, children):
            waiting = [pool.submit(run_one, name, args, folder, children) for name in names]
            for done, future in enumerate(as_completed(waiting), 1):
                entry = future.result()
                entries[entry["demo"]] = entry
                left = (time.monotonic() - began) / done * (len(names) - done)
                print(f"{done:3}/{len(names)}  {summary(entry)}   {left:.0f} s left", flush=True)
                ledger = dict(quick=args.quick, seed=args.seed,
                              demos=[entries[name] for name in names if name in entries])
                keep(folder / "ledger.json", json.dumps(ledger, indent=1) + "\n")
    finally:
        if entries:
            keep(folder / "index.html", page(ledger, folder))
    total = Counter(claim["verdict"] for entry in entries.values() for claim in entry["claims"])
    print(", ".join(f"{total[word]} {word}" for word in VERDICTS)
          + f"\nsaved {folder / 'ledger.json'}\nsaved {folder / 'index.html'}")
    return list(entries.values())


@contextlib.contextmanager
def ending(pool, children):
    """Whatever interrupts us ends the demos that run, and those that wait never begin."""
    try:
        yield
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in list(children):
            child.send_signal(signal.SIGINT)
        raise


def keep(path, text):
    write(path, lambda stream: stream.write(text.encode()))


def run_one(name, args, folder, children):
    """One demo in a process of its own; its entry in the ledger."""
    flags = [*(["--quick"] if args.quick else []), *(["--no-plot"] if args.no_plot else []),
             *(["--seed", str(args.seed)] if args.seed else []),
             *(["--data-dir", args.data_dir] if args.data_dir else [])]
    began, wall = time.monotonic(), time.time()
    path = os.pathsep.join(filter(None, [str(FOLDER.parent), os.environ.get("PYTHONPATH")]))
    with subprocess.Popen([sys.executable, "-m", "demos", name, *flags, "--out", str(folder)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", env={**os.environ, "PYTHONPATH": path}) as child:
        children.add(child)
        said = [line for line in child.communicate()[0].strip().splitlines()
                if not line.startswith("(MINIGRAD_TRACEBACK")]          # a hint, no reason
        children.discard(child)
    found = written(folder / f"{name}.json", wall) if child.returncode == 0 else {}
    return dict(demo=name, document=DOCUMENTS[room(name)], claim=demos()[name],
                command=" ".join(["python -m demos", name, *flags]), status=child.returncode,
                seconds=round(time.monotonic() - began, 1),
                said=None if child.returncode == 0 else (said or ["nothing"])[-1],
                figures=found.get("figures", []), claims=found.get("claims", []))


def written(path, since):
    """The record that a run has just written; {} if the file is an older one, or none."""
    if not path.exists() or path.stat().st_mtime < since - 2.0:     # some disks round to seconds
        return {}
    return json.loads(path.read_text(encoding="utf-8"))


def summary(entry):
    counts = Counter(claim["verdict"] for claim in entry["claims"])
    verdicts = ", ".join(f"{counts[word]} {word}" for word in VERDICTS if counts[word])
    said = verdicts if entry["status"] == 0 else f"ended with {entry['status']}: {entry['said']}"
    return f"{entry['demo']:<20} {entry['seconds']:6.1f} s  {said}"
