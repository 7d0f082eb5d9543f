"""Which way beta sigma² goes with width, depth and batch, and which optimizer asks for least.

Question   the paper's table says that beta sigma², the part of the loss that no rate removes, falls
           with width, with depth and with the batch. Does it here, beyond what seeds do? And at the
           same loss, what do optimizers and the scale of the start change?
Expected   it falls with width and batch; with depth it does not at these sizes. At matched loss the
           optimizers' order need not be the paper's (Adam < SGD with momentum < SGD).
Time       8 minutes for five seeds, shorter with --jobs; --quick 30 s, one seed, which
           decides nothing.
Source     arXiv:2410.12455, the summary table and the figure on optimizers (ResNet9); perceptrons
           on the generated data of runs.py.

alpha depends on how far a run got (its x_K is the measure of all), so optimizers and initialisers
are stopped at the epoch at which the whole loss first reaches .08; the paper compares equal epochs.
"""
import numpy as np

from demos.alpha_beta.runs import Setting, measured, together
from demos.evidence import t_interval

SOURCE = "arXiv:2410.12455"
LEVEL = 0.08
ENDS = {"width": ("width", 4, 256, {}), "depth": ("layers", 1, 4, dict(width=32)),
        "batch": ("batch", 16, 256, dict(epochs=200))}
RATES = {"SGD": 0.1, "momentum": 0.01, "Adam": 1e-3, "NGN": 1.0, "SPS": 1.0}
GAINS = (0.5, 1.0, 2.0)
WORDS = {-1: "falls", 0: "open", 1: "rises"}


def arguments(parser):
    parser.add_argument("--seeds", type=int, default=None, metavar="N", help="runs of each setting")


def run(args, report):
    seeds = range(args.seed, args.seed + (args.seeds or (1 if args.quick else 5)))
    cut = dict(epochs=60) if args.quick else {}
    plan = {}
    for what, (field, low, high, rest) in ENDS.items():
        for value in (low, high):
            plan[what, value] = [Setting(**{**rest, **cut, field: value, "seed": s}) for s in seeds]
    matched = dict(width=32, level=LEVEL, epochs=120 if args.quick else 600)
    for name, lr in RATES.items():
        plan["optimizer", name] = [Setting(method=name, lr=lr, seed=s, **matched) for s in seeds]
    for gain in GAINS:
        plan["start", gain] = [Setting(gain=gain, seed=s, **matched) for s in seeds]
    flat = [s for settings in plan.values() for s in settings]
    results = iter(measured(flat, args, report))
    groups = {}
    for key, settings in plan.items():
        found = [next(results) for _ in settings]
        groups[key] = {**together(found), "epochs": [r["epochs"] for r in found],
                       "finals": [r["final"] for r in found]}
    arrows(report, groups, len(seeds))
    at_matched_loss(report, groups, len(seeds))
    report.data["groups"] = {" ".join(map(str, key)): g for key, g in groups.items()}
    if report.plotting:
        draw(report, groups)


def arrows(report, groups, n):
    """The table of arrows: published, and computed from intervals of paired differences."""
    rows, how = [], f"95 % t of paired differences, n = {n} seeds, three intervals at once"
    for what, (_, low, high, _) in ENDS.items():
        first, last = groups[what, low], groups[what, high]
        change = t_interval([b - a for a, b in zip(first["floors"], last["floors"])], of=3)
        word = WORDS[int(change[1] > 0) - int(change[2] < 0)]
        rows.append([f"{what} {low} -> {high}", "falls", word, np.mean(first["floors"]),
                     np.mean(last["floors"]), np.mean(first["each"]), np.mean(last["each"])])
        report.claim(f"beta sigma² at {what} {high} minus at {low}", *change, below=0.0,
                     origin="paper", where="summary table", how=how, quick=False,
                     lesson="Depth raises alpha while these widths are still learning to "
                     "interpolate; see depth_sweep." if what == "depth" else None)
    report.table(["change", "published", "here", "b s2 before", "after", "alpha before", "after"],
                 rows, title=f"beta sigma² (means over {n} seeds); `open`: the interval holds 0")


def at_matched_loss(report, groups, n):
    rows = []
    for kind, key in (k for k in groups if k[0] in ("optimizer", "start")):
        g = groups[kind, key]
        rows.append([kind, key, f"{np.mean(g['epochs']):.0f}", np.mean(g["finals"]),
                     np.mean(g["each"]), np.mean(g["floors"])])
    report.table(["what", "", "epochs", "loss", "alpha", "beta sigma²"], rows,
                 title=f"stopped at the epoch with a whole loss of at most {LEVEL}: means over {n} "
                       "seeds, width 32")
    how = f"95 % t of differences of log10, paired, n = {n} seeds, two intervals at once"
    for better, worse in (("Adam", "momentum"), ("momentum", "SGD")):
        pairs = zip(groups["optimizer", better]["each"], groups["optimizer", worse]["each"])
        report.claim(f"log10 least alpha at matched loss, {better} minus {worse}",
                     *t_interval([np.log10(a / b) for a, b in pairs], of=2), below=0.0,
                     origin="paper", where="figure on optimizers, ResNet9: Adam < SGDM < SGD, at "
                     "equal epochs", how=how, quick=False, lesson="At the same loss the order is "
                     "not the published one: alpha follows how small the loss has become.")
    losses = [f for key, g in groups.items() if key[0] in ("optimizer", "start")
              for f in g["finals"]]
    report.claim("the losses at which they are compared: largest / smallest",
                 max(losses) / min(losses), at_most=1.5, origin="ours", where="the matching",
                 how="exact", why="one epoch can overshoot the level by that", quick=False)


def draw(report, groups):
    fig, axes = report.subplots(1, 2, figsize=(9.5, 3.6))
    for axis, key, name in zip(axes, ("floors", "each"), ("beta sigma²", "least alpha, gap .1")):
        labels = [f"{kind} {value}" for kind, value in groups]
        for k, g in enumerate(groups.values()):
            axis.plot(np.maximum(g[key], 1e-5), [k] * len(g[key]), "o", color="#b5123e",
                      markersize=3, alpha=0.7)
        axis.set(xscale="log", xlabel=name)
        axis.set_yticks(range(len(labels)), labels, fontsize=7)
        axis.invert_yaxis()
        axis.grid(alpha=0.2)
    fig.suptitle("Each seed: ends of width, depth and batch; optimizers and initial scales at "
                 f"the loss {LEVEL} (at 1e-5: none left)", fontsize=9)
    report.figure(fig)
