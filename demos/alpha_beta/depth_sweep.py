"""Deeper perceptrons ask for a larger alpha here, against the paper's ResNets.

Question   does a deeper network need a smaller (alpha, beta), as the paper finds from ResNet18 to
           ResNet34?
Expected   no, not here: at these widths alpha grows with each layer, since deeper networks fit
           the noise better while sigma² falls. The paper's trend needs networks that are far
           beyond interpolation already. It is reported as it falls.
Time       about 4 minutes for five seeds, shorter with --jobs; --quick 15 s.
Source     arXiv:2410.12455, figure on depth (ResNet18, ResNet34 on CIFAR-100) and its summary
           table; perceptrons of width 32 and 128 on the generated data of runs.py.
"""
from demos.alpha_beta.runs import HEADERS, Setting, draw, measured, rows_of, together
from demos.evidence import ratio_interval, t_interval

SOURCE = "arXiv:2410.12455"
LESSON = ("With one to four hidden layers of this width the networks are still learning to "
          "interpolate, where alpha rises; depth helps fitting, and so raises it further.")


def arguments(parser):
    parser.add_argument("--seeds", type=int, default=None, metavar="N", help="runs of each depth")


def run(args, report):
    depths, widths = ((1, 2, 4), (32,)) if args.quick else ((1, 2, 3, 4), (32, 128))
    seeds, epochs = args.seeds or (1 if args.quick else 5), 100 if args.quick else 300
    plan = [Setting(width=m, layers=k, epochs=epochs, seed=args.seed + j)
            for m in widths for k in depths for j in range(seeds)]
    found = measured(plan, args, report)
    how = f"95 % t of logarithms, n = {seeds} seeds, paired"
    for m in widths:
        groups = {k: together([r for s, r in zip(plan, found) if (s.width, s.layers) == (m, k)])
                  for k in depths}
        report.table(["layers", *HEADERS], rows_of(groups),
                     title=f"width {m}, {epochs} epochs, {seeds} seed(s)")
        first, last = groups[depths[0]], groups[depths[-1]]
        report.claim(f"width {m}: least alpha with {depths[-1]} layers / with {depths[0]}",
                     *ratio_interval(last["each"], first["each"], of=len(widths)), below=1.0,
                     origin="paper", where="figure on depth, ResNet18 and ResNet34", how=how,
                     lesson=LESSON, quick=False)
        report.claim(f"width {m}: beta sigma² with {depths[-1]} layers minus with {depths[0]}",
                     *t_interval([b - a for a, b in zip(first["floors"], last["floors"])],
                                 of=len(widths)),
                     below=0.0, origin="paper", where="summary table, depth",
                     how=f"95 % t of differences, n = {seeds} seeds, paired", lesson=LESSON,
                     quick=False)
        report.data[f"width {m}"] = groups
        if report.plotting and m == widths[0]:
            word = "grows" if last["alpha"] > first["alpha"] else "falls"
            draw(report, groups, "hidden layers", f"Width {m}: from {depths[0]} to {depths[-1]} "
                 f"hidden layers the least alpha {word} (the paper's falls)", log=False)
