"""The moving picture of saddle_escape: what it shows, and that it is written whole or not at all."""
import argparse

import numpy as np
import pytest

from demos.__main__ import main
from demos.landscape.saddle_escape import animation
from demos.report import Report


@pytest.fixture
def report(tmp_path):
    args = argparse.Namespace(seed=0, quick=True, out=str(tmp_path), no_plot=False)
    return Report("example", args, source="here")


def test_a_kick_leaves_the_saddle_sooner_and_curvature_soonest():
    """Descent multiplies y by 1 + .1 (1 - x² - y²), at most 1.1: ln(.5/1e-5)/ln 1.1 = 113.5."""
    left = {}
    for name, path in animation.ways(0).items():
        assert path.shape == (animation.STEPS + 1, 2)
        left[name] = int(np.argmax(abs(path[:, 1]) > 0.5))
        assert abs(path[-1, 0]) < 1e-3 and abs(path[-1, 1]) == pytest.approx(1.0, abs=1e-2)
    assert 114 <= left["gradient descent"] < 130
    assert 10 <= left["saddle-free Newton"] <= 20 < left["perturbed"] < left["gradient descent"]


def test_the_surface_is_the_one_in_the_docstring():
    x, y = np.random.default_rng(1).standard_normal((2, 5))
    np.testing.assert_allclose(animation.SADDLE(np.stack([x, y], axis=-1)),
                               x**2 / 2 - y**2 / 2 + (x**2 + y**2)**2 / 4)


def test_as_many_pictures_as_were_asked_for(report, tmp_path):
    from PIL import Image                               # matplotlib's own dependency

    figure, ax = report.subplots(1, 1, figsize=(1, 1))
    line, = ax.plot([0, 1], [0, 1], "o")
    seen = []

    def draw(k):
        seen.append(k)
        line.set_data([k / 2], [0.5])
    report.animation(figure, draw, 3, "moving", rate=4)
    path = tmp_path / "example_moving.gif"
    assert report.saved == [path] and set(seen) == {0, 1, 2}
    with Image.open(path) as picture:
        assert picture.n_frames == 3 and picture.info["duration"] == 250
    assert [p.name for p in tmp_path.iterdir()] == [path.name]          # nothing half written


def test_a_picture_that_fails_leaves_no_file(report, tmp_path):
    figure, _ = report.subplots(1, 1, figsize=(1, 1))

    def draw(k):
        if k == 2:
            raise ValueError("no such frame")
    with pytest.raises(ValueError, match="no such frame"):
        report.animation(figure, draw, 3, "moving")
    assert not list(tmp_path.iterdir()) and not report.saved


def test_animate_and_no_plot_contradict_each_other(tmp_path, capsys):
    assert main(["saddle_escape", "--quick", "--animate", "--no-plot", "--out", str(tmp_path)]) == 1
    assert "--no-plot forbids it" in capsys.readouterr().err


@pytest.mark.slow
def test_the_run_writes_it(tmp_path):
    assert main(["saddle_escape", "--quick", "--animate", "--out", str(tmp_path)]) == 0
    assert 50_000 < (tmp_path / "saddle_escape_moving.gif").stat().st_size < 1_000_000
