"""The figure of the demo of ensembles: three scores by budget, and the ridge on four lines."""
import numpy as np

from demos.landscape.training.ensembles.scores import QUANTITIES

STYLES = {                                              # way: (colour, line)
    "independent": ("#b5123e", "-o"), "points of a curve": ("#e08a1e", "-o"),
    "snapshots (FGE)": ("#3b6fb6", "-o"), "its ingredients": ("#4a9d5b", "-o"),
    "soup": ("#4a9d5b", "--s"), "SWA": ("#7b5ea7", "--s"), "one run": ("0.2", ":^"),
    "one run, stopped": ("0.6", ":^")}
LINES = {"as they are": ("0.6", "-"), "repaired": ("0.6", "--"), "aligned": ("#3b6fb6", "-"),
         "aligned, repaired": ("#3b6fb6", "--")}


def draw(report, found, budgets, ridges):
    """found {(budget, way): (sets, quantities)}; ridges, one Ridge a pair."""
    figure, ((loss, error), (right, ridge)) = report.subplots(2, 2, figsize=(10, 7.6))
    truth = found[None, "the true probabilities"].mean(axis=0)
    for ax, quantity, title in (
            (loss, "loss", "Loss: long runs lose what five short ones together keep"),
            (error, "ECE", "Calibration error: averaging helps those that are too sure"),
            (right, "accuracy", "Accuracy")):
        column = QUANTITIES.index(quantity)
        for name, (colour, line) in STYLES.items():
            ax.plot(budgets, [found[G, name][:, column].mean() for G in budgets], line,
                    color=colour, markersize=4, label=name)
        ax.axhline(truth[column], color="0.8", linewidth=1)
        ax.annotate("the true probabilities", (budgets[0], truth[column]), color="0.5",
                    fontsize=7.5, va="bottom", textcoords="offset points", xytext=(0, 1))
        ax.set(xscale="log", xlabel="gradients spent on training", ylabel=f"test {quantity}",
               title=title, xticks=budgets, xticklabels=budgets)
        ax.minorticks_off()
    figure.legend(*right.get_legend_handles_labels(), fontsize=8, ncols=4, loc="outside lower center")
    t = np.linspace(0, 1, 25)
    for name, (colour, line) in LINES.items():
        profiles = [np.interp(t, r.records[name].ts, r.records[name].losses) for r in ridges]
        ridge.plot(t, np.median(profiles, axis=0), line, color=colour, label=name)
    ridge.set(xlabel="t, from one network to the other", ylabel="training loss, median of pairs",
              title="The ridge: alignment, then REPAIR", ylim=(0, None))
    ridge.legend(fontsize=7.5)
    report.figure(figure)
