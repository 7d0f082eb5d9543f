"""What a run says about the alpha-beta condition: trained twice, measured the second time.

The condition measures from a minimiser, and a run has none until it ends. So its last point x_K
stands in for the nearest minimiser: train once for x_K, then train again on the same batches and
note at every step k, in float64,

    G_k = <∇f_k(x_k), x_k - x_K>,     F_k = f_k(x_k),     E_k = f_k(x_K)

f_k the mean over batch k. The second run must end at x_K to the last bit; a run that does not is an
error. E_k takes no gradient: the loss of every example at x_K is worked out once and averaged.

    record           two passes, memory of two points
    record_stored    one pass, keeps every m-th point and gradient

Source: arXiv:2410.12455, section on experiments (two runs, x_K for the projection).
Bias      x_K need not be the nearest minimiser, nor one at all: cf. `Envelope.until`.
"""
from functools import partial
from typing import NamedTuple

import numpy as np

import minigrad as mg
from minigrad.backend import float_of, to_host, xp
from minigrad.kinds import expects, whole
from optim import Objective, descent

from problems.finite_sums.finite_sum import FiniteSum
from problems.landscape.conditions.envelope import Envelope


class Record(NamedTuple):
    """Measurements of one run, on the host.

    steps, G, F, E   (k,) see above
    last             x_K (d,), on the backend
    full             {"step", "height", "slope", "inner", "distance": (j,)}: of the whole f, at the
                     steps that were asked for: f(x_k), |∇f|, <∇f, x_k - x_K>, |x_k - x_K|
    final            f(x_K) of the whole, the mean over examples
    """

    steps: np.ndarray
    G: np.ndarray
    F: np.ndarray
    E: np.ndarray
    last: object
    full: dict
    final: float

    def envelope(self, lowest=0.0):
        """The pairs this run allows; lowest is f_i*, 0 for losses that cannot be negative."""
        return Envelope(self.G, self.F, self.E, lowest)


def record(problem, method, theta, indices, *, every=None, examples=None, progress=None):
    """Train twice and measure: Record.

    problem   a FiniteSum, or a Network with its whole data in `problem.data`
    method    Optimizer;   theta  start (d,)
    indices   function that gives the run's batches afresh, as index arrays (B,) into the data; each
              call must give the same ones: make the generator inside
    every     measure the whole f every so many steps too, from step 0 on
    examples  theta -> (N,) the loss of each example, if `example_losses` does not know it
    progress  called with the fraction done
    Raises    RuntimeError if the second pass does not end where the first did
    """
    last, steps = xp.asarray(theta), 0
    losses_of = examples or example_losses(known(problem))
    for k, last, _, _, _ in follow(problem, method, last, indices):
        steps = k
    if not steps:
        raise ValueError("record: there are no batches. Let indices() give at least one.")
    losses = to_host(losses_of(last)).astype(float)
    notes, full = [], {key: [] for key in ("step", "height", "slope", "inner", "distance")}
    whole = Objective(problem)
    for k, x, loss, g, index in follow(problem, method, xp.asarray(theta), indices):
        if g is None:
            same_end(last, x, k, steps)
            break
        notes.append((inner(g, x, last), float_of(loss), losses[to_host(index)].mean()))
        if every and k % every == 0:
            look(whole, k, x, last, full)
        if progress is not None and k % 100 == 0:
            progress(k / steps)
    G, F, E = np.array(notes).T
    return Record(np.arange(len(G)), G, F, E, last, {k: np.array(v) for k, v in full.items()},
                  float(losses.mean()))


def record_stored(problem, method, theta, indices, *, every=1, examples=None):
    """The same from one pass: every m-th point and gradient are kept until x_K is known: Record."""
    kept, last = [], None
    losses_of = examples or example_losses(known(problem))
    for k, last, loss, g, index in follow(problem, method, xp.asarray(theta), indices):
        if g is not None and k % every == 0:
            kept.append((k, last, g, float_of(loss), to_host(index)))
    if not kept:
        raise ValueError("record_stored: there are no batches. Let indices() give at least one.")
    losses = to_host(losses_of(last)).astype(float)
    G = np.array([inner(g, x, last) for _, x, g, _, _ in kept])
    return Record(np.array([k for k, *_ in kept]), G, np.array([F for _, _, _, F, _ in kept]),
                  np.array([losses[index].mean() for *_, index in kept]), last, {},
                  float(losses.mean()))


def follow(problem, method, theta, indices):
    """Yields (steps done, point, loss and gradient of the coming step, its indices); at the end
    the last three are None."""
    now = [None, None]

    def objectives():
        for index in indices():
            now[1] = xp.asarray(index)
            now[0] = Watched(Objective(problem, batch_of(problem, now[1])))
            yield now[0]

    for t, x, loss, _ in descent(method, objectives(), theta):
        yield (t, x, None, None, None) if loss is None else (t, x, loss, now[0].first, now[1])


class Watched:
    """An objective that remembers the first gradient it gave: at the point where a step begins."""

    def __init__(self, objective):
        self.objective, self.first = objective, None

    def __getattr__(self, name):
        return getattr(self.objective, name)

    def value_and_grad(self, theta):
        loss, g = self.objective.value_and_grad(theta)
        self.first = g if self.first is None else self.first
        return loss, g


def batch_of(problem, index):
    return index if isinstance(problem, FiniteSum) else tuple(a[index] for a in problem.data)


def known(problem):
    """TypeError unless the problem is a sum of parts that can be named by indices."""
    if isinstance(problem, FiniteSum) or getattr(problem, "data", None) is not None:
        return problem
    raise TypeError("record: needs a FiniteSum, or a Network with its data, got "
                    f"{type(problem).__name__}. Give the data to Network(model, data).")


def inner(g, x, last):
    """<g, x - x_K> in float64."""
    return float_of(xp.sum(g.astype("float64") * (x.astype("float64") - last)))


def look(whole, k, x, last, full):
    """Measure the whole f at x."""
    height, g = whole.value_and_grad(x)
    away = x.astype("float64") - last
    values = (k, float_of(height), float_of(xp.sqrt(xp.sum(g.astype("float64") ** 2))),
              inner(g, x, last), float_of(xp.sqrt(xp.sum(away * away))))
    for key, value in zip(full, values):
        full[key].append(value)


def same_end(first, second, steps, total):
    """RuntimeError unless both passes ended at the same bits after the same number of steps."""
    if steps == total and bool(xp.all(first == second)):
        return
    off = float_of(xp.max(xp.abs(first - second)))
    raise RuntimeError(f"record: the second pass ended {off:g} away from the first, after {steps} "
                       f"steps instead of {total}. Let indices() make its generator anew at every "
                       "call, and switch dropout off.")


def example_losses(problem):
    """theta -> (N,) the loss of each example: the parts of a FiniteSum, a model's own `losses`, or
    a classifier's cross-entropies (averaged over the tokens of a row, where targets are rows)."""
    if isinstance(problem, FiniteSum):
        return problem.parts
    if not hasattr(problem, "model"):
        raise TypeError("record: needs a FiniteSum or a Network, got "
                        f"{type(problem).__name__}. Give examples=, a function theta -> (N,).")
    own = getattr(problem.model, "losses", None)
    if own is None and problem.data[1].dtype.kind == "f":
        raise TypeError(f"record: the loss of single examples of {type(problem.model).__name__} is "
                        "not known. Give examples=, a function theta -> (N,).")
    own = own or partial(cross_entropies, problem.model)

    def losses(theta, rows=512):
        params, data = problem.params(theta), problem.data
        return xp.concatenate([own(params, tuple(a[i:i + rows] for a in data))
                               for i in range(0, len(data[-1]), rows)])
    return losses


def cross_entropies(model, params, batch):
    """-log p(label) of each example (B,), or its mean over a row of labels."""
    inputs, targets = batch
    right = mg.log_softmax(model.apply(params, inputs))
    picked = xp.take_along_axis(right, targets[..., None], axis=-1)[..., 0]
    return -picked.reshape(len(picked), -1).mean(axis=1)


@expects(n=whole(), size=whole(), epochs=whole(0), seed=whole(0))
def shuffled(n, size, epochs, seed):
    """indices() for `record`: every epoch a fresh permutation, an incomplete batch dropped."""
    if not 1 <= size <= n:
        raise ValueError(f"shuffled: batches of {size} cannot be cut from {n} examples.")

    def indices():
        rng = np.random.default_rng(seed)
        for _ in range(epochs):
            order = rng.permutation(n)
            yield from (order[i:i + size] for i in range(0, n - size + 1, size))
    return indices
