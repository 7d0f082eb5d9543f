"""What a data file holds: unpacked within bounds, and held against what was published.

A file from outside is not trusted. Two megabytes of gzip can become two gigabytes, so no more is
unpacked than the published file has; and a flipped bit of a text reads as well as the right one,
so wherever the SHA-256 of the published content is known, content of that length has to have it.
The sums are those of the unpacked content: how a copy was compressed does not matter.
"""
import gzip
import hashlib
import lzma
import zlib

LARGEST = 1 << 26                                   # bytes, where no published size is known
BLOCK = 1 << 20
DICTIONARY = 1 << 27                                # bytes that unpacking xz may need


def content_of(path, content=None):
    """The bytes in a file, unpacked if it begins as gzip or is called `.xz`.

    content  the `sources.Content` that it should have: bounds the size, and is compared
    Raises   ValueError with one sentence if the file is damaged, cut short or too large
    """
    most = max(content.known) if content else LARGEST
    data = unpacked(path, most)
    if len(data) > most:
        raise ValueError(f"{path}: more than {most:,} bytes, the size of the largest file that is "
                         "known under this name. Get the file again.")
    if content:
        compare(path, data, content)
    return data


def compare(path, data, content):
    """Raises ValueError where `data` has the length of the published content and is another."""
    expected, known = content.known.get(len(data)), data
    if expected == "":
        length = max(size for size, sha256 in content.known.items() if sha256)
        expected, known = content.known[length], data[:length]
    if expected is None and content.complete:
        sizes = " or ".join(f"{size:,}" for size in content.known)
        raise ValueError(f"{path}: {len(data):,} bytes, the published file has {sizes}. "
                         "Get the file again.")
    if expected is None or expected == hashlib.sha256(known).hexdigest():
        return
    if content.lines and content.lines == hashlib.sha256(b"".join(sorted(
            data.splitlines(keepends=True)))).hexdigest():
        return
    raise ValueError(f"{path}: damaged. It has the {len(data):,} bytes of the published file, but "
                     "another checksum. Get the file again.")


def unpacked(path, most):
    """Up to most + 1 bytes of what the file holds."""
    with open(path, "rb") as file:
        if path.suffix == ".xz":
            unpack, broken = read_xz, lzma.LZMAError
        elif file.read(2) == b"\x1f\x8b":
            unpack, broken = read_gzip, (gzip.BadGzipFile, zlib.error)
        else:
            unpack, broken = read_plain, ()
        file.seek(0)
        try:
            return unpack(file, most)
        except EOFError:
            kind = "xz" if unpack is read_xz else "gzip"
            raise ValueError(f"{path}: truncated, the {kind} stream breaks off. "
                             "Get the file again.") from None
        except broken as error:
            raise ValueError(f"{path}: corrupted, {error}. Get the file again.") from None


def read_plain(file, most):
    return file.read(most + 1)


def read_gzip(file, most):
    with gzip.GzipFile(fileobj=file) as stream:
        data = bytearray()
        while len(data) <= most and (block := stream.read(min(BLOCK, most + 1 - len(data)))):
            data += block
        return bytes(data)


def read_xz(file, most):
    data, stream = bytearray(), None
    while len(data) <= most:
        if stream is None or stream.eof:            # a file may hold several streams
            block = (stream.unused_data if stream else b"") or file.read(BLOCK)
            if not block and stream:
                break
            stream = lzma.LZMADecompressor(memlimit=DICTIONARY)
        else:
            block = file.read(BLOCK) if stream.needs_input else b""
        if not block and stream.needs_input:
            raise EOFError
        data += stream.decompress(block, max_length=most + 1 - len(data))
    return bytes(data)
