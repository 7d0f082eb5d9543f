"""Formulas in docstrings are written in Greek, code in Latin: θ, λ, η beside theta, decay, lr."""
import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = [file for room in ("minigrad", "optim", "problems") for file in
         sorted((ROOT / room).rglob("*.py"))]
SPELLED = "alpha|beta|gamma|gam|delta|eta|theta|lambda|lam|mu|xi|rho|sigma|tau|phi|chi|psi|nabla"
# In a formula a letter stands beside an operator; as the name of an argument it does not.
BESIDE = re.compile(rf"(?:[-+*/^=<>|√∇Σ]\s?)({SPELLED})\b(?![.=(\[])"
                    rf"|\b({SPELLED})(?:\^|\s?(?:[-+*/←]|<-|<=|>=)\s)")
CODE = re.compile(r"alpha-beta|>>> .*|\.\.\. .*|-> \w+|theta \+ \w+\[?|`[^`]*`|>>> .*|self\.\w+ .*|\w+\[.*|\w+\([^()]*(?:\([^()]*\))?[^()]*\)")


def docstrings(tree):
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            yield getattr(node, "name", "module"), ast.get_docstring(node) or ""


def spelled_out(text):
    return [line for line in text.splitlines() if BESIDE.search(CODE.sub("", line))]


def test_the_search_finds_and_spares():
    assert spelled_out("x <- x - eta g") and spelled_out("1 + rho^2") and spelled_out("-lambda v")
    assert spelled_out("theta <- theta - lr g")
    assert not spelled_out("θ ← θ - η g") and not spelled_out("rho     ρ  radius, `rho * g`")
    assert not spelled_out("train(theta=theta, lr=eta) for theta (n, d)")


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_formulas_are_greek(file):
    for name, text in docstrings(ast.parse(file.read_text(encoding="utf-8"))):
        assert not spelled_out(text), f"{file.stem}.{name}: {spelled_out(text)}"
