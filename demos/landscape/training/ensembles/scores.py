"""What a forecast is worth: accuracy, nats, calibration, and the nats left at its best temperature.

Networks that were trained too long are sure of what they have learnt by heart, and any averaging
makes them less so. Part of what an ensemble gains could then be had for nothing, by dividing the
logarithms of the probabilities by one temperature T that held-out data choose:

    p_c -> p_c^(1/T) / Σ_c' p_c'^(1/T)

So the loss is compared with and without it (Ashukha et al. 2020, arXiv:2002.06470).
"""
import numpy as np

from minigrad.backend import to_host, xp
from problems.evaluation import calibration_error

QUANTITIES = ("accuracy", "loss", "ECE", "loss at T")
TEMPERATURES = np.geomspace(0.4, 6.0, 55)
FLOOR = 1e-300


def score(tested, labels, held, held_labels):
    """(accuracy, nats, calibration error, nats at the temperature that held-out data choose).

    tested, held   probabilities (N, C) on the data to report and on the data to choose with
    """
    labels = to_host(labels)
    log_p, log_held = (np.log(np.maximum(to_host(p), FLOOR)) for p in (tested, held))
    T = min(TEMPERATURES, key=lambda T: nats(log_held / T, to_host(held_labels)))
    return (float((log_p.argmax(axis=1) == labels).mean()), nats(log_p, labels),
            calibration_error(tested, xp.asarray(labels)), nats(log_p / T, labels))


def nats(log_p, labels):
    """Mean of -log of the probability at the label, of log_p made to sum to 1 again."""
    top = log_p.max(axis=1)
    total = np.log(np.exp(log_p - top[:, None]).sum(axis=1)) + top
    return float((total - log_p[np.arange(len(labels)), labels]).mean())


def posterior(inputs, centres, noise, classes):
    """The true probabilities (N, C) of labels k mod C of Gaussian clusters k: nothing is better."""
    x = to_host(inputs)
    log_p = -((x[:, None] - centres)**2).sum(axis=-1) / (2 * noise**2)
    p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return xp.asarray(np.stack([p[:, c::classes].sum(axis=1) for c in range(classes)], axis=1))
