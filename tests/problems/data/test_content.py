"""Data files that were damaged, or made to hurt: none is read wrong, none takes time or memory."""
import gzip
import hashlib
import http.server
import lzma
import os
import struct
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

from problems import data
from problems.data import files, text
from problems.data.cifar import RECORD
from problems.data.content import content_of
from problems.data.sources import (CATALOGUE, CONTENTS, Content, Part, Published, Source,
                                   content_known)


def known(content, **settings):
    return Content({len(content): hashlib.sha256(content).hexdigest()}, **settings)


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Small stand-ins of three sets as plain files, entered in the catalogue as published.

    Returns {path: content} of the files, and the folder.
    """
    rng = np.random.default_rng(0)
    folder = tmp_path / "data"
    written = {}

    def put(name, part, file, content, **settings):
        path = folder / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written[path] = content
        monkeypatch.setitem(CONTENTS[name], part, known(content, **settings))

    for part, short, n in (("train", "train", 60), ("test", "t10k", 20)):
        put("mnist", f"{part} images", f"{short}-images-idx3-ubyte", struct.pack(
            ">4I", 2051, n, 28, 28) + rng.integers(0, 256, n * 784).astype(np.uint8).tobytes())
        put("mnist", f"{part} labels", f"{short}-labels-idx1-ubyte", struct.pack(
            ">2I", 2049, n) + rng.integers(0, 10, n).astype(np.uint8).tobytes())
    for i, part in enumerate(["batch 1", "batch 2", "batch 3", "batch 4", "batch 5", "test"]):
        records = rng.integers(0, 256, (3, RECORD)).astype(np.uint8)
        records[:, 0] %= 10
        file = "test_batch.bin" if part == "test" else f"data_batch_{i + 1}.bin"
        put("cifar-10", part, file, records.tobytes())
    plays = "".join(rng.choice(list("abcde \n"), 5000))
    monkeypatch.setattr(text, "SHAKESPEARE_CHARACTERS", len(plays))
    put("tinyshakespeare", "text", "input.txt", plays.encode())
    words = {part: " " + " ".join(rng.choice(["the", "tie", "toe", "<unk>", "=", "\n"], n)) + "\n"
             for part, n in (("train", 900), ("valid", 200), ("test", 300))}
    for part, content in words.items():
        put("wikitext-2", part, f"{part}.txt", content.encode(), complete=True)
    counts = [len(text.words(content)) for content in words.values()]
    monkeypatch.setitem(text.WORDS, "wikitext-2",
                        (*counts, len(set(text.words(words["train"])))))
    return written, folder


def load(path, folder):
    options = {"tinyshakespeare": {"context": 20}, "wikitext-2": {"context": 5}}
    name = path.parent.name
    return data.load(name, folder, download=False, **options.get(name, {}))


def accident(content, rng):
    """The content after one accident of eight kinds."""
    found, n = bytearray(content), len(content)
    at, length = int(rng.integers(n)), int(rng.integers(1, max(2, n // 8)))
    kind = int(rng.integers(8))
    if kind == 0:
        found[at] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        for place in rng.integers(0, n, 32):
            found[place] ^= 1 << int(rng.integers(8))
    elif kind == 2:
        del found[at:]
    elif kind == 3:
        found[at:at + length] = bytes(len(found[at:at + length]))
    elif kind == 4:
        del found[at:at + length]
    elif kind == 5:
        found[at:at] = found[at:at + length]
    elif kind == 6:                                 # one of the numbers at the beginning
        found[int(rng.integers(min(16, n)))] = int(rng.integers(256))
    else:                                           # two pieces change places
        to = int(rng.integers(n))
        size = min(length, n - max(at, to), abs(at - to))
        found[at:at + size], found[to:to + size] = (bytes(found[to:to + size]),
                                                    bytes(found[at:at + size]))
    return bytes(found)


def refused(published, times, seed):
    written, folder = published
    rng, count, paths = np.random.default_rng(seed), 0, list(written)
    for path in paths:
        load(path, folder)                          # whole, they are read
    for i in range(times):
        path = paths[i % len(paths)]
        damaged = accident(written[path], rng)
        if damaged == written[path]:
            continue
        path.write_bytes(damaged)
        if path.name.endswith(".bin") and len(damaged) and len(damaged) % RECORD == 0 and (
                len(damaged) != len(written[path])):
            assert "from files of" in load(path, folder).about or "test" in path.name
        else:
            with pytest.raises(ValueError, match=r"(truncated|damaged|more than|wrong magic|bytes|"
                                                 r"characters|UTF-8|label)"):
                load(path, folder)
        path.write_bytes(written[path])
        count += 1
    return count


def test_damaged_plain_files_are_never_read_wrong(published):
    assert refused(published, 120, 0) > 100


@pytest.mark.slow
def test_twelve_hundred_damaged_plain_files(published):
    found = refused(published, 1300, 1)
    print(f"{found} damaged plain files, none read")
    assert found >= 1200


@pytest.mark.data
@pytest.mark.parametrize("name, part, options", [
    ("tinyshakespeare", "text", {}), ("wikitext-2", "valid", {}), ("wikitext-2", "train", {}),
    ("mnist", "test images", {}), ("mnist", "train labels", {}), ("cifar-10", "test", {})])
def test_one_bit_of_the_real_files(real, tmp_path, name, part, options):
    """Unpacked copies of the real files, one bit flipped."""
    real(name)
    whole = content_of(files.find(name, part), content_known(name, part))
    rng = np.random.default_rng(0)
    for i in range(10):
        damaged = bytearray(whole)
        damaged[int(rng.integers(len(whole)))] ^= 1 << int(rng.integers(8))
        path = tmp_path / "copy"
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="damaged. It has the .* another checksum"):
            content_of(path, content_known(name, part))
    path.write_bytes(whole)
    assert content_of(path, content_known(name, part)) == whole


@pytest.mark.data
def test_articles_in_another_order_are_the_same_text(real, tmp_path):
    real("wikitext-2")
    part = content_known("wikitext-2", "train")
    lines = content_of(files.find("wikitext-2", "train"), part).splitlines(keepends=True)
    path = tmp_path / "train.txt"
    path.write_bytes(b"".join(lines[9000:] + lines[:9000]))
    assert len(content_of(path, part)) == 10_797_148
    lines[77] = lines[77].replace(b"the", b"teh", 1)
    path.write_bytes(b"".join(lines[9000:] + lines[:9000]))
    if b"teh" in lines[77]:
        with pytest.raises(ValueError, match="damaged"):
            content_of(path, part)


def test_where_only_the_beginning_is_known_it_has_to_agree(tmp_path):
    begins, path = b"first" * 10, tmp_path / "file"
    part = Content({50: hashlib.sha256(begins).hexdigest(), 90: ""})
    for content, fits in ((begins, True), (begins + b"x" * 40, True), (b"F" + begins[1:], False),
                          (b"F" + begins[1:] + b"x" * 40, False)):
        path.write_bytes(content)
        if fits:
            assert content_of(path, part) == content
        else:
            with pytest.raises(ValueError, match="damaged"):
                content_of(path, part)


# ---------------------------------------------------------------------- bombs

BOMB = textwrap.dedent("""
    import re, sys, time
    from pathlib import Path
    from problems.data.idx import read_idx
    from problems.data.cifar import read_records
    from problems.data.text import read_text
    from problems.data.sources import content_known
    read, name, part = {"idx": (lambda p, q: read_idx(p, 2051, q), "mnist", "train images"),
                        "xz": (read_records, "cifar-10", "batch 1"),
                        "text": (read_text, "tinyshakespeare", "text")}[sys.argv[2]]
    peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
    before = peak()
    began = time.monotonic()
    try:
        read(Path(sys.argv[1]), content_known(name, part))
    except ValueError as error:
        print(time.monotonic() - began)
        print((peak() - before) / 1024)
        print(error)
""")


def zeros(open_file, path, begins, size):
    """A compressed file that unpacks to `begins` and `size` zeros; little memory, little disk."""
    with open_file(path, "wb") as file:
        file.write(begins)
        block = bytes(1 << 20)
        for _ in range(size >> 20):
            file.write(block)


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads its memory in /proc")
@pytest.mark.parametrize("kind", ["idx", "idx dimensions", "xz", "text"])
def test_bombs_are_refused_within_two_seconds_and_200_mb(tmp_path, kind):
    if kind == "idx":                               # 2 MB that become 2 GB
        path = tmp_path / "train-images-idx3-ubyte.gz"
        zeros(gzip.open, path, struct.pack(">4I", 2051, 60000, 28, 28), 2 << 30)
    elif kind == "idx dimensions":                  # a header that speaks of 2^96 bytes
        path = tmp_path / "train-images-idx3-ubyte"
        path.write_bytes(struct.pack(">4I", 2051, *[2**32 - 1] * 3) + bytes(1000))
    elif kind == "xz":
        path = tmp_path / "data_batch_1.bin.xz"
        zeros(lzma.open, path, b"", 1 << 29)
    else:                                           # a text with a hole of 4 GB
        path = tmp_path / "input.txt"
        with open(path, "wb") as file:
            file.truncate(4 << 30)
    done = subprocess.run([sys.executable, "-c", BOMB, str(path), kind.split()[0]],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    seconds, megabytes, sentence = done.stdout.splitlines()
    print(f"{kind}: {path.stat().st_size:,} bytes, refused after {float(seconds):.2f} s "
          f"and {float(megabytes):.0f} MB: {sentence.partition(': ')[2]}")
    assert float(seconds) < 2.0 and float(megabytes) < 200.0
    assert "Get the file again." in sentence


def test_a_small_bomb_is_a_sentence(tmp_path):
    path = tmp_path / "a.gz"
    part = Content({1000: "0" * 64})
    path.write_bytes(gzip.compress(bytes(1 << 20)))
    with pytest.raises(ValueError, match="more than 1,000 bytes, the size of the largest file"):
        content_of(path, part)
    path = tmp_path / "a.xz"
    path.write_bytes(lzma.compress(bytes(1 << 20)) + lzma.compress(b"more"))
    assert content_of(path) == bytes(1 << 20) + b"more"


# ---------------------------------------------------------------------- downloads

class Server(http.server.BaseHTTPRequestHandler):
    """/endless sends for ever, /slow a byte at a time, /large announces more than there is."""

    def do_GET(self):
        self.send_response(200)
        if self.path == "/large":
            self.send_header("Content-Length", str(10**12))
        if self.path == "/odd":
            self.send_header("Content-Length", "many")
        self.end_headers()
        try:
            if self.path == "/odd":
                self.wfile.write(b"content")
            while self.path in ("/endless", "/slow"):
                self.wfile.write(b"x" * (1 << 16 if self.path == "/endless" else 1))
                self.wfile.flush()
                time.sleep(0.0 if self.path == "/endless" else 0.02)
        except OSError:
            pass                                    # the other side has had enough

    def log_message(self, *arguments):
        pass


@pytest.fixture
def net(tmp_path, monkeypatch):
    """Calls obtain for a file at the given path of a server of ours."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.delenv("MINIGRAD_DATA", raising=False)
    monkeypatch.setenv("MINIGRAD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")

    def obtain(path):
        url = f"http://127.0.0.1:{server.server_port}/{path}"
        place = Published("toy", hashlib.sha256(b"content").hexdigest(), (url,), most=1 << 20)
        monkeypatch.setitem(CATALOGUE, "toy", Source({"text": Part(("toy",), place)}, "grammar"))
        return files.obtain("toy", "text")

    yield obtain
    server.shutdown()
    server.server_close()
    assert not [file for file in (tmp_path / "cache").rglob("*") if file.name != "toy"
                and file.is_file()]


@pytest.mark.parametrize("path, reason", [
    ("endless", "it sends more than the 1,048,576 bytes of the published file"),
    ("large", "it announces 1,000,000,000,000 bytes, the published file has at most 1,048,576"),
    ("slow", "too slow: [0-9]+ bytes in [0-9] s")])
def test_downloads_are_bounded(net, monkeypatch, path, reason):
    if path == "slow":                              # the others are refused for what they send
        monkeypatch.setattr(files, "TIMEOUT", 0.4)
    began = time.monotonic()
    with pytest.raises(data.MissingData, match=reason):
        net(path)
    assert time.monotonic() - began < 10.0


def test_a_length_that_is_no_number_is_ignored(net):
    assert net("odd").read_bytes() == b"content"


# ---------------------------------------------------------------------- what is asked for

@pytest.mark.parametrize("name, wrong, sentence", [
    ("mnist", {"limit": -1}, "load: mnist: limit must be a whole number >= 1, got -1"),
    ("cifar-10", {"limit": 0}, "load: cifar-10: limit must be a whole number >= 1, got 0"),
    ("strokes", {"n_train": 2.5}, "load: strokes: n_train must be a whole number >= 1, got 2.5"),
    ("strokes", {"seed": -3}, "load: strokes: seed must be a whole number >= 0, got -3"),
    ("grammar", {"context": True}, "load: grammar: context must be a whole number"),
    ("spirals", {"n_test": "9"}, "load: spirals: n_test must be a whole number"),
    ("clusters", {"dtype": "int32"}, "load: clusters: dtype must be float32 or float64")])
def test_counts_are_checked_at_the_door(name, wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        data.load(name, download=False, **wrong)


def test_a_seed_in_the_place_of_a_generator():
    for make in (lambda rng: next(data.batches(rng, 5, 2)),
                 lambda rng: next(data.epochs(rng, 5, 2)),
                 lambda rng: data.stroke_digits(rng, 3), lambda rng: data.grammar_text(rng, 3),
                 lambda rng: data.two_spirals(rng, 3), lambda rng: data.gaussian_centres(rng),
                 lambda rng: data.power_law_teacher(rng, 3)):
        for wrong in (0, None, np.random, "seed"):
            with pytest.raises(TypeError, match="rng must be a Generator, got .* Use "
                                                "numpy.random.default_rng"):
                make(wrong)
