"""The plane through three points: corners, scale, heights, curves that lie in it."""
import numpy as np
import pytest

from minigrad.backend import to_host, xp
from optim import Objective
from problems.landscape.paths.curves import BezierCurve
from problems.landscape.slices.three_points import plane_through


def bowl(theta):
    return (theta * theta).sum(axis=-1)


def triangle():
    return (xp.asarray(point) for point in np.random.default_rng(0).standard_normal((3, 6)))


def test_corners_and_heights():
    a, b, c = triangle()
    view = plane_through(Objective(bowl), a, b, c, count=15)
    assert np.allclose(view.corners[:2], [[0, 0], [1, 0]], atol=1e-12) and view.corners[2, 1] > 0
    u, v = to_host(view.basis)
    assert np.isclose(u @ u, v @ v) and abs(u @ v) < 1e-12                 # one scale, right angles
    for (x, y), point in zip(view.corners, (a, b, c)):
        assert np.allclose(to_host(a) + x * u + y * v, to_host(point), atol=1e-12)
    assert view.plane.heights.shape == (15, 15)
    x, y = view.plane.alphas[3], view.plane.betas[11]
    assert np.isclose(view.plane.heights[11, 3], ((to_host(a) + x * u + y * v) ** 2).sum())
    assert view.plane.centre == float(bowl(a))


def test_the_window_is_square_and_holds_the_triangle():
    a, b, c = triangle()
    plane = plane_through(Objective(bowl), a, b, c, count=9, margin=0.2).plane
    assert np.isclose(np.ptp(plane.alphas), np.ptp(plane.betas))
    corners = plane_through(Objective(bowl), a, b, c, count=3).corners
    low, high = corners.min(axis=0) - 0.2 + 1e-9, corners.max(axis=0) + 0.2 - 1e-9
    for axis, ticks in enumerate((plane.alphas, plane.betas)):
        assert ticks[0] <= low[axis] and ticks[-1] >= high[axis]


def test_a_quadratic_bezier_curve_lies_in_the_plane_of_its_control_points():
    a, b, c = triangle()
    curve = BezierCurve(a, b, free=c[None])
    view = plane_through(Objective(bowl), a, b, c, count=3)
    points = curve(xp.linspace(0, 1, 7))
    x = view.place(points)
    assert np.allclose(to_host(a) + x @ to_host(view.basis), to_host(points), atol=1e-12)


def test_draws(tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    a, b, c = triangle()
    figure, ax = plt.subplots()
    view = plane_through(Objective(bowl), a, b, c, count=9)
    view.draw(ax, "ABC")
    view.trace(ax, BezierCurve(a, b, free=c[None]), "red")
    assert [text.get_text() for text in ax.texts] == ["A", "B", "C"] and len(ax.lines) == 5
    figure.savefig(tmp_path / "plane.png")
    plt.close(figure)


def test_errors():
    a, b, c = triangle()
    with pytest.raises(ValueError, match="the three points lie on one line"):
        plane_through(Objective(bowl), a, b, 0.5 * (a + b))
    with pytest.raises(ValueError, match="lie on one line"):
        plane_through(Objective(bowl), a, a, c)
    with pytest.raises(ValueError, match=r"three points of one shape \(d,\)"):
        plane_through(Objective(bowl), a, b, c[:3])
