"""In half-space learning the gradient points the wrong way for a while, and a pair still holds.

Question   two clouds of points and a sigmoid for each: do Aiming and PL fail on the way of SGD, and
           does a pair (alpha, alpha - .1) hold all the same?
Expected   with labels +-1: a negative cosine between gradient and the way to the last point, a run
           stuck at several times the lowest known loss (PL fails), and a finite alpha. With the
           original labels 0 and 1 half of the examples are the constant 1/2, and the cosine stays
           positive.
Time       5 minutes, shorter with --jobs; --quick 40 s.
Source     arXiv:2410.12455, half-space experiment (lr 1/4, batch 1, 4000 epochs; accepted pairs at
           alpha, beta = 33282 to 33290); class means, labels and protocol: the original authors'
           notebook. Their start is not published: ours is 2 N(0, I). So only the order of their
           alpha can be asked for; with labels 0 and 1 we found no start with a negative cosine.

Data seed s, start and stream from 100 + s. The seeds 1 and 2 of labels +-1 were chosen from three
since they show the two cases, a global and a local minimum.
"""
import numpy as np

from minigrad.backend import to_host, xp
from optim import SGD, Objective, descent, run_all
from problems.finite_sums import HalfSpace
from problems.landscape.conditions import aiming, cosine, pl, record

SOURCE = "arXiv:2410.12455"
GAP = 0.1


def run(args, report):
    cases = [("pm1", 1), ("pm1", 2)] + ([] if args.quick else [("01", 0), ("01", 1)])
    epochs = 1000 if args.quick else 4000
    found = run_all(measure, [(labels, args.seed + s, epochs) for labels, s in cases], args.jobs,
                    report.progress)
    runs = {f"{labels}, seed {args.seed + s}": r for (labels, s), r in zip(cases, found)}
    report.table(["labels", "start", "end", "lowest", "cosine", "turned", "from", "2 mu", "alpha",
                  "true f_i*"],
                 [[name, r["height"][0], r["final"], r["best"], r["cosine"].min(),
                   int((r["cosine"] < 0).sum()), first_turn(r), f"{np.nanmin(r['pl']):.1e}",
                   r["alpha"], r["alpha_true"]] for name, r in runs.items()],
                 title=f"{epochs} epochs of 40 examples, one a step. lowest: of 40 descents; "
                       "cosine: the least; turned: epochs with a negative one, and the first of "
                       "them; 2 mu: the least; alpha: the least of the gap .1 for f_i* = 0, and "
                       "for the true f_i*")
    judge(report, runs, args)
    report.data["runs"] = {name: {k: v for k, v in r.items() if np.ndim(v) == 0}
                           for name, r in runs.items()}
    if report.plotting:
        draw(report, runs)


def first_turn(r):
    """The first epoch with a negative cosine, None if there is none."""
    turned = np.flatnonzero(r["cosine"] < 0)
    return int(turned[0]) if len(turned) else None


def measure(labels, seed, epochs):
    f = HalfSpace(seed, labels)
    rng = np.random.default_rng(100 + seed)
    start, stream = 2.0 * rng.normal(size=9), rng.integers(0, f.n, (epochs * f.n, 1))
    run = record(f, SGD(0.25), start, lambda: iter(stream), every=f.n)
    best = min(lowest(f, seed), run.final)
    full, e = run.full, run.envelope()
    true = run.envelope(f.lowest[stream[:, 0]])
    pair = e.pair(GAP)
    return dict(height=full["height"], slope=full["slope"], final=run.final, best=best,
                cosine=cosine(full["inner"], full["slope"], full["distance"]),
                aiming=aiming(full["inner"], full["height"]),
                pl=pl(full["slope"], full["height"], best), alpha=pair[0],
                alpha_true=true.alpha_min(GAP), least_T=e.min_T(*pair), uphill=e.uphill())


def lowest(f, seed):
    """The least height that 40 descents with the whole gradient find."""
    starts = xp.asarray(2.0 * np.random.default_rng([seed, 5]).normal(size=(40, f.dimension)))
    for _, _, loss, _ in descent(SGD(2.0), Objective(f), starts, steps=3000):
        pass
    return float(to_host(loss).min())


def judge(report, runs, args):
    (one, first), (two, second) = list(runs.items())[:2]
    same = dict(how="exact: one deterministic run")
    where = "half-space figure"
    report.claim(f"{one}: the least cosine of gradient and way to x_K",
                 float(first["cosine"].min()), below=0.0, origin="paper", where=where,
                 published=-0.25, **same)
    report.claim(f"{two}: the least cosine", float(second["cosine"].min()), below=0.0,
                 origin="paper", where=where, quick=False, **same)
    report.claim(f"{two}: 2 mu = |g|²/(f - f*) at its least, f* the lowest known",
                 float(np.nanmin(second["pl"])), at_most=1e-5, origin="paper", where=where,
                 why="the slope is a thousandth where the loss is five times the lowest", **same)
    report.claim("least T over both runs at the corner (alpha, alpha - .1): the pair is allowed",
                 min(first["least_T"], second["least_T"]), at_least=-1e-12, origin="paper",
                 where=where, why="0, less rounding", **same)
    report.claim("the largest alpha of labels +-1", max(first["alpha"], second["alpha"]),
                 between=(1e1, 1e5), origin="ours", where="the paper's 33282, whose start is not "
                 "published", why="finite, and within its order of magnitude and a half", **same)
    faithful = [r for name, r in runs.items() if name.startswith("01")]
    if not faithful:
        return
    report.claim("labels 0 and 1: the least cosine stays positive", min(
        float(np.nanmin(r["cosine"])) for r in faithful), above=0.0, origin="ours",
        where="the notebook's labels, starts 2 N(0, I)", **same)


def draw(report, runs):
    fig, axes = report.subplots(1, 4, figsize=(13.0, 3.4))
    for name, r in runs.items():
        epoch = np.arange(len(r["height"]))
        look = dict(linewidth=0.8, label=name, linestyle="-" if name.startswith("pm1") else "--")
        axes[0].semilogy(epoch, r["height"], **look)
        axes[1].semilogy(epoch, r["slope"], **look)
        axes[2].plot(epoch, r["cosine"], **look)
        axes[3].semilogy(epoch, r["pl"], **look)
    for axis, name in zip(axes, ("loss", "gradient norm", "cosine with the way to x_K",
                                 "2 mu of PL")):
        axis.set(xlabel="epoch", ylabel=name)
    axes[2].axhline(0.0, color="0.5", linewidth=0.6)
    axes[0].legend(fontsize=7)
    fig.suptitle("SGD, one example a step: flat where the loss is high (PL), and at times turned "
                 "away from the last point (Aiming)", fontsize=9)
    report.figure(fig)
