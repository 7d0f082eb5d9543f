"""Finding, downloading and caching files. The net is a file:// address or a fake opener."""

import hashlib
import io
import tarfile
import zipfile

import numpy as np
import pytest

from problems import data
from problems.data import files
from problems.data.sources import CATALOGUE, Part, Published, Source

CONTENT = b"First Citizen:\n" * 1000


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A reader with an empty cache and no data folder."""
    monkeypatch.delenv("MINIGRAD_DATA", raising=False)
    monkeypatch.setenv("MINIGRAD_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def toy(home, monkeypatch):
    """A data set "toy" of one file at a file:// address; call it to publish it otherwise."""
    original = home / "net" / "toy.txt"
    original.parent.mkdir()
    original.write_bytes(CONTENT)

    def publish(**changes):
        published = Published("toy.txt", hashlib.sha256(CONTENT).hexdigest(),
                              (original.as_uri(),))._replace(**changes)
        part = Part(("toy.txt", "toy.md"), published)
        monkeypatch.setitem(CATALOGUE, "toy", Source({"text": part}, substitute="grammar"))

    publish()
    return publish


class Response(io.BytesIO):
    """What urlopen returns: a stream with headers, which may break off."""

    def __init__(self, content, length, error=None):
        super().__init__(content)
        self.headers = {"Content-Length": str(length)}
        self.error = error

    def read(self, size=-1):
        block = super().read(size)
        if not block and self.error:
            raise self.error
        return block


def leftovers(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_places_in_order(home, toy, monkeypatch):
    """root before MINIGRAD_DATA before the cache; nothing is downloaded if one has it."""
    monkeypatch.setattr(files, "fetch", lambda *a: pytest.fail("went to the net"))
    folders = {name: home / name for name in ("root", "env", "cache/data")}
    monkeypatch.setenv("MINIGRAD_DATA", str(folders["env"]))
    for name in ("root", "env"):
        (home / name).mkdir()
    for name in ("cache/data", "env", "root"):
        (folders[name] / "toy").mkdir(parents=True)
        (folders[name] / "toy" / "toy.txt").write_bytes(b"x")
        assert files.obtain("toy", "text", folders["root"]) == folders[name] / "toy" / "toy.txt"


def test_second_name_and_folder_of_the_set_itself(home, toy):
    (home / "toy").mkdir()
    (home / "toy" / "toy.md").write_bytes(b"x")
    assert files.find("toy", "text", home) == home / "toy" / "toy.md"
    assert files.find("toy", "text", home / "toy") == home / "toy" / "toy.md"
    assert files.is_local("toy", home)
    assert not files.is_local("toy")


def test_a_named_folder_has_to_exist(home, toy, monkeypatch):
    with pytest.raises(ValueError, match="root='.*nowhere' is not a folder"):
        files.obtain("toy", "text", home / "nowhere")
    monkeypatch.setenv("MINIGRAD_DATA", str(home / "gone"))
    with pytest.raises(ValueError, match="MINIGRAD_DATA='.*gone' is not a folder"):
        files.find("toy", "text")


def test_cache_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("MINIGRAD_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert files.cache_folder() == tmp_path / "xdg" / "minigrad"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert files.cache_folder() == tmp_path / ".cache" / "minigrad"
    monkeypatch.setenv("MINIGRAD_CACHE", str(tmp_path / "mine"))
    assert files.cache_folder() == tmp_path / "mine"


def test_downloads_once(home, toy, capsys):
    path = files.obtain("toy", "text")
    assert path == home / "cache" / "data" / "toy" / "toy.txt"
    assert path.read_bytes() == CONTENT
    assert leftovers(home / "cache") == [path]
    (home / "net" / "toy.txt").unlink()
    assert files.obtain("toy", "text") == path
    assert capsys.readouterr().err.count("downloading") == 1


def test_second_address_is_tried(home, toy):
    toy(urls=((home / "none").as_uri(), (home / "net" / "toy.txt").as_uri()))
    assert files.obtain("toy", "text").read_bytes() == CONTENT


def test_wrong_checksum_leaves_nothing(home, toy):
    toy(sha256="0" * 64)
    expected = f"wrong checksum: sha256 {hashlib.sha256(CONTENT).hexdigest()}, expected 0000"
    with pytest.raises(data.MissingData, match=expected):
        files.obtain("toy", "text")
    assert leftovers(home / "cache") == []


@pytest.mark.parametrize("error", [None, ConnectionResetError("reset by peer"), TimeoutError()])
def test_interrupted_download_never_looks_complete(home, toy, monkeypatch, error):
    """The connection closes quietly, breaks, or stalls after half the bytes."""
    half = len(CONTENT) // 2
    monkeypatch.setattr(files.urllib.request, "urlopen",
                        lambda url, timeout: Response(CONTENT[:half], len(CONTENT), error))
    reason = "closed after 7500 of 15000 bytes" if error is None else "toy.txt: "
    with pytest.raises(data.MissingData, match=reason):
        files.obtain("toy", "text")
    assert leftovers(home / "cache") == []


def test_ctrl_c_during_a_download_leaves_nothing(home, toy, monkeypatch):
    monkeypatch.setattr(files.urllib.request, "urlopen",
                        lambda url, timeout: Response(CONTENT[:9], 99, KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        files.obtain("toy", "text")
    assert leftovers(home / "cache") == []


def test_a_killed_download_is_not_taken_for_the_file(home, toy):
    """What kill -9 leaves is the temporary file; it is not found, and the next run downloads."""
    folder = home / "cache" / "data" / "toy"
    folder.mkdir(parents=True)
    (folder / "toy.txt.abc.part").write_bytes(CONTENT[:9])
    assert files.find("toy", "text") is None
    assert files.obtain("toy", "text").read_bytes() == CONTENT


def test_one_clear_sentence_when_there_is_no_way(home, toy):
    toy(urls=((home / "none").as_uri(),))
    with pytest.raises(data.MissingData) as caught:
        files.obtain("toy", "text", home)
    message = str(caught.value)
    assert message.startswith(f"toy: toy.txt not found in {home / 'toy'}, "
                              f"{home / 'cache' / 'data' / 'toy'}, and the download failed (file:")
    assert message.endswith("Put the file there, or use --data grammar, which needs no file.")
    with pytest.raises(data.MissingData, match="downloading is switched off"):
        files.obtain("toy", "text", download=False)


def test_penn_treebank_is_never_downloaded(home, monkeypatch):
    monkeypatch.setattr(files, "fetch", lambda *a: pytest.fail("went to the net"))
    with pytest.raises(data.MissingData, match="cannot be downloaded .*LDC99T42.* is not free"):
        data.load("ptb")


def test_unwritable_cache(home, toy, monkeypatch):
    blocked = home / "file"
    blocked.write_bytes(b"")
    monkeypatch.setenv("MINIGRAD_CACHE", str(blocked))
    with pytest.raises(data.MissingData, match="cannot write in .*set MINIGRAD_CACHE"):
        files.obtain("toy", "text")


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_archives_are_unpacked(home, toy, kind):
    archive = home / "net" / f"toy.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as opened:
            opened.writestr("folder/inside.txt", CONTENT)
    else:
        with tarfile.open(archive, "w:gz") as opened:
            info = tarfile.TarInfo("folder/inside.txt")
            info.size = len(CONTENT)
            opened.addfile(info, io.BytesIO(CONTENT))
    toy(file=archive.name, urls=(archive.as_uri(),),
        sha256=hashlib.sha256(archive.read_bytes()).hexdigest(),
        members={"folder/inside.txt": "toy.txt"})
    path = files.obtain("toy", "text")
    assert path.read_bytes() == CONTENT
    assert leftovers(home / "cache") == [path]


def test_cached_arrays_are_made_once_and_again_if_damaged(home):
    calls = []

    def make():
        calls.append(1)
        return [np.arange(1000), np.ones(3)]

    path = home / "cache" / "generated" / "a-v1.npz"
    for damage in (None, None, b"", path):
        if damage == path:
            whole = path.read_bytes()
            path.write_bytes(whole[:len(whole) // 2])
        elif damage is not None:
            path.write_bytes(damage)
        a, b = files.cached_arrays(path.name, make)
        assert np.array_equal(a, np.arange(1000)) and np.array_equal(b, np.ones(3))
    assert len(calls) == 3  # first, emptied, cut in half
    assert leftovers(home / "cache") == [path]


def test_unwritable_cache_only_warns_for_generated_data(home, monkeypatch):
    (home / "file").write_bytes(b"")
    monkeypatch.setenv("MINIGRAD_CACHE", str(home / "file"))
    with pytest.warns(UserWarning, match="not cached, cannot write in .*MINIGRAD_CACHE"):
        (a,) = files.cached_arrays("a.npz", lambda: [np.arange(3)])
    assert list(a) == [0, 1, 2]


def test_every_published_file_has_a_whole_checksum_and_an_address():
    for source in CATALOGUE.values():
        for part in source.parts.values():
            if part.published:
                assert len(bytes.fromhex(part.published.sha256)) == 32
                assert all(url.startswith("http") for url in part.published.urls)
            else:
                assert source.closed
            assert source.substitute in data.names()

