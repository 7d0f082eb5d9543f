"""The sharpness and picture demos in their smallest form: table, claims, figure and file."""
import json

import numpy as np
import pytest

from demos.__main__ import main
from demos.landscape.loss_surface.networks import QUICK, build
from optim import SGD
from optim.training import train
from problems.data.grammar import SYMBOLS
from problems.networks.cnn import CNN
from problems.networks.lenet import LeNet
from problems.networks.lstm import LSTM
from problems.networks.mlp import MLP

VERDICTS = {"holds", "fails", "undecided"}


def quick(name, folder, *flags):
    """The record that the quick run wrote; a model that was chosen is in its name."""
    assert main([name, "--quick", "--out", str(folder), *flags]) == 0
    (file,) = folder.glob(f"{name}*.json")
    record = json.loads(file.read_text())
    assert record["claims"] and {claim["verdict"] for claim in record["claims"]} <= VERDICTS
    return record


@pytest.mark.slow
@pytest.mark.parametrize("name, says", [("edge_of_stability", "threshold"),
                                        ("filter_normalisation", "adaptive")])
def test_the_claims_hold(name, says, tmp_path, capsys):
    record = quick(name, tmp_path)
    assert {c["verdict"] for c in record["claims"] if c["asked"]} <= {"holds"}
    assert says in capsys.readouterr().out
    assert (tmp_path / f"{name}.png").stat().st_size > 50_000


@pytest.mark.slow
def test_sam(tmp_path, capsys):
    record = quick("sam", tmp_path)
    assert {c["verdict"] for c in record["claims"] if c["asked"]} == {"holds"}
    out = capsys.readouterr().out
    assert "ASAM 2" in out and "2.55" in out                   # ours, and the published table
    assert (tmp_path / "sam.png").stat().st_size > 50_000


@pytest.mark.slow
def test_skip_and_norm(tmp_path, capsys):
    record = quick("skip_and_norm", tmp_path)
    assert len(record["claims"]) == 4 and not any(c["asked"] for c in record["claims"])
    assert "skip + norm" in capsys.readouterr().out
    assert (tmp_path / "skip_and_norm.png").stat().st_size > 50_000


def test_without_plots_nothing_is_drawn(tmp_path):
    quick("filter_normalisation", tmp_path, "--no-plot")
    assert not list(tmp_path.glob("*.png"))


@pytest.mark.slow
def test_same_seed_same_numbers(tmp_path):
    first, second = (quick("filter_normalisation", tmp_path / name, "--no-plot") for name in "ab")
    assert first["data"] == second["data"] and first["claims"] == second["claims"]


@pytest.mark.slow
@pytest.mark.parametrize("model, data", [("mlp", "strokes"), ("cnn", "strokes"), ("transformer", "grammar")])
def test_loss_surface(model, data, tmp_path, monkeypatch, tmp_path_factory):
    monkeypatch.setenv("MINIGRAD_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    record = quick("loss_surface", tmp_path, "--model", model, "--data", data)
    heights = record["data"]["plane"]["heights"]
    assert len(heights) == len(heights[0]) and len(heights) % 2 == 1
    exact = [claim for claim in record["claims"] if "centre" in claim["claim"] or "untouched" in claim["claim"]]
    assert [claim["verdict"] for claim in exact] == ["holds", "holds"]
    for name in ("", "_trajectory", "_curvature"):
        chosen = "" if model == "mlp" else f"_{model}"
        assert (tmp_path / f"loss_surface{chosen}{name}.png").stat().st_size > 30_000


@pytest.mark.slow
def test_loss_surface_of_a_checkpoint(tmp_path, monkeypatch, tmp_path_factory, capsys):
    """The point in the file is the centre; a file of another model is refused by name."""
    monkeypatch.setenv("MINIGRAD_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    problem, _ = build("cnn", "strokes", None, 32)
    rng = np.random.default_rng(3)
    run = train(problem, SGD(0.05), rng=rng, steps=2, checkpoint=tmp_path / "run.npz", progress=None)
    flags = "--model", "cnn", "--data", "strokes", "--no-plot", "--checkpoint", str(tmp_path / "run.npz")
    record = quick("loss_surface", tmp_path, *flags)
    heights = record["data"]["plane"]["heights"]
    assert heights[3][3] == float(problem.loss(run.theta)) and "trajectory" not in record["data"]
    other = ["loss_surface", "--quick", "--data", "strokes", "--out", str(tmp_path), "--no-plot"]
    assert main([*other, "--checkpoint", str(tmp_path / "run.npz")]) == 1
    assert "belongs to another model" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("model, network, data", [
    ("mlp", MLP((784, 20, 10), activation="relu"), "strokes"),
    ("mlp", MLP((2, 9, 2), activation="tanh", norm=True), "spirals"),
    ("cnn", CNN(filters=(4, 6), kernel=3), "strokes"), ("cnn", LeNet(), "strokes"),
    ("transformer", LSTM(len(SYMBOLS), width=12, hidden=16, context=20), "grammar")])
def test_loss_surface_takes_a_checkpoint_of_any_network(tmp_path, monkeypatch, tmp_path_factory,
                                                        model, network, data):
    """The centre is the loss of that network: its class and sizes are read off the file."""
    monkeypatch.setenv("MINIGRAD_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    problem, _ = build(model, data, None, QUICK[model].examples, network)
    run = train(problem, SGD(0.01), rng=np.random.default_rng(3), steps=2, progress=None,
                checkpoint=tmp_path / "run.npz")
    record = quick("loss_surface", tmp_path, "--model", model, "--data", data, "--no-plot",
                   "--checkpoint", str(tmp_path / "run.npz"))
    heights = np.array(record["data"]["plane"]["heights"])
    middle = len(heights) // 2
    assert heights[middle, middle] == float(problem.loss(run.theta))


def test_an_even_grid_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["loss_surface", "--points", "50"])
    assert "must be an odd number" in capsys.readouterr().err
