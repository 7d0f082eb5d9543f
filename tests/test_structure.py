"""The rules of the house: who may import whom, what is imported at all, how full a room may be.

`python -m tests.test_structure` prints the picture: every room and the rooms it imports from.
"""
import ast
import functools
import sys
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
HOUSE = ("minigrad", "optim", "problems", "demos")
ROOMS = {*HOUSE, "tests"}
RUN_TIME = {"numpy", "matplotlib", "cupy"}
FILES = [f for room in HOUSE for f in sorted((ROOT / room).rglob("*.py"))]
CROWDED = {"minigrad/ops", "problems/data"}       # lists of operations and of data sets may be long
ENTRIES = 14

# Between the folders of one floor: what each wing of a room may stand on, itself aside.
WINGS = {
    "problems/landscape": {
        "curvature": set(),
        "critical": {"curvature"},
        "slices": {"curvature"},
        "paths": {"curvature", "slices"},
        "alignment": {"curvature", "slices", "paths"},
        "conditions": {"curvature", "slices"},
    },
    "problems": {
        "functions": set(), "potentials": {"functions"}, "saddles": set(), "finite_sums": set(),
        "data": set(), "networks": set(),
        "landscape": {"functions", "potentials", "saddles", "finite_sums", "data", "networks"},
    },
}


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(file): file for file in FILES}


@functools.cache                                        # every file is read once
def imports(file):
    """(module, is it at the top of the file) of every import, relative ones made absolute.

    `from a.b import c` is a.b.c where that is a file, and a.b where c is a name in it.
    """
    package = file.relative_to(ROOT).parts[:-1]
    tree = ast.parse(file.read_text(encoding="utf-8"))
    top, found = set(tree.body), []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node in top) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[:len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *filter(None, [node.module])])
            for alias in node.names:
                whole = f"{module}.{alias.name}"
                found.append((whole if whole in MODULES else module, node in top))
    return found


def room_of(path):
    return "problems/landscape" if path.parts[:2] == ("problems", "landscape") else path.parts[0]


def picture():
    """{folder: the other folders its files import from, at the top}."""
    arrows = {}
    for name, file in MODULES.items():
        here = str(file.parent.relative_to(ROOT))
        for module, top in imports(file):
            if top and module in MODULES:
                there = str(MODULES[module].parent.relative_to(ROOT))
                arrows.setdefault(here, set()).update({there} - {here})
    return arrows


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_imports_follow_the_arrows(file):
    path = file.relative_to(ROOT)
    room = room_of(path)
    for module, top in imports(file):
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


@pytest.mark.parametrize("floor", WINGS)
def test_no_new_arrow_between_wings(floor):
    """A wing imports from the wings it stands on, and from no other: see the picture."""
    found = {}
    for here, others in picture().items():
        if not here.startswith(floor + "/"):
            continue
        wing = here[len(floor) + 1:].split("/")[0]
        wings = {there[len(floor) + 1:].split("/")[0] for there in others
                 if there.startswith(floor + "/")}
        found.setdefault(wing, set()).update(wings - {wing})
    for wing, others in found.items():
        assert wing in WINGS[floor], f"a new wing {floor}/{wing}: draw it into the picture, WINGS"
        assert others <= WINGS[floor][wing], (
            f"{floor}/{wing} imports from {sorted(others - WINGS[floor][wing])}: a new arrow. Move "
            "what both need to the lower wing, or draw the arrow into the picture, WINGS.")


def test_no_circles():
    """No module needs, while it is imported, a module that needs it."""
    needs = {name: {m for m, top in imports(file) if top and m in MODULES and m != name}
             for name, file in MODULES.items()}
    while True:                                       # take away what needs nothing that is left
        free = {name for name, others in needs.items() if not others & needs.keys()}
        if not free:
            break
        needs = {name: others for name, others in needs.items() if name not in free}
    assert not needs, f"a circle of imports among {sorted(needs)}"


def test_no_crowded_room():
    """A folder's listing is its table of contents: at most ENTRIES names."""
    for folder in {file.parent for file in FILES}:
        name = str(folder.relative_to(ROOT))
        entries = [p for p in folder.iterdir() if p.name not in ("__pycache__", "__init__.py")]
        assert len(entries) <= ENTRIES or name in CROWDED, (
            f"{name} has {len(entries)} entries: {sorted(p.name for p in entries)}")


def test_no_room_for_leftovers():
    for file in FILES:
        assert file.stem not in ("utils", "helpers", "common", "misc"), file


def test_core_is_short():
    lines = sum(len((ROOT / "minigrad" / name).read_text().splitlines())
                for name in ("tensor.py", "transforms.py"))
    assert lines <= 350


@pytest.mark.parametrize("name", ["tensor.py", "transforms.py"])
def test_functions_of_the_core_fit_a_glance(name):
    """No function of the core is longer than 30 lines of code; the sweep has at most 20."""
    text = (ROOT / "minigrad" / name).read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            code = lines_of_code(node, text)
            limit = 20 if node.name == "sweep" else 30
            assert code <= limit, f"{name}: {node.name} has {code} lines of code"


def lines_of_code(node, text):
    """Lines of a function that are neither blank, nor comment, nor docstring."""
    first, last = node.lineno, node.end_lineno
    words = node.body[0] if ast.get_docstring(node) else None
    skipped = set(range(words.lineno, words.end_lineno + 1)) if words else set()
    lines = text.splitlines()
    return sum(1 for i in range(first, last + 1) if i not in skipped
               and lines[i - 1].strip() and not lines[i - 1].strip().startswith("#"))


if __name__ == "__main__":
    for folder, others in sorted(picture().items()):
        print(f"{folder:<32} {' '.join(sorted(others))}")
