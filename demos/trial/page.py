"""The ledger as one static page: figures inside, no script, nothing fetched from elsewhere.

Wide screens and paper show a claim as a row, narrow ones as a card. A verdict is a word first and a
colour second, so that the page reads in grey.
"""
import base64
import html
from collections import Counter
from pathlib import Path

from demos.report import AT_THIS_SIZE
from demos.tables import show

STYLE = """
:root { color-scheme: light dark; --line: #8886; --quiet: #707070;
        --holds: #1f7a3d; --fails: #b5123e; --undecided: #8a6100; }
@media (prefers-color-scheme: dark) { :root { --quiet: #a0a0a0;
        --holds: #6cc788; --fails: #ff7d95; --undecided: #d9a94a; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.7rem; margin-bottom: 0; } h2 { margin: 3rem 0 0; }
h3 { margin: 2.2rem 0 .1rem; } h3 small { font-weight: normal; color: var(--quiet); }
code { font: .85em ui-monospace, monospace; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-size: .85rem; line-height: 1.4; }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0;
         border-bottom: 1px solid var(--line); overflow-wrap: break-word; }
.overview { margin-top: 1rem; } .overview .total td { border: 0; padding-bottom: 0; }
.claims { table-layout: fixed; }
.verdict { width: 9%; } .published { width: 8%; } .who, .how, .at { width: 13%; }
.measured { width: 15%; }
.number { font-variant-numeric: tabular-nums; } .together { white-space: nowrap; }
.holds, .fails, .undecided { font-weight: 600; white-space: nowrap; }
.holds { color: var(--holds); } .fails { color: var(--fails); }
.undecided { color: var(--undecided); font-weight: normal; }
.quiet { color: var(--quiet); font-size: .85rem; } p.quiet { margin: 0 0 .3rem; }
.picture { overflow-x: auto; margin: .8rem 0 0; } .picture img { width: 100%; background: white; }
@media (max-width: 45rem) {
  .picture img { width: 46rem; max-width: none; }
  .claims, .claims tbody { display: block; } .claims thead, .claims .empty { display: none; }
  .claims td { display: block; width: auto; border: 0; padding: 0; }
  .claims td[data-name]::before { content: attr(data-name) ": "; color: var(--quiet); }
  .claims tr { display: block; padding: .6rem 0; border-bottom: 1px solid var(--line); } }
@media print { body { max-width: none; font-size: 10pt; padding: 0; } table { font-size: 8pt; }
  h2, h3, p.quiet { break-after: avoid; } .picture, tr { break-inside: avoid; }
  .picture img { max-height: 16cm; width: auto; max-width: 100%; } a { color: inherit; } }
"""
COLUMNS = {"verdict": "verdict", "claim": "claim", "who": "who says so", "published": "published",
           "measured": "measured", "how": "how", "at": "computed at"}
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
    """Verdicts a document, with links to its part and to each of its demos."""
    rows = []
    for name in documents:
        inside = [entry for entry in entries if entry["document"] == name]
        counts = Counter(claim["verdict"] for entry in inside for claim in entry["claims"])
        cells = "".join(f'<td class="number">{counts[word]}</td>' for word in VERDICTS)
        links = " ".join(f'<a href="#{entry["demo"]}">{entry["demo"]}</a>' for entry in inside)
        rows.append(f'<tr class="total"><td><a href="#{anchor(name)}">{escape(name)}</a></td>{cells}'
                    f'</tr>\n<tr><td class="quiet" colspan="{1 + len(VERDICTS)}">{links}</td></tr>')
    head = "<th>document</th>" + "".join(f'<th class="number">{word}</th>' for word in VERDICTS)
    return ('<table class="overview" id="top">'
            f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>")


def anchor(name):
    return "".join(letter for letter in name.lower().replace(" ", "-")
                   if letter.isalnum() or letter == "-")


def document(name, entries, folder):
    return (f'<h2 id="{anchor(name)}">{escape(name)}</h2>\n<a class="quiet" href="#top">up</a>\n'
            + "".join(demo(entry, folder) for entry in entries))


def demo(entry, folder):
    """One demo: its sentence, command, claims and figures; or what it said when it ended early."""
    head = (f'<h3 id="{entry["demo"]}">{entry["demo"]} '
            f'<small>{escape(entry["claim"])}</small></h3>\n'
            f'<p class="quiet"><code>{escape(entry["command"])}</code>, {entry["seconds"]} s</p>\n')
    if entry["status"]:
        return head + (f'<p class="fails">Ended with status {entry["status"]}: '
                       f'{escape(str(entry["said"]))}</p>\n')
    columns = "".join(f'<th class="{name}">{words}</th>' for name, words in COLUMNS.items())
    rows = "\n".join(row(claim) for claim in entry["claims"])
    return (f'{head}<table class="claims"><thead><tr>{columns}</tr></thead><tbody>\n{rows}\n'
            f'</tbody></table>\n{"".join(picture(folder, name) for name in entry["figures"])}')


def row(claim):
    own = claim["lesson"] and claim["lesson"] != AT_THIS_SIZE       # what every failure says is no news
    lesson = f'<div class="quiet">{escape(claim["lesson"])}</div>' if own else ""
    cells = [("", f'<span class="{claim["verdict"]}">{claim["verdict"]}</span>'),
             ("", escape(claim["claim"]) + lesson),
             ("", escape(", ".join(filter(None, [claim["origin"], claim["where"]])))),
             ("published", number(claim["published"])), ("measured", interval(claim)),
             ("how", escape(claim["how"])),
             ("at", f'<code>{broken(claim.get("line") or "-")}</code>')]
    return "<tr>" + "".join(cell(name, text) for name, text in cells) + "</tr>"


def cell(name, text):
    """A cell that brings its name along where the page is too narrow for a row of heads."""
    named = f' data-name="{name}"' if name else ""
    return f'<td{named}{" class=empty" if text == "-" else ""}>{text}</td>'


def broken(path):
    """A path that may be broken behind its slashes."""
    return escape(path).replace("/", "/<wbr>")


def number(value):
    return "-" if value is None else escape(show(value))


def interval(claim):
    """measured [low, high] unit; an end that is open, or was not finite, is a dash."""
    ends = ("" if claim["low"] == claim["high"] else
            f' <span class="together">[{number(claim["low"])}, {number(claim["high"])}]</span>')
    unit = f' {escape(claim["unit"])}' if claim["unit"] else ""
    return number(claim["measured"]) + ends + unit


def picture(folder, name):
    """A figure, inside the page; nothing where the file is gone."""
    path = Path(folder) / name
    if not path.exists():
        return ""
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return (f'<div class="picture"><img alt="{escape(path.stem)}" '
            f'src="data:image/png;base64,{data}"></div>\n')
