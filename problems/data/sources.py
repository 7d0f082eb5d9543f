"""The published data files: what they are called, where they come from, their checksums.

A part of a data set may lie on disk under several names (compressed or not, complete or not);
the first one found is read. What is downloaded is the original author's file wherever that
still has an address, and it has to have the sha256 given here.
"""

from typing import NamedTuple


class Published(NamedTuple):
    """A file on the net. `members` names what to take out of it if it is an archive; `most` is
    its size in bytes, or a bound on it."""

    file: str
    sha256: str
    urls: tuple
    members: dict | None = None
    most: int = 1 << 26


class Part(NamedTuple):
    """A file of a data set: names it may have on disk, and what to download if there is none."""

    names: tuple
    published: Published | None


class Content(NamedTuple):
    """What a part holds when it is unpacked.

    known     {bytes: sha256} of the copies that are known; "" where only the beginning is, which
              is another entry's content
    complete  whether another length is refused (where a text cannot tell it itself)
    lines     sha256 of the sorted lines, where copies differ in the order of their articles
    """

    known: dict
    complete: bool = False
    lines: str = ""


class Source(NamedTuple):
    """A data set: its parts by name, the generated set to use instead, and why it is closed."""

    parts: dict
    substitute: str
    closed: str = ""


def idx(base, file, size, sha256):
    """A part in the idx format, gzipped or not: the size and sha256 are those of the gzip."""
    published = Published(file, sha256, tuple(f"{b}/{file}" for b in base), most=size)
    return Part((file, file.removesuffix(".gz")), published)


MNIST = ("https://ossci-datasets.s3.amazonaws.com/mnist",)
FASHION = ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
           "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion")

CIFAR = Published(
    "cifar-10-binary.tar.gz",
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
    {f"cifar-10-batches-bin/{name}.bin": f"{name}.bin"
     for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")},
    most=200_000_000,
)

WIKITEXT = Published(
    "wikitext-2-v1.zip",
    "92675f1d63015c1c8b51f1656a52d5bdbc33aafa60cc47a218a66e7ee817488c",
    ("https://s3.amazonaws.com/research.metamind.io/wikitext/wikitext-2-v1.zip",
     "https://wikitext.smerity.com/wikitext-2-v1.zip"),
    {f"wikitext-2/wiki.{part}.tokens": f"{part}.txt" for part in ("train", "valid", "test")},
    most=10_000_000,
)

SHAKESPEARE = Published(
    "input.txt",
    "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    ("https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",),
    most=1_115_394,
)

CATALOGUE = {
    "mnist": Source({
        "train images": idx(MNIST, "train-images-idx3-ubyte.gz", 9_912_422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        "train labels": idx(MNIST, "train-labels-idx1-ubyte.gz", 28_881,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        "test images": idx(MNIST, "t10k-images-idx3-ubyte.gz", 1_648_877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        "test labels": idx(MNIST, "t10k-labels-idx1-ubyte.gz", 4_542,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    }, substitute="strokes"),
    "fashion-mnist": Source({
        "train images": idx(FASHION, "train-images-idx3-ubyte.gz", 26_421_880,
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        "train labels": idx(FASHION, "train-labels-idx1-ubyte.gz", 29_515,
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        "test images": idx(FASHION, "t10k-images-idx3-ubyte.gz", 4_422_102,
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        "test labels": idx(FASHION, "t10k-labels-idx1-ubyte.gz", 5_148,
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

# The SHA-256 of what the files hold once they are unpacked: it does not matter how a copy was
# compressed. Of the test photographs only the first 1,000 are known here, of the treebank nothing.
CIFAR_BATCH = 30_730_000                            # bytes of 10,000 records
CONTENTS = {
    "mnist": {
        "train images": Content({
            47_040_016: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"}),
        "train labels": Content({
            60_008: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"}),
        "test images": Content({
            7_840_016: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"}),
        "test labels": Content({
            10_008: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"}),
    },
    "fashion-mnist": {
        "train images": Content({
            47_040_016: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"}),
        "train labels": Content({
            60_008: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"}),
        "test images": Content({
            7_840_016: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"}),
        "test labels": Content({
            10_008: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"}),
    },
    "cifar-10": {
        **{f"batch {i}": Content({CIFAR_BATCH: sha256}) for i, sha256 in enumerate((
            "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
            "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
            "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
            "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
            "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"), start=1)},
        "test": Content({CIFAR_BATCH: "", 3_073_000:
            "8314c96d7cd65618193bab23acdd5d4c4af15bf6dd00a1781d55beedf3be1ef5"}),
    },
    "tinyshakespeare": {"text": Content({1_115_394: SHAKESPEARE.sha256})},
    "wikitext-2": {
        "train": Content({
            10_797_148: "728c77e87e176af4730f9a80fc6008bcaff421a7202c1c048877c0eec3685f89"},
            complete=True,
            lines="ceb07e5c60b8443f5bac85fae2607a570f30cce603b18b5ea2bcac566a35ab50"),
        "valid": Content({
            1_121_681: "f0737ed31fc1329026e95cb8b98e19c2a182c39c240ab909dc31abf2f8af58e8"},
            complete=True),
        "test": Content({
            1_256_449: "d790b833ef8cf03a90db7bf1271b7520b83c45ce07ba3c1a9699df81e239eca0"},
            complete=True),
    },
}


def content_known(name, part):
    """The Content of a part of data set `name`, or None."""
    return CONTENTS.get(name, {}).get(part)
