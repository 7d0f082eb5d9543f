"""Does a claim hold? Worked out from an interval and a bar; and what a claim must say of itself.

A claim is decided before its numbers are known: the bar, where it comes from, and over what the
interval is taken. The words `holds`, `fails` and `undecided` are computed here and typed nowhere.
"""
import math

CRITERIA = ("equals", "equivalent", "at_least", "at_most", "above", "below", "between",
            "rejects", "survives")
ORIGINS = ("paper", "code", "ours")


def verdict(low, high, *, equals=None, equivalent=None, at_least=None, at_most=None, above=None,
            below=None, between=None, rejects=None, survives=None):
    """`holds`, `fails` or `undecided`, for a measurement that lies in [low, high]:

        equals b             holds if it is b, else fails: for what has no uncertainty
        equivalent (b, tol)  holds if all of it lies in [b - tol, b + tol], fails if none of it
                             does, else undecided: fewer runs never make it easier
        at_least b           holds if low >= b, fails if high < b, else undecided
        at_most b            holds if high <= b, fails if low > b, else undecided
        above b, below b     the same with > and <, for a sign or an order
        between (a, b)       holds if a <= low and high <= b, fails if high < a or low > b,
                             else undecided
        rejects p            of a test's p value: holds if it is <= p, else undecided, since a
                             difference that was not found may still be there
        survives p           fails if the p value is <= p, else undecided, for the same reason

    A measurement that is not a number decides nothing.
    """
    given = {name: bar for name, bar in (
        ("equals", equals), ("equivalent", equivalent), ("at_least", at_least),
        ("at_most", at_most), ("above", above), ("below", below), ("between", between),
        ("rejects", rejects), ("survives", survives)) if bar is not None}
    if len(given) != 1:
        raise ValueError(f"claim: give exactly one of {', '.join(CRITERIA)}, got {len(given)}.")
    if not low <= high:
        if math.isnan(low) or math.isnan(high):
            return "undecided"
        raise ValueError(f"claim: the range of the measurement is empty, low={low} > high={high}.")
    (kind, bar), = given.items()
    if kind == "equals":
        if low != high:
            raise ValueError(f"claim: `equals` is for exact numbers, got the range [{low}, {high}]."
                             " Use equivalent=(value, tolerance).")
        return "holds" if low == bar else "fails"
    if kind in ("rejects", "survives"):
        small = high <= bar
        return {"rejects": "holds", "survives": "fails"}[kind] if small else "undecided"
    if kind in ("above", "below"):
        inside, outside = ((low > bar, high <= bar) if kind == "above" else
                           (high < bar, low >= bar))
    else:
        least, most = bounds(kind, bar)
        inside, outside = least <= low and high <= most, high < least or low > most
    return "holds" if inside else "fails" if outside else "undecided"


def bounds(kind, bar):
    """The closed range a criterion asks for."""
    if kind == "equivalent":
        return bar[0] - bar[1], bar[0] + bar[1]
    if kind == "between":
        return bar
    return (bar, math.inf) if kind == "at_least" else (-math.inf, bar)


def complete(origin, where, how, why, published, criterion):
    """Raise ValueError where a claim does not say what a reader needs to weigh it.

    origin     paper: the authors state it; code: it follows from their code; ours: we ask it
    where      table, figure, section or line; for a question of ours, what it is asked of
    how        the interval was made, and over what
    why        the bar lies there, wherever it is not the published number, a sign (0) or parity (1)
    """
    if published is not None and not where:
        raise ValueError("claim: a published number needs `where` it stands. "
                         "Name the table, figure, section or line.")
    if origin not in ORIGINS:
        raise ValueError(f"claim: origin must be one of {', '.join(ORIGINS)}, got {origin!r}.")
    if origin == "ours" and published is not None:
        raise ValueError("claim: what is published is no claim of ours. "
                         "Use origin='paper' or 'code', or leave `published` out.")
    for name, text in (("where", where), ("how", how)):
        if not text:
            raise ValueError(f"claim: `{name}` is missing. Say {ASKED[name]}.")
    if not why and not speaks_for_itself(criterion, published):
        raise ValueError(f"claim: `why` is missing. Say {ASKED['why']}.")


ASKED = {"where": "in which table, figure, section or line it stands, or what it is asked of",
         "how": "how the interval was made and over what, e.g. '95 % t, n = 8 runs'",
         "why": "why the bar lies where it does: no source gives it"}


def speaks_for_itself(criterion, published):
    """Is the bar the published number, a sign, parity, a level of a test, or an exact count?"""
    (kind, bar), = ((k, v) for k, v in criterion.items() if v is not None)
    if kind in ("rejects", "survives", "equals"):
        return True
    if kind in ("equivalent", "between"):
        return False                                    # the tolerance is always a choice
    return bar == published or bar in (0, 1)
