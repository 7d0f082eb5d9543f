"""The list of demos, and the one door through which each of them runs.

    python -m demos                   one line for each demo
    python -m demos NAME --help       its question, the expected answer, the time, the source
    python -m demos NAME --quick      run it
    python -m demos all --quick       run every one, and write the ledger of all claims
    python -m demos equations eq. 4   which line computes it

A demo is a module (or package) in this folder, or in one below it, that defines

    SOURCE = "arXiv:..."              where the claim is made
    DTYPE = "float32"                 if it is not float64
    def arguments(parser): ...        flags of its own, optional
    def run(args, report): ...        the work; see `report.Report`

and whose docstring begins with the claim in one line.
"""

import argparse
import ast
import atexit
import difflib
import functools
import importlib
import os
import re
import shutil
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import NamedTuple

from demos.output import columns

FOLDER = Path(__file__).parent

# The matrices here are small: a second BLAS thread gains little, and costs a factor of ten when
# something else is running. Set the variable yourself to use more. It counts when NumPy is
# imported.
for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")


class Found(NamedTuple):
    """A demo as its file tells: module to import, docstring, and whether it reads --data."""

    module: str
    text: str
    chooses_data: bool


def demos():
    """{name: claim in one line} of every module here that defines `run`; read, not imported."""
    return {name: found.text.partition("\n")[0] for name, found in sorted(modules().items())}


def modules():
    """{name: Found} of every demo in this folder and below."""
    return modules_of(FOLDER)


@functools.cache                                        # a hundred files are read once
def modules_of(folder):
    found = {}
    for path in folder.rglob("*.py"):
        package = path.name == "__init__.py"
        place = path.parent if package else path.with_suffix("")
        module = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "run" for node in module.body):
            files = path.parent.rglob("*.py") if package else [path]
            chooses = any(re.search(r"\bargs\.data\b", file.read_text(encoding="utf-8"))
                          for file in files)
            name = ".".join(("demos", *place.relative_to(folder).parts))
            found[place.name] = Found(name, ast.get_docstring(module) or "", chooses)
    return found


def room(name):
    """The folder of a demo below this one: the document it tries."""
    return modules()[name].module.split(".")[1]


def unknown(name, found):
    """What is said of a demo that there is not."""
    near = nearest(name, found)
    hint = f"Did you mean '{near}'?" if near else "`python -m demos` lists them."
    return f"demos: there is no demo '{name}'. {hint}"


def nearest(name, found):
    """The demo that was probably meant: its name begins so, holds the word, or looks like it."""
    name = name.lower().replace("-", "_")
    tests = (lambda known: known.startswith(name), lambda known: name in known.split("_"),
             lambda known: name in known)
    for test in tests if len(name) > 1 else ():
        if fitting := [known for known in found if test(known)]:
            return fitting[0]
    return next(iter(difflib.get_close_matches(name, found, n=1, cutoff=0.4)), None)


def parser_for(name, module, text):
    parser = argparse.ArgumentParser(
        prog=f"python -m demos {name}", description=fit(text),
        formatter_class=argparse.RawDescriptionHelpFormatter)
    common_flags(parser)
    parser.add_argument("--data", default=None, metavar="NAME",
                        help="data set to use, where the demo has a choice")
    if hasattr(module, "arguments"):
        module.arguments(parser)
    return parser


def common_flags(parser):
    """What means the same for every demo, and for all of them."""
    add = parser.add_argument
    add("--quick", action="store_true", help="the smallest run that still shows the claim")
    add("--seed", type=int, default=0, metavar="N", help="seed of every random draw (default 0)")
    add("--out", default="results", metavar="DIR",
        help="folder of the table and figures (default results)")
    add("--data-dir", default=None, metavar="DIR", help="where the data files lie")
    add("--no-plot", action="store_true", help="no figures")
    add("--jobs", type=int, default=1, metavar="N",
        help="processes, for independent runs (default 1)")


def main(argv=None):
    """Run `python -m demos ARGV`; returns 0 done, 1 it could not be done, 2 wrong call."""
    argv = list(sys.argv[1:] if argv is None else argv)
    found = demos()
    if not argv or argv[0] in ("-h", "--help"):
        return show_list(found)
    name = argv[0]
    if name == "equations":
        from demos.trial.equations import main as equations

        return equations(argv[1:])
    if name != "all" and name not in found:
        return complain(unknown(name, found), 2)
    os.environ["MPLBACKEND"] = "Agg"                    # figures are files: no display needed
    try:
        import minigrad
    except (RuntimeError, ValueError) as problem:       # the backend is missing or unknown
        return complain(str(problem), 1)
    if name == "all":
        return run_all(argv[1:])
    os.environ.setdefault("MPLCONFIGDIR", font_folder())
    try:
        from demos.report import Report

        demo = modules()[name]
        module = importlib.import_module(demo.module)
        parser = parser_for(name, module, demo.text)
        args = parser.parse_args(argv[1:])
        if wrong := objection(name, demo, args):
            return complain(wrong, 2)
        minigrad.keep_heap()
        report = Report(name, args, source=module.SOURCE, dtype=getattr(module, "DTYPE", "float64"),
                        output=output_name(name, parser, args))
        report.banner()
        module.run(args, report)
        report.finish()
    except (RuntimeError, OSError) as problem:          # the machine's fault, not the program's
        if os.environ.get("MINIGRAD_TRACEBACK"):
            raise
        return complain(str(problem), 1)
    except (ValueError, TypeError) as problem:          # what was asked for, or what a file holds
        if os.environ.get("MINIGRAD_TRACEBACK"):
            raise
        return complain(f"{problem}\n(MINIGRAD_TRACEBACK=1 shows where this comes from.)", 1)
    except KeyboardInterrupt as stop:                   # training says where it saved the run
        return complain(str(stop) or f"{name}: interrupted.", 130)
    return 0


def run_all(argv):
    """Every demo, and the ledger of their claims."""
    from demos.trial.ledger import main as ledger

    try:
        return ledger(argv)
    except KeyboardInterrupt:
        return complain("all: interrupted. What was done stands in ledger.json.", 130)
    except OSError as problem:                          # the disk
        return complain(str(problem), 1)


def output_name(name, parser, args):
    """NAME, and what was chosen of each flag with choices: `--model cnn` overwrites no mlp."""
    chosen = [getattr(args, action.dest) for action in parser._actions
              if action.choices and not action.nargs and getattr(args, action.dest) != action.default]
    return "_".join([name, *map(str, chosen)])


def miscounted(name, args):
    """Which flag counts less than it can, in a sentence; None if none does."""
    for flag, count in vars(args).items():              # whole numbers here count something
        least = 0 if flag == "seed" else 1
        if type(count) is int and count < least:
            return f"{name}: --{flag} must be at least {least}, got {count}."
    return None


def objection(name, demo, args):
    """What is wrong with the flags, in a sentence; None if nothing is."""
    if wrong := miscounted(name, args):
        return wrong
    if args.data is not None and not demo.chooses_data:
        return (f"{name}: --data {args.data}: this demo has no choice of data. "
                "Leave --data out.")
    return None


def show_list(found):
    width = max(map(len, found), default=0)
    print("python -m demos NAME [--quick] [--seed N] [--out DIR] [--no-plot] [--help]\n"
          "python -m demos all [--quick] [--jobs N]       all of them, and one ledger\n"
          "python -m demos equations [WORD ...]           where a formula is computed\n")
    for name, claim in found.items():
        lines = textwrap.wrap(claim, columns(sys.stdout) - width - 4) or [""]
        print(f"  {name:<{width}}  " + ("\n" + " " * (width + 4)).join(lines))
    return 0


def fit(text):
    """The docstring in lines of the terminal, of 80 columns where there is none. A line that begins "Word   ..." hangs under its text;
    paragraphs that fit, or are indented as a whole, stay as they are."""
    paragraphs, width = [], columns(sys.stdout)
    for paragraph in text.strip().split("\n\n"):
        lines = paragraph.split("\n")
        if max(map(len, lines)) > width and not lines[0].startswith(" "):
            items = re.split(r"\n(?=\w+ {2,})", paragraph)
            hang = [len(re.match(r"(\w+ {2,})?", item).group()) for item in items]
            paragraph = "\n".join(
                item[:n] + textwrap.fill(" ".join(item[n:].split()), width - n).replace(
                    "\n", "\n" + " " * n) for item, n in zip(items, hang))
        paragraphs.append(paragraph)
    return "\n\n".join(paragraphs)


def font_folder():
    """Where matplotlib keeps its list of fonts: in our cache, or where it is gone afterwards."""
    from problems.data import cache_folder

    folder = cache_folder() / "matplotlib"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return str(folder)
    except OSError:
        folder = tempfile.mkdtemp(prefix="minigrad-fonts-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return folder


def complain(sentence, status):
    print(sentence, file=sys.stderr)
    return status


if __name__ == "__main__":
    from demos.output import make_lasting

    make_lasting()
    try:
        status = main()
        sys.stdout.flush()
    except KeyboardInterrupt:                           # before there was anything to interrupt
        status = complain("demos: interrupted.", 130)
    except OSError as problem:                          # nowhere to print to
        status = complain(str(problem), 1)
    sys.exit(status)
