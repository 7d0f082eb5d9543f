"""Nelder and Mead's simplex, many at once: climbing without derivatives, inside hard walls.

Each of d + 1 points has a height. The lowest is reflected through the others' centroid c,

    x_r = c + (c - x_low),   x_e = c + 2 (c - x_low),   x_o, x_i = c ± (c - x_low)/2

and replaced by the best of what it meets; where nothing is better, the simplex shrinks towards its
highest point. All candidates of all simplices are evaluated in one call.

Source: Nelder & Mead 1965, Computer Journal 7. Differs: the four candidates are all evaluated.
"""
import numpy as np


def climb(f, starts, step, low, high, *, first=40, steps=120, rounds=2, kept=6):
    """(highest value, its point (d,)) of simplices that start at `starts` (m, d).

    f     (k, d) -> (k,), -inf where it is not allowed to go
    step  (d,) first size;   low, high  walls: points beyond are moved onto them
    All starts climb for `first` steps, then the `kept` highest go on. Each round starts anew from
    where the last one ended, on a simplex ten times smaller.
    """
    best, values = simplices(f, starts, step, low, high, first)
    for k in range(rounds):
        top = np.argsort(-values)[:kept]
        best, values = simplices(f, best[top], step * 0.1**(k + 1), low, high, steps)
    top = np.argmax(values)
    return values[top], best[top]


def simplices(f, starts, step, low, high, steps):
    m, d = starts.shape
    X = np.repeat(starts[:, None], d + 1, axis=1)                               # (m, d + 1, d)
    for k in range(d):                                                          # away from a wall
        up = X[:, k + 1, k] + step[k] <= high[k]
        X[:, k + 1, k] += np.where(up, step[k], -step[k])

    def heights(points):
        shape = points.shape
        return f(np.clip(points, low, high).reshape(-1, d)).reshape(shape[:-1])

    V, rows = heights(X), np.arange(m)
    for _ in range(steps):
        order = np.argsort(-V, axis=1)
        X, V = np.take_along_axis(X, order[..., None], axis=1), np.take_along_axis(V, order, axis=1)
        if np.all(V[:, 0] - V[:, -1] <= 1e-16 * (1.0 + np.abs(V[:, 0]))):
            break
        worst, c = X[:, -1], X[:, :-1].mean(axis=1)
        way = c - worst
        tries = np.stack([c + way, c + 2.0 * way, c + 0.5 * way, c - 0.5 * way], axis=1)
        found = heights(tries)
        pick = np.argmax(found, axis=1)
        better = found[rows, pick] > V[:, -1]
        X[:, -1] = np.where(better[:, None], tries[rows, pick], worst)
        V[:, -1] = np.where(better, found[rows, pick], V[:, -1])
        if not better.all():
            stuck = ~better
            X[stuck, 1:] = 0.5 * (X[stuck, 1:] + X[stuck, :1])
            V[stuck, 1:] = heights(X[stuck, 1:])
    top = np.argmax(V, axis=1)
    return np.clip(X[rows, top], low, high), V[rows, top]
