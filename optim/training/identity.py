"""Which run is this? What a resumed run has to share with the one that was saved.

A run is what it is by its optimizer and settings, its model, its data and batches, its seed, its
precision. `Identity` reads them off the objects themselves: every attribute of the optimizer and
the problem, and of the objects in them, numbers and words as they are, arrays as a checksum. Two
runs are the same if no entry differs; the first one that does makes the sentence.

What a step changes in those objects (running means of batch norm, a generator) is no setting: it
is part of where the run stands, so `changed` hands it to the checkpoint, and `put_back` sets it.
"""
import hashlib
import types
from itertools import zip_longest

import numpy as np

from minigrad import Layout
from minigrad.backend import to_host, xp

BIG = 1 << 20               # bytes; an array as large as that is never written in place: points are
DEEP = 5                    # values. It is read once, and the same object is the same array after
NO_OBJECTS = (type, types.FunctionType, types.MethodType, types.ModuleType, np.random.Generator,
              np.ndarray, xp.ndarray, Layout)


class Identity:
    """The settings of one run, read off `parts` {name: object} before its first step.

    in_full   False: nothing is read yet, only the objects are known
    entries   {name: text}, such as {"optimizer": "Adam", "optimizer.lr": "0.001", ...}
    """

    def __init__(self, parts, in_full=True):
        self.parts, self.sums = parts, {}
        self.entries = self.read() if in_full else {}

    def read(self):
        return {name: text for part, thing in self.parts.items()
                for holder, where in objects(thing, part)
                for name, text in self.describe(holder, where)}

    def describe(self, holder, where):
        yield where, getattr(holder, "__name__", type(holder).__name__)
        for key, value in attributes(holder):
            yield f"{where}.{key}", self.text(value)

    def text(self, value):
        """A few words for a number, a text or a function; a checksum for a tree of arrays."""
        if isinstance(value, np.random.Generator):
            return seed_of(value)
        if value is None or isinstance(value, (bool, int, float, str, np.generic)):
            return repr(value.item() if isinstance(value, np.generic) else value)
        if callable(value):
            return getattr(value, "__name__", type(value).__name__)
        if isinstance(value, (np.ndarray, xp.ndarray)):
            return self.array(value)
        if isinstance(value, dict):
            parts = [f"{key}: {self.text(item)}" for key, item in value.items()]
        elif isinstance(value, (list, tuple)):
            parts = [self.text(item) for item in value]
        else:
            return type(value).__name__
        text = ", ".join(parts) + "," * (len(parts) == 1)
        return f"({text})" if len(text) <= 99 else f"{len(parts)} items {checksum(text.encode())}"

    def array(self, a):
        kept, text = self.sums.get(id(a), (None, ""))
        if kept is not a:
            host = np.ascontiguousarray(to_host(a))
            text = f"{host.dtype}{list(host.shape)} {checksum(host.tobytes())}"
            if host.nbytes >= BIG:
                self.sums[id(a)] = a, text              # holding `a` keeps its id its own
        return text

    def generators(self):
        """The random generators among the attributes."""
        return [value for part, thing in self.parts.items() for holder, _ in objects(thing, part)
                for _, value in attributes(holder) if isinstance(value, np.random.Generator)]

    def changed(self):
        """{name: value} of the attributes that are no longer what they were, and of generators."""
        found = {}
        for part, thing in self.parts.items():
            for holder, where in objects(thing, part):
                for key, value in attributes(holder):
                    name = f"{where}.{key}"
                    if isinstance(value, np.random.Generator) or (
                            is_tree(value) and self.text(value) != self.entries.get(name)):
                        found[name] = value
        return found

    def put_back(self, values):
        """Set the attributes that `changed` had found in the run that was saved."""
        for part, thing in self.parts.items():
            for holder, where in objects(thing, part):
                for name, value in values.items():
                    place, _, key = name.rpartition(".")
                    if place == where and is_tree(getattr(holder, key, None)):
                        setattr(holder, key, value)


def difference(stored, current, ignore=()):
    """(name, stored text, current text) of the first entry that differs, or None."""
    for name in [*stored, *(name for name in current if name not in stored)]:
        a, b = stored.get(name, "not there"), current.get(name, "not there")
        if a != b and name not in ignore:
            return name, a, b
    return None


def objects(thing, name, depth=0, met=None):
    """(object, name) of a thing and of the objects among its attributes."""
    met = set() if met is None else met
    if id(thing) in met or depth > DEEP:
        return
    met.add(id(thing))
    yield thing, name
    for key, value in attributes(thing):
        if hasattr(value, "__dict__") and not isinstance(value, NO_OBJECTS):
            yield from objects(value, f"{name}.{key}", depth + 1, met)


def attributes(holder):
    """(name, value) of the attributes that may be settings or state."""
    if isinstance(holder, NO_OBJECTS) or not hasattr(holder, "__dict__"):
        return []
    return [(key, value) for key, value in vars(holder).items() if not isinstance(value, Layout)]


def is_tree(value):
    """Whether it is numbers, texts and arrays through and through."""
    if isinstance(value, dict):
        return all(isinstance(key, (str, int)) and is_tree(item) for key, item in value.items())
    if type(value) in (list, tuple):
        return all(map(is_tree, value))
    return value is None or isinstance(value, (bool, int, float, str, np.ndarray, np.generic,
                                               np.random.Generator, xp.ndarray))


def seed_of(rng):
    """The seed that a Generator began with, however far it has come since."""
    seed = rng.bit_generator.seed_seq
    entropy = getattr(seed, "entropy", None)
    spawned = getattr(seed, "spawn_key", ())
    words = f"seed {entropy}" + (f" spawned {tuple(spawned)}" if spawned else "")
    return f"{type(rng.bit_generator).__name__} {words}"


def checksum(data):
    return hashlib.sha256(data).hexdigest()[:16]


def describe(layout, theta):
    """What must agree between a checkpoint and a model: names and shapes, else theta's shape."""
    if layout is None:
        return [["theta", list(theta.shape)]]
    return [["points", list(theta.shape[:-1])]] + [[e.name, list(e.shape)] for e in layout.entries]


def check_same_model(path, stored, current):
    """Raise RuntimeError naming the first difference between two results of `describe`."""
    if stored == current:
        return
    pairs = zip_longest(stored, current, fillvalue=["nothing", []])
    (name, shape), (other, other_shape) = next((a, b) for a, b in pairs if a != b)
    raise RuntimeError(f"checkpoint: {path} belongs to another model: it has {name} {tuple(shape)} "
                       f"where this one has {other} {tuple(other_shape)}. Name another file, or "
                       "build the model it was made for.")
