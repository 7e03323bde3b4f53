"""Wav files chunk by chunk, as recorders and editors write them and no library would."""

import struct

import numpy as np

PCM, FLOAT, MP3, AC3, EXTENSIBLE = 1, 3, 0x55, 0x2000, 0xFFFE
# The second half of the identifier of every format that an extensible header names.
_GUID = bytes.fromhex("000000001000800000aa00389b71")


def chunk(name, data, pad=b"\0"):
    """A chunk; one of odd length is followed by a byte that its size does not count."""
    return name + struct.pack("<I", len(data)) + data + (pad if len(data) % 2 else b"")


def wav(*chunks):
    """A whole file."""
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def form(tag, n_channels, rate, bits, more=b""):
    """The chunk ``fmt``."""
    frame = n_channels * bits // 8
    values = (tag, n_channels, rate, rate * frame, frame, bits)
    return chunk(b"fmt ", struct.pack("<HHIIHH", *values) + more)


def extensible(n_channels, rate, bits, *, valid_bits, speakers=0, tag=PCM):
    """The chunk ``fmt`` as many field recorders write it."""
    more = struct.pack("<HHIH", 22, valid_bits, speakers, tag) + _GUID
    return form(EXTENSIBLE, n_channels, rate, bits, more)


def pcm(samples, bits):
    """Samples as 16 or 24 bits, channels interleaved [shape=(n,) or (n, n_channels), within 1]."""
    values = np.round(np.asarray(samples).reshape(-1) * (2 ** (bits - 1) - 1)).astype("<i4")
    return values.view(np.uint8).reshape(-1, 4)[:, : bits // 8].tobytes()
