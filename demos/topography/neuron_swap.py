"""Two neurons change places over a barrier that is exactly known, and renaming them removes it.

Question   a network of two tanh neurons and the same network with its neurons exchanged compute one
           function. How high is the lowest way between them, and what is left of it when the
           neurons of one end are given their names back?
Expected   exactly the least loss of a single neuron, since on the way the two must become alike; a
           sine series finds it; the straight line is many times as high; after renaming: nothing.
Time       about 30 s; --quick 5 s.
Source     ours; the story is that of connectivity up to permutation, Ainsworth et al. 2023,
           arXiv:2209.04836. Networks without biases, 61 points of [-3, 3], ½ mean square.

Why it is exact: on any path from (w1, w2) to (w2, w1) the difference w1 - w2 changes sign, so
somewhere w1 = w2, where two neurons do what one does. For a single neuron and its double sign
change, v tanh(wx) = (-v) tanh(-wx), the same argument gives ½ mean y².

Dropped after first results: a flood over the plane of (w1, w2) with the best v as a second oracle.
It finds a way 40 times too low, and rightly so: across w1 = w2 the best v jumps (it runs to
infinity with opposite signs on either side), so that way is no path. The plane is in the picture.
"""
from itertools import permutations

import numpy as np

from demos.evidence import count_interval, ratio_interval
from minigrad.backend import to_host, xp
from optim import Objective
from problems.landscape import FourierPathFinder, Straight, height, plots
from problems.potentials import NeuronSwap, OneNeuron

SOURCE = "arXiv:2209.04836"
SIDE = 161                                              # cells of the plane of (w1, w2)


def run(args, report):
    net = NeuronSwap()
    route, (start, end) = net.routes["swap"], net.ends("swap")
    steps = 300 if args.quick else 1500
    report.progress("the path between the ends")
    found = search(net, "swap", steps, args.seed)
    single = search(OneNeuron(), "sign", steps, args.seed)
    renamed, change = align(end, start)
    after = height(net, Straight(start, renamed), 501)
    w = np.linspace(-0.5, 5.0, SIDE)
    plane = best_output_weights(net, w)
    top = to_host(found.path(found.height.t))
    report.table(["way between the two networks", "height of its top"],
                 [["straight line", found.straight.highest], ["sine series", found.height.highest],
                  ["least loss of one neuron", route.height],
                  ["straight line, neurons renamed", after.highest]])
    exact = dict(origin="ours", how="exact: deterministic at this seed")
    report.claim("the path found reaches the least loss of a single neuron (ratio)",
                 found.height.highest / route.height, between=(1.0, 1.02), where="two tanh neurons",
                 why="never below it; 2 % is what the finder is allowed", **exact)
    report.claim("at its top the two neurons are alike: |w1 - w2| over |w1 + w2|",
                 abs(top[2] - top[3]) / abs(top[2] + top[3]), at_most=0.1, quick=False,
                 where="two tanh neurons", why="at the ends it is 0.54", **exact)
    straight = found.straight.highest / found.height.highest
    report.claim("the straight line is higher (ratio)", straight, above=1.0,
                 where="two tanh neurons", **exact)
    report.claim("after renaming no barrier is left", after.above_higher, at_most=1e-20,
                 where="two tanh neurons", why="rounding", **exact)
    report.claim("renaming changes the loss by nothing (largest change at 100 random points)",
                 changed(net, change, args.seed), at_most=1e-15, where="two tanh neurons",
                 why="rounding", **exact)
    y = OneNeuron().data[1]
    report.claim("one neuron and its double sign change: ½ mean y² (ratio)",
                 single.height.highest / (0.5 * np.mean(y * y)), between=(1.0 - 1e-12, 1.02),
                 where="one tanh neuron", why="never below it; 2 % as above", **exact)
    teachers(args, report, steps)
    report.data.update(straight=found.straight.highest, path=found.height.highest,
                       exact=route.height, renamed=after.highest)
    if report.plotting:
        draw(report, net, w, plane, found, renamed)


def search(net, route, steps, seed):
    return FourierPathFinder(starts=4, steps=steps, places=501).find(
        Objective(net), *net.ends(route), np.random.default_rng(seed))


def align(theta, reference):
    """θ with its neurons in the order nearest to the reference, and that order: every one tried."""
    v, w = to_host(theta).reshape(2, -1)
    orders = [list(order) for order in permutations(range(len(v)))]
    named = [np.concatenate([v[order], w[order]]) for order in orders]
    best = int(np.argmin([np.linalg.norm(each - to_host(reference)) for each in named]))
    return xp.asarray(named[best]), orders[best]


def changed(net, order, seed):
    """The largest change of the loss when the neurons of random networks are put in this order."""
    thetas = np.random.default_rng(seed).standard_normal((100, 2, 2))
    before, after = (to_host(net.loss(xp.asarray(each.reshape(100, 4))))
                     for each in (thetas, thetas[:, :, order]))
    return float(abs(before - after).max())


def best_output_weights(net, w):
    """min over v of L (n, n) for every pair (w1, w2): two normal equations, solved by hand."""
    x, y = net.data
    t = np.tanh(w[:, None] * x)                                         # (n, 61)
    G, b = t @ t.T / len(x), t @ y / len(x)
    g1, g2, g12, b1, b2 = np.diag(G)[:, None], np.diag(G)[None], G, b[:, None], b[None]
    det = g1 * g2 - g12 * g12
    with np.errstate(divide="ignore", invalid="ignore"):
        two = (b1 * b1 * g2 - 2.0 * b1 * b2 * g12 + b2 * b2 * g1) / det
        one = np.where(np.diag(G) > 0, b * b / np.diag(G), 0.0)
    gain = np.where(det > 1e-12, two, np.maximum(one[:, None], one[None]))
    return 0.5 * (np.mean(y * y) - gain)


def teachers(args, report, steps):
    """Random pairs of neurons: the path over the bound, and the straight line over the path."""
    rng, runs = np.random.default_rng([args.seed, 1]), 5 if args.quick else 10
    over, lines, rows = [], [], []
    for k in range(runs):
        report.progress(f"random networks, {k + 1} of {runs}", k / runs or None)
        v, w = rng.uniform(0.3, 1.2, 2) * [1.0, rng.choice([-1.0, 1.0])], rng.uniform(0.4, 2.5, 2)
        net = NeuronSwap(v, w)
        bound, found = net.routes["swap"].height, search(net, "swap", steps, k)
        over.append(found.height.highest / bound)
        lines.append(found.straight.highest / bound)
        rows.append([f"{v[0]:.2f}, {v[1]:.2f}", f"{w[0]:.2f}, {w[1]:.2f}", bound, over[-1],
                     lines[-1]])
    report.table(["v", "w", "least loss of one", "path / that", "line / that"], rows,
                 title="Random pairs of neurons, between a network and its exchange")
    within = int(np.sum(np.array(over) <= 1.02))
    report.claim("random pairs: no path is below the bound (lowest ratio)", min(over),
                 at_least=1.0 - 1e-9, origin="ours", where=f"{runs} random networks",
                 how="exact: the smallest of them", why="rounding")
    report.claim("random pairs: the bound is reached within 2 % (share of networks)",
                 *count_interval(within, runs), at_least=0.5, origin="ours", quick=False,
                 where=f"{runs} random networks", how=f"95 % exact, n = {runs} networks",
                 why="more often than not")
    report.claim("random pairs: the straight line is higher than the path (ratio)",
                 *ratio_interval(lines, over), above=1.0, origin="ours",
                 where=f"{runs} random networks", how=f"95 % t of logarithms, n = {runs} networks")
    report.data.update(teachers=rows)


def draw(report, net, w, plane, found, renamed):
    figure, (left, right) = report.subplots(1, 2, figsize=(10, 4.4))
    exact = net.routes["swap"].height
    left.contourf(w, w, np.log10(np.maximum(plane.T, 1e-8)), levels=24, cmap=plots.CMAP)
    left.contour(w, w, plane.T, levels=[exact], colors="white", linewidths=1.0)
    left.plot([w[0], w[-1]], [w[0], w[-1]], ":", color="white", lw=1.2)
    t = xp.linspace(0.0, 1.0, 400)
    ends = found.path.start, found.path.end
    ways = (("straight line", Straight(*ends), "#3b6fb6", "--"),
            ("sine series", found.path, plots.INK, "-"))
    for name, path, colour, line in ways:
        points = path(t)
        left.plot(*to_host(points)[:, 2:].T, line, color=colour, lw=2.0, label=name)
        right.semilogy(to_host(t), np.maximum(to_host(net.loss(points)), 1e-9), line, color=colour,
                       label=name)
    for point in ends:
        left.plot(*to_host(point)[2:], "o", color="white", mec="black", ms=6, zorder=5)
    left.plot(*net.single[1:] * 2, "x", color="white", ms=9, mew=2, zorder=5)
    left.set(xlim=(w[0], w[-1]), ylim=(w[0], w[-1]), xlabel="w1", ylabel="w2", aspect="equal",
             title="log10 of the loss, best v: the ends lie on\nboth sides of w1 = w2 (cross: best "
                   "single neuron)")
    left.legend(fontsize=8, labelcolor="white")
    right.axhline(exact, color="0.5", lw=0.9, ls=":")
    right.semilogy(to_host(t), np.full(len(t), 1e-9), color="0.3", label="renamed: 0 all along")
    right.set(xlabel="t", ylabel="loss", ylim=(5e-10, 0.1),
              title="the lowest way is as high as the best single neuron (dotted)")
    right.legend(fontsize=8)
    report.figure(figure)
