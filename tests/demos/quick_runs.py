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


def quick_run(name, folder):
    """(its record, the folder with its figures)."""
    found = folder_made(name)
    if found is None:
        assert main([name, "--quick", "--out", str(folder)]) == 0
        found = Path(folder)
    return json.loads((found / f"{name}.json").read_text()), found
