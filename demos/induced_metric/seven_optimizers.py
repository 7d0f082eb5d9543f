"""The seven optimizers of arXiv:2509.03594 at their published settings, and how runs are shown.

Four network demos share this page: `build` makes an optimizer from the published table, `attempt`
trains with it, `curve` turns a finished run into lists that fit a JSON file, `effective_method` says
whether the metric did anything. `seven_curves` draws them.

Names: plain is the metric I + ξ g gᵀ, log the same on the graph of log L, rms the same on
RMSprop's diagonal. SGD is heavy ball. Muon makes arrays with exactly two axes orthogonal, as
optax does, and leaves everything else to NAdam.
"""
import json
import math
from pathlib import Path

import numpy as np

import optim
from demos.evidence import LEAST
from optim.training.run import per_epoch

FILE = Path(__file__).parent / "published" / "induced_metric_networks.json"
PUBLISHED = json.loads(FILE.read_text(encoding="utf-8"))
NAMES = ("Adam", "AdamW", "rms", "Muon", "SGD", "plain", "log")
MAKERS = {"Adam": optim.Adam, "AdamW": optim.AdamW, "SGD": optim.SGD, "plain": optim.InducedMetric,
          "log": optim.LogInducedMetric, "rms": optim.RMSInducedMetric, "Muon": optim.Muon.optax}
WITHOUT_METRIC = {"plain": "SGD", "rms": "AdamW"}   # what they are where s = 1


def build(task, name, layout, rate=1.0, damping=1.0):
    """The optimizer `name` with its best published settings for `task`.

    lr is multiplied by `rate`, xi by `damping`.
    """
    settings = dict(PUBLISHED[task]["configurations"][name])
    settings["lr"] *= rate
    if "xi" in settings:
        settings["xi"] *= damping
    return MAKERS[name](layout, **settings) if name == "Muon" else MAKERS[name](**settings)


def resumable(parser):
    """The flags of a demo whose runs are made by `attempt`."""
    parser.add_argument("--resume", action="store_true",
                        help="go on from OUT/checkpoints; another run's are refused")
    parser.add_argument("--restart", action="store_true",
                        help="... but begin anew where a checkpoint is another run's")


def attempt(args, label, *positional, progress=None, **settings):
    """optim.train with a checkpoint OUT/checkpoints/LABEL.npz; also returns a run that diverged.

    The checkpoints of quick runs have names of their own, and say what they are.
    """
    path = Path(args.out) / "checkpoints" / f"{label}{'-quick' * args.quick}.npz"
    try:
        return optim.train(*positional, checkpoint=path, checkpoint_seconds=60.0,
                           resume="restart" if args.restart else args.resume,
                           identity={"quick": args.quick}, progress=progress, **settings)
    except optim.Diverged as diverged:
        diverged.run.stopped = "diverged"
        return diverged.run


def curve(run, row=None):
    """A finished run as plain lists, one entry an evaluation; `row` picks one of many points.

    at      the step             train  mean minibatch loss since the evaluation before
    s       [min, median, max] of the metric factor in that stretch, if the optimizer has one
    delta   median |step| there
    ...     the scores under their names
    seconds wall time so far; for one of n points that were trained together, its n-th part
    """
    pick = (lambda a: a) if row is None else (lambda a: a[:, row])
    history = run.history
    ends = history.get("evaluated", [])
    stretch = {**history, "epochs": ends}
    shown = {name: pick(np.asarray(history[name])).tolist() for name in history
             if name not in ("loss", "delta", "s", "epochs", "evaluated", "seconds")}
    losses = pick(np.asarray(history["loss"]))
    together = 1 if row is None else len(history["loss"][0])
    seconds = [time / together for time in history.get("seconds", [])]
    shown.update(at=list(ends), seconds=seconds, stopped=run.stopped,
                 train=[float(part.mean()) for part in np.split(losses, ends)[:len(ends)]],
                 delta=pick(per_epoch(stretch, "delta")[1])[:len(ends)].tolist())
    if "s" in history:
        parts = [pick(part)[:len(ends)] for part in per_epoch(stretch)]
        shown["s"] = np.stack(parts, axis=-1).tolist()
    return shown


def effective_method(name, curves):
    """What runs show, in words: "metric acts", "SGD", "AdamW after 3 of 20", None without metric.

    They are in truth the optimizer without the metric while s stays within 1 % of 1, in its minimum
    and maximum over each stretch between evaluations (medians over the runs).
    """
    if "s" not in curves[0] or name not in WITHOUT_METRIC:
        return "metric acts" if "s" in curves[0] else None
    s = np.median([c["s"] for c in curves], axis=0)                     # (evaluations, 3)
    acts = (np.abs(s - 1.0) > 0.01).any(axis=-1)
    first = 0 if not acts.any() else int(np.flatnonzero(acts)[-1]) + 1  # idle from there on
    if first == 0:
        return WITHOUT_METRIC[name]
    if first > 0.5 * len(acts):
        return "metric acts"
    return f"{WITHOUT_METRIC[name]} after {first} of {len(acts)}"


def factor(curves):
    """The metric factor as text: medians over the runs of its median, first and last stretch."""
    if "s" not in curves[0]:
        return None
    s = np.median(np.array([c["s"] for c in curves])[:, :, 1], axis=0)
    return f"{s[0]:.3g} .. {s[-1]:.3g}"


def steps_taken(curves):
    """Length of the steps as text: medians over the runs, first and last stretch."""
    return " .. ".join(f"{np.median([c['delta'][k] for c in curves]):.2g}" for k in (0, -1))


def claim_idle(report, name, curves):
    """Claim that the metric did nothing in these runs of plain or rms."""
    off = max(abs(s[k] - 1.0) for c in curves for s in c["s"] for k in (0, 2))
    report.claim(f"{name}: the metric factor stays within 1 % of 1, so these runs are "
                 f"{WITHOUT_METRIC[name]} (largest |s - 1|)", off, at_most=0.01, origin="ours",
                 where="these runs at the best published settings", how="exact: every step of "
                 f"{len(curves)} runs", why="a rate changed by 1 % is no other method",
                 lesson="The metric does act in these runs: at the published xi, or after scaling "
                 "xi to a smaller model, it is not yet the optimizer without it.")


def mean_and_std(values):
    values = np.asarray(values, dtype=float)
    return float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0


def claim_spread(report, what, scores):
    """Do the optimizers differ? A permutation test over shared seeds.

    scores (optimizers, seeds): every optimizer ran from every seed. F = variance of the means of
    the optimizers over the mean variance that is left when the means of both are taken out; p is
    the share of 2,000 shufflings of the optimizers within each seed with an F at least as large.
    A small p shows a difference; a large one shows nothing.
    """
    scores = np.asarray(scores, dtype=float)

    def ratio(values):
        means = values.mean(axis=1, keepdims=True)
        rest = values - means - values.mean(axis=0) + values.mean()
        return means.var(ddof=1) / max(rest.var(), 1e-30)

    rng = np.random.default_rng(report.args.seed)
    observed = ratio(scores) * (1 - 1e-12)
    p = (1 + sum(ratio(rng.permuted(scores, axis=0)) >= observed for _ in range(2000))) / 2001
    few = scores.shape[1] < LEAST
    report.claim(f"the {len(scores)} optimizers differ by more than chance in {what} (p)",
                 math.nan if few else p, rejects=0.05, origin="ours",
                 where="the same seeds for every optimizer", how="permutation test within seeds, "
                 f"n = {scores.shape[1]} seeds" + (", too few" if few else ""), quick=False)
