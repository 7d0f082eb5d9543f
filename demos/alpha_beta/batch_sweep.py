"""Larger batches ask for a smaller alpha and leave a larger loss.

Question   how do the least alpha and beta sigma² change with the batch, at equal epochs and rate?
Expected   alpha falls and the loss at the end rises with the batch.
Time       about 2 minutes for five seeds, shorter with --jobs; --quick 10 s.
Source     arXiv:2410.12455, figures on the batch size (ResNet9 on CIFAR-100, batches 64 to 512),
           here a perceptron of width 64 on the generated data of runs.py.

Equal epochs means that a batch of 256 makes a sixteenth of the steps of a batch of 16, so part of
what is seen is less training: the loss at the end says how much.
"""
import numpy as np

from demos.alpha_beta.runs import HEADERS, Setting, draw, measured, rows_of, together
from demos.evidence import ratio_interval

SOURCE = "arXiv:2410.12455"


def arguments(parser):
    parser.add_argument("--seeds", type=int, default=None, metavar="N", help="runs of each batch")


def run(args, report):
    sizes = (16, 64, 256) if args.quick else (16, 32, 64, 128, 256)
    seeds, epochs = args.seeds or (1 if args.quick else 5), 60 if args.quick else 200
    plan = [Setting(batch=b, epochs=epochs, seed=args.seed + k)
            for b in sizes for k in range(seeds)]
    found = measured(plan, args, report)
    groups = {b: together([r for s, r in zip(plan, found) if s.batch == b]) for b in sizes}
    report.table(["batch", *HEADERS], rows_of(groups),
                 title=f"{epochs} epochs, width 64, rate .1, {seeds} seed(s)")
    alphas, finals = ([g[key] for g in groups.values()] for key in ("alpha", "final"))
    how = f"95 % t of logarithms, n = {seeds} seeds, paired"
    where = "figures on batch size, ResNet9"
    report.claim(f"least alpha at batch {sizes[-1]} / at batch {sizes[0]}", *ratio_interval(
        groups[sizes[-1]]["each"], groups[sizes[0]]["each"]), below=1.0, origin="paper",
        where=where, how=how, quick=False)
    report.claim("least alpha (all seeds) grows with the batch: steps at which it does",
                 int(np.sum(np.diff(alphas) > 1e-9)), equals=0, origin="paper", where=where,
                 how="exact for these runs", quick=False)
    report.claim("the loss at the end falls with the batch: steps at which it does",
                 int(np.sum(np.diff(finals) < 0)), equals=0, origin="paper", where=where,
                 how="exact for these runs")
    report.data["groups"] = groups
    if report.plotting:
        ratio = alphas[0] / alphas[-1]
        draw(report, groups, "batch", f"Equal epochs: the least alpha at batch {sizes[0]} is "
             f"{ratio:.3g} times that at batch {sizes[-1]}")
