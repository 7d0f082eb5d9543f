"""Decay outside the metric is the form that coordinates cannot change; inside it is damped away.

Question   weight decay can be a penalty in the loss, damped with it by the metric, or a contraction
           of its own beside the step. Which of them is the same descent in other coordinates, and
           what do they do to a network?
Expected   under θ = A φ, with the metric carried along, the decoupled form walks the same path to
           rounding; a penalty λ|φ|²/2 does not. In training, the penalty's pull is scaled by the
           metric factor where the loss is steep, so the weights end larger than with decoupled
           decay of the same strength.
Time       25 s; --quick 5 s.
Source     arXiv:2509.03594. The author's code applies -η λ θ; Algorithm 1 as cited by others has
           + λ θ with λ <= 0 and no factor η: the same at one rate only, shown here. The comparison
           with a penalty and the change of coordinates are ours.
"""
import numpy as np

import minigrad as mg
from demos.evidence import ratio_interval, t_interval
from minigrad.backend import to_host, xp
from optim import SGD, Induced, InducedMetric, Objective, Optimizer, descent
from optim.optimizer import scaled
from problems import Network, data
from problems.networks.mlp import MLP

SOURCE = "arXiv:2509.03594"
LR, XI, LAM = 0.05, 0.5, 0.1


class Carried(Optimizer):
    """Gradient descent in the metric AᵀA: what descent in θ = A φ is in the coordinates φ."""

    def __init__(self, lr, A, decay=0.0):
        self.configure(lr=lr, decay=decay)
        self.inverse = xp.asarray(np.linalg.inv(A.T @ A))

    def update(self, g, loss, theta, state):
        _, lr = self.tick(state)
        return scaled(g @ self.inverse, -lr), state


def run(args, report):
    coordinates(report, args)
    rates(report)
    networks(report, args)


def coordinates(report, args):
    """The same descent in θ and in φ, with each kind of decay: the largest difference of paths."""
    rng = np.random.default_rng(args.seed)
    A = rng.normal(size=(4, 4)) + 2.0 * np.eye(4)
    H, start = np.diag([1.0, 3.0, 0.3, 8.0]), rng.normal(size=4)

    def height(x):
        waves = mg.sum(mg.cos(3.0 * x), axis=-1)
        return 0.5 * mg.sum((x @ xp.asarray(H)) * x, axis=-1) + 0.1 * waves

    def inside(x, f):
        return f(x) + 0.5 * LAM * mg.sum(x * x, axis=-1)

    def there(phi):
        return height(phi @ xp.asarray(A.T))

    found = {}
    for kind in ("outside", "inside"):
        outside = LAM if kind == "outside" else 0.0
        f, h = ((height, there) if outside else
                (lambda x: inside(x, height), lambda x: inside(x, there)))
        here = path(Induced(SGD(LR, decay=outside), xi=XI), f, start)
        away = path(Induced(Carried(LR, A, outside), xi=XI), h, np.linalg.solve(A, start)) @ A.T
        found[kind] = float(np.abs(here - away).max() / np.abs(here).max())
    report.table(["decay", "largest relative difference of the paths"], list(found.items()),
                 title="100 steps of the induced metric in θ, and in φ with θ = A φ, carried back")
    same = dict(origin="ours", where="a linear change of coordinates", how="exact")
    report.claim("decoupled decay: the path in other coordinates is the same (difference)",
                 found["outside"], at_most=1e-11, why="rounding, grown over 100 steps", **same)
    report.claim("a penalty on the coordinates' own length: it is another path (difference)",
                 found["inside"], at_least=1e-3, why="far above rounding", **same)
    report.data["coordinates"] = found


def path(method, f, start, steps=100):
    run = descent(method, f, xp.asarray(start), steps=steps)
    return np.array([to_host(x) for _, x, _, _ in run])


def rates(report):
    """Algorithm 1's + λ θ beside the code's - η λ θ: equal where λ_1 = -η λ, at one rate."""
    rows = []
    for lr in (0.025, 0.05, 0.1):
        code = path(InducedMetric(lr, xi=XI, momentum=0.0, beta=0.0, decay=LAM), bowl, np.ones(2))
        cited = path(InducedMetric(lr, xi=XI, momentum=0.0, beta=0.0, decay=LR * LAM / lr), bowl,
                     np.ones(2))
        rows.append([lr, float(np.linalg.norm(code[-1])), float(np.linalg.norm(cited[-1])),
                     float(np.abs(code - cited).max())])
    report.table(["rate", "|θ|, code", "|θ|, no factor η", "difference of paths"], rows,
                 title=f"100 steps on a bowl off the origin; λ of Algorithm 1 set for rate {LR}")
    report.claim("with and without the factor η: the difference of the paths at the rate they were "
                 "matched for", rows[1][-1], at_most=1e-14, origin="code", where="update rule",
                 how="exact", why="rounding")
    report.claim("... and at twice that rate", rows[2][-1], at_least=1e-4, origin="code",
                 where="update rule", how="exact", why="far above rounding")


def bowl(x):
    return 0.5 * mg.sum((x - 1.0) ** 2 * xp.asarray([1.0, 20.0]), axis=-1)


def networks(report, args):
    """A perceptron on noisy clusters, all seeds as one batch of points; the whole gradient."""
    seeds, steps = (5, 150) if args.quick else (10, 600)
    part = data.load("clusters", n_train=400, label_noise=0.1, dtype="float64")
    net = Network(MLP((10, 32, 5), activation="tanh"), part.train)
    start = xp.stack([net.start(np.random.default_rng([args.seed, k])) for k in range(seeds)])
    tree = net.layout

    def penalised(x, lam):
        return net.tree_loss(tree.unravel(x)) + 0.5 * lam * mg.sum(x * x, axis=-1)

    lam, xi, rows, norms = 0.01, 20.0, [], {}
    for kind in ("none", "inside", "outside"):
        method = InducedMetric(0.5, xi=xi, momentum=0.0, beta=0.0,
                               decay=lam if kind == "outside" else 0.0)
        f = (lambda x: penalised(x, lam)) if kind == "inside" else (lambda x: penalised(x, 0.0))
        factors = []
        for _, theta, _, state in descent(method, Objective(f), start, steps=steps):
            factors.append(to_host(state["s"]).mean())
        norms[kind] = np.linalg.norm(to_host(theta), axis=1)
        losses = to_host(net.loss(theta))
        test = to_host(net.loss(theta, part.test))
        rows.append([kind, losses.mean(), test.mean(), norms[kind].mean(),
                     float(np.mean(factors[1:11])), float(np.mean(factors[-10:]))])
    report.table(["decay", "training loss", "test loss", "|θ|", "s, first ten", "s, last ten"],
                 rows, title=f"{seeds} networks 10-32-5, {steps} steps, λ = {lam}, ξ = {xi:g}; "
                       "losses without the penalty")
    how = f"95 % t of logarithms, n = {seeds} starts, paired"
    report.claim("|θ| with decoupled decay / with the penalty of the same λ",
                 *ratio_interval(norms["outside"], norms["inside"]), below=1.0, origin="ours",
                 where="the metric damps the penalty with the loss", how=how)
    report.claim("|θ| with the penalty minus without any", *t_interval(
        norms["inside"] - norms["none"]), below=0.0, origin="ours", where="a check: it does act",
        how=f"95 % t of differences, n = {seeds} starts, paired")
    report.data.update(norms=norms)
    if report.plotting:
        fig, axis = report.subplots(figsize=(5.0, 3.4))
        axis.boxplot(list(norms.values()))
        axis.set_xticks(range(1, 4), ["no decay", "decay inside", "decay outside"])
        ratio = np.mean(norms["outside"] / norms["inside"])
        axis.set(ylabel="norm of the weights at the end",
                 title=f"Decoupled decay leaves {ratio:.2f} of the norm that the penalty leaves")
        report.figure(fig)
