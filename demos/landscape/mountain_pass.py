"""A nudged elastic band finds the lowest pass between two minima; between networks it is flat.

Question   how high is the lowest way between two minima, when nothing is known but the gradient?
Expected   on the Mueller-Brown potential a climbing band of 21 images lands on both saddles to
           1e-8, while a band without a climbing image stops short of the top. Between two trained
           networks the lowest way has next to no barrier at all.
Time       about 20 s; --quick 3 s.
Source     Draxler et al. 2018, arXiv:1803.00885 (networks: "essentially no barriers"); Henkelman &
           Jonsson 2000, J. Chem. Phys. 113, 9978 (bands). Networks: ReLU 10-32-32-5 on 500 points.

Between networks one run is one pair. Revised after first results: one pair became six.
"""
import numpy as np

from demos.evidence import ratio_interval
from minigrad.backend import to_host, xp
from optim import SGD, Objective, cosine, train
from problems import Network
from problems.data import clusters
from problems.data.dataset import batches
from problems.landscape import (NEB, StringMethod, auto_neb, barrier, explore, linear_path, plots,
                                straight_band)
from problems.landscape.paths.auto_neb import Cycle, dense_profile
from problems.networks.mlp import MLP
from problems.potentials import MuellerBrown

SOURCE = "arXiv:1803.00885"
PAIRS = 6                                               # of networks
BANDS = 0.35                                            # of the time goes to bands in the plane
METHODS = {"climbing band": NEB(), "band": NEB(climb=False),
           "springs, climbing": NEB(spring=1000.0), "string": StringMethod()}
INK = {"climbing band": plots.INK, "band": "#3b6fb6", "string": "#e08a1e"}


def run(args, report):
    potential = MuellerBrown()
    minima, objective = xp.asarray(potential.minima), Objective(potential)
    passes = {(2, 1): potential.saddle_heights[0], (0, 2): potential.saddle_heights[1],
              (0, 1): potential.saddle_heights[1]}                  # ends -> the exact height
    bands, rows, steps = {}, [], 800 if args.quick else 2000
    for (i, j), height in passes.items():
        for name, method in METHODS.items():
            report.progress(f"{name} from minimum {i} to {j}",
                            BANDS * (len(rows) + 0.1) / (len(passes) * len(METHODS)))
            band = method.relax(objective, straight_band(minima[i], minima[j]), SGD(2e-4), steps)
            bands[i, j, name] = band
            rows.append([f"{i} to {j}", name, f"{band.heights.max():.8f}",
                         abs(band.heights.max() - height), band.residual])
    report.table(["minima", "method", "highest image", "off the saddle", "largest force"], rows,
                 title=f"Mueller-Brown, 21 images, {steps} steps")
    error = {name: [row[3] for row in rows if row[1] == name] for name in METHODS}
    exact = dict(origin="ours", where="Mueller-Brown potential, three passes",
                 how="exact: deterministic, saddles known to ten digits")
    report.claim("the climbing image lands on the saddle (largest error in height)",
                 max(error["climbing band"]), at_most=1e-8, **exact,
                 why="the digits to which the saddles are known")
    report.claim("without it the top of the band is missed (smallest error)", min(error["band"]),
                 at_least=0.01, why="a million times the error of the climbing image", **exact)
    cycles = 3 * [Cycle(200, 2e-4)] + [Cycle(800, 2e-4)]
    found = explore(minima, lambda a, b: auto_neb(objective, a, b, cycles, SGD, climb=True))
    report.claim("the spanning tree over the three minima knows the pass between the two deepest "
                 "(error)", abs(found.saddle(0, 1) - passes[0, 1]), at_most=1e-8, **exact,
                 why="the digits to which the saddles are known")
    pairs = [between_networks(args, report, k) for k in range(1 if args.quick else PAIRS)]
    tops, lines = zip(*((profile[1].max(), straight.height) for straight, profile in pairs))
    report.claim("between two networks the band is flat (highest loss between its images, over the "
                 "barrier of the straight line)", *ratio_interval(tops, lines), at_most=0.1,
                 origin="paper", where="abstract: essentially no barriers; there on CIFAR",
                 quick=False, how=f"95 % t of logarithms, n = {len(pairs)} pairs",
                 why="a tenth of the ridge; the paper gives no ratio")
    report.data.update(rows=rows, tree=found.tree, straight=lines, top=tops, profile=pairs[0][1])
    if report.plotting:
        draw(report, potential, bands, *pairs[0])


def reached(args, pairs):
    """The share of the work that is done after so many pairs of networks."""
    return BANDS + (1.0 - BANDS) * pairs / (1 if args.quick else PAIRS)


def between_networks(args, report, pair):
    """Between two trained networks: (barrier of the line, (positions, losses) along the band)."""
    split = clusters.load(seed=args.seed, n_train=500, n_valid=1, n_test=1, dtype="float64").train
    network = Network(MLP((10, 32, 32, 5), "relu", init="he"), split)
    rng, ends = np.random.default_rng([args.seed, pair][:1 + (pair > 0)]), []
    for k in range(2):
        report.progress(f"pair {pair + 1}, training network {k + 1}", reached(args, pair + 0.1 * k))
        ends.append(train(network, SGD(cosine(0.05, 1000), momentum=0.9),
                          lambda rng: [split.take(i) for i in batches(rng, 500, 50)], steps=1000,
                          rng=rng, progress=None).theta)
    report.progress("AutoNEB between the networks", reached(args, pair + 0.2))
    objective, steps = Objective(network), 40 if args.quick else 150
    straight = barrier(objective, linear_path(*ends))
    band = auto_neb(objective, *ends, 4 * [Cycle(steps, 0.05)] + [Cycle(steps, 0.005)])
    ts, losses = dense_profile(objective, band.images)
    report.note(f"Networks, pair {pair + 1}: straight line {straight.height:.3f}, band of "
                f"{len(band.images)} images {losses.max():.4f}, ends {losses[0]:.4f} "
                f"and {losses[-1]:.4f}.")
    return straight, (ts / ts[-1], losses)


def draw(report, potential, bands, straight, profile):
    figure, (left, middle, right) = report.subplots(1, 3, figsize=(12, 4.2),
                                                    width_ratios=(1.25, 1, 1))
    x, y = np.linspace(-1.45, 1.15, 200), np.linspace(-0.35, 1.95, 180)
    V = to_host(potential.loss(xp.asarray(np.stack(np.meshgrid(x, y), axis=-1))))
    left.contourf(x, y, V, levels=np.arange(-150, 110, 10), cmap=plots.CMAP, extend="both")
    left.contour(x, y, V, levels=np.arange(-150, 110, 20), colors="white", linewidths=0.4,
                 linestyles="solid", alpha=0.7)
    start = straight_band(*(xp.asarray(potential.minima[k]) for k in (0, 1)))
    for steps in (0, 10, 40):
        band = NEB(climb=False).relax(Objective(potential), start, SGD(2e-4), steps)
        left.plot(*to_host(band.images).T, ".-", color="white", lw=0.7, ms=2.5)
        left.annotate(f"{steps} steps", to_host(band.images)[7], (4, 4), color="white", fontsize=7,
                      textcoords="offset points")
    left.plot(*to_host(bands[0, 1, "climbing band"].images).T, "o-", color=plots.INK, ms=4, lw=1.2,
              mec="white", mew=0.5)
    left.plot(*np.array(potential.saddles).T, "x", color="black", ms=10, mew=2, zorder=5)
    left.set(title="a straight band finds the valleys (crosses: saddles)", xlabel="x", ylabel="y")
    for name, colour in INK.items():
        heights = bands[0, 1, name].heights
        middle.plot(np.linspace(0, 1, len(heights)), heights, "o-", ms=3, color=colour, label=name)
    for height in potential.saddle_heights:
        middle.axhline(height, color="0.5", linewidth=0.7, linestyle="--")
    middle.set(xlabel="along the band", ylabel="height", title="the pass (dashed: exact)")
    middle.legend(loc="lower center", fontsize=8)
    right.semilogy(straight.ts, straight.losses, color="0.35", label="straight line")
    right.semilogy(*profile, color=plots.INK, label="band")
    right.set(xlabel="along the path", ylabel="training loss", title="two networks: no pass")
    right.legend(fontsize=8)
    report.figure(figure)
