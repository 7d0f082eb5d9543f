"""How many lines of code stand between nothing and a Hessian-vector product: the README's count.

A row of its table names a file and what of it counts, `minigrad/tensor.py: sweep, handed_on`; the
number behind it is written by `python -m demos.trial.readme`, and held by a test. Counted are the
lines of the functions and classes with these names and of the rules given to them (`mul.vjp(...)`),
without docstrings, comments and empty lines.
"""
import ast
import re

from demos.__main__ import FOLDER

BEGIN, END = "<!-- lines: python -m demos.trial.readme -->", "<!-- end of lines -->"
ROW = re.compile(r"^(\|.*\| `(\S+\.py): ([\w, ]+)` \|) \d+ \|$", re.M)


def lines_of(file, names):
    """Lines of code of these functions and classes of a file of the project."""
    source = (FOLDER.parent / file).read_text(encoding="utf-8")
    parts = {name: [] for name in names}
    for node in ast.parse(source).body:
        if (name := subject(node)) in parts:
            parts[name].append(node)
    if missing := [name for name, nodes in parts.items() if not nodes]:
        raise ValueError(f"README: {file} has no {missing[0]}. Name what took its place.")
    text = source.splitlines()
    return sum(len(code(node, text)) for nodes in parts.values() for node in nodes)


def subject(node):
    """The name that a statement defines, or gives a rule to."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        node = node.value.func
        return node.value.id if isinstance(node, ast.Attribute) and (
            isinstance(node.value, ast.Name)) else None
    return getattr(node, "name", None)


def code(node, text):
    """The numbers of a statement's lines that are code."""
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
    kept = {n for n in range(first, node.end_lineno + 1)
            if text[n - 1].strip() and not text[n - 1].strip().startswith("#")}
    for inner in ast.walk(node):
        if isinstance(inner, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(inner):
            kept -= set(range(inner.body[0].lineno, inner.body[0].end_lineno + 1))
    return kept


def counted(text):
    """The README with the numbers of its table, and their sum, as they are now."""
    head, rest = text.split(BEGIN)
    table, rest = rest.split(END)
    numbers = []

    def row(found):
        numbers.append(lines_of(found[2], found[3].split(", ")))
        return f"{found[1]} {numbers[-1]} |"

    table = re.sub(r"^\| together \| \| \d+ \|$", lambda _: f"| together | | {sum(numbers)} |",
                   ROW.sub(row, table), flags=re.M)
    return head + BEGIN + table + END + rest
