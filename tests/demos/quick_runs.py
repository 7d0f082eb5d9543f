"""Quick runs of demos that many tests look at: where MINIGRAD_RESULTS is a folder in which
`python -m demos all --quick --out FOLDER` has made them, they are not made again."""
import json
import os
from pathlib import Path

from demos.__main__ import main


def folder_made(name):
    """The folder in which a quick run of the demo lies already, or None."""
    folder = os.environ.get("MINIGRAD_RESULTS")
    return Path(folder) if folder and (Path(folder) / f"{name}.json").exists() else None


def record(name, folder):
    return json.loads((Path(folder) / f"{name}.json").read_text())


def fresh_run(name, folder, *flags):
    """The record of a quick run made now."""
    assert main([name, "--quick", "--out", str(folder), *flags]) == 0
    return record(name, folder)


def quick_run(name, folder):
    """(the record of a quick run, the folder with its figures)."""
    made = folder_made(name)
    return (record(name, made), made) if made else (fresh_run(name, folder), folder)
