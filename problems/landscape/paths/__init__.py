"""Ways between two points, and how high they rise.

    path       straight line, polygon, Bezier curve, sine series, arc: functions from t to points
    heights    the one measure of a path: above the ends, above the chord, its length
    barriers   the ridge on a line between two points
    curves     Bezier curves and polygons with trained control points
    bands      chains of points: elastic bands, strings
    auto_neb   bands that grow where they must
    fourier_path     a sine series lowered as a whole: our path finder
    published_path   the same series by a paper's objectives, as printed and as coded
    flood      the lowest way on a grid of the plane: the oracle for all of these
"""
from .auto_neb import auto_neb, explore
from .bands import NEB, StringMethod, straight_band
from .barriers import accuracy, barrier, linear_path
from .curves import BezierCurve, PolyChain, train_curve
from .flood import bottleneck, minimax
from .fourier_path import FourierPathFinder
from .heights import PathWarning, height
from .path import Arc, Bezier, Fourier, Polygon, Straight
from .published_path import PublishedPath
from .spline import Spline
