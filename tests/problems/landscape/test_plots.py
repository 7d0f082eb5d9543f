"""Pictures draw without a warning, whatever the heights are, and keep what they promise."""
import warnings

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from problems.landscape import plots  # noqa: E402
from problems.landscape.slices.planes import Plane, grid  # noqa: E402

A = grid(count=9)
BOWL = A[None, :] ** 2 + 3.0 * A[:, None] ** 2 + 1e-3


def plane(heights):
    return Plane(A, A, heights, float(heights[4, 4]))


@pytest.mark.parametrize("heights", [BOWL, BOWL - 1e-3, BOWL * 1e300, np.where(BOWL > 3, np.inf, BOWL),
                                     np.where(BOWL > 3, np.nan, BOWL), np.full((9, 9), 2.0)],
                         ids=["bowl", "zero", "huge", "inf", "nan", "flat"])
def test_contours_and_surface_draw(heights):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = plt.figure()
        flat, solid = figure.add_subplot(121), figure.add_subplot(122, projection="3d")
        filled = plots.contours(flat, plane(heights), cap=None)
        plots.colour_bar(flat, filled)
        plots.centre(flat)
        plots.path(flat, [[0.5, 0.5], [0.2, 0.1], [0.0, 0.0]])
        plots.surface(solid, plane(heights), points=[[0.5, 0.5, 1.0], [0.0, 0.0, 1e-3]])
        figure.canvas.draw()
        plt.close(figure)


def test_levels_are_even_in_the_logarithm_and_bounded_below():
    levels = plots.log_levels(BOWL, 10)
    assert levels[0] == pytest.approx(BOWL.min()) and levels[-1] == pytest.approx(BOWL.max())
    np.testing.assert_allclose(levels[1:] / levels[:-1], levels[1] / levels[0])
    assert plots.log_levels(BOWL - 1e-3).min() == pytest.approx((BOWL.max() - 1e-3) * 1e-4)


def test_heights_without_a_logarithm_are_refused():
    with pytest.raises(ValueError, match="no height is positive"):
        plots.contours(plt.figure().add_subplot(), plane(-BOWL))


def test_the_cap_bounds_what_is_drawn():
    assert plots.shown(np.array([1.0, np.nan, 9.0, np.inf]), 5.0).tolist() == [1.0, 5.0, 5.0, 5.0]
    assert plots.shown(np.array([1.0, np.nan, 9.0]), None).tolist() == [1.0, 9.0, 9.0]


def test_true_loss_beside_the_planes():
    ax = plt.figure().add_subplot()
    right = plots.true_against_plane(ax, [0, 1, 2], [3.0, 2.0, 1.0], [4.0, 2.5, 1.0], [1.0, 0.5, 0.0])
    assert len(ax.get_legend().get_texts()) == 3 and right.get_ylim()[0] == 0.0
