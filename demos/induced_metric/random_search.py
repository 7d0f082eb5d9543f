"""Random search on the regression: three methods share the front, and any xi of the range will do.

Question   with the same number of random configurations for each of seven optimizers, which come
           out in front, and which values of xi do the best runs have?
Expected   Adam, AdamW and rms ahead of plain, plain ahead of SGD and log, as in the published means
           of the best tenth (50 of about 500 runs); xi among the best spreads over the whole range.
Time       six to twelve minutes with one process, --jobs N shortens it; --quick 3 s.
Source     T. R. Harvey 2025, arXiv:2509.03594, and the notebooks of its public code: the ranges,
           here searched at random (there perhaps by a model of the scores), one seed a run.

The configurations of an optimizer are one batch of points with hyper-parameters (n, 1), trained at
once; Muon takes its matrices one network at a time. A run that diverges scores infinity.

Intervals come from drawing the configurations again and taking the best tenth of each draw: the
best of a sample are no sample of their own, so their spread does not say how far chance moved them.
"""
import math
from functools import partial

import numpy as np

from demos.evidence import paired_bootstrap
from demos.induced_metric.regression import TABLE, groups, train_seeds
from demos.induced_metric.seven_optimizers import MAKERS, NAMES, resumable
from demos.report.looks import colour
from minigrad.backend import xp
from optim import run_all

SOURCE = "arXiv:2509.03594"
DTYPE = "float32"
MOMENTUM = (0.8, 0.99)
SHARED = {"lr": (1e-5, 1.0), "xi": (1e-3, 1e-1), "decay": (1e-6, 1e-2), "beta": (0.6, 0.9),
          "beta_rms": (0.9, 0.999), "beta1": MOMENTUM, "beta2": (0.9, 0.999), "momentum": MOMENTUM}
OWN = {"SGD": {"momentum": (0.1, 0.99)}, "Muon": {"momentum": (0.9, 0.99)}}
TAKES = {"Adam": ("lr", "beta1", "beta2"), "AdamW": ("lr", "beta1", "beta2", "decay"),
         "SGD": ("lr", "momentum"), "plain": ("lr", "momentum", "xi", "beta", "decay"),
         "log": ("lr", "momentum", "xi", "beta", "decay"),
         "rms": ("lr", "momentum", "xi", "beta", "beta_rms", "decay"),
         "Muon": ("lr", "momentum", "beta1", "beta2", "decay")}


def arguments(parser):
    parser.add_argument("--runs", type=int, default=50, metavar="N", help="per optimizer")
    parser.add_argument("--epochs", type=int, default=200, metavar="N")
    resumable(parser)


def draw(rng, name, n):
    """n configurations of an optimizer: {argument: values (n,)}, uniform or log-uniform."""
    found = {}
    for key in TAKES[name]:
        low, high = OWN.get(name, {}).get(key, SHARED[key])
        logarithmic = key in ("lr", "xi", "decay")
        found[key] = (np.exp(rng.uniform(math.log(low), math.log(high), n)) if logarithmic
                      else rng.uniform(low, high, n))
    return found


def make(name, settings, layout):
    """The optimizer with these settings: arrays (n,) for n networks, or numbers for one."""
    settings = {key: xp.asarray(value)[:, None] if np.ndim(value) else value
                for key, value in settings.items()}
    return MAKERS[name](layout, **settings) if name == "Muon" else MAKERS[name](**settings)


def run(args, report):
    n, epochs = (6, 10) if args.quick else (args.runs, args.epochs)
    top = max(n // 10, 2)
    rng = np.random.default_rng(args.seed)
    drawn = {name: draw(rng, name, n) for name in NAMES}
    calls = []
    for name in NAMES:
        for seeds in groups(name, n):
            part = {key: values[seeds] if name != "Muon" else float(values[seeds[0]])
                    for key, values in drawn[name].items()}
            calls.append((args, f"search-{name}", (make, (name, part)), seeds, epochs))
    done = run_all(train_seeds, calls, args.jobs, report.progress)
    score = {name: np.array([lowest(c) for call, found in zip(calls, done)
                             if call[2][1][0] == name for c in found]) for name in NAMES}
    first = {name: np.argsort(score[name])[:top] for name in NAMES}
    best = {name: score[name][first[name]] for name in NAMES}
    mean = {name: float(best[name].mean()) for name in NAMES}
    columns = ["optimizer", "best", f"mean of {top}", "median", "useless", "published", "top 50"]
    report.table(columns, [[name, f"{best[name][0]:.4f}", f"{mean[name]:.4f}",
                            f"{np.median(score[name]):.3f}", int((score[name] > 0.5).sum()),
                            TABLE[name]["best"], TABLE[name]["top50_mean"]] for name in NAMES],
                 title=f"lowest test error of {epochs} epochs over {n} random configurations each\n"
                       "(useless: above 0.5, the test error of predicting the mean)")
    report.table(["optimizer", "xi of the best", "rate of the best"],
                 [[name, spread(drawn[name].get("xi"), first[name]),
                   spread(drawn[name]["lr"], first[name])] for name in NAMES],
                 title=f"range among the best {top}; searched: xi 1e-3 to 1e-1, rate 1e-5 to 1")
    for better, worse in ((("Adam", "AdamW", "rms"), "plain"), (("plain",), "SGD"),
                          (("plain",), "log")):
        theirs = TABLE[worse]["top50_mean"] - np.mean([TABLE[b]["top50_mean"] for b in better])
        report.claim(f"{', '.join(better)} ahead of {worse} in the mean of the best {top} (gap)",
                     *paired_bootstrap(rng, partial(gap, top), score[worse],
                                       np.transpose([score[b] for b in better]), of=3),
                     above=0.0, published=round(theirs, 5), origin="code", quick=False,
                     where="regression notebook, means of the best 50", how="95 % bootstrap over "
                     f"n = {n} configurations, three claims at once")
    report.data.update(score=score, settings=drawn, epochs=epochs)
    if report.plotting:
        report.figure(picture(report, drawn, score, first))


def picture(report, drawn, score, first):
    """Left: every configuration of every optimizer, its best marked. Right: errors against xi."""
    figure, axes = report.subplots(1, 4, figsize=(11.5, 3.8), width_ratios=(1.5, 1, 1, 1),
                                   sharey=True)
    ranked = sorted(NAMES, key=lambda name: score[name][first[name]].mean())
    for k, name in enumerate(ranked):
        finite = score[name][np.isfinite(score[name])]
        shift = 0.5 * np.linspace(-0.5, 0.5, len(finite))
        axes[0].plot(k + shift, finite, "o", ms=3.5, alpha=0.35, mew=0, color=colour(name))
        axes[0].plot([k - 0.3, k + 0.3], [score[name][first[name]].mean()] * 2, color=colour(name),
                     lw=2.5)
    axes[0].set(yscale="log", ylabel="test error", xticks=range(len(ranked)), xticklabels=ranked,
                title=f"bar: mean of the best {len(first[ranked[0]])} of {len(score[ranked[0]])}")
    axes[0].tick_params(axis="x", rotation=45)
    for axis, name in zip(axes[1:], ("plain", "log", "rms")):
        best = first[name]
        axis.plot(drawn[name]["xi"], score[name], "o", ms=4, color="0.7", mew=0)
        axis.plot(drawn[name]["xi"][best], score[name][best], "D", ms=6, color=colour(name),
                  mec="white", mew=0.5)
        low, high = drawn[name]["xi"][best].min(), drawn[name]["xi"][best].max()
        axis.set(xscale="log", xlabel="ξ", xlim=(SHARED["xi"][0] / 1.3, SHARED["xi"][1] * 1.3),
                 title=f"{name}: best at ξ from {low:.2g} to {high:.2g}")
    figure.suptitle("Random search: ahead is " + ", then ".join(ranked[:3]), fontsize=11)
    return figure


def gap(top, worse, better):
    """Mean of the best `top` of one optimizer's scores (n,) minus that of others' (n, k)."""
    return np.sort(worse)[:top].mean() - np.sort(better, axis=0)[:top].mean()


def lowest(found):
    """The lowest test error of a run; infinity if there is none."""
    errors = [e for e in found["test"] if math.isfinite(e)]
    return min(errors, default=math.inf)


def spread(values, chosen):
    """Range of the chosen values as text."""
    return None if values is None else f"{values[chosen].min():.2g} .. {values[chosen].max():.2g}"
