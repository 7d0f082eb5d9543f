"""What the pictures show and hide: the plane of a run, and the directions of curvature."""
import math

import numpy as np

from demos.evidence import LEAST, quantile_of, t_interval
from minigrad.backend import to_host, xp
from optim import Objective
from problems import Network
from problems.landscape import (HessianOp, curvature_map, eigen_directions, grid, line_scan,
                                pca_directions, plane_scan, project, random_pair, random_walk,
                                random_walk_share, trace)
from problems.landscape.student import t_quantile


def travel(report, network, objective, rng, size):
    """The plane of the run's two main directions, what it holds and what it misses."""
    iterates = network.iterates.astype("float64")
    T, d = iterates.shape
    pca = pca_directions(iterates)
    seen = project(iterates, pca.origin, pca.directions)
    walks = [pca_directions(random_walk(T, d, rng)).explained for _ in range(5)]
    walk = np.mean(walks, axis=0)
    pair = random_pair(network.theta, network.problem.layout, rng, norm="none", ignore=())
    by_chance = project(iterates, pca.origin, xp.stack(pair[:2]).astype("float64"))
    length = np.sqrt((to_host(iterates - pca.origin) ** 2).sum(axis=1))
    missed = (by_chance.distances**2).sum() / (length**2).sum()
    report.table(["plane", "first", "second", "together"], [
        ["the run's", *pca.explained, sum(pca.explained)],
        [f"a random walk's, {T} steps", *walk, sum(walk)],
        ["a long walk's, limit", *(random_walk_share(k) for k in (1, 2)),
         sum(random_walk_share(k) for k in (1, 2))],
        ["two random directions", None, None, 1.0 - missed]],
        title="Share of the movement, seen from the last point, that lies in a plane")
    report.claim("the run's plane holds more than the plane of a random walk with as many steps "
                 "(difference of the shares)", *t_interval([sum(pca.explained) - sum(w)
                                                            for w in walks]), above=0.0,
                 origin="ours", where="this run; the walk as baseline: arXiv:1806.08805",
                 how=f"95 % t over n = {len(walks)} walks; one run")

    report.progress("the plane of the run")
    low, high = seen.coordinates.min(axis=0), seen.coordinates.max(axis=0)
    room = 0.15 * (high - low).max()
    a, b = (grid(low[k] - room, high[k] + room, min(size.points, 25)) for k in (0, 1))
    V = pca.directions.astype("float32")
    plane = plane_scan(objective, network.theta, V[0], V[1], a, b)
    true = to_host(objective.value(network.iterates))
    shadow = network.theta + xp.asarray(seen.coordinates, dtype="float32") @ V
    below = to_host(objective.value(shadow))
    report.claim("the loss at an iterate is not the plane's loss under it (largest relative gap)",
                 float(np.abs(true / below - 1.0).max()), at_least=1e-3,
                 origin="ours", where="this run",
                 how="exact: two evaluations at every iterate", why="far above rounding in float32")
    report.data["trajectory"] = dict(explained=pca.explained, walk=walk, loss=true, plane=below,
                                     distance=seen.distances, steps=network.steps)
    return plane, seen, network.steps, true, below


def curvature(report, problem, theta, rng, size):
    """Directions of curvature beside a random one, in float64; the convexity map, in float32."""
    exact = Network(problem.model, problem.data)
    objective, w = Objective(exact), theta.astype("float64")
    report.progress("directions of curvature")
    (top, bottom, _), (lam_max, lam_min) = eigen_directions(objective, w, rng, "ends", size.lanczos)
    chance = xp.asarray(rng.standard_normal(w.size))
    chance = chance / xp.linalg.norm(chance)
    h = 1e-3
    heights = [to_host(objective.value(w + a * v)) for v in (top, chance) for a in (-h, 0.0, h)]
    along_top, along_chance = (heights[k] - 2.0 * heights[k + 1] + heights[k + 2] for k in (0, 3))
    mean = trace(HessianOp(objective, w), size.probes, "hutchinson", rng=rng)
    report.table(["direction", "second difference of the loss", "expected"], [
        ["top eigenvector", along_top / h**2, f"{lam_max:.4g} = lambda_max"],
        ["random unit vector", along_chance / h**2,
         f"{mean.estimate / w.size:.2g} +- {mean.stderr / w.size:.1g} = tr(H)/d"]])
    report.claim("along the top eigenvector the loss curves by lambda_max (ratio)",
                 along_top / h**2 / lam_max, equivalent=(1.0, 0.01), origin="ours",
                 where="this network", how="exact up to rounding of a second difference",
                 why="h = 1e-3: third and fourth derivatives enter with h^2")
    report.claim("along random unit vectors it is flat: lambda_max / the mean curvature there",
                 *reciprocal(lam_max, mean.estimate / w.size, mean.stderr / w.size, size.probes),
                 at_least=10.0, origin="ours", where="this network; the mean is tr(H)/d",
                 how=f"95 % t, n = {size.probes} probes of the trace",
                 why="a picture shows no tenth", quick=False)
    radius = (2.0 / lam_max) ** 0.5                 # where the quadratic has risen by 1
    alphas = grid(-2.0 * radius, 2.0 * radius, 31)
    lines = {name: line_scan(objective, w, v, alphas) for name, v in
             (("top eigenvector", top), ("bottom eigenvector", bottom), ("random", chance))}
    pair = random_pair(theta, problem.layout, rng)
    report.progress("the map of lambda_min / lambda_max")
    span = grid(count=size.map)
    convexity = curvature_map(problem, theta, pair.d1, pair.d2, rng, span, m=10)
    report.table(["point", "lambda_min", "lambda_max"], [["the network", lam_min, lam_max]])
    report.data["curvature"] = dict(lam_max=lam_max, lam_min=lam_min, ratio=convexity.ratio,
                                    trace=[mean.estimate, mean.stderr])
    return lines, lam_max, lam_min, convexity


def reciprocal(top, mean, error, n):
    """top / mean with its interval, for a mean with its standard error over n probes."""
    if n < LEAST:
        return top / mean, 0.0, math.inf
    width = t_quantile(quantile_of(1), n - 1) * error
    low, high = mean - width, mean + width
    return top / mean, top / high if high > 0 else math.inf, top / low if low > 0 else math.inf
