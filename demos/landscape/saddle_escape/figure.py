"""The picture of `saddle_escape`: the octopus' stairs and why they lengthen; two orders."""
import numpy as np

from minigrad.backend import to_host, xp

GREY, GOLD, RED, BLUE = "0.35", "#e08a1e", "#b5123e", "#3b6fb6"
COLOURS = {"gradient descent": GREY, "SGD, noise .01": GOLD, "perturbed": RED,
           "saddle-free Newton": BLUE}


def draw(report, leaving, octopus, counts):
    figure, ((stairs, shrink), (leave, law)) = report.subplots(2, 2, figsize=(9.5, 7))
    problem, plain, perturbed = octopus
    for path, name in ((plain, "gradient descent"), (perturbed, "perturbed")):
        heights = to_host(problem(xp.asarray(path))) / problem.nu
        stairs.semilogx(heights, color=COLOURS[name], lw=0.6, alpha=0.5)
        stairs.plot([], [], color=COLOURS[name], label=f"{name}, {path.shape[1]} starts")
    stairs.set(xlabel="steps", ylabel="height, in drops per saddle",
               title=f"Octopus: {problem.d} saddles, {problem.d} stairs")
    for i in range(problem.d):
        shrink.semilogy(np.abs(plain[:, 0, i]), color=str(0.75 - 0.15 * i), label=f"x{i + 1}")
    shrink.set(xlabel="steps of gradient descent, one start", ylabel="coordinate, absolute",
               title="Why they get longer: while one leaves, the next shrinks")
    for name, y in leaving.items():
        leave.loglog(np.arange(1, len(y) + 1), np.maximum(y, 1e-12), color=COLOURS[name],
                     label=name)
    leave.set(xlabel="steps + 1", ylabel="distance along the way out (0 drawn as 1e-12)",
              title="One strict saddle, gam = .1, lr = .1")
    for k, name, colour in ((1, "full gradients", BLUE), (2, "sample gradients", RED)):
        eps, count = counts[:, 0], counts[:, k]
        law.loglog(eps, count, "o", color=colour, label=name)
        law.loglog(eps, count[0] * (eps[0] / eps)**(2 * k), color=colour, lw=0.8,
                   label=f"slope -{2 * k}")
    law.set(xlabel="gradient norm asked for, eps", ylabel="gradients until |g| <= eps",
            title="1/eps^2 counts full gradients, 1/eps^4 samples")
    law.set_xticks(eps, [f"{e:g}" for e in eps], minor=False)
    law.set_xticks([], minor=True)
    for ax in (stairs, shrink, leave, law):
        ax.legend(fontsize=8)
    report.figure(figure)
