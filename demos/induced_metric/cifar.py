"""On CIFAR-10 with rates of at most 0.01, SGD and plain fall behind Adam, AdamW, rms and Muon.

Question   at the best published settings, how do seven optimizers train a residual network?
Expected   SGD and plain, whose search ended at a rate of 0.01, stay behind the four that scale
           their steps; the metric factor of rms is 1 at the published xi: its run is AdamW.
Time       about 12 min with one process, --jobs 2 about half; --quick 20 s.
Source     T. R. Harvey 2025, arXiv:2509.03594, and the notebooks of its public code.

--size small (default): 3 stages of 1 block, 8-16-32 channels, on 2,048 images, batches of 128, for
3 epochs of the published 400: it shows who starts fast at these rates, not who ends where.
--size paper: ResNet-18 on 40,000 images, batches of 1,024, 400 epochs; for a GPU
(MINIGRAD_BACKEND=cupy), about 2e7 images of 3.3 GFLOP each a run. No augmentation, no scaling.
Batch norm is evaluated with statistics averaged over training batches at the evaluated point, where
the author's code keeps a running mean of the last hundred steps. Validation images (the fifth file)
choose the epoch, test images give the score. Without CIFAR-10: stroke digits.

Revised after first results: one seed on twice the images, with the range over all pairs of runs as
its interval, became five seeds compared pair by pair.
"""
import argparse
import functools

import numpy as np

from demos.evidence import t_interval
from demos.induced_metric.seven_curves import figure
from demos.induced_metric.seven_optimizers import (NAMES, PUBLISHED, attempt, build, claim_idle,
                                                   curve, factor, effective_method, mean_and_std,
                                                   resumable)
from optim import run_all
from problems import Network
from problems.data import Split, batches, first_local, load
from problems.evaluation import error_rate
from problems.networks.resnet import ResNet, updated

SOURCE = "arXiv:2509.03594"
DTYPE = "float32"
TABLE = PUBLISHED["cifar"]["results"]
SIZES = {"paper": dict(widths=(64, 128, 256, 512), blocks=2, images=None, batch=1024, epochs=400,
                       held=None),
         "small": dict(widths=(8, 16, 32), blocks=1, images=2048, batch=128, epochs=3, held=1000),
         "quick": dict(widths=(4, 8), blocks=1, images=256, batch=64, epochs=2, held=200)}
ADAPTIVE, CAPPED = ("Adam", "AdamW", "rms", "Muon"), ("SGD", "plain")


def arguments(parser):
    add = parser.add_argument
    add("--size", choices=("small", "paper"), default="small")
    add("--epochs", type=int, metavar="N", help="default 3, --size paper 400")
    add("--seeds", type=int, default=5, metavar="N", help="runs per optimizer")
    add("--optimizers", nargs="+", choices=NAMES, default=list(NAMES), metavar="NAME",
        help="some of " + ", ".join(NAMES))
    resumable(parser)


@functools.cache
def images(name, root, limit, held):
    """train, valid, test and the caption; `held` images each to validate and test on."""
    few = {"n_train": limit or 50_000} if name == "strokes" else {"limit": limit}
    data = load(name, root, **few)
    valid, test = (part.take(slice(held)) for part in (data.valid, data.test))
    return data.train, Split(*valid), Split(*test), data.about


def statistics(model, params, parts):
    """Batch-norm statistics at this point, averaged over some training batches."""
    average = model.statistics()
    for k, part in enumerate(parts):
        seen = {}
        model.apply(params, part.inputs, seen=seen)
        average = updated(average, seen, momentum=k / (k + 1))
    return average


def train_one(args, data_name, size, name, seed):
    """One run: its curve, and the test accuracy at the best validation epoch."""
    size = argparse.Namespace(**size)
    train, valid, test, _ = images(data_name, args.data_dir, size.images, size.held)
    model = ResNet(size.widths, size.blocks, image=train.inputs.shape[1:])
    problem = Network(model, dtype=DTYPE)
    some = [train.take(slice(i, i + size.batch))
            for i in range(0, min(train.n, 8 * size.batch), size.batch)]

    def error(theta, split):
        params = problem.params(theta)
        return error_rate(model, params, split, 500, statistics=statistics(model, params, some))

    run = attempt(args, f"cifar-{data_name}-{args.size}-{name}-{args.seed}.{seed}", problem,
                  build("cifar", name, problem.layout),
                  lambda rng: map(train.take, batches(rng, train.n, size.batch, drop_last=True)),
                  epochs=size.epochs, rng=np.random.default_rng([args.seed, seed]),
                  evaluate=lambda theta: {"valid": error(theta, valid)},
                  progress="auto" if args.size == "paper" else None)
    return {**curve(run), "test": 1.0 - error(run.best, test)}


def run(args, report):
    size = dict(SIZES["quick" if args.quick else args.size])
    size["epochs"] = args.epochs or size["epochs"]
    seeds = 1 if args.quick else args.seeds
    names = [name for name in NAMES if name in args.optimizers]
    data_name = args.data or first_local("cifar-10", "strokes", root=args.data_dir)
    calls = [(args, data_name, size, name, seed) for name in names for seed in range(seeds)]
    done = run_all(train_one, calls, args.jobs, report.progress)
    runs = {name: done[i * seeds:(i + 1) * seeds] for i, name in enumerate(names)}
    test = {name: [r["test"] for r in runs[name]] for name in names}
    about = images(data_name, args.data_dir, size["images"], size["held"])[3]
    columns = ["optimizer", "test", "std", "loss", "s, first .. last", "in truth", "published"]
    report.table(columns, [[name, *(f"{x:.3f}" for x in mean_and_std(test[name])),
                            f"{np.mean([r['train'][-1] for r in runs[name]]):.3g}",
                            factor(runs[name]), effective_method(name, runs[name]),
                            f"{TABLE[name]['best']:.3f}"] for name in names],
                 title=f"test accuracy at the best validation epoch of {size['epochs']}\n"
                       f"data: {about}; published: ResNet-18, 400 epochs, chosen on the test set")
    if set(ADAPTIVE + CAPPED) <= set(names):
        claim_groups(report, test)
    for name in set(names) & {"rms"}:
        claim_idle(report, name, runs[name])
    report.data.update(data=about, size=size, runs=runs)
    if report.plotting:
        figure(report, runs, "valid", label="validation error")


def claim_groups(report, test):
    """test {optimizer: [accuracy of each seed]}: the four that scale their steps against two."""
    ahead, behind = (np.array([test[name] for name in group]) for group in (ADAPTIVE, CAPPED))
    best = [[TABLE[name]["best"] for name in group] for group in (ADAPTIVE, CAPPED)]
    asked = dict(origin="code", where="CIFAR notebook, best runs of 400 epochs", quick=False,
                 how=f"95 % t of pairs, n = {ahead.shape[1]} seeds")
    report.claim(f"{', '.join(ADAPTIVE)} reach a higher test accuracy than {', '.join(CAPPED)} "
                 "(gap of the means)", *t_interval(ahead.mean(axis=0) - behind.mean(axis=0)),
                 above=0.0, published=round(np.mean(best[0]) - np.mean(best[1]), 3), **asked)
    report.claim("the last of the four is ahead of the first of the two (gap)",
                 *t_interval(ahead.min(axis=0) - behind.max(axis=0)), above=0.0,
                 published=round(min(best[0]) - max(best[1]), 3), **asked)
