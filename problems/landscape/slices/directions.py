"""Directions to look along: random ones in the network's own units, and those of curvature.

A Gaussian direction weighs every coordinate alike, so a network with large weights looks flat and
the same function with small weights looks sharp. Normalisation gives the direction the units of
the weights. A *filter* is the set of weights into one output unit: a column of a dense W (in, out),
all of (in, kh, kw) for one output channel of a convolution, one row of an embedding table. The
layout's `filter_axis` says which axis counts the filters.

    filter   d_f <- d_f |w_f| / |d_f|     for every filter f
    layer    d_l <- d_l |w_l| / |d_l|     for every tensor l
    weight   d_i <- d_i |w_i|             for every entry
    none     d

Biases and normalisation parameters are left alone (d = 0) unless asked for.

What normalisation undoes, for a ReLU network: scaling a whole layer by c and the next by 1/c,
exactly (filter, layer and weight). Scaling each unit by its own c_i: only `weight`, because the
next layer's filters mix entries scaled by different 1/c_i. No other comparison becomes fair by it.

Source: Li et al. 2018, arXiv:1712.09913, section 4 (filter normalisation).
Differs from the paper's code: ignoring biases and norms is the default, and an unignored bias
counts as one filter a tensor instead of becoming its own direction.
"""
from typing import Any, NamedTuple

import minigrad as mg
from minigrad.backend import float_of, xp
from minigrad.kinds import expects, array, layout, source, vector, whole, words

from problems.landscape.curvature import HessianOp, lanczos

NORMS = ("filter", "layer", "weight", "none")


class Pair(NamedTuple):
    """Two directions that span a plane, and the cosine between them."""

    d1: Any
    d2: Any
    cosine: float


@expects(theta=array, layout=layout, rng=source, ignore=words)
def random_direction(theta, layout, rng, norm="filter", ignore=("bias", "norm")):
    """A Gaussian direction (d,) at theta, normalised as the module says."""
    d = xp.asarray(rng.standard_normal(theta.shape[-1]), dtype=theta.dtype)
    return normalise(d, theta, layout, norm, ignore)


@expects(theta=array, layout=layout, rng=source, ignore=words)
def random_pair(theta, layout, rng, norm="filter", ignore=("bias", "norm")):
    """Two directions, made orthogonal before they are normalised; afterwards they are nearly so."""
    a = xp.asarray(rng.standard_normal(theta.shape[-1]), dtype=theta.dtype)
    b = xp.asarray(rng.standard_normal(theta.shape[-1]), dtype=theta.dtype)
    b = b - (xp.vdot(a, b) / xp.vdot(a, a)) * a
    d1 = normalise(a, theta, layout, norm, ignore)
    d2 = normalise(b, theta, layout, norm, ignore)
    return Pair(d1, d2, cosine(d1, d2))


@expects(d=array, theta=array, layout=layout, ignore=words)
def normalise(d, theta, layout, norm="filter", ignore=("bias", "norm")):
    """Give direction d (d,) the scale of theta (d,), tensor by tensor of the layout."""
    if norm not in NORMS:
        raise ValueError(f"normalise: unknown norm {norm!r}. Use one of {', '.join(NORMS)}.")
    if not d.shape == theta.shape == (layout.size,):
        raise ValueError(f"normalise: direction {d.shape} and point {theta.shape} must both be "
                         f"({layout.size},), the layout's size. Was one made for another network?")
    out = xp.zeros_like(theta)
    for entry in layout.entries:
        if entry.kind in ignore:
            continue
        here = slice(entry.start, entry.stop)
        D, W = d[here].reshape(entry.shape), theta[here].reshape(entry.shape)
        if norm == "weight":
            D = D * xp.abs(W)
        elif norm != "none":
            axes = None                              # one scale for the tensor
            if norm == "filter" and entry.filter_axis is not None:
                kept = entry.filter_axis % len(entry.shape)
                axes = tuple(axis for axis in range(len(entry.shape)) if axis != kept)
            D = D * (length(W, axes) / (length(D, axes) + 1e-10))
        out[here] = D.reshape(-1)
    return out


def length(x, axes):
    return mg.norm(x, axis=axes, keepdims=True)


@expects(a=vector, b=vector)
def cosine(a, b):
    """<a, b> / |a||b|."""
    if a.shape != b.shape:
        raise ValueError(f"cosine: needs two directions of one shape, got {tuple(a.shape)} and "
                         f"{tuple(b.shape)}.")
    long_a, long_b = float_of(mg.norm(a)), float_of(mg.norm(b))
    if long_a == 0.0 or long_b == 0.0:
        raise ValueError("cosine: a direction of length 0 has no angle to another. "
                         "Give two directions that are not zero.")
    return float_of(xp.vdot(a / long_a, b / long_b))


@expects(theta=vector, m=whole(1))
def eigen_directions(objective, theta, rng, which="top", m=40):
    """Unit eigenvectors of the Hessian at theta and their eigenvalues: Pair, (lambda1, lambda2).

    which    "top": the two largest eigenvalues, equal ones included; "ends": the largest and the
             smallest

    The second difference of the loss along an eigenvector is its eigenvalue; along a random unit
    direction it is about tr(H) / d, which is why random planes look flat.
    """
    if which not in ("top", "ends"):
        raise ValueError(f"eigen_directions: which must be 'top' or 'ends', got {which!r}.")
    end, k = ("LA", 2) if which == "top" else ("both", 1)
    op = HessianOp(objective, theta)
    if op.n < 2:
        raise ValueError(f"eigen_directions: a plane needs two directions, theta has {op.n}. "
                         "Scan a line.")
    ritz = lanczos(op, min(m, op.n), end, k, rng)
    d2, d1 = ritz.vectors                            # ascending values
    return Pair(d1, d2, cosine(d1, d2)), (float(ritz.values[1]), float(ritz.values[0]))
