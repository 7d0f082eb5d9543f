"""The three figures: around the network, along its training, and its curvature."""
import numpy as np

from problems.landscape import plots


def plane(report, model, plane):
    figure, (left, right) = report.subplots(1, 2, figsize=(10.5, 4.6), width_ratios=(1, 1.15))
    plots.colour_bar(left, plots.contours(left, plane), label="training loss")
    plots.centre(left)
    left.set_title(f"A trained {model}: filter-normalised plane")
    plots.surface(solid(figure, right), plane)
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
    solid_axes.set_title("Iterates at their own loss: off the surface")
    plots.true_against_plane(right, steps, true, below, seen.distances)
    right.set_title("Why: they do not lie in the plane")
    report.figure(figure, "trajectory")


def curvature(report, lines, lam_max, lam_min, convexity):
    figure, (left, right) = report.subplots(1, 2, figsize=(10.0, 4.2))
    for (name, line), colour in zip(lines.items(), (plots.INK, "#3b6fb6", "0.4")):
        left.plot(line.alphas, line.heights, color=colour, label=name,
                  linestyle="--" if name == "random" else "-")
    line = lines["top eigenvector"]
    left.plot(line.alphas, line.centre + 0.5 * lam_max * line.alphas**2, ":", color=plots.INK,
              linewidth=1.0, label="its quadratic")
    left.set(xlabel="distance", ylabel="training loss", ylim=(0, None),
             title=f"A random line sees neither $\\lambda_{{max}}$ = {lam_max:.3g} nor "
                   f"$\\lambda_{{min}}$ = {lam_min:.2g}")
    left.legend(fontsize=8)
    image = right.pcolormesh(convexity.alphas, convexity.betas, convexity.ratio, cmap="magma_r",
                             shading="nearest", vmin=0.0, vmax=max(1.0, convexity.ratio.max()))
    figure.colorbar(image, ax=right, pad=0.02,
                    label="$|\\lambda_{min} / \\lambda_{max}|$ of the whole Hessian")
    plots.centre(right)
    right.set(title="Negative curvature that the filter-normalised plane hides", aspect="equal",
              xlabel="along $d_1$", ylabel="along $d_2$")
    report.figure(figure, "curvature")


def solid(figure, flat):
    """Axes with three dimensions in the place of flat ones."""
    place = flat.get_subplotspec()
    flat.remove()
    return figure.add_subplot(place, projection="3d")
