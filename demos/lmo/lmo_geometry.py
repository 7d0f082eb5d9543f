"""Every norm has its own steepest descent: from SGD through the Schatten powers to Muon and sign.

Question   which step of norm 1 is best aligned with a gradient, and what does it look like?
Expected   <M, D> equals the dual norm in all four families, and no feasible step does better. Five
           Newton-Schulz passes leave singular values within [.68, 1.14] and never converge; eight
           passes of Polar Express do. Powers by eigenvalues of the Gram matrix are three times as
           fast as by the decomposition, powers by products alone are right to 1e-3.
Time       about 5 s; --quick 2 s.
Source     Massena, Friedrich & Serrurier 2026, arXiv:2605.19781; Bernstein & Newhouse 2024,
           arXiv:2409.20325; Newton-Schulz: github.com/KellerJordan/Muon; Polar Express:
           arXiv:2505.16932. The mixture of iterates behind "products" is ours.

Bars were set before the first run, from the specification of the method; none was moved.
"""
import math
import time

import numpy as np

from demos.evidence import median_interval
from minigrad.backend import to_host, xp
from optim.lmo import lmo, newton_schulz, norm, polar_express, psi
from optim.lmo.products import CUBIC, JORDAN, QUINTIC
from problems.landscape import plots

SOURCE = "arXiv:2605.19781"
BALLS = [("schatten", P) for P in (1.0, 1.5, 2.0, 3.0, 5.0, math.inf)] + [
    ("entrywise", P) for P in (1.0, 3.0, math.inf)] + [("rows", math.inf)]
PICTURES = [("SGD: t = 1", lambda M: psi(M, 1.0)), ("t = 1/2", lambda M: psi(M, 0.5)),
            ("Muon: t = 0", lambda M: psi(M, 0.0)),
            ("sign", lambda M: lmo(M, math.inf, "entrywise")),
            ("rows", lambda M: lmo(M, math.inf, "rows")), ("rank one", lambda M: lmo(M, 1.0))]


def run(args, report):
    rng = np.random.default_rng(args.seed)
    duality(report, rng, 200 if args.quick else 2000)
    passes(report)
    powers(report, rng, 15 if args.quick else 101)
    if report.plotting:
        draw(report, gradient(rng))


def gradient(rng):
    """A matrix as gradients are: a few large directions, and many small ones."""
    U, V = (np.linalg.qr(rng.standard_normal((n, n)))[0] for n in (10, 14))
    return xp.asarray((U * 10.0 ** -np.linspace(0, 2, 10)) @ V[:, :10].T)


def duality(report, rng, trials):
    """<M, D> against the dual norm, and against random steps of norm 1."""
    M, rows, gaps, best = gradient(rng), [], [], []
    for ball, P in BALLS:
        D = lmo(M, P, ball)
        aligned, dual = float((M * D).sum()), dual_norm(M, P, ball)
        reach = xp.asarray(10.0 ** rng.uniform(-3, 0, (trials, 1, 1)))    # near and far
        others = D + reach * xp.asarray(rng.standard_normal((trials, *M.shape)))
        sizes = size(others, P, ball)
        ratio = float(((M * others).sum(axis=(-2, -1)) / sizes).max()) / aligned
        gaps.append(abs(aligned / dual - 1.0))
        best.append(ratio)
        s = np.linalg.svd(to_host(D), compute_uv=False)
        rows.append([ball, P, aligned, dual, s[s > 1e-9].max() / s[s > 1e-9].min(), ratio])
    report.table(["ball", "P", "<M, D>", "dual norm", "spread of s", "best of random"], rows,
                 title=f"Steps of norm 1 along one gradient (10 x 14), and {trials} random ones")
    report.claim("<M, lmo(M)> is the dual norm (largest relative gap of ten balls)", max(gaps),
                 origin="paper", where="Bernstein & Newhouse, table 1; here all Schatten P",
                 how="exact, one matrix", at_most=1e-10, why="rounding of a decomposition")
    report.claim("no random feasible step is better aligned (best / lmo)", max(best),
                 origin="ours", where="the definition of the oracle", at_most=1.0,
                 how=f"{trials} draws for each ball")
    report.data["balls"] = rows


def dual_norm(M, P, ball):
    """The norm that <M, D> should reach."""
    Q = 1.0 if P == math.inf else math.inf if P == 1.0 else P / (P - 1.0)
    if ball == "rows":
        return float(xp.sqrt((M * M).sum(axis=-1)).sum())
    return norm(M, Q, ball).item()


def size(D, P, ball):
    if ball == "rows":
        return xp.sqrt((D * D).sum(axis=-1)).max(axis=-1)
    return norm(D, P, ball)[..., 0, 0]


def passes(report):
    """The scalar maps of the polar iterations, on diagonal matrices."""
    def after(f, s):
        return np.array([np.abs(to_host(f(xp.asarray(np.diag([v, math.sqrt(1 - v * v)]))))[0, 0])
                         for v in s])
    s = np.geomspace(0.01, 0.7, 200)
    mapped = {n: after(lambda M, n=n: newton_schulz(M, n), s) for n in (5, 20)}
    for n, values in mapped.items():
        report.claim(f"{n} passes of Newton-Schulz map [.01, .7] into [.68, 1.14] (median image)",
                     float(np.median(values)), float(values.min()), float(values.max()),
                     origin="code", where="KellerJordan/Muon, its quintic",
                     how="from the smallest to the largest of 200", between=(0.68, 1.14),
                     why="the range of the scalar map, which more passes do not narrow")
    error = {n: float(np.abs(after(lambda M, n=n: polar_express(M, n), np.geomspace(1e-3, .7, 200))
                             - 1).max()) for n in (5, 6, 7, 8)}
    report.table(["passes", "largest error"], [[n, e] for n, e in error.items()],
                 title="Polar Express, singular values from 1e-3 of |M|_F up")
    report.claim("eight passes of Polar Express give the polar factor", error[8], origin="code",
                 where="arXiv:2505.16932, coefficients with cushion 1.01", at_most=1e-12,
                 how="exact, 200 values", why="rounding")
    report.data["polar express"] = error


def powers(report, rng, repeats):
    """Ψ_1/2 three ways: how far from the decomposition, and how long."""
    M = xp.asarray(rng.standard_normal((512, 128)))
    exact, seconds, off = psi(M, 0.5, "svd"), {}, {}
    for turn in range(repeats):                             # turn about: the machine is shared
        for method in ("svd", "eigh", "products")[:3 if turn < 3 else 2]:
            start = time.perf_counter()
            X = psi(M, 0.5, method)
            seconds.setdefault(method, []).append(time.perf_counter() - start)
            off[method] = float(abs(X - exact).max() / abs(exact).max())
    report.table(["way", "ms", "off"], [[m, 1e3 * float(np.median(t)), off[m]]
                                        for m, t in seconds.items()],
                 title="The square root of the singular values of a 512 x 128 matrix")
    ratios = np.array(seconds["svd"]) / np.array(seconds["eigh"])
    report.claim("powers by eigenvalues of the Gram matrix: time of the decomposition / theirs",
                 *median_interval(ratios), origin="ours", where="512 x 128, float64, one thread",
                 how=f"exact interval of the median, n = {repeats} turns", at_least=3.0,
                 why="below that the second way would not earn its place")
    report.claim("powers by products alone: largest error", off["products"], origin="ours",
                 where="the same matrix", how="exact, one matrix", at_most=1e-3,
                 why="what the mixture is fitted to on [1e-4, 1]")
    report.data["milliseconds"] = {m: 1e3 * float(np.median(t)) for m, t in seconds.items()}


def draw(report, M):
    figure, axes = report.subplots(2, 4, figsize=(10.5, 5.2))
    ball_picture(axes[0, 0])
    map_picture(axes[1, 0])
    for axis, (name, f) in zip(axes[:, 1:].ravel(), PICTURES):
        X = to_host(f(M))
        s = np.linalg.svd(X, compute_uv=False)
        top = np.abs(X).max()
        axis.imshow(X, cmap="RdBu_r", vmin=-top, vmax=top, aspect="auto")
        inset = axis.inset_axes((0.0, -0.3, 1.0, 0.24))
        inset.bar(range(len(s)), s / s[0], color=plots.INK, width=0.7)
        inset.set(xticks=[], yticks=[], ylim=(0, 1.15))
        inset.set_xlabel("singular values", fontsize=7)
        axis.set(title=name, xticks=[], yticks=[])
    figure.suptitle("One gradient, six steps: the ball of the norm decides which directions move",
                    fontsize=10)
    report.figure(figure)


def ball_picture(axis):
    """Diagonal matrices diag(x, y): the Schatten balls are the ℓ_P balls of the plane."""
    angle = np.linspace(0, 2 * np.pi, 400)
    g = np.array([1.0, 0.35])
    shades = {1.0: "0.75", 1.5: "0.6", 2.0: "#3b6fb6", 3.0: "#3d8f5f", math.inf: "#b5123e"}
    for P, colour in shades.items():
        x, y = np.cos(angle), np.sin(angle)
        r = (np.maximum(abs(x), abs(y)) if P == math.inf
             else (abs(x)**P + abs(y)**P) ** (1 / P))
        axis.plot(x / r, y / r, color=colour, linewidth=1.0, label=f"{P:g}")
        D = np.diag(to_host(lmo(xp.asarray(np.diag(g)), P)))
        axis.plot(*D, "o", color=colour, markersize=4)
    axis.annotate("", g * 1.25, (0, 0), arrowprops=dict(arrowstyle="->", color="0.2"))
    axis.set(title="balls of diag(x, y), and the\nbest point of each along the arrow", xlabel="x",
             ylabel="y", aspect="equal", xlim=(-1.3, 1.5))
    axis.legend(title="P", fontsize=6, title_fontsize=7, loc="center", bbox_to_anchor=(0.36, 0.36))


def map_picture(axis):
    """What the passes do to a singular value."""
    s = np.geomspace(1e-3, 1, 300)
    lines = {"Newton-Schulz, 5": ([JORDAN] * 5, "#b5123e", "-"),
             "quintic, 8": ([QUINTIC] * 8, "#3b6fb6", "--"),
             "cubic, 8": ([CUBIC] * 8, "0.5", ":")}
    for name, (polynomials, colour, style) in lines.items():
        y = s.copy()
        for a, b, c in polynomials:
            y = a * y + b * y**3 + c * y**5
        axis.semilogx(s, y, style, color=colour, linewidth=1.2, label=name)
    y = np.array([to_host(polar_express(xp.asarray(np.diag([v, math.sqrt(1 - v * v)]))))[0, 0]
                  for v in s[:-1]])
    axis.semilogx(s[:-1], y, color="#3d8f5f", linewidth=1.2, label="Polar Express, 8")
    axis.set(title="passes towards 1", xlabel="singular value", ylabel="after the passes")
    axis.legend(fontsize=6)
