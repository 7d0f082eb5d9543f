"""Give a merged network the units' statistics of the networks it was merged from (REPAIR).

Average two networks and their units fall silent. Let z be the input of a unit after its weights
and bias, over the data. Two aligned units, of equal deviation σ and correlation ρ, average to

    Var[(z_A + z_B) / 2] = σ² (1 + ρ) / 2 < σ²

and the loss compounds from layer to layer: much of the ridge that is left between aligned networks
is this. REPAIR sets mean and deviation of every hidden unit of the merged network θ to the average
of those of its members, with shares s (1 - t and t on a line):

    z -> (z - E[z]) / σ_θ · Σ_k s_k σ_k + Σ_k s_k μ_k

An affine map of z is a change of the unit's weights and bias, so the result is a point of the same
landscape. Layers are repaired in order, each with those before it repaired already. They are read
off the model's own graph: a layer counts if it has a weight and a bias, both used once, and is not
the last. Nothing is moved if nothing was lost: where all members are θ, the factor is 1.

Source: Jordan, Sedghi, Saukh, Entezari and Neyshabur 2023, arXiv:2211.08403.
Differs from their code: no normalisation layers are put in; the weights take the correction up.
"""
from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from minigrad import graph, tensor
from minigrad.arguments import numbers
from minigrad.backend import float_of, to_host, xp
from minigrad.kinds import array, expects, having
from minigrad.tree import rebuild

from problems.landscape.doors import points_of
from problems.landscape.paths.path import Straight


AFFINE = ("linear", "conv2d")                  # z = W x + b, once for each example or pixel


class Units(NamedTuple):
    """Where a hidden layer keeps its units, and what they do on the data.

    weight, bias      names of its arrays
    axis              of the weight along which its units lie
    mean, deviation   (units,) of their inputs z
    """

    weight: str
    bias: str
    axis: int
    mean: Any
    deviation: Any


@expects(network=having("model", "layout"), theta=array)
def repair(network, theta, members, shares=None, inputs=None):
    """The merged point theta (d,) with the statistics of its members.

    network  a `Network`: its model is run, on its own data or on `inputs`
    members  (k, d) or a list of k points (d,): what theta was merged from
    shares   s (k,), what each of them counts; None: all alike
    inputs   the examples that means and deviations are taken over

    A unit whose input is the same for all examples has no deviation to set: its mean is.
    Raises ValueError for points that are none of the network's
    """
    members = points_of("repair", "members", members)
    members = [point(network, "repair", member) for member in members]
    shares = (np.full(len(members), 1.0 / len(members)) if shares is None else
              numbers("repair", "shares", shares, ndim=1))
    if len(shares) != len(members) or not np.all(shares >= 0):
        raise ValueError(f"repair: {len(members)} members need as many shares, none below 0, got "
                         f"{np.asarray(shares).tolist()}.")
    inputs = examples(network, "repair", inputs)
    wanted = mixed([statistics(network, member, inputs) for member in members], shares)
    return with_statistics(network, point(network, "repair", theta), wanted, inputs)


@expects(network=having("model", "layout"), start=array, end=array)
def repaired_line(network, start, end, inputs=None):
    """The straight line between two networks, every point of it repaired: t (...) -> (..., d).

    Arguments as in `repair`. For `barrier`: the ends keep their heights, to rounding.
    """
    line = Straight(start, end, name="repaired_line")
    for theta in (start, end):
        point(network, "repaired_line", theta)
    inputs = examples(network, "repaired_line", inputs)
    ends = [statistics(network, theta, inputs) for theta in (start, end)]

    def repaired(t):
        t = np.asarray(to_host(t), dtype=np.float64)
        if not (t.size and np.all((0.0 <= t) & (t <= 1.0))):
            raise ValueError("repaired_line: t must lie in [0, 1], between the two networks, got "
                             f"{t.min(initial=np.inf):.4g} to {t.max(initial=-np.inf):.4g}.")
        found = [with_statistics(network, line(s), mixed(ends, (1.0 - s, s)), inputs)
                 for s in t.reshape(-1)]
        return xp.stack(found).reshape(t.shape + start.shape)
    return repaired


def mixed(several, shares):
    """[(mean, deviation)] of the layers: those of several networks, averaged."""
    return [tuple(sum(float(s) * getattr(units, what) for s, units in zip(shares, layer))
                  for what in ("mean", "deviation")) for layer in zip(*several)]


def with_statistics(network, theta, wanted, inputs):
    """theta with the wanted (mean, deviation) in each hidden layer, the first one first."""
    for k, (mean, deviation) in enumerate(wanted):
        units = statistics(network, theta, inputs)[k]
        flat = units.deviation <= 8 * float(xp.finfo(theta.dtype).eps) * xp.abs(units.mean)
        one = xp.ones_like(units.deviation)
        factor = xp.where(flat, one, deviation / xp.where(flat, one, units.deviation))
        places = {entry.name: entry for entry in network.layout.entries}
        W, b = (theta[e.start:e.stop].reshape(e.shape)
                for e in (places[units.weight], places[units.bias]))
        along = [1] * W.ndim
        along[units.axis] = -1
        theta = xp.array(theta)
        for entry, value in ((places[units.weight], W * factor.reshape(along)),
                             (places[units.bias], (b - units.mean) * factor + mean)):
            theta[entry.start:entry.stop] = value.reshape(-1)
    return theta


def statistics(network, theta, inputs):
    """[Units] of the hidden layers that can be repaired, in the order in which they act."""
    leaves = [tensor(theta[e.start:e.stop].reshape(e.shape)) for e in network.layout.entries]
    params = rebuild(network.layout.tree, leaves)
    layers = graph.layers(network.model.apply(params, inputs), params)
    used = Counter(name for layer in layers for name in (layer.weight, layer.bias))
    found = []
    for layer in layers[:-1]:
        alone = layer.bias is not None and used[layer.weight] == used[layer.bias] == 1
        if alone and layer.z.primitive.__name__ in AFFINE:
            z = layer.z.data.reshape(-1, layer.z.shape[-1])         # units, or channels, are last
            found.append(Units(layer.weight, layer.bias, 1 - layer.axis, xp.mean(z, axis=0),
                               xp.std(z, axis=0)))
    return found


# ---------------------------------------------------------------------- what is checked

def point(network, where, theta):
    """A point (d,) of the network, finite, else one sentence."""
    if getattr(theta, "shape", None) != (network.layout.size,):
        raise ValueError(f"{where}: the network has {network.layout.size} weights, a point has "
                         f"shape {getattr(theta, 'shape', theta)}. Only networks of one "
                         "architecture can be merged.")
    if not float_of(xp.all(xp.isfinite(theta))):
        raise ValueError(f"{where}: a point contains nan or infinity. Did the training diverge?")
    return theta


def examples(network, where, inputs):
    """The inputs that statistics are taken over: two at least."""
    if inputs is None:
        if getattr(network, "data", None) is None:
            raise ValueError(f"{where}: the network has no data to run on. Give inputs.")
        inputs = network.data[0]
    inputs = array(where, "inputs", inputs)
    if inputs.ndim < 2 or len(inputs) < 2:
        raise ValueError(f"{where}: inputs must be two examples or more, as the network's data has "
                         f"them, got shape {tuple(inputs.shape)}.")
    return inputs
