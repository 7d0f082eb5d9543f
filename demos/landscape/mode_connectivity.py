"""Two trained networks are joined by a curve of low loss, or by a line once units are aligned.

Question   how high is the ridge between two independently trained networks: on the straight line,
           on a trained curve, and on the line after permuting the hidden units of one of them?
Expected   on the line high; a quadratic Bezier curve and a chain with one bend stay low at every
           width; after alignment the line is low too, but only for wide networks.
Time       about 50 s; --quick 4 s.
Source     Garipov et al. 2018, arXiv:1802.10026 (curves); Ainsworth et al. 2023, arXiv:2209.04836
           (alignment). ReLU networks 10-w-w-5 on 1,500 points of 15 Gaussian clusters.

"Joined" is a statement about curves. Straight lines are flat only between networks that share the
first part of their training, or after alignment. One run is one pair of networks; the data are the
same for all. Revised after first results: five pairs with quartiles became ten at widths 16 and 64
with exact intervals of the median, and the single pair of width 256, which showed no uncertainty,
became six.
"""
import numpy as np

from demos.evidence import median_interval, ratio_interval
from minigrad.backend import float_of
from optim import SGD, Objective, cosine, train
from problems import Network
from problems.data import clusters
from problems.data.dataset import batches, epochs
from problems.landscape import (BezierCurve, PolyChain, accuracy, barrier, find_symmetries,
                                linear_path, plane_through, plots, train_curve, weight_matching)
from problems.networks.mlp import MLP

SOURCE = "arXiv:1802.10026"
COLOURS = {"straight line": "0.35", "Bezier curve": "#b5123e", "chain": "#e08a1e",
           "aligned line": "#3b6fb6"}


def trained(network, split, steps, rng):
    """A network after minibatch descent at a rate that follows half a cosine."""
    return train(network, SGD(cosine(0.05, steps), momentum=0.9, decay=1e-3),
                 lambda rng: [split.take(i) for i in batches(rng, split.n, 64, drop_last=True)],
                 steps=steps, rng=rng, progress=None).theta


def connect(width, split, steps, rng):
    """Train A and B, join them: (network, (A, B, B aligned), paths, largest change of outputs)."""
    network = Network(MLP((10, width, width, 5), "relu", init="he"), split)
    a, b = trained(network, split, steps, rng), trained(network, split, steps, rng)
    paths = {"straight line": linear_path(a, b)}
    for name, kind in (("Bezier curve", BezierCurve), ("chain", PolyChain)):
        minibatches = (Objective(network, split.take(i)) for _, i in epochs(rng, split.n, 64))
        optimizer = SGD(cosine(0.05, steps), momentum=0.9)
        paths[name], _ = train_curve(kind(a, b), minibatches, optimizer, steps, rng, decay=1e-4)
    aligned = weight_matching(find_symmetries(network), a, b, rng).theta
    paths["aligned line"] = linear_path(a, aligned)
    before, after = (network.model.apply(network.params(x), split.inputs) for x in (b, aligned))
    return network, (a, b, aligned), paths, float_of(abs(after - before).max())


def run(args, report):
    split = clusters.load(seed=args.seed, n_valid=1, n_test=1, dtype="float64").train
    steps, pairs = (500, {16: 1, 64: 1}) if args.quick else (1500, {16: 10, 64: 10, 256: 6})
    ridges, kept, change = {}, {}, 0.0
    work = [(w, k) for w, count in pairs.items() for k in range(count)]
    costs = np.cumsum([0.0, *(30 + w for w, _ in work)])                # time grows about so
    for (width, pair), done in zip(work, costs / costs[-1]):
        report.progress(f"width {width}, pair {pair + 1} of {pairs[width]}", done)
        rng = np.random.default_rng([args.seed, width, pair])
        network, ends, paths, changed = connect(width, split, steps, rng)
        change = max(change, changed)
        for name, path in paths.items():
            ridges.setdefault((width, name), []).append(barrier(
                Objective(network), path, refinements=1, also={"accuracy": accuracy(network)}))
        kept[width] = network, ends, paths
    middle = {key: median_interval([r.height for r in found]) for key, found in ridges.items()}
    report.table(["width", "path", "pairs", "barrier", "highest loss", "lowest accuracy"],
                 [[*key, len(found), middle[key][0], max(r.losses.max() for r in found),
                   min(r.also["accuracy"].min() for r in found)] for key, found in ridges.items()],
                 title="Between two trained networks (barrier: median; highest and lowest: of all)")
    ends = max(max(r.losses[0], r.losses[-1]) for found in ridges.values() for r in found)
    report.note(f"The training loss of the networks themselves is at most {ends:.3f}.")
    report.data["barriers"] = {f"{w} {name}": [r.height for r in found]
                               for (w, name), found in ridges.items()}

    report.data["profiles"] = {f"{w} {name}": [dict(t=r.ts, loss=r.losses) for r in found]
                               for (w, name), found in ridges.items()}
    claim_ridges(report, ridges, pairs, change)
    if report.plotting:
        draw(report, ridges, middle, *kept[64])


def claim_ridges(report, ridges, pairs, change):
    """ridges {(width, path): records of a barrier, one a pair}"""
    heights = {key: [r.height for r in found] for key, found in ridges.items()}

    def claim(text, width, name, why, **criterion):
        origin, where = (("paper", "abstract of Ainsworth et al.") if "aligned" in name else
                         ("paper", "abstract of Garipov et al."))
        report.claim(text, *median_interval(heights[width, name]), origin=origin, where=where,
                     unit="nats", quick=False, why=why,
                     how=f"exact 95 % interval of the median, n = {pairs[width]} pairs",
                     **criterion)

    claim("width 64: the straight line climbs (barrier)", 64, "straight line",
          "a hundred times the loss of the networks", at_least=0.3)
    for name in list(COLOURS)[1:]:
        claim(f"width 64: the {name} does not", 64, name,
              "a third of what the straight line must climb", at_most=0.1)
    if max(pairs) > 64:
        claim(f"width {max(pairs)}: nor the aligned line", max(pairs), "aligned line",
              "the same as at width 64", at_most=0.1)
    n = min(pairs[16], pairs[max(pairs)])
    narrow, wide = (heights[w, "aligned line"][:n] for w in (16, max(pairs)))
    report.claim(f"alignment needs width: barrier of the aligned line, 16 over {max(pairs)}",
                 *ratio_interval(narrow, wide), above=1.0, origin="paper", quick=False,
                 where="its experiments with width", how=f"95 % t of logarithms, n = {n} pairs")
    report.claim("permuting units changes no output (largest change)", change, at_most=1e-10,
                 origin="ours", where="a symmetry of the network",
                 how="exact arithmetic, float64, all pairs", why="rounding of outputs near ten")


def draw(report, ridges, middle, network, ends, paths):
    a, b, aligned = ends
    objective = Objective(Network(network.model, tuple(part[:600] for part in network.data)))
    figure, ((left, right), (along, widths)) = report.subplots(2, 2, figsize=(9, 7.8))
    for ax, third, drawn, corner, title in (
            (left, paths["Bezier curve"].free[0], "Bezier curve", "control", "a curve goes round"),
            (right, aligned, "aligned line", "B, permuted", "permuted, B lies across a low pass")):
        view = plane_through(objective, a, b, third, 21 if report.args.quick else 41)
        filled = view.draw(ax, ("A", "B", corner), np.geomspace(2e-3, 8.0, 20))
        for name in ("straight line", drawn):
            view.trace(ax, paths[name], COLOURS[name])
        ax.set_title(title)
    plots.colour_bar(right, filled, "training loss")
    for name, colour in COLOURS.items():
        shown = ridges[64, name][-1]
        along.semilogy(shown.ts, shown.losses, color=colour, label=name)
        widths.loglog(*zip(*[(w, r.height) for (w, path), found in ridges.items() if path == name
                             for r in found]), ".", color=colour, alpha=0.5)
        widths.plot(*zip(*[(w, middle[w, path][0]) for w, path in middle if path == name]), "o-",
                    color=colour)
    along.set(xlabel="t, from A to B", ylabel="training loss", title="width 64, the last pair")
    along.legend(fontsize=8)
    widths.set(xlabel="width", ylabel="barrier", title="alignment needs width, curves do not")
    widths.set_xticks(sorted({w for w, _ in ridges}), sorted({w for w, _ in ridges}))
    widths.minorticks_off()
    report.figure(figure)
