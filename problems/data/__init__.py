"""Data: real sets found or downloaded once, and sets made by formula that need no file.

    data = load("mnist")                    real digits
    data = load("strokes", seed=1)          generated digits, nothing to download
    data.train.inputs, data.train.targets   arrays on the backend; valid and test likewise

`load` gives a Dataset (dataset.py). A real set is looked for in `root`, in MINIGRAD_DATA and in the
user's cache, then downloaded (files.py). Reading order: dataset.py, then the format or the recipe
you care about.

The splits: split="ours", the default, always has a validation part apart from the test part, to
choose with; split="paper" is what the papers used, some of which chose on the test set.
"""

import difflib
import inspect
from typing import Callable, NamedTuple

from minigrad.arguments import short
from minigrad.kinds import expects, flag, floating, path, real, whole

from . import (cifar, clusters, files, grammar, idx, least_squares, polynomial, spirals, strokes,
               text)
from .clusters import gaussian_centres, gaussian_clusters
from .dataset import Dataset, Split, batches, check_split, epochs
from .files import MissingData, cache_folder
from .grammar import grammar_text
from .least_squares import power_law_points, power_law_teacher
from .ngram import ngram_bits
from .spirals import two_spirals
from .strokes import stroke_digits
from .vocabulary import Vocabulary, windows

__all__ = ["load", "names", "describe", "is_local", "first_local", "Dataset", "Split", "batches",
           "epochs", "Vocabulary", "windows", "MissingData", "cache_folder", "ngram_bits",
           "stroke_digits", "grammar_text", "power_law_teacher", "power_law_points", "two_spirals",
           "gaussian_centres", "gaussian_clusters"]


class Entry(NamedTuple):
    load: Callable
    description: str


SETS = {
    "strokes": Entry(strokes.load, "stroke digits, 28 x 28, generated"),
    "mnist": Entry(idx.load_mnist, "handwritten digits, 28 x 28"),
    "fashion-mnist": Entry(idx.load_fashion, "clothes, 28 x 28"),
    "cifar-10": Entry(cifar.load, "colour photographs, 32 x 32"),
    "grammar": Entry(grammar.load, "text with a known entropy, characters, generated"),
    "tinyshakespeare": Entry(text.load_shakespeare, "Shakespeare's plays, characters"),
    "wikitext-2": Entry(text.load_wikitext, "Wikipedia articles, words"),
    "ptb": Entry(text.load_ptb, "Penn Treebank, words; bring your own copy"),
    "power-law": Entry(least_squares.load, "least squares with a known solution, generated"),
    "polynomial": Entry(polynomial.load, "regression on a polynomial of degree 6, shipped"),
    "spirals": Entry(spirals.load, "two spirals in the plane, generated"),
    "clusters": Entry(clusters.load, "Gaussian clusters, generated"),
    "clusters-8": Entry(clusters.load_eight, "few, overlapping, noisily labelled clusters, generated"),
}
COUNTED = ("limit", "context", "n_train", "n_valid", "n_test", "clusters", "dim", "classes")
MEASURED = ("noise", "turns", "power", "spread", "label_noise")
KINDS = {"root": path, "seed": whole(0), "dtype": floating, "download": flag, "flat": flag,
         "n": whole(0), **dict.fromkeys(COUNTED, whole(1)), **dict.fromkeys(MEASURED, real)}
COMMON = {"root", "split", "seed", "dtype", "download"}  # accepted for every set, used where apt


def load(name, root=None, *, split="ours", seed=0, dtype=None, download=True, **options):
    """The data set called `name` as a Dataset.

    root      folder to look in first; then MINIGRAD_DATA, then the user's cache, then the net
    split     "ours" or "paper"; sets that come with one split only ignore it
    seed      of generated sets; real sets ignore it
    dtype     of real-valued inputs, else the set's own (float32; power-law float64)
    download  False never touches the network
    options   the set's own, such as flat=True, limit=1000, context=64, n_train=5000: see its `load`

    All arguments are looked at before any file is, those too that the set ignores.

    Raises ValueError for an unknown name, TypeError for an option the set does not have,
    MissingData (a RuntimeError) if a file is not to be had.
    """
    loader = entry(name).load
    accepted = set(inspect.signature(loader).parameters)
    common = {"root": root, "split": split, "seed": seed, "download": download}
    if dtype is not None:
        common["dtype"] = dtype
    unknown = set(options) - accepted
    if unknown:
        raise TypeError(f"load: {name!r} has no option {', '.join(sorted(unknown))}; "
                        f"it takes {', '.join(sorted(accepted - COMMON)) or 'none'}.")
    check_split(name, split)
    asked = {key: value if key not in KINDS or (value is None and key in ("root", "limit")) else
             KINDS[key](f"load: {name}", key, value) for key, value in {**common, **options}.items()}
    return loader(**{key: value for key, value in asked.items() if key in accepted})


def names():
    """The names `load` knows."""
    return tuple(SETS)


def describe(name):
    """A few words on the data set `name`."""
    return entry(name).description


@expects(root=path)
def is_local(name, root=None):
    """True if `name` can be loaded without the network: generated, or every file is at hand."""
    entry(name)
    return name not in files.CATALOGUE or files.is_local(name, root)


@expects(root=path)
def first_local(*choices, root=None):
    """The first of several data sets that can be loaded without the network.

    first_local("mnist", "strokes") is "mnist" where the reader has it, else "strokes".
    """
    for name in choices:
        if is_local(name, root):
            return name
    raise MissingData(f"data: none of {', '.join(choices)} is at hand. "
                      "Name a generated set last, such as strokes or grammar.")


def entry(name):
    if not isinstance(name, str) or name not in SETS:
        near = difflib.get_close_matches(str(name).lower(), SETS, n=1, cutoff=0.4)
        guess = f"Did you mean {near[0]!r}?" if near else f"Use one of {', '.join(SETS)}."
        raise ValueError(f"load: unknown data set {short(name)}. {guess}")
    return SETS[name]
