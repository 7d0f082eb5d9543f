"""The picture of `norm_layers`: λ_max at the start and on the way, and the largest stable rates."""
import numpy as np

from demos.landscape.training.norm_layers.kinds import KINDS

COLOURS = {"norm": "#b5123e", "frozen": "#3b6fb6", "none": "0.4"}
TITLES = {"transformer": "Transformer, layer norm", "resnet": "Residual network, batch norm"}


def draw(report, found):
    figure, axes = report.subplots(len(found), 3, figsize=(11, 6.4))
    for (start, way, rate), (family, cases) in zip(axes, found.items()):
        points(start, [one.start for one in cases])
        start.set(ylabel="largest Hessian eigenvalue", title=f"{TITLES[family]}: at the start")
        for kind in KINDS:
            for k, one in enumerate(cases):
                seen = one.ways[kind]
                way.loglog(seen.losses[seen.steps], seen.lam, "-", color=COLOURS[kind],
                           linewidth=1, alpha=0.8, label=kind if k == 0 else None)
                way.plot(seen.losses[0], seen.lam[0], "o", color=COLOURS[kind], markersize=3)
        way.invert_xaxis()
        way.set(xlabel="training loss, falling", ylabel="largest Hessian eigenvalue",
                title="along slow descent")
        plain(way.xaxis, (1, 2, 3, 4, 6))
        plain(way.yaxis)
        way.legend(fontsize=8)
        points(rate, [one.rate for one in cases])
        rate.set(ylabel="learning rate", title="largest stable rate")
    report.figure(figure)


def points(ax, cases):
    """One line a case through its values {kind: value}."""
    for values in cases:
        ax.plot(range(len(KINDS)), [values[kind] for kind in KINDS], color="0.8", linewidth=0.8)
    for k, kind in enumerate(KINDS):
        ax.plot([k] * len(cases), [values[kind] for values in cases], "o", color=COLOURS[kind],
                markersize=5, alpha=0.8)
        ax.plot([k - 0.2, k + 0.2], [np.median([values[kind] for values in cases])] * 2,
                color=COLOURS[kind], linewidth=2)
    ax.set_yscale("log")
    plain(ax.yaxis)
    ax.set_xticks(range(len(KINDS)), KINDS)
    ax.set_xlim(-0.5, len(KINDS) - 0.5)


def plain(axis, leading=(1, 2, 5)):
    """Numbers such as 20 and 0.5 along a logarithmic axis, those with these leading digits."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=leading))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())
