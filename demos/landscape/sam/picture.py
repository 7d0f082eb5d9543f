"""The figure of the SAM demo."""
import numpy as np

from problems.landscape import grid, plots
from problems.landscape.slices.planes import Plane


def draw(report, paths, lam, names, rows):
    """The valley with the paths in it, their lambda_max by step, and the networks as points."""
    figure, (left, middle, right) = report.subplots(1, 3, figsize=(12.5, 4.2))
    a, b = grid(-1.6, 3.4, 161), grid(-1.6, 2.6, 161)
    plots.contours(left, Plane(a, b, (1.0 - a * b[:, None]) ** 2 + 1e-4, 1.0), labels=False)
    for (name, path), colour in zip(paths.items(), ["0.15", "#ffb000", "0.75", "0.55", plots.INK]):
        middle.loglog(np.arange(1, len(path) + 1), lam[name], color=colour, label=name)
        if name[-2:] not in (".1", "05"):
            left.plot(path[:, 0], path[:, 1], color=colour, linewidth=1.6)
            left.plot(*path[-1], "o", color=colour, markeredgecolor="white", markersize=7)
    left.set(xlabel="a", ylabel="b", xlim=(a[0], a[-1]), ylim=(b[0], b[-1]),
             title="(1 - ab)$^2$: SAM slides along the valley of minima")
    middle.set(xlabel="step", ylabel="$\\lambda_{max}$",
               title="to its flattest point, where $\\lambda_{max} = 4$")
    middle.legend(fontsize=7.5, loc="lower right")
    for k, name in enumerate(names):
        right.plot(rows[k, :, 2], 100 * rows[k, :, 0], "osD^v"[k], alpha=0.7, label=name)
    right.set(xscale="log", xlabel="$\\lambda_{max}$ of the training loss",
              ylabel="test accuracy, %",
              title="Networks: flatness and accuracy")
    right.legend(fontsize=7.5)
    report.figure(figure)
