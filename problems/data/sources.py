"""The published data files: what they are called, where they come from, their checksums.

A part of a data set may lie on disk under several names (compressed or not, complete or not);
the first one found is read. What is downloaded is the original author's file wherever that
still has an address, and it has to have the sha256 given here.
"""

from typing import NamedTuple


class Published(NamedTuple):
    """A file on the net. `members` names what to take out of it if it is an archive."""

    file: str
    sha256: str
    urls: tuple
    members: dict | None = None


class Part(NamedTuple):
    """A file of a data set: names it may have on disk, and what to download if there is none."""

    names: tuple
    published: Published | None


class Source(NamedTuple):
    """A data set: its parts by name, the generated set to use instead, and why it is closed."""

    parts: dict
    substitute: str
    closed: str = ""


def idx(base, file, sha256):
    name = file.removesuffix(".gz")
    return Part((file, name), Published(file, sha256, tuple(f"{b}/{file}" for b in base)))


MNIST = ("https://ossci-datasets.s3.amazonaws.com/mnist",)
FASHION = ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
           "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion")

CIFAR = Published(
    "cifar-10-binary.tar.gz",
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
    {f"cifar-10-batches-bin/{name}.bin": f"{name}.bin"
     for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")},
)

WIKITEXT = Published(
    "wikitext-2-v1.zip",
    "92675f1d63015c1c8b51f1656a52d5bdbc33aafa60cc47a218a66e7ee817488c",
    ("https://s3.amazonaws.com/research.metamind.io/wikitext/wikitext-2-v1.zip",
     "https://wikitext.smerity.com/wikitext-2-v1.zip"),
    {f"wikitext-2/wiki.{part}.tokens": f"{part}.txt" for part in ("train", "valid", "test")},
)

SHAKESPEARE = Published(
    "input.txt",
    "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    ("https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",),
)

CATALOGUE = {
    "mnist": Source({
        "train images": idx(MNIST, "train-images-idx3-ubyte.gz",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        "train labels": idx(MNIST, "train-labels-idx1-ubyte.gz",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        "test images": idx(MNIST, "t10k-images-idx3-ubyte.gz",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        "test labels": idx(MNIST, "t10k-labels-idx1-ubyte.gz",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    }, substitute="strokes"),
    "fashion-mnist": Source({
        "train images": idx(FASHION, "train-images-idx3-ubyte.gz",
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        "train labels": idx(FASHION, "train-labels-idx1-ubyte.gz",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        "test images": idx(FASHION, "t10k-images-idx3-ubyte.gz",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        "test labels": idx(FASHION, "t10k-labels-idx1-ubyte.gz",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    }, substitute="strokes"),
    "cifar-10": Source({
        **{f"batch {i}": Part((f"data_batch_{i}.bin", f"data_batch_{i}.bin.xz"), CIFAR)
           for i in range(1, 6)},
        "test": Part(("test_batch.bin", "test_batch.bin.xz", "test_batch_first1000.bin.xz"), CIFAR),
    }, substitute="strokes"),
    "tinyshakespeare": Source({"text": Part(("input.txt",), SHAKESPEARE)}, substitute="grammar"),
    "wikitext-2": Source({part: Part((f"{part}.txt", f"wiki.{part}.tokens"), WIKITEXT)
                          for part in ("train", "valid", "test")}, substitute="grammar"),
    "ptb": Source({part: Part((f"ptb.{part}.txt",), None) for part in ("train", "valid", "test")},
                  substitute="grammar",
                  closed="the Penn Treebank, LDC99T42, is not free"),
}
