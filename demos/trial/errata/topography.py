"""Document B, SGD against quasi-Newton: what its text says, and what its code does."""
import numpy as np

import minigrad as mg
from minigrad.backend import float_of, to_host, xp
from optim import LBFGS, SGD, Adam, CrudeLBFGS, Objective, descent
from optim.second_order.crude_lbfgs import six_heights
from problems import Network, data
from problems.landscape.paths.path import Straight, sines
from problems.landscape.paths.published_path import PublishedPath
from problems.networks.mlp import MLP
from problems.potentials import Toy

from demos.evidence import permutation_test, t_interval
from demos.trial.errata.slip import ONE, Slip, numbers

FIGURE = {10: 0.646, 100: 0.640, 1000: 0.652}           # λ: height, figure 3
DRAWN = np.linspace(0.0, 1.0, 20_001)                   # where along a curve its own top is sought


def slips(args):
    toy = Toy()
    printed, coded = ({penalty: PublishedPath(power, terms, points, penalty, 300, 0.01, keep="best")
                       .find(toy, *toy.ends("figure 3")) for penalty in FIGURE}
                      for power, terms, points in ((1, 10, 100), (2, 15, 101)))
    yield objective(printed, coded)
    yield sampled_top(toy, coded[10])
    yield above_what(toy, coded[100])
    yield notebook(toy)
    yield activation(args.seed)
    yield images(args.seed)
    yield early_stopping(args.seed)
    yield search(args.seed)


# ---------------------------------------------------------------------- the toy landscape

def objective(printed, coded):
    there = list(FIGURE.values())
    ours = [[path.height for path in paths.values()] for paths in (printed, coded)]
    off = [[abs(a - b) for a, b in zip(heights, there)] for heights in ours]
    return Slip(
        "B1", "the path finder's objective", "eq. 4 and figure 3",
        (f"the sum of the heights; the figure shows {numbers(there)} at λ = 10, 100, 1000",
         numbers(ours[0]), "the sum of their squares, as the notebook has it",
         f"{numbers(ours[1])}, within {max(off[1]):.3f}"),
        "the least distance of a height found by eq. 4 from the figure's", min(off[0]),
        dict(at_least=0.01, how=ONE + " for each λ",
             why="the scatter of the height over the noise of the gradients"),
        (ours[0][1], there[1]), {"λ": list(FIGURE), "figure 3": there, "as printed": ours[0],
                                 "as coded": ours[1]})


def sampled_top(toy, path):
    curve = float(to_host(toy.loss(path.path(xp.asarray(DRAWN)))).max())
    return Slip(
        "B2", "the height of a path", "eq. 5, λ = 10",
        ("the largest of 101 sampled heights", f"{path.height:.4f}",
         "the curve's own top", f"{curve:.4f}: the path passes between its points"),
        "the curve's own top above the height as defined", curve - path.height,
        dict(at_least=0.001, how=ONE, why="the last digit that is printed"),
        (path.height, curve))


def above_what(toy, path):
    end = max(float_of(toy.loss(xp.asarray(point))) for point in toy.ends("figure 3"))
    return Slip(
        "B3", "barriers", "eq. 5 and figure 4",
        ("the height of the path", f"{path.height:.4f} on the toy, {end:.4f} of which its higher "
         "end has without any barrier", "the height above the higher end",
         f"{path.height - end:.4f}"),
        "share of the toy's height that is the height of its end", end / path.height,
        dict(above=0.0, how=ONE), (path.height, path.height - end))


def notebook(toy):
    """The stored log prints 1.2258 as the penalty; its picture shows a path that peaks near 1."""
    ends, log = toy.ends("figure 3"), 1.2258
    line = Straight(*ends)(xp.asarray(np.linspace(0.0, 1.0, 101)))
    steps = np.diff(to_host(line), axis=0)
    plain, squares = float(np.linalg.norm(steps, axis=1).sum()), float((steps**2).sum())
    tops = [by_penalty(toy, line, power) for power in (1, 2)]
    return Slip(
        "B4", "the stored picture of the toy", "toy notebook, its log and its picture",
        ("squared steps as the penalty, in code and text; the log begins with 1.2258",
         f"squared steps of the straight line sum to {squares:.4f}; at λ = 35 the path peaks at "
         f"{tops[1]:.3f}", "the plain length, which another version of the code must have had",
         f"{plain:.4f}; the path peaks at {tops[0]:.3f}, near the 0.99 of the stored picture"),
        "distance of the stored log's first penalty from the plain length of the straight line",
        abs(plain - log), dict(at_most=5e-5, how=ONE, why="the digits of the log"),
        (squares, plain))


def by_penalty(toy, line, power, penalty=35.0, steps=300):
    """Top of the path that 300 steps of Adam find for Σ f² + λ Σ |step|^power."""
    waves = xp.asarray(sines(np.linspace(0.0, 1.0, len(line)), 15))

    def curve(b):
        return line + mg.matmul(waves, mg.reshape(b, (15, 2)))

    def height(b):
        points = curve(b)
        move = points[1:] - points[:-1]
        square = mg.sum(move * move, axis=-1)
        return mg.sum(mg.square(toy.loss(points))) + penalty * mg.sum(
            square if power == 2 else mg.sqrt(square))
    *_, (_, b, _, _) = descent(Adam(0.01), height, xp.zeros(30), steps=steps)
    return float(to_host(toy.loss(curve(b))).max())


# ---------------------------------------------------------------------- its training, in miniature

def network(activation, hidden=(20, 20), bias=False):
    return MLP((10, *hidden, 5), activation, init="uniform", bias=bias)


def activation(seed, runs=8, steps=200):
    """The same starts, data and steps under both activations."""
    part = data.load("clusters", n_train=200, label_noise=0.1, dtype="float64", seed=seed).train
    losses = {}
    for name in ("relu", "softplus"):
        problem = Network(network(name), part)
        start = xp.stack([problem.start(np.random.default_rng([seed, k])) for k in range(runs)])
        *_, (_, _, loss, _) = descent(SGD(0.3), Objective(problem), start, steps=steps)
        losses[name] = np.log(to_host(loss))
    p = permutation_test(losses["softplus"] - losses["relu"])
    means = {name: float(np.exp(values.mean())) for name, values in losses.items()}
    return Slip(
        "B5", "the activation", "section on networks, against the code and its history",
        ("ReLU", f"a 10-20-20-5 network in its place, {steps} steps: training loss "
         f"{means['relu']:.3g}", "softplus, as the code has it when the paper appeared",
         f"{means['softplus']:.3g} from the same starts; which one made the tables is not known"),
        "training losses by ReLU and softplus differ by more than chance (p)", p,
        dict(rejects=0.05, how=f"exact sign permutation, n = {runs} shared starts"))


def images(seed, runs=6):
    """Five sixths of a set are trained on: does the loss on all of it stay as low?"""
    logs, rows = [], []
    for k in range(runs):
        part = data.load("clusters", n_train=300, label_noise=0.1, dtype="float64",
                         seed=seed + k).train
        seen = part.take(slice(0, 250))
        problem = Network(network("softplus", (24,)), seen)
        theta = problem.start(np.random.default_rng([seed, k]))
        *_, (_, theta, _, _) = descent(LBFGS(), Objective(problem), theta, steps=200)
        rows.append([float_of(problem.loss(theta, batch)) for batch in (seen, part)])
        logs.append(np.log10(rows[-1][1] / rows[-1][0]))
    middle = np.median(rows, axis=0)
    return Slip(
        "B6", "50,000 training images", "section on data, against the code",
        ("50,000 of MNIST's 60,000", "a network trained to the end on five sixths of a set gives "
         f"itself away: loss {middle[0]:.1e} there, {middle[1]:.1e} on all (medians)",
         "all 60,000, as the code loads them",
         "the vector released with the paper has one loss on all and on the first 10,000, to 3 %"),
        "log10 of the loss on all / on the five sixths that were trained on", t_interval(logs),
        dict(at_least=1.0, how=f"95 % t, n = {runs} data sets", why="ten times; the released "
             "vector's two losses, 9.4e-7 and 9.2e-7, differ by 3 %"))


def early_stopping(seed, runs=60, look=10, steps=300):
    """Stop where the loss on the test set is lowest and report that loss, or choose elsewhere."""
    found = data.load("clusters", n_train=200, label_noise=0.2, n_test=200 * 2 * runs, spread=1.0,
                      dtype="float64", seed=seed)
    problem = Network(network("tanh", (32,), bias=True), found.train)
    start = xp.stack([problem.start(np.random.default_rng([seed, k])) for k in range(runs)])
    kept = [theta for t, theta, _, _ in descent(SGD(0.5, momentum=0.9), Objective(problem), start,
                                                steps=steps) if t % look == 0]
    gaps = []
    for k in range(runs):
        points = xp.stack([theta[k] for theta in kept])
        test, valid = (to_host(problem.loss(points, found.test.take(slice(i, i + 200))))
                       for i in (400 * k, 400 * k + 200))
        gaps.append(test.min() - test[np.argmin(valid)])
    gap = t_interval(gaps)
    return Slip(
        "B7", "early stopping", "section on early stopping; test columns of table I",
        ("the lowest loss on the test set, of all epochs, is the test loss",
         f"it lies {-gap[0]:.4f} below what the same run has at an epoch chosen elsewhere "
         "(200 test points a run; less with 10,000)",
         "choose the epoch on validation data", "the difference is 0 by construction"),
        "reported test loss minus that at the epoch a validation set chooses", gap,
        dict(below=0.0, how=f"95 % t, n = {runs} runs with test sets of their own"))


def search(seed, steps=300):
    """What the coded search accepts on a line that only rises; uphill steps on a network."""
    part = data.load("clusters", n_train=200, dtype="float64", seed=seed).train
    problem, rises = Network(network("softplus", (24,)), part), {}
    for name, method in (("coded", CrudeLBFGS()), ("monotone", LBFGS())):
        theta = problem.start(np.random.default_rng(seed))
        losses = [float_of(loss) for _, _, loss, _ in descent(
            method, Objective(problem), theta, steps=steps)]
        rises[name] = int((np.diff(losses) > 0).sum())
    slope = 4e-4
    step = six_heights(lambda a: 1.0 + slope * a, 1.0)
    return Slip(
        "B8", "Brent's line search", "class name and comments of the code",
        ("a search by Brent's method", "no parabola is in it: six heights and golden sections; on "
         f"a line that only rises it accepts a point {step.height - 1.0:.0e} higher (on a network "
         f"{rises['coded']} of {steps} steps go up)", "golden sections that refuse a higher point",
         f"{rises['monotone']} of {steps}"),
        f"rise that the search accepts on the line 1 + {slope:g} a", step.height - 1.0,
        dict(above=0.0, how="exact: one search of six heights"))
