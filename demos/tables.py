"""Numbers as text: cells, aligned tables, and a claim with its verdict as a reader sees it."""
import math
import textwrap

import numpy as np

from demos.output import WIDTH

OPEN = "too few runs for an interval"


def format_claim(entry, width=WIDTH):
    """The verdict and the claim; the numbers behind it; where they come from; what one learns."""
    indent = " " * 11
    width -= len(indent)
    parts = [entry["claim"], numbers_of(entry), origin_of(entry)]
    if entry["verdict"] == "fails":
        parts.append(entry.get("lesson") or "")
    lines = [line for part in parts for line in textwrap.wrap(part, width)]
    return "\n" + f"{entry['verdict']:<11}" + f"\n{indent}".join(lines)


def numbers_of(entry):
    """"measured 0.12 nats in [0.1, 0.2], published 0.15, asked: at most 0.3" """
    low, high = entry["low"], entry["high"]
    text = f"measured {show(entry['measured'])}"
    text += f" {entry['unit']}" if entry.get("unit") else ""
    if math.isinf(high) and (math.isinf(low) or low == 0):
        text += f" ({OPEN})"
    elif low != high:
        text += f" in [{show(low)}, {show(high)}]"
    if entry["published"] is not None:
        text += f", published {show(entry['published'])}"
    text += f", asked: {asked(entry['criterion'])}"
    return text if entry.get("asked", True) else text + " (not asked in --quick)"


def asked(criterion):
    """The criterion in words: "at least 0.95", "3.5 within 0.2"."""
    (word, bar), = ((k, v) for k, v in criterion.items() if v is not None)
    if word == "equivalent":
        return f"{show(bar[0])} within {show(bar[1])}"
    if word == "between":
        return f"between {show(bar[0])} and {show(bar[1])}"
    if word in ("rejects", "survives"):
        return f"p {'at most' if word == 'rejects' else 'above'} {show(bar)}"
    return f"{word.replace('_', ' ')} {show(bar)}"


def origin_of(entry):
    """"paper, table 2; 95 % t, n = 8 seeds; the bar: ..." """
    where = ", ".join(filter(None, (entry.get("origin"), entry.get("where"))))
    why = entry.get("why") and f"the bar: {entry['why']}"
    return "; ".join(filter(None, (where, entry.get("how"), why)))


def show(value):
    """One cell of a table."""
    if value is None:
        return "-"
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (float, np.floating)):
        return f"{value:.4g}"
    return str(value)


def format_table(headers, rows, width=WIDTH):
    """Aligned columns; the widest columns of words are wrapped where the width is not enough."""
    cells = [[show(cell) for cell in row] for row in rows]
    columns = list(zip(headers, *cells)) if cells else [(header,) for header in headers]
    numeric = [len(column) > 1 and all(map(is_number, column[1:])) for column in columns]
    widths = [max(map(len, column)) for column in columns]
    gap = "  " if sum(widths) + 2 * (len(widths) - 1) <= width else " "
    excess = sum(widths) + len(gap) * (len(widths) - 1) - width
    words = [i for i, right in enumerate(numeric) if not right]
    for _ in range(max(0, excess) if words else 0):
        place = max(words, key=widths.__getitem__)
        widths[place] = max(1, widths[place] - 1)

    def line(row):
        wrapped = [textwrap.wrap(cell, width) or [""] for cell, width in zip(row, widths)]
        for k in range(max(map(len, wrapped))):
            parts = [(w[k] if k < len(w) else "") for w in wrapped]
            yield gap.join(part.rjust(width) if right else part.ljust(width)
                           for part, width, right in zip(parts, widths, numeric)).rstrip()

    ruled = gap.join("-" * width for width in widths)
    return "\n".join([*line(headers), ruled, *(text for row in cells for text in line(row))])


def is_number(text):
    if text in ("-", ""):
        return True
    try:
        float(text.rstrip("%*"))
    except ValueError:
        return False
    return True
