"""The picture of the four network demos: seven optimizers on one task."""
import numpy as np

from demos.report.looks import colour, look


def figure(report, runs, score, *, label, published=None, log=False, name=None):
    """From {optimizer: [curve, ...]}: scores and losses on the way, times, the metric's factor, and
    where each run ended beside the published best.

    score   which score of the curves;  label  its axis;  published {name: {"best", "best_epoch"}}
    """
    drawn, axes = report.subplots(2, 3, figsize=(10.5, 6.6))
    (scores, trains, clock), (ends, times, factors) = axes
    last = {optimizer: best_of(curves, score) for optimizer, curves in runs.items()}
    ranked = sorted(runs, key=lambda optimizer: np.median(last[optimizer]))
    for optimizer in ranked:
        along(scores, trains, clock, factors, optimizer, runs[optimizer], score)
    for axis, x, y in ((scores, "evaluation", label), (trains, "evaluation", "training loss"),
                       (clock, "seconds", label), (factors, "evaluation", "metric factor s")):
        axis.set(xlabel=x, ylabel=y)
        axis.grid(alpha=0.2)
        if x == "evaluation":
            axis.xaxis.get_major_locator().set_params(integer=True)
    if log:
        scores.set_yscale("log"), clock.set_yscale("log")
    trains.set_yscale("log"), factors.set_yscale("log")
    ended(ends, ranked, last, published, label, log)
    spent(times, ranked, runs, score)
    handles, labels = scores.get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside lower center", ncols=len(labels), handlelength=3.0)
    first, worst = ranked[0], ranked[-1]
    drawn.suptitle(f"Best {label}: {first} {np.median(last[first]):.3g}, ..., {worst} "
                   f"{np.median(last[worst]):.3g} ({medians(len(runs[first]))})", fontsize=11)
    report.figure(drawn, name)


def medians(count):
    return f"medians of {count} runs" if count > 1 else "one run each"


def best_of(curves, score):
    """The lowest score of each run."""
    return np.array([np.nanmin(np.array(curve[score], dtype=float)) for curve in curves])


def along(scores, trains, clock, factors, optimizer, curves, score):
    """One optimizer's lines: medians over its runs, shaded from the lowest to the highest run."""
    rows = np.array([curve[score] for curve in curves], dtype=float)    # (runs, evaluations)
    train = np.array([curve["train"] for curve in curves])
    seconds = np.median([curve["seconds"] for curve in curves], axis=0)
    at, line = np.arange(1, rows.shape[1] + 1), dict(lw=1.4, label=optimizer, **look(optimizer))
    marker = dict(marker="o", ms=3) if rows.shape[1] < 6 else {}
    for axis, values in ((scores, rows), (trains, train)):
        axis.plot(at, np.median(values, axis=0), **line, **marker)
        if len(values) > 1:
            axis.fill_between(at, values.min(axis=0), values.max(axis=0), color=colour(optimizer),
                              alpha=0.12, lw=0)
    clock.plot(seconds, np.median(rows, axis=0), **line, **marker)
    if "s" in curves[0]:
        low, middle, high = np.median([curve["s"] for curve in curves], axis=0).T
        factors.plot(at, middle, **line, **marker)
        factors.fill_between(at, low, high, color=colour(optimizer), alpha=0.15, lw=0)


def ended(axis, ranked, last, published, label, log):
    """Where each run got to, best optimizer above; a star where the published run did."""
    for k, optimizer in enumerate(ranked):
        axis.plot(last[optimizer], np.full(len(last[optimizer]), k), "o", ms=5, alpha=0.6, mew=0,
                  color=colour(optimizer))
        axis.plot(np.median(last[optimizer]), k, "|", ms=16, mew=2, color=colour(optimizer))
        if published:
            axis.plot(published[optimizer]["best"], k, "*", ms=9, color="white", mec="black",
                      mew=0.8)
    axis.set(xlabel=f"best {label}" + (" (star: published)" if published else ""),
             yticks=range(len(ranked)), yticklabels=ranked, ylim=(len(ranked) - 0.5, -0.5))
    if log:
        axis.set_xscale("log")
    axis.grid(axis="x", alpha=0.2)


def spent(axis, ranked, runs, score):
    """Seconds until the best score, by optimizer."""
    for k, optimizer in enumerate(ranked):
        best = [int(np.nanargmin(np.array(curve[score], dtype=float))) for curve in runs[optimizer]]
        seconds = [curve["seconds"][at] for curve, at in zip(runs[optimizer], best)]
        axis.barh(k, np.median(seconds), 0.6, color=colour(optimizer))
    axis.set(xlabel="seconds to the best score", yticks=range(len(ranked)), yticklabels=ranked,
             ylim=(len(ranked) - 0.5, -0.5))
