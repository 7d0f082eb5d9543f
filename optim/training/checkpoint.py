"""Write a run to one file and read it back, so that it goes on as if nothing had happened.

A checkpoint is a tree: dicts, lists and tuples of arrays, numbers, strings and random
generators. Every array becomes a member of one archive, named by its path ("theta", "state.m"),
and the member "about" is a JSON text that holds all the rest. Numbers survive exactly: arrays as
bytes, Python floats by their shortest repr, a generator as the `state` of its bit generator. A
generator that stands in the tree twice is one generator afterwards too.

`archive.py` sees to it that the file is whole, old or new, and that a changed bit is found.
Nothing in a file is called or imported: a bit generator is one of the five in BIT_GENERATORS, and
its state is held against that generator's bounds before it gets it.
"""
import json
import os

import numpy as np

from minigrad.backend import to_host, xp

from . import archive
from .identity import check_same_model, describe  # noqa: F401  (importable from here)

FORMAT, OLDER = "minigrad checkpoint 2", "minigrad checkpoint 1"
BIT_GENERATORS = {kind.__name__: kind for kind in (
    np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.Philox, np.random.SFC64)}
RESERVED = ("", "about", "file")                    # names of members that are not an array's path
# A place in the generator's buffer, which NumPy takes as it comes: the largest that exists.
PLACES = {"MT19937": ("pos", 624), "Philox": ("buffer_pos", 4)}


def save(path, tree):
    """Write `tree` to `path`, all or nothing.

    Raises RuntimeError with the system's reason (disk full, folder not writable); a checkpoint
    that was there before is then untouched.
    """
    path = os.fspath(path)
    arrays = {}
    about = json.dumps({"format": FORMAT, "tree": pack(tree, "", arrays, {})})
    arrays["about"] = np.frombuffer(about.encode(), dtype=np.uint8)
    try:
        archive.write(path, arrays)
    except OSError as error:
        older = " The older checkpoint there is intact." if os.path.isfile(path) else ""
        raise RuntimeError(f"checkpoint: cannot write {path} ({error.strerror or error}).{older} "
                           "Free some space or name a folder you may write to.") from error


def load(path):
    """The tree that `save` wrote to `path`, bit for bit.

    Raises RuntimeError when the file cannot be read, is damaged, cut short, of an older version,
    or something else altogether.
    """
    path = os.fspath(path)
    try:
        arrays = archive.read(path)
    except OSError as error:
        raise RuntimeError(f"checkpoint: cannot read {path} ({error.strerror or error}). "
                           "Check the name.") from error
    except archive.Foreign as other:
        if OLDER in str(other):
            raise RuntimeError(f"checkpoint: {path} was written by an older version, without the "
                               "checksum that finds damage. Start the run again.") from None
        raise RuntimeError(f"checkpoint: {path} is not a checkpoint of a training run, or one that "
                           "was damaged or cut short. Name another file.") from None
    except Exception as error:                      # zipfile, struct, numpy: each has its own
        raise RuntimeError(f"checkpoint: {path} is damaged or cut short ({error}). Delete it "
                           "and start again, or put an older copy in its place.") from error
    try:
        about = json.loads(bytes(arrays.pop("about")).decode())
        if about["format"] != FORMAT:
            raise ValueError(f"its format is {about['format']!r}, not {FORMAT!r}")
        return unpack(about["tree"], arrays, {})
    except Exception as error:                      # whole, but made by somebody else
        reason = f"{error} is missing" if isinstance(error, KeyError) else error
        raise RuntimeError(f"checkpoint: {path} does not hold what a checkpoint holds ({reason}). "
                           "Name another file.") from error


def pack(tree, path, arrays, generators):
    """JSON for `tree`; the arrays in it go to `arrays` under their path.

    generators  {id: path} of those met so far
    """
    def inner(name, value):
        return pack(value, f"{path}.{name}" if path else f"{name}", arrays, generators)

    if isinstance(tree, dict) and all(isinstance(key, (str, int)) for key in tree):
        return {"dict": [[key, inner(key, value)] for key, value in tree.items()]}
    if type(tree) in (list, tuple):
        return {type(tree).__name__: [inner(i, value) for i, value in enumerate(tree)]}
    if isinstance(tree, np.random.Generator):
        if id(tree) in generators:
            return {"same generator": generators[id(tree)]}
        generators[id(tree)] = path
        whole = {**tree.bit_generator.state, "seed": seed(tree.bit_generator.seed_seq)}
        if whole["bit_generator"] in BIT_GENERATORS:
            return {"generator": [path, pack(whole, path, arrays, generators)]}
    if tree is None or isinstance(tree, (bool, int, str)) or type(tree) is float:
        return tree
    if isinstance(tree, (np.ndarray, np.generic, xp.ndarray)) and tree.dtype.kind in archive.KINDS:
        kind = ("scalar" if isinstance(tree, np.generic) else
                "array" if isinstance(tree, xp.ndarray) else "host array")
        while path in arrays or path in RESERVED:       # {"a.b": x, "a": {"b": y}}
            path += "'"
        arrays[path] = np.asarray(to_host(tree))
        return {kind: path}
    raise TypeError(f"checkpoint: cannot store {path or 'this'}, a {type(tree).__name__}. "
                    "Keep arrays, numbers, strings and generators in an optimizer's state.")


def unpack(packed, arrays, generators):
    """The inverse of `pack`; generators is {path: Generator} of those met so far."""
    if not isinstance(packed, dict):
        return packed
    (kind, value), = packed.items()
    if kind == "dict":
        return {key: unpack(inner, arrays, generators) for key, inner in value}
    if kind in ("list", "tuple"):
        items = [unpack(inner, arrays, generators) for inner in value]
        return tuple(items) if kind == "tuple" else items
    if kind == "generator":
        path, state = value
        generators[path] = generator(unpack(state, arrays, generators))
        return generators[path]
    if kind == "same generator":
        return generators[value]
    if kind == "scalar":
        return arrays[value][()]
    if kind not in ("array", "host array"):
        raise ValueError(f"a part of kind {kind!r}")
    return xp.asarray(arrays[value]) if kind == "array" else arrays[value]


def generator(state):
    """A Generator whose bit generator is in `state`, one of BIT_GENERATORS."""
    kind = state["bit_generator"]
    if kind not in BIT_GENERATORS:
        raise ValueError(f"a bit generator {kind!r}, which is not one of "
                         f"{', '.join(BIT_GENERATORS)}")
    name, last = PLACES.get(kind, (None, 0))
    where = state["state"] if name == "pos" else state
    if name is not None and not (type(where[name]) is int and 0 <= where[name] <= last):
        raise ValueError(f"{name} = {where[name]} in a {kind}")
    origin = state.pop("seed")
    bits = BIT_GENERATORS[kind](np.random.SeedSequence(0) if origin is None else
                                np.random.SeedSequence(**origin))
    bits.state = state
    return np.random.Generator(bits)


def seed(sequence):
    """What a SeedSequence is made of: it goes on with the children it has not spawned yet."""
    if type(sequence) is not np.random.SeedSequence:
        return None
    return {"entropy": sequence.entropy, "spawn_key": list(sequence.spawn_key),
            "n_children_spawned": sequence.n_children_spawned}
