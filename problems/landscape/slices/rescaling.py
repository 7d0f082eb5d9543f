"""Same function, other point: the rescaling test for every claim about flatness.

relu(c z) = c relu(z) for c > 0, so in a ReLU network the change

    W_l, b_l -> c W_l, c b_l        W_{l+1} -> W_{l+1} / c

leaves every output as it was, with one c for the layer or a c_i for each of its units. Whatever
differs between the two points is a fact about the parameters, not about the network: lambda_max,
the raw slice, SAM's sharpness all do.

    invariant under                     one c for the layer      a c_i for each unit
    filter or layer normalised slice    yes                      no
    weight normalised slice             yes                      yes
    adaptive sharpness, η = 0         yes                      yes

Source: Dinh et al. 2017, arXiv:1703.04933 (non-negative homogeneity, alpha-scale transformation).
"""
import numpy as np

from minigrad.backend import xp
from minigrad.kinds import expects, array, layout, row, table, vector, word
from problems.landscape.doors import landscape

from .directions import normalise
from .planes import grid, line_scan


@expects(theta=vector, layout=layout, layer=word, next_layer=word, c=table)
def rescale(theta, layout, layer, next_layer, c):
    """The point after scaling a dense ReLU layer by c (a number, or (units,)) and the next by 1/c.

    layer, next_layer   names up to the leaf: "layers.0" has weights "layers.0.W" (in, out) and, if
                        there is one, a bias "layers.0.b" (out,)
    """
    if theta.shape != (layout.size,):
        raise ValueError(f"rescale: theta has shape {tuple(theta.shape)}, this layout has "
                         f"{layout.size} parameters. Use a point of the same network.")
    entries = {entry.name: entry for entry in layout.entries}
    for name in (layer, next_layer):
        if name + ".W" not in entries:
            raise ValueError(f"rescale: the layout has no weights {name}.W. It has: "
                             f"{', '.join(layout.names)}.")
    units = entries[layer + ".W"].shape[1]
    if entries[next_layer + ".W"].shape[0] != units:
        raise ValueError(f"rescale: {layer} has {units} units but {next_layer} takes "
                         f"{entries[next_layer + '.W'].shape[0]}. Name two consecutive layers.")
    if c.shape not in ((), (1,), (units,)):
        raise ValueError(f"rescale: c must be one number or one for each of {units} units, got "
                         f"shape {c.shape}.")
    c = np.broadcast_to(c, (units,))
    if not np.all(c > 0):
        raise ValueError(f"rescale: c must be positive for relu(c z) = c relu(z), got {c.min()}.")
    c = xp.asarray(c, dtype=theta.dtype)
    out = theta.copy()
    changes = ((layer + ".W", c), (layer + ".b", c), (next_layer + ".W", 1.0 / c[:, None]))
    for name, factor in changes:
        if name in entries:
            entry = entries[name]
            here = slice(entry.start, entry.stop)
            out[here] = (theta[here].reshape(entry.shape) * factor).reshape(-1)
    return out


@expects(objective=landscape, layout=layout, theta=vector, other=vector, d=array, alphas=row)
def rescaling_test(objective, layout, theta, other, d, norm, alphas=None):
    """Two lines along one Gaussian draw d (d,), normalised at each point, and their relative gap.

    theta, other   two points of the same function, e.g. other = rescale(theta, ...)
    returns        (Line at theta, Line at other, max |difference| / max height)
    """
    alphas = grid() if alphas is None else alphas
    lines = [line_scan(objective, point, normalise(d, point, layout, norm), alphas)
             for point in (theta, other)]
    a, b = lines[0].heights, lines[1].heights
    return lines[0], lines[1], float(np.max(np.abs(a - b)) / np.max(np.abs(a)))
