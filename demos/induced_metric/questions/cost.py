"""The induced metric costs one dot product more than momentum, Muon a hundred times as much.

Question   how many operations, and how much time, does one step of each optimizer take, the
           gradient being given?
Expected   the metric's price over SGD with momentum is a multiplication and an addition for each
           parameter, the dot product; Muon's matrix products cost far more than all the rest.
Time       15 s; --quick 5 s.
Source     arXiv:2509.03594, which has the method cost about what SGD costs; the table is ours: the
           author's printed times are not comparable (a timer with the wrong sign).

Operations are counted, not estimated: the step runs on arrays that add up the sizes of what they
calculate, 2 m n k for a product of matrices. Times are processor times of one update on one thread,
rounds of all optimizers in turn, as ratios to SGD with momentum within a round.
"""
import time

import numpy as np

import optim
from demos.evidence import ratio_interval
from minigrad import backend
from optim import SGD, Induced
from problems import Network
from problems.networks.mlp import MLP

SOURCE = "arXiv:2509.03594"
DTYPE = "float32"
BASE = "SGD, momentum"
DOT = 2.0                                               # operations a parameter of g·g


def methods(layout):
    return {
        "SGD": SGD(0.1), BASE: SGD(0.1, momentum=0.9), "plain": optim.InducedMetric(),
        "log": optim.LogInducedMetric(), "NGN": optim.NGN(0.1), "SPS": optim.StochasticPolyak(),
        "Adam": optim.Adam(), "AdamW": optim.AdamW(), "rms": optim.RMSInducedMetric(),
        "Induced(SGD, momentum)": Induced(SGD(0.1, momentum=0.9)),
        "Induced(Adam)": Induced(optim.Adam()), "Muon": optim.Muon.optax(layout, 0.01),
        "Induced(Muon)": Induced(optim.Muon.optax(layout, 0.01)),
    }


class Counted(np.ndarray):
    """An array that counts the operations of what is calculated with it, in `Counted.total`."""

    total = 0

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **settings):
        plain = [np.asarray(a) if isinstance(a, Counted) else a for a in inputs]
        if out is not None:
            settings["out"] = tuple(np.asarray(a) if isinstance(a, Counted) else a for a in out)
        result = getattr(ufunc, method)(*plain, **settings)
        if ufunc is np.matmul:
            Counted.total += 2 * np.size(result) * plain[0].shape[-1]
        else:
            Counted.total += max(np.size(result), np.size(plain[0]))
        if out is not None:
            return out[0]
        return result.view(Counted) if isinstance(result, np.ndarray) else result


def run(args, report):
    if backend.name != "numpy":
        raise ValueError("cost: counts the operations of NumPy. Use MINIGRAD_BACKEND=numpy.")
    problem = Network(MLP((784, 256, 256, 10)), dtype=DTYPE)
    rng = np.random.default_rng(args.seed)
    theta = problem.start(rng)
    g = (0.01 * rng.standard_normal(theta.size)).astype(DTYPE)
    named = methods(problem.layout)
    operations = {name: operations_of(m, theta, g) for name, m in named.items()}
    seconds = timed(named, theta, g, 7 if args.quick else 25)
    ratios = {name: ratio_interval(t, seconds[BASE]) for name, t in seconds.items()}
    report.table(["optimizer", "operations a parameter", "microseconds", "time / SGD, momentum",
                  "low", "high"],
                 [[name, operations[name], 1e6 * float(np.median(seconds[name])), *ratios[name]]
                  for name in named], title=f"one update of {theta.size:,} float32 parameters")
    exact = dict(origin="ours", where="optim/", how="exact: counted")
    report.claim("operations a parameter: plain minus SGD with momentum",
                 operations["plain"] - operations[BASE], equivalent=(DOT, 0.01), **exact,
                 why="one dot product; the rest does not grow with the number of parameters")
    report.claim("operations a parameter: NGN minus SGD", operations["NGN"] - operations["SGD"],
                 equivalent=(DOT, 0.01), **exact, why="one dot product")
    how = f"95 % t of logarithms, n = {len(seconds[BASE])} rounds"
    report.claim("time of plain / SGD with momentum", *ratios["plain"], at_most=2.0,
                 origin="paper", where="its claim on cost, in words", how=how,
                 why="the same order: less than one more step of SGD")
    report.claim("time of Muon / plain", *ratio_interval(seconds["Muon"], seconds["plain"]),
                 at_least=5.0, origin="ours", where="the other end of the table", how=how,
                 why="far dearer: five times at least")
    report.data.update(operations=operations, seconds=seconds, parameters=theta.size)
    if report.plotting:
        draw(report, operations, ratios)


def operations_of(method, theta, g):
    """Operations of the second update, for each parameter."""
    theta, g = theta.view(Counted), g.view(Counted)
    state = method.init(theta)
    _, state = method.update(g, np.float32(1.0), theta, state)
    Counted.total = 0
    method.update(g, np.float32(1.0), theta, state)
    return Counted.total / theta.size


def timed(named, theta, g, rounds):
    """{name: (rounds,) seconds of processor time for one update}."""
    states = {name: method.init(theta) for name, method in named.items()}
    found = {name: [] for name in named}
    for k in range(rounds + 1):
        for name, method in named.items():
            repeats = 1 if "Muon" in name else 20
            began = time.process_time()
            for _ in range(repeats):
                method.update(g, np.float32(1.0), theta, states[name])
            if k:                                       # the first round warms up
                found[name].append((time.process_time() - began) / repeats)
    return found


def draw(report, operations, ratios):
    fig, axes = report.subplots(1, 2, figsize=(9.5, 3.6), sharey=True)
    names, at = list(operations), np.arange(len(operations))
    axes[0].barh(at, [operations[n] for n in names], color="0.5")
    axes[0].set(xscale="log", xlabel="operations a parameter")
    axes[0].set_yticks(at, names)
    axes[0].invert_yaxis()
    middle, low, high = np.array([ratios[n] for n in names]).T
    axes[1].barh(at, middle, color="#b5123e", xerr=[middle - low, high - middle])
    axes[1].axvline(1.0, color="k", linewidth=0.6)
    axes[1].set(xscale="log", xlabel="time / SGD with momentum")
    fig.suptitle(f"One update: plain takes {operations['plain'] - operations[BASE]:.2f} operations "
                 "a parameter more than SGD with momentum", fontsize=9)
    report.figure(fig)
