"""Every file is Python 3.10, the oldest that is promised, also where a newer one runs the tests."""
import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = [path for room in ("minigrad", "optim", "problems", "demos", "tests")
         for path in sorted((ROOT / room).rglob("*.py"))]


def newer(tree):
    """What of a syntax tree Python 3.10 does not know: x[i, *rest], and except*."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
            # With brackets of its own, x[(i, *rest)], the tuple begins at the bracket.
            if any(isinstance(part, ast.Starred) for part in node.slice.elts) and (
                    node.slice.col_offset == node.slice.elts[0].col_offset
                    and node.slice.lineno == node.slice.elts[0].lineno):
                yield node.lineno
        if type(node).__name__ in ("TryStar", "TypeAlias", "TypeVarTuple"):
            yield node.lineno


def test_no_file_needs_a_newer_python():
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 10))
        assert not list(newer(tree)), f"{path.relative_to(ROOT)}: lines {list(newer(tree))}"


@pytest.mark.parametrize("text, found", [("x[i, *rest]", [1]), ("x[(i, *rest)]", []), ("x[i, j]", [])])
def test_newer_syntax_is_found(text, found):
    try:
        tree = ast.parse(text)
    except SyntaxError:                                 # this Python is the oldest
        return
    assert list(newer(tree)) == found
