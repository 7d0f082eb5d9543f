"""A smooth curve through given points."""
import numpy as np

from .path import Polygon


class Spline(Polygon):
    """The cubic spline through the points (K, d): two continuous derivatives.

        φ(t) = (1-u) w_i + u w_{i+1} + h²/6 ((1-u)³ - (1-u)) M_i + h²/6 (u³ - u) M_{i+1}

    with h = t_{i+1} - t_i and M the second derivatives at the knots, which solve

        h_{i-1} M_{i-1} + 2 (h_{i-1} + h_i) M_i + h_i M_{i+1}
            = 6 ((w_{i+1} - w_i)/h_i - (w_i - w_{i-1})/h_{i-1})

    and the first two pieces are one cubic, as are the last two ("not a knot": no curvature is made
    up at the ends). Three points give a parabola, two a line. M is linear in the points, so the
    spline is a sum of points too. The knots must rise.
    """

    def __init__(self, points, knots=None, name=None):
        super().__init__(points, knots, name)
        h = np.diff(self.knots)
        if not np.all(h > 0):
            raise ValueError(f"{name or 'Spline'}: two neighbouring points coincide. Leave one out.")
        n = len(h) + 1
        A, B, i = np.eye(n), np.zeros((n, n)), np.arange(1, n - 1)
        A[i, i - 1], A[i, i], A[i, i + 1] = h[:-1], 2.0 * (h[:-1] + h[1:]), h[1:]
        B[i, i - 1], B[i, i + 1] = 6.0 / h[:-1], 6.0 / h[1:]
        B[i, i] = -B[i, i - 1] - B[i, i + 1]
        if n == 3:
            A[0, 1] = A[2, 1] = -1.0                          # M_0 = M_1 = M_2
        elif n > 3:
            A[0, :3] = h[1], -h[0] - h[1], h[0]
            A[-1, -3:] = h[-1], -h[-1] - h[-2], h[-2]
        self.bend = np.linalg.solve(A, B)                     # M = bend @ points

    def coefficients(self, t):
        i, u, h = self.place(t)
        v = 1.0 - u
        curved = self.on_two(i, h * h / 6.0 * (v**3 - v), h * h / 6.0 * (u**3 - u))
        return self.on_two(i, v, u) + curved @ self.bend

    def slopes(self, t):
        i, u, h = self.place(t)
        v = 1.0 - u
        curved = self.on_two(i, h / 6.0 * (1.0 - 3.0 * v**2), h / 6.0 * (3.0 * u**2 - 1.0))
        return self.on_two(i, -1.0 / h, 1.0 / h) + curved @ self.bend
