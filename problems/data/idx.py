"""MNIST and Fashion-MNIST: the idx format, an array of bytes behind a short header.

    bytes 0-1  zero            byte 3  number of dimensions D       all numbers big-endian
    byte 2     8 = uint8       then    D sizes of 4 bytes each, then the entries, row by row

The first four bytes read as one number are the "magic": 2051 for images (D = 3), 2049 for labels
(D = 1). Files are read as they are published, gzipped, or unpacked.
"""

import struct
from math import prod

import numpy as np

from minigrad.arguments import count

from .content import content_of
from .dataset import Dataset, check_split, image_split
from .files import obtain
from .sources import content_known

IMAGES, LABELS = 2051, 2049
DIGITS = tuple("0123456789")
GARMENTS = ("T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker",
            "bag", "ankle boot")
HELD_OUT = 10_000  # last training images that split="ours" keeps for validation


def load_mnist(root=None, split="ours", flat=False, dtype="float32", limit=None, download=True):
    """Handwritten digits, 60,000 + 10,000 grey images of 28 x 28 pixels.

    images (N, 1, 28, 28), or (N, 784) when flat, in [0, 1]; labels (N,) int64.
    split    "paper": all 60,000 to train, nothing for validation, 10,000 to test;
             "ours": the last 10,000 training images become the validation part
    limit    keep only that many training images, the first ones

    Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits".
    """
    return load("mnist", "MNIST", DIGITS, root, split, flat, dtype, limit, download)


def load_fashion(root=None, split="ours", flat=False, dtype="float32", limit=None, download=True):
    """Photographs of clothes in the format, sizes and splits of MNIST.

    Source: Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747.
    """
    return load("fashion-mnist", "Fashion-MNIST", GARMENTS, root, split, flat, dtype, limit,
                download)


def load(name, title, classes, root, split, flat, dtype, limit, download):
    check_split(name, split)
    if limit is not None:
        count(f"load: {name}", "limit", limit)
    arrays = {part: read_idx(obtain(name, part, root, download), magic, content_known(name, part))
              for part, magic in (
        ("train images", IMAGES), ("train labels", LABELS),
        ("test images", IMAGES), ("test labels", LABELS))}
    parts = {}
    for part in ("train", "test"):
        images, labels = arrays[f"{part} images"], arrays[f"{part} labels"]
        if len(images) != len(labels):
            raise ValueError(f"{name}: {len(images)} {part} images but {len(labels)} labels. "
                             "Take both files from the same place.")
        if len(labels) and labels.max() >= len(classes):
            raise ValueError(f"{name}: label {labels.max()} among the {part} labels, expected "
                             f"0 to {len(classes) - 1}. Get the file again.")
        parts[part] = images[:, None], labels
    images, labels = parts["train"]
    cut = max(len(images) - HELD_OUT, len(images) // 2) if split == "ours" else len(images)
    kept = cut if limit is None else min(limit, cut)
    valid = image_split(images[cut:], labels[cut:], flat, dtype) if split == "ours" else None
    return Dataset(name, train=image_split(images[:kept], labels[:kept], flat, dtype), valid=valid,
                   test=image_split(*parts["test"], flat, dtype), classes=classes,
                   about=f"{title}, {kept:,} training images")


def read_idx(path, magic, content=None):
    """The array in an idx file, gzipped or not: uint8, of the shape the header says.

    content  the `sources.Content` that it should have, if it is to be compared
    """
    data = content_of(path, content)
    if len(data) < 4:
        raise ValueError(f"{path}: truncated, only {len(data)} bytes. Get the file again.")
    found = struct.unpack(">I", data[:4])[0]
    if found != magic:
        kind = "images" if magic == IMAGES else "labels"
        raise ValueError(f"{path}: wrong magic number {found}, idx {kind} begin with {magic}. "
                         "Check that this is the file its name says.")
    start = 4 + 4 * data[3]
    shape = struct.unpack(f">{data[3]}I", data[4:start]) if len(data) >= start else ()
    if not shape or len(data) < start + prod(shape):
        raise ValueError(f"{path}: truncated, {len(data):,} bytes where the header {shape} asks "
                         f"for {start + prod(shape):,}. Get the file again.")
    if len(data) > start + prod(shape):
        raise ValueError(f"{path}: {len(data):,} bytes but the header {shape} counts only "
                         f"{start + prod(shape):,}. Get the file again.")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)
