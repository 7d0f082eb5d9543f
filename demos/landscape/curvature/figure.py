"""The picture of `curvature`: a spectrum and its estimate, two ways to an end, two to a trace."""
import numpy as np

INK, RED, BLUE = "0.25", "#b5123e", "#3b6fb6"


def draw(report, eig, found, errors, gains):
    figure, (left, middle, right) = report.subplots(1, 3, figsize=(11.5, 3.8),
                                                    width_ratios=(2, 1.2, 1))
    left.hist(eig, np.linspace(found.grid[0], found.grid[-1], 90), density=True, color="0.82",
              label=f"all {len(eig)} eigenvalues")
    low, high = found.density - 2 * found.stderr, found.density + 2 * found.stderr
    left.fill_between(found.grid, np.maximum(low, 1e-9), high, color=RED, alpha=0.2, lw=0,
                      label="two standard errors")
    left.plot(found.grid, np.maximum(found.density, 1e-9), color=RED, lw=1.2,
              label="from 10 probes of 80 products")
    left.plot(eig, np.full(len(eig), 1.6e-4), "|", color=INK, ms=5, mew=0.6)
    left.set(yscale="log", ylim=(1e-4, 4 * found.density.max()), ylabel="density",
             xlabel="eigenvalue of a trained network's Hessian",
             title="A spectrum seen through products: a bulk at 0, a few outliers")
    m = list(errors)
    for k, name, colour in ((1, "power iteration", BLUE), (0, "Lanczos", RED)):
        middle.loglog(m, [max(errors[products][k], 1e-16) for products in m], "-o", color=colour,
                      ms=3.5, label=name)
    middle.set(xlabel="products with the matrix", ylabel="median error in lambda_max",
               title="4.9 close below 5: who gets past it?")
    place = np.arange(len(gains))
    for k, name, colour in ((0, "Hutchinson", BLUE), (1, "Hutch++", RED)):
        right.bar(place + 0.4 * k - 0.2, [row[k] for row in gains.values()], 0.4, color=colour,
                  label=name)
    right.set(yscale="log", ylim=(None, 100), xticks=place, xticklabels=gains,
              ylabel="rms error of the trace",
              title="Hutch++ wins, unless all are alike")
    for ax in (left, middle, right):
        ax.legend(fontsize=8)
    report.figure(figure)
