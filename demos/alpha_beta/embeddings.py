"""Plain, NGN and log are one metric with three embeddings, which decide how safe a rate is.

Question   what does it change to draw L, √L or log L when the metric of the drawn surface damps the
           step, how far may the rate be off, and what does momentum add to NGN?
Expected   NGN is the square root's metric to rounding, Polyak's step the log's limit. The smaller
           q, the smaller the loss from a wrong rate (so we asked; it holds from 1 to 1/2 only).
           Momentum descent diverges on Rosenbrock from a rate of 1e-2 on, NGN-M converges at all.
Time       10 s; --quick 3 s.
Source     NGN and NGN-M: arXiv:2407.04358, arXiv:2508.15071 (the Rosenbrock figure); the
           theorem for NGN: arXiv:2410.12455; the metric and its log: arXiv:2509.03594. That they
           are one family is ours.

The functions have minimum 0, which √L and log L need; + 1 shows what is lost where it is not known.
For every q the weight is xi = lr/2, the one that makes q = 1/2 NGN. A run's loss is its last
height, at most that of the start; sensitivity is the mean over rates of log10 of it, above 1e-12.
"""
import numpy as np

from demos.evidence import t_interval
from demos.report.looks import colour
from minigrad.backend import to_host, xp
from optim import NGN, NGNM, SGD, Induced, Objective, StochasticPolyak, descent
from problems import functions

SOURCE = "arXiv:2410.12455"
TINY = 1e-300                  # rounding gives a height of 0 beside a minimum: no √ or log of it
DRAWN = [(1.0, "loss"), (0.5, "loss"), (0.0, "loss"), (0.5, "embedding"), (0.0, "embedding")]
NAMES = ("beale", "rosenbrock", "himmelblau", "ackley", "rastrigin")


def run(args, report):
    identities(report)
    family(args, report)
    momentum(args, report)


def identities(report):
    """NGN against the family at every step of a run, and the log embedding against Polyak's."""
    objective, theta = Objective(functions.rosenbrock), xp.asarray([-1.2, 1.0])
    worst, polyak = 0.0, []
    for _, x, loss, _ in descent(NGN(0.3), objective, theta, steps=500):
        _, g = objective.value_and_grad(x)
        ours, theirs = (to_host(first(m, g, loss, x)) for m in (
            Induced(SGD(0.3), q=0.5, xi=0.15), NGN(0.3)))
        worst = max(worst, np.max(np.abs(ours - theirs)) / np.max(np.abs(theirs)))
        step = to_host(first(StochasticPolyak(1e300, c=1.0), g, loss, x))
        logs = [to_host(first(Induced(SGD(xi), q=0.0, xi=xi, descend="embedding"), g, loss, x))
                for xi in (1e2, 1e6, 1e18)]
        polyak.append([np.linalg.norm(log - step) / np.linalg.norm(step) for log in logs])
    report.claim("NGN and Induced(q = 1/2, xi = lr/2): largest relative difference of 500 steps",
                 worst, at_most=1e-15, origin="ours", where="optim/rates/embedding.py", how="exact",
                 why="four roundings of float64")
    far = np.max(polyak, axis=0)
    report.table(["xi = lr", "largest relative distance to Polyak's step"],
                 [[f"{xi:.0e}", d] for xi, d in zip((1e2, 1e6, 1e18), far)],
                 title="Descending log L: the limit of a heavy loss axis")
    report.claim("log embedding at xi = lr = 1e18 and Polyak's step: largest relative difference",
                 far[-1], at_most=1e-15, origin="ours", where="optim/rates/embedding.py", how="exact",
                 why="four roundings of float64")


def first(method, g, loss, theta):
    return method.update(g, loss, theta, method.init(theta))[0]


def family(args, report):
    starts, steps = (8, 300) if args.quick else (20, 1000)
    rates = np.logspace(-4, 3, 15)
    rng = np.random.default_rng(args.seed)
    points = rng.uniform(-4, 4, (starts, 2))
    scores, curves = {}, {}
    for name in NAMES:
        for lift in (0.0, 1.0):
            for q, descend in DRAWN:
                ends = losses(getattr(functions, name), q, descend, points, rates, steps, lift)
                score = np.log10(np.maximum(ends, 1e-12)).mean(axis=0)      # of each start
                scores[name, lift, q, descend] = score
                curves[name, lift, q, descend] = np.median(ends, axis=1)
    for lift in (0.0, 1.0):
        rows = [[f"{q:g}", descend, *(float(scores[n, lift, q, descend].mean()) for n in NAMES)]
                for q, descend in DRAWN]
        told = " when the method is told f + 1" if lift else ""
        report.table(["q", "descends", *NAMES], rows, title=f"mean log10 of the last loss over "
                     f"{len(rates)} rates and {starts} starts, {steps} steps{told}")
    log, plain = ({lift: np.mean([scores[(n, lift, *kind)] for n in NAMES], axis=0)
                   for lift in (0.0, 1.0)} for kind in ((0.0, "embedding"), (1.0, "loss")))
    ngn = np.mean([scores[n, 0.0, 0.5, "loss"] for n in NAMES], axis=0)
    how = f"95 % t, n = {starts} starts, mean of five functions"
    lesson = ("Both turn into twice Polyak's step where the damping is strong; log takes it at "
              "every rate once L² is small against xi |g|², NGN only at large ones.")
    for text, pair in (("NGN (q = 1/2) minus plain (q = 1)", ngn - plain[0.0]),
                       ("log (q = 0) minus NGN", log[0.0] - ngn)):
        report.claim(f"mean log10 loss over rates, {text}", *t_interval(pair), below=0.0,
                     origin="ours", where="five test functions, minimum 0", how=how, lesson=lesson)
    report.claim("the advantage of log over plain that the unknown minimum takes away (f + 1)",
                 *t_interval((log[1.0] - plain[1.0]) - (log[0.0] - plain[0.0])), above=0.0,
                 origin="ours", where="five test functions, f + 1", how=how)
    report.data.update(rates=rates, scores={" ".join(map(str, k)): v for k, v in scores.items()})
    if report.plotting:
        draw(report, rates, curves)


def losses(f, q, descend, points, rates, steps, lift):
    """The last height of every rate and start, at most that of the start: (rates, starts)."""
    n, s = len(rates), len(points)
    lr = xp.asarray(np.repeat(rates, s)[:, None])
    theta = xp.asarray(np.tile(points, (n, 1)))
    method = Induced(SGD(lr), q=q, xi=0.5 * lr, descend=descend)
    before, last = None, None
    with np.errstate(all="ignore"):
        for _, _, loss, _ in descent(method, f, theta, steps=steps, shift=lift or TINY):
            before = loss if before is None else before
            last = loss
    last = to_host(xp.where(xp.isfinite(last), xp.minimum(last, before), before))
    return last.reshape(n, s)


def momentum(args, report):
    """Rosenbrock from (-1.2, 1), one row a rate."""
    rates, steps = np.logspace(-3, 2, 21), 1000 if args.quick else 5000
    lr = xp.asarray(rates[:, None])
    found = {}
    for name, method in (("momentum descent", SGD(lr, momentum=0.9)), ("NGN", NGN(lr)),
                         ("NGN-M", NGNM(lr, momentum=0.9))):
        theta = xp.asarray(np.tile([-1.2, 1.0], (len(rates), 1)))
        with np.errstate(all="ignore"):
            for _, _, loss, _ in descent(method, functions.rosenbrock, theta, steps=steps):
                pass
        found[name] = np.nan_to_num(to_host(loss), nan=np.inf)
    report.table(["rate", *found], [[f"{r:.3g}", *(v[k] for v in found.values())]
                                    for k, r in enumerate(rates) if k % 2 == 0],
                 title=f"Rosenbrock from (-1.2, 1): height after {steps} steps")
    high = rates >= 1e-2 - 1e-12
    same = dict(origin="paper", where="arXiv:2508.15071, Rosenbrock figure",
                how=f"exact: deterministic runs of {steps} steps, 21 rates from 1e-3 to 1e2")
    report.claim("momentum descent: rates from 1e-2 on at which it does not diverge",
                 int(np.isfinite(found["momentum descent"][high]).sum()), equals=0, **same)
    report.claim("NGN-M: the worst height over all rates", float(found["NGN-M"].max()),
                 at_most=1e-2, why="a hundredth of the height of the valley's floor at x = 0",
                 quick=False, **same)
    report.data["rosenbrock"] = found


def draw(report, rates, curves):
    fig, axes = report.subplots(2, 5, figsize=(13.0, 5.0), sharex=True)
    inks = {1.0: colour("plain"), 0.5: colour("NGN"), 0.0: colour("log")}
    for row, lift in zip(axes, (0.0, 1.0)):
        for axis, name in zip(row, NAMES):
            for q, descend in DRAWN:
                axis.loglog(rates, np.maximum(curves[name, lift, q, descend], 1e-12), color=inks[q],
                            linestyle="-" if descend == "loss" else (0, (4, 1.5)), linewidth=1.4,
                            label=f"q = {q:g}, descends {descend}")
            axis.set(title=name + (" + 1" if lift else ""), xlabel="rate" if lift else None)
        row[0].set_ylabel("median last height")
    fig.legend(*axes[0, 0].get_legend_handles_labels(), fontsize=7, ncols=5,
               loc="outside lower center")
    fig.suptitle("The last height against the rate, for five embeddings (xi = rate/2)", fontsize=9)
    report.figure(fig)
