"""Named arrays in one file that is there whole or not at all, and known to be unhurt.

The file is an `.npz` that NumPy reads (without pickle, without compression). Its last line, which
a zip archive may carry as a comment, is the SHA-256 of every byte before it, so that no bit of the
file can change unseen:

    PK ...members, table of contents...  minigrad sha256 <64 hexadecimal digits>

Writing never touches what is there. The new file is made under a name of its own, one that did
not exist (so no link is followed and no two writers meet), flushed to the disk, and then renamed
over PATH, which the file system does in one indivisible act.

Reading asks for no more memory than the file has bytes, whatever its tables claim.
"""
import hashlib
import io
import math
import os
import secrets
import stat
import zipfile
from contextlib import suppress

import numpy as np

LABEL = b"minigrad sha256 "
DIGITS = 64                                         # of a SHA-256 in hexadecimal
BLOCK = 1 << 20
KINDS = "biufcSU"                                   # no objects, no records: plain numbers and text
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0,
           (2, 0): np.lib.format.read_array_header_2_0}


class Foreign(ValueError):
    """A whole archive, but none that `write` made."""


def write(path, arrays):
    """Write {name: array} to `path`, all or nothing. Raises OSError."""
    folder, name = os.path.split(path)
    folder = folder or "."
    os.makedirs(folder, exist_ok=True)
    part = os.path.join(folder, f".{name[:80]}.{secrets.token_hex(8)}.part")
    with open(part, "x+b") as file:                 # x: made here, or refused
        try:
            np.savez(file, **arrays)
            with zipfile.ZipFile(file, "a") as archive:
                archive.comment = LABEL + b"0" * DIGITS
            digest = digest_of(file, file.seek(0, os.SEEK_END) - DIGITS)
            file.seek(-DIGITS, os.SEEK_END)
            file.write(digest)
            file.flush()
            os.fsync(file.fileno())
            os.replace(part, path)
        except BaseException:
            with suppress(OSError):                 # the disk may have gone away
                os.unlink(part)
            raise
    settle(folder)


def settle(folder):
    """Flush the folder's own table, so that the new name outlives a power cut; where that can be
    asked for."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    with suppress(OSError):
        os.fsync(handle)
    os.close(handle)


def read(path):
    """{name: array} from `path`, every bit of it as `write` left it.

    Raises OSError when it cannot be read, Foreign for another kind of archive, ValueError with
    the reason when it is damaged (or what zipfile raises, if the damage was given a checksum).
    """
    with open(path, "rb", opener=without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is no regular file")
        length = file.seek(0, os.SEEK_END)
        file.seek(0)
        if file.read(2) != b"PK":
            raise ValueError("it does not begin as an archive")
        file.seek(max(0, length - DIGITS - len(LABEL)))
        label, digest = file.read(len(LABEL)), file.read(DIGITS)
        if label != LABEL:
            raise Foreign(version_of(file))
        if digest != digest_of(file, length - DIGITS):
            raise ValueError("its content and its checksum disagree")
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > length:
                raise ValueError("its parts are larger than the whole")
            return {member.filename.removesuffix(".npy"): array_in(archive.read(member))
                    for member in members}


def without_waiting(path, flags):
    """os.open that does not wait for the other end of a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def digest_of(file, length):
    """SHA-256 of the first `length` bytes, as hexadecimal digits."""
    digest = hashlib.sha256()
    file.seek(0)
    while length > 0 and (block := file.read(min(BLOCK, length))):
        digest.update(block)
        length -= len(block)
    return digest.hexdigest().encode()


def version_of(file):
    """The first bytes of the member "about" of an archive without a checksum, "" if it has none.

    Raises ValueError if it is no archive, or one that was cut short.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            if "about.npy" not in archive.namelist():
                return ""
            with archive.open("about.npy") as member:
                return member.read(256).decode("latin-1")
    except Exception as error:                      # a table that leads anywhere
        raise ValueError(f"it ends without its checksum, {error}") from None


def array_in(data):
    """The array in the bytes of an `.npy` file; its header is held against their number first."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version not in HEADERS:
        raise ValueError(f"an array of version {version}")
    shape, by_columns, dtype = HEADERS[version](stream)
    if dtype.kind not in KINDS or min(shape, default=0) < 0:
        raise ValueError(f"an array of shape {shape} and dtype {dtype}")
    start = stream.tell()
    if math.prod(shape) * dtype.itemsize != len(data) - start:
        raise ValueError(f"an array of shape {shape} and dtype {dtype} in "
                         f"{len(data) - start} bytes")
    flat = np.frombuffer(data, dtype, offset=start) if len(data) > start else np.empty(0, dtype)
    return flat.reshape(shape, order="F" if by_columns else "C").copy(order="K")
