"""Write a run to one file and read it back, so that it goes on as if nothing had happened.

A checkpoint is a tree: dicts, lists and tuples of arrays, numbers, strings and random
generators. It becomes one `.npz` without pickle: every array is a member named by its path
("theta", "state.m"), and the member "about" is a JSON text that holds all the rest. Numbers
survive exactly: arrays as bytes, Python floats by their shortest repr, a generator as the
`state` of its bit generator.

A crash at any moment leaves a whole file, the old one or the new one: the new one is written
under the name `PATH.part`, flushed to the disk, and only then renamed over PATH, which the
file system does in one indivisible act.
"""
import json
import os
from itertools import zip_longest

import numpy as np

from minigrad.backend import to_host, xp

FORMAT = "minigrad checkpoint 1"


def save(path, tree):
    """Write `tree` to `path`, all or nothing.

    Raises RuntimeError with the system's reason (disk full, folder not writable); a checkpoint
    that was there before is then untouched.
    """
    path = os.fspath(path)
    part = path + ".part"
    arrays = {}
    about = json.dumps({"format": FORMAT, "tree": pack(tree, "", arrays)})
    arrays["about"] = np.frombuffer(about.encode(), dtype=np.uint8)
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(part, "wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        older = " The older checkpoint there is intact." if os.path.isfile(path) else ""
        try:
            os.unlink(part)
        except OSError:
            pass                                    # it was never made, or the disk went away
        raise RuntimeError(f"checkpoint: cannot write {path} ({error.strerror or error}).{older} "
                           "Free some space or name a folder you may write to.") from error


def load(path):
    """The tree that `save` wrote to `path`; every byte is checked against the file's checksums.

    Raises RuntimeError when the file cannot be read, is damaged, cut short, or something else
    altogether.
    """
    path = os.fspath(path)
    try:
        with open(path, "rb") as file:
            arrays = read(file, path)
    except OSError as error:
        raise RuntimeError(f"checkpoint: cannot read {path} ({error.strerror or error}). "
                           "Check the name.") from error
    about = json.loads(bytes(arrays.pop("about")).decode())
    return unpack(about["tree"], arrays)


def read(file, path):
    """The members of an .npz by name, or RuntimeError if it is no whole checkpoint."""
    try:
        if file.read(2) != b"PK":
            raise ValueError("it does not begin as an archive")
        file.seek(0)
        with np.load(file, allow_pickle=False) as members:
            arrays = {name: members[name] for name in members.files}
    except Exception as error:                      # zipfile, zlib, struct, numpy: each has its own
        raise RuntimeError(f"checkpoint: {path} is damaged or cut short ({error}). Delete it "
                           "and start again, or put an older copy in its place.") from error
    if FORMAT.encode() not in bytes(arrays.get("about", b"")):
        raise RuntimeError(f"checkpoint: {path} is not a checkpoint of a training run. "
                           "Name another file.")
    return arrays


def pack(tree, path, arrays):
    """JSON for `tree`; the arrays in it go to `arrays` under their path."""
    inner = path + "." if path else ""
    if isinstance(tree, dict):
        return {"dict": [[k, pack(value, f"{inner}{k}", arrays)] for k, value in tree.items()]}
    if isinstance(tree, (list, tuple)):
        items = [pack(value, f"{inner}{i}", arrays) for i, value in enumerate(tree)]
        return {"tuple" if isinstance(tree, tuple) else "list": items}
    if isinstance(tree, np.random.Generator):
        return {"generator": pack(tree.bit_generator.state, path, arrays)}
    if tree is None or isinstance(tree, (bool, int, str)) or type(tree) is float:
        return tree
    if isinstance(tree, (np.ndarray, np.generic, xp.ndarray)):
        kind = ("scalar" if isinstance(tree, np.generic) else
                "array" if isinstance(tree, xp.ndarray) else "host array")
        arrays[path] = np.asarray(to_host(tree))
        return {kind: path}
    raise TypeError(f"checkpoint: cannot store {path or 'this'}, a {type(tree).__name__}. "
                    "Keep arrays, numbers, strings and generators in an optimizer's state.")


def unpack(packed, arrays):
    """The inverse of `pack`."""
    if not isinstance(packed, dict):
        return packed
    (kind, value), = packed.items()
    if kind == "dict":
        return {key: unpack(inner, arrays) for key, inner in value}
    if kind in ("list", "tuple"):
        items = [unpack(inner, arrays) for inner in value]
        return tuple(items) if kind == "tuple" else items
    if kind == "generator":
        state = unpack(value, arrays)
        bits = getattr(np.random, state["bit_generator"])()
        bits.state = state
        return np.random.Generator(bits)
    if kind == "scalar":
        return arrays[value][()]
    return xp.asarray(arrays[value]) if kind == "array" else arrays[value]


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
