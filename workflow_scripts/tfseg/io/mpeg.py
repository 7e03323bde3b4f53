"""Counting the frames of an mp3 file. Decoders guess its length from the first one."""

import struct
from dataclasses import dataclass

_VERSION_1 = 3
_LAYER_1, _LAYER_3 = 3, 1
# kbit/s by (version 1, layer), as ISO 11172-3 and 13818-3 have them; 0: free format
_BITRATES = {
    (True, 3): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 1): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 3): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 1): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # by version
_MOST_JUNK, _BLOCK = 1 << 20, 1 << 16


@dataclass(frozen=True)
class MpegFrames:
    """The frames of an mp3 file.

    Attributes
    ----------
    start : int
        Byte at which the first frame of sound begins.
    header : bytes
        Of that frame.
    sample_rate : int
        Hz.
    samples_per_frame : int
    n_frames : int
        Counted.
    stated : int or None
        Number that the file's own count (its Xing, Info or VBRI frame) states.
    """

    start: int
    header: bytes
    sample_rate: int
    samples_per_frame: int
    n_frames: int
    stated: int | None


def _parse(head):
    """Version, layer, sample rate, length in bytes and samples of a frame; None: no header."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 0 or bitrate in (0, 15) or rate == 3:
        return None
    sample_rate = _RATES[version][rate]
    bits = 1000 * _BITRATES[version == _VERSION_1, layer][bitrate]
    padding = head[2] >> 1 & 1
    if layer == _LAYER_1:
        return version, layer, sample_rate, (12 * bits // sample_rate + padding) * 4, 384
    n_samples = 576 if layer == _LAYER_3 and version != _VERSION_1 else 1152
    return version, layer, sample_rate, n_samples // 8 * bits // sample_rate + padding, n_samples


def after_id3(head):
    """Where the sound begins behind an ID3v2 tag, from the first 10 bytes of a file; 0: no tag."""
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    return 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9])


def _header_at(stream, place, like):
    """What `_parse` says of the bytes at a place, where they are a header like another one."""
    stream.seek(place)
    found = _parse(stream.read(4))
    return found if found and (like is None or found[:3] == like[:3]) else None


def _next_frame(stream, place, like):
    """The next place at which a frame begins, and what `_parse` says of it; None: there is none.

    After other bytes than a frame, two frames in a row are needed to believe the first.
    """
    found = _header_at(stream, place, like)
    if found:
        return place, found
    last = place + _MOST_JUNK
    while place < last:
        stream.seek(place)
        block, at = stream.read(_BLOCK), 0
        while (at := block.find(b"\xff", at + 1)) >= 0:
            found = _header_at(stream, place + at, like)
            if found and _header_at(stream, place + at + found[3], found):
                return place + at, found
        if len(block) < 2:
            return None
        place += len(block) - 1
    return None


def _stated_frames(frame, version):
    """Number of frames that the Xing, Info or VBRI frame of a file states; None: it is none."""
    is_mono = frame[3] >> 6 == 3
    side = {(True, False): 32, (True, True): 17, (False, False): 17, (False, True): 9}
    tag = frame[4 + side[version == _VERSION_1, is_mono] :]
    if tag[:4] in (b"Xing", b"Info") and len(tag) >= 12:
        flags, number = struct.unpack(">II", tag[4:12])
        return number if flags & 1 else None
    if frame[36:40] == b"VBRI" and len(frame) >= 54:
        return struct.unpack(">I", frame[50:54])[0]
    return None


def count_frames(path):
    """Count the frames of an mp3 file; None where it is no file of whole frames.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    frames : MpegFrames or None
    """
    with open(path, "rb", buffering=_BLOCK) as stream:
        end = stream.seek(0, 2)
        stream.seek(0)
        first = _next_frame(stream, after_id3(stream.read(10)), None)
        if first is None:
            return None
        place, like = first
        stream.seek(place)
        stated, n_frames = _stated_frames(stream.read(like[3]), like[0]), 0
        start = place = place if stated is None else place + like[3]
        while (found := _next_frame(stream, place, like)) is not None:
            place, frame = found
            if place + frame[3] > end:
                break  # cut off
            n_frames += 1
            place += frame[3]
        stream.seek(start)
        header = stream.read(4)
    if not n_frames:
        return None
    return MpegFrames(start, header, like[2], like[4], n_frames, stated)


def counted_head(frames):
    """A Xing frame that states the counted number of frames, to stand before them.

    Parameters
    ----------
    frames : MpegFrames

    Returns
    -------
    frame : bytes
    """
    version, mono = frames.header[1] >> 3 & 3, frames.header[3] >> 6 == 3
    # Of a bitrate that leaves room, without padding and without a check sum.
    header = bytes([0xFF, frames.header[1] | 1, 0x90 | frames.header[2] & 0x0C, frames.header[3]])
    side = (17 if mono else 32) if version == _VERSION_1 else (9 if mono else 17)
    length = _parse(header)[3]
    return (header + bytes(side) + b"Xing" + struct.pack(">II", 1, frames.n_frames)).ljust(
        length, b"\0"
    )
