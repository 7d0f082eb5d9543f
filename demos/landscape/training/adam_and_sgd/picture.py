"""The figure: the edges, the sharpness behind them, two spectra, and both runs in one plane."""
import numpy as np

from demos.report.looks import colour
from minigrad.backend import xp
from problems.landscape import plane_through, plots

COLOURS = {"Adam, b .9": colour("Adam"), "Adam, b .5": "#5aa9d6", "Adam, b 0": "#a9d2ea",
           "descent": colour("gradient descent"), "Adam": colour("Adam"), "SGD": colour("SGD"),
           "SGD, rate / 4": "#9cc2a2"}


def draw(report, edges, ends, problem, ways, places):
    """edges {name: [Edge]}; ends, ways, places {name: ...} of the first data set."""
    figure, ((top, right), (bottom, plane)) = report.subplots(2, 2, figsize=(11.5, 8.2))
    for name, found in edges.items():
        for k, edge in enumerate(found):
            style = dict(color=COLOURS[name], linewidth=1.4 if k == 0 else 0.6,
                         alpha=1.0 if k == 0 else 0.45, label=None if k else name)
            top.plot(edge.steps, edge.share, **style)
            right.plot(edge.steps, edge.raw, **style)
    top.axhline(1.0, color="0.3", linestyle=(0, (4, 3)), linewidth=0.8)
    top.set(xlabel="step of the full batch", ylabel="sharpness felt / threshold of the method",
            ylim=(0, 1.35), title="What each method feels settles at its own threshold")
    top.legend(fontsize=8, loc="lower right")
    right.set(xlabel="step of the full batch", ylabel="$\\lambda_{max}$ of the Hessian itself",
              title="Plain descent is held at $2/\\eta$ = 6.67; Adam's is not held")
    for name, end in ends.items():
        positive = end.eigenvalues[end.eigenvalues > 0][:150]
        bottom.loglog(np.arange(1, len(positive) + 1), positive, color=COLOURS[name], label=name)
    bottom.set(xlabel="rank", ylabel="eigenvalue of the Hessian",
               title="Spectra at one training loss: a handful of large ones, then a slope")
    bottom.legend(fontsize=8)
    both(plane, report, problem, ways, places)
    report.figure(figure)


def both(ax, report, problem, ways, places):
    """The plane through the start and both ends, and what of the runs it does not show."""
    corners = [ways["SGD"].points[0], *(ways[name].points[places[name]] for name in
                                        ("SGD", "Adam"))]
    found = plane_through(problem, *corners, count=15 if report.args.quick else 41)
    filled = found.draw(ax, ["start", "SGD", "Adam"])
    seen = []
    for name in ("SGD", "Adam"):
        points = ways[name].points[:places[name] + 1]
        x, y = found.place(points).T
        ax.plot(x, y, color="white", linewidth=2.2)
        ax.plot(x, y, color=COLOURS[name], linewidth=1.3)
        flat = found.basis / xp.linalg.norm(found.basis, axis=1, keepdims=True)
        moves = points[1:] - points[:-1]
        seen.append(float(xp.sum((moves @ flat.T)**2) / xp.sum(moves**2)))
    ax.set(xlabel="along SGD's end - start", ylabel="across, same scale",
           title="Both runs in one plane; it holds {:.0f} % and {:.0f} % of their\n"
                 "squared moves (of {} steps each)".format(*(100 * s for s in seen), 10))
    plots.colour_bar(ax, filled)
    report.data["share of squared moves in the plane"] = dict(zip(("SGD", "Adam"), seen))
