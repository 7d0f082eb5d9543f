"""Flat pieces of a landscape: lines and planes of heights, and how to choose them.

    directions     random and normalised, or of curvature
    planes         heights along a line, over a plane                      (read first)
    trajectory     the directions of a run
    kernel_pca     many solutions in a few coordinates
    three_points   the plane through three points
    convexity      λ_min / λ_max over a plane
    rescaling      same function, other point: the test for claims about flatness
"""
from .convexity import curvature_map
from .directions import cosine, eigen_directions, normalise, random_direction, random_pair
from .kernel_pca import KernelPCA, kernel_pca
from .planes import Plane, grid, line_scan, plane_scan
from .rescaling import rescale, rescaling_test
from .three_points import plane_through
from .trajectory import pca_directions, project, random_walk, random_walk_share
