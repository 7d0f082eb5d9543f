"""How cotangents add up while they wait for their Tensor's turn, and how they are given out."""
from minigrad.backend import xp
from minigrad.engine.rules import primitives


class Part:
    """The cotangent of x when only x[index] was used: `values` there, zero elsewhere. It stays a
    value until x's turn comes; then all parts of x are written into one array."""
    __slots__ = ("values", "index", "shape")

    def __init__(self, values, index, shape):
        self.values, self.index, self.shape = values, index, shape


def add_to(entry, g, record):
    """Add g to a cotangent that waits: entry = [x, sum, was the sum made here?, parts]."""
    if type(entry[1]) is Part:
        entry[1], entry[3] = None, [entry[1]]
    if type(g) is Part:
        entry[3] = entry[3] or []
        entry[3].append(g)
    elif entry[1] is None:
        entry[1] = g
    elif record:
        entry[1] = primitives["add"](entry[1], g)
    elif entry[2]:                                   # may be added to in place
        entry[1] += g
    else:
        entry[1], entry[2] = entry[1] + g, True


def written_out(g, parts, record):
    """A cotangent with its parts in one array: g is the rest, a Part if it is all there is."""
    g, parts = (None, [g]) if type(g) is Part else (g, parts)
    put = primitives["_put"] if record else primitives["_put"].forward
    whole = put(*[p.values for p in parts], indices=[p.index for p in parts], shape=parts[0].shape)
    return whole if g is None else g + whole


def summed_to(shape, g, operation, record):
    """A cotangent of the broadcast shape, summed to the input's; other rules must give it right."""
    assert operation.elementwise, (
        f"{operation.__name__}: its rule gave a cotangent of shape {g.shape} "
        f"for an input of shape {shape}")
    return (primitives["sum_to"] if record else primitives["sum_to"].forward)(g, shape=shape)


def own(g, leaf, taken):
    """The cotangent of a leaf as an array of its dtype that shares memory with nothing. Views share
    with what they look at, `taken` has the ids of arrays that are someone's; rules made the rest."""
    if type(g) is not xp.ndarray or g.dtype != leaf.data.dtype:
        g = xp.asarray(g, dtype=leaf.data.dtype)
    if g.base is not None or id(g) in taken:
        g = xp.array(g)
    taken.add(id(g))
    return g
