"""Contours in braille characters: a cell of the terminal is two dots wide and four high.

    ⠁ 01   ⠈ 08         a character is U+2800 plus the sum of its dots
    ⠂ 02   ⠐ 10
    ⠄ 04   ⠠ 20
    ⡀ 40   ⢀ 80
"""
import numpy as np

VALUES = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
BLANK = 0x2800


def characters(dots):
    """Dots (4 rows, 2 columns) as characters (rows, columns); booleans, the first row on top."""
    rows, columns = dots.shape[0] // 4, dots.shape[1] // 2
    blocks = dots.reshape(rows, 4, columns, 2)
    codes = BLANK + np.einsum("iajb,ab->ij", blocks, VALUES)
    return np.array([[chr(code) for code in row] for row in codes])


def lines(heights, levels):
    """Dots where a level lies between a dot and its neighbour to the right or below.

    heights  (n, m);   levels  increasing
    """
    band = np.searchsorted(levels, heights)
    dots = np.zeros(heights.shape, bool)
    dots[:, :-1] |= band[:, :-1] != band[:, 1:]
    dots[:-1] |= band[:-1] != band[1:]
    return dots


class Window:
    """A square of the plane as cells of a terminal, y upwards.

    centre (2,), half its width;   columns, rows  of cells, columns = 2 rows for square dots
    """

    def __init__(self, centre, half, columns, rows):
        self.centre, self.columns, self.rows = np.asarray(centre, float), columns, rows
        self.half = half * np.array([columns / (2 * rows), 1.0])

    def points(self):
        """The middle of every dot: (4 rows, 2 columns, 2)."""
        x, y = (np.linspace(-1 + 1 / n, 1 - 1 / n, n) for n in (2 * self.columns, 4 * self.rows))
        return self.centre + np.stack(np.meshgrid(x, -y), axis=-1) * self.half

    def cell(self, point):
        """(row, column) of a point; the nearest cell of the edge for one outside, and None for one
        that is not a number."""
        place = (np.asarray(point, float) - self.centre) / self.half
        if np.isnan(place).any():
            return None
        place = np.clip(place, -1.0, 1.0)
        column = min(int((place[0] + 1) / 2 * self.columns), self.columns - 1)
        row = min(int((1 - place[1]) / 2 * self.rows), self.rows - 1)
        return row, column


def contour(f, window, count=7):
    """Characters (rows, columns) of a height f((n, 2)) -> (n,): `count` levels, equally many dots
    between any two."""
    points = window.points()
    heights = np.asarray(f(points.reshape(-1, 2))).reshape(points.shape[:2])
    levels = np.quantile(heights, np.arange(1, count + 1) / (count + 1))
    return characters(lines(heights, levels))
