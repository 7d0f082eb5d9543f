"""The picture of `saddle_escape`: the octopus' stairs and why they lengthen; two orders."""
import numpy as np

from demos.report.looks import colour, look
from minigrad.backend import to_host, xp

FULL, SAMPLES = "#3b6fb6", "#b5123e"


def draw(report, leaving, octopus, counts):
    figure, ((stairs, shrink), (leave, law)) = report.subplots(2, 2, figsize=(9.5, 7.2))
    problem, plain, perturbed = octopus
    walk(stairs, problem, {"gradient descent": plain, "perturbed": perturbed})
    sleepers(shrink, problem, np.abs(plain[:, 0]))
    exits(leave, leaving)
    orders(law, counts)
    report.figure(figure)


def walk(axes, problem, paths):
    """Heights of all runs, and of the run that arrives in the middle of the others, thick."""
    arrived = {}
    for name, path in paths.items():
        heights = to_host(problem(xp.asarray(path))) / problem.nu                   # (steps, runs)
        down = (heights > 0.999 * heights.min()).sum(axis=0)
        middle = int(np.argsort(down)[len(down) // 2])
        arrived[name] = down[middle]
        axes.semilogx(heights, color=colour(name), lw=0.5, alpha=0.25)
        axes.plot(heights[:, middle], lw=2.2, label=f"{name}: {down[middle]} steps", **look(name))
    slow, fast = arrived.values()
    axes.set(xlabel="steps", ylabel="height, in drops per saddle",
             title=f"{problem.d} saddles in a row: {slow / fast:.1f} times faster with noise")
    axes.legend(fontsize=8, loc="lower left", title=f"thick: the median of {path.shape[1]} starts",
                title_fontsize=8)


def sleepers(axes, problem, coordinates):
    """|x_i| of one run: while coordinate i leaves its saddle, the next ones shrink."""
    for i in range(problem.d):
        x, shade = coordinates[:, i], str(0.72 - 0.16 * i)
        axes.semilogy(x, color=shade, lw=1.8)
        low = int(np.argmin(x))
        if x[low] < 1e-6:                               # the first ones hardly fall asleep
            axes.annotate(f"x{i + 1}", (low, x[low]), xytext=(4, -3), textcoords="offset points",
                          fontsize=9, color=shade, ha="left", va="top")
    low = coordinates.min()
    axes.set(xlabel="steps of gradient descent, one start", ylabel="|coordinate|",
             ylim=(low ** 1.12, low ** -0.08),
             title="... because the next one shrinks while one leaves")


def exits(axes, leaving):
    """The distance along the one way down, from the start to the exit."""
    for name, y in leaving.items():
        steps, y = np.arange(1, len(y) + 1), np.maximum(y, 1e-12)
        axes.loglog(steps, y, lw=1.8, label=f"{name}: {len(y) - 1} steps", **look(name))
        axes.plot(steps[-1], y[-1], "*", ms=11, color=colour(name), mec="white", mew=0.6)
    axes.set(xlabel="steps + 1", ylabel="distance along the way out (0 is drawn as 1e-12)",
             ylim=(1e-19, 30.0), title="Off one strict saddle: curvature -.1, rate .1")
    axes.legend(fontsize=8, loc="lower right", handlelength=2.5)


def orders(axes, counts):
    """Gradients needed against the accuracy asked for, beside the powers -2 and -4."""
    eps = counts[:, 0]
    for k, name, ink, mark in ((1, "full", FULL, "o"), (2, "sample", SAMPLES, "s")):
        count = counts[:, k]
        axes.loglog(eps, count, mark, color=ink, ms=6)
        axes.loglog(eps, count[0] * (eps[0] / eps)**(2 * k), color=ink, lw=0.9)
        middle = len(eps) // 2
        axes.annotate(f"{name} gradients; the line: ε^-{2 * k}", (eps[middle], count[middle]),
                      color=ink, xytext=(2, 8), textcoords="offset points", ha="left", fontsize=9)
    axes.set(xlabel="gradient norm asked for, ε", ylabel="gradients until |g| <= ε",
             title="1/ε² counts full gradients, 1/ε⁴ counts samples")
    axes.set_xticks(eps, [f"{e:g}" for e in eps], minor=False)
    axes.set_xticks([], minor=True)
