"""The loss surface of a trained network, with what its pictures show and what they hide.

Question   what does a plane through a trained network say about the landscape around it?
Expected   filter-normalised, a bowl whose centre is the network's loss to the last digit. But: the
           plane of a run's two main directions holds more of the movement than a random walk's only
           if it beats 90 %; the loss at an iterate is not the plane's loss under it; and a random
           direction sees tr(H)/d, not lambda_max, so random planes look flat.
Time       about 20 s (mlp), 40 s (cnn), 30 s (transformer); --quick 5 s.
Source     Li et al. 2018, arXiv:1712.09913; the walk: Antognini & Sohl-Dickstein 2018,
           arXiv:1806.08805.

--model mlp (784-64-64-10), cnn, transformer; --data names the set (default: real data where they
are found, generated ones otherwise); --checkpoint draws around a point saved by `train` instead.
Heights are taken in float32, curvature in float64. No dropout, no noise: the loss is a function.
The claims are about one network, as its pictures are; intervals are over random walks and probes.
Revised after first results: one walk became five, one random direction the mean over all of them.
"""
import argparse
import time

import numpy as np

from demos.landscape.loss_surface import pictures
from demos.landscape.loss_surface.measures import curvature, travel
from demos.landscape.loss_surface.networks import QUICK, SIZES, trained
from optim import Objective
from problems.landscape import grid, plane_scan, random_pair

SOURCE = "arXiv:1712.09913"
DTYPE = "float32"


def odd(text):
    """An odd number of at least 3: a grid with a centre."""
    if not text.isdigit() or int(text) < 3 or int(text) % 2 == 0:
        raise argparse.ArgumentTypeError(f"must be an odd number from 3 on, got {text}")
    return int(text)


def arguments(parser):
    parser.add_argument("--model", choices=("mlp", "cnn", "transformer"), default="mlp")
    parser.add_argument("--checkpoint", metavar="FILE", help="draw around the point saved there")
    parser.add_argument("--points", type=odd, metavar="N",
                        help="points along each side of the plane, odd (51, 21 or 25)")


def run(args, report):
    size = (QUICK if args.quick else SIZES)[args.model]
    points = args.points or size.points
    network = trained(args, size, report.progress)
    problem, theta = network.problem, network.theta
    objective, rng = Objective(problem), np.random.default_rng([args.seed, 1])
    report.note(f"{args.model}, {theta.size} parameters, {len(problem.data[0])} examples of "
                f"{network.about}: loss {float(objective.value(theta)):.4g}.")

    report.progress("the filter-normalised plane")
    pair = random_pair(theta, problem.layout, rng)
    before, began = theta.copy(), time.process_time()
    plane = plane_scan(objective, theta, pair.d1, pair.d2, grid(count=points))
    seconds = time.process_time() - began
    middle = points // 2
    exact = dict(origin="ours", where="this plane", how="exact: the same numbers must come back")
    report.claim("the centre of the plane is the network's loss (relative difference)",
                 abs(plane.heights[middle, middle] / plane.centre - 1.0), at_most=1e-12,
                 why="the same sum at the same point", **exact)
    report.claim("the network is untouched (entries changed)", int((theta != before).sum()),
                 equals=0, **exact)
    if args.model == "mlp" and points == 51:
        report.claim("processor seconds for 51 x 51 points over 2,000 images", seconds,
                     at_most=20.0, unit="s", origin="ours", where="this machine",
                     how="one measurement of processor time", why="short enough to wait for")
    report.data["data"] = network.about
    report.data["plane"] = dict(alphas=plane.alphas, heights=plane.heights, seconds=seconds,
                                cosine=pair.cosine)
    walked = None
    if network.iterates is not None:
        walked = travel(report, network, objective, rng, size)
    curved = curvature(report, problem, theta, rng, size)
    if report.plotting:
        pictures.plane(report, args.model, plane)
        if walked:
            pictures.trajectory(report, *walked)
        pictures.curvature(report, *curved)
