"""Bands that add their own images, and the tree of passes that joins many minima.

AutoNEB starts with a few images and inserts more where the true profile between two images rises
above the straight line between their heights: that is where the band is too coarse to see its pass.

Between many minima not every pair needs a band. The minimum spanning tree over the bands found so
far holds, between any two minima, the path whose highest pass is lowest. So the worst edge of the
tree is the one worth improving: cut it, and try a new pair across the cut.

Source: Draxler et al. 2018, arXiv:1803.00885.
"""
from typing import Callable, NamedTuple

import numpy as np

from minigrad.arguments import short
from minigrad.backend import to_host, xp
from minigrad.kinds import every, expects, function, natural, whole
from problems.landscape.doors import landscape, points_of
from optim import SGD

from .bands import NEB, Band, straight_band
from .heights import profile
from .path import Polygon


class Cycle(NamedTuple):
    """So many steps at this rate; then the next cycle inserts images and goes on."""

    steps: int
    lr: float


CYCLES = (4 * [Cycle(1000, 0.1)] + 2 * [Cycle(2000, 0.1)]       # the published schedule: 14 cycles
          + 4 * [Cycle(1000, 0.01)] + 4 * [Cycle(1000, 0.001)])


def momentum_sgd(lr):
    return SGD(lr=lr, momentum=0.9)


def several(where, name, value):
    """Cycles, at least one."""
    cycles = every("lr")(where, name, value)
    if not cycles:
        raise ValueError(f"{where}: there are no {name}. Give at least one Cycle(steps, lr).")
    return cycles


@expects(objective=landscape, cycles=several, optimizer=function, first=whole(), insert=whole(0),
         threshold=natural, samples=whole(0))
def auto_neb(objective, start, end, cycles=CYCLES, optimizer=momentum_sgd, first=3, insert=2,
             threshold=0.1, samples=9, climb=False):
    """Band between two minima that grows where it is too coarse.

    cycles      list of `Cycle`; before each but the first, images are inserted
    optimizer   lr -> first-order optimizer
    first       images between the ends to begin with, evenly spaced
    insert      images added before a cycle, at most
    threshold   rise above linear interpolation that asks for one, as a share of the profile's range
    samples     points evaluated inside each segment to see that rise
    climb       let the highest image climb in the second half of the last cycle
    """
    images = straight_band(start, end, first + 2)
    for k, cycle in enumerate(cycles):
        if k > 0:
            images = refine(objective, images, insert, threshold, samples)
        neb = NEB(climb=climb and k == len(cycles) - 1)
        band = neb.relax(objective, images, optimizer(cycle.lr), cycle.steps)
        images = band.images
    return band


def dense_profile(objective, images, samples=9):
    """Positions (m,) in units of segments and heights (m,) along the polygon, images included."""
    N = len(images) - 1
    ts = np.arange(N * (samples + 1) + 1) / (samples + 1)
    return ts, profile({"loss": objective.value}, lambda t: polygon(images, t), ts)["loss"]


def polygon(images, t):
    """Points (..., d) at positions t (...) in [0, N], in units of segments."""
    return Polygon(images, knots=np.arange(len(images)))(t)


def refine(objective, images, insert=2, threshold=0.1, samples=9):
    """The band with up to `insert` more images, at the largest rises above linear interpolation."""
    ts, V = dense_profile(objective, images, samples)
    pivots = V[::samples + 1]
    i = np.minimum(ts.astype(int), len(images) - 2)
    excess = (V - pivots[i] - (ts - i) * (pivots[i + 1] - pivots[i])) / max(np.ptp(V), 1e-300)
    excess = excess[:-1].reshape(len(images) - 1, samples + 1)            # one row a segment
    rows = np.argsort(-excess.max(axis=1), kind="stable")[:insert]
    chosen = [ts[r * (samples + 1) + excess[r].argmax()]
              for r in rows if excess[r].max() > threshold]
    where = np.sort(np.concatenate([np.arange(len(images)), chosen]))
    return polygon(images, xp.asarray(where)) if chosen else images


class Passes(NamedTuple):
    """Minima, the bands tried between them, and the minimum spanning tree of the bands.

    bands   (i, j) with i < j -> Band
    tree    list of pairs (i, j): the edges of the spanning tree
    """

    bands: dict
    tree: list

    def saddle(self, i, j):
        """The highest height on the way from minimum i to minimum j through the tree.

        Measured along paths through the images, not at the images: the true lowest pass is no
        higher, so the number can be too high where bands are coarse, never too low.
        """
        known = {place for pair in self.bands for place in pair}
        if not {i, j} <= known:
            raise ValueError(f"saddle: no path joins minima {i} and {j}. There are bands between "
                             f"{', '.join(map(str, sorted(known)))}.")
        highest = {i: self.height(i)}
        while j not in highest:
            grown = dict(highest)
            for a, b in self.tree:
                for here, there in ((a, b), (b, a)):
                    if here in highest and there not in highest:
                        grown[there] = max(highest[here], pass_height(self.bands[a, b]))
            if len(grown) == len(highest):
                raise ValueError(f"saddle: no path joins minima {i} and {j}.")
            highest = grown
        return float(highest[j])

    def height(self, i):
        """The height of minimum i."""
        pair = next(pair for pair in self.bands if i in pair)
        return float(self.bands[pair].heights[0 if i == pair[0] else -1])


@expects(minima=points_of, extra=whole(0))
def explore(minima, connect: Callable, extra=0):
    """Join minima (k, d) by bands: a spanning tree, then `extra` attempts to lower its worst pass.

    connect   (start (d,), end (d,)) -> Band, for instance `auto_neb` with its settings
    extra     bands beyond the k - 1 of the first tree

    Each new band goes to the closest pair not tried yet that joins two parts: of the forest while
    it is grown, of the tree without one edge afterwards; the highest edge first. (The choice of
    the closest pair is ours.)
    """
    k = len(minima)
    if not minima.shape[1]:
        raise ValueError("explore: minima must be points (d,) with at least one coordinate.")
    if k < 2:
        raise ValueError(f"explore: needs at least two minima, got {k}.")
    function("explore", "connect", connect)
    host = to_host(minima)
    distance = np.sqrt(((host[:, None] - host[None]) ** 2).sum(axis=-1))
    bands = {}
    for _ in range(k - 1 + extra):
        pair = next_pair(distance, bands)
        if pair is None:
            break
        bands[pair] = connect(minima[pair[0]], minima[pair[1]])
        if not isinstance(bands[pair], Band):
            raise TypeError(f"explore: connect must return a Band, got {short(bands[pair])}. "
                            "Give auto_neb, or NEB(...).relax, with its settings.")
    return Passes(bands, spanning_tree(k, bands))


def next_pair(distance, bands):
    """The pair (i, j) whose band can help most, or None when no untried pair can."""
    k = len(distance)
    tree = spanning_tree(k, bands)
    cuts = [tree]
    if len(tree) == k - 1:
        highest_first = sorted(tree, key=lambda edge: -pass_height(bands[edge]))
        cuts = [[edge for edge in tree if edge != worst] for worst in highest_first]
    for forest in cuts:
        part = components(k, forest)
        open_pairs = [(distance[i, j], i, j) for i in range(k) for j in range(i + 1, k)
                      if part[i] != part[j] and (i, j) not in bands]
        if open_pairs:
            return min(open_pairs)[1:]
    return None


def spanning_tree(k, bands):
    """Edges of the minimum spanning tree (forest) over k minima: lowest pass first (Kruskal)."""
    tree = []
    for edge in sorted(bands, key=lambda edge: pass_height(bands[edge])):
        part = components(k, tree)
        if part[edge[0]] != part[edge[1]]:
            tree.append(edge)
    return tree


def components(k, edges):
    """(k,) the number of the connected part each minimum belongs to."""
    part = list(range(k))
    for i, j in edges:
        old, new = part[i], part[j]
        part = [new if p == old else p for p in part]
    return part


def pass_height(band):
    """The height of the path through the images; of the highest image where none was measured."""
    return float(np.max(band.heights) if band.measured is None else band.measured.highest)
