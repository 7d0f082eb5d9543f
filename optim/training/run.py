"""What a training run has to remember: where it stands and what it has seen."""
from dataclasses import dataclass, field, fields

import numpy as np

from minigrad.arguments import short
from minigrad.backend import to_host, xp

# Names in a history that no score may have; nor that of a trace of the optimizer.
RESERVED = ("loss", "delta", "epochs", "evaluated", "seconds")


@dataclass
class Run:
    """A run of `train`, under way or finished.

    theta, state    the point and the optimizer's memory after `step` steps
    epoch, position finished epochs, and steps done in the one that is under way
    history         one entry a step: "loss" (before the step), "delta" = |θ_{t+1} - θ_t|
                    and what the optimizer's class names in `traces` (the metric factor "s", the
                    exponents of layers); "epochs": the step at the end of each epoch; one entry an
                    evaluation: "evaluated" (the step), "seconds" and the scores under their names.
                    With n points at once, entries are (n,).
    best            the point with the lowest score so far, `best_score`, seen at step `best_step`;
                    with n points at once, row by row
    waited          evaluations since the last improvement
    stopped         "steps", "patience", or "" while it is under way
    """
    theta: object
    state: dict
    step: int = 0
    epoch: int = 0
    position: int = 0
    history: dict = field(default_factory=lambda: {"loss": [], "delta": [], "epochs": []})
    best: object = None
    best_score: object = None
    best_step: object = None
    waited: int = 0
    seconds: float = 0.0
    stopped: str = ""

    def record(self, loss, delta, traces):
        """Add one step to the history; traces  {name: array} that the method wants remembered."""
        self.add("loss", loss)
        self.add("delta", delta)
        for name, value in traces.items():
            of_points = loss.ndim and value.shape == loss.shape + (1,)      # kept as (n, 1)
            self.add(name, value.reshape(loss.shape) if of_points else value)

    def add(self, name, value):
        """Append a number, or one per point, to a history."""
        value = to_host(value)
        self.history.setdefault(name, []).append(value if np.ndim(value) else value.item())

    def record_scores(self, scores):
        """Add an evaluation, a dict of scores; keep the point if the first one is the best yet."""
        self.add("evaluated", np.asarray(self.step))
        self.add("seconds", np.asarray(self.seconds))
        for name, score in scores.items():
            self.add(name, xp.asarray(score))
        score = np.asarray(to_host(xp.asarray(next(iter(scores.values())))), dtype=float)
        if self.best is None:
            self.best, self.best_step = self.theta, np.full(score.shape, self.step)
            self.best_score = np.full(score.shape, np.inf)
        better = score < self.best_score
        self.best_score = np.where(better, score, self.best_score)
        self.best_step = np.where(better, self.step, self.best_step)
        self.best = xp.where(xp.asarray(better)[..., None], self.theta, self.best)
        self.waited = 0 if better.any() else self.waited + 1

    def tree(self):
        """The run as a tree that `checkpoint.save` can write."""
        tree = {f.name: getattr(self, f.name) for f in fields(self)}
        tree["history"] = {name: np.asarray(items) for name, items in self.history.items()}
        return tree

    @classmethod
    def from_tree(cls, tree, theta=None, state=None):
        """The inverse of `tree`.

        theta, state   what a fresh run would begin with: shapes and dtypes have to be the same
        Raises         ValueError saying what is missing, or does not fit
        """
        check_run(tree, theta, state)
        run = cls(**{f.name: tree[f.name] for f in fields(cls)})
        run.history = {name: items.tolist() if items.ndim == 1 else list(items)
                       for name, items in run.history.items()}
        return run


def check_run(tree, theta, state):
    """Raises ValueError unless `tree` holds a whole run; of this theta and state, if given."""
    missing = [f.name for f in fields(Run) if f.name not in tree]
    if missing:
        raise ValueError(f"{', '.join(missing)} is missing")
    history = tree["history"]
    wrong = [name for name in ("step", "epoch", "position", "waited")
             if type(tree[name]) is not int or tree[name] < 0]
    wrong += [name for name in ("seconds",) if not isinstance(tree[name], (int, float))]
    wrong += [name for name in ("state", "history") if not isinstance(tree[name], dict)]
    wrong += [] if isinstance(tree["theta"], xp.ndarray) else ["theta"]
    if wrong:
        raise ValueError(f"{wrong[0]} is {short(tree[wrong[0]])}")
    lengths = {"loss": tree["step"], "delta": tree["step"], "epochs": tree["epoch"]}
    for name in [*lengths, *history]:
        items = history.get(name)
        if not isinstance(items, np.ndarray) or items.ndim == 0 or (
                len(items) != lengths.get(name, len(items))):
            raise ValueError(f"its history has no entry of {name} for every step or epoch")
    if theta is None:
        return
    check_alike("theta", tree["theta"], theta)
    if tree["best"] is not None:
        check_alike("best", tree["best"], theta)
    missing = state.keys() - tree["state"].keys()       # it may have gained some on the way
    if missing:
        raise ValueError(f"its state has no {', '.join(sorted(missing))}")
    for name, value in state.items():
        check_alike(f"state.{name}", tree["state"][name], value)


def check_alike(name, stored, fresh):
    """Arrays of the same shape and dtype, or two of the same kind."""
    arrays = (np.ndarray, np.generic, xp.ndarray)
    a, b = ((f"{value.dtype}{list(value.shape)}" if isinstance(value, arrays) else
             f"a {type(value).__name__}") for value in (stored, fresh))
    if a != b and fresh is not None:                # an entry may wait for its first value
        raise ValueError(f"its {name} is {a}, this run's is {b}")


def per_epoch(history, name="s"):
    """Minimum, median and maximum of a history in each epoch: arrays (epochs,) or (epochs, n).

    For the metric factor s of the induced-metric family this says what a run shows: while s stays
    near 1 the metric does nothing, and the run is plain SGD or AdamW.
    """
    items = np.asarray(history[name])
    ends = list(history["epochs"])
    if not ends or ends[-1] < len(items):
        ends.append(len(items))                     # the epoch that was not finished
    pieces = np.split(items, ends[:-1])
    return tuple(np.stack([f(piece, axis=0) for piece in pieces])
                 for f in (np.min, np.median, np.max))
