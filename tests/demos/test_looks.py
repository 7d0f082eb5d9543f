"""One table of optimizers' looks, used everywhere; labels of logarithmic axes that keep apart."""
import ast
import itertools
from pathlib import Path

import numpy as np
import pytest

from demos.__main__ import FOLDER
from demos.induced_metric.seven_optimizers import NAMES
from demos.induced_metric.test_functions.grid import OPTIMIZERS
from demos.report.axes import few, legible
from demos.report.looks import LOOKS, colour, look, method

mpl = pytest.importorskip("matplotlib")


def lightness(ink):
    r, g, b = mpl.colors.to_rgb(ink)
    return 0.299 * r + 0.587 * g + 0.114 * b


@pytest.mark.parametrize("names", [NAMES, tuple(OPTIMIZERS)])
def test_two_methods_of_one_figure_differ_in_grey(names):
    for a, b in itertools.combinations(names, 2):
        assert LOOKS[a].dashes != LOOKS[b].dashes or (
            abs(lightness(LOOKS[a].colour) - lightness(LOOKS[b].colour)) > 0.1), (a, b)


def test_a_variant_looks_like_its_method():
    assert colour("SGD, pinned") == colour("SGD/√k") == colour("SGD") == look("SGD-long")["color"]
    assert method("SGD-ES") == "SGD-ES" and method("SAM .05") == "SAM" and method("AdamW") == "AdamW"
    with pytest.raises(ValueError, match="no optimizer of the table is called 'Adamax'"):
        colour("Adamax")


def test_no_demo_has_colours_of_its_own_for_a_method():
    for path in sorted(FOLDER.rglob("*.py")):
        if path.name == "looks.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values):
                    taken = isinstance(key, ast.Constant) and key.value in LOOKS and any(
                        isinstance(part, ast.Constant) and str(part.value).startswith("#")
                        for part in ast.walk(value))
                    assert not taken, f"{Path(path).name}: {key.value} has its look in looks.py"


@pytest.mark.parametrize("low, high", [(0.82, 0.89), (2.28, 2.37), (0.2, 0.7), (0.3, 30), (1, 9.9),
                                       (1e-3, 0.1), (4e-3, 5e-3), (0.97, 1.03)])
def test_few_round_numbers_within_the_axis(low, high):
    places = few(low, high)
    assert 2 <= len(places) <= 7 and low <= places[0] and places[-1] <= high
    assert len({f"{place:.6g}" for place in places}) == len(places)


@pytest.mark.parametrize("low, high", [(0.82, 0.89), (2.28, 2.37), (0.4, 7.0), (1e-6, 1e3)])
def test_labels_of_a_logarithmic_axis_do_not_overprint(low, high):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2.4, 2.0), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.loglog(np.geomspace(low, high, 9), np.geomspace(low, high, 9))
    legible(figure)
    canvas.draw()
    for axis in (axes.xaxis, axes.yaxis):
        boxes = [tick.get_window_extent() for tick in axis.get_ticklabels(which="both")
                 if tick.get_text() and axes.bbox.padded(2).overlaps(tick.get_window_extent().padded(9))]
        assert len(boxes) >= 2
        assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


def test_labels_that_a_demo_chose_stay():
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    axes.semilogx([2, 4, 8], [1, 2, 3])
    axes.set_xticks([2, 8], ["two", "eight"])
    legible(axes.figure)
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["two", "eight"]
