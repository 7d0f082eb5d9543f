"""Which units can be exchanged without changing the function: read off the model's own graph.

The weights of a network are arrays, and some of their axes belong together. A hidden layer of an
MLP is an axis of W_k, of b_k and of W_{k+1}: permute all three alike and nothing changes. To find
these groups the model is run once on Tensors, and every axis that turns up gets a label:

    x + y, relu(x), LN(x), ...    corresponding axes are one and the same
    a @ b                         the summed axes are one; the others go on to the result
    reshape                       an axis that is cut becomes a product of factors, (C) -> (H, D);
                                  axes that are joined become one too, (pixels, channels) -> (F)
    data, labels, tokens, pixels  have an order of their own: their axes are *pinned*

A residual stream comes out as one group over all its layers, attention heads as blocks that take
their queries, keys, values and outputs along, a feed-forward layer as a group of its own, channels
before a flattening as a factor of the next layer's inputs; no list of layer names is kept anywhere.
An operation without a rule pins all the axes it touches: fewer symmetries, never wrong ones.
"""
import numpy as np

from minigrad import tensor
from minigrad.arguments import short
from minigrad.backend import xp
from minigrad.tree import rebuild
from minigrad.kinds import expects, having

from .axes import fresh, graph, labelled, pin, propagate, resolve


class Symmetries:
    """The permutation groups of a network and where they act.

    layout   of its weights
    groups   name -> size. A group is called after the first axis it acts on, as "layers.0.W[1]"
    factors  leaf name -> [(size, group or None), ...]: the array's axes, cut into factors
    """

    def __init__(self, layout, axes):
        """axes  leaf name -> its axes, each a tuple of `Factor`s."""
        self.layout, self.groups, self.factors = layout, {}, {}
        names = {}                                          # factor -> its group
        for name, labels in axes.items():
            self.factors[name] = []
            for k, label in enumerate(labels):
                for factor in resolve(label):
                    if not factor.pinned and factor not in names:
                        group = f"{name}[{k}]"
                        while group in self.groups:             # a second factor of the same axis
                            group += "'"
                        names[factor], self.groups[group] = group, factor.size
                    self.factors[name].append((factor.size, names.get(factor)))

    def axes_of(self, group):
        """(leaf name, number of the factor) wherever the group acts."""
        return [(name, k) for name, factors in self.factors.items()
                for k, (_, acting) in enumerate(factors) if acting == group]

    def split(self, theta):
        """theta (d,) -> leaf name -> array with one axis a factor."""
        return {e.name: theta[e.start:e.stop].reshape([size for size, _ in self.factors[e.name]])
                for e in self.layout.entries}

    def permuted(self, W, name, permutations, but=None):
        """The array W of a leaf, split, with every factor permuted by its group, except one."""
        for axis, (_, group) in enumerate(self.factors[name]):
            if group is not None and axis != but:
                W = W.take(xp.asarray(permutations[group]), axis=axis)
        return W

    def permute(self, theta, permutations):
        """The same function at another point: new unit i is old unit p[i], for p of each group."""
        if set(permutations) != set(self.groups):
            raise ValueError(f"permute: needs a permutation for each of {', '.join(self.groups)}, "
                             f"got {', '.join(permutations)}.")
        for group, p in permutations.items():
            if not np.array_equal(np.sort(p), np.arange(self.groups[group])):
                raise ValueError(f"permute: {group} needs a permutation of {self.groups[group]} "
                                 "units.")
        return xp.concatenate([self.permuted(W, name, permutations).reshape(-1)
                               for name, W in self.split(theta).items()])


@expects(network=having("model", "layout"))
def find_symmetries(network, inputs=None):
    """The permutation groups of a `Network`, found by running its model once.

    inputs  a few examples; by default the first two of the network's data
    """
    if inputs is None:
        if network.data is None:
            raise ValueError("find_symmetries: the network has no data to run on. "
                             "Give a few inputs.")
        inputs = network.data[0][:2]
    if not hasattr(inputs, "ndim") or inputs.ndim < 2 or not inputs.size or inputs.dtype.kind not in "fiu":
        raise ValueError("find_symmetries: inputs must be a few examples as the network's data "
                         f"has them, got {short(inputs)}.")
    leaves = [tensor(xp.zeros(e.shape, dtype=network.dtype)) for e in network.layout.entries]
    output = network.model.apply(rebuild(network.layout.tree, leaves), xp.asarray(inputs))
    axes = {leaf.number: [fresh(n) for n in leaf.shape] for leaf in leaves}
    for node in graph(output):
        arrays = [labelled(x, axes) for x in node.inputs]
        axes[node.number] = propagate(node.primitive, node.shape, arrays, node.settings)
    pin(*axes[output.number])
    return Symmetries(network.layout, {e.name: axes[leaf.number]
                                       for e, leaf in zip(network.layout.entries, leaves)})
