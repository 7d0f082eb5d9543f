"""On a character transformer Adam, AdamW, rms and Muon are far ahead of SGD, plain and log.

Question   each with its rate tuned over the same grid, how well do seven optimizers train a small
           transformer on Shakespeare, and does the metric of rms, plain and log do anything?
Expected   the four that scale each coordinate or matrix reach a clearly lower perplexity; at the
           published xi the metric factor is 1, so rms is AdamW and plain is SGD.
Time       MEASURED
Source     T. R. Harvey 2025, arXiv:2509.03594, and the notebooks of its public code. Published:
           4 layers of width 128, context 256, 3750 updates of 256 windows, dropout 0.1.

--size small (default): 2 layers of width 64, 4 heads, context 64, batches of 32 windows, no
dropout, rates {1/4, 1/2, 1, 2} times the best published; xi grows as the model shrinks.
--size paper: the published model, batches and rates. The rate is chosen on a validation text, the
number in the claim is measured once on a test text. Without Shakespeare: the generated grammar text.
"""
import argparse
import functools
import math

import numpy as np

from demos.seven_optimizers import NAMES, PUBLISHED, attempt, build, curve, factor, figure, in_truth
from optim import run_all
from problems import Network
from problems.data import batches, first_local, load
from problems.evaluation import mean_loss
from problems.transformer import Transformer

SOURCE = "arXiv:2509.03594"
DTYPE = "float32"
TABLE = PUBLISHED["shakespeare"]["results"]
PARAMETERS = 842_817                                # of the published model
SIZES = {"paper": dict(layers=4, width=128, context=256, batch=256, dropout=0.1, steps=3750, rates=(1.0,)),
         "small": dict(layers=2, width=64, context=64, batch=32, dropout=0.0, steps=600,
                       rates=(0.25, 0.5, 1.0, 2.0)),
         "quick": dict(layers=1, width=16, context=32, batch=8, dropout=0.1, steps=40, rates=(1.0,))}
ADAPTIVE, PLAIN = ("Adam", "AdamW", "rms", "Muon"), ("SGD", "plain", "log")


def arguments(parser):
    parser.add_argument("--size", choices=("small", "paper"), default="small")
    parser.add_argument("--steps", type=int, metavar="N", help="updates (default 600, paper 3750)")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="runs at the chosen rate")
    parser.add_argument("--resume", action="store_true", help="go on from OUT/checkpoints")


@functools.cache
def text(name, root, context):
    return load(name, root, context=context)


def train_one(args, data_name, size, name, rate, seed):
    """One run: its curve, test perplexity at the best validation point, and a sample of its text."""
    size = argparse.Namespace(**size)
    data = text(data_name, args.data_dir, size.context)
    model = Transformer(len(data.vocabulary), layers=size.layers, width=size.width, heads=4,
                        context=size.context, dropout=size.dropout)
    problem = Network(model, dtype=DTYPE)
    rng = np.random.default_rng([args.seed, seed])
    fixed = [data.train.take(rows)
             for rows in batches(rng, data.train.n, size.batch, drop_last=True)]

    def perplexity(theta, split):
        return math.exp(min(mean_loss(model, problem.params(theta), split, rows=64), 50.0))

    optimizer = build("shakespeare", name, problem.layout, rate, PARAMETERS / problem.layout.size)
    run = attempt(args, f"shakespeare-{data_name}-{name}-x{rate:g}-{args.seed}.{seed}", problem,
                  optimizer, fixed, steps=size.steps, rng=rng, evaluate_every=max(size.steps // (4 if args.quick else 20), 1),
                  evaluate=lambda theta: {"perplexity": perplexity(theta, data.valid)},
                  progress="auto" if args.size == "paper" else None)
    theta = run.theta if run.best is None else run.best
    prompt = data.vocabulary.encode("\n")
    tokens = model.sample(problem.params(theta), prompt, 20 if args.quick else 300, rng)
    best = math.inf if run.best is None or run.stopped == "diverged" else float(run.best_score)
    return {**curve(run), "best": best, "test": perplexity(theta, data.test),
            "sample": data.vocabulary.decode(tokens)}


def run(args, report):
    size = dict(SIZES["quick" if args.quick else args.size])
    size["steps"] = args.steps or size["steps"]
    data_name = args.data or first_local("tinyshakespeare", "grammar", root=args.data_dir)
    grid = [(name, rate) for name in NAMES for rate in size["rates"]]
    found = run_all(train_one, [(args, data_name, size, name, rate, 0) for name, rate in grid],
                    args.jobs, report.progress)
    tuned = {name: {rate: run for (n, rate), run in zip(grid, found) if n == name} for name in NAMES}
    rate = {name: min(tuned[name], key=lambda r: tuned[name][r]["best"]) for name in NAMES}
    more = [(name, seed) for name in NAMES for seed in range(1, args.seeds)]
    extra = run_all(train_one, [(args, data_name, size, name, rate[name], seed) for name, seed in more],
                    args.jobs, report.progress)
    runs = {name: [tuned[name][rate[name]]] + [r for (n, _), r in zip(more, extra) if n == name]
            for name in NAMES}
    test = {name: [r["test"] for r in runs[name]] for name in NAMES}

    about = text(data_name, args.data_dir, size["context"]).about
    report.table(["optimizer", *(f"x {r:g}" for r in size["rates"]), "chosen", "test", "published"],
                 [[name, *(f"{tuned[name][r]['best']:.3f}" for r in size["rates"]),
                   f"x {rate[name]:g}" + (" (edge)" if len(size["rates"]) > 1 and rate[name] in
                                          (size["rates"][0], size["rates"][-1]) else ""),
                   f"{np.mean(test[name]):.3f}", TABLE[name]["best"]] for name in NAMES],
                 title=f"perplexity after {size['steps']} updates, by multiple of the published rate\n"
                       f"data: {about}; published: the full model, best of a sweep on validation")
    report.table(["optimizer", "s, first .. last stretch", "|step|, first .. last", "in truth"],
                 [[name, factor(runs[name]),
                   " .. ".join(f"{runs[name][0]['delta'][k]:.2g}" for k in (0, -1)),
                   in_truth(name, runs[name])] for name in NAMES], title="what the steps were")
    winner = min(NAMES, key=lambda name: min(test[name]))
    report.note(f"A sample from the network of {winner}:")
    report.quote(runs[winner][0]["sample"])
    ahead = max(np.mean(test[name]) for name in ADAPTIVE)
    behind = min(np.mean(test[name]) for name in PLAIN)
    report.claim(f"after {size['steps']} updates the best of {', '.join(PLAIN)} has a clearly higher test "
                 f"perplexity than the worst of {', '.join(ADAPTIVE)} (ratio)", behind / ahead,
                 min(min(test[name]) for name in PLAIN) / max(max(test[name]) for name in ADAPTIVE),
                 max(max(test[name]) for name in PLAIN) / min(min(test[name]) for name in ADAPTIVE)
                 if args.seeds > 1 else behind / ahead, published=round(5.0447 / 4.3613, 3), at_least=1.05)
    for name in ("rms", "plain"):
        off = max(abs(s[k] - 1.0) for r in runs[name] for s in r["s"] for k in (0, 2))
        report.claim(f"{name}: the metric factor stays within 1 % of 1 (largest |s - 1|)", off, at_most=0.01)
    report.data.update(data=about, size=size, runs=runs, rates=rate,
                       grid={n: {str(r): t["best"] for r, t in tuned[n].items()} for n in NAMES})
    if report.plotting:
        figure(report, runs, "perplexity", label="validation perplexity", log=True,
               published=TABLE if args.size == "paper" and not args.quick else None)
