"""What the header of a sound file states of its length, and what there is; headers set right.

libsndfile reads what there is of a wav, AIFF or AU file that was cut off, and does not say so. Of
one whose header was never finished it reads nothing.
"""

import io
import os
import struct
from dataclasses import dataclass

# What a writer puts there that did not know the length yet (a pipe): 0, or the largest numbers.
_UNKNOWN_32, _UNKNOWN_64 = 0x7FFFF000, 0x7FFFFFFFFFFFF000
_MOST_HEADER = 1 << 24
_OGG_HEADER = 27
OGG_PAGE = 1 << 17  # more than a page and its header can have
# The total number of samples in STREAMINFO, the first block of a FLAC file: 36 bits.
_FLAC_TOTAL = slice(21, 26)
_W64_RIFF, _W64_DATA = b"riff\x2e\x91\xcf\x11", b"data\xf3\xac\xd3\x11"


@dataclass(frozen=True)
class SampleBytes:
    """Where the samples of a file lie, in bytes.

    Attributes
    ----------
    start : int
    stated : int or None
        None: the header says that it does not know.
    available : int
        From their start to the end of the file.
    n_behind : int
        Of `available`, those behind the stated end that are no chunk of the format.
    size_places : tuple of int
        Where the sizes stand that tell the length, 4 bytes each.
    byte_order : {"<", ">"}
    """

    start: int
    stated: int | None
    available: int
    n_behind: int = 0
    size_places: tuple[int, ...] = ()
    byte_order: str = "<"


def _chunks(stream, first, header, *, whole=False, even=2):
    """Yield name, stated size, and place of the content of each chunk of a file.

    `whole`: a size counts the chunk's header too.
    """
    stream.seek(first)
    length = struct.calcsize(header)
    while len(head := stream.read(length)) == length:
        name, size = struct.unpack(header, head)
        if whole:
            size -= length
        place = stream.tell()
        yield name, size, place
        if size < 0:
            return
        stream.seek(place + size + -size % even)


def _bytes_behind(stream, place, end, byte_order):
    """Bytes from `place` on that are not a chain of RIFF or IFF chunks to the end of the file."""
    while end - place >= 8:
        stream.seek(place)
        name, size = struct.unpack(f"{byte_order}4sI", stream.read(8))
        if not all(32 <= sign < 127 for sign in name) or place + 8 + size > end:
            return end - place
        place += 8 + size + size % 2
    return 0


def _riff(stream, end, wanted, byte_order):
    for name, size, place in _chunks(stream, 12, f"{byte_order}4sI"):
        if name != wanted:
            continue
        available = end - place
        behind = 0
        if size <= available:
            behind = _bytes_behind(stream, place + size + size % 2, end, byte_order)
        known = size < _UNKNOWN_32 and not (size == 0 and behind)
        return SampleBytes(
            place, size if known else None, available, behind, (4, place - 4), byte_order
        )
    return None


def _rf64(stream, end):
    stated = None
    for name, size, place in _chunks(stream, 12, "<4sI"):
        if name == b"ds64":
            stream.seek(place)
            _, stated = struct.unpack("<QQ", stream.read(16).ljust(16, b"\0"))
        if name == b"data":
            size = size if stated is None else stated
            return SampleBytes(place, size if size < _UNKNOWN_64 else None, end - place)
    return None


def _au(stream, end):
    stream.seek(0)
    start, size = struct.unpack(">4xII", stream.read(12).ljust(12, b"\0"))
    unknown = size >= _UNKNOWN_32 or (size == 0 and end > start)
    return SampleBytes(start, None if unknown else size, end - start, 0, (8,), ">")


def _wide(stream, end, first, header, wanted, extra, **how):
    for name, size, place in _chunks(stream, first, header, **how):
        if name == wanted:
            start = place + extra
            known = 0 <= size < _UNKNOWN_64
            return SampleBytes(start, size - extra if known else None, end - start)
    return None


def find_samples(path):
    """Find where the samples of a wav, AIFF, AU, RF64, CAF or W64 file lie.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    samples : SampleBytes or None
        None for other files, and where there are none.
    """
    with open(path, "rb") as stream:
        end = os.fstat(stream.fileno()).st_size
        head = stream.read(16)
        if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
            return _riff(stream, end, b"data", "<")
        if head[:4] in (b"RF64", b"BW64") and head[8:12] == b"WAVE":
            return _rf64(stream, end)
        if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
            return _riff(stream, end, b"SSND", ">")
        if head[:4] == b".snd":
            return _au(stream, end)
        if head[:4] == b"caff":
            return _wide(stream, end, 8, ">4sq", b"data", 4, even=1)
        if head[:8] == _W64_RIFF:
            return _wide(stream, end, 40, "<8s8xq", _W64_DATA, 0, whole=True, even=8)
    return None


def ends_without_last_page(path):
    """Whether an Ogg file was cut off: its last page is not whole, or not marked as the last."""
    with open(path, "rb") as stream:
        if stream.read(4) != b"OggS":
            return False
        stream.seek(max(stream.seek(0, 2) - OGG_PAGE, 0))
        tail = stream.read()
    page = tail[max(tail.rfind(b"OggS"), 0) :]
    if len(page) <= _OGG_HEADER or not page[5] & 4:
        return True
    n_segments = page[_OGG_HEADER - 1]
    lengths = page[_OGG_HEADER : _OGG_HEADER + n_segments]
    return len(page) < _OGG_HEADER + n_segments + sum(lengths)


def is_flac_of_unknown_length(path):
    """Whether a file is FLAC whose header leaves its length open, as the format allows."""
    with open(path, "rb") as stream:
        head = stream.read(_FLAC_TOTAL.stop)
    total = head[_FLAC_TOTAL]
    return head[:4] == b"fLaC" and len(total) == 5 and not (total[0] & 15 or any(total[1:]))


class Spliced(io.RawIOBase):
    """A file with another beginning, for reading, without a copy of the rest.

    Parameters
    ----------
    head : bytes
        What stands before the rest.
    path : path-like
    rest : int
        Where in the file the rest begins.
    """

    def __init__(self, head, path, rest):
        self._head, self._rest = head, rest
        self._file = open(path, "rb")  # noqa: SIM115, `close` closes it
        self._length = len(head) + os.fstat(self._file.fileno()).st_size - rest
        self._place = 0

    def readable(self):
        """Say that it is for reading."""
        return True

    def seekable(self):
        """Say that it has places."""
        return True

    def tell(self):
        """Place of the next byte."""
        return self._place

    def seek(self, offset, whence=0):
        """Go to a place, as in any file."""
        self._place = max(offset + (0, self._place, self._length)[whence], 0)
        return self._place

    def readinto(self, buffer):
        """Read the next bytes; return their number."""
        if self._place < len(self._head):
            part = self._head[self._place : self._place + len(buffer)]
            buffer[: len(part)] = part
            n_read = len(part)
        else:
            self._file.seek(self._rest + self._place - len(self._head))
            n_read = self._file.readinto(buffer)
        self._place += n_read
        return n_read

    def close(self):
        """Close the file."""
        self._file.close()
        super().close()


def _as_rf64(head, samples):
    """Header of a wav file of more than 4 GiB, whose own fields cannot say so (EBU Tech 3306)."""
    n_riff = len(head) + 36 - 8 + samples.available
    sizes = struct.pack("<4sIQQQI", b"ds64", 28, n_riff, samples.available, 0, 0)
    head = bytearray(b"RF64" + head[4:12] + sizes + head[12:])
    for place in (4, len(head) - 4):
        struct.pack_into("<I", head, place, 0xFFFFFFFF)
    return bytes(head)


def until_the_end(path, samples):
    """Open a file as if its header said that the samples reach to its end; None: it cannot be.

    Parameters
    ----------
    path : path-like
    samples : SampleBytes
    """
    if not samples.size_places or samples.start > _MOST_HEADER:
        return None
    with open(path, "rb") as stream:
        head = bytearray(stream.read(samples.start))
    if head[:4] == b"RIFF" and samples.byte_order == "<" and samples.available > _UNKNOWN_32:
        return Spliced(_as_rf64(head, samples), path, samples.start)
    # A wav or AU file may say "until the end"; an AIFF file has to say how much that is.
    for place in samples.size_places:
        size = 0xFFFFFFFF if samples.byte_order == "<" else samples.available
        if samples.byte_order == ">" and place == 4:
            size += samples.start - 8
        struct.pack_into(f"{samples.byte_order}I", head, place, min(size, 0xFFFFFFFF))
    return Spliced(bytes(head), path, samples.start)
