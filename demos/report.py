"""What a demo says and saves: progress, tables, claims with verdicts, figures, one JSON file.

A demo hands over numbers; the words `holds`, `fails` and `undecided` are worked out here, from the
number, its uncertainty and the value it is held against:

    report.claim("Adam needs 58 updates on Beale", measured=58, published=58, equals=58)
    report.claim("the index grows", measured=0.97, low=0.94, high=0.99, at_least=0.95)

The first holds; the second is undecided, since 0.95 lies within what the measurement leaves open.
"""

import json
import math
import os
import platform
import re
import sys
import tempfile
import textwrap
import time
from importlib import metadata
from pathlib import Path

import numpy as np

from minigrad import backend

WIDTH = 80                                              # columns of a terminal
CRITERIA = ("equals", "at_least", "at_most", "between")


class Report:
    """Collects what a run has to say, prints it on the way, writes OUT/NAME.json at the end.

    name      of the demo
    args      the parsed common flags
    source    where the claim is made, e.g. "arXiv:2509.03594"
    dtype     the precision the demo measures in
    data      a dict the demo may fill: what others may want to read from the JSON file
    plotting  False under --no-plot

    Raises OSError with one sentence if the folder args.out cannot be written to: before the work,
    not after it.
    """

    def __init__(self, name, args, *, source, dtype="float64"):
        self.name, self.args, self.source, self.dtype = name, args, source, dtype
        self.plotting = not args.no_plot
        self.data, self.claims, self.saved = {}, [], []
        self.began = time.perf_counter()
        self.next_line = self.began + 5.0
        self.out = writable(args.out)

    def banner(self):
        quick = "  quick" if self.args.quick else ""
        print(f"{self.name}  backend={backend.name}  dtype={self.dtype}  seed={self.args.seed}"
              + quick, flush=True)

    # ------------------------------------------------------------------ while it runs

    def progress(self, text, fraction=None):
        """Say on standard error how far the work is: in a terminal one line that is rewritten,
        elsewhere a line now and then.

        fraction  of the work that is done, if known: the time left is added
        """
        now = time.perf_counter()
        elapsed = now - self.began
        if fraction:
            text = f"{text}  {100 * fraction:.0f} %, {elapsed * (1 / fraction - 1):.0f} s left"
        if sys.stderr.isatty():
            print("\r" + text[:WIDTH - 1].ljust(WIDTH - 1), end="", file=sys.stderr, flush=True)
        elif now >= self.next_line:
            print(f"{elapsed:6.0f} s  {text}", file=sys.stderr, flush=True)
            self.next_line = now + max(5.0, 0.25 * elapsed)     # an hour prints some 25 lines

    def note(self, text):
        """A paragraph between the tables."""
        self._print("\n" + "\n".join(textwrap.wrap(" ".join(text.split()), WIDTH)))

    def quote(self, text):
        """Text as it stands, indented."""
        self._print("\n" + textwrap.indent(text, "    "))

    def table(self, headers, rows, title=None):
        """Aligned plain text, at most 80 columns; floats with four digits, None as '-'."""
        above = [part for line in (title or "").splitlines() for part in textwrap.wrap(line, WIDTH)]
        self._print("\n" + "\n".join([*above, format_table(headers, rows)]))

    def _print(self, text):
        if sys.stderr.isatty():
            print("\r" + " " * (WIDTH - 1) + "\r", end="", file=sys.stderr, flush=True)
        print(text, flush=True)

    # ------------------------------------------------------------------ claims and figures

    def claim(self, text, measured, low=None, high=None, *, published=None, **criterion):
        """Hold a measured number against a claim; returns the verdict.

        low, high   the range the measurement leaves open (default: it is exact)
        published   the number in the source, shown beside ours
        criterion   one of equals=b, at_least=b, at_most=b, between=(a, b); see `verdict`
        """
        low = measured if low is None else low
        high = measured if high is None else high
        decided = verdict(low, high, **criterion)
        self.claims.append(dict(claim=text, published=published, measured=measured,
                                low=low, high=high, criterion=criterion, verdict=decided))
        return decided

    def subplots(self, *rows_and_columns, **settings):
        """matplotlib's `subplots` in the house style: quiet axes, labels kept apart."""
        import matplotlib.pyplot as plt

        plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "font.size": 9,
                             "axes.titlesize": 9, "legend.frameon": False, "savefig.dpi": 150})
        return plt.subplots(*rows_and_columns, **{"layout": "constrained", **settings})

    def figure(self, figure, name=None):
        """Save as OUT/DEMO.png, or OUT/DEMO_name.png, with seed and backend in the corner."""
        import matplotlib.pyplot as plt

        figure.text(0.998, 0.002, f"seed {self.args.seed}, {backend.name}", ha="right", va="bottom",
                    fontsize=6, color="0.5")
        path = self.out / (f"{self.name}_{name}.png" if name else f"{self.name}.png")
        write(path, lambda stream: figure.savefig(stream, format="png"))
        plt.close(figure)
        self.saved.append(path)

    def finish(self):
        """Print the verdicts, write the JSON file, name the files."""
        for entry in self.claims:
            self._print(format_claim(entry))
        seconds = time.perf_counter() - self.began
        record = dict(demo=self.name, source=self.source, backend=backend.name, dtype=self.dtype,
                      seed=self.args.seed, quick=self.args.quick, seconds=round(seconds, 3),
                      peak_memory_mb=peak_memory(), versions=versions(),
                      claims=self.claims, data=self.data)
        path = self.out / f"{self.name}.json"
        text = json.dumps(plain(record), indent=1, allow_nan=False) + "\n"
        write(path, lambda stream: stream.write(text.encode()))
        self._print("")
        for path in [*self.saved, path]:
            print(f"saved {path}")
        print(f"{seconds:.1f} s, peak memory {record['peak_memory_mb']} MB")


def verdict(low, high, *, equals=None, at_least=None, at_most=None, between=None):
    """`holds`, `fails` or `undecided`, for a measurement that lies in [low, high]:

        equals b        holds if low <= b <= high, else fails
        at_least b      holds if low >= b, fails if high < b, else undecided
        at_most b       holds if high <= b, fails if low > b, else undecided
        between (a, b)  holds if a <= low and high <= b, fails if high < a or low > b,
                        else undecided

    A measurement that is not a number decides nothing.
    """
    given = [c for c in (equals, at_least, at_most, between) if c is not None]
    if len(given) != 1:
        raise ValueError(f"claim: give exactly one of {', '.join(CRITERIA)}, got {len(given)}.")
    if not low <= high:
        if math.isnan(low) or math.isnan(high):
            return "undecided"
        raise ValueError(f"claim: the range of the measurement is empty, low={low} > high={high}.")
    if equals is not None:
        return "holds" if low <= equals <= high else "fails"
    a, b = between if between is not None else (
        -math.inf if at_least is None else at_least, math.inf if at_most is None else at_most)
    if a <= low and high <= b:
        return "holds"
    return "fails" if high < a or low > b else "undecided"


# ---------------------------------------------------------------------- text

def format_claim(entry):
    """Two lines or more: the verdict and the claim, then the numbers behind the verdict."""
    indent = " " * 11
    measured, low, high = (show(entry[key]) for key in ("measured", "low", "high"))
    numbers = f"measured {measured}" + (f" in [{low}, {high}]" if low != high else "")
    if entry["published"] is not None:
        numbers += f", published {show(entry['published'])}"
    (word, bound), = ((k, v) for k, v in entry["criterion"].items() if v is not None)
    bound = " and ".join(map(show, bound)) if word == "between" else show(bound)
    numbers += f", asked: {word.replace('_', ' ')} {bound}"
    width = WIDTH - len(indent)
    lines = textwrap.wrap(entry["claim"], width) + textwrap.wrap(numbers, width)
    return "\n" + f"{entry['verdict']:<11}" + f"\n{indent}".join(lines)


def show(value):
    """One cell of a table."""
    if value is None:
        return "-"
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (float, np.floating)):
        return f"{value:.4g}"
    return str(value)


def format_table(headers, rows):
    """Aligned columns; the widest columns of words are wrapped when 80 are not enough."""
    cells = [[show(cell) for cell in row] for row in rows]
    columns = list(zip(headers, *cells)) if cells else [(header,) for header in headers]
    numeric = [len(column) > 1 and all(map(is_number, column[1:])) for column in columns]
    widths = [max(map(len, column)) for column in columns]
    gap = "  " if sum(widths) + 2 * (len(widths) - 1) <= WIDTH else " "
    excess = sum(widths) + len(gap) * (len(widths) - 1) - WIDTH
    words = [i for i, right in enumerate(numeric) if not right]
    for _ in range(max(0, excess) if words else 0):
        widths[max(words, key=widths.__getitem__)] -= 1

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


# ---------------------------------------------------------------------- files

def writable(folder):
    """The folder as a Path, made if need be, after proof that a file can be written in it."""
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    except OSError as problem:
        raise OSError(f"demos: cannot write to '{folder}' ({problem.strerror}). "
                      "Name another folder with --out.") from None


def write(path, fill):
    """Write a file in one step: a reader finds the old one or the new one, never half of it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            fill(stream)
        os.chmod(temporary, 0o644)                      # mkstemp lets the owner alone read it
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def plain(value):
    """The same value in JSON's terms; numbers JSON does not know (nan, inf) become null."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (str, bool, int)) or value is None:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    return plain(value.tolist())                        # arrays and NumPy scalars


def versions():
    packages = ["numpy", "matplotlib"] + (["cupy"] if backend.name == "cupy" else [])
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed under this name"
    return found


def peak_memory():
    """The most memory this process has held, in MB; None where the system does not tell."""
    try:                                                # Linux, where ru_maxrss begins with the
        status = Path("/proc/self/status").read_text()  # memory of the process that started this one
        return round(int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 2**10)
    except (OSError, TypeError):
        pass
    try:
        import resource
    except ImportError:                                 # Windows
        return None
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)   # macOS: bytes
