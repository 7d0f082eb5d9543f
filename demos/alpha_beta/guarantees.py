"""The theorems' bounds are never broken, and the floor they leave is there to be seen.

Question   do SGD, SPS, DecSPS, NGN and AdaGrad-norm stay below the bounds that the alpha-beta
           condition gives them, in expectation, on examples whose constants are known?
Expected   yes everywhere; constant rates stop at a floor, decreasing ones go on.
Time       about 20 s; --quick 4 s.
Source     arXiv:2410.12455, theorems 1 to 7 (its section 4 and appendix). Printed forms that differ
           between text and appendix: NGN's last term is 2 beta sigma² in the one and beta sigma² in
           the other, the larger is used here. AdaGrad-norm's printed constant does not follow from
           its proof (4 alpha, not 2 alpha): it is shown with 4.

f_1 = (x-1)²/2, f_2 = (x+1)²/2 has alpha = 1, beta = 0, L = 1, sigma² = 1/2 exactly, and SGD's
expectation in closed form; example 6 has a saddle, alpha = 1/c, beta = alpha - 1, and L = 2. The
expectation elsewhere is a mean of independent runs, all of them one batch of points.
"""
import math

import numpy as np

from demos.alpha_beta import bounds
from demos.evidence import t_interval
from demos.report.looks import colour
from minigrad.backend import to_host, xp
from optim import NGN, SGD, AdaGradNorm, DecSPS, StochasticPolyak, polynomial
from problems.finite_sums import example6, parabolas

SOURCE = "arXiv:2410.12455"
WHERE = "theorems 1 to 7"
CONSTANT = ("SGD", "SPS", "NGN")                        # rates that do not fall


def run(args, report):
    K, runs = (400, 200) if args.quick else (4000, 1000)
    closed_form(report)
    six = example6()
    alpha = 1.0 / six.values(six.minimisers).min()
    problems = {"parabolas": (parabolas(), 1.0, 0.0, 1.0, np.array([3.0])),
                "example 6": (six, alpha, alpha - 1.0, 2.0, np.array([-0.6, 0.9]))}
    rows, curves = [], {}
    for name, (f, a, b, L, start) in problems.items():
        for label, method, bound in methods(f, a, b, L, start):
            report.progress(f"{name}, {label}", len(curves) / 14)            # seven methods each
            gaps, met = follow(f, method(), start, K, runs, args.seed)
            curves[name, label] = (gaps.mean(axis=0), gaps[:, K // 2:].mean(axis=1))
            for k in (10, K // 10, K):
                best = gaps[:, :k].mean(axis=0).argmin()
                mean, low, high = t_interval(gaps[:, best])
                limit = bound(k, met)
                rows.append([name, label, k, mean, limit, high / limit])
    report.table(["problem", "method", "K", "min E[f - f*]", "bound", "upper end / bound"], rows,
                 title=f"{runs} independent runs; the expectation's least value before step K")
    report.claim("the largest of (upper end of the expectation's interval) / (its bound), over "
                 "problems, methods and K", max(row[-1] for row in rows), at_most=1.0,
                 origin="paper", where=WHERE, how=f"the exact maximum of upper ends, each of a 95 % t, n = {runs} runs")
    floor(report, curves)
    report.data["rows"] = rows
    if report.plotting:
        draw(report, curves, K)


def closed_form(report):
    """SGD on the parabolas: E x² -> (1-γ)² E x² + γ², f - f* = x²/2, bound 9/(K γ) + γ."""
    rows, worst = [], 0.0
    for gamma in (0.1, 0.3, 0.5):
        square, best = 9.0, math.inf
        for k in range(100):
            best = min(best, 0.5 * square)
            square = (1.0 - gamma) ** 2 * square + gamma * gamma
            if k + 1 in (10, 100):
                bound = 9.0 / ((k + 1) * gamma) + gamma
                rows.append([gamma, k + 1, best, bound])
                worst = max(worst, best / bound)
    report.table(["rate", "K", "min E[f - f*], exact", "bound"], rows,
                 title="SGD on (x-1)²/2, (x+1)²/2 from x = 3")
    report.claim("SGD's exact expectation / the bound of theorem 1, the largest", worst,
                 at_most=1.0, origin="paper", where="theorem 1", how="exact, in closed form")


def methods(f, alpha, beta, L, start):
    """(name, optimizer, bound(K, what was met on the way)) with the rates the theorems allow."""
    a, low = alpha - beta, f.lowest
    R2 = float(np.sum((start - f.nearest(start[None])[0, 0]) ** 2))
    lift = 1.0 if f.lowest.min() <= 0 else 0.0              # NGN needs f_i > 0: an exact shift
    known = bounds.Constants(alpha, beta, L, R2, f.interpolation_error, f.positive_error + lift)
    g, c, D0 = a / (2 * L), 1.0 / a, 1.0 / math.sqrt(2)
    b0 = 2 * L * D0 / a
    return [
        ("SGD", lambda: SGD(g), lambda K, it: bounds.sgd(known, K, g)),
        ("SGD/√k", lambda: SGD(polynomial(g)), lambda K, it: bounds.sgd_falling(known, K, g)),
        ("SPS", lambda: StochasticPolyak(1.0, c=c, minimum=lambda t: low[0]),
         lambda K, it: bounds.sps(known, K, c)),
        ("DecSPS", lambda: DecSPS(1.0, c=c, minimum=lambda t: low[0]),
         lambda K, it: bounds.decsps(known, K, c, it["D2"])),
        ("NGN", lambda: Lifted(NGN(1.0), lift), lambda K, it: bounds.ngn(known, K)),
        ("NGN/√k", lambda: Lifted(NGN(polynomial(1.0)), lift),
         lambda K, it: bounds.ngn_falling(known, K)),
        ("AdaGrad-norm", lambda: AdaGradNorm(D0, b0=b0, largest=True),
         lambda K, it: bounds.adagrad(known, K, D0, b0, it["G2"], it["g0"])),
    ]


class Lifted:
    """A method that is told f + lift: every f_i > 0, the slopes and sigma_int² as they were."""

    def __init__(self, method, lift):
        self.method, self.lift, self.init = method, lift, method.init

    def update(self, g, loss, theta, state):
        return self.method.update(g, loss + self.lift, theta, state)


def follow(f, method, start, K, runs, seed):
    """f - f* of each run before each step (runs, K), and the largest distances and slopes met."""
    rng = np.random.default_rng([seed, 7])
    theta = xp.asarray(np.tile(start, (runs, 1)))
    state, rows = method.init(theta), np.arange(runs)
    gaps, D2, G2, g0 = np.empty((runs, K)), 0.0, 0.0, None
    for k in range(K):
        F, g = f.slopes(theta)
        i = rng.integers(0, f.n, runs)
        gaps[:, k] = F.mean(axis=1) - f.minimum
        slope = g[rows, i]
        squares = np.sum(slope**2, axis=1)
        G2, g0 = max(G2, squares.max()), squares.min() if g0 is None else g0
        x = to_host(theta)
        D2 = max(D2, np.sum((x - f.nearest(x)[:, 0]) ** 2, axis=1).max())
        delta, state = method.update(xp.asarray(slope), xp.asarray(F[rows, i]), theta, state)
        theta = theta + delta
    return gaps, dict(D2=D2, G2=G2, g0=g0)


def floor(report, curves):
    """On the parabolas beta = 0: a decreasing rate has no floor, a constant one has."""
    for constant, falling in (("SGD", "SGD/√k"), ("NGN", "NGN/√k")):
        late = [curves["parabolas", name][1] for name in (constant, falling)]
        report.claim(f"parabolas: f - f* in the second half, {falling} minus {constant}",
                     *t_interval(late[1] - late[0]), below=0.0, origin="paper", where=WHERE,
                     how=f"95 % t, n = {len(late[0])} paired runs")


def draw(report, curves, K):
    fig, axes = report.subplots(1, 2, figsize=(10.5, 4.0))
    for axis, problem in zip(axes, ("parabolas", "example 6")):
        for (name, label), (mean, _) in curves.items():
            if name == problem:
                axis.loglog(np.arange(1, K + 1), mean, linewidth=1.2, color=colour(label),
                            label=label, linestyle="-" if label in CONSTANT else "--")
        axis.set(xlabel="step", ylabel="mean of f - f*", title=problem)
        axis.grid(alpha=0.2)
    axes[0].legend(fontsize=7)
    fig.suptitle("Mean over the runs: constant rates stop at a floor, falling ones (dashed) go "
                 "below it", fontsize=9)
    report.figure(fig)
