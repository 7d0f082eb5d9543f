"""Early stopping: keep the point where a watched score was lowest, and stop when it stays worse.

    watch = EarlyStopping(patience=15, least=1e-4)
    for t, theta, loss, state in descent(method, objective, theta, steps=500):
        if watch.look(validation_loss(theta), theta, t):
            break
    watch.theta, watch.score, watch.step

The score must come from data that neither trained the point nor judges it afterwards: the lowest of
many test losses is lower than the test loss of a point that was chosen without it.

Source: Prechelt 1998, Early stopping - but when?, in Neural Networks: Tricks of the Trade.
"""
import math

from minigrad.arguments import short, whole_number
from minigrad.kinds import expects, extended


def interval(where, name, value):
    """A number of looks, or None."""
    if (whole_number(value) or 0) < 1:
        raise ValueError(f"{where}: {name} must be a whole number >= 1, or None, got "
                         f"{short(value)}.")
    return whole_number(value)


class EarlyStopping:
    """The best point of a run so far.

    patience   looks without improvement after which to stop; None: only keep the best
    least      an improvement smaller than this does not count for the patience; the best is kept
               whatever it gains

    theta, score, step   where the score was lowest: the point, its score, and when
    stopped              the patience is used up; later looks change nothing
    """

    @expects(patience=interval, least=extended)
    def __init__(self, patience=None, least=0.0):
        if not 0 <= least < math.inf:
            raise ValueError(f"EarlyStopping: least must be a number >= 0, got {least!r}.")
        self.patience, self.least = patience, least
        self.theta, self.score, self.step = None, math.inf, None
        self.waited, self.bar, self.stopped = 0, math.inf, False

    def look(self, score, theta, step):
        """Take note of a score; True once the patience is used up. NaN never improves."""
        if self.stopped:
            return True
        score = float(score)
        if score < self.score or self.theta is None:
            self.theta, self.score, self.step = theta, score, step
        if score < self.bar - self.least:
            self.bar, self.waited = score, 0
        else:
            self.waited += 1
        self.stopped = self.patience is not None and self.waited >= self.patience
        return self.stopped
