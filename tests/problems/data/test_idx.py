"""The idx reader on files written here, and the real sets (marker data)."""

import gzip
import hashlib
import struct

import numpy as np
import pytest

from minigrad.backend import to_host
from problems import data
from problems.data.idx import IMAGES, LABELS, read_idx


def idx_bytes(array, magic=None, shape=None):
    shape = shape or array.shape
    magic = magic or 0x800 + len(shape)
    return struct.pack(f">I{len(shape)}I", magic, *shape) + array.astype(np.uint8).tobytes()


def images(rng, n):
    return rng.integers(0, 256, (n, 28, 28)).astype(np.uint8)


@pytest.fixture
def mnist(tmp_path):
    """A folder with a small MNIST: 30 training and 10 test images."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "mnist"
    folder.mkdir()
    arrays = {}
    for part, n in (("train", 30), ("t10k", 10)):
        arrays[part] = images(rng, n), rng.integers(0, 10, n).astype(np.uint8)
        for kind, array in zip(("images-idx3", "labels-idx1"), arrays[part]):
            (folder / f"{part}-{kind}-ubyte.gz").write_bytes(gzip.compress(idx_bytes(array)))
    return tmp_path, arrays


def test_reads_gzip_and_raw(tmp_path):
    x = images(np.random.default_rng(0), 3)
    (tmp_path / "a").write_bytes(idx_bytes(x))
    (tmp_path / "b").write_bytes(gzip.compress(idx_bytes(x)))
    assert np.array_equal(read_idx(tmp_path / "a", IMAGES), x)
    assert np.array_equal(read_idx(tmp_path / "b", IMAGES), x)
    (tmp_path / "c").write_bytes(idx_bytes(np.arange(5)))
    assert list(read_idx(tmp_path / "c", LABELS)) == [0, 1, 2, 3, 4]


def broken(kind):
    x = images(np.random.default_rng(0), 3)
    packed = gzip.compress(idx_bytes(x))
    middle = len(packed) // 2
    return {
        "gzip cut short": packed[:middle],
        "gzip damaged": packed[:middle] + bytes(64) + packed[middle + 64:],
        "header cut short": idx_bytes(x)[:9],
        "three bytes": b"\0\0\x08",
        "entries missing": idx_bytes(x)[:-1],
        "entries too many": idx_bytes(x) + b"\0",
        "labels for images": idx_bytes(np.arange(5)),
        "another format": b"PK\x03\x04" + bytes(100),
        "empty": b"",
    }[kind]


@pytest.mark.parametrize("kind, message", [
    ("gzip cut short", "truncated, the gzip stream breaks off"),
    ("gzip damaged", "corrupted, "),
    ("header cut short", "truncated, 9 bytes"),
    ("three bytes", "truncated, only 3 bytes"),
    ("entries missing", r"truncated, 2,367 bytes where the header \(3, 28, 28\) asks for 2,368"),
    ("entries too many", r"2,369 bytes but the header \(3, 28, 28\) counts only 2,368"),
    ("labels for images", "wrong magic number 2049, idx images begin with 2051"),
    ("another format", "wrong magic number 1347093252"),
    ("empty", "truncated, only 0 bytes"),
])
def test_broken_files(tmp_path, kind, message):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(broken(kind))
    with pytest.raises(ValueError, match=message) as caught:
        read_idx(path, IMAGES)
    assert str(path) in str(caught.value)


def test_splits_and_dtypes(mnist):
    root, arrays = mnist
    paper = data.load("mnist", root, split="paper")
    x, y = paper.train
    assert x.shape == (30, 1, 28, 28) and x.dtype == np.float32 and y.dtype == np.int64
    assert paper.valid is None and paper.test.n == 10
    expected = arrays["train"][0][:, None] / np.float32(255)
    assert np.array_equal(to_host(x), expected) and expected.dtype == np.float32
    assert np.array_equal(to_host(y), arrays["train"][1])

    ours = data.load("mnist", root, flat=True, dtype="float64")
    assert ours.train.inputs.shape == (15, 784) and ours.train.inputs.dtype == np.float64
    both = np.concatenate([to_host(ours.train.inputs), to_host(ours.valid.inputs)])
    assert np.array_equal(both.astype(np.float32), expected.reshape(30, 784))
    assert np.array_equal(to_host(ours.test.targets), arrays["t10k"][1])

    few = data.load("mnist", root, limit=4)
    assert few.train.n == 4 and few.valid.n == 15 and "4 training images" in few.about


def test_images_and_labels_must_match(mnist):
    root, arrays = mnist
    labels = root / "mnist" / "train-labels-idx1-ubyte.gz"
    labels.write_bytes(gzip.compress(idx_bytes(arrays["train"][1][:29])))
    with pytest.raises(ValueError, match="30 train images but 29 labels"):
        data.load("mnist", root)
    labels.write_bytes(gzip.compress(idx_bytes(np.full(30, 11))))
    with pytest.raises(ValueError, match="label 11 among the train labels, expected 0 to 9"):
        data.load("mnist", root)


def test_unknown_split(mnist):
    with pytest.raises(ValueError, match="mnist: split='mine' is unknown. Use 'paper'"):
        data.load("mnist", mnist[0], split="mine")


REAL = {  # mean and deviation of the training pixels, counts per label
    "mnist": (0.1307, 0.3081, [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
              [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]),
    "fashion-mnist": (0.2860, 0.3530, [6000] * 10, [1000] * 10),
}


@pytest.mark.data
@pytest.mark.parametrize("name", REAL)
def test_real_files(real, name):
    real(name)
    mean, deviation, train, test = REAL[name]
    real = data.load(name, split="paper", download=False)
    assert real.train.inputs.shape == (60_000, 1, 28, 28)
    pixels = to_host(real.train.inputs).astype(np.float64)
    assert abs(pixels.mean() - mean) < 5e-5 and abs(pixels.std() - deviation) < 5e-5
    assert list(np.bincount(to_host(real.train.targets))) == train
    assert list(np.bincount(to_host(real.test.targets))) == test
    ours = data.load(name, download=False)
    assert (ours.train.n, ours.valid.n, ours.test.n) == (50_000, 10_000, 10_000)


@pytest.mark.data
@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "tinyshakespeare"])
def test_files_at_hand_are_the_published_ones(real, name):
    real(name)
    for part, (_, published) in data.files.CATALOGUE[name].parts.items():
        path = data.files.find(name, part)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == published.sha256
