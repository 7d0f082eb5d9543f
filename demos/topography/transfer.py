"""Are SGD's minima more transferable? Asked here; the paper that is said to show it has no such test.

Question   two networks are trained on one task, one by SGD, one by quasi-Newton, each stopped early
           or run to its end. Fine-tuned on another task with few examples, does one start better?
Expected   the early-stopped ones transfer better than the ones run to their end; between the two
           methods at the same stage little is left.
Time       about 60 s with --jobs 2; --quick 10 s.
Source     ours; arXiv:2602.21276 speaks of transferable minima without a transfer experiment.

The first task names clouds of points by k mod 4, the second by k // 3: same clouds, other classes.
Fine-tuning is plain SGD, rate 0.1, on 60 examples of the second task, the same for every start; a
fresh network is the control. With --data mnist the tasks are digits and then clothes
(Fashion-MNIST), networks 784-50-50-10. The design was fixed before the first run.
"""
import numpy as np

from minigrad.backend import float_of, xp
from optim import BFGS, LBFGS, SGD, Objective, descent, run_all
from problems import Network
from problems.data import load
from problems.data.dataset import Split
from problems.networks.mlp import MLP

from demos.report.looks import look
from demos.evidence import t_interval
from demos.topography.arms import Penalised, quasi_newton, sgd

SOURCE = "ours, after arXiv:2602.21276"
STARTS = ("fresh", "SGD-ES", "QN-ES", "SGD-long", "QN-full")
LOOKS = (0, 10, 30, 100, 300)                       # fine-tuning steps after which accuracy is taken
FEW = 60


def tasks(data, data_dir):
    """(model, parts of the first task, (few, test) of the second, epochs, iterations, method)."""
    if data == "mnist":
        first, second = (load(name, data_dir, flat=True, limit=3000, dtype="float64")
                         for name in ("mnist", "fashion-mnist"))
        parts = (first.train, first.valid.take(slice(1000)), first.test.take(slice(1000)))
        return (MLP((784, 50, 50, 10), "softplus", init="uniform"), parts,
                (second.train.take(slice(500)), second.test.take(slice(2000))), 20, 60, LBFGS())
    eight = load("clusters-8", label_noise=0.0)
    clouds = xp.asarray(eight.facts["centres"])
    rng = np.random.default_rng(1)

    def draw(n):
        k = rng.integers(0, 12, n)
        x = clouds[xp.asarray(k)] + 0.9 * xp.asarray(rng.standard_normal((n, 10)))
        return Split(x, xp.asarray(k // 3))
    return (MLP((10, 8, 4), "tanh", init="normal"), (eight.train, eight.valid, eight.test),
            (draw(FEW), draw(2200)), 400, 500, BFGS())


def tuned(seed, index, data, data_dir, quick):
    """{start: accuracy on the second task after each of LOOKS} of one run."""
    model, parts, (few, test), epochs, iterations, method = tasks(data, data_dir)
    epochs, iterations = (epochs // 8, iterations // 8) if quick else (epochs, iterations)
    problem = Penalised(model, parts[0])
    rng = np.random.default_rng([seed, index])
    start = problem.start(rng)
    slow = sgd(problem, start, parts, rng, epochs=epochs)
    fast = quasi_newton(problem, start, parts, method, steps=iterations)
    points = {"fresh": problem.start(rng), "SGD-ES": slow.early, "QN-ES": fast.early,
              "SGD-long": slow.end, "QN-full": fast.end}
    second = Network(model)
    found = {}
    for name, theta in points.items():
        found[name] = [float_of((model.apply(second.params(at), test.inputs).argmax(axis=-1)
                                 == test.targets).mean())
                       for t, at, _, _ in descent(SGD(0.1), Objective(second, few), theta,
                                                  steps=LOOKS[-1]) if t in LOOKS]
    return found


def run(args, report):
    if args.data not in (None, "mnist", "clusters-8"):
        raise ValueError(f"transfer: --data {args.data!r} is not one of its tasks. "
                         "Use clusters-8 (the default) or mnist.")
    count = 5 if args.quick else 20 if args.data != "mnist" else 8
    runs = run_all(tuned, [(args.seed, i, args.data, args.data_dir, args.quick)
                           for i in range(count)], args.jobs, report.progress)
    curves = {name: np.array([run[name] for run in runs]) for name in STARTS}
    report.table(["start", *(f"{t} steps" for t in LOOKS)],
                 [[name, *curves[name].mean(axis=0)] for name in STARTS],
                 f"Accuracy on the second task after fine-tuning, means of {count} runs")
    report.data["accuracy"] = {name: curve.tolist() for name, curve in curves.items()}
    how = f"95 % t over {count} runs, starts shared"

    def gap(one, other):
        return t_interval(curves[one][:, -1] - curves[other][:, -1])
    report.claim("run to their ends, SGD's minima transfer better than quasi-Newton's (difference "
                 "of accuracies)", *gap("SGD-long", "QN-full"), above=0.0, origin="ours",
                 where="the abstract's word 'transferable'", how=how,
                 lesson="The word has no support in a transfer test of this size.")
    report.claim("stopped early, they transfer better too (difference)", *gap("SGD-ES", "QN-ES"),
                 above=0.0, origin="ours", where="the abstract's word 'transferable'", how=how,
                 lesson="Stopped early, the methods leave equally good starts.")
    report.claim("stopping early helps quasi-Newton's networks to transfer (difference)",
                 *gap("QN-ES", "QN-full"), above=0.0, origin="ours", where="control of the stage",
                 how=how, lesson="How long a network was trained does not matter for its transfer.")
    report.claim("a trained start beats a fresh one (SGD-ES less fresh)", *gap("SGD-ES", "fresh"),
                 above=0.0, origin="ours", where="control: is there anything to transfer?", how=how,
                 lesson="There is nothing to transfer between these tasks.")
    if report.plotting:
        figure, ax = report.subplots(1, 1, figsize=(5.6, 3.8))
        for name in STARTS:
            style = dict(color="black", linestyle=":") if name == "fresh" else look(name)
            mean, width = curves[name].mean(axis=0), curves[name].std(axis=0) / np.sqrt(count)
            ax.errorbar(np.array(LOOKS) + 1, mean, 2 * width, label=name, capsize=2,
                        **style)
        ax.set(xscale="log", xlabel="1 + steps of fine-tuning", ylabel="accuracy, second task",
               title="How much a start is worth on another task (2 standard errors)")
        ax.legend()
        report.figure(figure)
