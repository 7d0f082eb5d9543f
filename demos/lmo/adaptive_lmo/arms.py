"""The methods of the comparison, each with a grid of rates of the same size, and one run of them.

All take a straight line to zero. The matrix methods differ in the exponent alone: pinned to the
same size of step, and with the same AdamW, at a fixed rate, for what is no inner matrix.
"""
import numpy as np

from minigrad.backend import float_of
from optim import AdamW, MuAdam, Objective, SchattenMuon, descent, linear

REST = 3e-3                                             # AdamW's rate for heads, biases, tables
MATRIX, ADAM = (0.015, 0.05, 0.15), (3e-3, 1e-2, 3e-2)   # rates, a factor of about 3 apart
EVERY = 10                                              # runs are short: choose often
ARMS = ("AdamW", "SGD, pinned", "t = 1/2", "Muon, pinned", "MuAdam", "random t", "adaptive",
        "adaptive, kfac")


def grid(arm):
    return ADAM if arm in ("AdamW", "MuAdam") else MATRIX


def method(arm, layout, lr, steps, matrices, rng):
    """The optimizer of an arm; matrices: entry -> bool, those that are no head and no table."""
    schedule = linear(lr, steps)
    if arm == "AdamW":
        return AdamW(schedule, beta2=0.99, decay=0.0)
    rest = AdamW(REST, beta2=0.99, decay=0.0)
    common = dict(matrices=matrices, fallback=rest)
    if arm == "MuAdam":
        return MuAdam(layout, lr, **common).scheduled(schedule)
    exponents = {"SGD, pinned": 1.0, "t = 1/2": 0.5, "Muon, pinned": 0.0}
    if arm == "random t":
        exponents[arm] = drawn(rng, sum(map(matrices, layout.entries)))
    if arm in exponents:
        return SchattenMuon(layout, lr, t=exponents[arm], **common).scheduled(schedule)
    curvature = "kfac" if arm == "adaptive, kfac" else "identity"
    return SchattenMuon(layout, lr, every=EVERY, curvature=curvature, rng=rng,
                        **common).scheduled(schedule)


def drawn(rng, count):
    """step -> exponents drawn evenly from [0, 1], anew whenever the adaptive arm chooses."""
    now = np.zeros(count)

    def exponents(step):
        if step and step % EVERY == 0:
            now[:] = rng.uniform(0.0, 1.0, count)
        return now.copy()
    return exponents


def follow(opt, problem, batches, theta, steps):
    """(theta at the end, losses on the way, exponents on the way); NaN where a run diverges."""
    losses, exponents = [], []
    try:
        objectives = (quiet(Objective(problem, batch)) for batch in batches)
        for t, theta, loss, state in descent(opt, objectives, theta, steps=steps):
            if loss is not None:
                losses.append(float_of(loss))
            if "exponents" in state and t % EVERY == 0:
                exponents.append(state["exponents"].copy())
    except ValueError as diverged:
        if "the loss is" not in str(diverged) and "NaN" not in str(diverged):
            raise
        return None, losses, exponents
    return theta, losses, exponents


def quiet(objective):
    objective.rows_seen = True                          # made anew every step: no second look
    return objective
