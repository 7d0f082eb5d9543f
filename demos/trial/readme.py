"""The README's tables, written from files and by nobody's hand: demos, and lines of the engine.

    python -m demos.trial.readme                  write the tables from what is kept
    python -m demos.trial.readme results          keep the runs in that folder first, then write it

Kept is, beside the demo as measured/NAME.json, what a run says without its data: flags, date, commit,
machine, times, and every claim with its numbers and verdict. Only a run with default flags is kept.
A test compares the README with these files.
"""
import json
import sys
from collections import Counter
from pathlib import Path

from demos.__main__ import FOLDER, modules, parser_for, room
from demos.report import write
from demos.report.verdict import verdict
from demos.tables import show
from demos.trial.lines import counted

README = FOLDER.parent / "README.md"
BEGIN, END = "<!-- demos: python -m demos.trial.readme -->", "<!-- end of demos -->"
KEPT = ("demo", "source", "backend", "dtype", "seed", "flags", "commit", "date", "machine", "blas",
        "versions", "seconds", "processor_seconds", "peak_memory_mb", "pace", "claims", "about")
FREE = ("out", "data_dir", "no_plot", "jobs", "resume")     # flags that change no number


def home(name):
    """Where the kept run of a demo lies: in the measured/ of its room."""
    return FOLDER / room(name) / "measured" / f"{name}.json"


def kept(name):
    """The kept run of a demo, or None."""
    path = home(name)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def keep(folder):
    """Keep every run in the folder that was made with default flags; says what it does not keep."""
    import importlib

    for path in sorted(Path(folder).glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        name = record.get("demo")
        if name not in modules():
            continue
        demo = modules()[name]
        parser = parser_for(name, importlib.import_module(demo.module), demo.text)
        changed = [flag for flag, value in record["flags"].items()
                   if flag not in FREE and value != parser.get_default(flag)]
        if changed or path.stem != name:
            print(f"{path.name}: not kept, run with its own {', '.join(changed) or 'choice'}")
            continue
        target = home(name)
        target.parent.mkdir(exist_ok=True)
        about = record.get("data", {}).get("data")          # which set, where there is a choice
        record["about"] = about if isinstance(about, str) else None
        text = json.dumps({key: record.get(key) for key in KEPT}, indent=1) + "\n"
        write(target, lambda stream: stream.write(text.encode()))
        print(f"kept {target}")


def decided_again(claim):
    """The verdict that follows from the numbers of a kept claim; null is an open end."""
    criterion = {k: tuple(v) if isinstance(v, list) else v for k, v in claim["criterion"].items()}
    low = -float("inf") if claim["low"] is None else claim["low"]
    high = float("inf") if claim["high"] is None else claim["high"]
    return verdict(low, high, **criterion) if claim["asked"] else "undecided"


def table():
    """The table as Markdown, a row for every demo; a dash where no run is kept."""
    rows = ["| demo | processor s | wall s | holds | fails | undecided "
            "| what it is about; a claim, measured |", "|---|---|---|---|---|---|---|"]
    for name, demo in sorted(modules().items()):
        run, claim = kept(name), demo.text.partition("\n")[0]
        verdicts = [c["verdict"] for c in run["claims"]] if run else []
        numbers = [*seconds(run), *(str(verdicts.count(word)) for word in (
            "holds", "fails", "undecided"))] if run else ["-"] * 5
        rows.append(f"| `{name}` | {' | '.join(numbers)} | {claim}{on(run)}{example(run)} |")
    return "\n".join(rows)


def seconds(run):
    """Processor time, a dash where the run did not measure it, and time by the clock on the wall."""
    return ["-" if time is None else f"{time:.0f}"
            for time in (run["processor_seconds"], run["seconds"])]


def machines():
    """One line for each machine and set of versions that the kept runs were made on."""
    runs = [run for run in map(kept, sorted(modules())) if run]
    kinds = Counter(on_machine(run) for run in runs)
    return "\n".join(f"Measured: {count} runs on {kind}." for kind, count in kinds.most_common())


def on_machine(run):
    blas, versions = run["blas"] or {}, run["versions"]
    return (f"{run['machine']}; {blas.get('library')}'s {blas.get('kernel')} kernel, "
            f"{blas.get('threads')} thread, vectors of {blas.get('vector_bits')} bits; "
            + ", ".join(f"{name} {version}" for name, version in versions.items()))


def on(run):
    """Which data set the run found, where a demo takes what lies there."""
    return f" (Run on {run['about']}.)" if run and run.get("about") else ""


def example(run):
    """The first claim that an interval decides, with its numbers, in italics."""
    for claim in run["claims"] if run else ():
        low, high = claim["low"], claim["high"]
        if claim["verdict"] != "undecided" and None not in (low, high) and low != high:
            unit = f" {claim['unit']}" if claim["unit"] else ""
            return (f" *{claim['claim']}: {show(claim['measured'])} "
                    f"[{show(low)}, {show(high)}]{unit}: {claim['verdict']}*")
    return ""


def written(text):
    """The README with its tables between their marks."""
    head, rest = text.split(BEGIN)
    return counted(f"{head}{BEGIN}\n{table()}\n\n{machines()}\n{END}{rest.split(END)[1]}")


def main(folders):
    for folder in folders:
        keep(folder)
    text = written(README.read_text(encoding="utf-8"))
    write(README, lambda stream: stream.write(text.encode()))


if __name__ == "__main__":
    main(sys.argv[1:])
