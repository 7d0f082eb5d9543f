"""The optimizers on trial, each with one setting for all twelve landscapes, and its features.

Nobody is tuned: where a step is a rate times a direction the rate is .1; methods that find their
own length keep the rate 1 of their papers; momentum is .9. The rest are the defaults.
"""
from typing import Callable, NamedTuple

import numpy as np

import optim
from minigrad.backend import xp
from optim import SGD, descent

from .landscapes import ROWS, STEPS, host, moments, starts

MU, XI, TINY = 0.9, 0.1, 1e-300
FIRST_COPY = ROWS.index("noise")


class Method(NamedTuple):
    """A method, and what closed forms need of it.

    kind    steady: a fixed rate;  damped: η/(1 + ξ|g|²);  log: η L/(L² + ξ|g|²);  signed: every
            coordinate by its own root mean square;  polyak: about L/|g|², at most η;
            adagrad: η/√(1 + Σ|g|²);  unit: η g/|g|;  newton: by curvature
    form    of its momentum: "none", "heavy" (v ← μ v + g), "nesterov", "mean" (an average)
    alone   "always": it takes one point at a time (one noisy bowl then stands for its copies);
            "at NaN": a NaN in one row would end the batch, so that row is run by itself
    shift   added to the loss it is told: NGN refuses a loss of 0, which rounding gives at a minimum
    """

    name: str
    build: Callable
    kind: str
    lr: float = 0.1
    form: str = "none"
    alone: str = ""
    shift: float = 0.0

    @property
    def limit(self):
        """The largest η λ with which it settles in a bowl of curvature λ."""
        return {"none": 2.0, "heavy": 2 * (1 + MU), "nesterov": 2 * (1 + MU) / (1 + 2 * MU),
                "mean": 2 * (1 + MU) / (1 - MU)}[self.form]

    @property
    def reach(self):
        """Its rate along a slope that does not change."""
        return self.lr / (1 - MU) if self.form in ("heavy", "nesterov") else self.lr


METHODS = (
    Method("SGD", lambda: SGD(0.1), "steady"),
    Method("SGD, momentum", lambda: SGD(0.1, momentum=MU), "steady", form="heavy"),
    Method("SGD, Nesterov", lambda: SGD(0.1, momentum=MU, nesterov=True), "steady",
           form="nesterov"),
    Method("SAM", lambda: optim.SAM(SGD(0.1)), "steady"),
    Method("ASAM", lambda: optim.ASAM(SGD(0.1)), "steady"),
    Method("PerturbedSGD", lambda: optim.PerturbedSGD(0.1, 0.01, np.random.default_rng(0)),
           "steady"),
    Method("PerturbedGD", lambda: optim.PerturbedGD(0.1, np.random.default_rng(0)), "steady"),
    Method("plain", lambda: optim.InducedMetric(0.1, xi=XI), "damped", form="mean"),
    Method("Induced(SGD)", lambda: optim.Induced(SGD(0.1), xi=XI), "damped"),
    Method("log", lambda: optim.LogInducedMetric(0.1, xi=XI), "log", form="mean"),
    Method("NGN", lambda: optim.NGN(1.0), "polyak", 1.0, shift=TINY),
    Method("NGNM", lambda: optim.NGNM(1.0), "polyak", 1.0, "mean", shift=TINY),
    Method("SPS", lambda: optim.StochasticPolyak(1.0), "polyak", 1.0),
    Method("DecSPS", lambda: optim.DecSPS(1.0), "polyak", 1.0),
    Method("AdaGradNorm", lambda: optim.AdaGradNorm(1.0), "adagrad", 1.0),
    Method("NormalizedSGD", lambda: optim.NormalizedSGD(0.1), "unit"),
    Method("RMSprop", lambda: optim.RMSprop(0.1), "signed"),
    Method("Adam", lambda: optim.Adam(0.1), "signed", form="mean"),
    Method("AdamW", lambda: optim.AdamW(0.1), "signed", form="mean"),
    Method("NAdam", lambda: optim.NAdam(0.1), "signed", form="mean"),
    Method("rms", lambda: optim.RMSInducedMetric(0.1, xi=XI), "signed", form="mean"),
    Method("SaddleFreeNewton", lambda: optim.SaddleFreeNewton(), "newton", 1.0,
           alone="at NaN"),
    Method("LBFGS", lambda: optim.LBFGS(), "newton", 1.0, alone="always"),
)


def follow(name, seed):
    """Its path through all landscapes at once: (STEPS + 1, rows, 2) on the host."""
    method = next(m for m in METHODS if m.name == name)
    if method.alone == "always":
        paths = [alone(method, row, seed) for row in range(FIRST_COPY + 1)]
        return np.stack(paths + paths[-1:] * (len(ROWS) - len(paths)), axis=1)
    run = descent(method.build(), moments(seed, wrong=not method.alone), xp.asarray(starts()),
                  steps=STEPS, shift=method.shift)
    with np.errstate(all="ignore"):
        path = host(theta for _, theta, _, _ in run)
    if method.alone == "at NaN":
        path[:, ROWS.index("NaN")] = alone(method, ROWS.index("NaN"), seed)
    return path


def alone(method, row, seed):
    """One row's path. A method that refuses to go on (a loss that is NaN) has not arrived."""
    run = descent(method.build(), moments(seed, row), xp.asarray(starts()[row]), steps=STEPS)
    with np.errstate(all="ignore"):
        try:
            return host(theta for _, theta, _, _ in run)
        except (ValueError, RuntimeError, ArithmeticError):
            return np.full((STEPS + 1, 2), np.nan)
