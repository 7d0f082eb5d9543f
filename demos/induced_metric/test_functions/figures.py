"""Two pictures of the experiment: the best runs on their landscapes, and the starts solved."""

import numpy as np

from demos.induced_metric.test_functions.grid import OPTIMIZERS, STEPS, TASKS, run_cell
from demos.report.looks import colour, look
from minigrad import to_host, xp
from problems.functions import FUNCTIONS

VIEWS = {                                               # x and y range of each landscape's picture
    "beale": (-1.0, 4.2, -1.6, 1.6),
    "rosenbrock": (-0.8, 1.6, -0.5, 1.6),
    "himmelblau": (-5.5, 5.5, -5.5, 5.5),
    "ackley": (-3.1, 3.1, -3.1, 3.1),
    "rastrigin": (-3.1, 3.1, -3.1, 3.1),
}
FLOOR = 1e-10                                           # lower heights are drawn there
SIDE = 41                                               # starts along each side of the map


def best_runs(report, traces):
    """Above, the best run of each optimizer on the landscape; below, its height against updates."""
    updates = {(f, o): arrived(f, traces[f, o][1]) for f in TASKS for o in OPTIMIZERS}
    solved = {o: sum(updates[f, o] > 0 for f in TASKS) for o in OPTIMIZERS}
    figure, axes = report.subplots(2, len(TASKS), figsize=(10.5, 5.6))
    for (above, below), (f, (_, tolerance)) in zip(axes.T, TASKS.items()):
        draw_landscape(above, f, VIEWS[f])
        for width, o in enumerate(OPTIMIZERS):
            path = traces[f, o][1]
            draw_path(above, path, colour(o), updates[f, o], layer=width)
            draw_heights(below, path, updates[f, o], label=o)
        below.axhline(tolerance, color="0.6", lw=0.7, zorder=0)
        below.set(xscale="log", yscale="log", xlabel="updates", xlim=(0.9, 1.3 * STEPS),
                  xticks=[1, 10, 100, 1000], ylim=(FLOOR / 2, 3e3), yticks=[1e-9, 1e-6, 1e-3, 1, 1e3])
        below.minorticks_off()
        if below is not axes[1, 0]:
            below.tick_params(labelleft=False)
        above.set_title(f"{f.capitalize()}\n{headline({o: updates[f, o] for o in OPTIMIZERS})}")
    axes[1, 0].set_ylabel("lowest f so far (faint: f)")
    handles, labels = axes[1, 0].get_legend_handles_labels()
    figure.legend(handles, [f"{o}: {solved[o]} of {len(TASKS)}" for o in labels],
                  loc="outside lower center", ncols=len(labels), fontsize=10, handlelength=3.2)
    complete = [o for o in OPTIMIZERS if solved[o] == len(TASKS)]
    figure.suptitle("Best run of each optimizer's grid: all five functions are solved by "
                    + (", ".join(complete) or "none"), fontsize=12)
    return figure


def arrived(f, path):
    """The number of updates after which the run was within the tolerance, 0 if it never was."""
    return len(path.heights) - 1 if path.heights[-1] <= TASKS[f][1] else 0


def headline(updates):
    some = {o: u for o, u in updates.items() if u}
    if not some:
        return "none arrives\n"
    first = min(some, key=some.get)
    if len(some) == 1:
        return f"only {first} arrives:\n{some[first]} updates"
    return f"{len(some)} of {len(updates)} arrive, first\n{first}: {some[first]} updates"


def draw_landscape(axes, f, view, strength=0.45):
    """Contours, darker where it is low; black crosses at the minima."""
    from matplotlib.colors import LinearSegmentedColormap

    x, y = np.linspace(*view[:2], 241), np.linspace(*view[2:], 241)
    points = np.stack(np.meshgrid(x, y), axis=-1)
    depth = to_host(FUNCTIONS[f](xp.asarray(points))) ** 0.3   # spreads the low heights
    low = (1.0 - strength, 1.0 - 0.9 * strength, 1.0 - 0.7 * strength)
    mist = LinearSegmentedColormap.from_list("mist", [low, (0.985, 0.985, 0.98)])
    axes.contourf(x, y, depth, levels=16, cmap=mist)
    axes.contour(x, y, depth, levels=16, colors="white", linewidths=0.35)
    axes.plot(*FUNCTIONS[f].minimisers.T, "+", color="black", ms=9, mew=1.3, zorder=20)
    axes.set(xlim=view[:2], ylim=view[2:], xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def draw_path(axes, path, ink, updates, layer, first=150):
    """The run's first points, with a star where it arrives; runs drawn earlier are wider, so that
    they show on both sides where runs coincide."""
    x, y = path.points[:first].T
    width, alpha = (1.0 + 0.5 * layer, 0.9) if updates else (1.0, 0.5)
    axes.plot(x, y, color=ink, lw=width, alpha=alpha, zorder=10 - layer, solid_joinstyle="round")
    if updates:
        axes.plot(*path.points[-1], "*", color=ink, ms=11 + layer, mec="white", mew=0.7,
                  zorder=30 - layer)
    axes.plot(*path.points[0], "o", color="white", mec="black", ms=5, zorder=40)


def draw_heights(axes, path, updates, label):
    t = np.arange(1, len(path.heights))
    heights = np.maximum(path.heights[1:], FLOOR)
    axes.plot(t, heights, color=colour(label), lw=0.5, alpha=0.2, zorder=1)
    axes.plot(t, np.fmin.accumulate(heights), lw=1.6 if updates else 1.1, label=label, zorder=3,
              **look(label))
    if updates:
        axes.plot(updates, heights[-1], "*", color=colour(label), ms=11, mec="white", mew=0.7,
                  zorder=5)


def solved_starts(report, runs, starts):
    """Where the best single configuration arrives, and how fast, over a grid of starts; the random
    starts on top, filled if any configuration solves them."""
    from matplotlib.colors import LogNorm

    side = np.linspace(-4.0, 4.0, SIDE)
    field = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    figure, axes = report.subplots(len(OPTIMIZERS), len(TASKS), figsize=(11, 13.2), sharex=True,
                                   sharey=True)
    norm = LogNorm(1, STEPS)
    for k, (row, o) in enumerate(zip(axes, OPTIMIZERS)):
        for j, (panel, f) in enumerate(zip(row, TASKS)):
            report.progress(f"map of solved starts: {o} {f}", (k + j / len(TASKS)) / len(OPTIMIZERS))
            found = runs["random", f, o].updates > 0
            favourite = int(found.sum(0).argmax())
            mapped, _ = run_cell(f, o, field, only=favourite)
            updates = np.where(mapped.updates > 0, mapped.updates, np.nan).reshape(SIDE, SIDE)
            image = panel.pcolormesh(side, side, updates, norm=norm, cmap="viridis_r")
            panel.set_facecolor("0.93")
            for start, any_solves in zip(starts, found.any(1)):
                panel.plot(*start, "o", ms=5, color="black" if any_solves else "none",
                           mec="white" if any_solves else "black", mew=0.8)
            panel.plot(*FUNCTIONS[f].minimisers.T, "P", color="white", mec="black", ms=6, mew=0.6)
            share = np.isfinite(updates).mean()
            panel.set_title(f"any: {found.any(1).sum()} of {len(starts)};  best: {share:.0%}",
                            fontsize=8)
            panel.set(xlim=(-4.1, 4.1), ylim=(-4.1, 4.1), aspect="equal",
                      xticks=range(-4, 5, 2), yticks=range(-4, 5, 2))
    for panel, f in zip(axes[-1], TASKS):
        panel.set_xlabel(f"{f.capitalize()}:  x", fontsize=10)
    for row, o in zip(axes, OPTIMIZERS):
        row[0].set_ylabel(f"{o}:  y", fontsize=10)
    figure.colorbar(image, ax=axes, shrink=0.35, aspect=30,
                    label="updates until solved (grey: never)")
    figure.suptitle("Starts solved by the best single configuration (colour), and random starts\n"
                    "solved by any configuration (black dots; circles: by none; crosses: minima)",
                    fontsize=12)
    return figure
