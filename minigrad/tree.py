"""Trees of arrays, and the one place where they meet flat points.

A tree is a dict, list or tuple of trees, with arrays at the leaves; its leaves are taken in order.
Models are trees, because layers have names; landscapes are flat points theta (..., d), because
directions, distances and optimizers do not care about layers. A `Layout` translates.
"""
from dataclasses import dataclass
from math import prod

from minigrad import backend
from minigrad.backend import xp
from minigrad.errors import a
from minigrad.tensor import Tensor


BRANCHES = (dict, list, tuple)       # whatever else stands in a tree is a leaf


def leaves_of(tree):
    """The arrays of a tree, in order."""
    if type(tree) not in BRANCHES:
        return [tree]
    return [leaf for branch in (tree.values() if type(tree) is dict else tree)
            for leaf in (leaves_of(branch) if type(branch) in BRANCHES else (branch,))]


def leaves_like(tree, form, operation, path=()):
    """The leaves of a tree in the order of `form`, a tree with the same branches and keys: those of
    a dict are matched by key. Raises ValueError where the two differ."""
    if type(form) not in BRANCHES and type(tree) not in BRANCHES:
        return [tree]
    keys = form if type(form) is dict else range(len(form) if type(form) in BRANCHES else 0)
    if type(tree) is not type(form) or len(tree) != len(keys) or (
            type(form) is dict and tree.keys() != form.keys()):
        where = f" at {'.'.join(map(str, path))}" if path else ""
        wanted = a(form) if type(form) in BRANCHES else "one array"
        raise ValueError(f"{operation}: got {a(tree)}{where}, needed is {wanted}. "
                         "Give a tree of the same form, with the same keys.")
    return [leaf for key in keys for leaf in leaves_like(tree[key], form[key], operation,
                                                         (*path, key))]


def rebuild(tree, leaves):
    """A tree of the same form with other leaves, given in order."""
    if type(tree) not in BRANCHES:
        return leaves[0]
    leaves = iter(leaves)
    if type(tree) is dict:
        return {key: rebuild(value, leaves) if type(value) in BRANCHES else next(leaves)
                for key, value in tree.items()}
    return type(tree)([rebuild(value, leaves) if type(value) in BRANCHES else next(leaves)
                       for value in tree])


def names_of(tree, path=()):
    """Names of the leaves: the way to each, 'layers.0.W'."""
    if type(tree) is dict:
        return [n for key, branch in tree.items() for n in names_of(branch, (*path, str(key)))]
    if type(tree) in (list, tuple):
        return [n for i, branch in enumerate(tree) for n in names_of(branch, (*path, str(i)))]
    return [".".join(path) or "theta"]


# What an array is for and along which axis its filters are counted: by the last part of its name.
WHAT = ("weight", "bias", "norm", "embedding")
KINDS = {
    "W": ("weight", -1),        # dense (in, out): a filter is what enters one output unit, a column
    "K": ("weight", 0),         # convolution (out, in, height, width)
    "E": ("embedding", 0),      # one row a token
    "P": ("embedding", 0),      # one row a position
    "b": ("bias", None),
    "gain": ("norm", None),
    "shift": ("norm", None),
}


UNKNOWN = "unknown"


@dataclass(frozen=True)
class Entry:
    """One array of a layout: theta[..., start:stop] reshaped to (..., *shape)."""
    name: str
    shape: tuple
    kind: str                   # weight | bias | norm | embedding
    counted: int | None | str   # filter_axis, or UNKNOWN
    start: int
    stop: int

    @property
    def filter_axis(self):
        """Axis of `shape` that counts the filters; None where there are none."""
        if self.counted == UNKNOWN:
            raise ValueError(undeclared(self.name, self.shape))
        return self.counted


class Layout:
    """How a tree of arrays lies in one flat vector.

        layout = Layout(tree);  theta = layout.ravel(tree);  tree = layout.unravel(theta)

    tree    an example tree: form, shapes
    kinds   {name: (kind, filter_axis)} for leaves whose name does not tell (see KINDS), the axis
            None where there are no filters. Leaves not named there either are biases if they have
            fewer than two axes and weights counted along the last of two. Of more axes any could be
            the one, which is not guessed: asking for it raises, and of four or more under a name,
            a kernel, so does the layout

    Both ways take batches: leaves (n, *shape) <-> theta (n, d).
    Raises ValueError for a kernel that is not declared
    """

    def __init__(self, tree, kinds=None):
        self.tree = rebuild(tree, [None] * len(leaves_of(tree)))
        self.entries, start, kinds = [], 0, {} if kinds is None else kinds
        check_declared(kinds, names_of(tree))
        for name, leaf in zip(names_of(tree), leaves_of(tree)):
            require_array("Layout", name, leaf)
            kind, axis = use_of(name, leaf.shape, kinds)
            stop = start + prod(leaf.shape)
            self.entries.append(Entry(name, tuple(leaf.shape), kind, axis, start, stop))
            start = stop
        self.size = start
        self.names = [entry.name for entry in self.entries]

    def __eq__(self, other):
        return isinstance(other, Layout) and self.entries == other.entries

    def __getitem__(self, name):
        """The entry of that name."""
        if name not in self.names:
            raise KeyError(f"Layout: there is no array {name!r}. It has {', '.join(self.names)}.")
        return self.entries[self.names.index(name)]

    def unravel(self, theta):
        """theta (..., d) -> tree of (..., *shape); views where theta is contiguous."""
        require_array("unravel", "theta", theta)
        if theta.shape[-1:] != (self.size,):
            raise ValueError(f"unravel: theta has shape {theta.shape}, this layout has "
                             f"{self.size} parameters. Use a point of the same model.")
        lead = theta.shape[:-1]
        return rebuild(self.tree, [theta[..., e.start:e.stop].reshape(lead + e.shape)
                                   for e in self.entries])

    def ravel(self, tree, out=None):
        """tree of (..., *shape) -> theta (..., d), one copy, into `out` if given."""
        if len(leaves := leaves_of(tree)) != len(self.entries):
            raise ValueError(f"ravel: the tree has {len(leaves)} arrays, this layout has "
                             f"{len(self.entries)}. Use a tree of the same model.")
        leaves, flat = leaves_like(tree, self.tree, "ravel"), []
        for leaf, e in zip(leaves, self.entries):
            require_array("ravel", e.name, leaf)
            lead = leaf.shape[:leaf.ndim - len(e.shape)]
            if leaf.shape != lead + e.shape:
                raise ValueError(f"ravel: {e.name} has shape {leaf.shape}, this layout has "
                                 f"{e.shape}. Use a tree of the same model.")
            flat.append(leaf.reshape(lead + (e.stop - e.start,)))
        if any(type(leaf) is Tensor for leaf in flat):
            from minigrad.ops.shape import concatenate
            return concatenate(flat, axis=-1)
        for leaf in flat:
            backend.refuse_foreign("ravel", leaf)
        if not flat:
            return xp.zeros(0) if out is None else out
        return xp.concatenate(flat, axis=-1, out=out)


def use_of(name, shape, kinds):
    """(kind, filter axis) of a leaf: as declared, or by its name, or by how many axes it has."""
    last, ndim = name.split(".")[-1], len(shape)
    if name not in kinds and ndim > 2 and (last == "W" or last not in KINDS):
        if ndim > 3 and not last.isdecimal() and name != "theta":
            raise ValueError(undeclared(name, shape))
        return "weight", UNKNOWN
    default = ("weight", -1) if ndim == 2 else ("bias", None)
    kind, axis = kinds[name] if name in kinds else KINDS.get(last, default)
    if not ndim and name not in kinds:
        return kind, None
    if axis is not None and not -ndim <= axis < ndim:
        raise ValueError(f"Layout: {name} is a {kind} counted along axis {axis}, but has shape "
                         f"{tuple(shape)}. Name one of its axes, or declare it in kinds.")
    return kind, axis if axis is None or axis >= 0 else axis + ndim


def undeclared(name, shape):
    return (f"Layout: {name} has shape {tuple(shape)}, and which of its {len(shape)} axes counts the "
            f"filters does not show. Declare it, kinds={{{name!r}: ('weight', axis)}}, or call a "
            "kernel (out, in, height, width) K.")


def check_declared(kinds, names):
    """Raise unless `kinds` names leaves and says of each what it is."""
    if type(kinds) is not dict:
        raise TypeError(f"Layout: kinds is {a(kinds)}. Give {{name: (kind, filter_axis)}}.")
    for name, use in kinds.items():
        if name not in names:
            raise ValueError(f"Layout: kinds declares {name!r}, but there is no such array. It has "
                             f"{', '.join(names)}.")
        if type(use) not in (tuple, list) or len(use) != 2 or use[0] not in WHAT or not (
                use[1] is None or type(use[1]) is int):
            raise ValueError(f"Layout: kinds declares {name!r} as {use!r}. Give (kind, filter_axis)"
                             f", one of {', '.join(WHAT)} and an axis or None.")


def require_array(operation, name, leaf):
    """Raise unless a leaf is an array."""
    if not hasattr(leaf, "shape"):
        raise TypeError(f"{operation}: {name} is {a(leaf)}. Give "
                        f"{'an array' if name == 'theta' else 'arrays at the leaves of the tree'}.")
