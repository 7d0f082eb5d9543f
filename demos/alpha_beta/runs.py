"""One measured run of a perceptron, and many of them side by side: the page the sweeps share.

The generated data are ten Gaussian clusters of 20 coordinates, 1,000 points, with a tenth of the
labels drawn anew. Without that label noise so small a set is interpolated by every width and there
is nothing to see; it is the knob that sets how hard interpolation is.
"""
from functools import cache
from typing import NamedTuple

import numpy as np

import optim
from minigrad.backend import to_host, xp
from optim import Objective, descent, run_all
from problems import Network, data
from problems.landscape.conditions import Envelope, record, shuffled
from problems.landscape.conditions.pictures import region
from problems.networks.mlp import MLP

GAP = 0.1                                               # α - β, as in the paper's search


class Setting(NamedTuple):
    """What one run is; `seed` draws the start (1000 + seed) and the batches (7000 + seed)."""

    width: int = 64
    layers: int = 2
    batch: int = 64
    epochs: int = 300
    seed: int = 0
    data: str = "clusters"
    root: str | None = None
    method: str = "SGD"
    lr: float = 0.1
    gain: float = 1.0
    level: float | None = None                          # stop at the epoch whose loss is at most it
    dtype: str = "float64"


@cache
def noisy_clusters():
    """(x (1000, 20), labels (1000,)), a tenth of the labels redrawn."""
    rng = np.random.default_rng(0)
    means, y = rng.normal(size=(10, 20)), rng.integers(0, 10, 1000)
    x = means[y] + 1.2 * rng.normal(size=(1000, 20))
    flip = rng.random(1000) < 0.1
    y[flip] = rng.integers(0, 10, int(flip.sum()))
    return x / np.sqrt(2.44), y


@cache
def small_images(name, root):
    """2,000 images of a real set, 2 x 2 pixels averaged, standardised, a tenth of labels anew."""
    part = data.load(name, root, limit=2000).train
    x, y = to_host(part.inputs), to_host(part.targets).copy()
    x = x.reshape(len(x), 14, 2, 14, 2).mean(axis=(2, 4)).reshape(len(x), -1)
    rng = np.random.default_rng(0)
    flip = rng.random(len(y)) < 0.1
    y[flip] = rng.integers(0, 10, int(flip.sum()))
    return (x - x.mean()) / x.std(), y


def network(s):
    x, y = noisy_clusters() if s.data == "clusters" else small_images(s.data, s.root)
    sizes = (x.shape[1], *[s.width] * s.layers, 10)
    return Network(MLP(sizes, activation="relu", init="uniform", gain=s.gain), (x, y), s.dtype)


METHODS = {
    "SGD": optim.SGD, "momentum": lambda lr: optim.SGD(lr, momentum=0.9), "Adam": optim.Adam,
    "NGN": optim.NGN, "SPS": lambda lr: optim.StochasticPolyak(lr, c=0.5),
}


def measure(s):
    """Train twice and measure: a dict of numbers and the records G, F, E of the run."""
    net, method = network(s), METHODS[s.method](s.lr)
    theta = net.start(np.random.default_rng(1000 + s.seed))
    n = len(net.data[1])
    epochs = s.epochs if s.level is None else epochs_to(net, method, theta, s, n)
    run = record(net, method, theta, shuffled(n, s.batch, epochs, 7000 + s.seed))
    e = run.envelope()
    return dict(G=run.G, F=run.F, E=run.E, final=run.final, alpha=e.alpha_min(GAP),
                noise=e.noise, floor=e.floor(GAP), uphill=e.uphill(),
                active=e.active(GAP) / len(e.G),
                robust=e.alpha_min(GAP, quantile=0.001), early=e.until(0.8).alpha_min(GAP),
                epochs=epochs)


def epochs_to(net, method, theta, s, n):
    """The first epoch whose whole loss is at most the level; s.epochs if none is."""
    whole, steps = Objective(net), n // s.batch
    x, y = net.data
    batches = (Objective(net, (x[i], y[i])) for i in map(
        xp.asarray, shuffled(n, s.batch, s.epochs, 7000 + s.seed)()))
    for t, point, _, _ in descent(method, batches, theta):
        if t and t % steps == 0 and float(whole.value(point)) <= s.level:
            return t // steps
    return s.epochs


def measured(settings, args, report):
    """All runs, --jobs at a time: a list in their order."""
    return run_all(measure, [(s,) for s in settings], args.jobs, report.progress)


def joint(runs):
    """The envelope of pairs that hold in every run."""
    return Envelope.joined([Envelope(r["G"], r["F"], r["E"]) for r in runs])


def together(runs):
    """α_min, β and β σ² of a pair that holds in every run (other seeds of one setting)."""
    e = joint(runs)
    alpha, beta = e.pair(GAP)
    return dict(alpha=alpha, beta=beta, floor=e.floor(GAP), noise=e.noise,
                final=float(np.mean([r["final"] for r in runs])),
                each=[r["alpha"] for r in runs], floors=[r["floor"] for r in runs],
                robust=e.alpha_min(GAP, quantile=0.001), uphill=e.uphill(),
                active=float(np.median([r["active"] for r in runs])))


def rows_of(groups):
    """Table rows of {label: together(...)}."""
    return [[label, g["final"], g["alpha"], each_of(g["each"]), g["robust"],
             g["floor"], f"{100 * g['active']:.0f} %", f"{100 * g['uphill']:.0f} %"]
            for label, g in groups.items()]


def each_of(alphas):
    """One value a seed, or the range of many, as text."""
    if len(alphas) <= 3:
        return "/".join(f"{a:.3g}" for a in alphas)
    return f"{min(alphas):.3g} .. {max(alphas):.3g}"


HEADERS = ["f(x_K)", "alpha_min", "each seed", "99.9 %", "beta s2", "decides at", "G < 0"]


def draw_regions(report, envelopes):
    """Heat maps of min T over the pairs near the corner, {title: Envelope}."""
    fig, axes = report.subplots(1, len(envelopes), figsize=(3.6 * len(envelopes), 3.4))
    for axis, (title, envelope) in zip(axes, envelopes.items()):
        image = region(axis, envelope, GAP, mesh=120)
        axis.set_title(f"{title}: alpha from {envelope.alpha_min(GAP):.3g}")
        fig.colorbar(image, ax=axis, shrink=0.8, label="min T")
    axes[0].legend(fontsize=7, loc="upper left")
    fig.suptitle("Pairs that every step of every run allows (white: not allowed)", fontsize=9)
    report.figure(fig, "regions")


def draw(report, groups, label, title, log=True):
    """α_min, β σ² and the last loss against what was varied."""
    x = [float(key) for key in groups]
    fig, axes = report.subplots(1, 3, figsize=(10.5, 3.4))
    for axis, key, name in zip(axes, ("alpha", "floor", "final"),
                               ("least alpha, gap 0.1", "beta sigma_int²", "loss at x_K")):
        axis.plot(x, [g[key] for g in groups.values()], "o-", color="#b5123e", label="all seeds")
        each = {"alpha": "each", "floor": "floors"}.get(key)
        if each:
            for at, g in zip(x, groups.values()):
                axis.plot([at] * len(g[each]), g[each], ".", color="0.55")
            axis.plot([], [], ".", color="0.55", label="each seed")
        axis.set(xlabel=label, ylabel=name, yscale="log")
        if log:
            axis.set_xscale("log", base=2)
        axis.set_xticks(x, [f"{v:g}" for v in x])
        axis.minorticks_off() if log else None
        axis.grid(alpha=0.2)
    axes[0].legend()
    fig.suptitle(title, fontsize=9)
    report.figure(fig)
