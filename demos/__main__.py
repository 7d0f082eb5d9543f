"""The list of demos, and the one door through which each of them runs.

    python -m demos                   one line for each demo
    python -m demos NAME --help       its question, the expected answer, the time, the source
    python -m demos NAME --quick      run it

A demo is a module (or package) in this folder, or in one below it, that defines

    SOURCE = "arXiv:..."              where the claim is made
    DTYPE = "float32"                 if it is not float64
    def arguments(parser): ...        flags of its own, optional
    def run(args, report): ...        the work; see `report.Report`

and whose docstring begins with the claim in one line.
"""

import argparse
import ast
import difflib
import importlib
import os
import re
import sys
import textwrap
from pathlib import Path

FOLDER = Path(__file__).parent

# The matrices here are small: a second BLAS thread gains little, and costs a factor of ten when
# something else is running. Set the variable yourself to use more. It counts when NumPy is
# imported.
for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")
WIDTH = 80                                              # columns of a terminal


def demos():
    """{name: claim in one line} of every module here that defines `run`; read, not imported."""
    return {name: claim for name, (_, claim) in sorted(modules().items())}


def modules():
    """{name: (module to import, claim in one line)} of every demo in this folder and below."""
    found = {}
    for path in FOLDER.rglob("*.py"):
        place = path.parent if path.name == "__init__.py" else path.with_suffix("")
        module = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "run" for node in module.body):
            claim = (ast.get_docstring(module) or "").partition("\n")[0]
            found[place.name] = ".".join(("demos", *place.relative_to(FOLDER).parts)), claim
    return found


def parser_for(name, module):
    parser = argparse.ArgumentParser(
        prog=f"python -m demos {name}", description=fit(module.__doc__),
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--quick", action="store_true", help="the smallest run that still shows the claim")
    add("--seed", type=int, default=0, metavar="N", help="seed of every random draw (default 0)")
    add("--out", default="results", metavar="DIR",
        help="folder of the table and figures (default results)")
    add("--data", default=None, metavar="NAME", help="data set to use, where the demo has a choice")
    add("--data-dir", default=None, metavar="DIR", help="where the data files lie")
    add("--no-plot", action="store_true", help="no figures")
    add("--jobs", type=int, default=1, metavar="N",
        help="processes, for independent runs (default 1)")
    if hasattr(module, "arguments"):
        module.arguments(parser)
    return parser


def main(argv=None):
    """Run `python -m demos ARGV`; returns 0 done, 1 it could not be done, 2 wrong call."""
    argv = list(sys.argv[1:] if argv is None else argv)
    found = demos()
    if not argv or argv[0] in ("-h", "--help"):
        return show_list(found)
    name = argv[0]
    if name not in found:
        near = difflib.get_close_matches(name, found, n=1, cutoff=0.4)
        hint = f"Did you mean '{near[0]}'?" if near else "`python -m demos` lists them."
        return complain(f"demos: there is no demo '{name}'. {hint}", 2)
    os.environ["MPLBACKEND"] = "Agg"                    # figures are files: no display needed
    try:
        import minigrad
    except (RuntimeError, ValueError) as problem:       # the backend is missing or unknown
        return complain(str(problem), 1)
    try:
        from demos.report import Report

        module = importlib.import_module(modules()[name][0])
        parser = parser_for(name, module)
        args = parser.parse_args(argv[1:])
        for flag, count in vars(args).items():          # whole numbers here count something
            least = 0 if flag == "seed" else 1
            if type(count) is int and count < least:
                return complain(f"{name}: --{flag} must be at least {least}, got {count}.", 2)
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


def output_name(name, parser, args):
    """NAME, and what was chosen of each flag with choices: `--model cnn` overwrites no mlp."""
    chosen = [getattr(args, action.dest) for action in parser._actions
              if action.choices and not action.nargs and getattr(args, action.dest) != action.default]
    return "_".join([name, *map(str, chosen), *([args.data] if args.data else [])])


def show_list(found):
    width = max(map(len, found), default=0)
    print("python -m demos NAME [--quick] [--seed N] [--out DIR] [--no-plot] [--help]\n")
    for name, claim in found.items():
        lines = textwrap.wrap(claim, WIDTH - width - 4) or [""]
        print(f"  {name:<{width}}  " + ("\n" + " " * (width + 4)).join(lines))
    return 0


def fit(text):
    """The docstring in lines of 80 columns. A line that begins "Word   ..." hangs under its text;
    paragraphs that fit, or are indented as a whole, stay as they are."""
    paragraphs = []
    for paragraph in text.strip().split("\n\n"):
        lines = paragraph.split("\n")
        if max(map(len, lines)) > WIDTH and not lines[0].startswith(" "):
            items = re.split(r"\n(?=\w+ {2,})", paragraph)
            hang = [len(re.match(r"(\w+ {2,})?", item).group()) for item in items]
            paragraph = "\n".join(
                item[:n] + textwrap.fill(" ".join(item[n:].split()), WIDTH - n).replace(
                    "\n", "\n" + " " * n) for item, n in zip(items, hang))
        paragraphs.append(paragraph)
    return "\n\n".join(paragraphs)


def complain(sentence, status):
    print(sentence, file=sys.stderr)
    return status


if __name__ == "__main__":
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:                             # the reader of the pipe has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    sys.exit(status)
