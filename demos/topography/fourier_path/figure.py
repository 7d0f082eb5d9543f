"""The paths of four methods on the contours of six landscapes, and the heights along them."""
import numpy as np

from demos.topography.fourier_path.landscapes import LANDSCAPES, METHODS
from minigrad.backend import to_host, xp
from problems.landscape import Straight, plots
from problems.landscape.paths.heights import equal_steps

COLOURS = dict(zip(METHODS, ("black", "#3b6fb6", "#e08a1e", plots.INK)))
LINES = dict(zip(METHODS, ("-", "--", "-.", "-")))
SHOWN = ("Mueller-Brown A-C", "three holes", "Wolfe-Quapp", "ring", "tilted ring",
         "toy of the paper")


def draw(report, compared, published):
    names = [name for name in SHOWN if name in compared]
    columns = (len(names) + 2) // 2
    figure, axes = report.subplots(2, columns, figsize=(4.2 * columns, 7.6))
    axes = axes.ravel()
    for axis, name in zip(axes, names):
        contours(axis, name)
        paths(axis, compared[name])
        axis.set(title=name, xlabel="x", ylabel="y")
    axes[0].legend(fontsize=7, loc="upper right", labelcolor="linecolor")
    profile(axes[len(names)], compared[names[0]], names[0])
    for axis in axes[len(names) + 1:]:
        axis.set_visible(False)
    report.figure(figure)


def contours(axis, name):
    potential, route = LANDSCAPES[name]
    (a, b), (c, d) = potential.bounds
    x, y = np.linspace(a, b, 161), np.linspace(c, d, 161)
    V = to_host(potential.loss(xp.asarray(np.stack(np.meshgrid(x, y), axis=-1))))
    low, exact = V.min(), potential.routes[route].height
    levels = np.linspace(low, low + 2.2 * (exact - low), 23)
    axis.contourf(x, y, V, levels=levels, cmap=plots.CMAP, extend="max")
    axis.contour(x, y, V, levels=[exact], colors="white", linewidths=1.0, linestyles="solid")
    saddles = [s for s in potential.saddles if a < s[0] < b and c < s[1] < d]
    axis.plot(*np.array(saddles).T, "x", color="white", ms=7, mew=1.5, zorder=6)
    axis.set(xlim=(a, b), ylim=(c, d))


def paths(axis, found):
    t = xp.linspace(0.0, 1.0, 301)
    for method, (path, _) in found.items():
        xy = to_host(path(t)).T
        axis.plot(*xy, color="white", lw=2.6, alpha=0.8)
        axis.plot(*xy, LINES[method], color=COLOURS[method], lw=1.4, label=method)
    first = next(iter(found.values()))[0]
    axis.plot(*to_host(Straight(first.start, first.end)(t)).T, ":", color="0.85", lw=1.0)


def profile(axis, found, name):
    potential, route = LANDSCAPES[name]
    for method, (path, _) in found.items():
        t, length = equal_steps(path, 301)
        axis.plot(np.linspace(0.0, length, 301), to_host(potential.loss(path(xp.asarray(t)))),
                  LINES[method], color=COLOURS[method], label=method)
    axis.axhline(potential.routes[route].height, color="0.5", lw=0.8, ls="--")
    axis.set(title=f"{name}: heights (dashed: exact)", xlabel="distance along",
             ylabel="height")
    axis.legend(fontsize=7)
