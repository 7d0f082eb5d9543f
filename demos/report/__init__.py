"""What a demo says and saves: progress, tables, claims with verdicts, figures, one JSON file.

A demo hands over numbers; the words `holds`, `fails` and `undecided` are worked out in `verdict.py`
from the interval of the number and the bar it is held against; a claim says where it comes from:

    report.claim("Adam needs 58 updates on Beale", 58, published=58, equals=58, origin="code",
                 where="notebook, table of best runs", how="exact: one deterministic run")
    report.claim("the index grows", *t_interval(correlations), at_least=0.95, origin="ours",
                 where="p-spin, N = 20", how="95 % t, n = 8 random J", why="0.97 at infinite N")
"""
import json
import math
import os
import sys
import tempfile
import textwrap
import time
from pathlib import Path

from demos.report.axes import legible
from demos.report.pace import Pace, kept_marks
from demos.report.provenance import peak_memory, provenance
from demos.output import columns
from demos.tables import format_claim, format_table
from demos.report.verdict import complete, verdict
from minigrad import backend

ROOM = 1 << 16                                          # bytes a folder must have room for
AT_THIS_SIZE = ("At this size, with these settings, it is not so; the numbers above say by how "
                "much, and the docstring what was asked.")


class Report:
    """Collects what a run has to say, prints it on the way, writes OUT/NAME.json at the end.

    name      of the demo
    args      the parsed common flags
    source    where the claim is made, e.g. "arXiv:2509.03594"
    dtype     the precision the demo measures in
    output    the name of its files: the demo's, and the choices among its flags (default: name)
    data      a dict the demo may fill: what others may want to read from the JSON file
    plotting  False under --no-plot

    Raises OSError with one sentence if the folder args.out cannot be written to: before the work,
    not after it.
    """

    def __init__(self, name, args, *, source, dtype="float64", output=None):
        self.name, self.args, self.source, self.dtype = name, args, source, dtype
        self.output = output or name
        self.plotting = not args.no_plot
        self.data, self.claims, self.saved = {}, [], []
        self.began = time.perf_counter()
        self.next_line = self.began + 5.0
        self.pace = Pace(kept_marks(self.output, args.quick))
        self.out = writable(args.out)

    def banner(self):
        quick = "  quick" if self.args.quick else ""
        print(f"{self.name}  backend={backend.name}  dtype={self.dtype}  seed={self.args.seed}"
              + quick, flush=True)

    # ------------------------------------------------------------------ while it runs

    def progress(self, text, fraction=None):
        """Say on standard error how far the work is, and how long the rest will take: in a terminal
        one line that is rewritten, elsewhere a line now and then.

        fraction  of the work that is done, if known, or of this stage of it; see `pace.py`
        """
        now = time.perf_counter()
        elapsed = now - self.began
        rest = self.pace.rest(elapsed, text, fraction)
        if sys.stderr.isatty():
            width = columns(sys.stderr) - 1             # a line that is full would begin another
            line = text[:max(width - len(rest), 0)] + rest
            print("\r" + line[:width].ljust(width), end="", file=sys.stderr, flush=True)
            return
        text += rest
        if now >= self.next_line:
            print(f"{elapsed:6.0f} s  {text}", file=sys.stderr, flush=True)
            self.next_line = now + max(5.0, 0.25 * elapsed)     # an hour prints some 25 lines

    def note(self, text):
        """A paragraph between the tables."""
        self._print("\n" + "\n".join(textwrap.wrap(" ".join(text.split()), columns(sys.stdout))))

    def quote(self, text):
        """Text as it stands, indented."""
        self._print("\n" + textwrap.indent(text, "    "))

    def table(self, headers, rows, title=None):
        """Aligned plain text, at most 80 columns; floats with four digits, None as '-'."""
        width = columns(sys.stdout)
        above = [part for line in (title or "").splitlines() for part in textwrap.wrap(line, width)]
        self._print("\n" + "\n".join([*above, format_table(headers, rows, width)]))

    def _print(self, text):
        if sys.stderr.isatty():
            print("\r" + " " * (columns(sys.stderr) - 1) + "\r", end="", file=sys.stderr, flush=True)
        print(text, flush=True)

    # ------------------------------------------------------------------ claims and figures

    def claim(self, text, measured, low=None, high=None, *, origin, where, how, published=None,
              unit=None, why=None, lesson=None, quick=True, **criterion):
        """Hold a measured number against a claim; returns the verdict.

        low, high   what the measurement leaves open, from `evidence` (default: it is exact)
        origin      who claims it: "paper", "code" (of the authors) or "ours"
        where       table, figure, section, line; of ours: what the question is asked of
        how         the interval was made, and over what: "95 % t, n = 8 seeds"
        published   the number that stands there, shown beside ours
        why         the bar lies there, unless it is that number, a sign or parity
        lesson      what a reader learns if it fails: one sentence, shown then
        quick       False: the smallest run cannot decide it, so it is not asked in --quick
        criterion   one of equals=b, equivalent=(b, tolerance), at_least=b, at_most=b, above=b,
                    below=b, between=(a, b), rejects=p, survives=p; see `verdict`
        """
        complete(origin, where, how, why, published, criterion)
        low = measured if low is None else low
        high = measured if high is None else high
        asked = quick or not self.args.quick
        decided = verdict(low, high, **criterion)
        decided = decided if asked else "undecided"
        self.claims.append(dict(claim=text, origin=origin, where=where, published=published,
                                measured=measured, low=low, high=high, unit=unit, how=how,
                                criterion=criterion, why=why, asked=asked, verdict=decided,
                                line=line_of_caller(),
                                lesson=(lesson or AT_THIS_SIZE) if decided == "fails" else None))
        return decided

    def subplots(self, *rows_and_columns, **settings):
        """matplotlib's `subplots` in the house style: quiet axes, labels kept apart."""
        import matplotlib.pyplot as plt

        plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "font.size": 9,
                             "axes.titlesize": 9, "legend.frameon": False, "savefig.dpi": 150,
                             "boxplot.medianprops.color": "black"})
        return plt.subplots(*rows_and_columns, **{"layout": "constrained", **settings})

    def figure(self, figure, name=None):
        """Save as OUT/DEMO.png, or OUT/DEMO_name.png, with seed and backend in the corner."""
        import matplotlib.pyplot as plt

        legible(figure)
        if (engine := figure.get_layout_engine()) and "rect" in engine.get():   # a line of its own
            line = 0.11 / figure.get_figheight()
            engine.set(rect=(0.0, line, 1.0, 1.0 - line))
        figure.text(0.998, 0.002, f"seed {self.args.seed}, {backend.name}", ha="right", va="bottom",
                    fontsize=6, color="0.5")
        path = self.out / (f"{self.output}_{name}.png" if name else f"{self.output}.png")
        write(path, lambda stream: figure.savefig(stream, format="png"))
        plt.close(figure)
        self.saved.append(path)

    def animation(self, figure, draw, frames, name, rate=8):
        """Save as OUT/DEMO_name.gif the figure as draw(k) leaves it, k = 0 .. frames - 1.

        rate    pictures a second
        """
        import matplotlib.pyplot as plt
        from matplotlib.animation import FuncAnimation, PillowWriter

        path = self.out / f"{self.output}_{name}.gif"
        with tempfile.TemporaryDirectory(dir=self.out, prefix=f".{path.name}.") as folder:
            whole = Path(folder) / path.name            # matplotlib writes to a name, not a stream
            FuncAnimation(figure, draw, frames).save(whole, PillowWriter(fps=rate), dpi=80)
            write(path, lambda stream: stream.write(whole.read_bytes()))
        plt.close(figure)
        self.saved.append(path)

    def finish(self):
        """Print the verdicts, write the JSON file, name the files."""
        for entry in self.claims:
            self._print(format_claim(entry, columns(sys.stdout)))
        seconds = time.perf_counter() - self.began
        record = dict(demo=self.name, source=self.source, backend=backend.name, dtype=self.dtype,
                      seed=self.args.seed, quick=self.args.quick, flags=vars(self.args),
                      seconds=round(seconds, 3), processor_seconds=round(sum(os.times()[:4]), 1),
                      peak_memory_mb=peak_memory(), **provenance(),
                      pace=self.pace.kept(seconds), figures=[path.name for path in self.saved],
                      claims=self.claims, data=self.data)
        path = self.out / f"{self.output}.json"
        text = json.dumps(plain(record), indent=1, allow_nan=False) + "\n"
        write(path, lambda stream: stream.write(text.encode()))
        self._print("")
        for path in [*self.saved, path]:
            print(f"saved {path}")
        print(f"{seconds:.1f} s, peak memory {record['peak_memory_mb']} MB")


def line_of_caller():
    """FILE:LINE, from the project's root, of the demo that makes a claim."""
    frame = sys._getframe(2)
    while frame.f_back and Path(frame.f_code.co_filename).parent == Path(__file__).parent:
        frame = frame.f_back
    file, root = Path(frame.f_code.co_filename), Path(__file__).parents[2]
    return f"{file.relative_to(root) if file.is_relative_to(root) else file.name}:{frame.f_lineno}"


# ---------------------------------------------------------------------- files

def writable(folder):
    """The folder as a Path, made if need be, after proof that a file can be written in it."""
    path = Path(folder)
    if not str(folder).strip():
        raise OSError("demos: --out is empty. Name a folder, or leave it out for 'results'.")
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as trial:
            trial.write(bytes(ROOM))
            trial.flush()
            os.fsync(trial.fileno())                    # some systems find out here
            return path
    except (OSError, ValueError) as problem:            # ValueError: no name for a file
        reason = getattr(problem, "strerror", problem)
        raise OSError(f"demos: cannot write to '{folder}' ({reason}). "
                      "Name another folder with --out.") from None


def write(path, fill):
    """Write a file in one step: a reader finds the old one or the new one, never half of it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            fill(stream)
        os.chmod(temporary, 0o644)                      # mkstemp lets the owner alone read it
        os.replace(temporary, path)
    except OSError as problem:
        os.unlink(temporary)
        raise OSError(f"demos: cannot write {path} ({problem.strerror or problem}). Free some "
                      "space, or name another folder with --out.") from None
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
