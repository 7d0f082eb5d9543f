"""Break the source of the operations, one place at a time, and see whether the graphs notice.

    python -m tests.minigrad.graphs.source_mutants                 all places: half an hour
    python -m tests.minigrad.graphs.source_mutants --every 20 WORD  some, in files with that word

A place is an operator or a float in minigrad/ops: + becomes -, * becomes /, a term is dropped, a
sign is lost, a number grows by a thousandth, > becomes <. Sentences of errors are left alone. The
changed module is imported into a fresh process, which runs the checks of this folder, with the fast
ways and with MINIGRAD_PLAIN=1. Status 0 if at most one in eight goes unnoticed, 1 if more do, 2 if
the checks fail with nothing changed. One in ten changes nothing but speed (which way is taken, how
large a block is), or a constant that cancels, as in the maximum that softmax takes away.
"""
import argparse
import ast
import copy
import importlib.abc
import importlib.machinery
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[3]
FILES = [f for f in sorted((ROOT / "minigrad" / "ops").glob("*.py")) if f.stem != "__init__"]
ALLOWED = 1 / 8
OTHER = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Gt: ast.Lt,
         ast.Lt: ast.Gt}


def changes(node):
    """[(what is done, function that does it to a copy of the node)]."""
    if isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in OTHER:
        yield "other operator", lambda n: setattr(n, "op", OTHER[type(n.op)]())
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        yield "term dropped", lambda n: n.left
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        if not isinstance(node.operand, ast.Constant):
            yield "sign lost", lambda n: n.operand
    if isinstance(node, ast.Constant) and type(node.value) is float and node.value:
        yield "number grown", lambda n: setattr(n, "value", n.value * 1.001)
    if isinstance(node, ast.Compare) and type(node.ops[0]) in OTHER:
        yield "other comparison", lambda n: n.ops.__setitem__(0, OTHER[type(n.ops[0])]())


class Breaking(ast.NodeTransformer):
    """Makes change number `at`; without one, lists all: (line, what, text)."""

    def __init__(self, at=None):
        self.at, self.found = at, []

    def visit(self, node):
        if isinstance(node, (ast.Raise, ast.Assert)):       # sentences
            return node
        self.generic_visit(node)
        for what, change in changes(node):
            self.found.append((getattr(node, "lineno", 0), what, ast.unparse(node)))
            if len(self.found) - 1 == self.at:
                new = copy.deepcopy(node)
                return change(new) or new
        return node


def places(file):
    breaking = Breaking()
    breaking.visit(ast.parse(file.read_text(encoding="utf-8")))
    return breaking.found


class Broken(importlib.abc.MetaPathFinder, importlib.machinery.SourceFileLoader):
    """Imports one module with one change."""

    def __init__(self, file, at):
        importlib.machinery.SourceFileLoader.__init__(self, f"minigrad.ops.{file.stem}", str(file))
        self.at = at

    def find_spec(self, name, path, target=None):
        return importlib.machinery.ModuleSpec(name, self, origin=self.path) if name == self.name \
            else None

    def get_code(self, name):
        tree = Breaking(self.at).visit(ast.parse(self.get_source(name)))
        return compile(ast.fix_missing_locations(tree), self.path, "exec")


def run_checks(file, at):
    """In a process of its own: raises if the change is noticed."""
    sys.meta_path.insert(0, Broken(Path(file), int(at)))
    import minigrad as mg
    from tests.minigrad.graphs import test_derivatives, test_inputs, test_odd_shapes
    from tests.minigrad.graphs.programs.drawn import NAMES, alone, graph, seeds
    module = f"minigrad.ops.{Path(file).stem}"
    if Path(file).stem == "circular":                   # on processors where it is not quicker too
        from minigrad.ops import circular, elementary
        elementary._cos_sin = circular.cos_sin
    NAMES = sorted(NAMES, key=lambda name: getattr(mg, name).__module__ != module)
    for name in NAMES:
        for k in seeds(name, test_derivatives.ALONE):
            test_derivatives.check(alone(name, k), k)
    for name in set(NAMES) & set(test_odd_shapes.ALL):
        test_odd_shapes.check_outcomes(name, range(4))
    for name in NAMES:
        for k in range(4):
            test_derivatives.check(alone(name, k, long=True), k, third=k == 0)
    for k in range(100):
        test_derivatives.check(graph(k), k)
    for name in NAMES:
        test_inputs.test_empty_axes(name)
    test_inputs.check_layout(test_inputs.LAYOUTS["backwards"], test_inputs.both(20, 1))
    test_inputs.check_float32(test_inputs.both(20, 1))


def fate(mutant):
    file, at, (line, what, text) = mutant
    command = [sys.executable, "-W", "ignore", "-c", "from tests.minigrad.graphs.source_mutants "
               f"import run_checks; run_checks({str(file)!r}, {at})"]
    banner = file.read_text(encoding="utf-8").partition("the same, ")[0].count("\n")
    for plain in "10" if line < banner else "01":           # rather where it is at work
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "MINIGRAD_PLAIN": plain,
                       "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        try:
            run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True,
                                 timeout=300)
        except subprocess.TimeoutExpired:
            return True
        if run.returncode:
            return True
    print(f"unnoticed  {file.name}:{line}  {what}: {text[:90]}", flush=True)
    return False


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("which", nargs="?", default="", metavar="WORD")
    parser.add_argument("--jobs", type=int, default=1, metavar="N")
    parser.add_argument("--every", type=int, default=1, metavar="K", help="only every K-th")
    args = parser.parse_args(arguments)
    mutants = [(file, at, place) for file in FILES if args.which in file.name
               for at, place in enumerate(places(file))][::args.every]
    if fate((FILES[0], -1, (0, "nothing", "the unchanged source"))):
        print("source_mutants: the checks fail with nothing changed, and notice nothing.")
        return 2
    with ThreadPoolExecutor(args.jobs) as pool:
        noticed = sum(pool.map(fate, mutants))
    print(f"{noticed} of {len(mutants)} noticed")
    return int(noticed < (1 - ALLOWED) * len(mutants))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
