"""What `load` returns: a Dataset of up to three Splits, and minibatches of one.

A Split is the pair (inputs, targets), which is also what a model's loss takes as its batch.
Arrays are on the backend; parsing before them is plain NumPy.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from minigrad.arguments import count as whole
from minigrad.arguments import generator, short, whole_number
from minigrad.backend import xp
from minigrad.kinds import expects


class Split(NamedTuple):
    """Examples and their answers: inputs (N, ...), targets (N, ...)."""

    inputs: object
    targets: object

    @property
    def n(self):
        """N, the number of examples."""
        return len(self.inputs)

    def take(self, index):
        """The examples at `index` (a slice, or integers such as `batches` yields) as a Split."""
        return Split(self.inputs[index], self.targets[index])


@dataclass(frozen=True)
class Dataset:
    """One data set.

    train       Split to fit
    valid       Split for choices (learning rate, when to stop), or None
    test        Split for the number that is reported, or None
    about       one sentence for the caption of a table: what these data really are
    classes     names of the classes, by label, or None
    vocabulary  Vocabulary of a text, or None
    facts       what is known exactly (entropy floor, solution, ...), by name

    Images are float32 in [0, 1], shape (N, channels, height, width) or (N, pixels); labels and
    tokens are int64.
    """

    name: str
    train: Split
    valid: Split | None
    test: Split | None
    about: str
    classes: tuple | None = None
    vocabulary: object = None
    facts: dict = field(default_factory=dict)


def image_split(pixels, labels, flat=False, dtype="float32"):
    """Split of bytes: pixels (N, C, H, W) uint8 become pixels / 255; flat makes them (N, C·H·W)."""
    shape = (len(pixels), -1) if flat else pixels.shape
    scaled = np.divide(pixels, np.asarray(255, dtype), dtype=dtype)
    return Split(xp.asarray(scaled.reshape(shape)), xp.asarray(labels.astype(np.int64)))


@expects()
def batches(rng, n, batch_size, drop_last=False):
    """Yields shuffled index arrays (batch_size,) int64 that go through n examples once.

    The last batch is smaller when batch_size does not divide n; drop_last leaves it out.
    One permutation is drawn from `rng` per call, so a new call is a new order, and
    `list(batches(...))` made once and reused is the same batches in every epoch.
    """
    generator("batches", rng)
    n = whole("batches", "n", n, least=0)
    if (whole_number(batch_size) or 0) < 1:
        raise ValueError(f"batches: batch_size={short(batch_size)}. Use at least 1.")
    batch_size = whole_number(batch_size)
    if drop_last and batch_size > n:
        raise ValueError(f"batches: batch_size={batch_size} exceeds the {n} examples and drop_last "
                         "leaves no batch. Use smaller batches or keep the last one.")
    order = rng.permutation(n)
    stop = n - n % batch_size if drop_last else n
    for i in range(0, stop, batch_size):
        yield xp.asarray(order[i:i + batch_size])


@expects()
def epochs(rng, n, batch_size, count=None, drop_last=False, reshuffle=True):
    """Yields (epoch, index) for `count` passes, without end when count is None.

    reshuffle=False draws the order once and repeats it, as some papers do.
    """
    generator("epochs", rng)
    if count is not None:
        count = whole("epochs", "count", count, least=0)
    fixed = None if reshuffle else list(batches(rng, n, batch_size, drop_last))
    epoch = 0
    while count is None or epoch < count:
        for index in fixed or batches(rng, n, batch_size, drop_last):
            yield epoch, index
        epoch += 1


def check_split(name, split):
    """'paper' or 'ours', else ValueError."""
    if not isinstance(split, str) or split not in ("paper", "ours"):
        raise ValueError(f"{name}: split={short(split)} is unknown. Use 'paper' (as published) or "
                         "'ours' (with a validation part apart from the test set).")
