"""One table of colours and line styles: an optimizer looks the same in every figure.

    axis.plot(t, heights, **look("Adam"), label="Adam")
    axis.bar(0, height, color=colour("SGD, pinned"))        # a variant has its method's colour

Printed in grey, two methods of one table still differ: in their lightness or in their dashes. A
variant is written behind the method's name, after a comma, a slash or a space: "SGD/√k", "SAM .05".
"""
from typing import NamedTuple


class Look(NamedTuple):
    """A colour, and dashes as matplotlib takes them."""

    colour: str
    dashes: object


LOOKS = {
    "SGD": Look("#3a7d44", (0, (3, 1.5))),
    "plain": Look("#7d4ea8", (0, (3, 1, 1, 1))),
    "log": Look("#c1272d", "-"),
    "rms": Look("#e08a00", (0, (5, 1.5))),
    "Adam": Look("#0072b2", (0, (1.5, 1))),
    "AdamW": Look("#1f3f6e", "-"),
    "NAdam": Look("#4db3e6", (0, (6, 1, 1, 1))),
    "Muon": Look("#202020", (0, (4, 1, 1, 1, 1, 1))),
    "MuAdam": Look("#8c6d1f", (0, (2, 1))),
    "gradient descent": Look("#595959", "-"),
    "SGD-ES": Look("#8fbf98", (0, (5, 1.5))),               # stopped early
    "QN-ES": Look("#e8a68c", (0, (5, 1.5))),
    "QN-full": Look("#b5341e", "-"),
    "saddle-free Newton": Look("#3b6fb6", (0, (6, 1.5))),
    "perturbed": Look("#b5123e", "-"),
    "SPS": Look("#d6a400", "-"),
    "DecSPS": Look("#d6a400", (0, (3, 1.5))),
    "NGN": Look("#009e9e", "-"),
    "AdaGrad-norm": Look("#a05a2c", (0, (6, 1, 1, 1))),
    "SAM": Look("#b5123e", (0, (5, 1.5))),
    "ASAM": Look("#d9779a", (0, (1.5, 1))),
}


def method(name):
    """The method of which a name is a variant: the longest one that it begins with."""
    known = [known for known in LOOKS if name == known or name.startswith(
        tuple(known + mark for mark in (",", "/", " ", "-")))]
    if not known:
        raise ValueError(f"looks: no optimizer of the table is called {name!r}. Give it a row in "
                         "demos/report/looks.py.")
    return max(known, key=len)


def colour(name):
    return LOOKS[method(name)].colour


def look(name):
    """{"color", "linestyle"} of a method's line."""
    found = LOOKS[method(name)]
    return dict(color=found.colour, linestyle=found.dashes)
