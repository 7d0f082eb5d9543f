"""Document C, a tutorial on loss landscapes: statements that need another word to be true.

Each is executed on the smallest landscape that decides it; networks stand in `tutorial_networks`.
"""
import numpy as np

from minigrad.backend import to_host, xp
from optim import SGD, descent
from problems import functions
from problems.functions.ramp import Ramp
from problems.landscape.critical.escape import hitting_times
from problems.landscape.paths.flood import bottleneck
from problems.saddles import StrictSaddle

from demos.evidence import count_interval
from demos.landscape.saddle_escape.orders import count, resting_step
from demos.trial.errata.slip import Slip, kept

TUTORIAL = "a tutorial's sentence"


def slips(args):
    yield zero_loss_curve()
    yield bad_minima(args.seed)
    yield only_noise_escapes(args.seed)
    yield orders()


def zero_loss_curve():
    """(1 - ab)² between (1, 1) and (-1, -1), both global minima, by flooding a grid."""
    axis = np.linspace(-2.0, 2.0, 201)
    a, b = np.meshgrid(axis, axis, indexing="ij")
    cells = [int(np.abs(axis - end).argmin()) for end in (1.0, -1.0)]
    lowest = bottleneck((1.0 - a * b)**2, (cells[0], cells[0]), (cells[1], cells[1]))
    curve = kept("landscape", "mode_connectivity", "width 64: the Bezier curve")
    return Slip(
        "C1", "two minima are joined by a zero-loss curve", TUTORIAL,
        ("any two minima are, at loss zero", "(1 - ab)² has minima at (1, 1) and (-1, -1), loss "
         f"0; the lowest way between them rises to {lowest:g}",
         "wide networks are joined by curves of low loss, not by lines, and not at zero",
         f"barrier of a trained curve {curve.text}"),
        "height of the lowest way between two global minima of (1 - ab)²", lowest,
        dict(above=0.0, how="exact: a flooded grid, whose lines hold the ridge"))


def bad_minima(seed, d=20, starts=200):
    f = functions.styblinski_tang.in_dimensions(d)
    rng = np.random.default_rng(seed)
    theta = xp.stack([f.start(rng) for _ in range(starts)])
    *_, (_, _, loss, _) = descent(SGD(0.01), f, theta, steps=400)
    share = count_interval(int((to_host(loss) < f.minimum + 1e-3).sum()), starts)
    worst = float(to_host(loss).max() - f.minimum)
    return Slip(
        "C2", "no bad local minima in many dimensions", TUTORIAL,
        ("bad local minima hardly exist there", f"a sum of {d} one-dimensional wells has 2^{d} "
         f"minima and one lowest: descent reaches it from {100 * share[0]:.0f} % of {starts} "
         f"starts, and ends up to {worst:.0f} above it",
         "typical critical points of random landscapes have more downward directions the higher "
         "they lie", "correlation of height and index "
         + kept("landscape", "critical_points", "p-spin, N = 30: corr").text),
        "share of starts from which descent ends in the lowest minimum", share,
        dict(at_most=0.5, how=f"exact 95 % interval of a count, n = {starts} starts",
             why="half: were bad minima rare, most starts would miss them"))


def only_noise_escapes(seed, starts=40):
    problem, rng = StrictSaddle(10, 0.1), np.random.default_rng(seed)
    theta = xp.asarray(rng.standard_normal((starts, 10)))
    steps = hitting_times(SGD(0.1), problem, theta, lambda x: abs(problem.escaping(x)) > 3.0,
                          4000).steps
    left = count_interval(int(np.isfinite(steps).sum()), starts)
    return Slip(
        "C3", "noise lets descent leave saddles", TUTORIAL,
        ("it is the noise of minibatches that lets it", f"without any, from {100 * left[0]:.0f} % "
         f"of {starts} random starts it leaves, after {np.median(steps):.0f} steps (median)",
         "noise helps where the start lies on the way into the saddle, or one saddle follows "
         "another", "five saddles in a row, median steps with noise "
         + kept("landscape", "saddle_escape", "octopus, d = 5, L = 1: median steps of pert").text),
        "share of random starts from which descent without noise leaves a strict saddle", left,
        dict(at_least=0.5, how=f"exact 95 % interval of a count, n = {starts} starts",
             why="half: were noise needed, none would"))


def orders(epsilons=(0.1, 0.07, 0.05, 0.035)):
    """Full gradients that descent without noise needs until the slope is ε."""
    counts, rng = [], np.random.default_rng(0)          # draws nothing: there is no noise
    for eps in epsilons:
        ramp = Ramp(2 * eps)
        lr = resting_step(ramp, eps, 0.0, rng, 1, 1, 300)
        counts.append(count(ramp, eps, lr, 0.0, rng, 1)[0])
    power = float(-np.polyfit(np.log(epsilons), np.log(counts), 1)[0])
    samples = kept("landscape", "saddle_escape", "sample gradients grow")
    return Slip(
        "C4", "perturbed descent takes 1/ε⁴", TUTORIAL,
        ("O(1/ε⁴), for a method of 2017 with exact gradients", f"counted, the power is {power:.3f}",
         "1/ε² full gradients (2017), 1/ε⁴ sample gradients (2021)",
         f"power of sample gradients {samples.text}"),
        "power of 1/ε in the count of full gradients", power,
        dict(equivalent=(2.0, 0.25), how="exact: one deterministic run for each ε",
             why="a quarter tells 2, 3 and 4 apart"), (4.0, power))
