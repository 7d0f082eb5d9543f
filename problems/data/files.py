"""Where data files are found: a folder the caller names, MINIGRAD_DATA, the user's cache, the net.

A file is looked for in that order and downloaded only when none of them has it. A download is
written under a temporary name, checked against its sha256, and only then given its name by
`os.replace`, which happens at once or not at all: a file that is there is complete, however a
run ended.

    MINIGRAD_DATA    folder with the data sets, one subfolder each
    MINIGRAD_CACHE   where downloads and generated data go, default ~/.cache/minigrad
                     (XDG_CACHE_HOME/minigrad where that is set)
"""

import hashlib
import os
import shutil
import sys
import tarfile
import tempfile
import urllib.request
import warnings
import zipfile
import zlib
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

import numpy as np

from .sources import CATALOGUE

TIMEOUT = 30  # seconds without an answer before a download is given up


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
                receive(url, part, published.sha256)
                if published.members:
                    unpack(part, published.members, folder)
                else:
                    os.replace(part, folder / published.file)
            return
        except (OSError, HTTPException) as error:
            reasons.append(f"{url}: {error}")
    raise OSError("; ".join(reasons))


def receive(url, path, sha256):
    """Copies what `url` sends into `path`; OSError if it is short or has another sha256."""
    print(f"downloading {url}", file=sys.stderr)
    digest = hashlib.sha256()
    with urllib.request.urlopen(url, timeout=TIMEOUT) as response, open(path, "wb") as file:
        expected = response.headers.get("Content-Length")
        while block := response.read(1 << 20):
            digest.update(block)
            file.write(block)
        received = file.tell()
    if expected is not None and received < int(expected):
        raise OSError(f"the connection closed after {received} of {expected} bytes")
    if digest.hexdigest() != sha256:
        raise OSError(f"wrong checksum: sha256 {digest.hexdigest()}, expected {sha256}")


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
            shutil.copyfileobj(stream, file)
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

    A damaged file counts as absent. Where the cache cannot be written the arrays are made
    anew every time, with one warning.
    """
    path = cache_folder() / "generated" / name
    try:
        with np.load(path) as stored:
            return [stored[key] for key in stored.files]
    except (OSError, ValueError, EOFError, KeyError, zlib.error, zipfile.BadZipFile):
        arrays = make()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary(path.parent, name) as part:
            with open(part, "wb") as file:
                np.savez_compressed(file, *arrays)
            os.replace(part, path)
    except OSError as error:
        warnings.warn(f"{name}: not cached, cannot write in {path.parent}: {error.strerror}. "
                      "Set MINIGRAD_CACHE to a folder you can write.", stacklevel=2)
    return arrays
