"""A model linear in its parameters has one minimum, no saddle and one rate; it fits worse.

Question   what of the difficulty of a network's landscape is the network's doing, and what does
           one lose who leaves it out?
Expected   softmax regression with a ridge: every Hessian is at least the ridge, all starts end at
           one point, to rounding. A hidden layer more, on the same data with the same ridge:
           negative curvature on the way, a saddle where all weights are 0, starts end at different
           heights. What the twin lacks is accuracy. Least squares descends at .99 and diverges at
           1.01 times 2/lambda_max, if its start has a part along the top eigenvector. In a ball,
           the multiplier of the wall is the ridge, and its price.
Time       about 40 s; --quick 4 s.
Source     Boyd & Vandenberghe 2004, Convex Optimization, sections 4.2.2 (one minimum) and 5.5.3
           (multipliers); Nocedal & Wright 2006, sections 4.3 and 12.3. The data: 1000 points of
           ten-dimensional Gaussian clusters, three clusters a class; networks 10-5 and 10-8-5.

Convexity is proven, not measured: what is tried here is whether the tools see it, from far away and
close by, and how different the network is. The Hessian of least squares is one matrix; that of
softmax regression moves, twofold on the way from far starts, but below a bound that is known
beforehand, and a rate below 2 over that bound is safe everywhere. The ends of the network are
minima, not places where the search gave up (|g| < 1e-8). One run is one data set. How much the twin
loses depends on the data: here each class is three clouds, which no plane parts from the rest.

Revised after first results: lambda_max was asked to be larger on the way than at the start, which
stayed undecided (1.09 in [.95, 1.26]): it moves in both directions. Now its largest and smallest
value on one way are compared. That is close to the bar of 2 (1.8 to 1.9 on seeds 1 and 2, and
undecided): a network this small, under a ridge, sharpens little. The other verdicts are the same
on seeds 0, 1 and 2.
"""
import numpy as np

from demos.evidence import ratio_interval, t_interval
from demos.landscape.training.convex_twin import twins
from demos.landscape.training.convex_twin.picture import draw

SOURCE = "Boyd & Vandenberghe 2004"
SHARES = {"touched": 0.5, "not touched": 2.0}           # radius / length of the free minimum


def measure(seed, starts, steps, rate_steps):
    """Everything about one data set, as a dict."""
    rng = np.random.default_rng([seed, 7] if np.ndim(seed) == 0 else [*seed, 7])
    twin, network, squares, data = twins.landscapes(seed)
    ways = {"twin": twins.follow(twin, twins.twin_starts(twin, starts, rng), rng, steps),
            "network": twins.follow(network, [network.start(rng) for _ in range(starts)], rng,
                                    steps)}
    apart, ends = twins.one_minimum(twin, ways["twin"].ends)
    points = [*twins.twin_starts(twin, 2 * starts, rng), *ways["twin"].ends]
    rates, top = twins.one_rate(squares, rng, rate_steps)
    return dict(ways=ways, apart=apart, curvature=twins.twin_curvature(twin, points),
                places=len(points), saddle=twins.saddle(network), rates=rates, top=top,
                walls={name: twins.walled(squares, share) for name, share in SHARES.items()},
                accuracy=[twins.test_accuracy(twin, ends, data),
                          twins.test_accuracy(network, ways["network"].ends, data)],
                squares=squares)


def run(args, report):
    sets, starts, steps, rate_steps = (2, 3, 400, 200) if args.quick else (8, 8, 3000, 400)
    found = []
    for k in range(sets):
        report.progress(f"data set {k + 1}", (k + 0.1) / sets)
        found.append(measure([args.seed, k] if k else args.seed, starts, steps, rate_steps))
    runs = f"{sets} data sets of {starts} starts"
    tell(report, found, runs)
    claim_twin(report, found, runs)
    claim_network(report, found, runs)
    claim_rate(report, found)
    claim_walls(report, found)
    report.data.update(ridge=twins.RIDGE, places=twins.PLACES, sets=[
        {key: (value if key not in ("saddle", "walls", "ways") else None)
         for key, value in f.items() if key != "squares"}
        | dict(saddle=f["saddle"]._asdict(),
               walls={name: wall._asdict() for name, wall in f["walls"].items()},
               ways={name: way._replace(losses=way.losses[:1], ends=None)._asdict()
                     for name, way in f["ways"].items()}) for f in found])
    if report.plotting:
        draw(report, found[0])


def tell(report, found, runs):
    rows = []
    for k, name in enumerate(("twin", "network")):
        ways = [f["ways"][name] for f in found]
        rows.append([name, 100 * np.median([f["accuracy"][k] for f in found]),
                     np.median([w.final.min() for w in ways]),
                     np.median([w.final.max() / w.final.min() for w in ways]),
                     np.median([w.lowest.min() for w in ways]), np.median([moves(w) for w in ways]),
                     np.median([w.slopes.max() for w in ways])])
    report.table(["landscape", "acc. %", "least end", "high/least", "lambda_min", "max/min",
                  "|g| at ends"], rows, title=f"Medians over {runs}; least lambda_min and "
                 "largest / smallest lambda_max on the way")
    report.table(["ball", "multiplier", "price", "stationarity", "primal", "dual", "complement.",
                  "from projected"],
                 [[name, wall.multiplier, wall.price, *wall.kkt, wall.apart]
                  for name, wall in found[0]["walls"].items()],
                 title="Least squares in a ball, first data set: KKT residuals, and the distance "
                       "to the point that projected descent finds")


def moves(way):
    """Largest / smallest lambda_max on one way down, the median over the starts."""
    return np.median(way.highest.max(axis=1) / way.highest.min(axis=1))


# ---------------------------------------------------------------------- claims

def claim_twin(report, found, runs):
    places = sum(f["places"] for f in found)
    dense = dict(origin="ours", where="softmax regression with a ridge, clusters",
                 how=f"exact: whole Hessians at {places} points near and far, no interval")
    report.claim("the twin has no saddle: lambda_min / the ridge, least over all points",
                 min(f["curvature"][0] for f in found), at_least=1.0 - 1e-9,
                 why="1 in exact arithmetic, less the rounding of an eigenvalue", **dense)
    report.claim("one rate serves it everywhere: lambda_max / (ridge + lambda_max(X'X/N) / 2), "
                 "largest over all points", max(f["curvature"][1] for f in found), at_most=1.0,
                 **dense)
    report.claim("one minimum: distance of two ends / their length, largest of all starts and sets",
                 max(f["apart"] for f in found), at_most=1e-10, origin="ours",
                 where="the same, from starts of lengths that differ 300-fold",
                 how=f"exact: the largest over {runs}, no interval",
                 why="rounding, times the condition number of some 1000")


def claim_network(report, found, runs):
    asked = dict(origin="ours", where="the same data and ridge, one hidden layer", quick=False)
    ways = [f["ways"]["network"] for f in found]
    report.claim("the network curves downwards on its way: lambda_min by Lanczos, its residual "
                 "added", *t_interval([w.lowest.min() for w in ways]), below=0.0,
                 how=f"95 % t, {runs}", **asked)
    report.claim("the twin does not, by the same search", min(
        (f["ways"]["twin"].lowest.min() for f in found)), above=0.0, origin="ours",
        where="softmax regression with a ridge, clusters",
        how=f"the least over {runs}: one Lanczos run a place, residual added, no interval")
    report.claim("the network's starts end at different heights: highest / least end of a set",
                 *ratio_interval([w.final.max() / w.final.min() for w in ways]), at_least=1.01,
                 how=f"95 % t of logarithms, {runs}",
                 why="1 %: the ends are known to some 1e-12, so any less would show too", **asked)
    report.claim("it has a saddle where all weights are 0: the index there, least of the sets",
                 min(f["saddle"].index if f["saddle"].converged else 0 for f in found), at_least=1,
                 origin="ours", where="the same network, tanh(0) = 0",
                 how="exact: the whole Hessian at one point a data set")
    report.claim("no one rate is right all the way: lambda_max, largest / smallest on one way",
                 *ratio_interval([moves(w) for w in ways]), at_least=2.0,
                 how=f"95 % t of logarithms, {runs}, medians of the starts",
                 why="the rate 1/lambda_max of one place is then the stability limit of another",
                 **asked)
    gain = [100 * (f["accuracy"][1] - f["accuracy"][0]) for f in found]
    report.claim("what is lost: test accuracy of the network - the twin's", *t_interval(gain),
                 above=0.0, unit="points", how=f"95 % t of pairs, {runs}", **asked)


def claim_rate(report, found):
    exact = dict(origin="ours", where="least squares on the same data",
                 how=f"exact: one deterministic run for each of {len(found)} data sets")
    runs = [f["rates"] for f in found]
    report.claim("at .99 of 2/lambda_max every step goes down: largest excess loss / the one "
                 "before", max((r["below"][1:] / r["below"][:-1]).max() for r in runs), below=1.0,
                 **exact)
    report.claim("at 1.01 of it descent diverges: least excess loss at the end / at the start",
                 min(r["above"][-1] / r["above"][0] for r in runs), above=1.0, **exact)
    report.claim("by 1.02 a step along the top eigenvector: largest distance of the last steps' "
                 "growth of the excess loss from 1.02^2",
                 max(abs(r["above"][-1] / r["above"][-2] - 1.02**2) for r in runs),
                 at_most=1e-6, why="other directions have faded by then; rounding", **exact)
    report.claim("unless the start has no part along it: largest excess loss at the end / at the "
                 "start", max(r["without"][-1] / r["without"][0] for r in runs), below=1.0, **exact)


def claim_walls(report, found):
    walls = [wall for f in found for wall in f["walls"].values()]
    exact = dict(origin="ours", where="least squares in balls of half and twice the free length",
                 how=f"exact: the largest of {len(walls)} problems, no interval")
    report.claim("the wall binds in the small ball and not in the large one: share of problems",
                 np.mean([wall.active == (wall.share < 1) for wall in walls]), equals=1.0, **exact)
    report.claim("multiplier and point are right: largest KKT residual",
                 max(wall.kkt.worst for wall in walls), at_most=1e-8,
                 why="a multiplier wrong by one part in a million would show", **exact)
    report.claim("projected descent, which knows of no multiplier, finds the same point: largest "
                 "relative distance", max(wall.apart for wall in walls), at_most=1e-8,
                 why="it stops when it stands still to rounding", **exact)
    report.claim("the multiplier is what the wall costs: largest |d(minimum)/d(r^2/2) + multiplier|"
                 " / multiplier", max(abs(wall.price - wall.multiplier) / wall.multiplier
                                      for wall in walls if wall.active), at_most=1e-6,
                 why="the error of the central difference", **exact)
