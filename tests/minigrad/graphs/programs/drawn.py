"""Graphs by number: `graph(seed)` composes six operations, `alone(name, seed)` has one."""
import functools

import numpy as np

from tests.minigrad.graphs.programs.drawing import Drawing
from tests.minigrad.graphs.programs.program import Skip
from tests.minigrad.graphs.programs.table_of_networks import TABLE

STEPS = 6                       # operations a graph, besides those that make inputs fit
NAMES = sorted(TABLE)
WAYS = {"power": 4, "getitem": 3, "put": 2, "matmul": 3, "conv2d": 2, "conv2d_input": 2,
        "conv2d_kernel": 2, "max_pool": 2, "average_pool": 2, "sum": 3, "prod": 5, "reshape": 2,
        "batch_norm": 2, "attention": 2}                # these have more ways than others


def seeds(name, base):
    """Seeds for an operation alone: more where it goes more ways."""
    return range(base * WAYS.get(name, 1))


def names_of(seed):
    """The operations of graph `seed`: one endless list of all, in ever new orders, is dealt out."""
    places = range(seed * STEPS, seed * STEPS + STEPS)
    return [_order(k // len(NAMES))[k % len(NAMES)] for k in places]


@functools.lru_cache(maxsize=None)
def _order(turn):
    return [NAMES[k] for k in np.random.default_rng([7, turn]).permutation(len(NAMES))]


@functools.lru_cache(maxsize=None)
def graph(seed):
    """A random composition: three leaves that broadcast against each other, nodes used again by
    later ones, every value counted in the height. In every eighth an axis may be empty, in every
    sixteenth one is long."""
    d = Drawing([1, seed], zeros=seed % 8 == 7, long=seed % 16 == 3)
    base = d.dims(int(d.rng.integers(1, 4)), longest=130)
    for _ in range(3):
        shape = tuple(1 if d.chance(0.3) else n for n in base)
        d.leaf(shape[int(d.rng.integers(0, len(shape) + 1)):])
    if all(leaf.size == 0 for leaf in d.program.leaves):
        d.leaf((2,))
    d.program.drawn, d.program.skipped = [], []
    for name in names_of(seed):
        try:
            d.settled(TABLE[name](d))
            d.program.drawn.append(name)
        except Skip:
            d.program.skipped.append(name)
    return d.program


@functools.lru_cache(maxsize=None)
def alone(name, seed, **kind):
    """One operation on fresh leaves. kind: zeros or long, see Drawing."""
    d = Drawing([2, NAMES.index(name), seed], alone=True, **kind)
    try:
        TABLE[name](d)
    except Skip as skip:
        skip.program = d.program
        d.program.lines.append(skip.line)
        raise
    return d.program


def refused(name, seed):
    """Where the reference has no value for `alone(name, seed, zeros=True)`: the program that asks
    for it, which cannot be evaluated; else None."""
    try:
        alone(name, seed, zeros=True)
        return None
    except Skip as skip:
        return skip.program
