"""Which line computes equation 4? `python -m demos equations`: the papers' formulas, and where each
of them is written.

    python -m demos equations                     all of them, document by document
    python -m demos equations 2602.21276 eq. 4    one formula of one paper, by its number at arXiv
    python -m demos equations D theorem           the fourth document's theorems
    python -m demos equations lanczos             whatever speaks of Lanczos

There is no list to keep: a formula is named where it is written, in the `Source:` paragraph of a
docstring,

    Source: Yu & Morozov 2026, arXiv:2602.21276, eqs. 4 and 5, Algorithm 2; and its public code.

or behind itself, as (eq. 4), which is the eq. 4 of the first work that the paragraph names. A
formula whose source gives no number is listed by the first sentence of its docstring.
"""
import ast
import functools
import re
import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

from demos.__main__ import FOLDER
from demos.output import columns
from demos.trial.ledger import DOCUMENTS

ROOMS = ("minigrad", "optim", "problems", "demos")
OTHERS = "C, and the works that all of them stand on"
PAPERS = {title.partition("arXiv:")[2]: title for title in DOCUMENTS.values() if "arXiv:" in title}
KINDS = {"eq": "eq.", "equation": "eq.", "algorithm": "Algorithm", "recipe": "Recipe",
         "definition": "definition", "theorem": "theorem", "example": "example",
         "section": "section", "figure": "figure"}
KIND, NUMBER = rf"({'|'.join(KINDS)})s?\.?", r"\d+(?:\.\d+)*"
PLACE = re.compile(rf"\b{KIND} ({NUMBER}(?:(?:, and |, | and | to ){NUMBER})*)", re.I)
BEHIND = re.compile(rf"\((?:its )?({KIND} {NUMBER})\)$", re.I)
ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")
WORK = re.compile(r"(?:[\w ]+: )?([A-Z][^\d:]*? (?:19|20)\d\d)\b")     # who wrote it, and when
SOURCE = re.compile(r"^[ ]*Source:? +(.*?)(?=\n\s*\n|\n[ ]*(?:Differs|Errata|Raises|State)\b|\Z)",
                    re.M | re.S)


class Entry(NamedTuple):
    """One formula of one work.

    work     its number at arXiv, or who wrote it and when
    place    "eq. 4", or "" where the docstring names no number
    where    FILE:LINE from the project's root
    name     of the class, function or module
    says     the docstring's first sentence
    formula  the one of this place if it is marked, else the docstring's first; or ""
    """

    work: str
    place: str
    where: str
    name: str
    says: str
    formula: str

    @property
    def document(self):
        return PAPERS.get(self.work, OTHERS)


def main(words):
    """Print the formulas that all the words fit; returns 0, or 1 where there are none."""
    if words and words[0] in ("-h", "--help"):
        print(__doc__.strip())
        return 0
    found = [entry for entry in entries() if fits(entry, words)]
    if not found:
        print(f"equations: none fits {' '.join(words)!r}. Try a paper's number, a document's letter "
              "(A to E), or one word; without any, all are listed.")
        return 1
    for title in (*PAPERS.values(), OTHERS):
        of_title = sorted((e for e in found if e.document == title), key=order)
        if of_title:
            print(f"\n{title}\n" + "\n".join(map(shown, of_title)))
    return 0


@functools.cache
def entries(root=FOLDER.parent):
    """Every formula with a source in the project, file by file."""
    found = []
    for path in sorted(path for room in ROOMS for path in Path(root, room).rglob("*.py")):
        listing = "demos" in path.relative_to(root).parts or path.name == "__init__.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)) or (
                    isinstance(node, ast.Module) and not listing):
                found += of_docstring(node, path.relative_to(root))
    return found


def of_docstring(node, path):
    """The entries of one docstring: one for each place that its source names, or one without."""
    text = ast.get_docstring(node) or ""
    cited = [work for paragraph in SOURCE.findall(text) for work in works(paragraph)]
    if not cited:
        return []
    name, says, begin = getattr(node, "name", path.stem), text.partition("\n")[0], node.body[0].lineno
    marked, listed = behind(text), formulas(text)
    k, general = next(iter(listed.items()), (0, ""))
    line = getattr(node, "lineno", begin + k)               # of a module: where its formula stands
    pairs = [(work, place) for work, places in cited for place in places or [""]]
    pairs += [(cited[0][0], place) for place in marked if (cited[0][0], place) not in pairs]
    found = []
    for work, place in pairs:
        k, formula = marked.get(place, (None, general))
        at = line if k is None else begin + k
        if place or formula and not (marked and work == cited[0][0]):
            found.append(Entry(work, place, f"{path}:{at}", name, says, formula))
    return found


def works(paragraph):
    """[(work, [places])] of a Source paragraph: a place belongs to the work named before it."""
    found = []
    for part in re.split(r";|(?<![A-Z])\. (?=[A-Z])", " ".join(paragraph.split())):
        ids = list(ARXIV.finditer(part))
        ends = [paper.start() for paper in ids[1:]] + [len(part)]
        for paper, end in zip(ids, ends):
            found.append((paper[1], places(part[paper.end():end])))
        if not ids and (work := WORK.match(part.strip())):
            found.append((work[1], places(part)))
    return found


def places(text):
    """["eq. 4", "eq. 5", ...]: lists and ranges in full."""
    found = []
    for kind, numbers in PLACE.findall(text):
        for part in re.split(r", and |, | and ", numbers):
            first, _, last = part.partition(" to ")
            run = range(int(first), int(last) + 1) if last else [first]
            found += [f"{KINDS[kind.lower()]} {number}" for number in run]
    return list(dict.fromkeys(found))


def formulas(text):
    """{line of the docstring from 0: formula}: indented lines that relate two things."""
    return {k: " ".join(line.split()) for k, line in enumerate(text.splitlines())
            if k and line.startswith("    ") and re.search(r"[=←→≤≥]|<-|<=|>=", line)}


def behind(text):
    """{place: (line of the docstring from 0, formula)} of the lines that end in their number."""
    found, lines = {}, text.splitlines()
    for k, line in enumerate(lines):
        if mark := BEHIND.search(line):
            first = k
            while first > 1 and lines[first].strip()[0] in "+-":        # goes on from the line above
                first -= 1
            formula = " ".join([*lines[first:k], line[:mark.start()]])
            found[places(mark[1])[0]] = first, " ".join(formula.split())
    return found


def fits(entry, words):
    """Whether the entry's is the place that the words name, if they do, and each other word is its
    document's letter or stands in it."""
    asked = " ".join(words)
    if (named := places(asked)) and entry.place not in named:
        return False
    text = " ".join((entry.document, *entry)).lower()
    return all(entry.document.startswith(word) if word in ("A", "B", "C", "D", "E")
               else word.lower() in text for word in PLACE.sub("", asked).split())


def order(entry):
    """Numbered places first, by kind and number; the rest file by file."""
    kind, _, number = entry.place.partition(" ")
    rank = list(KINDS.values()).index(kind) if kind else len(KINDS)
    return rank, [int(n) for n in number.split(".")] if number else [], entry.where


def shown(entry):
    """Three lines: which formula, what it says, where it stands."""
    work = "" if entry.work in PAPERS else f"{entry.work} "
    name = (work + entry.place).strip()
    above = f"{name}: {entry.says}" if name else entry.says
    width = columns(sys.stdout)
    lines = [textwrap.shorten(above, width - 3, placeholder=" ...")]
    if entry.formula:
        lines.append("    " + textwrap.shorten(entry.formula, width - 7, placeholder=" ..."))
    return textwrap.indent("\n".join([*lines, f"    {entry.where} {entry.name}"]), "  ")
