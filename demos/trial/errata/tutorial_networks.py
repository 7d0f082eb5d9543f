"""Document C, continued: what it says of networks, each on the smallest network that decides it."""
import numpy as np

from minigrad.backend import float_of, xp
from optim import Objective
from problems import Network
from problems.data.clusters import gaussian_centres, gaussian_clusters
from problems.landscape.curvature.hessian import HessianOp
from problems.landscape.curvature.sharpness import top_curvature
from problems.landscape.slices.rescaling import rescale, rescaling_test
from problems.networks.mlp import MLP

from demos.evidence import median_interval, ratio_interval
from demos.landscape.training.skip_and_norm import network
from demos.trial.errata.slip import ONE, Slip, kept, numbers
from demos.trial.errata.tutorial import TUTORIAL

DEEP, STARTS = 24, 5
STEPS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)                  # of finite differences, over |θ|
USUAL = STEPS.index(1e-5)


def slips(args):
    rng = np.random.default_rng(args.seed)
    x, labels = gaussian_clusters(rng, gaussian_centres(rng), 200)
    points = xp.asarray(x), xp.asarray(labels)
    yield smooth(points, args.seed, "skip", "relu", "C5", "skip connections smooth the landscape")
    yield smooth(points, args.seed, "norm only", "tanh", "C6", "normalisation smooths it")
    yield flatness(points, args.seed)
    yield filters(points, args.seed)
    yield differences(points, args.seed)
    yield sharpness_aware()
    yield soups()


def smooth(points, seed, kind, activation, mark, title):
    """λ_max at the start of deep networks: one ingredient alone, against none."""
    tops = {}
    for name in (kind, "plain"):
        problem = network(name, DEEP, points, activation)
        tops[name] = [top_curvature(problem, problem.start(np.random.default_rng([seed, k])),
                                    np.random.default_rng(k), m=10).value for k in range(STARTS)]
    ratio = ratio_interval(tops[kind], tops["plain"])
    both = kept("landscape", "skip_and_norm", "skip + norm")
    middle = [float(np.median(tops[name])) for name in ("plain", kind)]
    return Slip(
        mark, title, TUTORIAL,
        (f"it does, each by itself: here {kind}, {activation}", f"λ_max of {DEEP} layers at the "
         f"start is {numbers(middle)} (plain, {kind}; medians)",
         "both together", f"λ_max at 24 layers / at 2 {both.text}"),
        f"λ_max at the start, {DEEP} layers, {activation}: {kind} / plain (< 1: smoother)", ratio,
        dict(above=1.0, how=f"95 % t of logarithms, n = {STARTS} starts"))


def small(points, activation, seed):
    problem = Network(MLP((10, 16, 16, 5), activation, init="he"), points)
    return problem, problem.start(np.random.default_rng(seed))


def flatness(points, seed):
    problem, theta = small(points, "relu", seed)
    other = rescale(theta, problem.layout, "layers.0", "layers.1", 10.0)
    tops = [top_curvature(problem, w, np.random.default_rng(0)).value for w in (theta, other)]
    same = abs(float_of(problem.loss(theta)) - float_of(problem.loss(other)))
    return Slip(
        "C7", "sharpness is λ_max, and tells how a network generalises", TUTORIAL,
        ("two networks of different λ_max differ in sharpness", "the same function after a layer "
         f"is scaled by 10 and the next by 1/10 (losses {same:.0e} apart): λ_max {numbers(tops)}",
         "a number that stretches with the weights", "adaptive sharpness, relative spread "
         + kept("landscape", "filter_normalisation", "the adaptive sharpness").text),
        "λ_max of two points of one function, larger / smaller", max(tops) / min(tops),
        dict(above=1.0, how=ONE))


def filters(points, seed):
    problem, theta = small(points, "relu", seed)
    rng = np.random.default_rng(seed)
    units = np.exp(rng.normal(0.0, 1.0, 16))
    d = xp.asarray(rng.standard_normal(problem.layout.size))
    other = rescale(theta, problem.layout, "layers.0", "layers.1", units)
    by_filter, by_weight = (rescaling_test(Objective(problem), problem.layout, theta, other, d,
                                           norm)[2] for norm in ("filter", "weight"))
    return Slip(
        "C8", "filter normalisation makes slices comparable", TUTORIAL,
        ("it removes the scale of the weights", "a factor for each unit, same function: the slice "
         f"changes by {by_filter:.2g} of its height", "it removes one factor a layer; each "
         "unit's needs normalisation by weights", f"{by_weight:.0e}"),
        "relative change of a filter-normalised slice between two points of one function",
        by_filter, dict(at_least=0.01, how=ONE, why="visible in a picture"))


def differences(points, seed, starts=6):
    """λ_max of deep networks by finite differences and exactly: relative error over the step."""
    points, errors = tuple(part[:60] for part in points), {}
    for activation in ("relu", "tanh"):
        problem = network("plain", DEEP, points, activation)
        errors[activation] = []
        for k in range(starts):
            theta = problem.start(np.random.default_rng([seed, k]))
            exact = by_power(HessianOp(problem, theta).matvec, theta)
            errors[activation].append([abs(by_power(by_differences(problem, theta, step), theta)
                                           / exact - 1.0) for step in STEPS])
    middle = {name: np.median(rows, axis=0).tolist() for name, rows in errors.items()}
    return Slip(
        "C9", "λ_max of ReLU networks by finite differences", "packages that offer them",
        ("products with the Hessian as differences of gradients", f"{DEEP} ReLU layers, error of "
         f"λ_max {numbers(middle['relu'])} for steps {numbers(STEPS)} of |θ| (medians of {starts} "
         "starts): every kink that a step crosses counts", "exact products, or an activation "
         "without kinks", f"tanh: {numbers(middle['tanh'])}"),
        "ReLU: relative error of λ_max at the usual step, 1e-5 (median of starts)",
        median_interval([row[USUAL] for row in errors["relu"]]),
        dict(at_least=0.01, how=f"exact 95 % interval of a median, n = {starts} starts",
             why=f"one per cent; the smooth network is off by {middle['tanh'][USUAL]:.0e}"), None,
        {"steps": STEPS, **middle})


def by_differences(problem, theta, step):
    """v -> (∇L(θ + e v) - ∇L(θ - e v)) / 2e with e = step |θ|/|v|."""
    objective, reach = Objective(problem), step * float_of(xp.linalg.norm(theta))

    def product(v):
        e = reach / float_of(xp.linalg.norm(v))
        up, down = (objective.value_and_grad(theta + side * v)[1] for side in (e, -e))
        return (up - down) * (0.5 / e)
    return product


def by_power(product, theta, passes=15):
    """Rayleigh's quotient after so many products with one start."""
    v = xp.asarray(np.random.default_rng(0).standard_normal(theta.shape))
    for _ in range(passes):
        v = v * (1.0 / float_of(xp.linalg.norm(v)))
        w = product(v)
        v, quotient = w, float_of(v @ w)
    return quotient


def sharpness_aware():
    gain = kept("landscape", "sam", "SAM .2 is more accurate")
    return Slip(
        "C10", "SAM gives 1 to 2 points", TUTORIAL,
        ("accuracy rises by 1 to 2 points", f"on noisy clusters by {gain.text}",
         "it depends on the model", "on ImageNet, with plain preprocessing, 5.3 points for a "
         "ViT and 11.0 for an MLP-Mixer are published (arXiv:2106.01548, abstract)"),
        "SAM's gain in accuracy on a small network", gain.value,
        dict(at_most=0.01, how=gain.how, why="the lower end of what is promised"))


def soups():
    lost = kept("landscape", "model_merging", "what the soup of strangers loses")
    tuned = kept("landscape", "model_merging", "greedy soup minus best single network")
    return Slip(
        "C11", "averaging weights merges models without loss", TUTORIAL,
        ("models are merged by the mean of their weights", f"four networks from four starts lose "
         f"{lost.text} in accuracy", "models fine-tuned from one start, chosen greedily",
         f"gain over the best of them {tuned.text}"),
        "accuracy that the mean of networks from different starts loses", lost.value,
        dict(above=0.0, how=lost.how))
