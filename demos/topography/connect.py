"""How high the way between two networks rises: by our path finder, and by the paper's as coded."""
import numpy as np

from problems.landscape.paths.fourier_path import FourierPathFinder
from problems.landscape.paths.path import Straight, height
from problems.landscape.paths.published_path import PublishedPath

PLACES = 61                     # at which a path between networks is measured, before refinement


def connect(objective, a, b, seed, quick=False, straight=False):
    """Heights above the higher end, and their kin: {"straight", "path", "H", "chord", "length"}.

    Six modes, 24 points, 400 steps from two small random curves; the straight line where neither is
    lower. `straight`: that line alone.
    """
    line = height(objective, Straight(a, b), points=PLACES)
    if straight:
        return {"straight": line.above_higher}
    finder = FourierPathFinder(K=6, starts=2, steps=60 if quick else 400, points=24, candidates=1,
                               amplitudes=(0.02, 0.1), elastic=(1e-2, 1e-3), places=PLACES)
    found = finder.find(objective, a, b, np.random.default_rng([seed, 5]))
    return {"straight": line.above_higher, "path": found.height.above_higher,
            "H": found.height.highest, "chord": found.height.above_chord,
            "length": found.height.length / max(line.length, 1e-300),
            "gradients": found.gradients}


def connect_as_coded(objective, a, b, points, steps, seed):
    """H of the sampled straight line and of the paper's finder as coded for networks, and the higher
    end: {"straight", "path", "ends"}."""
    line = height(objective, Straight(a, b), points=points, tolerance=None)
    found = PublishedPath.coded_for_networks(points=points, steps=steps).find(objective, a, b)
    return {"straight": line.highest, "path": min(found.height, line.highest),
            "ends": max(line.ends)}
