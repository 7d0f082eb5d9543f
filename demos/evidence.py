"""How sure is a median, or a ratio of two, when only a few runs stand behind it?"""
import numpy as np


def ratio_of_medians(rng, above, below, draws=2000):
    """median(above) / median(below) with a 95 % interval: (ratio, low, high).

    The runs of both sides are drawn again with replacement `draws` times (percentile bootstrap;
    Efron 1979). With below = [1.0] it is the interval of a median.
    """
    above, below = np.asarray(above, float), np.asarray(below, float)
    ratios = (np.median(above[rng.integers(0, len(above), (draws, len(above)))], axis=1)
              / np.median(below[rng.integers(0, len(below), (draws, len(below)))], axis=1))
    low, high = np.quantile(ratios, (0.025, 0.975))
    return float(np.median(above) / np.median(below)), float(low), float(high)
