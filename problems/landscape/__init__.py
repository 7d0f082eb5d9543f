"""Looking around a point of a landscape, and between points.

    curvature   Hessian-vector products, ends of the spectrum, trace, density       (read first;
                in pieces: hessian, spectrum, traces, density, gauss_newton)
    critical    points where the gradient vanishes, of every index (searches, index_study)
    escape      how long a method takes to get out, or down
    sharpness   lambda_max, SAM's and Keskar's: three meanings kept apart
    edge        the edge of stability
    directions  random and normalised, or of curvature;  trajectory  those of a run
    slices      lines and planes of heights;  convexity  lambda_min / lambda_max over a plane
    rescaling   same function, other point: the test for claims about flatness
    barriers    the ridge between two points;  curves, bands, auto_neb  ways around it
    three_points   the plane through three points
    matching    the same network in another order of its units (assignment, symmetries, axes)
    merging     averages, soups, arcs
    plots       pictures of all this
"""
from .assignment import linear_assignment
from .auto_neb import auto_neb, explore
from .bands import NEB, StringMethod, straight_band
from .barriers import accuracy, barrier, linear_path
from .critical import CriticalPoint, find_critical_point, index_against_height
from .curvature import (
    GaussNewtonOp,
    HessianOp,
    MatrixOp,
    dense_hessian,
    hvp,
    index,
    lanczos,
    power_iteration,
    spectral_density,
    trace,
)
from .convexity import curvature_map
from .curves import BezierCurve, PolyChain, train_curve
from .directions import eigen_directions, normalise, random_direction, random_pair
from .escape import walk
from .edge import EdgeTracker, gradient_flow, sam_threshold, threshold
from .matching import weight_matching
from .merging import SoupWarning, greedy_soup, slerp, swa_update, uniform_soup
from .rescaling import rescale, rescaling_test
from .sharpness import adaptive_sharpness, keskar_sharpness, sam_sharpness, top_curvature
from .slices import grid, line_scan, plane_scan
from .symmetries import find_symmetries
from .three_points import plane_through
from .trajectory import pca_directions, project, random_walk, random_walk_share
