"""CIFAR-10: 32 x 32 colour photographs in ten classes, the binary version.

A file is a row of records of 3,073 bytes: the label, then 1,024 red, 1,024 green and 1,024 blue
values, each row by row. So a file is an array (N, 3073) of bytes, and its pixels are (N, 3, 32, 32)
without moving any. Files may be plain (`.bin`) or compressed with xz (`.bin.xz`).
"""

import lzma

import numpy as np

from .dataset import Dataset, check_split, image_split
from .files import obtain

RECORD = 1 + 3 * 32 * 32
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
BATCHES = 5
PUBLISHED_TEST = 10_000


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
    train, n = [], 0
    for i in range(1, BATCHES + (split == "paper")):
        if limit is None or n < limit:
            train.append(read_records(obtain("cifar-10", f"batch {i}", root, download)))
            n += len(train[-1])
    records = np.concatenate(train)[:limit]
    valid = None
    if split == "ours":
        held = read_records(obtain("cifar-10", f"batch {BATCHES}", root, download))
        valid = to_split(held, flat, dtype)
    tests = read_records(obtain("cifar-10", "test", root, download))
    short = "" if len(tests) == PUBLISHED_TEST else (
        f", only {len(tests):,} of the {PUBLISHED_TEST:,} test images")
    return Dataset("cifar-10", train=to_split(records, flat, dtype), valid=valid,
                   test=to_split(tests, flat, dtype), classes=CLASSES,
                   about=f"CIFAR-10, {len(records):,} training images{short}")


def to_split(records, flat, dtype):
    return image_split(records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0], flat, dtype)


def read_records(path):
    """The records (N, 3073) uint8 of one file, plain or xz."""
    try:
        with (lzma.open if path.suffix == ".xz" else open)(path, "rb") as file:
            data = file.read()
    except EOFError:
        raise ValueError(f"{path}: truncated, the xz stream breaks off. "
                         "Get the file again.") from None
    except lzma.LZMAError as error:
        raise ValueError(f"{path}: corrupted, {error}. Get the file again.") from None
    if not data or len(data) % RECORD:
        raise ValueError(f"{path}: truncated, {len(data):,} bytes are not a whole number of "
                         f"records of {RECORD:,}. Get the file again.")
    records = np.frombuffer(data, np.uint8).reshape(-1, RECORD)
    if records[:, 0].max() >= len(CLASSES):
        raise ValueError(f"{path}: label {records[:, 0].max()} at record "
                         f"{records[:, 0].argmax()}, expected 0 to {len(CLASSES) - 1}. "
                         "Check that this is the binary version, not the Python one.")
    return records
