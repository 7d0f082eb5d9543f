"""Merging: one network out of several, at the price of one.

    SWA       the mean of the points a training run passes through
    soup      the mean of several fine-tuned networks: all (uniform), or those that help (greedy)
    SLERP     the point between two networks on the arc, not on the chord

All three assume that the ingredients lie in **one basin**: descendants of one pre-trained start do,
networks trained from different starts do not, and their soup is no better than chance although
every one of them is good. So a soup given a loss measures the straight-line barrier from its
first ingredient to each other one, and warns when it is high.
"""
import warnings
from typing import Any, NamedTuple

import numpy as np

from minigrad.arguments import short
from minigrad.backend import float_of, to_host, xp
from minigrad.kinds import expects, array, function, layout, natural, table, whole
from problems.landscape.doors import landscape, points_of

from problems.landscape.paths.heights import measure
from problems.landscape.paths.path import Arc, Straight


class SoupWarning(UserWarning):
    """The ingredients of a soup do not lie in one basin."""


class Soup(NamedTuple):
    """A merged point and how it came about.

    theta     (d,)
    members   indices of the ingredients in it, in the order they went in
    score     held-out score of the soup, None if no score was asked for
    scores    (k,) the ingredients' own
    barriers  (k,) straight-line barrier from the first ingredient to each, None without a loss
    """

    theta: Any
    members: list
    score: Any
    scores: Any
    barriers: Any


@expects(average=array, theta=array, count=whole())
def swa_update(average, theta, count):
    """Take one more point into a running mean of `count` points.

        average <- (k average + θ) / (k + 1),      k = count

    Written as average + (θ - average) / (k + 1), so that the mean of copies is the copy,
    exactly.

    Source: Izmailov et al. 2018, arXiv:1803.05407, Algorithm 1. Call it every few steps of the last
    quarter of a run at constant or cyclic rate; recompute normalisation statistics afterwards.
    """
    if average.shape != theta.shape:
        raise ValueError(f"swa_update: the mean has shape {average.shape}, the point "
                         f"{theta.shape}. Only networks of one architecture can be averaged.")
    if count < 0:
        raise ValueError(f"swa_update: count must not be negative, got {count}.")
    return theta if count == 0 else average + (theta - average) * (1.0 / (count + 1))


@expects(score=function, objective=landscape, tolerance=natural)
def uniform_soup(thetas, score=None, objective=None, tolerance=0.1):
    """The mean of all the ingredients.

    Source: Wortsman et al. 2022, arXiv:2203.05482, section 2. Arguments as in `greedy_soup`.
    """
    thetas = points_of("uniform_soup", "ingredients", thetas)
    barriers = check_basin(objective, thetas, 0, tolerance)
    theta = thetas[0]
    for k in range(1, len(thetas)):
        theta = swa_update(theta, thetas[k], k)
    members = list(range(len(thetas)))
    if score is None:
        return Soup(theta, members, None, None, barriers)
    return Soup(theta, members, float_of(score(theta)), to_host(score(thetas)), barriers)


@expects(score=function, objective=landscape, tolerance=natural)
def greedy_soup(thetas, score, objective=None, tolerance=0.1, strict=False):
    """Best ingredient first, then each other one in turn if the soup is no worse with it.

        s <- (k s + θ_i) / (k + 1)   if   score of that >= score(s)

    On the data of `score` the soup is never worse than the best single network. Choose on held-out
    data, report on other data.

    thetas     (k, d) points, or a list of them
    score      points (..., d) -> held-out score (...), larger is better: `accuracy(net, held_out)`
    objective  a loss; with it the barriers to the first ingredient are measured
    tolerance  a barrier above it gives a SoupWarning; in units of the loss
               (0.1 is our choice, for a cross-entropy in nats)
    strict     ask for a strictly better score, as the authors' published code does

    Source: Wortsman et al. 2022, arXiv:2203.05482, Recipe 1 (which adds at equal score).
    """
    thetas = points_of("greedy_soup", "ingredients", thetas)
    scores = np.asarray(to_host(score(thetas)))
    if scores.shape != (len(thetas),) or scores.dtype.kind not in "fiub" or np.isnan(scores).all():
        raise ValueError(f"greedy_soup: score must give a number for each of {len(thetas)} "
                         f"ingredients, got {short(scores)}. Let it take points (k, d).")
    order = np.argsort(-scores, kind="stable").tolist()
    barriers = check_basin(objective, thetas, order[0], tolerance)
    theta, members, best = thetas[order[0]], order[:1], float(scores[order[0]])
    for i in order[1:]:
        candidate = swa_update(theta, thetas[i], len(members))
        value = float_of(score(candidate))
        if value > best or (value == best and not strict):
            theta, best = candidate, value
            members.append(i)
    return Soup(theta, members, best, scores, barriers)


def check_basin(objective, thetas, first, tolerance):
    """(k,) barriers from the first ingredient; warns of those above the tolerance.

    A line on which the loss is NaN has an infinite barrier.
    """
    if objective is None:
        return None
    barriers = np.zeros(len(thetas))
    for i in range(len(thetas)):
        if i != first:
            line = Straight(thetas[first], thetas[i])
            barriers[i] = measure("soup", objective, line, 25, tolerance=None).above_chord
    apart = np.flatnonzero(barriers > tolerance).tolist()
    if apart:
        warnings.warn(f"soup: ingredients {apart} lie across a barrier of up to "
                      f"{barriers.max():.3g} from ingredient {first} (tolerance {tolerance:g}), so "
                      "their mean is unlikely to work. Merge networks fine-tuned from one start, "
                      "or align them first.",
                      SoupWarning, stacklevel=3)
    return barriers


# ---------------------------------------------------------------------- on the arc


@expects(p=array, q=array, t=table, layout=layout)
def slerp(p, q, t, layout=None, per="tensor"):
    """Spherical linear interpolation: turn p towards q instead of cutting across.

        cos w = <p, q> / (|p| |q|),     out = sin((1-t) w)/sin w  p  +  sin(t w)/sin w  q

    The weights multiply p and q as they are. If |p| = |q| the norm stays (the midpoint of the chord
    shrinks by cos(w/2)); t = 0 and t = 1 give p and q exactly. Where cos w > 0.9995, or a tensor is
    zero or a single number, the formula has no use and the chord is taken.

    p, q     one shape
    t        a number, or (n,) for n points along the arc: the result is (n, *shape)
    layout   of the network p and q (d,) belong to
    per      "tensor": each tensor of the layout turns by its own angle (without a layout p is one
             tensor);  "global": the whole point turns by one angle

    Source: Shoemake 1985, SIGGRAPH, for unit quaternions. Raises ValueError for opposite
    directions: infinitely many arcs join them.
    """
    if p.shape != q.shape:
        raise ValueError(f"slerp: p and q have shapes {p.shape} and {q.shape}. "
                         "Only networks of one architecture can be merged.")
    if per not in ("tensor", "global"):
        raise ValueError(f"slerp: per must be 'tensor' or 'global', got {per!r}.")
    parts = None
    if layout is not None and per == "tensor":
        if p.shape != (layout.size,):
            raise ValueError(f"slerp: the layout has {layout.size} coordinates, the points are "
                             f"{p.shape}. Do they belong to the same network?")
        parts = [(entry.name, slice(entry.start, entry.stop)) for entry in layout.entries]
    points = Arc(p.reshape(-1), q.reshape(-1), parts, name="slerp")(t)
    return points.reshape(points.shape[:-1] + p.shape)
