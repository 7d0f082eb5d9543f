"""One picture of the slips: how far print and finding lie apart, and four of them drawn."""
import textwrap

import numpy as np

COLOURS = {"A": "#3b6fb6", "B": "#b5123e", "C": "#e08a1e", "D": "#2a7f3f"}
MARKERS = {"A": "o", "B": "s", "C": "^", "D": "D"}


def draw(report, slips):
    panels = {s.mark: s for s in slips if s.picture is not None}
    figure, axes = report.subplots(2, 3, figsize=(12.0, 6.6), width_ratios=(1.5, 1, 1))
    cells = axes[0, 0].get_gridspec()
    for ax in axes[:, 0]:
        ax.remove()
    apart(figure.add_subplot(cells[:, 0]), [s for s in slips if s.pair])
    for ax, (mark, paint) in zip(axes[:, 1:].flat, PANELS.items()):
        if mark in panels:
            paint(ax, panels[mark].picture)
        else:
            ax.axis("off")
    report.figure(figure)


def apart(ax, slips):
    """Printed over found, a row for each slip where both are numbers."""
    for row, s in enumerate(reversed(slips)):
        letter, ratio = s.mark[0], s.pair[0] / s.pair[1]
        ax.plot([1.0, ratio], [row, row], color=COLOURS[letter], linewidth=1.0)
        ax.plot(ratio, row, MARKERS[letter], color=COLOURS[letter], markersize=6)
    ax.axvline(1.0, color="0.6", linewidth=0.8)
    names = [textwrap.shorten(f"{s.mark}  {s.title}", 46, placeholder=" …") for s in slips]
    ax.set_yticks(range(len(slips)), names[::-1], fontsize=8)
    ax.set(xscale="log", xlabel="as printed / as found",
           title=f"{len(slips)} slips whose two sides are numbers")
    ax.grid(axis="x", alpha=0.2)


def heights(ax, found):
    at = np.arange(len(found["λ"]))
    ax.plot(at, found["figure 3"], "k*", markersize=11, label="the paper's figure")
    ax.plot(at, found["as printed"], "s--", color="#b5123e", label="sum of heights (printed)")
    ax.plot(at, found["as coded"], "o-", color="#3b6fb6", label="sum of squares (coded)")
    ax.set_xticks(at, [f"{v:g}" for v in found["λ"]])
    ax.set(xlabel="λ", ylabel="height of the path",
           title="B1: the figure is of another objective")
    ax.legend(fontsize=7)


def sign(ax, found):
    s = found["x + y"]
    ax.plot(s, found["- β"], "--", color="#b5123e", label="- β, as in the captions")
    ax.plot(s, found["+ β"], color="#3b6fb6", label="+ β, as defined")
    ax.axhline(0.0, color="0.6", linewidth=0.8)
    ax.set(xlabel="x + y", ylabel="should be >= 0",
           title="D1: which sign example 1 allows")
    ax.set_ylim(top=2.0)
    ax.legend(fontsize=7, loc="upper right")


def differences(ax, found):
    for name, look in (("relu", "s--"), ("tanh", "o-")):
        ax.plot(found["steps"], np.maximum(found[name], 1e-12), look,
                color="#b5123e" if name == "relu" else "#3b6fb6", label=name)
    ax.set(xscale="log", yscale="log", xlabel="step of the differences / |θ|",
           ylabel="relative error of λ_max, median", title="C9: differences see kinks as curvature")
    ax.legend(fontsize=7)


def times(ax, found):
    at = np.arange(len(found["optimizers"]))
    ax.bar(at - 0.2, found["arrived"], 0.4, color="#b5123e", label="runs that arrive")
    ax.bar(at + 0.2, found["not"], 0.4, color="#3b6fb6", label="runs that do not")
    ax.set_xticks(at, found["optimizers"], fontsize=8)
    ax.set(yscale="log", ylabel="printed milliseconds an update",
           title="A1: who arrives is booked twice")
    ax.legend(fontsize=7)


PANELS = {"B1": heights, "D1": sign, "C9": differences, "A1": times}
