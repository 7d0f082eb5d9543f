"""Each network demo in its smallest form: table, claims, figure and file; and --jobs, --resume."""
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from demos.__main__ import main
from problems.data import is_local

QUICK = [("regression", []), ("mnist", ["--data", "strokes"]), ("grammar", []),
         ("shakespeare", ["--data", "grammar"]), ("cifar", ["--data", "strokes"]),
         ("random_search", [])]
TITLES = {"regression": "lowest test error of 20 epochs", "mnist": "not MNIST; published: MNIST",
          "shakespeare": "perplexity after 300 updates", "cifar": "stroke digits, generated",
          "grammar": "bits per character of the test text",
          "random_search": "over 6 random configurations each"}
VERDICTS = {"holds", "fails", "undecided"}


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """Generated data are kept for the whole session, away from the user's own cache."""
    folder = tmp_path_factory.getbasetemp() / "cache"
    folder.mkdir(exist_ok=True)
    monkeypatch.setenv("MINIGRAD_CACHE", str(folder))


@pytest.mark.slow
@pytest.mark.parametrize("name, flags", QUICK)
def test_quick(name, flags, tmp_path, capsys):
    assert main([name, "--quick", "--out", str(tmp_path), *flags]) == 0
    out = capsys.readouterr().out
    assert TITLES[name] in out and out.startswith(f"{name}  backend=")
    assert (tmp_path / f"{name}.png").stat().st_size > 10_000
    record = json.loads((tmp_path / f"{name}.json").read_text())
    assert record["dtype"] == "float32" and record["data"]
    assert record["claims"] and {claim["verdict"] for claim in record["claims"]} <= VERDICTS
    if name not in ("grammar", "random_search"):
        assert "in truth" in out and set(record["data"]["runs"]) == {
            "Adam", "AdamW", "rms", "Muon", "SGD", "plain", "log"}


def regression(folder, *flags, size=("--quick",)):
    """Test errors and metric factors of a small regression."""
    assert main(["regression", *size, "--no-plot", "--out", str(folder), *flags]) == 0
    runs = json.loads((folder / "regression.json").read_text())["data"]["runs"]
    return {name: [(c["test"], c.get("s")) for c in curves] for name, curves in runs.items()}


@pytest.mark.slow
def test_jobs_and_resuming_change_nothing(tmp_path):
    expected = regression(tmp_path / "one")
    assert regression(tmp_path / "two", "--jobs", "2") == expected
    assert regression(tmp_path / "two", "--resume") == expected
    assert not (tmp_path / "one" / "regression.png").exists()


@pytest.mark.slow
def test_a_full_run_never_goes_on_from_a_quick_one(tmp_path, capsys):
    """Their checkpoints have names of their own, and say what they are."""
    size = ("--seeds", "3", "--epochs", "4")        # as many networks as --quick, other epochs
    expected = regression(tmp_path / "fresh", size=size)
    regression(tmp_path / "both")
    assert regression(tmp_path / "both", "--resume", size=size) == expected
    full = tmp_path / "both" / "checkpoints" / "regression-AdamW-0.0-2.npz"
    full.write_bytes(full.with_stem(full.stem + "-quick").read_bytes())
    capsys.readouterr()
    flags = [*size, "--no-plot", "--out", str(tmp_path / "both"), "--resume"]
    assert main(["regression", *flags]) == 1
    assert "quick was True, here it is False" in capsys.readouterr().err
    assert regression(tmp_path / "both", "--resume", "--restart", size=size) == expected


@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on_and_the_rest_is_as_if_nothing_had_happened(tmp_path):
    size = ("--seeds", "2", "--epochs", "40")
    folder = tmp_path / "broken"
    process = subprocess.Popen([sys.executable, "-m", "demos", "regression", *size, "--no-plot",
                                "--out", folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, start_new_session=True)
    second = folder / "checkpoints" / "regression-AdamW-0.0-1.npz"
    deadline = time.monotonic() + 60
    while not second.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)           # the terminal sends it to the whole group
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.startswith("train: stopped by Ctrl-C after step ") and "To go on, resume" in said
    assert said.count("\n") == 1 and not (folder / "regression.json").exists()
    expected = regression(tmp_path / "whole", size=size)
    assert regression(folder, "--resume", size=size) == expected


@pytest.mark.slow
def test_the_seed_decides(tmp_path):
    assert regression(tmp_path, "--seed", "1") != regression(tmp_path, "--seed", "2")


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("name, data", [("mnist", "mnist"), ("shakespeare", "tinyshakespeare"),
                                        ("cifar", "cifar-10")])
def test_quick_on_the_real_files(name, data, tmp_path, capsys):
    if not is_local(data):
        pytest.skip(f"{data} is not at hand; set MINIGRAD_DATA")
    assert main([name, "--quick", "--out", str(tmp_path)]) == 0
    about = json.loads((tmp_path / f"{name}.json").read_text())["data"]["data"]
    assert {"mnist": "MNIST", "shakespeare": "TinyShakespeare", "cifar": "CIFAR-10"}[name] in about
