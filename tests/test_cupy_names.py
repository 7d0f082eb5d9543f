"""Every `xp.` name and keyword that the library uses exists in CuPy: looked up in an installed wheel.

CuPy can be imported without a card, so this runs on any machine where it is installed.
"""
import ast
import inspect
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOST_ONLY = {"vecdot", "add.reduceat"}       # stand behind `if on_device`, in passes.py and backend.py
UFUNC_KEYWORDS = {"out", "dtype", "casting"}


def dotted(node):
    """'linalg.norm' for the expression xp.linalg.norm, None for what does not begin with xp."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join(reversed(names)) if isinstance(node, ast.Name) and node.id == "xp" else None


def used():
    """{name: {keyword: a file that uses it}} of all xp.name in the library."""
    found = {}
    for room in ("minigrad", "optim", "problems"):
        for file in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute) and (name := dotted(node)):
                    found.setdefault(name, {}).setdefault(None, file)
                if isinstance(node, ast.Call) and (name := dotted(node.func)):
                    for keyword in node.keywords:
                        if keyword.arg:
                            found.setdefault(name, {})[keyword.arg] = file
    return found


def keywords_of(function):
    """Keywords a CuPy function takes; None where it cannot be told."""
    if type(function).__name__ == "ufunc":
        return UFUNC_KEYWORDS
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind == p.VAR_KEYWORD for p in parameters):
        return None
    return {p.name for p in parameters}


def test_the_walk_finds_names_and_keywords():
    names = used()
    assert len(names) > 60 and "axis" in names["concatenate"] and "linalg.norm" in names


def test_every_name_and_keyword_is_in_cupy():
    cupy = pytest.importorskip("cupy", reason="no CuPy wheel is installed")
    if hasattr(cupy, "reads"):
        pytest.skip("this is the double, not a wheel")
    wrong, checked = [], 0
    for name, keywords in used().items():
        function = cupy
        for part in name.split("."):
            function = getattr(function, part, None)
        if function is None:
            wrong += [] if name in HOST_ONLY else [f"xp.{name} ({keywords[None]})"]
            continue
        known = keywords_of(function) if callable(function) else None
        for keyword, file in keywords.items():
            if keyword and known is not None:
                checked += 1
                wrong += [] if keyword in known else [f"xp.{name}({keyword}=) ({file})"]
    assert not wrong and checked > 20, (checked, wrong)
