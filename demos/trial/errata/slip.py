"""A slip: what is printed, what happens when that is executed, what stands corrected, the claim.

A claim of a slip is one of ours: that the printed form does not do what the document has it do. It
is decided by numbers worked out here, or read from a kept run, and it fails where the printed form
is right after all.
"""
import json
import textwrap
from typing import Any, NamedTuple

from demos.__main__ import FOLDER
from demos.tables import WIDTH, show

LABELS = ("printed", "gives", "corrected", "gives")
ONE = "exact: one deterministic run"


class Slip(NamedTuple):
    """One slip of a document.

    mark       letter of the document and a number, "B1";   title, where   what, and where it stands
    texts      (printed, what it gives, corrected, what that gives), in words and numbers of ours
    claim      text;   value   (measured, low, high) of it, or a number
    settings   of the claim: the criterion, how, and why or lesson
    pair       (as printed, as found), two positive numbers to be compared in the figure, or None
    picture    what the figure draws of this slip, or None
    """

    mark: str
    title: str
    where: str
    texts: tuple
    claim: str
    value: Any
    settings: dict
    pair: tuple | None = None
    picture: Any = None


def tell(report, slip):
    """Print the slip and make its claim."""
    lines = [f"{slip.mark}  {slip.title} ({slip.where})"]
    for label, text in zip(LABELS, slip.texts):
        lines += textwrap.wrap(text, WIDTH - 4, initial_indent=f"{label:<12}",
                               subsequent_indent=" " * 12)
    report.quote("\n".join(lines))
    value = slip.value if isinstance(slip.value, tuple) else (slip.value,)
    return report.claim(f"{slip.mark}: {slip.claim}", *value, origin="ours",
                        where=f"{slip.title}: {slip.where}", **slip.settings)


def numbers(values):
    """Several numbers as text, as a table shows them."""
    return ", ".join(map(show, values))


class Kept(NamedTuple):
    """A claim of a run that is kept with its demo: (measured, low, high), and how it was made."""

    value: tuple
    how: str
    text: str


def kept(room, name, beginning):
    """The claim of the kept run of demo `name` that begins so.

    Raises RuntimeError where no run is kept, or where it makes no such claim.
    """
    path = FOLDER / room / "measured" / f"{name}.json"
    if path.exists():
        record = json.loads(path.read_text(encoding="utf-8"))
        for claim in record["claims"]:
            if claim["claim"].startswith(beginning):
                value = claim["measured"], claim["low"], claim["high"]
                where = f"kept run of {record['date'][:10]}, repeated by python -m demos {name}"
                return Kept(value, f"{claim['how']}; {where}",
                            f"{show(value[0])} [{show(value[1])}, {show(value[2])}] "
                            f"(kept; python -m demos {name})")
    raise RuntimeError(f"errata: no kept run of {name} claims '{beginning} ...'. Make one with "
                       f"python -m demos {name} and python -m demos.trial.readme results.")
