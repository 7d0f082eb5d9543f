"""`load` looks at what it is asked for before it looks at files or the net."""
from pathlib import Path

import numpy as np
import pytest

from problems import data
from problems.data import files


@pytest.fixture(autouse=True)
def nothing_is_touched(monkeypatch, tmp_path):
    """Neither the disk nor the net may be asked."""
    def touched(*_):
        raise AssertionError("touched")
    for name in ("find", "fetch", "obtain", "places"):
        monkeypatch.setattr(files, name, touched)
    for module in (data.idx, data.cifar, data.text):
        monkeypatch.setattr(module, "obtain", touched)
    monkeypatch.setenv("MINIGRAD_CACHE", str(tmp_path))


WRONG = {
    "root": [3, b"here", ["here"], np.ones(2), object()],
    "split": [None, "theirs", 0, ["ours"], np.array(["ours", "paper"])],
    "seed": [None, "0", 1.5, -1, float("nan"), np.ones(1), True, np.random.default_rng(0)],
    "dtype": ["int32", "float", "x", 32, object(), np.int64],
    "download": [None, "no", "False", 2, 0.0, np.array([False]), object()],
}
WRONG["dtype"].remove("float")                              # NumPy's name of float64


@pytest.mark.parametrize("name", data.names())
@pytest.mark.parametrize("argument", WRONG)
def test_wrong_kinds_are_told_where_the_set_ignores_them_too(name, argument):
    for value in WRONG[argument]:
        with pytest.raises((TypeError, ValueError), match=rf"{name}: .*{argument}"):
            data.load(name, **{"download": False, argument: value})


@pytest.mark.parametrize("name", ["mnist", "cifar-10", "tinyshakespeare", "wikitext-2", "ptb"])
def test_what_is_allowed_gets_as_far_as_the_files(name):
    for wanted in (dict(root="here"), dict(root=Path("here")), dict(split="paper"),
                   dict(seed=np.uint8(3)), dict(dtype=np.float32), dict(dtype="float64"),
                   dict(download=0), dict(download=np.True_)):
        with pytest.raises(AssertionError, match="touched"):
            data.load(name, **wanted)


@pytest.mark.parametrize("name, option, value", [
    ("mnist", "flat", "no"), ("mnist", "limit", 0), ("mnist", "limit", 2.0), ("strokes", "flat", 2),
    ("spirals", "turns", "2"), ("clusters", "spread", None), ("power-law", "noise", float("nan")),
    ("clusters-8", "label_noise", 1.5), ("clusters-8", "label_noise", -0.1), ("ptb", "context", 0)])
def test_options_are_told(name, option, value):
    with pytest.raises((TypeError, ValueError), match=rf"{name}: {option} must"):
        data.load(name, **{option: value})


def test_other_doors():
    for bad in (3, np.ones(2), object()):
        with pytest.raises(TypeError, match="is_local: root must be a path"):
            data.is_local("mnist", bad)
        with pytest.raises(TypeError, match="first_local: root must be a path"):
            data.first_local("mnist", root=bad)
    for bad in (3, None, [], np.ones(2)):
        with pytest.raises(ValueError, match="load: unknown data set"):
            data.load(bad)
