"""Choosing the exponent costs a few per cent of the training time, at k = 25 and less at 100.

Question   what do the choices of t cost, and what does a step of a matrix method cost?
Expected   a choice every 100 steps adds at most 3 % to the training time, every 25 steps at most
           5 %, on a perceptron and on a small transformer; half powers cost more than Muon's
           products, at every step.
Time       about 2 min; --quick 20 s.
Source     Massena, Friedrich & Serrurier 2026, arXiv:2605.19781: about 3 % in the abstract, on
           GPUs and optimised baselines; ours is one CPU thread.

Both kinds of steps are timed within one run: the extra time of a step with a choice over the steps
around it, divided by k ordinary steps, CPU time of the process. The bars stood before the first
run; the first run decided nothing but their being met or not.
"""
import time

import numpy as np

from demos.evidence import median_interval
from minigrad.backend import xp
from optim import AdamW, Muon, Objective, SchattenMuon
from problems import Network
from problems.networks.mlp import MLP
from problems.networks.transformer import Transformer

SOURCE = "arXiv:2605.19781"
DTYPE = "float32"
BARS = {100: 0.03, 25: 0.05, 10: None}
WHY = "asked of the method before the first run"


def perceptron(rng):
    """4 layers of width 64, batches of 256."""
    x, y = rng.standard_normal((4096, 32)), rng.integers(0, 10, 4096)
    problem = Network(MLP((32, 64, 64, 64, 10), "relu"), (x, y), dtype=DTYPE)

    def batch():
        some = xp.asarray(rng.choice(4096, 256, replace=False))
        return tuple(part[some] for part in problem.data)
    return problem, batch


def transformer(rng):
    """2 layers of width 64 over 65 tokens, batches of 16 x 64; what is drawn does not matter."""
    problem = Network(Transformer(65, layers=2, width=64, heads=4, context=64), dtype=DTYPE)
    return problem, lambda: tuple(xp.asarray(rng.integers(0, 65, (16, 64))) for _ in range(2))


def inner(entry):
    """Weights but the head: embeddings and head go to AdamW, as published."""
    return entry.kind == "weight" and len(entry.shape) > 1 and not entry.name.startswith("head")


NETWORKS = {"perceptron": perceptron, "transformer": transformer}
METHODS = {"AdamW": lambda layout: AdamW(1e-3), "Muon": lambda layout: Muon(layout, matrices=inner),
           "t = 1/2": lambda layout: SchattenMuon(layout, t=0.5, matrices=inner)}


def run(args, report):
    rows, curves = [], {}
    for name, make in NETWORKS.items():
        choices = 6 if args.quick else 12
        for k, bar in BARS.items():
            report.progress(f"{name}, k = {k}", len(curves) / (len(NETWORKS) * len(BARS)))
            problem, batch = make(np.random.default_rng(args.seed))
            shares, ordinary, extra = overhead(problem, batch, k, choices)
            curves[name, k] = share = median_interval(shares)
            rows.append([name, k, 1e3 * ordinary, 1e3 * extra, 100 * share[0]])
            if bar is not None:
                report.claim(f"{name}, k = {k}: extra time of the choices / time of the run",
                             *share, origin="ours", where=f"{name}, one CPU thread, float32",
                             how=f"exact interval of the median, n = {len(shares)} choices",
                             at_most=bar, why=WHY)
    report.table(["network", "k", "step, ms", "choice, ms", "overhead %"], rows,
                 title="SchattenMuon, identity curvature: an ordinary step, and what a choice adds")
    costs = steps(args, report)
    report.data.update(overhead=rows, steps=costs)
    if report.plotting:
        draw(report, curves, costs)


def overhead(problem, batch, k, choices):
    """(share of each choice in its k steps, seconds of an ordinary step, seconds of a choice)."""
    opt = SchattenMuon(problem.layout, 0.01, every=k, matrices=inner)
    theta = problem.start(np.random.default_rng(0))
    state, ordinary, shares, extras = opt.init(theta), [], [], []
    for _ in range(k * choices + 1):
        objective, due = Objective(problem, batch()), opt.due(state)
        objective.rows_seen = True
        start = time.process_time()
        theta, state, _ = opt.step(objective, theta, state)
        seconds = time.process_time() - start
        if due and int(state["t"]) > 11:
            usual = float(np.median(ordinary[-40:]))
            extras.append(seconds - usual)
            shares.append((seconds - usual) / (k * usual))
        elif not due:
            ordinary.append(seconds)
    return shares, float(np.median(ordinary)), float(np.median(extras))


def steps(args, report):
    """What one step costs, gradient included, by method, turn about."""
    rows = []
    for name, make in NETWORKS.items():
        problem, batch = make(np.random.default_rng(args.seed))
        theta = problem.start(np.random.default_rng(0))
        runs = {label: [method(problem.layout), theta] for label, method in METHODS.items()}
        states = {label: opt.init(theta) for label, (opt, _) in runs.items()}
        seconds = {label: [] for label in runs}
        for _ in range(30 if args.quick else 150):
            data = batch()
            for label, (opt, point) in runs.items():
                objective = Objective(problem, data)
                objective.rows_seen = True
                start = time.process_time()
                runs[label][1], states[label], _ = opt.step(objective, point, states[label])
                seconds[label].append(time.process_time() - start)
        usual = np.median(seconds["AdamW"])
        rows += [[name, label, 1e3 * float(np.median(s)), float(np.median(s) / usual)]
                 for label, s in seconds.items()]
    report.table(["network", "method", "step, ms", "/ AdamW"], rows,
                 title="A whole step, gradient included, by the same batches turn about")
    return rows


def draw(report, curves, costs):
    figure, (left, right) = report.subplots(1, 2, figsize=(8, 3.2))
    for name, colour in zip(NETWORKS, ("#b5123e", "#3b6fb6")):
        ks = sorted(BARS)
        share = 100 * np.array([curves[name, k] for k in ks])
        shown = np.isfinite(share).all(axis=1)
        left.loglog(ks, share[:, 0], "o-", color=colour, label=name, linewidth=1.2)
        left.vlines(np.array(ks)[shown], share[shown, 1], share[shown, 2], color=colour)
    for k, bar in BARS.items():
        if bar is not None:
            left.plot(k, 100 * bar, "_", color="0.2", markersize=18)
    left.set(xlabel="steps from one choice of t to the next", ylabel="overhead, %",
             title="what the choices add to the time of a run\n(bars: what was asked)")
    left.legend(fontsize=7)
    labels = list(METHODS)
    for j, name in enumerate(NETWORKS):
        values = [row[3] for row in costs if row[0] == name]
        right.bar(np.arange(len(labels)) + 0.35 * (j - 0.5), values, 0.33, label=name,
                  color=("#b5123e", "#3b6fb6")[j])
    right.set(xticks=range(len(labels)), xticklabels=labels, ylabel="time of a step / AdamW's",
              title="what a step costs, gradient included")
    right.legend(fontsize=7)
    report.figure(figure)
