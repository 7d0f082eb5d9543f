"""The picture of `critical_points`: height against index on three landscapes, and why."""
import numpy as np

INK, RED, BLUE = "0.25", "#b5123e", "#3b6fb6"


def draw(report, spin, points, study, lattice, learning, network):
    figure, ((law, spectra), (stairs, net)) = report.subplots(2, 2, figsize=(9.5, 7))
    E = np.linspace(-1.75, 1.75, 400)
    law.scatter(study.f / spin.N, study.alpha * spin.N / (spin.N - 1), s=5, color=BLUE, alpha=0.4,
                lw=0, label=f"{len(points)} critical points, N = {spin.N}")
    law.plot(E, spin.index_law(E), color=RED, lw=1.4, label="semicircle law, N infinite")
    law.axvline(spin.threshold, color=INK, lw=0.8, ls=":")
    law.text(spin.threshold, 0.7, " only minima\n below here", fontsize=7, color=INK)
    law.set(xlabel="height E", ylabel="index / dimension",
            title="Random landscape: the index follows the height ...")
    shifted_semicircles(spectra, spin, points)
    for less, more in learning:
        stairs.plot(*zip(lattice[less][:2], lattice[more][:2]), color="0.8", lw=1, zorder=0)
    for S, (f, k, _) in lattice.items():
        stairs.plot(f, k, "o", color=RED if k else BLUE, ms=6)
        stairs.annotate(name(S), (f, k), (6, -9), textcoords="offset points", fontsize=8)
    stairs.set(xlabel="loss", ylabel="index, of 18 directions",
               title="Deep linear network: each direction learned lowers both")
    net.scatter(network.f, network.alpha * 17, s=16, color=BLUE, alpha=0.6, lw=0)
    net.set(xlabel="loss", ylabel="index, of 17 directions",
            title=f"Small tanh network: a tendency, rank correlation {network.rank:.2f}"
            if len(network.f) > 2 else "Small tanh network: too few searches ended")
    net.yaxis.get_major_locator().set_params(integer=True)
    law.legend(fontsize=8)
    report.figure(figure)


def shifted_semicircles(ax, spin, points):
    """Eigenvalues near three heights, and the semicircles around -p E."""
    t = np.linspace(-1, 1, 200)
    for level, colour in ((-1.2, BLUE), (0.0, INK), (1.2, RED)):
        near = [p.eig[np.abs(p.eig) > 1e-9] for p in points if abs(p.f / spin.N - level) < 0.2]
        if near:
            ax.hist(np.concatenate(near), np.linspace(-10, 10, 51), density=True, color=colour,
                    alpha=0.35)
        ax.plot(spin.radius * t - spin.p * level, 2 / (np.pi * spin.radius) * np.sqrt(1 - t * t),
                color=colour, label=f"E near {level:g}")
    ax.axvline(0, color=INK, lw=0.8, ls=":")
    ax.set(xlabel="eigenvalue of the Hessian", ylabel="density",
           title=f"... because the spectrum shifts by -{spin.p} E")
    ax.legend(fontsize=8)


def name(S):
    """A set of learned directions, by the singular values 3, 2, 1."""
    return "{" + ",".join(str(3 - i) for i in S) + "}"
