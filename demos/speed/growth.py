"""How the cost of a gradient grows with the size of what is differentiated.

    python -m demos.speed.growth [largest]       one JSON line; `demos speed` draws it

One size doubles at a time. Small sizes pay for the calls, large ones for the arithmetic, so the
exponent b of  seconds = a size^b  is fitted by least squares in logarithms over the upper half of
the sizes. In theory: products of a dense layer grow with the width squared and in proportion
to depth and batch; of attention with the context squared, all else in a transformer with the context.
"""
import json
import math
import sys
import time

import numpy as np

import minigrad as mg
import optim
from demos.speed.timing import pin
from problems import Network
from problems.functions import rastrigin
from problems.networks.mlp import MLP
from problems.networks.transformer import Transformer

REPEATS = 5


def gradient(model, batch):
    """A gradient of a model on a batch, float32."""
    problem = Network(model, batch, dtype="float32")
    theta = problem.start(np.random.default_rng(0))
    slope = mg.value_and_grad(problem.tree_loss)
    params = problem.params(theta)
    return lambda: slope(params)


def perceptron(width, layers, examples):
    rng = np.random.default_rng(0)
    batch = rng.standard_normal((examples, width)), rng.integers(0, 10, examples)
    return gradient(MLP((width,) + (layers - 1) * (width,) + (10,)), batch)


def transformer(context):
    tokens = np.random.default_rng(0).integers(0, 65, (2, context))
    return gradient(Transformer(65, layers=1, width=64, heads=2, context=context),
                    (tokens, tokens))


def points(n):
    x = np.random.default_rng(0).uniform(-5, 5, (n, 2))
    slope = mg.value_and_grad(rastrigin, each=True)
    return lambda: slope(x)


def parameters(n):
    theta = np.random.default_rng(0).standard_normal(n).astype("float32")
    method = optim.AdamW(1e-3)
    state = method.init(theta)
    return lambda: theta + method.update(theta, 1.0, theta, state)[0]


# name of the size, work of a size, sizes from 2^a to 2^b, exponents in theory: for small, for large
SERIES = [
    ("width of a perceptron", lambda w: perceptron(w, 3, 64), (5, 10), (1, 2)),
    ("depth of a perceptron", lambda n: perceptron(64, n, 64), (1, 6), (1, 1)),
    ("batch of a perceptron", lambda b: perceptron(128, 3, b), (4, 12), (1, 1)),
    ("context of a transformer", transformer, (4, 10), (1, 2)),
    ("points of Rastrigin's function", points, (4, 17), (1, 1)),
    ("parameters of AdamW", parameters, (8, 22), (1, 1)),
]


def seconds(work):
    """Processor time of one call, the least of some."""
    work()
    n, spent = 1, []
    while len(spent) < REPEATS:
        start = time.process_time()
        for _ in range(n):
            work()
        each = time.process_time() - start
        if each < 0.005:
            n *= 4
        else:
            spent.append(each / n)
    return min(spent)


def exponent(sizes, times):
    """Slope of log seconds against log size over the upper half."""
    half = len(sizes) // 2
    return float(np.polyfit(np.log(sizes[half:]), np.log(times[half:]), 1)[0])


def main(less=0):
    """`less`: so many doublings fewer."""
    pin()
    mg.keep_heap()
    found = []
    for name, make, (low, high), theory in SERIES:
        sizes = [2**k for k in range(low, high + 1 - less)]
        times = [seconds(make(size)) for size in sizes]
        found.append(dict(name=name, sizes=sizes, seconds=times, theory=theory,
                          exponent=exponent(sizes, times)))
    print(json.dumps(found))


def draw(report, found):
    """One panel a size: what was measured, the fit, and dotted the exponents in theory."""
    figure, axes = report.subplots(2, 3, figsize=(10, 5.6))
    for ax, s in zip(axes.flat, found):
        x, y = np.array(s["sizes"]), 1e6 * np.array(s["seconds"])
        middle = len(x) - len(x) // 4 - 1
        for b in sorted(set(s["theory"])):
            line = y[middle] * (x / x[middle])**b
            ax.plot(x, line, ":", color="0.6", lw=1)
            ax.annotate(f" {b}", (x[-1], line[-1]), color="0.5", fontsize=7, va="center")
        ax.plot(x, y, "o-", ms=3, color="C0")
        half = len(x) // 2
        fit = y[half:].mean() * (x[half:] / math.exp(np.log(x[half:]).mean()))**s["exponent"]
        ax.plot(x[half:], fit * math.exp(np.log(y[half:] / fit).mean()), color="C1", lw=1)
        ax.set_xscale("log", base=2)
        ax.set(yscale="log", ylim=(y.min() / 2, y.max() * 2), xlabel=s["name"],
               title=f"exponent {s['exponent']:.2f}")
    for ax in axes[:, 0]:
        ax.set_ylabel("microseconds")
    report.figure(figure, "growth")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
