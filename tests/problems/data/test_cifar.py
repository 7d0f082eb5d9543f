"""The CIFAR-10 reader on small xz files written here, and the real set (marker data)."""

import hashlib
import lzma

import numpy as np
import pytest

from minigrad.backend import to_host
from problems import data
from problems.data.cifar import read_records


def records(seed, n):
    rng = np.random.default_rng(seed)
    made = rng.integers(0, 256, (n, 3073)).astype(np.uint8)
    made[:, 0] = rng.integers(0, 10, n)
    return made


@pytest.fixture
def folder(tmp_path):
    """Five files of four records, the third not compressed, and a short test file of three."""
    (tmp_path / "cifar-10").mkdir()
    for i in range(1, 6):
        raw = records(i, 4).tobytes()
        name, content = (("bin", raw) if i == 3 else ("bin.xz", lzma.compress(raw, preset=0)))
        (tmp_path / "cifar-10" / f"data_batch_{i}.{name}").write_bytes(content)
    (tmp_path / "cifar-10" / "test_batch_first1000.bin.xz").write_bytes(
        lzma.compress(records(9, 3).tobytes(), preset=0))
    return tmp_path


def test_layout_order_and_splits(folder):
    paper = data.load("cifar-10", folder, split="paper")
    x, y = map(to_host, paper.train)
    assert x.shape == (20, 3, 32, 32) and x.dtype == np.float32 and y.dtype == np.int64
    assert paper.valid is None and paper.test.n == 3
    sixth = records(2, 4)[1]  # the sixth image is the second of the second file
    assert y[5] == sixth[0]
    assert x[5, 0, 0, 0] == np.float32(sixth[1] / 255)  # red, top left
    assert x[5, 1, 0, 31] == np.float32(sixth[1 + 1024 + 31] / 255)  # green, top right
    assert x[5, 2, 31, 0] == np.float32(sixth[1 + 2048 + 31 * 32] / 255)  # blue, bottom left

    ours = data.load("cifar-10", folder, flat=True)
    assert ours.train.inputs.shape == (16, 3072) and ours.valid.n == 4
    assert np.array_equal(to_host(ours.valid.inputs), x[16:].reshape(4, 3072))
    assert ours.classes[int(ours.train.targets[0])] == data.cifar.CLASSES[y[0]]


def test_short_test_part_is_said(folder):
    assert "only 3 of the 10,000 test images" in data.load("cifar-10", folder).about


def test_limit_reads_no_more_files_than_needed(folder):
    (folder / "cifar-10" / "data_batch_4.bin.xz").write_bytes(b"never read")
    limited = data.load("cifar-10", folder, limit=6)
    assert limited.train.n == 6 and "6 training images" in limited.about


def test_broken_files(tmp_path):
    packed = lzma.compress(records(0, 4).tobytes(), preset=0)
    damaged = bytearray(packed)
    damaged[len(packed) // 2] ^= 255
    wrong = records(0, 4)
    wrong[2, 0] = 10
    for name, content, message in [
            ("a.bin.xz", packed[:-100], "truncated, the xz stream breaks off"),
            ("b.bin.xz", bytes(damaged), "corrupted"),
            ("c.bin.xz", b"not xz at all", "corrupted"),
            ("d.bin", records(0, 2).tobytes()[:-1], "6,145 bytes are not a whole number of"),
            ("e.bin", b"", "truncated, 0 bytes"),
            ("f.bin", wrong.tobytes(), "label 10 at record 2, expected 0 to 9")]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=message):
            read_records(tmp_path / name)


@pytest.mark.data
def test_real_files(real):
    """Published md5 sums of the five decompressed training files; counts of the classes."""
    real("cifar-10")
    sums = ["5dd7e06a14cb22eb9f671a540d1b7c25", "5ea93a67294ea407fff1d09f752e9692",
            "942cd6a4bcdd0dd3c604fbe906cb4421", "ae636b3ba5c66a11e91e8cb52e771fcb",
            "53f37980c15c3d472c316c40844f3f0d"]
    labels = []
    for i, expected in enumerate(sums, 1):
        batch = read_records(data.files.find("cifar-10", f"batch {i}"))
        assert hashlib.md5(batch.tobytes()).hexdigest() == expected
        labels.append(batch[:, 0])
    assert list(np.bincount(np.concatenate(labels))) == [5000] * 10
    test = read_records(data.files.find("cifar-10", "test"))
    if len(test) == 1000:
        assert list(np.bincount(test[:, 0])) == [103, 89, 100, 103, 90, 86, 112, 102, 106, 109]
