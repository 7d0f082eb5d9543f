"""CIFAR-10: 32 x 32 colour photographs in ten classes, the binary version.

A file is a row of records of 3,073 bytes: the label, then 1,024 red, 1,024 green and 1,024 blue
values, each row by row. So a file is an array (N, 3073) of bytes, and its pixels are (N, 3, 32, 32)
without moving any. Files may be plain (`.bin`) or compressed with xz (`.bin.xz`).
"""

import numpy as np

from minigrad.arguments import count

from .content import content_of
from .dataset import Dataset, check_split, image_split
from .files import obtain
from .sources import content_known

RECORD = 1 + 3 * 32 * 32
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
BATCHES = 5
PUBLISHED = 10_000                                  # records in a file


def load(root=None, split="ours", flat=False, dtype="float32", limit=None, download=True):
    """50,000 training images in five files and up to 10,000 test images.

    images (N, 3, 32, 32), or (N, 3072) when flat, in [0, 1]; labels (N,) int64.
    split    "paper": all five files to train, nothing for validation;
             "ours": the fifth file is the validation part
    limit    keep only that many training images, the first ones (fewer files are read)

    Where only the first 1,000 test images are at hand (`test_batch_first1000.bin.xz`), `about`
    says so: the standard error of an accuracy near 80 % is then 1.3 points, and a comparison
    finer than that belongs on the validation part.

    Source: Krizhevsky 2009, "Learning multiple layers of features from tiny images".
    """
    check_split("cifar-10", split)
    if limit is not None:
        count("load: cifar-10", "limit", limit)

    def read(part):
        return read_records(obtain("cifar-10", part, root, download),
                            content_known("cifar-10", part))

    train, n = [], 0
    for i in range(1, BATCHES + (split == "paper")):
        if limit is None or n < limit:
            train.append(read(f"batch {i}"))
            n += len(train[-1])
    records = np.concatenate(train)[:limit]
    short = "" if all(len(part) == PUBLISHED for part in train) else (
        f" from files of {', '.join(str(len(part)) for part in train)}")
    valid = to_split(read(f"batch {BATCHES}"), flat, dtype) if split == "ours" else None
    tests = read("test")
    if len(tests) != PUBLISHED:
        short += f", only {len(tests):,} of the {PUBLISHED:,} test images"
    return Dataset("cifar-10", train=to_split(records, flat, dtype), valid=valid,
                   test=to_split(tests, flat, dtype), classes=CLASSES,
                   about=f"CIFAR-10, {len(records):,} training images{short}")


def to_split(records, flat, dtype):
    return image_split(records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0], flat, dtype)


def read_records(path, content=None):
    """The records (N, 3073) uint8 of one file, plain or xz; `content` as in `read_idx`."""
    data = content_of(path, content)
    if not data or len(data) % RECORD:
        raise ValueError(f"{path}: truncated, {len(data):,} bytes are not a whole number of "
                         f"records of {RECORD:,}. Get the file again.")
    records = np.frombuffer(data, np.uint8).reshape(-1, RECORD)
    if records[:, 0].max() >= len(CLASSES):
        raise ValueError(f"{path}: label {records[:, 0].max()} at record "
                         f"{records[:, 0].argmax()}, expected 0 to {len(CLASSES) - 1}. "
                         "Check that this is the binary version, not the Python one.")
    return records
