"""The surfaces of the examples, and the regions of allowed pairs beside the paper's."""
import numpy as np

from problems.finite_sums import example1, example2, example3, example6
from problems.landscape.conditions import alpha_min, beta_min

WINDOWS = {"1": (example1, -4, 3), "2": (example2, -2, 4), "3": (example3, -3, 6),
           "6": (example6, -1, 2)}


def draw_surfaces(report):
    fig, axes = report.subplots(1, 4, figsize=(13.0, 3.4))
    for axis, (name, (make, low, high)) in zip(axes, WINDOWS.items()):
        f = make()
        x = np.linspace(low, high, 201)
        mesh = np.stack(np.meshgrid(x, x), axis=-1)
        image = axis.contourf(x, x, f.values(mesh).mean(axis=-1), levels=24, cmap="Greys_r")
        if name == "1":
            axis.plot(x, -0.5 - x, color="#b5123e", linewidth=1.2, label="minimisers")
        for kind, mark, colour in (("minimum", "*", "#b5123e"), ("local minimum", "v", "#3b6fb6"),
                                   ("saddle", "X", "#e08a1e")):
            points = np.array([s.point for s in f.stationary if s.kind == kind and name != "1"])
            if len(points):
                axis.plot(*points.T, mark, color=colour, markersize=8, markeredgecolor="w",
                          linestyle="", label=kind)
        axis.set(xlabel="x", ylabel="y", title=f"example {name}", xlim=(low, high),
                 ylim=(low, high), aspect="equal")
        axis.legend(fontsize=7, loc="lower right", frameon=True)
        fig.colorbar(image, ax=axis, shrink=0.8, label="f" if name == "6" else None)
    fig.suptitle("Each has a pair (alpha, beta); saddles and local minima rule out PL and Aiming",
                 fontsize=9)
    report.figure(fig, "surfaces")


def draw_regions(report, quick):
    """alpha - beta_min: how large a gap an alpha allows, on the plane and on the box."""
    fig, axes = report.subplots(1, 3, figsize=(11.0, 3.4))
    cases = {"1": (example1(), (-4, 3), 2.5), "3": (example3(), (-1, 4), 1512.46),
             "6": (example6(), (-1, 2), 2 / example6().values(example6().minimisers).min())}
    for axis, (name, (f, box, stated)) in zip(axes, cases.items()):
        tight = alpha_min(f, None, 0.1, mesh=81).value
        alphas = np.geomspace(0.5 * min(tight, 1.0), 2.0 * stated, 9 if quick else 25)
        for domain, style, label in ((None, "-", "the plane"), (box, "--", f"box {box}")):
            gap = np.array([a - beta_min(f, domain, a, mesh=61).value for a in alphas])
            axis.plot(alphas, np.where(gap > 0, gap, np.nan), style, color="k", label=label)
        axis.axvspan(stated, alphas[-1], color="#3b6fb6", alpha=0.15, lw=0,
                     label=f"stated: alpha >= {stated:.4g}")
        axis.set(xscale="log", yscale="log", xlabel="alpha", title=f"example {name}",
                 ylabel="alpha - least beta: the largest gap")
        axis.minorticks_off()
        axis.legend(fontsize=7)
    fig.suptitle("Pairs below the curve are allowed: the stated bounds are sufficient, not needed",
                 fontsize=9)
    report.figure(fig, "regions")
