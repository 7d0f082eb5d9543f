"""The table as a picture that reads in grey: dark breaks, light passes; rings: foretold wrongly."""
import numpy as np

from .landscapes import NAMES


def draw(report, methods, passed, told):
    cells = np.array([[passed[m.name][name] for name in NAMES] for m in methods], float)
    figure, (ax, bars) = report.subplots(1, 2, figsize=(9.6, 0.5 + 0.32 * len(methods) + 1.2),
                                         width_ratios=(4, 1), sharey=True)
    ax.imshow(cells, cmap="cividis", vmin=-0.4, vmax=1.15, aspect="auto")
    for i, m in enumerate(methods):
        for j, name in enumerate(NAMES):
            found, said = passed[m.name][name], told[m.name][name][0]
            ax.text(j, i, "+" if found else "–", ha="center", va="center",
                    color="black" if found else "white", fontsize=9)
            if found != said:
                ax.plot(j, i, "o", markersize=15, markerfacecolor="none",
                        markeredgecolor="#d33", markeredgewidth=1.8)
    ax.set_xticks(range(len(NAMES)), NAMES, rotation=35, ha="right")
    ax.set_yticks(range(len(methods)), [m.name for m in methods])
    ax.set_xticks(np.arange(len(NAMES)) - 0.5, minor=True)
    ax.set_yticks(np.arange(len(methods)) - 0.5, minor=True)
    ax.grid(which="minor", color="white", linewidth=1.5)
    ax.tick_params(which="both", length=0)
    wrong = int(sum(passed[m.name][n] != told[m.name][n][0] for m in methods for n in NAMES))
    ax.set_title(f"What breaks what (–); rings: {wrong} of {cells.size} cells foretold wrongly")
    bars.barh(range(len(methods)), cells.sum(axis=1), color="#556", height=0.7)
    bars.set(xlabel="landscapes passed", xlim=(0, len(NAMES)), xticks=(0, 4, 8, 12))
    bars.tick_params(left=False)
    report.figure(figure)
