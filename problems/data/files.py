"""Where data files are found: a folder the caller names, MINIGRAD_DATA, the user's cache, the net.

A file is looked for in that order and downloaded only when none of them has it. A download is
written under a temporary name, checked against its sha256, and only then given its name by
`os.replace`, which happens at once or not at all: a file that is there is complete, however a
run ended. What a file holds is checked again whenever it is read (content.py).

    MINIGRAD_DATA    folder with the data sets, one subfolder each
    MINIGRAD_CACHE   where downloads and generated data go, default ~/.cache/minigrad
                     (XDG_CACHE_HOME/minigrad where that is set)
"""

import hashlib
import os
import sys
import tarfile
import tempfile
import time
import urllib.request
import warnings
import zipfile
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path

import numpy as np

from .sources import CATALOGUE

TIMEOUT = 30        # seconds without an answer before a download is given up
SLOWEST = 50_000    # bytes a second below which it is given up, after TIMEOUT seconds
LARGEST = 1 << 28   # bytes that are taken out of an archive, or out of our own cache


class MissingData(RuntimeError):
    """A data file is neither here nor to be had; the message says where it was looked for."""


def cache_folder():
    """MINIGRAD_CACHE, else XDG_CACHE_HOME/minigrad, else ~/.cache/minigrad."""
    if os.environ.get("MINIGRAD_CACHE"):
        return Path(os.environ["MINIGRAD_CACHE"]).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "minigrad"


def places(root=None):
    """The folders searched, in order. A folder that was named and does not exist is an error."""
    named = [("root", root), ("MINIGRAD_DATA", os.environ.get("MINIGRAD_DATA"))]
    folders = []
    for label, folder in named:
        if folder:
            if not Path(folder).expanduser().is_dir():
                raise ValueError(f"data: {label}={str(folder)!r} is not a folder. "
                                 "Name the folder that holds the data sets.")
            folders.append(Path(folder).expanduser())
    return [*folders, cache_folder() / "data"]


def find(name, part, root=None):
    """Path of one part of data set `name`, or None.

    Each place is searched under place/name, and directly if the place is itself called name.
    """
    for place in places(root):
        folder = place if place.name == name else place / name
        for candidate in CATALOGUE[name].parts[part].names:
            if (folder / candidate).is_file():
                return folder / candidate
    return None


def is_local(name, root=None):
    """True if every file of data set `name` is at hand, so that loading it needs no network."""
    return all(find(name, part, root) for part in CATALOGUE[name].parts)


def obtain(name, part, root=None, download=True):
    """Path of one part of data set `name`, downloaded into the cache if it is nowhere else."""
    path = find(name, part, root)
    if path:
        return path
    source = CATALOGUE[name]
    published = source.parts[part].published
    if not published:
        failure = f"it cannot be downloaded ({source.closed})"
    elif not download:
        failure = "downloading is switched off"
    else:
        try:
            fetch(published, cache_folder() / "data" / name)
            return find(name, part, root)
        except OSError as error:
            failure = f"the download failed ({error})"
    searched = ", ".join(str(place / name) for place in places(root))
    wanted = source.parts[part].names[0]
    raise MissingData(f"{name}: {wanted} not found in {searched}, and {failure}. "
                      f"Put the file there, or use --data {source.substitute}, "
                      "which needs no file.")


def fetch(published, folder):
    """Downloads one published file into `folder`, or its members if it is an archive.

    Tries each address in turn; raises OSError with all the reasons when none delivers.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"cannot write in {folder}: {error.strerror}; "
                      "set MINIGRAD_CACHE to a folder you can write") from error
    reasons = []
    for url in published.urls:
        try:
            with temporary(folder, published.file) as part:
                receive(url, part, published)
                if published.members:
                    unpack(part, published.members, folder)
                else:
                    os.replace(part, folder / published.file)
            return
        except (OSError, HTTPException) as error:
            reasons.append(f"{url}: {error}")
    raise OSError("; ".join(reasons))


def receive(url, path, published):
    """Copies what `url` sends into `path`; OSError if it is not what was published.

    No more is taken than `published.most` bytes, and no more time than a slow line needs for them.
    """
    print(f"downloading {url}", file=sys.stderr)
    digest, began = hashlib.sha256(), time.monotonic()
    with urllib.request.urlopen(url, timeout=TIMEOUT) as response, open(path, "wb") as file:
        expected = response.headers.get("Content-Length") or ""
        expected = int(expected) if expected.isdecimal() else None
        most = max(published.most, expected or 0)
        if most > published.most:
            raise OSError(f"it announces {most:,} bytes, the published file has at most "
                          f"{published.most:,}")
        # An answer over the net is read as it comes: waiting for a whole block could take for ever.
        read = response.read1 if isinstance(response, HTTPResponse) else response.read
        while block := read(1 << 16):
            digest.update(block)
            file.write(block)
            if file.tell() > most:
                raise OSError(f"it sends more than the {most:,} bytes of the published file")
            seconds = time.monotonic() - began
            if seconds > TIMEOUT + file.tell() / SLOWEST:
                raise OSError(f"too slow: {file.tell():,} bytes in {seconds:.0f} s")
        received = file.tell()
    if expected is not None and received < expected:
        raise OSError(f"the connection closed after {received} of {expected} bytes")
    if digest.hexdigest() != published.sha256:
        raise OSError(f"wrong checksum: sha256 {digest.hexdigest()}, expected {published.sha256}")


def unpack(archive, members, folder):
    """Takes `members` {name inside: name outside} out of a zip or tar archive, each at once."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            for inside, outside in members.items():
                with opened.open(inside) as stream:
                    write_whole(folder / outside, stream)
    else:
        with tarfile.open(archive) as opened:
            for inside, outside in members.items():
                with opened.extractfile(inside) as stream:
                    write_whole(folder / outside, stream)


def write_whole(path, stream):
    """Writes a stream to `path` so that `path` is either complete or absent."""
    with temporary(path.parent, path.name) as part:
        with open(part, "wb") as file:
            while block := stream.read(1 << 20):
                file.write(block)
                if file.tell() > LARGEST:
                    raise OSError(f"{path.name} unpacks to more than {LARGEST:,} bytes")
        os.replace(part, path)


@contextmanager
def temporary(folder, name):
    """A fresh file NAME.*.part in `folder`, gone afterwards unless it was renamed."""
    handle, part = tempfile.mkstemp(prefix=f"{name}.", suffix=".part", dir=folder)
    os.close(handle)
    try:
        yield Path(part)
    finally:
        Path(part).unlink(missing_ok=True)


def cached_arrays(name, make):
    """Arrays `make()` returns, kept as CACHE/generated/NAME after the first call.

    The file holds a SHA-256 of the arrays; a damaged one counts as absent. Where the cache cannot
    be written the arrays are made anew every time, with one warning.
    """
    path = cache_folder() / "generated" / name
    try:
        return stored(path)
    except Exception:                               # not there, or damaged in whatever way
        arrays = make()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary(path.parent, name) as part:
            with open(part, "wb") as file:
                np.savez_compressed(file, *arrays, digest=digest_of(arrays))
            os.replace(part, path)
    except OSError as error:
        warnings.warn(f"{name}: not cached, cannot write in {path.parent}: {error.strerror}. "
                      "Set MINIGRAD_CACHE to a folder you can write.", stacklevel=2)
    return arrays


def stored(path):
    """The arrays that `cached_arrays` wrote to `path`; raises whatever shows that it is not so."""
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > LARGEST:
            raise ValueError(f"{path}: unpacks to more than {LARGEST:,} bytes")
    with np.load(path) as members:
        arrays = [members[f"arr_{i}"] for i in range(len(members.files) - 1)]
        if members["digest"].tobytes() != digest_of(arrays).tobytes():
            raise ValueError(f"{path}: its content and its checksum disagree")
    return arrays


def digest_of(arrays):
    """SHA-256 (32,) uint8 of the dtypes, shapes and entries of arrays."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return np.frombuffer(digest.digest(), np.uint8)
