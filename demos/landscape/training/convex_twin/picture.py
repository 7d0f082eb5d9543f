"""The figure of the convex twin: ways down, curvature on the way, and the wall."""
import numpy as np

from demos.landscape.training.convex_twin.twins import PLACES, RIDGE
from minigrad.backend import to_host
from problems.landscape import plots
from problems.landscape.slices.planes import Plane

COLOURS = {"twin": "#3b6fb6", "network": plots.INK}


def draw(report, found):
    figure, (left, middle, right) = report.subplots(1, 3, figsize=(12.5, 4.1))
    for name, way in found["ways"].items():
        for k, losses in enumerate(way.losses):
            label = {"twin": "linear in its parameters", "network": "one hidden layer"}[name]
            left.loglog(np.arange(1, len(losses) + 1), losses, color=COLOURS[name], linewidth=0.9,
                        label=None if k else label)
            left.plot(len(losses), losses[-1], "o", color=COLOURS[name], markersize=3.5)
            places = np.append(np.minimum(PLACES, len(losses)), len(losses)) + 1.0
            middle.plot(places, way.lowest[k] / RIDGE, "-o", color=COLOURS[name], markersize=2.5,
                        linewidth=0.8)
    left.set(xlabel="step (from 1)", ylabel="loss with ridge",
             title="The twin's starts meet at one height, the network's do not")
    left.legend(fontsize=8)
    middle.axhline(1.0, color="0.4", linestyle=(0, (4, 3)), linewidth=0.8)
    middle.set(xscale="log", xlabel="step (from 1)", ylabel="$\\lambda_{min}$ / ridge",
               title="The twin's curvature is the ridge or more everywhere")
    middle.set_yscale("symlog", linthresh=1.0)
    wall_and_slope(right, found)
    report.figure(figure)


def wall_and_slope(ax, found):
    """The plane through 0, the constrained and the free minimum; the ball is a disc in it."""
    wall = found["walls"]["touched"]
    V, free, x = wall.theta, wall.free, found["squares"].data[0]
    e1 = V / np.linalg.norm(V)
    e2 = free - np.sum(free * e1) * e1
    e2 = e2 / np.linalg.norm(e2)
    r, tip = np.linalg.norm(V), np.array([np.sum(free * e1), np.sum(free * e2)])
    reach = 1.25 * np.linalg.norm(free)
    a, b = np.linspace(-r * 1.2, reach, 121), np.linspace(-r * 1.2, reach, 121)
    x = to_host(x)
    heights = excess(a, b, [e1, e2, -free], x.T @ x / len(x))
    plots.contours(ax, Plane(a, b, heights + 1e-3, 0.0), labels=False)
    angle = np.linspace(0, 2 * np.pi, 400)
    ax.plot(r * np.cos(angle), r * np.sin(angle), color="white", linewidth=1.6)
    ax.plot(r, 0.0, "o", color=plots.INK, markeredgecolor="white", markersize=7)
    ax.plot(*tip, "*", color="white", markeredgecolor=plots.INK, markersize=12)
    ax.annotate("", (r * 1.45, 0.0), (r, 0.0), arrowprops=dict(arrowstyle="->", color="white"))
    ax.annotate("downhill, straight\nout of the ball", (r * 1.48, 0.0), color="white", fontsize=7,
                va="center")
    ax.annotate("free minimum", tip, (-9, 6), textcoords="offset points", color="white", fontsize=7,
                ha="right")
    ax.set(xlabel="along the constrained minimum", ylabel="across", aspect="equal",
           title=f"Slope and wall's normal are parallel: multiplier {wall.multiplier:.3g}")


def excess(a, b, parts, gram):
    """½ <D, gram D> of D = a e1 + b e2 - free, on the grid (b, a); parts: e1, e2, -free."""
    M = np.array([[np.sum(p * (gram @ q)) for q in parts] for p in parts])
    B, A = np.meshgrid(b, a, indexing="ij")
    c = np.stack([A, B, np.ones_like(A)])
    return 0.5 * np.einsum("iyx,ij,jyx->yx", c, M, c)
