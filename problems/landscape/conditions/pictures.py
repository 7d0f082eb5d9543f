"""The region of allowed pairs, and curves along a run."""
import numpy as np


def region(axis, envelope, gap=0.1, mesh=200):
    """Heat map of min T over (α, β) near the corner: white where a pair is not allowed.

    Draws β_min(α) as a line, α = β + gap dashed; returns the image, for a colour bar.
    """
    alpha, beta = envelope.pair(gap)
    reach = max(1.0, 0.5 * alpha)
    a = np.linspace(alpha - 0.1, alpha + reach, mesh)
    b = np.linspace(max(beta - 0.1, 0.0), max(beta - 0.1, 0.0) + reach + 0.1, mesh)
    T = envelope.min_T(a[None], b[:, None])
    T = np.where((T >= 0) & (a[None] >= b[:, None] + gap - 1e-12), T, np.nan)
    image = axis.pcolormesh(a, b, T, cmap="viridis", shading="nearest", rasterized=True)
    axis.plot(a, envelope.beta_min(a), color="k", linewidth=1.0, label="least beta")
    axis.plot(a, a - gap, color="k", linestyle="--", linewidth=0.8, label=f"alpha = beta + {gap:g}")
    axis.plot([alpha], [beta], "o", color="#b5123e", markersize=4)
    axis.set(xlim=(a[0], a[-1]), ylim=(b[0], b[-1]), xlabel="alpha", ylabel="beta")
    return image
