"""Checkpoints: exact round trips, damaged files, and writing that fails."""
import errno
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from minigrad import Layout
from minigrad.backend import to_host, xp
from optim import checkpoint


def sample():
    rng = np.random.default_rng(3)
    rng.random(5)
    return {"theta": xp.asarray(rng.standard_normal((2, 7)).astype("float32")),
            "state": {"m": xp.asarray(rng.standard_normal(4)), "t": 12, "k": np.float32(0.1),
                      "pairs": [(xp.asarray([1.0]), None), ()]},
            "lr": 0.1 + 0.2, "infinite": float("inf"), "flag": True, "text": "ä",
            "rng": rng}


def same(a, b):
    """Equal in type, dtype, shape and bits."""
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        return all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        assert type(a) is type(b) and len(a) == len(b)
        return all(same(x, y) for x, y in zip(a, b))
    if isinstance(a, np.random.Generator):
        return a.bit_generator.state == b.bit_generator.state
    if isinstance(a, (np.ndarray, np.generic, xp.ndarray)):
        a, b = np.asarray(to_host(a)), np.asarray(to_host(b))
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return type(a) is type(b) and a == b


def test_a_tree_comes_back_bit_for_bit(tmp_path):
    path = tmp_path / "deep" / "run.npz"            # the folder is made
    checkpoint.save(path, sample())
    back = checkpoint.load(path)
    assert same(sample(), back)
    assert isinstance(back["state"]["k"], np.float32)
    assert back["rng"].random() == sample()["rng"].random()
    assert os.listdir(path.parent) == ["run.npz"]


@pytest.mark.parametrize("bits", ["PCG64", "MT19937", "Philox", "SFC64"])
def test_every_bit_generator_goes_on_where_it_was(tmp_path, bits):
    rng = np.random.Generator(getattr(np.random, bits)(7))
    rng.integers(10, size=3, dtype=np.int32)        # leaves half a word buffered
    checkpoint.save(tmp_path / "a.npz", {"rng": rng})
    back = checkpoint.load(tmp_path / "a.npz")["rng"]
    np.testing.assert_array_equal(back.integers(2**31, size=50, dtype=np.int32),
                                  rng.integers(2**31, size=50, dtype=np.int32))


def test_numpy_reads_the_arrays_by_their_path_without_pickle(tmp_path):
    checkpoint.save(tmp_path / "a.npz", sample())
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        assert {"theta", "state.m", "about"} <= set(file.files)
        np.testing.assert_array_equal(file["theta"], to_host(sample()["theta"]))


def test_truncated_at_any_length(tmp_path):
    path = tmp_path / "a.npz"
    checkpoint.save(path, sample())
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(RuntimeError, match=r"a\.npz is damaged or cut short .*Delete"):
            checkpoint.load(path)


def test_a_flipped_byte_is_noticed_or_harmless(tmp_path):
    path = tmp_path / "a.npz"
    checkpoint.save(path, sample())
    whole = path.read_bytes()
    noticed = 0
    for place in range(0, len(whole), 13):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1:])
        try:
            assert same(sample(), checkpoint.load(path))    # a time stamp or the like
        except RuntimeError as error:
            assert str(error).startswith("checkpoint: ")
            noticed += 1
    assert noticed > len(range(0, len(whole), 13)) // 2


def test_files_of_another_kind(tmp_path):
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(RuntimeError, match="is not a checkpoint of a training run"):
        checkpoint.load(tmp_path / "other.npz")
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(RuntimeError, match="damaged or cut short"):
        checkpoint.load(tmp_path / "text.npz")
    with pytest.raises(RuntimeError, match=r"cannot read .*none\.npz \(No such file"):
        checkpoint.load(tmp_path / "none.npz")
    np.savez(tmp_path / "pickle.npz", a=np.array([object()], dtype=object))
    with pytest.raises(RuntimeError, match="damaged or cut short"):
        checkpoint.load(tmp_path / "pickle.npz")


def test_what_cannot_be_stored_is_named(tmp_path):
    with pytest.raises(TypeError, match=r"cannot store state\.f, a function"):
        checkpoint.save(tmp_path / "a.npz", {"state": {"f": lambda: 0}})
    assert os.listdir(tmp_path) == []


def test_a_full_disk_leaves_the_older_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    checkpoint.save(path, sample())

    def savez(file, **arrays):
        file.write(b"half of it")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(checkpoint.np, "savez", savez)
    with pytest.raises(RuntimeError, match=r"cannot write .*a\.npz \(No space left on device\)\. "
                                           r"The older checkpoint there is intact\."):
        checkpoint.save(path, {"theta": xp.zeros(3)})
    monkeypatch.undo()
    assert same(sample(), checkpoint.load(path))
    assert os.listdir(tmp_path) == ["a.npz"]


def test_a_write_that_the_system_cuts_off(tmp_path):
    """A real failing write: the system refuses files above 20 kB."""
    pytest.importorskip("resource")
    script = textwrap.dedent("""
        import resource, signal, sys
        import numpy as np
        from minigrad.backend import xp
        from optim import checkpoint
        checkpoint.save(sys.argv[1], {"theta": xp.zeros(10)})
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        try:
            checkpoint.save(sys.argv[1], {"theta": xp.zeros(10_000)})
        except RuntimeError as error:
            print(error)
        print(checkpoint.load(sys.argv[1])["theta"].shape)
    """)
    path = tmp_path / "a.npz"
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    sentence, shape = done.stdout.splitlines()
    assert sentence.startswith(f"checkpoint: cannot write {path} (File too large). The older")
    assert shape == "(10,)" and os.listdir(tmp_path) == ["a.npz"]


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RuntimeError, match=r"cannot write .*a\.npz \(File exists\)\. Free some"):
        checkpoint.save(tmp_path / "file" / "a.npz", {"theta": xp.zeros(3)})


def test_a_read_only_folder(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(RuntimeError, match=r"cannot write .*\(Read-only file system\)\. Free"):
        checkpoint.save(tmp_path / "a.npz", {"theta": xp.zeros(3)})


def test_models_are_told_apart():
    small = Layout({"layers": [{"W": xp.zeros((4, 3)), "b": xp.zeros(3)}]})
    large = Layout({"layers": [{"W": xp.zeros((4, 5)), "b": xp.zeros(5)}]})
    stored = checkpoint.describe(small, xp.zeros(15))
    checkpoint.check_same_model("a.npz", stored, checkpoint.describe(small, xp.ones(15)))
    with pytest.raises(RuntimeError, match=r"a\.npz belongs to another model: it has layers\.0\.W "
                                           r"\(4, 3\) where this one has layers\.0\.W \(4, 5\)"):
        checkpoint.check_same_model("a.npz", stored, checkpoint.describe(large, xp.zeros(25)))
    with pytest.raises(RuntimeError, match=r"it has points \(\) where this one has points \(2,\)"):
        checkpoint.check_same_model("a.npz", stored, checkpoint.describe(small, xp.zeros((2, 15))))
    with pytest.raises(RuntimeError, match=r"it has theta \(3,\) where this one has theta \(4,\)"):
        checkpoint.check_same_model("a.npz", checkpoint.describe(None, xp.zeros(3)),
                                    checkpoint.describe(None, xp.zeros(4)))


def test_a_file_that_is_no_archive_is_not_taken_for_pickled(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"hello " * 100)
    with pytest.raises(RuntimeError, match=r"cut short \(it does not begin as an archive\)\. D"):
        checkpoint.load(tmp_path / "a.npz")
