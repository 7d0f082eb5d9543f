"""Which part of the method matters: moments, averages, how often, which range, the size of steps.

Question   of moments, averaging, k, the range of t and pinning, which changes the loss at the end;
           and does following the best length of the surrogate make the loss jump?
Expected   pinning and moments matter most, how often and how smoothly t is chosen hardly at all.
           The paper is reported to see spikes when the surrogate's own length is used, at the
           moments the geometry changes.
Time       about 5 min; --quick 15 s.
Source     Massena, Friedrich & Serrurier 2026, arXiv:2605.19781, appendices, as others report them;
           the ablation, the network and the definition of a spike are ours.

All 48 combinations on the perceptron of `adaptive_lmo`, two rates each, the better by its mean over
seeds; an effect is the difference of mean log loss between two levels of one part, all else equal,
run by run. Pinned sizes go down to AdamW's as t goes up where there are moments, so the effect of
the size is one of length too, and has the other sign without moments: see the combinations. A
spike: a minibatch loss above the mean of the last 20 by 4 of their deviations.
"""
from itertools import product

import numpy as np

from demos.evidence import paired_bootstrap, t_interval
from demos.lmo.adaptive_lmo.arms import REST, follow
from demos.lmo.adaptive_lmo.scenes import perceptron
from optim import AdamW, SchattenMuon, linear, run_all

SOURCE = "arXiv:2605.19781"
DTYPE = "float32"
PARTS = {"moment": (None, "adam", "padam"), "average": (0.95, 0.0), "every": (10, 40),
         "low": (1 / 50, 1 / 10), "scale": ("pinned", "jordan")}
NAMES = {"moment": "moments", "average": "average of c and b", "every": "k", "low": "1 / pmax",
         "scale": "size"}
RATES = (0.01, 0.03)


def run(args, report):
    seeds = range(args.seed, args.seed + (2 if args.quick else 5))
    steps = 40 if args.quick else 150
    settings = [dict(zip(PARTS, levels)) for levels in product(*PARTS.values())]
    if args.quick:
        settings = [s for s in settings if s["average"] and s["every"] == 10]
    calls = [(s, lr, seed, steps) for s in settings for lr in RATES for seed in seeds]
    losses = run_all(one, calls, args.jobs, report.progress)
    table = np.log(np.array(losses)).reshape(len(settings), len(RATES), len(seeds))
    best = np.array([rows[rows.mean(axis=1).argmin()] for rows in table])     # (settings, seeds)
    effects = main_effects(settings, best, report)
    order = np.argsort(best.mean(axis=1))
    shown = [*order[:5], *order[-3:]]
    report.table([*NAMES.values(), "loss", "lowest", "highest"],
                 [[*(settings[i][part] or "none" for part in PARTS), float(np.exp(best[i].mean())),
                   float(np.exp(best[i].min())), float(np.exp(best[i].max()))] for i in shown],
                 title=f"The five best and three worst of {len(settings)} combinations, {steps} "
                 f"steps, {len(seeds)} seeds")
    spikes(args, report, seeds)
    report.data["combinations"] = [{**s, "log loss": row.tolist()}
                                   for s, row in zip(settings, best)]
    if report.plotting:
        draw(report, effects)


def one(settings, lr, seed, steps, surrogate=None, on_the_way=False):
    """The training loss at the end of one run; or the minibatch losses on the way."""
    problem, batches, theta, matrices, judge = perceptron(seed, None)
    opt = SchattenMuon(problem.layout, lr, matrices=matrices, surrogate=surrogate,
                       fallback=AdamW(REST, beta2=0.99, decay=0.0), **settings)
    theta, losses, _ = follow(opt.scheduled(linear(lr, steps)), problem, batches, theta, steps)
    if on_the_way:
        return losses
    score = np.inf if theta is None else judge(theta)
    return score if np.isfinite(score) else 1e3             # a diverged run counts as a bad one


def main_effects(settings, best, report):
    """{(part, level): (log-loss difference to the first level, low, high)}, claims, a table."""
    effects, runs, rows = {}, {}, []
    levels = [(part, level) for part, all_levels in PARTS.items() for level in all_levels[1:]
              if any(s[part] == level for s in settings)]
    for part, level in levels:
        pairs = []
        for i, s in enumerate(settings):
            if s[part] == level:
                other = settings.index({**s, part: PARTS[part][0]})
                pairs.append(best[i] - best[other])
        runs[part, level] = np.mean(pairs, axis=0)
        effects[part, level] = t_interval(runs[part, level], of=len(levels))
        rows.append([NAMES[part], f"{PARTS[part][0] or 'none'} -> {level}", *effects[part, level]])
    report.table(["part", "change", "log loss", "low", "high"], rows,
                 title="What a change of one part does, averaged over all else; 95 % t over seeds")
    smooth, strong = ([runs[key] for key in runs if key[0] in parts] for parts in (
        ("average", "every", "low"), ("moment", "scale")))
    if smooth and strong:
        report.claim("the strongest effect of moments and size / of averaging, k and range",
                     *paired_bootstrap(np.random.default_rng(0), strongest, np.array(smooth).T,
                                       np.array(strong).T), origin="ours", where="one perceptron",
                     above=1.0, quick=False, how=f"95 % bootstrap, n = {best.shape[1]} seeds")
    return effects


def strongest(smooth, strong):
    """The largest mean effect of one group of parts over that of the other; (seeds, effects)."""
    return abs(strong.mean(axis=0)).max() / max(abs(smooth.mean(axis=0)).max(), 1e-9)


def spikes(args, report, seeds):
    """Spikes of the minibatch loss without and with the surrogate's length, two ways."""
    steps, rows, counts = 100 if args.quick else 400, [], {}
    settings = dict(moment=None, average=0.95, every=10, low=1 / 50, scale="pinned")
    ways = {"off": (None, 0.03), "ratio to Muon's": ("ratio", 0.03), "direct": ("direct", 1.0)}
    calls = [(settings, lr, seed, steps, how, True) for how, lr in ways.values() for seed in seeds]
    runs = iter(run_all(one, calls, args.jobs, report.progress))
    for name in ways:
        some = [next(runs) for _ in seeds]
        counts[name] = [spikes_of(losses) for losses in some]
        near = sum(k % 10 < 3 for places in counts[name] for k in places)
        rows.append([name, sum(map(len, counts[name])), near,
                     float(np.mean([np.mean(losses[-20:]) for losses in some]))])
    report.table(["surrogate's length", "spikes", "within 3 steps of a choice", "last losses"],
                 rows, title=f"Spikes in {len(seeds)} runs of {steps} steps, k = 10")
    for name in ("ratio to Muon's", "direct"):
        more = [len(a) - len(b) for a, b in zip(counts[name], counts["off"])]
        report.claim(f"spikes a run that the surrogate's length adds ({name})", *t_interval(more),
                     origin="paper", where="appendix, as a reader reports it: used as it is, it "
                     "makes spikes", how=f"95 % t, n = {len(more)} seeds", above=0.0, quick=False,
                     lesson="On this network it makes no more spikes than fixed sizes do.")
    report.data["spikes"] = rows


def spikes_of(losses):
    """Steps whose loss is above the mean of the 20 before by 4 of their deviations."""
    found = []
    for k in range(20, len(losses)):
        before = np.array(losses[k - 20:k])
        if losses[k] > before.mean() + 4.0 * before.std():
            found.append(k)
    return found


def draw(report, effects):
    figure, axis = report.subplots(figsize=(6.4, 3.2))
    for k, ((part, level), (value, low, high)) in enumerate(effects.items()):
        axis.barh(k, value, 0.6, color="#b5123e" if part in ("moment", "scale") else "#3b6fb6")
        if np.isfinite([low, high]).all():
            axis.hlines(k, low, high, color="0.2", linewidth=1.2)
    axis.axvline(0.0, color="0.3", linewidth=0.8)
    labels = [f"{NAMES[p]}: {PARTS[p][0] or 'none'} to "
              + (f"{v:.2g}" if isinstance(v, float) else str(v)) for p, v in effects]
    axis.set(yticks=range(len(labels)), yticklabels=labels,
             xlabel="change of the log loss at the end (right: worse)",
             title="What one change does, averaged over all other parts")
    axis.invert_yaxis()
    report.figure(figure)
