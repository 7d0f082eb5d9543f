"""The three figures: around the network, along its training, and its curvature."""
import numpy as np

from problems.landscape import plots


def plane(report, model, plane):
    """The filter-normalised plane: contours, its height on a logarithmic scale, and as it is."""
    figure, (left, middle, right) = report.subplots(1, 3, figsize=(13.0, 4.4),
                                                    width_ratios=(1.15, 1.1, 1.1))
    plots.colour_bar(left, plots.contours(left, plane), label="training loss, logarithmic")
    plots.centre(left)
    left.set_title("Contours (cross: the network)")
    for axes, linear, title in ((middle, False, "Height drawn on a logarithmic scale"),
                                (right, True, "The same height on a linear scale")):
        axes = solid(figure, axes)
        plots.surface(axes, plane, linear=linear)
        axes.set_title(title)
    low, high = plane.centre, plane.heights.max()
    figure.suptitle(f"A trained {model}, filter-normalised plane: the loss climbs from {low:.2g} to "
                    f"{high:.2g} within its own length", fontsize=11)
    report.figure(figure)


def trajectory(report, plane, seen, steps, true, below):
    figure, (left, middle, right) = report.subplots(1, 3, figsize=(14.5, 4.4),
                                                    width_ratios=(1.15, 1.25, 1))
    plots.colour_bar(left, plots.contours(left, plane), label="training loss")
    plots.path(left, seen.coordinates)
    left.set(title="The plane of the run, and the iterates' shadows on it",
             xlabel="first main direction", ylabel="second main direction")
    solid_axes = solid(figure, middle)
    plots.surface(solid_axes, plane, points=np.column_stack([seen.coordinates, true]))
    solid_axes.set_title("Iterates at their own loss, off the surface\n(height on a logarithmic scale)")
    plots.true_against_plane(right, steps, true, below, seen.distances)
    right.set_title("Why: they do not lie in the plane")
    report.figure(figure, "trajectory")


def curvature(report, lines, lam_max, lam_min, convexity):
    figure, (left, right) = report.subplots(1, 2, figsize=(10.0, 4.2))
    for (name, line), colour in zip(lines.items(), (plots.INK, "#3b6fb6", "0.4")):
        left.plot(line.alphas, line.heights, color=colour, label=name, linewidth=1.8,
                  linestyle=(0, (2, 2)) if name == "random" else "-")
    line = lines["top eigenvector"]
    left.plot(line.alphas, line.centre + 0.5 * lam_max * line.alphas**2, ":", color=plots.INK,
              linewidth=1.0, label="its quadratic")
    left.set(xlabel="distance", ylabel="training loss", ylim=(0, None),
             title=f"A random line sees neither $\\lambda_{{max}}$ = {lam_max:.3g}\nnor "
                   f"$\\lambda_{{min}}$ = {lam_min:.2g}: it looks flat")
    left.legend(fontsize=8, handlelength=3)
    image = right.pcolormesh(convexity.alphas, convexity.betas, convexity.ratio, cmap="Greys",
                             shading="nearest", vmin=0.0, vmax=max(1.0, convexity.ratio.max()))
    figure.colorbar(image, ax=right, pad=0.02,
                    label="$|\\lambda_{min} / \\lambda_{max}|$ of the whole Hessian")
    if convexity.ratio.size <= 49:
        for b, row in zip(convexity.betas, convexity.ratio):
            for a, value in zip(convexity.alphas, row):
                right.text(a, b, f"{value:.2f}", ha="center", va="center", fontsize=8,
                           color="white" if value > 0.5 else "black")
    else:
        plots.centre(right)
    right.set(title="What a plane of heights does not show: the most negative\n"
                    f"curvature is up to {convexity.ratio.max():.2f} of the largest", aspect="equal", xlabel="along $d_1$", ylabel="along $d_2$")
    report.figure(figure, "curvature")


def solid(figure, flat):
    """Axes with three dimensions in the place of flat ones."""
    place = flat.get_subplotspec()
    flat.remove()
    return figure.add_subplot(place, projection="3d")
