"""The picture: the two arms while they train, their barriers, and their first kernel components."""
import numpy as np

from demos.report.looks import colour
from problems.landscape.slices.kernel_pca import kernel_pca, unit

COLOURS = {arm: colour(arm) for arm in ("SGD-ES", "SGD-long", "QN-ES", "QN-full")}


def draw(report, small, images):
    figure, ((losses, heights), (raw, directions)) = report.subplots(2, 2, figsize=(9, 7.4))
    runs, _, barriers = small
    curves(losses, runs)
    boxes(heights, barriers)
    vectors = {arm: np.array([run["points"][arm] for run in runs]) for arm in COLOURS}
    components(raw, vectors, lambda z: z, "raw weights: components show the norms")
    components(directions, vectors, unit, "unit vectors: methods part less than stages do")
    report.figure(figure)
    if images:
        protocol(report, images)


def curves(ax, runs):
    """Training and test loss of every run over its steps (epochs of SGD, iterations of QN)."""
    for run in runs[:8]:
        for method, arm in (("SGD", "SGD-long"), ("QN", "QN-full")):
            steps, train, _, test = np.array(run["curves"][method]).T
            steps = np.arange(len(steps)) + 1
            ax.plot(steps, train, color=COLOURS[arm], lw=0.8)
            ax.plot(steps, test, color=COLOURS[arm], lw=0.8, ls=":")
    for method, arm in (("SGD, epochs", "SGD-long"), ("quasi-Newton, iterations", "QN-full")):
        ax.plot([], [], color=COLOURS[arm], label=method)
    ax.plot([], [], "k-", lw=0.8, label="training")
    ax.plot([], [], "k:", lw=0.8, label="test")
    ax.set(xscale="log", yscale="log", xlabel="epochs or iterations", ylabel="loss",
           title="quasi-Newton digs deeper, and its test loss rises")
    ax.legend(fontsize=8)


def boxes(ax, barriers):
    """Barriers of every pair: the straight line (hollow), the path (filled)."""
    for k, (arm, found) in enumerate(barriers.items()):
        for shift, what, filled in ((-0.15, "straight", False), (0.15, "path", True)):
            values = np.maximum([h[what] for h in found], 1e-4)
            spots = k + shift + np.linspace(-0.08, 0.08, len(values))
            ax.plot(spots, values, "o", ms=4, color=COLOURS[arm],
                    mfc=COLOURS[arm] if filled else "none")
    ax.set_xticks(range(len(barriers)), list(barriers))
    ax.set(yscale="log", ylabel="height above the higher end",
           title="barriers: straight line (hollow), path (filled)")


def components(ax, vectors, prepare, title):
    """The first two components of all arms together (rbf, median bandwidth)."""
    rows = np.concatenate(list(vectors.values()))
    found = kernel_pca(prepare(rows), components=2)
    start = 0
    for arm, part in vectors.items():
        spots = found.coordinates[start:start + len(part)]
        ax.plot(*spots.T, "o", color=COLOURS[arm], ms=5, label=arm)
        start += len(part)
    ax.set(xlabel=f"component 1 ({100 * found.shares[0]:.0f} %)",
           ylabel=f"component 2 ({100 * found.shares[1]:.0f} %)", title=title)
    ax.legend(fontsize=8)


def protocol(report, images):
    """The paper's protocol: loss curves of each network, and both sets in the kernel's plane."""
    figure, axes = report.subplots(2, len(images), figsize=(3.4 * len(images), 6.4))
    axes = np.array(axes).reshape(2, len(images))
    for (name, (runs, _, _)), (above, below) in zip(images.items(), axes.T):
        for run in runs:
            for key, arm in (("sgd", "SGD-long"), ("qn", "QN-full")):
                steps, train, _, test = np.array(run["curves"][key]).T
                above.plot(np.arange(len(steps)) + 1, train, color=COLOURS[arm], lw=0.8)
                above.plot(np.arange(len(steps)) + 1, test, color=COLOURS[arm], lw=0.8, ls=":")
        above.set(xscale="log", yscale="log", title=f"{name}: loss (dotted: test)",
                  xlabel="epochs (green), iterations (red)")
        sets = [np.array([run["points"][key] for run in runs], dtype=float)
                for key in ("sgd test", "qn train")]
        found = kernel_pca(np.concatenate(sets), bandwidth="parameters", components=2)
        first = len(sets[0])
        for part, arm, label in ((slice(None, first), "SGD-long", "SGD, test set"),
                                 (slice(first, None), "QN-full", "quasi-Newton, training set")):
            spots = found.coordinates[part]
            below.plot(spots[:, 0], spots[:, -1], "o", color=COLOURS[arm], label=label)
        below.set(xlabel="kernel component 1", ylabel="2", title="rbf, 2σ² = parameters")
        below.legend(fontsize=7)
    report.figure(figure, "protocol")
