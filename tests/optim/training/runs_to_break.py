"""Every optimizer and every kind of problem, small, for the tests that break runs off."""
import numpy as np

import minigrad as mg
import optim
from minigrad import Layout
from minigrad.backend import to_host, xp

ROWS = 20
DATA = np.random.default_rng(1)
X, Y = xp.asarray(DATA.standard_normal((ROWS, 3))), xp.asarray(DATA.standard_normal((ROWS, 2)))
LAYOUT = Layout({"W": xp.zeros((3, 2)), "b": xp.zeros(2)})


class Plain:
    """Least squares with a matrix and a bias; the loss is never 0."""

    layout = LAYOUT
    batched = True

    def start(self, rng):
        return xp.asarray(rng.standard_normal(8))

    def tree_loss(self, params, batch=None):
        x, y = batch
        return mg.mean_squared_error(mg.matmul(x, params["W"]) + params["b"], y) + 0.1


class Dropout(Plain):
    """Inputs are dropped while training."""

    def tree_loss(self, params, batch=None, rng=None):
        x, y = batch
        if rng is not None:
            x = x * xp.asarray(rng.random(x.shape) < 0.8)
        return super().tree_loss(params, (x, y))


class Running(Plain):
    """Inputs are centred by a running mean that lives in the problem and moves with every loss."""

    def __init__(self):
        self.running = {"mean": xp.zeros(3), "losses": 0}
        self.latest = None                          # appears on the way

    def tree_loss(self, params, batch=None):
        x, y = batch
        self.running["mean"] = 0.9 * self.running["mean"] + 0.1 * x.mean(axis=0)
        self.running["losses"] += 1
        self.latest = x[0] * 1.0
        return super().tree_loss(params, (x - self.running["mean"], y))


class Restless(Plain):
    """The problem draws its own noise, from the generator that the loop draws from too."""

    def __init__(self, rng):
        self.rng = rng

    def tree_loss(self, params, batch=None):
        x, y = batch
        noise = 0.01 * xp.asarray(self.rng.standard_normal(tuple(y.shape)))
        return super().tree_loss(params, (x, y + noise))


PROBLEMS = {"plain": lambda rng: Plain(), "dropout": lambda rng: Dropout(),
            "running statistics": lambda rng: Running(), "restless": Restless}

# The generator is the loop's: a perturbed method shares it.
OPTIMIZERS = {
    "SGD": lambda rng: optim.SGD(0.05, momentum=0.9),
    "SGD, schedule": lambda rng: optim.SGD(optim.cosine(0.1, 400), momentum=0.9),
    "RMSprop": lambda rng: optim.RMSprop(0.01, momentum=0.5),
    "Adam": lambda rng: optim.Adam(0.01), "AdamW": lambda rng: optim.AdamW(0.01),
    "NAdam": lambda rng: optim.NAdam(0.01),
    "InducedMetric": lambda rng: optim.InducedMetric(0.05),
    "LogInducedMetric": lambda rng: optim.LogInducedMetric(0.05),
    "RMSInducedMetric": lambda rng: optim.RMSInducedMetric(0.05),
    "Induced": lambda rng: optim.Induced(optim.SGD(0.05)),
    "OffDiagonal": lambda rng: optim.OffDiagonal(0.05),
    "StochasticPolyak": lambda rng: optim.StochasticPolyak(0.1),
    "DecSPS": lambda rng: optim.DecSPS(0.1), "NGN": lambda rng: optim.NGN(0.1),
    "NGNM": lambda rng: optim.NGNM(0.1), "AdaGradNorm": lambda rng: optim.AdaGradNorm(0.1),
    "NormalizedSGD": lambda rng: optim.NormalizedSGD(0.01),
    "Muon": lambda rng: optim.Muon(LAYOUT, 0.02),
    "SchattenMuon": lambda rng: optim.SchattenMuon(LAYOUT, 0.02, every=4),
    "MuAdam": lambda rng: optim.MuAdam(LAYOUT, 0.01),
    "SAM": lambda rng: optim.SAM(optim.Adam(0.01)), "ASAM": lambda rng: optim.ASAM(optim.SGD(0.05)),
    "SaddleFreeNewton": lambda rng: optim.SaddleFreeNewton(lr=0.1),
    "BFGS": lambda rng: optim.BFGS(), "LBFGS": lambda rng: optim.LBFGS(memory=3),
    "CrudeLBFGS": lambda rng: optim.CrudeLBFGS(memory=3),
    "PerturbedGD": lambda rng: optim.PerturbedGD(0.05, rng, g_thres=1.0, t_thres=3),
    "PerturbedSGD": lambda rng: optim.PerturbedSGD(0.05, 0.1, rng),
}


def shuffled(rng):
    """Minibatches of 6, 6, 6 and 2; each drawn as it is asked for."""
    order = rng.permutation(ROWS)
    for i in range(0, ROWS, 6):
        rows = xp.asarray(order[i:i + 6])
        yield X[rows] + 1e-3 * xp.asarray(rng.standard_normal(3)), Y[rows]


def score(theta):
    return xp.sum(theta * theta)


def train(optimizer, problem, path, **settings):
    """A run made of fresh objects, all of one seed; returns (run, optimizer, problem, rng)."""
    rng = np.random.default_rng(7)
    made, posed = OPTIMIZERS[optimizer](rng), PROBLEMS[problem](rng)
    settings = {"evaluate": score, "progress": None, "resume": True, **settings}
    run = optim.train(posed, made, shuffled, rng=rng, checkpoint=path, **settings)
    return run, made, posed, rng


def same(a, b, leave_out=("seconds",)):
    """Whether two trees are equal in kind, shape and bits; times aside."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a if k not in leave_out)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.random.Generator):
        return str(a.bit_generator.state) == str(b.bit_generator.state)
    if isinstance(a, (np.ndarray, np.generic, xp.ndarray)):
        a, b = np.asarray(to_host(a)), np.asarray(to_host(b))
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return type(a) is type(b) and a == b
