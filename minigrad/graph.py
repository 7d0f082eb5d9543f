"""Walk what a result was made from, and find its layers: where a weight meets its input.

A Tensor keeps the primitive and the inputs that made it, so a result is the newest node of a graph
that can be read while it is there, that is inside the differentiated function:

    def loss(params):
        height = model.loss(params, batch)
        inputs.update(graph.layer_inputs(height, params))       # {"layers.0.W": [x], ...}
        return height

    height, gradient = mg.value_and_grad(loss)(params)          # and `inputs` are there too

Nothing is recorded for this: a function that does not ask pays nothing. Read `tensor.py` first.
"""
from dataclasses import dataclass

from minigrad.backend import xp
from minigrad.ops.conv import padded, windows
from minigrad.tensor import Tensor
from minigrad.tree import leaves_of, names_of

TURNS = ("transpose", "swapaxes")              # of a matrix: the other axis now meets the input
KEEPS = ("identity", "astype")                 # still the same weight


def nodes(*results):
    """All Tensors that the results were made from, themselves included, oldest first."""
    found, waiting = {}, list(results)
    while waiting:
        node = waiting.pop()
        if type(node) is Tensor and node.number and node.number not in found:
            found[node.number] = node
            waiting.extend(node.inputs)
    return [found[number] for number in sorted(found)]


def rerun(result, added):
    """The calculation behind `result` once more, with something added to some of its nodes.

        {number of a node: what is added to its value}

    As a function of what is added it can be differentiated: its pullback at zero gives the
    cotangents of nodes inside the calculation. Leaves count as constants here.
    """
    values, changed = {}, set(added)
    for node in nodes(result):
        value = node.data
        if any(type(x) is Tensor and x.number in changed for x in node.inputs):
            value = node.primitive(*[values.get(x.number, x.data) if type(x) is Tensor else x
                                     for x in node.inputs], **node.settings)
            changed.add(node.number)                            # else it is what it was
        values[node.number] = value + added[node.number] if node.number in added else value
    return values[result.number]


@dataclass(frozen=True)
class Layer:
    """One meeting of a weight with its input.

    weight   name of the weight in the tree
    bias     name of what the same operation adds, or None
    axis     which axis of the weight, seen as a matrix, meets the input: 0 for x W with W (in,
             out), 1 for W x and for kernels (out, in, height, width)
    x        the array that came in, as it came
    z        the Tensor that went out; of a recurrent layer all its states
    rows     () -> the input as rows (R, in), those that the matrix multiplies
    """
    weight: str
    bias: str | None
    axis: int
    x: object
    z: Tensor
    rows: object


def layers(result, params):
    """The layers of a calculation, oldest first: [Layer]. A weight used twice has two.

    A weight counts where it is an operand of matmul, linear, conv2d or lstm, as it stands or
    transposed. What only looks rows up (an embedding) is no layer.

    result  what the differentiated function is about to return, or any tree of such
    params  its argument, the tree of Tensors; a Tensor among them that is used nowhere has none
    Raises  ValueError outside of a differentiated function, where there is no graph
    """
    results = leaves_of(result)
    if not any(type(r) is Tensor and r.number for r in results):
        raise ValueError("layers: the result is no Tensor with a history. Ask inside the function "
                         "that is differentiated, before it returns.")
    names = {leaf.number: name for name, leaf in zip(names_of(params), leaves_of(params))
             if type(leaf) is Tensor and leaf.number}
    found = []
    for node in nodes(*results):
        reader = READERS.get(node.primitive.__name__) if node.primitive else None
        for at, bias, axis, x, rows in reader(node, *node.arrays) if reader else ():
            name, turned = origin(node.inputs[at], names)
            if name:
                shift = None if bias is None else origin(node.inputs[bias], names)[0]
                found.append(Layer(name, shift, 1 - axis if turned else axis, x, node, rows))
    return found


def layer_inputs(result, params):
    """{name of a weight: [its inputs, as they came in, oldest use first]}; see `layers`."""
    inputs = {}
    for layer in layers(result, params):
        inputs.setdefault(layer.weight, []).append(layer.x)
    return inputs


def origin(x, names):
    """(name of the weight that x is, was it transposed), or (None, False)."""
    turned = False
    while type(x) is Tensor:
        if x.number in names:
            return names[x.number], turned
        made = x.primitive.__name__ if x.primitive else None
        if made in TURNS and x.ndim == 2:
            turned = not turned
        elif made not in KEEPS:
            break
        x = x.inputs[0]
    return None, False


# ------------------------------------------------------------- (operand, bias, axis, x, rows)

def of_matmul(z, a, b):
    yield 1, None, 0, a, lambda: a.reshape(-1, a.shape[-1])
    yield 0, None, 1, b, lambda: b.swapaxes(-1, -2).reshape(-1, b.shape[-2])


def of_linear(z, x, W, b):
    yield 1, 2, 0, x, lambda: x.reshape(-1, x.shape[-1])


def of_conv2d(z, x, K, b):
    (O, C, kh, kw), padding = K.shape, z.settings.get("padding", 0)

    def rows():
        seen = windows(padded(x, padding, padding), kh, kw, z.settings.get("stride", 1))
        return seen.reshape(-1, kh * kw, C).swapaxes(1, 2).reshape(-1, C * kh * kw)
    yield 1, 2, 1, x, rows


def of_lstm(z, x, W, U, b, h0, c0):
    before = xp.concatenate([h0[None], z.data[0, :-1]])         # the states U multiplies
    yield 1, 3, 0, x, lambda: x.reshape(-1, x.shape[-1])
    yield 2, 3, 0, before, lambda: before.reshape(-1, before.shape[-1])


READERS = {"_matmul": of_matmul, "linear": of_linear, "conv2d": of_conv2d, "lstm": of_lstm}
