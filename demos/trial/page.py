"""The ledger as one static page: figures inside, no script, nothing fetched from elsewhere.

Wide screens and paper show a claim as a row, narrow ones as a card. A verdict is a word first and a
colour second, so that the page reads in grey.
"""
import base64
import html
from collections import Counter
from pathlib import Path

from demos.tables import show

STYLE = """
:root { color-scheme: light dark; --line: #8886; --quiet: #777; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.7rem; margin-bottom: 0; } h2 { margin-top: 2.5rem; }
h3 { margin: 2rem 0 .2rem; } h3 small { font-weight: normal; color: var(--quiet); }
code { font: .85em ui-monospace, monospace; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-size: .85rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0;
         border-bottom: 1px solid var(--line); }
td.number { font-variant-numeric: tabular-nums; }
.holds, .fails, .undecided { font-weight: 600; white-space: nowrap; }
.holds { color: #2a7f3f; } .fails { color: #c0392b; } .undecided { color: #a07000; }
.quiet { color: var(--quiet); } img { max-width: 100%; background: white; margin-top: .6rem; }
details > summary { cursor: pointer; color: var(--quiet); }
@media (max-width: 45rem) {
  .claims thead { display: none; } .claims td { display: block; border: 0; padding: 0; }
  .claims td[data-name]::before { content: attr(data-name) ": "; color: var(--quiet); }
  .claims tr { display: block; padding: .6rem 0; border-bottom: 1px solid var(--line); } }
@media print { body { max-width: none; font-size: 10pt; } h3, img, tr { break-inside: avoid; } }
"""
COLUMNS = ("verdict", "claim", "who says so", "published", "measured", "how", "computed at")
VERDICTS = ("holds", "fails", "undecided")
escape = html.escape


def page(ledger, folder):
    """ledger.json's content as HTML; figures are read from the folder."""
    entries = ledger["demos"]
    documents = list(dict.fromkeys(entry["document"] for entry in entries))
    quick = ("The smallest runs (--quick): they show that everything runs, and decide little. "
             if ledger["quick"] else "")
    body = "".join(document(name, [e for e in entries if e["document"] == name], folder)
                   for name in documents)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Five papers on trial</title>
<style>{STYLE}</style>
</head>
<body>
<h1>Five papers on trial</h1>
<p>{escape(quick)}Every claim with the number it was held against, what was measured here and
how sure that is. <span class="holds">holds</span> and <span class="fails">fails</span> are said
where the whole interval lies on one side, <span class="undecided">undecided</span> where it
does not. Seed {ledger["seed"]}.</p>
{overview(entries, documents)}
{body}</body>
</html>
"""


def overview(entries, documents):
    """Verdicts a document, each with a link to its part."""
    rows = []
    for name in documents:
        counts = Counter(claim["verdict"] for entry in entries if entry["document"] == name
                         for claim in entry["claims"])
        cells = "".join(f'<td class="number">{counts[word]}</td>' for word in VERDICTS)
        rows.append(f'<tr><td><a href="#{anchor(name)}">{escape(name)}</a></td>{cells}</tr>')
    head = "".join(f"<th>{word}</th>" for word in ("document", *VERDICTS))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def anchor(name):
    return "".join(letter for letter in name.lower().replace(" ", "-")
                   if letter.isalnum() or letter == "-")


def document(name, entries, folder):
    return (f'<h2 id="{anchor(name)}">{escape(name)}</h2>\n'
            + "".join(demo(entry, folder) for entry in entries))


def demo(entry, folder):
    """One demo: its sentence, command, claims and figures; or what it said when it ended early."""
    head = (f'<h3 id="{entry["demo"]}">{entry["demo"]} '
            f'<small>{escape(entry["claim"])}</small></h3>\n'
            f'<p class="quiet"><code>{escape(entry["command"])}</code>, {entry["seconds"]} s</p>\n')
    if entry["status"]:
        return head + (f'<p class="fails">Ended with status {entry["status"]}: '
                       f'{escape(str(entry["said"]))}</p>\n')
    columns = "".join(f"<th>{word}</th>" for word in COLUMNS)
    rows = "\n".join(row(claim) for claim in entry["claims"])
    return (f'{head}<table class="claims"><thead><tr>{columns}</tr></thead><tbody>\n{rows}\n'
            f'</tbody></table>\n{"".join(picture(folder, name) for name in entry["figures"])}')


def row(claim):
    lesson = f'<br><span class="quiet">{escape(claim["lesson"])}</span>' if claim["lesson"] else ""
    cells = [("", f'<span class="{claim["verdict"]}">{claim["verdict"]}</span>'),
             ("", escape(claim["claim"]) + lesson),
             ("", escape(", ".join(filter(None, [claim["origin"], claim["where"]])))),
             ("published", number(claim["published"])), ("measured", interval(claim)),
             ("how", escape(claim["how"])),
             ("at", f'<code>{escape(claim.get("line") or "-")}</code>')]
    return "<tr>" + "".join(
        f'<td{f""" data-name="{name}" """.rstrip() if name else ""}>{text}</td>'
        for name, text in cells) + "</tr>"


def number(value):
    return "-" if value is None else escape(show(value))


def interval(claim):
    """measured [low, high] unit; an end that is open, or was not finite, is a dash."""
    ends = ("" if claim["low"] == claim["high"] else
            f' [{number(claim["low"])}, {number(claim["high"])}]')
    unit = f' {escape(claim["unit"])}' if claim["unit"] else ""
    return number(claim["measured"]) + ends + unit


def picture(folder, name):
    """A figure, inside the page; nothing where the file is gone."""
    path = Path(folder) / name
    if not path.exists():
        return ""
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return f'<img alt="{escape(path.stem)}" src="data:image/png;base64,{data}">\n'
