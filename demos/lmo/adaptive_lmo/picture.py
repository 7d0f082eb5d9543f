"""Above: what every arm reaches, over its rates. Below: the exponents of the layers over time."""
import numpy as np

from demos.report.looks import colour
from problems.landscape import plots

from .arms import EVERY

COLOURS = {"t = 1/2": "#7f9fd0", "random t": "0.7", "adaptive": plots.INK,
           "adaptive, kfac": "#e8a0b4"}


def draw(report, results):
    figure, axes = report.subplots(2, len(results), figsize=(max(2.3 * len(results), 3) + 1.8, 5.4),
                                   squeeze=False)
    for (above, below), (scene, found) in zip(axes.T, results.items()):
        for arm, (_, _, curve, _) in found.items():
            scores = np.array([np.mean(curve[lr]) for lr in curve])
            above.plot(range(3), scores, "o-", markersize=3, linewidth=1.0, label=arm,
                       color=COLOURS.get(arm) or colour(arm))
        above.set(title=scene, xticks=range(3), xticklabels=["low", "middle", "high"],
                  xlabel="rate, of the arm's grid")
        above.set_yscale("log")
        traces = np.array(found["adaptive"][3])
        for k, t in enumerate(traces.T):
            shade = k / max(traces.shape[1] - 1, 1)
            below.plot(EVERY * np.arange(len(t)), t, linewidth=0.9,
                       color=(0.15 + 0.5 * shade, 0.55 - 0.2 * shade, 0.37 + 0.4 * shade))
        below.set(ylim=(-0.03, 1.03), xlabel="step")
    axes[0, 0].set_ylabel("loss at the end, mean over seeds")
    axes[1, 0].set_ylabel("t of each layer (0 Muon, 1 SGD)\nfirst green, last violet")
    handles, labels = axes[0, -1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", fontsize=7)
    figure.suptitle("Fixed, random and chosen exponents:\nthe loss at the end, and what was chosen",
                    fontsize=9)
    report.figure(figure)
