"""The rules of the house: who may import whom, and what is imported at all."""
import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "minigrad": {"minigrad"},
    "optim": {"minigrad", "optim"},
    "problems": {"minigrad", "problems"},
    "problems/landscape": {"minigrad", "optim", "problems"},
    "demos": {"minigrad", "optim", "problems", "demos"},
}
ROOMS = {"minigrad", "optim", "problems", "demos", "tests"}
RUN_TIME = {"numpy", "matplotlib", "cupy"}
FILES = [f for room in ("minigrad", "optim", "problems", "demos")
         for f in sorted((ROOT / room).rglob("*.py"))]


def imports(tree, package):
    """(module, is it at the top of the file) of every import, relative ones made absolute."""
    top = set(tree.body)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node in top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[:len(package) - node.level + 1]) if node.level else ""
            yield ".".join(filter(None, [base, node.module])), node in top


def room_of(path):
    return "problems/landscape" if path.parts[:2] == ("problems", "landscape") else path.parts[0]


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_imports_follow_the_arrows(file):
    import sys
    path = file.relative_to(ROOT)
    room = room_of(path)
    for module, top in imports(ast.parse(file.read_text(encoding="utf-8")), path.parts[:-1]):
        first = module.split(".")[0]
        if first in ROOMS:
            assert first in MAY_IMPORT[room], f"{path} imports {module}"
            if room == "problems":
                assert not module.startswith("problems.landscape"), f"{path} imports {module}"
        elif first in RUN_TIME:
            assert first != "cupy" or path.name == "backend.py", f"{path} imports cupy"
            assert first != "matplotlib" or not top, f"{path} imports matplotlib at the top"
        elif first not in sys.stdlib_module_names:
            peers = path.parts[:2] == ("demos", "speed")
            assert peers and not top, f"{path} imports {module}"


def test_no_room_for_leftovers():
    for file in FILES:
        assert file.stem not in ("utils", "helpers", "common", "misc"), file


def test_core_is_short():
    lines = sum(len((ROOT / "minigrad" / name).read_text().splitlines())
                for name in ("tensor.py", "transforms.py"))
    assert lines < 350
