"""The picture of `warmup`: what each tool allows, λ_max as the rate rises, and the catapult."""
import numpy as np

from demos.landscape.training.warmup.catapult import PHASES
from demos.landscape.training.warmup.networks import TOOLS, WARMUP

COLOURS = ["0.55", "#3b6fb6", "#3d8f5f", "#e08a1e", "#b5123e"]


def draw(report, theory, rates, climb, flight):
    figure, ((allowed, rise), (loss, lam)) = report.subplots(2, 2, figsize=(9.5, 7))
    tools(allowed, theory, rates)
    way(rise, climb)
    losses, lams = flight
    for k, (phase, colour) in enumerate(zip(PHASES, COLOURS)):
        seen = np.isfinite(losses[:, k]) & (losses[:, k] < 1e12)
        steps = np.flatnonzero(seen & (np.arange(len(seen)) <= 60))
        loss.semilogy(steps, np.maximum(losses[steps, k] / losses[0, k], 1e-12), color=colour,
                      label=f"{phase:g}/λ")
        lam.plot(steps, lams[steps, k], color=colour)
    loss.set(xlabel="step", ylabel="loss / loss at the start", ylim=(1e-6, 1e8),
             title="f = v·u/√n: between 2/λ and 4/λ the loss rises, then ends low")
    lam.set(xlabel="step", ylabel="λ / λ at the start", ylim=(0, 1.6),
            title="and the curvature has fallen; above 4/λ both grow")
    loss.legend(fontsize=8, title="rate", title_fontsize=8)
    report.figure(figure)


def tools(ax, theory, rates):
    """Each tool's largest stable rate: the quadratic's as a bar, the data sets' as points."""
    for k, tool in enumerate(TOOLS):
        values = rates[tool]
        ax.plot(k + np.linspace(-0.15, 0.15, len(values)), values, "o", color="#b5123e", alpha=0.6,
                markersize=4, label="networks" if k == 0 else None)
        if tool in theory:
            ax.plot([k - 0.3, k + 0.3], [np.mean(theory[tool])] * 2, color="0.25", linewidth=2,
                    label="quadratic" if k == 0 else None)
        else:
            ax.annotate("quadratic: a cycle", (k, 1.0), ha="center", va="center", fontsize=7.5,
                        color="0.35")
    ax.set_yscale("log", base=2)
    ax.set_yticks([1, 2, 4, 8, 16], ["1", "2", "4", "8", "16"])
    ax.set_xticks(range(len(TOOLS)), TOOLS)
    ax.set(ylabel="largest stable rate, in 2/λ at the start",
           title="Warm-up and clipping allow more, where curvature changes")
    ax.legend(fontsize=8)


def way(ax, climb):
    """λ_max of one network while the rate rises, under the edge 2/η that comes down on it."""
    t = np.arange(1, climb.steps[-1] + 1)
    edge = 2 / (climb.rate * np.minimum(1.0, t / WARMUP))
    ax.plot(t - 1, edge, color="0.5", linestyle=(0, (4, 3)), label="2/η, the edge")
    ax.plot(climb.steps, climb.lam, "-o", color="#b5123e", markersize=3.5,
            label="$\\lambda_{max}$, rate rising")
    ax.axhline(climb.slow[1], color="#3b6fb6", linewidth=1,
               label="$\\lambda_{max}$ of slow descent at equal loss")
    ax.axvline(WARMUP, color="0.8", linewidth=0.8, zorder=0)
    ax.set(xlabel="step", ylabel="largest Hessian eigenvalue", ylim=(0, 1.5 * max(climb.lam)),
           title="Network: the rising rate pushes $\\lambda_{max}$ down")
    ax.legend(fontsize=8)
