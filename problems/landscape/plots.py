"""Pictures of slices: contours, surfaces and the paths of runs over them.

Every function draws on axes that the caller made and returns what it drew. Heights are coloured on
a logarithmic scale, since a loss spans decades; what lies lower than four decades under the top of
a plane is drawn at that floor.
"""
import numpy as np

CMAP = "viridis"                                    # even steps of lightness: fine in grey, too
INK = "#b5123e"                                     # the one accent: paths, centres, thresholds


def log_levels(heights, count=24):
    """Contour levels, even in the logarithm, from the floor to the top of the finite heights."""
    finite = np.asarray(heights)[np.isfinite(heights)]
    top, low = finite.max(), finite.min()
    if not top > 0:
        raise ValueError(f"log_levels: no height is positive (largest {top}), so there is no "
                         "logarithm. Add a constant.")
    low = max(low, top * 1e-4)
    if low == top:
        return np.asarray([low * 0.99, top * 1.01])
    return np.geomspace(low, top * (1 + 1e-9), count)


def contours(ax, plane, levels=None, cap=None, labels=True):
    """Filled contours of a Plane with thin lines on top; returns the filled set, for a colour bar.

    levels   heights of the contours, to share them among pictures; `log_levels` by default
    cap      heights above it are drawn at it
    """
    import matplotlib.ticker as ticker
    from matplotlib.colors import LogNorm

    z = shown(plane.heights, cap)
    levels = log_levels(z) if levels is None else levels
    z = np.clip(z, levels[0], levels[-1])
    norm = LogNorm(levels[0], levels[-1])
    filled = ax.contourf(plane.alphas, plane.betas, z, levels=levels, norm=norm, cmap=CMAP)
    lines = ax.contour(plane.alphas, plane.betas, z, levels=levels[1::3], norm=norm, colors="white",
                       linewidths=0.5, alpha=0.7)
    if labels:
        ax.clabel(lines, fmt=lambda value: f"{value:.2g}", fontsize=6)
    ax.set(xlabel="along $d_1$", ylabel="along $d_2$")
    filled.format_ticks = ticker.FuncFormatter(lambda value, _: f"{value:.2g}")
    return filled


def colour_bar(ax, filled, label="loss"):
    """A bar with plain numbers at a handful of heights beside the axes, one or a list of them."""
    low, high = filled.norm.vmin, filled.norm.vmax
    figure = (ax[0] if isinstance(ax, list) else ax).figure
    bar = figure.colorbar(filled, ax=ax, label=label, ticks=np.geomspace(low, high, 5), pad=0.02,
                             format=filled.format_ticks)
    bar.minorticks_off()
    return bar


def centre(ax, label=None):
    """Mark the point around which the slice was taken."""
    return ax.plot(0, 0, marker="+", color=INK, markersize=9, markeredgewidth=1.6, linestyle="none",
                   label=label)[0]


def path(ax, coordinates, label=None, colour=INK):
    """The projected iterates (T, 2) of a run, from an open circle to a star."""
    c = np.asarray(coordinates)
    drawn, = ax.plot(c[:, 0], c[:, 1], "-o", color=colour, linewidth=1.2, markersize=2.2,
                     label=label)
    ax.plot(*c[0], "o", color="white", markeredgecolor=colour, markersize=6)
    ax.plot(*c[-1], "*", color="white", markeredgecolor=colour, markersize=11)
    return drawn


def surface(ax, plane, cap=None, points=None, elevation=32.0, azimuth=-58.0, linear=False):
    """The plane as a lit surface over its own contours; ax has projection="3d".

    points   (T, 3): alpha, beta and the *true* loss of iterates, drawn where they really are
    linear   the height as it is; else its logarithm. The two look like different landscapes: say
             which it is.
    """
    from matplotlib import colormaps
    from matplotlib.colors import LightSource, Normalize

    z = shown(plane.heights, cap)
    scaled = (lambda heights: heights) if linear else np.log10
    levels = np.linspace(z.min(), z.max(), 18) if linear else np.log10(log_levels(z, 18))
    z = np.maximum(scaled(np.maximum(z, 1e-300)), levels[0])
    a, b = np.meshgrid(plane.alphas, plane.betas)
    bottom, top = levels[0], levels[-1]
    norm = Normalize(bottom, top)
    light = LightSource(azdeg=225, altdeg=50)
    faces = light.shade(z, cmap=colormaps[CMAP], norm=norm, blend_mode="soft", vert_exag=0.3,
                        dx=float(np.ptp(plane.alphas)) / z.shape[1],
                        dy=float(np.ptp(plane.betas)) / z.shape[0])
    floor = bottom - 0.35 * (top - bottom)
    ax.plot_surface(a, b, z, facecolors=faces, rcount=z.shape[0], ccount=z.shape[1], linewidth=0,
                    antialiased=False, shade=False)
    ax.contour(a, b, z, levels=levels, zdir="z", offset=floor, cmap=CMAP, linewidths=0.7)
    if points is not None:
        p = np.asarray(points)
        height = np.maximum(scaled(np.maximum(p[:, 2], 1e-300)), bottom)
        ax.plot(p[:, 0], p[:, 1], height, color=INK, linewidth=1.6, zorder=10)
        ax.scatter(p[-1:, 0], p[-1:, 1], height[-1:], color=INK, marker="*", s=60, zorder=11)
    ax.set(zlim=(floor, top), xlabel="along $d_1$", ylabel="along $d_2$")
    ticks = np.linspace(bottom, top, 4)
    ax.set_zticks(ticks, [f"{tick if linear else 10.0 ** tick:.2g}" for tick in ticks])
    for low, high, place in ((a.min(), a.max(), ax.set_xticks), (b.min(), b.max(), ax.set_yticks)):
        place([low, 0.0, high], [f"{low:.2g}", "0", f"{high:.2g}"])
    ax.view_init(elevation, azimuth)
    ax.set_box_aspect((1.0, 1.0, 0.8), zoom=1.05)
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.pane.set_visible(False)
        axis._axinfo["grid"].update(color="0.9", linewidth=0.4)
    return ax


def true_against_plane(ax, steps, true, plane_heights, distances):
    """Per iterate: its own loss, the plane's loss under it; on the right, the distance."""
    ax.semilogy(steps, true, color=INK, label="loss at the iterate")
    ax.semilogy(steps, plane_heights, "--", color="0.45", label="the plane's loss under it")
    ax.set(xlabel="step", ylabel="loss")
    right = ax.twinx()
    right.plot(steps, distances, color="#3b6fb6", linewidth=0.9, label="distance from the plane")
    right.set_ylabel("distance", color="#3b6fb6")
    right.spines["top"].set_visible(False)
    right.set_ylim(bottom=0)
    handles = [line for axes in (ax, right) for line in axes.get_lines()]
    ax.legend(handles, [line.get_label() for line in handles], fontsize=7, loc="upper right")
    return right


def shown(heights, cap):
    """Heights as they can be drawn: what is not finite, or above the cap, stands at the cap."""
    z = np.asarray(heights, dtype=float)
    top = z[np.isfinite(z)].max() if cap is None else cap
    return np.where(np.isfinite(z), np.minimum(z, top), top)
