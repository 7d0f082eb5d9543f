"""The landscapes, and four methods at one budget: as many gradients, counted by point, for each."""
import numpy as np

import minigrad as mg
from minigrad.backend import to_host, xp
from optim import SGD, Objective, cosine
from problems.landscape import (NEB, BezierCurve, FourierPathFinder, Spline, Straight, StringMethod,
                                height, straight_band, train_curve)
from problems.potentials import (CurvedWell, DoubleWell, EggBox, Embedded, MuellerBrown, NeuronSwap,
                                 OneNeuron, Ring, ThreeHole, TiltedRing, TiltedWell, Toy,
                                 WolfeQuapp)

LANDSCAPES = {
    "Mueller-Brown A-C": (MuellerBrown(), "A-C"), "Mueller-Brown B-C": (MuellerBrown(), "B-C"),
    "double well": (DoubleWell(), "across"), "tilted well": (TiltedWell(), "across"),
    "curved well": (CurvedWell(), "round the bend"),
    "curved well, 4-D": (CurvedWell(10.0, (1.0, -0.5, 2.0)), "round the bend"),
    "ring": (Ring(), "half round"), "tilted ring": (TiltedRing(), "half round"),
    "Rastrigin diagonal": (EggBox(), "2 of 2"),
    "Wolfe-Quapp": (WolfeQuapp(), "by the third minimum"),
    "three holes": (ThreeHole(), "by the upper minimum"), "toy of the paper": (Toy(), "figure 3"),
    "one neuron": (OneNeuron(), "sign"), "two neurons": (NeuronSwap(), "swap"),
    "Mueller-Brown, 50-D": (Embedded(MuellerBrown(), 50, np.random.default_rng(0)), "A-C")}
METHODS = ("band", "string", "Bezier", "Fourier")
IMAGES = 20                                             # that move, of bands and strings


class Diverged:
    """What stands for the height of a path that ran away."""

    highest = np.inf


def equal_budget(potential, route, budget, seed):
    """{method: (path, Height)} of the four methods after `budget` gradients each."""
    ends, rng = potential.ends(route), np.random.default_rng(seed)
    lr = 0.8 / steepest(potential, ends)
    steps, found = budget // IMAGES, {}
    for name, method in (("band", NEB()), ("string", StringMethod())):
        try:
            with np.errstate(all="ignore"):
                band = method.relax(Objective(potential), straight_band(*ends, IMAGES + 2),
                                    SGD(lr=lr), steps - 1)
            found[name] = (Spline(band.images), band.measured)
        except RuntimeError:
            found[name] = (Straight(*ends), Diverged)
    curve, _ = train_curve(BezierCurve(*ends), Objective(potential), SGD(lr=cosine(lr, budget)),
                           budget, rng)
    found["Bezier"] = (curve, height(potential, curve, 501))
    starts, points = 4, 32                              # and no candidates: all goes into descent
    fourier = FourierPathFinder(starts=starts, points=points, candidates=1, places=501,
                                steps=budget // (starts * points))
    best = fourier.find(potential, *ends, rng)
    found["Fourier"] = (best.path, best.height)
    return found


def steepest(potential, ends):
    """The largest curvature in size at 11 points of the straight line: power of H by eigvalsh."""
    top = 0.0
    for point in Straight(*ends)(xp.linspace(0.0, 1.0, 11)):
        product = mg.hvp(potential.loss, point)
        H = np.stack([to_host(product(e)) for e in xp.eye(len(point))])
        top = max(top, float(abs(np.linalg.eigvalsh(0.5 * (H + H.T))).max()))
    return top
