"""The lowest way on a grid: water rises at one end until it spills over to the other.

For two points of a plane, and only there, the height of the lowest way between them can be computed
without any search that might fail: it is the oracle for the methods of this folder.

    minimax = min over paths of max over their points = the level at which both ends are in one lake
"""
import heapq

import numpy as np

from minigrad.arguments import short, whole_number
from minigrad.backend import to_host, xp
from minigrad.kinds import expects, reals, table, whole
from problems.landscape.doors import heights_of

from .path import check_ends


def cell(where, name, value):
    """(row, column), two whole numbers."""
    cell = [whole_number(i) for i in value] if hasattr(value, "__iter__") else []
    if len(cell) != 2 or None in cell:
        raise TypeError(f"{where}: {name} must be a cell (row, column), got {short(value)}.")
    return tuple(cell)


@expects(heights=reals, start=cell, end=cell)
def bottleneck(heights, start, end):
    """The least possible highest value on a way from cell to cell, over the 8 neighbours of each.

    heights     (n, m) on the host; NaN is a wall
    start, end  (row, column)
    """
    heights = np.asarray(heights, dtype=np.float64)
    if heights.ndim != 2:
        raise ValueError(f"bottleneck: needs a grid of heights (n, m), got {heights.shape}.")
    n, m = heights.shape
    for name, (row, column) in (("start", start), ("end", end)):
        if not (0 <= row < n and 0 <= column < m) or np.isnan(heights[row, column]):
            raise ValueError(f"bottleneck: {name} {(row, column)} is not a cell of the grid "
                             f"{heights.shape} with a height.")
    wall = np.pad(np.where(np.isnan(heights), np.inf, heights), 1, constant_values=np.inf)
    V, wide = wall.ravel().tolist(), m + 2                    # a rim of walls: no edge to look for
    here, goal = ((row + 1) * wide + column + 1 for row, column in (start, end))
    around = (-wide - 1, -wide, -wide + 1, -1, 1, wide - 1, wide, wide + 1)
    seen, shore, level = bytearray(len(V)), [(V[here], here)], -np.inf
    seen[here] = 1
    while shore:
        height, i = heapq.heappop(shore)                      # the lowest place at the water's edge
        level = max(level, height)
        if i == goal or level == np.inf:
            break
        for step in around:
            j = i + step
            if not seen[j]:
                seen[j] = 1
                heapq.heappush(shore, (V[j], j))
    return level


@expects(objective=heights_of, bounds=table, count=whole())
def minimax(objective, start, end, bounds, count=501):
    """The height of the lowest way between two points of the plane, on a grid of count² cells.

    Too low or too high by O(h²) of the grid's spacing h: a grid misses the exact pass, and a way
    round the outside is cut off.

    objective   heights of points (m, 2): an Objective, a Problem, a function
    start, end  (2,); they are the nearest cells of the grid
    bounds      ((low, high), (low, high)) of x and y
    """
    check_ends("minimax", start, end)
    if start.shape != (2,) or count < 3:
        raise ValueError(f"minimax: needs points (2,) and at least 3 cells a side, got "
                         f"{tuple(start.shape)} and {count}. There is no grid in more dimensions.")
    if bounds.shape != (2, 2):
        raise ValueError("minimax: bounds must be ((low, high), (low, high)), got shape "
                         f"{bounds.shape}.")
    x, y = (np.linspace(low, high, count) for low, high in bounds)
    cells = []
    for point in (start, end):
        px, py = to_host(point)
        if not (x[0] <= px <= x[-1] and y[0] <= py <= y[-1]):
            raise ValueError(f"minimax: the point ({px:.4g}, {py:.4g}) lies outside of the bounds "
                             f"{bounds}.")
        cells.append((int(abs(x - px).argmin()), int(abs(y - py).argmin())))
    grid = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    value = getattr(objective, "value", objective)
    heights = to_host(value(xp.asarray(grid, dtype=start.dtype))).reshape(count, count)
    return bottleneck(heights, *cells)
