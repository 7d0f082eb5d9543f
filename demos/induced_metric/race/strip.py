"""The race as a strip of moments, side by side."""
import numpy as np

from demos.report.looks import colour
from minigrad.backend import to_host, xp

MARKERS = {"log": "o", "rms": "s", "plain": "^", "Adam": "D", "NAdam": "v", "SGD": "P"}
MOMENTS = (2, 5, 10, 50, 1000)


def draw(report, f, runners, centre, half, mesh=161):
    figure, axes = report.subplots(1, len(MOMENTS), figsize=(13.0, 3.4), sharey=True)
    x, y = (np.linspace(c - half, c + half, mesh) for c in centre)
    grid = np.stack(np.meshgrid(x, y), axis=-1)
    heights = to_host(f(xp.asarray(grid.reshape(-1, 2)))).reshape(mesh, mesh)
    levels = np.unique(np.quantile(heights, np.linspace(0.0, 1.0, 12)))
    for ax, t in zip(axes, MOMENTS):
        ax.contour(x, y, heights, levels=levels, colors="0.75", linewidths=0.7)
        ax.plot(*f.minimisers.T, "x", color="black", markersize=8)
        for runner in runners:
            ink, marker = colour(runner.name), MARKERS[runner.name]
            path = np.clip(runner.path[:t + 1], centre - half, centre + half)
            arrived = runner.arrival(t) < float("inf")
            ax.plot(*path.T, color=ink, linewidth=0.8, alpha=0.6)
            ax.plot(*path[-1], marker, color=ink, markersize=6, markeredgecolor="black" if
                    arrived else "none", label=runner.name)
        names = [r.name for r in sorted(runners, key=lambda r: r.updates)
                 if r.arrival(t) < float("inf")]
        ax.set(title=f"{t} updates: " + (", ".join(names[:2]) + " …" * (len(names) > 2)
                                         if names else "nobody") + " in",
               xlim=(x[0], x[-1]), ylim=(y[0], y[-1]), aspect="equal")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    report.figure(figure)
