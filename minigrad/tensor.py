"""Reverse-mode differentiation: a Tensor is an array that remembers how it was made. Read first.

A `primitive` is a function on arrays with its derivative rule beside it. Called with a Tensor among
its inputs it returns a Tensor that keeps the primitive and the inputs: the graph of the
calculation. `sweep` walks that graph from the newest Tensor to the oldest and hands each one's
cotangent (the derivative of the result with respect to it) to its inputs, by the primitive's rule.

Each Tensor takes the next number from one counter, so inputs always have smaller numbers than what
is made from them: newest-first is a valid order, and nothing needs to be sorted by depth.

The rule is written with operators and minigrad functions, which work on arrays and on Tensors:
  - in a plain gradient it is called with arrays, and costs no graph;
  - when another transform is running (a gradient of a gradient) it is called with Tensors, and the
    backward pass is itself recorded. That is all there is to second derivatives.
"""
import functools
import inspect
import math
from heapq import heappop, heappush
from itertools import count

from minigrad import backend
from minigrad.backend import xp
from minigrad.profile import timed

primitives = {}                      # name -> primitive: every operation there is
next_number = count(1).__next__


class tape:
    """The two switches of the engine, here and nowhere else."""
    recording = True                 # False inside no_grad()
    depth = 0                        # how many transforms (grad, vjp, ...) are running


class no_grad:
    """`with no_grad():` operations on Tensors give constants, and build no graph."""

    def __enter__(self):
        self.before, tape.recording = tape.recording, False

    def __exit__(self, *_):
        tape.recording = self.before


class Tensor:
    """An array, and how it was made. Tensors are values: nothing writes into one.

    data       the array
    number     order of creation; 0 marks a constant, which is never differentiated
    primitive  what made it, from `inputs` with `settings`; None for a leaf
    arrays     the inputs as plain arrays
    saved      arrays the forward pass kept for its fast rule
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

    __len__ = lambda self: len(self.data)
    __float__ = item = lambda self: float(self.data)
    __bool__ = lambda self: bool(self.data)

    def __repr__(self):
        made = self.primitive.__name__ if self.primitive else "leaf" if self.number else "constant"
        return f"Tensor({self.data}, shape={self.shape}, dtype={self.dtype}, {made})"

    def __array__(self, *_, **__):
        raise TypeError("np.asarray, np.sum, ...: a Tensor is not an array. Use its .data for the "
                        "values, or minigrad's functions (minigrad.sum, ...) to differentiate.")
    __array_function__ = __array__

    def __setitem__(self, index, value):
        raise TypeError("item assignment: a Tensor is a value and cannot be written into. Use "
                        "minigrad.where(mask, new, old), or build it with concatenate or stack.")

    def backward(self):
        """Fill `.grad` of every leaf this scalar was made from, with plain arrays. First order."""
        if self.shape != ():
            raise ValueError(f"backward: loss must be a scalar, got shape {self.shape}. "
                             "Sum or average it.")
        for leaf, g in sweep([(self, xp.ones_like(self.data))], 1, record=False).values():
            leaf.grad = g


def tensor(x, dtype=None):
    """A leaf Tensor with the values of x (a number, a list, an array), to be differentiated."""
    data = xp.asarray(x.data if type(x) is Tensor else x, dtype=dtype)
    return Tensor(differentiable(data, "tensor"), next_number())


def differentiable(data, operation):
    """The array itself, if it can be differentiated."""
    if backend.on_device:
        backend.refuse_foreign(operation, data)
    if data.dtype.kind != "f":
        raise TypeError(f"{operation}: cannot differentiate {data.dtype} values. "
                        "Convert them with .astype(float), or pass them as data.")
    return data


def constant(x):
    """The plain array of x: what is computed from it has derivative zero with respect to x."""
    return x.data if type(x) is Tensor else x


def primitive(forward=None, *, elementwise=False, saves=False):
    """Make an operation of a function on arrays. Its positional parameters are inputs
    (arrays, Tensors, numbers), its keyword-only ones settings, handed to the rule as they are.

    elementwise  inputs broadcast: a cotangent of the broadcast shape is summed to the input's
    saves        forward returns (y, saved); `saved` is for the arrays-only rule

    Rules, one of   @op.vjp           rule(g, y, *inputs, **settings) for each input in turn; None
                                      for an input that is never differentiated
                    @op.vjp_joint     rule(g, y, *inputs, needs=[bool], **settings), all at once
    and optionally  @op.vjp_arrays    rule(g, y, saved, *inputs, needs=[bool], **settings): only
                                      ever sees arrays, may use what forward saved
                    @op.vjp_into      rule(buffer, g, x, **settings): adds x's cotangent in place
    """
    if forward is None:
        return lambda function: primitive(function, elementwise=elementwise, saves=saves)
    name = forward.__name__
    run = timed(name, forward)
    kinds = [(p.kind, p.name) for p in inspect.signature(forward).parameters.values()]
    names = [n for kind, n in kinds if kind == inspect.Parameter.KEYWORD_ONLY]
    variadic = any(kind == inspect.Parameter.VAR_POSITIONAL for kind, _ in kinds)
    arity = math.inf if variadic else len(kinds) - len(names)

    @functools.wraps(forward)
    def operation(*inputs, **settings):
        if arity < len(inputs) <= arity + len(names):     # sum(x, 0) is sum(x, axis=0), as in NumPy
            settings.update(zip(names, inputs[arity:]))
            inputs = inputs[:arity]
        newest, arrays, plain = 0, [], True
        for x in inputs:
            if type(x) is Tensor:
                plain, newest = False, newest | x.number
                arrays.append(x.data)
            else:
                arrays.append(x)
        try:
            y = run(*arrays, **settings)
        except (ValueError, TypeError, IndexError) as error:
            raise explained(operation, arrays, error) from error
        y, saved = y if saves else (y, None)
        if plain:
            return y
        if newest and tape.recording:
            return Tensor(y, next_number(), operation, inputs, settings, arrays, saved)
        return Tensor(y)

    def rule_setter(slot):
        def setter(*rules):
            measured = tuple(rule and timed(name + "'", rule) for rule in rules)
            setattr(operation, slot, measured if slot == "rules" else measured[0])
            return rules[0]
        return setter

    operation.forward, operation.elementwise = run, elementwise
    operation.rules = operation.joint = operation.fast = operation.into = None
    operation.vjp, operation.vjp_joint = rule_setter("rules"), rule_setter("joint")
    operation.vjp_arrays, operation.vjp_into = rule_setter("fast"), rule_setter("into")
    primitives[name] = operation
    return operation


def explained(operation, arrays, error):
    """The error of a forward pass, in a sentence that names the operation and the shapes."""
    name = operation.__name__.lstrip("_")              # _concatenate is what concatenate calls
    if str(error).startswith(name + ":"):
        return error
    for a in arrays:
        backend.refuse_foreign(name, a)
    shapes = [str(a.shape) if hasattr(a, "shape") else repr(a) for a in arrays]
    if operation.elementwise and isinstance(error, ValueError):
        return ValueError(f"{name}: cannot broadcast shapes {' and '.join(shapes)}. Axes are "
                          "matched from the right and must be equal or 1.")
    kind = TypeError if isinstance(error, TypeError) else ValueError
    return kind(f"{name}: {error}, for inputs {', '.join(shapes)}. See help(minigrad.{name}).")


def sweep(seeds, floor, record):
    """Cotangents of everything the seeds were made from, newest Tensor first, in one pass.

    seeds    pairs (result, its cotangent); results that are plain arrays depend on nothing
    floor    Tensors with a smaller number (made before the differentiated leaves) are constants
    record   call the rules with Tensors, so that the result can be differentiated again
    returns  {number: (leaf, cotangent)}
    """
    add = primitives["add"]
    sum_to = primitives["sum_to"] if record else primitives["sum_to"].forward
    pending, newest_first, leaves = {}, [], {}       # pending: number -> [Tensor, cotangent, ours]
    arriving = [(x, g) for x, g in seeds if type(x) is Tensor and x.number >= floor]
    while True:
        for x, g in arriving:
            entry = pending.get(x.number)
            if entry is None:                        # the first is kept as it is: it may be shared
                pending[x.number] = [x, g, False]
                heappush(newest_first, -x.number)
            elif record:
                entry[1] = add(entry[1], g)
            elif entry[2]:                           # a sum made here may be added to in place
                entry[1] += g
            else:
                entry[1], entry[2] = entry[1] + g, True
        if not newest_first:
            return leaves
        node, g, _ = pending.pop(-heappop(newest_first))
        inputs, operation, settings, arriving = node.inputs, node.primitive, node.settings, []
        needs = [type(x) is Tensor and x.number >= floor for x in inputs]
        if True not in needs:
            leaves[node.number] = (node, g)
            continue
        y, arguments = (node, inputs) if record else (node.data, node.arrays)
        if operation.into and not record:
            entry = pending.get(inputs[0].number)
            if entry is None:
                entry = pending[inputs[0].number] = [inputs[0], None, False]
                heappush(newest_first, -inputs[0].number)
            if not entry[2]:
                entry[1] = xp.zeros_like(arguments[0], dtype=g.dtype) if entry[1] is None \
                    else entry[1].copy()
                entry[2] = True
            operation.into(entry[1], g, *arguments, **settings)
            continue
        if operation.fast and not record:
            cotangents = operation.fast(g, y, node.saved, *arguments, needs=needs, **settings)
        elif operation.joint:
            cotangents = operation.joint(g, y, *arguments, needs=needs, **settings)
        else:
            cotangents = [rule(g, y, *arguments, **settings) if need and rule else None
                          for rule, need in zip(operation.rules, needs)]
        for x, need, g in zip(inputs, needs, cotangents):
            if need and g is not None:
                if g.shape != x.data.shape:
                    assert operation.elementwise, (
                        f"{operation.__name__}: its rule gave a cotangent of shape {g.shape} "
                        f"for an input of shape {x.data.shape}")
                    g = sum_to(g, shape=x.data.shape)
                arriving.append((x, g))
