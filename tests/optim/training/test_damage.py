"""Checkpoints that were damaged, forged, linked or written by two at once."""
import io
import json
import os
import pickle
import subprocess
import sys
import textwrap
import threading
import zipfile

import numpy as np
import pytest

from minigrad.backend import to_host, xp
from optim.training import archive, checkpoint


def sample(n):
    """A run with n parameters, a long text and a generator."""
    rng = np.random.default_rng(n)
    return {"theta": xp.asarray(rng.standard_normal(n)), "state": {"t": 3, "rng": rng},
            "history": {"loss": np.arange(n // 7 + 1.0)}, "text": "step " * 20}


def damaged(whole, rng):
    """`whole` after one accident; what happened, in a word."""
    data, n = bytearray(whole), len(whole)
    at, length = int(rng.integers(n)), int(rng.integers(1, min(n, 4096)))
    what = ("bit", "32 bits", "cut", "zeros", "noise", "lost", "twice", "moved")[rng.integers(8)]
    if what == "bit":
        data[at] ^= 1 << int(rng.integers(8))
    elif what == "32 bits":
        for place in range(at, min(at + 32, n)):
            data[place] ^= 1 << int(rng.integers(8))
    elif what == "cut":
        del data[at:]
    elif what == "zeros":
        data[at:at + length] = bytes(len(data[at:at + length]))
    elif what == "noise":
        data[at:at + length] = rng.bytes(len(data[at:at + length]))
    elif what == "lost":
        del data[at:at + length]
    elif what == "twice":
        data[at:at] = data[at:at + length]
    else:                                           # a piece that landed at another place
        to = int(rng.integers(n))
        piece = bytes(data[at:at + length])
        data[to:to + len(piece)] = piece
    return bytes(data), what


def refused(path, corruptions, sizes, rng):
    """How many damaged files were refused; every one that differs has to be."""
    count = 0
    for i in range(corruptions):
        whole = sizes[i % len(sizes)]
        data, what = damaged(whole, rng)
        if data == whole:
            continue
        path.write_bytes(data)
        with pytest.raises(RuntimeError, match="^checkpoint: .*damaged or cut short"):
            checkpoint.load(path)
            print(f"loaded: {what} in {len(whole)} bytes")
        count += 1
    return count


def files(folder, sizes):
    wholes = []
    for n in sizes:
        checkpoint.save(folder / "whole.npz", sample(n))
        wholes.append((folder / "whole.npz").read_bytes())
    return wholes


def test_random_damage_is_always_found(tmp_path):
    rng = np.random.default_rng(0)
    assert refused(tmp_path / "a.npz", 300, files(tmp_path, (3, 2000)), rng) > 280


@pytest.mark.slow
def test_two_thousand_accidents_in_files_of_four_sizes(tmp_path):
    rng = np.random.default_rng(1)
    wholes = files(tmp_path, (1, 100, 10_000, 300_000))
    found = refused(tmp_path / "a.npz", 2100, wholes, rng)
    print(f"{found} damaged checkpoints of {[len(w) for w in wholes]} bytes, none loaded")
    assert found >= 2000


def test_every_single_bit_of_a_small_file_counts(tmp_path):
    (whole,) = files(tmp_path, (1,))
    path = tmp_path / "a.npz"
    for place in range(0, len(whole), 5):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << place % 8)])
                         + whole[place + 1:])
        with pytest.raises(RuntimeError):
            checkpoint.load(path)


# ---------------------------------------------------------------------- forged, with a right digest

def forge(path, tree, arrays=(), compress=False):
    """A file whose checksum is right and whose content is `tree`, in the words of `pack`."""
    about = json.dumps({"format": checkpoint.FORMAT, "tree": tree})
    members = {"about": np.frombuffer(about.encode(), np.uint8), **dict(arrays)}
    file = io.BytesIO()
    (np.savez_compressed if compress else np.savez)(file, **members)
    sign(path, file)


def sign(path, file):
    with zipfile.ZipFile(file, "a") as opened:
        opened.comment = archive.LABEL + b"0" * archive.DIGITS
    data = file.getvalue()[:-archive.DIGITS]
    path.write_bytes(data + archive.digest_of(io.BytesIO(data), len(data)))


def test_a_signed_file_is_read(tmp_path):
    forge(tmp_path / "a.npz", {"dict": [["x", {"array": "x"}]]}, {"x": np.arange(3.0)})
    assert to_host(checkpoint.load(tmp_path / "a.npz")["x"]).tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("name", ["test", "seed", "get_state", "default_rng", "RandomState",
                                  "Generator", "__loader__", "sys", ""])
def test_no_callable_outside_the_list_is_reached(tmp_path, monkeypatch, name):
    called = []
    for attribute in ("test", "seed", "get_state", "default_rng", "RandomState"):
        monkeypatch.setattr(np.random, attribute, lambda *a, **k: called.append(attribute))
    forge(tmp_path / "a.npz", {"generator": ["r", {"dict": [["bit_generator", name]]}]})
    with pytest.raises(RuntimeError, match="does not hold what a checkpoint holds .*bit generator "
                                           ".* is not one of PCG64, "):
        checkpoint.load(tmp_path / "a.npz")
    assert not called


def state_of(kind, **changes):
    state = {**kind(1).state, **changes}
    arrays = {}
    return {"generator": ["r", checkpoint.pack(state, "r", arrays, {})]}, arrays


@pytest.mark.parametrize("make", [
    lambda: state_of(np.random.MT19937, state={"key": np.zeros(624, np.uint32), "pos": 10**6}),
    lambda: state_of(np.random.MT19937, state={"key": np.zeros(624, np.uint32), "pos": -1}),
    lambda: state_of(np.random.MT19937, state={"key": np.zeros(9, np.uint32), "pos": 3}),
    lambda: state_of(np.random.Philox, buffer_pos=-7),
    lambda: state_of(np.random.PCG64, state={"state": "x", "inc": None}),
    lambda: ({"array": "nowhere"}, {}),
    lambda: ({"module": "os"}, {}),
    lambda: ({"dict": 3}, {}),
    lambda: ({"same generator": "r"}, {}),
    lambda: ({"list": [], "dict": []}, {}),
])
def test_forged_content_is_a_sentence(tmp_path, make):
    forge(tmp_path / "a.npz", *make())
    with pytest.raises(RuntimeError, match="does not hold what a checkpoint holds"):
        checkpoint.load(tmp_path / "a.npz")


def test_a_text_nested_without_end_is_a_sentence(tmp_path, monkeypatch):
    deep = '{"list": [' * 100_000 + "1" + "]}" * 100_000
    monkeypatch.setattr(json, "dumps", lambda tree: (
        f'{{"format": "{checkpoint.FORMAT}", "tree": {deep}}}'))
    forge(tmp_path / "a.npz", None)
    with pytest.raises(RuntimeError, match="does not hold what a checkpoint holds"):
        checkpoint.load(tmp_path / "a.npz")


def test_tables_that_ask_for_more_than_the_file_has(tmp_path):
    forge(tmp_path / "a.npz", None, {"x": np.zeros(10**7)}, compress=True)
    with pytest.raises(RuntimeError, match="its parts are larger than the whole"):
        checkpoint.load(tmp_path / "a.npz")
    for shape in ((10**12,), (2**62, 8), (-3,)):
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": "<f8", "fortran_order": False, "shape": shape})
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as opened:
            opened.writestr("about.npy", header.getvalue() + bytes(24))
        sign(tmp_path / "b.npz", file)
        with pytest.raises(RuntimeError, match="damaged or cut short .an array of shape"):
            checkpoint.load(tmp_path / "b.npz")


def test_pickles_are_never_opened(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "exploded"),)

    for name, write in (("a", lambda f: np.save(f, np.array([Bomb()], object), allow_pickle=True)),
                        ("b", lambda f: pickle.dump(Bomb(), f))):
        file = io.BytesIO()
        write(file)
        inside = io.BytesIO()
        with zipfile.ZipFile(inside, "w") as opened:
            opened.writestr("about.npy", file.getvalue())
        sign(tmp_path / name, inside)
        with pytest.raises(RuntimeError, match="damaged or cut short"):
            checkpoint.load(tmp_path / name)
    assert not (tmp_path / "exploded").exists()


def test_a_checkpoint_of_the_older_version_is_told(tmp_path):
    about = np.frombuffer(json.dumps({"format": "minigrad checkpoint 1", "tree": 1}).encode(),
                          np.uint8)
    np.savez(tmp_path / "a.npz", about=about)
    with pytest.raises(RuntimeError, match=r"a\.npz was written by an older version, without the "
                                           r"checksum that finds damage\. Start the run again"):
        checkpoint.load(tmp_path / "a.npz")


# ---------------------------------------------------------------------- links, pipes, two at once

def test_links_are_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    for name in ("a.npz", "a.npz.part", ".a.npz.part"):
        (tmp_path / name).symlink_to(victim)
    checkpoint.save(tmp_path / "a.npz", {"x": 1})
    assert victim.read_text() == "mine" and not (tmp_path / "a.npz").is_symlink()
    assert checkpoint.load(tmp_path / "a.npz") == {"x": 1}


def test_a_name_that_is_taken_is_never_written_to(tmp_path, monkeypatch):
    monkeypatch.setattr(archive.secrets, "token_hex", lambda n: "0")
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / ".a.npz.0.part").symlink_to(victim)
    with pytest.raises(RuntimeError, match=r"cannot write .*a\.npz \(File exists\)"):
        checkpoint.save(tmp_path / "a.npz", {"x": 1})
    assert victim.read_text() == "mine" and (tmp_path / ".a.npz.0.part").is_symlink()


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.npz")
    with pytest.raises(RuntimeError, match=r"cannot read .*a\.npz \(it is no regular file\)"):
        checkpoint.load(tmp_path / "a.npz")
    with pytest.raises(RuntimeError, match=r"cannot write .* \(Is a directory\)"):
        checkpoint.save(tmp_path, {"x": 1})


def test_a_generator_that_stands_there_twice_is_one_afterwards(tmp_path):
    rng = np.random.default_rng(3)
    checkpoint.save(tmp_path / "a.npz", {"rng": rng, "state": {"rng": rng, "other":
                                                               np.random.default_rng(4)}})
    back = checkpoint.load(tmp_path / "a.npz")
    assert back["state"]["rng"] is back["rng"] and back["state"]["other"] is not back["rng"]


WRITER = textwrap.dedent("""
    import sys, time
    import numpy as np
    from optim.training import checkpoint
    path, mark, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    end, n = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        size = 10 + n * 997 % 40_000
        checkpoint.save(path, {"x": np.full(size, mark), "size": size, "mark": mark})
        n += 1
    print(n)
""")


@pytest.mark.parametrize("seconds", [0.3, pytest.param(10.0, marks=pytest.mark.slow)])
def test_two_writers_and_a_reader_on_one_path(tmp_path, seconds):
    path = tmp_path / "a.npz"
    checkpoint.save(path, {"x": np.full(10, 1.0), "size": 10, "mark": 1.0})
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(mark), str(seconds)],
                                stdout=subprocess.PIPE, text=True) for mark in (1.0, 2.0)]
    reads = 0
    while any(writer.poll() is None for writer in writers):
        tree = checkpoint.load(path)
        assert to_host(tree["x"]).tolist() == [tree["mark"]] * tree["size"]
        reads += 1
    saves = [int(writer.communicate()[0]) for writer in writers]
    print(f"{saves} saves, {reads} reads in {seconds} s")
    assert min(*saves, reads) > 5 and os.listdir(tmp_path) == ["a.npz"]


def test_threads_may_save_to_one_path(tmp_path):
    failures = []

    def write(mark):
        try:
            for _ in range(20):
                checkpoint.save(tmp_path / "a.npz", {"x": [mark] * 50})
        except RuntimeError as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(mark,)) for mark in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures and len(set(checkpoint.load(tmp_path / "a.npz")["x"])) == 1
    assert os.listdir(tmp_path) == ["a.npz"]
