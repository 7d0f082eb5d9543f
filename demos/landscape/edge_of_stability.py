"""Full-batch descent sharpens until lambda_max reaches 2/lr, then stays at that edge.

Question   where does the largest Hessian eigenvalue settle when a network is trained with the full
           batch and a constant step size?
Expected   at the stability threshold of the method: 2/lr for gradient descent, (2+2b)/lr for Polyak
           momentum, (2+2b)/(lr (1+2b)) for Nesterov, within 3 % on average; gradient flow, which
           has no threshold, sharpens beyond it.
Time       about 12 s; --quick 2 s.
Source     Cohen et al. 2021, arXiv:2103.00065. The network and data (20 points of a Chebyshev
           polynomial of degree 4, tanh 1-50-50-1, half squared error) are small enough to watch.

The statement is about the full batch and this loss. Minibatch descent stays below the edge; with
cross-entropy lambda_max falls again late in training, as the network grows confident. And the edge
is a bound that training may leave downwards: strong momentum (.9) overshoots once, lands in a flat
region far below its threshold, and the loss is gone before the sharpness has grown back.
"""
import numpy as np

from optim import SGD, Objective
from problems import Network
from problems.landscape.curvature.edge import EdgeTracker, gradient_flow
from problems.networks.mlp import MLP

SOURCE = "arXiv:2103.00065"
METHODS = [("gd", 0.2, 0.0), ("gd", 0.1, 0.0), ("momentum", 0.1, 0.5), ("nesterov", 0.1, 0.5),
           ("momentum", 0.05, 0.9)]
NAMES = {"gd": "gradient descent", "momentum": "Polyak momentum", "nesterov": "Nesterov"}


class HalfSquares(Network):
    """The network under half the mean squared error: half the curvature of the squared error."""

    def tree_loss(self, params, batch=None):
        return 0.5 * super().tree_loss(params, batch)


def chebyshev_network():
    x = np.linspace(-1.0, 1.0, 20)[:, None]
    model = MLP((1, 50, 50, 1), activation="tanh", init="normal", loss="mse")
    return HalfSquares(model, (x, 8 * x**4 - 8 * x**2 + 1))


def run(args, report):
    problem = chebyshev_network()
    objective = Objective(problem)
    steps, every = (1500, 25) if args.quick else (6000, 50)
    methods = METHODS[:1] if args.quick else METHODS
    start = problem.start(np.random.default_rng(args.seed))
    runs = []
    for k, (kind, lr, beta) in enumerate(methods):
        rng = np.random.default_rng([args.seed, k])
        tracker = EdgeTracker(lr, beta, kind)
        optimizer = SGD(lr, momentum=beta, nesterov=kind == "nesterov")
        report.progress(f"{NAMES[kind]}, lr {lr:g}", (k + 0.2) / (len(methods) + 1))
        tracker.track(optimizer, objective, start, steps, rng, every)
        runs.append((f"{NAMES[kind]}, lr {lr:g}" + (f", b {beta:g}" if beta else ""), tracker))

    rows = []
    for name, tracker in runs:
        mean, low, high = tracker.settled()
        rows.append([name, tracker.sharpness[0], max(tracker.sharpness), tracker.threshold, mean,
                     100 * (mean / tracker.threshold - 1), tracker.losses[-1]])
        if name.endswith("b 0.9"):
            report.claim(f"{name}: its sharpness stays below the threshold (largest in the last "
                         "third / threshold)", high / tracker.threshold, at_most=1.03)
        else:
            report.claim(f"{name}: over the last third the sharpness averages its threshold, "
                         f"within {5 if args.quick else 3} %", mean / tracker.threshold,
                         between=(0.95, 1.05) if args.quick else (0.97, 1.03), published=1.0,
                         where="sections 3.1 and 3.4")
        report.data[name] = {key: value for key, value in vars(tracker).items() if key != "m"}
    report.table(["method", "start", "largest", "threshold", "settles", "off %", "loss"],
                 rows, title=f"lambda_max over {steps} steps of the full batch")

    name, tracker = runs[0]
    rises = np.diff(np.asarray(tracker.losses)) > 0
    report.claim("at the edge the loss is not monotone (share of rises between measurements), yet "
                 "falls in the end", float(rises.mean()), at_least=0.05)
    report.claim("final loss / loss when half the steps are done",
                 tracker.losses[-1] / tracker.losses[len(rises) // 2], at_most=1.0)

    flow = []
    if not args.quick:
        report.progress("gradient flow", 0.85)
        flow = [(t, loss, sharpness) for t, _, loss, sharpness in gradient_flow(
            objective, start, 150.0, np.random.default_rng(args.seed), cap=0.2, every=25)]
        report.claim("gradient flow has no edge: its sharpness / the 2/lr of the first run",
                     max(s for _, _, s in flow) / tracker.threshold, at_least=1.05)
        report.data["gradient flow"] = [list(point) for point in flow]
    if report.plotting:
        draw(report, runs[:4], flow)


def draw(report, runs, flow):
    figure, (top, bottom) = report.subplots(2, 1, figsize=(7.5, 6.2), sharex=True,
                                            height_ratios=(1, 2))
    colours = ["#b5123e", "#e08a1e", "#3b6fb6", "#3d8f5f"]
    for (name, tracker), colour in zip(runs, colours):
        top.semilogy(tracker.steps, tracker.losses, color=colour, linewidth=0.9)
        bottom.plot(tracker.steps, tracker.sharpness, color=colour, linewidth=1.1, label=name)
        bottom.axhline(tracker.threshold, color=colour, linestyle=(0, (4, 3)), linewidth=0.8)
        bottom.annotate(f"{tracker.threshold:.3g}", (1.005, tracker.threshold), fontsize=7,
                        color=colour, xycoords=("axes fraction", "data"), va="center")
    if flow:
        lr = 0.1
        t, loss, sharpness = (np.asarray(column) for column in zip(*flow))
        bottom.plot(t / lr, sharpness, color="0.55", label="gradient flow, step t / 0.1")
        top.semilogy(t / lr, loss, color="0.55", linewidth=0.9)
        bottom.set_ylim(0, 1.3 * max(tracker.threshold for _, tracker in runs))
        bottom.set_xlim(0, runs[0][1].steps[-1])
    bottom.set(xlabel="step", ylabel="largest Hessian eigenvalue")
    bottom.legend(fontsize=7.5, loc="lower right", ncols=2)
    top.set(ylabel="loss", title="Sharpness rises to each method's own threshold (dashed) and "
                                 "stays there, while the loss goes on falling")
    report.figure(figure)
