"""Three panels: the race, the map of winners, and the layers inside networks."""
import numpy as np

from demos.report.looks import colour
from problems.landscape import plots

from .hidden import CURVATURES

COLOURS = {"SGD": colour("SGD"), "Muon": colour("Muon"), "t = 1/2": "#7f9fd0", "bound": "#e08a1e",
           "adaptive": plots.INK}


def draw(report, excess, points, shares):
    figure, (left, middle, right) = report.subplots(1, 3, figsize=(11, 3.6))
    for rule, rows in excess.items():
        left.semilogy(np.median(rows, axis=0), color=COLOURS[rule], label=rule,
                      linewidth=2.0 if rule == "adaptive" else 1.1)
    left.set(xlabel="steps, best length each", ylabel="median excess loss / start",
             title="choosing in every step is ahead of\nany fixed power in the first steps")
    left.legend(fontsize=7)
    stable, nuclear, ratio = points.T
    top = np.abs(np.log10(ratio)).max()
    shown = middle.scatter(stable, nuclear, c=np.log10(ratio), cmap="RdBu_r", vmin=-top, vmax=top,
                           s=9, edgecolors="0.4", linewidths=0.2)
    limit = max(stable.max(), nuclear.max()) * 1.05
    middle.plot([1, limit], [1, limit], color="0.3", linewidth=0.8, linestyle="--")
    middle.set(xlabel="stable rank of the inputs", ylabel="nuclear rank of the gradient",
               title="Muon wins (red) above nr = st (dashed),\nbut not everywhere above")
    scale = figure.colorbar(shown, ax=middle, shrink=0.8)
    scale.set_label("log10 of gain, Muon / SGD", fontsize=7)
    bars(right, shares)
    report.figure(figure)


def bars(axis, shares):
    groups = list(dict.fromkeys(group for group, _ in shares))
    colours = {"identity": "0.6", "kfac": "#3b6fb6", "hvp": "#3d8f5f"}
    for k, rule in enumerate(CURVATURES):
        values = np.array([shares[group, rule] for group in groups])
        x = np.arange(len(groups)) + 0.26 * (k - 1)
        axis.bar(x, 100 * values[:, 0], 0.24, color=colours[rule], label=rule)
        axis.errorbar(x, 100 * values[:, 0], 100 * np.abs(values[:, 1:] - values[:, :1]).T,
                      fmt="none", ecolor="0.2", linewidth=0.8)
    axis.axhline(50, color="0.3", linewidth=0.8, linestyle=":")
    axis.set(xticks=range(len(groups)), xticklabels=[g.replace(", ", "\n") for g in groups],
             ylabel="right choices, %", ylim=(0, 125),
             title="inside networks the criterion needs\nthe curvature that a layer sees")
    axis.tick_params(axis="x", labelsize=7)
    axis.legend(fontsize=7, loc="upper center", ncols=3)
