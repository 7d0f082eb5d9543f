"""Reverse-mode differentiation: a Tensor is an array that remembers how it was made. Read first.

A `primitive` is a function on arrays with its derivative rule beside it. A whole one:

    >>> @primitive
    ... def cube(x):
    ...     return x * x * x
    >>> @cube.vjp
    ... def _(g, y, x):                     # dy = 3 x^2 dx, times the cotangent of y
    ...     return g * (3.0 * x * x)

Called with a Tensor among its inputs it returns a Tensor that keeps the primitive and the inputs:
the graph of the calculation. Each Tensor takes the next number from one counter, so inputs have
smaller numbers than results: newest first, everything is complete when its turn comes.

    >>> x, y = tensor(2.0), tensor(3.0)     #   x = 2  (1) ----+---------------.
    >>> p = x * y                           #                  v               v
    >>> z = p + x                           #   y = 3  (2) --> p = x y  (3) --> z = p + x  (4)

`sweep` walks this graph from the newest Tensor to the oldest and hands each one's cotangent (the
derivative of the result with respect to it) to its inputs, by the primitive's rule:

    Tensor  its cotangent      hands on, by the rule of                    waiting then
    z (4)   1                  addition: 1 to p, 1 to x                    p: 1   x: 1
    p (3)   1                  the product: g y = 3 to x, g x = 2 to y     y: 2   x: 1 + 3
    y (2)   2                  nothing, a leaf                             x: 4
    x (1)   4                  nothing, a leaf

    >>> z.backward()
    >>> float(x.grad), float(y.grad)
    (4.0, 2.0)

A rule is written with operators and minigrad functions, which work on arrays and on Tensors:
  - in a plain gradient it is called with arrays, and costs no graph;
  - when another transform is running (a gradient of a gradient) it is called with Tensors, and the
    backward pass is itself recorded. That is all there is to second derivatives.
"""
import functools
from heapq import heappop, heappush
from itertools import count

from minigrad import tape as switches
from minigrad.backend import xp
from minigrad.engine.cotangents import Part, add_to, own, summed_to, written_out
from minigrad.errors import INNER, differentiable, no_derivative, numbers_as_arrays
from minigrad.profile import timed
from minigrad.engine.rules import parameters, placed, primitives, registered
from minigrad.tape import tape  # noqa: F401  (the switches as attributes)

next_number = count(1).__next__
is_recording, transforms = switches.recording.get, switches.running.get


class Tensor:
    """An array, and how it was made. Tensors are values: nothing writes into one.

    data       the array
    number     order of creation; 0 marks a constant, which is never differentiated
    primitive  what made it, from `inputs` with `settings`; None for a leaf
    arrays     the inputs as plain arrays
    saved      arrays the forward pass kept for its rule on arrays
    grad       set by `backward()` on leaves: an array like data
    """
    __slots__ = ("data", "number", "primitive", "inputs", "settings", "arrays", "saved", "grad")
    __array_ufunc__ = None           # np.sin(tensor) fails at once, array * tensor comes to us

    def __init__(self, data, number=0, primitive=None, inputs=(), settings=None, arrays=(),
                 saved=None):
        self.data, self.number, self.primitive, self.inputs = data, number, primitive, inputs
        self.settings, self.arrays, self.saved, self.grad = settings, arrays, saved, None

    shape = property(lambda self: self.data.shape)
    dtype = property(lambda self: self.data.dtype)
    ndim = property(lambda self: self.data.ndim)
    size = property(lambda self: self.data.size)

    def __repr__(self):
        made = self.primitive.__name__ if self.primitive else "leaf" if self.number else "constant"
        return f"Tensor({self.data}, shape={self.shape}, dtype={self.dtype}, {made})"

    def backward(self):
        """Fill `.grad` of every leaf this scalar was made from, with plain arrays. First order."""
        if self.shape != ():
            raise ValueError(f"backward: loss must be a scalar, got shape {self.shape}. "
                             "Sum or average it.")
        taken = set()
        for leaf, g in sweep([(self, xp.ones_like(self.data))], 1, record=False).values():
            leaf.grad = own(g, leaf, taken)


def tensor(x, dtype=None):
    """A leaf Tensor with the values of x (a number, a list, an array), to be differentiated."""
    data = xp.array(constant(x), dtype=dtype)
    return Tensor(differentiable(data, "tensor"), next_number())


def constant(x):
    """The plain array of x: what is computed from it has derivative zero with respect to x."""
    return x.data if type(x) is Tensor else x


def primitive(forward=None, *, elementwise=False):
    """Make an operation of a function on arrays. Its positional parameters are inputs
    (arrays, Tensors, numbers), its keyword-only ones settings, handed to the rule as they are.

    elementwise  inputs broadcast: a cotangent of the broadcast shape is summed to the input's

    Two kinds of rule, set by decorators:

    @op.vjp         what differentiates, to any order, written in operators and operations. Either
                    one rule an input, rule(g, y, *inputs, **settings), None for an input that is
                    never differentiated; or one joint rule, told which inputs are asked for and
                    giving a tuple: rule(g, y, *inputs, needs=[bool], **settings)
    @op.vjp_arrays  for speed, beside it: rule(g, y, saved, *inputs, needs=[bool], **settings)
                    only ever sees arrays, may use what forward saved, and gives a tuple
    @op.arrays      the same operation, for speed: function(*inputs, **settings) on arrays returns
                    (y, saved), and `saved` is what the rule on arrays gets
    They are found as op.rule, always in the joint form, and op.rule_arrays.
    """
    if forward is None:
        return functools.partial(primitive, elementwise=elementwise)
    way, (arity, names) = [timed(forward.__name__, forward), False], parameters(forward)

    @functools.wraps(forward)
    def operation(*inputs, **settings):
        if len(inputs) != arity:
            inputs = placed(inputs, settings, arity, names)
        arrays, plain, live, data = [], True, False, False
        for x in inputs:
            if type(x) is Tensor:
                plain, live = False, live or x.number
                arrays.append(x.data)
            else:
                data = data or type(x) is not float
                arrays.append(x)
        try:
            y = way[0](*arrays, **settings)          # @op.arrays puts another one there
        except INNER as error:
            y = numbers_as_arrays(way[0], operation, arrays, settings, error)
        y, saved = y if way[1] else (y, None)
        if not (live and is_recording()):
            return y if plain else Tensor(y)
        if data or settings:
            if y.dtype.kind != "f":
                raise no_derivative(operation, y)
            if keep := transforms()[1]:
                inputs, settings = kept(keep, inputs, settings, arrays)
        return Tensor(y, next_number(), operation, inputs, settings, arrays, saved)
    return registered(operation, way, elementwise, arity)


def kept(keep, inputs, settings, arrays):
    """What a recorded operation remembers of data: nothing in which a later write would show."""
    inputs = list(inputs)
    for k, x in enumerate(inputs):
        if type(x) is not Tensor:
            inputs[k] = arrays[k] = keep(x)
    return inputs, settings and {name: keep(value) for name, value in settings.items()}


def sweep(seeds, floor, record):
    """Cotangents of everything the seeds were made from, newest Tensor first, in one pass.

    seeds    pairs (result, its cotangent); results that are plain arrays depend on nothing
    floor    Tensors with a smaller number (made before the differentiated leaves) are constants
    record   call the rules with Tensors, so that the result can be differentiated again
    returns  {number: (leaf, cotangent)}
    """
    waiting, newest_first, leaves = {}, [], {}
    arriving = [(x, g) for x, g in seeds if type(x) is Tensor and x.number >= floor]
    while arriving or newest_first:
        for x, g in arriving:
            number = x.number
            if number in waiting:
                add_to(waiting[number], g, record)
            else:                                    # the first is kept as it is: it may be shared
                waiting[number] = [x, g, False, None]
                heappush(newest_first, -number)
        node, g, _, parts = waiting.pop(-heappop(newest_first))
        if parts or type(g) is Part:
            g = written_out(g, parts, record)
        needs = [type(x) is Tensor and x.number >= floor for x in node.inputs]
        if True in needs:
            arriving = handed_on(node, g, needs, record)
        else:
            leaves[node.number], arriving = (node, g), ()
    return leaves


def handed_on(node, g, needs, record):
    """Pairs (input, its cotangent), by the rule of the node's primitive."""
    operation, pairs = node.primitive, []
    y, inputs = (node, node.inputs) if record else (node.data, node.arrays)
    if operation.rule_arrays and not record:
        cotangents = operation.rule_arrays(g, y, node.saved, *inputs, needs=needs, **node.settings)
    elif operation.rules:                            # one rule an input
        cotangents = [rule(g, y, *inputs, **node.settings) if need and rule else None
                      for rule, need in zip(operation.rules, needs)]
    else:
        cotangents = operation.rule(g, y, *inputs, needs=needs, **node.settings)
        assert len(cotangents) == len(needs), f"{operation.__name__}: its rule left inputs out"
    for x, need, g in zip(node.inputs, needs, cotangents):
        if need and g is not None:
            if g.shape != x.data.shape:
                g = summed_to(x.data.shape, g, operation, record)
            pairs.append((x, g))
    return pairs
