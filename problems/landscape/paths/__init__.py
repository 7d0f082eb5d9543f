"""Ways between two points, and how high they rise.

    path       straight line, polygon, Bezier curve, sine series, arc: functions from t to points
    heights    the one measure of a path: above the ends, above the chord, its length
    barriers   the ridge on a line between two points
    curves     Bezier curves and polygons with trained control points
    bands      chains of points: elastic bands, strings
    auto_neb   bands that grow where they must
"""
from .auto_neb import auto_neb, explore
from .bands import NEB, StringMethod, straight_band
from .barriers import accuracy, barrier, linear_path
from .curves import BezierCurve, PolyChain, train_curve
from .heights import PathWarning, height
from .path import Arc, Bezier, Fourier, Polygon, Straight
from .spline import Spline
