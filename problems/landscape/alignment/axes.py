"""How each operation passes the labels of its inputs' axes on to its result.

The label of an axis is a tuple of factors: usually one, several where the axis is a product (heads
and head width, channels and pixels), none where its length is 1. Factors are united when they
must be permuted together, cut when an axis is reshaped, and pinned when their order means
something. Used by `symmetries`; one rule for each operation that a model is made of.
"""
from minigrad import Tensor
from minigrad.backend import to_host


class Factor:
    """Places that can only be permuted all together. Compared by identity."""

    def __init__(self, size, pinned=False):
        self.size, self.pinned = size, pinned
        self.parts = None           # what became of it: one other factor, or several after a cut


def resolve(label):
    """The label in terms of factors that are still whole."""
    whole = []
    for factor in label:
        whole += [factor] if factor.parts is None else resolve(factor.parts)
    return tuple(whole)


def cut(factor, size):
    """Make a product of a factor: (size, rest)."""
    factor.parts = (Factor(size, factor.pinned), Factor(factor.size // size, factor.pinned))


def pin(*labels):
    for label in labels:
        for factor in resolve(label):
            factor.pinned = True


def unite(a, b):
    """Two axes of one length are one and the same; returns it. A length of 1 fits everything."""
    if not a or not b:
        return a or b
    while True:
        pairs = [(x, y) for x, y in zip(resolve(a), resolve(b)) if x is not y]
        if not pairs:
            return a
        x, y = pairs[0]
        if x.size == y.size:
            x.pinned |= y.pinned
            y.parts = (x,)
        elif max(x.size, y.size) % min(x.size, y.size) == 0:
            cut(max(x, y, key=lambda factor: factor.size), min(x.size, y.size))
        else:
            pin(a, b)
            return a


def fresh(n, pinned=False):
    """The label of a new axis."""
    return (Factor(n, pinned),) if n > 1 else ()


def label_constant(array):
    """Labels of an array that is not a weight: pinned, unless it is the same all along an axis."""
    array = to_host(array)
    return [fresh(n, pinned=bool((array != array.take([0], axis=k)).any()))
            for k, n in enumerate(array.shape)]


class Labelled:
    """An array as the rules see it: its shape, and a label for each axis."""

    def __init__(self, shape, axes):
        self.shape, self.axes = tuple(shape), list(axes)


RULES = {}


def rule(*names):
    """Register a rule(shape of the result, *inputs, **settings) -> labels of the result's axes."""
    def register(function):
        RULES.update(dict.fromkeys(names, function))
        return function
    return register


def propagate(operation, shape, inputs, settings):
    """The labels of an operation's result."""
    if operation.elementwise:
        return broadcast(shape, *inputs)
    if operation.__name__ in RULES:
        return RULES[operation.__name__](shape, *inputs, **settings)
    pin(*(label for x in inputs for label in x.axes))       # unknown: nothing it touches may move
    return [fresh(n, pinned=True) for n in shape]


def broadcast(shape, *inputs):
    """Axes matched from the right."""
    axes = []
    for k in range(len(shape)):
        label = ()
        for x in inputs:
            place = k - len(shape) + len(x.shape)
            if place >= 0:
                label = unite(label, x.axes[place])
        axes.append(label if label or shape[k] == 1 else fresh(shape[k]))
    return axes


@rule("identity", "_astype", "neg", "square", "exp", "expm1", "log", "log1p", "sqrt", "sign", "abs",
      "sin", "cos", "tan", "arctan", "tanh", "sigmoid", "softplus", "clip", "relu", "gelu", "silu",
      "softmax", "log_softmax", "standardize")
def same(shape, x, **settings):
    return x.axes


@rule("layer_norm")
def normalised(shape, x, gain, shift, **settings):
    return x.axes[:-1] + [unite(unite(x.axes[-1], gain.axes[0]), shift.axes[0])]


@rule("sum", "mean", "max", "min", "logsumexp", "var", "norm", "prod")
def reduced(shape, x, axis=None, keepdims=False, **settings):
    n = len(x.shape)
    lost = range(n) if axis is None else [a % n for a in (axis if type(axis) is tuple else (axis,))]
    return [() if k in lost else label
            for k, label in enumerate(x.axes) if keepdims or k not in lost]


@rule("_matmul")
def product(shape, a, b):
    unite(a.axes[-1], b.axes[-2])
    lead = [Labelled(x.shape[:-2], x.axes[:-2]) for x in (a, b)]
    return broadcast(shape[:-2], *lead) + [a.axes[-2], b.axes[-1]]


@rule("linear")
def affine(shape, x, W, b):
    summed = product(shape, x, W)
    return summed[:-1] + [unite(summed[-1], b.axes[-1])]


@rule("reshape")
def reshaped(new_shape, x, shape):
    """The factors of all the axes, in order, dealt out again; one that is too large is cut."""
    left, axes = [factor for label in x.axes for factor in label], []
    for n in new_shape:
        label, room = [], n
        while room > 1:
            left = list(resolve(left))
            first = left[0]
            if first.size > room and first.size % room == 0:
                cut(first, room)
            elif first.size > room or room % first.size:
                pin(*x.axes)                                   # an axis begins inside a factor
                return [fresh(m, pinned=True) for m in new_shape]
            else:
                label.append(left.pop(0))
                room //= first.size
        axes.append(tuple(label))
    return axes


@rule("transpose")
def transposed(shape, x, axes=None):
    return [x.axes[k] for k in (axes or reversed(range(len(x.axes))))]


@rule("swapaxes")
def swapped(shape, x, a, b):
    axes = list(x.axes)
    axes[a], axes[b] = axes[b], axes[a]
    return axes


@rule("expand_dims")
def expanded(shape, x, axis):
    new = {a % len(shape) for a in (axis if type(axis) is tuple else (axis,))}
    old = iter(x.axes)
    return [() if k in new else next(old) for k in range(len(shape))]


@rule("broadcast_to")
def repeated(new_shape, x, shape):
    return broadcast(new_shape, x)


@rule("getitem")
def picked(shape, x, index):
    """Whole axes go on; an axis that is indexed or cut is pinned, and so is what is left of it."""
    index = index if type(index) is tuple else (index,)
    if not all(part is Ellipsis or part is None or type(part) in (int, slice) for part in index):
        pin(*x.axes)
        return [fresh(n, pinned=True) for n in shape]
    used = sum(part is not None and part is not Ellipsis for part in index)
    rest = [slice(None)] * (len(x.shape) - used)
    at = index.index(Ellipsis) if Ellipsis in index else len(index)
    index = [*index[:at], *rest, *index[at + 1:]]
    axes, k = [], 0
    for part in index:
        if part is None:
            axes.append(())
            continue
        if type(part) is slice and part.indices(x.shape[k]) == (0, x.shape[k], 1):
            axes.append(x.axes[k])
        else:
            pin(x.axes[k])
            if type(part) is slice:
                axes.append(fresh(shape[len(axes)], pinned=True))
        k += 1
    return axes


@rule("attention")
def attended(shape, q, k, v, **settings):
    """Leading axes (heads) match; inside a head and along time nothing is moved.

    (Inside a head the symmetry is larger than permutations: any invertible matrix between q and k.)
    """
    pin(*q.axes[-2:], *k.axes[-2:], *v.axes[-2:])
    heads = [Labelled(x.shape[:-2], x.axes[:-2]) for x in (q, k, v)]
    return broadcast(shape[:-2], *heads) + [q.axes[-2], v.axes[-1]]


@rule("self_attention")
def attended_at_once(shape, qkv, heads, mask=None):
    """qkv (B, T, 3C): queries, keys, values, each (heads, D), on one axis."""
    head, width = fresh(heads), fresh(shape[-1] // heads, pinned=True)
    unite(qkv.axes[-1], fresh(3, pinned=True) + head + width)
    pin(qkv.axes[-2])
    return qkv.axes[:-1] + [head + width]


@rule("embedding")
def embedded(shape, table, tokens):
    pin(table.axes[0])
    return [fresh(n, pinned=True) for n in shape[:-1]] + [table.axes[1]]


@rule("conv2d")
def convolved(shape, x, K, b, **settings):
    pin(x.axes[1], x.axes[2], K.axes[2], K.axes[3])
    unite(x.axes[3], K.axes[1])
    return [x.axes[0], fresh(shape[1], True), fresh(shape[2], True), unite(K.axes[0], b.axes[0])]


@rule("pool_max", "pool_sum")
def pooled(shape, x, axis, **settings):
    pin(x.axes[axis])
    return x.axes[:axis] + [fresh(shape[axis], pinned=True)] + x.axes[axis + 1:]


@rule("lstm")
def recurrent(shape, x, W, U, b, h0, c0):
    """One group of units, in each of the four gates."""
    unit, gates = fresh(shape[-1]), fresh(4, pinned=True)
    unite(x.axes[2], W.axes[0])
    for label in (W.axes[1], U.axes[1], b.axes[0]):
        unite(label, gates + unit)
    for label in (U.axes[0], h0.axes[1], c0.axes[1]):
        unite(label, unit)
    pin(x.axes[0])
    return [fresh(2, pinned=True), x.axes[0], x.axes[1], unit]


# ---------------------------------------------------------------------- the graph of one run

def graph(output):
    """Every Tensor that `output` was computed from by an operation, oldest first."""
    found, open_ends = {}, [output]
    while open_ends:
        node = open_ends.pop()
        if type(node) is Tensor and node.primitive is not None and node.number not in found:
            found[node.number] = node
            open_ends += node.inputs
    return [found[number] for number in sorted(found)]


def labelled(x, axes):
    """An input of an operation as the rules see it; `axes` holds the labels by Tensor number."""
    if type(x) is Tensor and x.number in axes:
        return Labelled(x.shape, axes[x.number])
    values = to_host(x.data if type(x) is Tensor else x)
    return Labelled(values.shape, label_constant(values))
