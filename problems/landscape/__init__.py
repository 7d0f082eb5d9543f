"""Looking around a point of a landscape, and between points.

    curvature/   Hessian-vector products, ends of the spectrum, trace, density, sharpness, edge
    critical/    points where the gradient vanishes, of every index; constraints; leaving one
    slices/      lines and planes of heights, directions, trajectories, convexity, rescaling
    paths/       ways between two points, and how high they rise
    alignment/   the same network in another order of its units; averages, soups
    conditions/  alpha-beta, PL, Aiming: along a run, and on whole domains
    plots        pictures of all this
"""
import sys
from types import ModuleType

from problems.landscape import alignment, conditions, critical, curvature, paths, slices
from problems.landscape.alignment import (
    SoupWarning, find_symmetries, greedy_soup, linear_assignment, repair, repaired_line, slerp,
    swa_update, uniform_soup, weight_matching)
from problems.landscape.critical import (
    CriticalPoint, ball_least_squares, find_critical_point, hitting_times, index_against_height,
    kkt_residuals, projected_descent, walk)
from problems.landscape.curvature import (
    EdgeTracker, GaussNewtonOp, HessianOp, MatrixOp, adaptive_sharpness, dense_hessian,
    gradient_flow, hvp, index, keskar_sharpness, lanczos, power_iteration, sam_sharpness,
    sam_threshold, spectral_density, threshold, top_curvature, trace)
from problems.landscape.paths import (
    NEB, Arc, Bezier, BezierCurve, Fourier, FourierPathFinder, PathWarning, PolyChain, Polygon,
    PublishedPath, Spline, Straight, StringMethod, accuracy, auto_neb, barrier, bottleneck, explore,
    height, linear_path, minimax, straight_band, train_curve)
from problems.landscape.slices import (
    curvature_map, eigen_directions, grid, kernel_pca, line_scan, normalise, pca_directions,
    plane_scan, plane_through, project, random_direction, random_pair, random_walk,
    random_walk_share, rescale, rescaling_test)

# A tool's file is importable without its wing too: problems.landscape.edge is curvature.edge.
for _wing in (alignment, critical, curvature, paths, slices):
    for _name, _value in list(vars(_wing).items()):
        if isinstance(_value, ModuleType) and _value.__name__ == f"{_wing.__name__}.{_name}":
            sys.modules.setdefault(f"{__name__}.{_name}", _value)
