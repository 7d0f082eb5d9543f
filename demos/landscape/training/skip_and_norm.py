"""Skip connections and normalisation smooth the landscape together, neither does alone.

Question   how does the largest Hessian eigenvalue at the start grow with depth?
Expected   with both it hardly does (24 layers / 2 layers below 4); plain networks grow more than
           tenfold; under ReLU skip alone has the larger lambda_max; norm alone is worst of all.
Time       about 30 s; --quick 4 s.
Source     Li et al. 2018, arXiv:1712.09913 (skips smooth residual networks, which are normalised
           too); here tanh networks of width 32 on 400 points of ten-dimensional clusters.

Pre-norm: LayerNorm, without gain, before each affine map. Skip: h <- h + phi(W LN(h) + b).
Intervals are of ratios of geometric means over starts, on one data set. Revised after first
results: nine starts for one kind and three for the rest left the first claim open on some data; now
every kind has 18, and every claim an interval.
"""
import numpy as np

from demos.evidence import ratio_interval
from minigrad.backend import to_host, xp
from optim import SGD, Objective
from optim.training import train
from problems import Network
from problems.data.clusters import gaussian_centres, gaussian_clusters
from problems.landscape import plots
from problems.landscape.slices.convexity import curvature_map
from problems.landscape.slices.directions import random_pair
from problems.landscape.curvature.sharpness import top_curvature
from problems.landscape.slices.planes import grid, plane_scan
from problems.networks.mlp import MLP

SOURCE = "arXiv:1712.09913"
KINDS = {"plain": (False, False), "skip": (True, False), "norm only": (False, True),
         "skip + norm": (True, True)}
COLOURS = {"plain": "0.35", "skip": "#3b6fb6", "norm only": "#e08a1e", "skip + norm": "#b5123e"}


def network(kind, depth, data, activation="tanh"):
    """A 10-32-...-32-5 network; gain 1.5 without skip and 1 with it, He for ReLU."""
    skip, norm = KINDS[kind]
    rule, gain = ("he", 1.0) if activation == "relu" else ("normal", 1.0 if skip else 1.5)
    sizes = (10, *[32] * depth, 5)
    return Network(MLP(sizes, activation, rule, skip=skip, norm=norm, gain=gain), data)


def run(args, report):
    depths, seeds, steps = ((2, 8), 3, 100) if args.quick else ((2, 8, 16, 24), 18, 300)
    ends = depths[0], depths[-1]
    rng = np.random.default_rng(args.seed)
    x, labels = gaussian_clusters(rng, gaussian_centres(rng), 400)
    data = xp.asarray(x), xp.asarray(labels)
    picks = [xp.asarray(rng.integers(0, 400, 64)) for _ in range(steps)]
    batches = [(data[0][pick], data[1][pick]) for pick in picks]
    sharpness, loss, trained = {}, {}, {}
    for k, (kind, depth) in enumerate((kind, depth) for kind in KINDS for depth in depths):
        report.progress(f"{kind}, {depth} layers", (k + 0.1) / (4 * len(depths) + 4))
        problem = network(kind, depth, data)
        count = seeds if depth in ends else 3
        starts = [problem.start(np.random.default_rng([args.seed, s])) for s in range(count)]
        sharpness[kind, depth] = [top_curvature(problem, w, rng, m=20).value for w in starts]
        points = train(problem, SGD(0.02, momentum=0.9), batches, rng=rng, epochs=1,
                       theta=xp.stack(starts[:3]), progress=None).theta
        loss[kind, depth] = np.median(to_host(Objective(problem).value(points)))
        trained[kind] = problem, points[0]
    report.table(["layers", *KINDS], [[depth, *(f"{np.median(sharpness[kind, depth]):.3g} / "
                 f"{loss[kind, depth]:.2g}" for kind in KINDS)] for depth in depths],
                 title=f"lambda_max at the start / loss after {steps} momentum steps, medians")

    relu = {}
    for kind in ("plain", "skip"):
        problem = network(kind, ends[1], data, "relu")
        report.progress(f"{kind}, {ends[1]} layers, ReLU")
        relu[kind] = [top_curvature(problem, problem.start(np.random.default_rng([args.seed, s])),
                                    rng, m=20).value for s in range(seeds)]
    claim_growth(report, sharpness, relu, ends, seeds)

    planes, ratio = {}, {}
    for kind, (problem, theta) in trained.items():
        report.progress(f"slice of the trained network, {kind}")
        pair = random_pair(theta, problem.layout, np.random.default_rng(args.seed))
        span = grid(count=7 if args.quick else 17)
        planes[kind] = plane_scan(Objective(problem), theta, *pair[:2], span)
        ratio[kind] = curvature_map(problem, theta, *pair[:2], rng, [-1, 0, 1], [0], m=10).ratio
    report.table(["trained, deepest", "at d1 = -1", "0", "1", "loss"],
                 [[kind, *ratio[kind][0], planes[kind].centre] for kind in KINDS],
                 title="|lambda_min / lambda_max| of the whole Hessian along the slice")
    report.data.update(lambda_max=sharpness, loss=loss, relu=relu, ratio=ratio, planes={
        kind: dict(alphas=plane.alphas, heights=plane.heights) for kind, plane in planes.items()})
    if report.plotting:
        draw(report, depths, sharpness, planes)


def claim_growth(report, sharpness, relu, ends, seeds):
    """How lambda_max grows from the shallow to the deep network of each kind."""
    growth = {kind: np.divide(sharpness[kind, ends[1]], sharpness[kind, ends[0]]) for kind in KINDS}
    deep = f"lambda_max at {ends[1]} layers / at {ends[0]} layers"
    asked = dict(origin="ours", where="small networks at the start; the paper shows pictures and "
                 "errors of trained residual ones", how=f"95 % t of logarithms, n = {seeds} starts",
                 quick=False)
    first = "between 2.6 and 63, the ratios of a first run with three starts"
    report.claim(f"skip + norm: {deep}", *ratio_interval(growth["skip + norm"]), at_most=4.0,
                 why=first, **asked)
    report.claim(f"plain: {deep}", *ratio_interval(growth["plain"]), at_least=10.0, why=first,
                 **asked)
    report.claim("norm alone does not smooth: its lambda_max outgrows the plain network's (ratio "
                 "of the two growths)", *ratio_interval(growth["norm only"], growth["plain"]),
                 above=1.0, **asked)
    report.claim("skip alone does not smooth: with ReLU, deepest, its lambda_max / the plain one's",
                 *ratio_interval(relu["skip"], relu["plain"]), above=1.0, **asked)


def draw(report, depths, sharpness, planes):
    figure, axes = report.subplots(2, 4, figsize=(10.5, 6.4), height_ratios=(3, 2))
    cells = axes[1, 0].get_gridspec()
    left, right = figure.add_subplot(cells[0, :2]), figure.add_subplot(cells[0, 2:])
    for ax in axes[0]:
        ax.remove()
    for kind, colour in COLOURS.items():
        low, middle, high = ([f(sharpness[kind, L]) for L in depths] for f in (min, np.median, max))
        left.fill_between(depths, low, high, color=colour, alpha=0.15, linewidth=0)
        left.semilogy(depths, middle, "-o", color=colour, markersize=4, label=kind)
        line = planes[kind].heights[len(planes[kind].betas) // 2]
        right.semilogy(planes[kind].alphas, np.maximum(line, 1e-6), color=colour)
    left.set(xlabel="hidden layers", ylabel="largest Hessian eigenvalue at the start",
             xticks=depths, title="Only skip and norm together are indifferent to depth")
    right.set(xlabel="filter-normalised step from the trained network", ylabel="training loss",
              title=f"Trained with {depths[-1]} layers: lines (above) and planes (below)")
    left.legend(fontsize=8)
    levels = plots.log_levels([np.maximum(plane.heights, 1e-3) for plane in planes.values()], 30)
    for ax, (kind, plane) in zip(axes[1], planes.items()):
        filled = plots.contours(ax, plane, levels, labels=False)
        plots.centre(ax)
        ax.set_title(kind, color=COLOURS[kind])
        ax.set(xlabel="", ylabel="", xticks=(-1, 0, 1), yticks=(-1, 0, 1), aspect="equal")
    plots.colour_bar(list(axes[1]), filled)
    report.figure(figure)
