"""What a hyper-parameter may be, and in which range.

A hyper-parameter is one number for all points, or an array of shape (n, 1), one row for each of the
n points of a batch (n, d): that is how a sweep over n configurations becomes one run. The learning
rate may also be a schedule, a function of the number of steps done (see `schedules.py`).
"""
import copy

import numpy as np

from minigrad.backend import to_host, xp

RANGES = {
    "lr": "[0, inf)", "decay": "[0, inf)", "xi": "[0, inf)", "eps": "(0, inf)",
    "rho": "[0, inf)", "eta": "[0, inf)",
    "q": "(-inf, inf)", "c": "(0, inf)", "b0": "(0, inf)", "growth": "[1, inf)",
    "share": "(0, 1]",
    "momentum": "[0, 1)", "dampening": "[0, 1)",
    "beta": "[0, 1)", "beta1": "[0, 1)", "beta2": "[0, 1)", "beta_rms": "[0, 1)",
}


AHEAD = 100                     # steps whose sums of weights are worked out together


class Distinct:
    """An array (n, 1) of β as values[places]. Of what a grid holds few of, the sums of weights

        c = 1 + β + ... + β^(t-1) = (1 - β^t) / (1 - β)

    of many steps are worked out together: a step of a sweep has little else to do."""

    def __init__(self, values, places):
        self.values, self.places, self.first, self.sums = values, places, 0, ()

    @classmethod
    def of(cls, a):
        values, places = xp.unique(a, return_inverse=True)
        return cls(values, places.reshape(a.shape))

    def rows(self, rows):
        """The same for these rows alone."""
        other = copy.copy(self)
        other.places = self.places[rows]
        return other

    def weight_sum(self, t, root=False):
        """c (n, 1) at step t = 1, 2, ...; or √c."""
        if not self.first <= t < self.first + len(self.sums):
            steps = xp.arange(t, t + AHEAD, dtype=self.values.dtype)[:, None]
            self.first, self.sums = t, (1.0 - self.values**steps) / (1.0 - self.values)
            self.roots = self.sums**0.5
        return (self.roots if root else self.sums)[t - self.first].take(self.places)


def checked(owner, name, value, kind=None):
    """The hyper-parameter as a Python float or an array (n, 1), after comparing it with its range.

    owner   name of the optimizer, for the message
    kind    the name whose range holds, where it is not `name`; one not listed: any finite number
    Raises  ValueError naming the argument, the range and the first value outside it;
            TypeError for what is not a number
    """
    host = np.asarray(to_host(value) if isinstance(value, xp.ndarray) else value)
    if host.dtype.kind not in "fiu":
        raise TypeError(f"{owner}: {name} must be a number or an array (n, 1), got {value!r}.")
    if host.ndim and host.shape[-1] != 1:
        raise ValueError(f"{owner}: {name} has shape {host.shape}. Give one number, or an array "
                         "(n, 1) with a row for each of n points.")
    interval = RANGES.get(kind or name, "(-inf, inf)")
    outside = host.ravel()[~inside(host.ravel(), interval)]
    if outside.size:
        raise ValueError(f"{owner}: {name} must lie in {interval}, got {outside[0]}.")
    return xp.asarray(value) if host.ndim else float(host)


def inside(values, interval):
    """True where values lie in an interval such as "[0, 1)"; never for NaN."""
    low, high = (float(end) for end in interval[1:-1].split(","))
    above = values >= low if interval[0] == "[" else values > low
    return above & (values <= high if interval[-1] == "]" else values < high)
