"""Reading recordings of any format, rate and channel count as mono at one rate; writing wav files."""

import contextlib
import errno
import io
import os
from pathlib import Path

import numpy as np
import soundfile
import soxr

from tfseg.errors import DataError
from tfseg.io.files import whole_file
from tfseg.io.measuring import average_channels
from tfseg.io.opening import open_sound

_MIRRORED_S = 0.01
_CROSS_FADE_S = 0.05
# A wav file's sizes are 32-bit numbers; RF64 is the same file with 64-bit ones behind its header.
_WAV_LIMIT_BYTES = 2**32 - 2**16
_HEADER_BYTES = 256
_BLOCK = 1 << 20


def read_mono(path, sample_rate, *, resampler, start_s=0.0, stop_s=None):
    """Read (part of) a recording as mono at `sample_rate`.

    Channels are averaged before resampling, as released.

    Parameters
    ----------
    path : path-like
    sample_rate : int
        Hz, of the result.
    resampler : {"soxr_hq", "soxr_vhq"}
        Quality of the resampler; pinned by the experiment's config, since it changes the numbers.
    start_s, stop_s : float
        The part to read; `None` reads to the end.

    Returns
    -------
    samples : np.ndarray [shape=(n,), dtype=float32]

    Raises
    ------
    DataError
        When the file is missing, unreadable, empty, or holds NaN or infinite samples.
    """
    with open_sound(path) as sound:
        rate = sound.sample_rate
        first = sound.skip(round(start_s * rate))
        n_left = None if stop_s is None else max(round(stop_s * rate) - first, 0)
        if sound.n_stated is not None:
            there = sound.n_stated - first
            n_left = there if n_left is None else min(n_left, there)
        pieces = [np.zeros((0, sound.channels), dtype=np.float32)]
        while n_left != 0:
            pieces.append(sound.read(_BLOCK if n_left is None else min(n_left, _BLOCK)))
            if len(pieces[-1]) == 0:
                break
            n_left = None if n_left is None else n_left - len(pieces[-1])
    samples = np.concatenate(pieces)
    if len(samples) == 0:
        raise DataError(f"{path}: expected sound from {start_s} s on, found none")
    samples = average_channels(samples)
    if not np.isfinite(samples).all():
        raise DataError(f"{path}: expected finite samples, found NaN or infinity")
    if rate != sample_rate:
        samples = soxr.resample(samples, rate, sample_rate, quality=resampler.removeprefix("soxr_"))
    if len(samples) == 0:
        raise DataError(f"{path}: expected at least one sample at {sample_rate} Hz, found less")
    return samples


def _mono_pieces(path, sample_rate, quality, n_piece, offset, n_samples):
    """Yield a whole recording as mono at `sample_rate`, piece by piece."""
    with open_sound(path) as sound:
        stream = None
        if sound.sample_rate != sample_rate:
            stream = soxr.ResampleStream(
                sound.sample_rate, sample_rate, 1, dtype="float32", quality=quality
            )
        n_expected = sound.n_stated if n_samples is None else n_samples
        n_read, is_last = 0, n_expected == 0
        while not is_last:
            n_wanted = n_piece if n_expected is None else min(n_expected - n_read, n_piece)
            piece = sound.read(n_wanted)
            n_read += len(piece)
            if n_expected is None:
                is_last = len(piece) < n_wanted
            elif len(piece) < n_wanted:
                raise DataError(
                    f"{path}: it ends {n_expected - n_read} samples before its header says"
                )
            else:
                is_last = n_read == n_expected
            piece = average_channels(piece)
            if offset:
                piece -= np.float32(offset)
            if not np.isfinite(piece).all():
                raise DataError(f"{path}: expected finite samples, found NaN or infinity")
            yield piece if stream is None else stream.resample_chunk(piece, last=is_last)


def read_blocks(
    path, sample_rate, *, resampler, n_block, n_overlap, n_least, offset=0.0, n_samples=None
):
    """Read a recording of any length as mono, in overlapping blocks, in constant memory.

    Parameters
    ----------
    path : path-like
    sample_rate : int
        Hz, of the result.
    resampler : {"soxr_hq", "soxr_vhq"}
    n_block, n_overlap : int
        Samples (of the result) from the start of one block to the next, and how far each reaches
        into the next.
    n_least : int
        A block is at least so long: a shorter recording is filled up with zeros, and a shorter
        rest is left out.
    offset : float
        Is taken out of the samples.
    n_samples : int or None
        How many there are to read, at the recording's own rate, where they were counted
        (`tfseg.io.measuring.measure`); None: as many as the header says.

    Yields
    ------
    block : np.ndarray [shape=(n_block + n_overlap,) or less at the end, dtype=float32]

    Raises
    ------
    DataError
        When the file is missing, unreadable, or holds NaN or infinite samples.
    """
    held, first = np.zeros(0, dtype=np.float32), True
    quality = resampler.removeprefix("soxr_")
    for piece in _mono_pieces(path, sample_rate, quality, n_block, offset, n_samples):
        held = np.concatenate([held, piece])
        while len(held) >= n_block + n_overlap:
            yield held[: n_block + n_overlap]
            held, first = held[n_block:], False
    if len(held) >= n_least:
        yield held
    elif first:
        yield np.pad(held, (0, n_least - len(held)))


def _place_of_time(header):
    """Where in a wav file libsndfile notes the time of writing, beside the peak; None: nowhere."""
    place = header[:_HEADER_BYTES].find(b"PEAK")
    return None if place < 0 else place + 12  # behind identifier, size and version


@contextlib.contextmanager
def writing_float_wav(path, sample_rate, n_channels, n_samples):
    """Open a long wav file of 32-bit floats for writing; equal samples give equal bytes.

    Parameters
    ----------
    path : path-like
    sample_rate : int
        Hz.
    n_channels, n_samples : int
        What will be written, in all.

    Yields
    ------
    file : soundfile.SoundFile
        Its ``write`` takes samples [shape=(n, n_channels)].

    Raises
    ------
    OSError
        When the disk is full.
    """
    size = 4 * n_samples * n_channels
    with soundfile.SoundFile(
        str(path),
        "w",
        samplerate=sample_rate,
        channels=n_channels,
        subtype="FLOAT",
        format="WAV" if size < _WAV_LIMIT_BYTES else "RF64",
    ) as file:
        yield file
    # libsndfile does not say what a full disk did to the end of a file.
    if os.path.getsize(path) < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    with open(path, "r+b") as stream:
        place = _place_of_time(stream.read(_HEADER_BYTES))
        if place is not None:
            stream.seek(place)
            stream.write(bytes(4))


def write_wav(path, samples, sample_rate, subtype):
    """Write a wav file, whole or not at all; equal samples give equal bytes.

    Parameters
    ----------
    path : path-like
    samples : np.ndarray [shape=(n,)]
    sample_rate : int
        Hz.
    subtype : {"PCM_16", "FLOAT"}
    """
    # Through memory: libsndfile does not say what a full disk did to the end of a file.
    stream = io.BytesIO()
    soundfile.write(stream, samples, sample_rate, subtype=subtype, format="WAV")
    content = bytearray(stream.getvalue())
    place = _place_of_time(content)
    if place is not None:
        content[place : place + 4] = bytes(4)
    with whole_file(path) as temporary_path:
        Path(temporary_path).write_bytes(content)


def fit_length(samples, n_samples, sample_rate):
    """Cut or extend a scene to a length.

    Longer: cut at its end. Up to 10 ms shorter: its last samples are mirrored. Shorter than that:
    it is played again from its start, joined by an equal-power cross-fade of 50 ms (of half its
    length, if that is less), so that no join clicks.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,), n >= 1]
    n_samples : int
    sample_rate : int

    Returns
    -------
    samples : np.ndarray [shape=(n_samples,), same dtype]
    """
    missing = n_samples - len(samples)
    if missing <= 0:
        return samples[:n_samples]
    if missing <= _MIRRORED_S * sample_rate and missing < len(samples):
        return np.pad(samples, (0, missing), mode="reflect")
    n_fade = min(round(_CROSS_FADE_S * sample_rate), len(samples) // 2)
    period = len(samples) - n_fade
    ramp = np.sin(np.linspace(0, np.pi / 2, n_fade, endpoint=False)).astype(samples.dtype)
    body = samples.copy()
    body[period:] *= np.sqrt(1 - ramp**2)
    fitted = np.zeros(n_samples + len(samples), dtype=samples.dtype)
    fitted[: len(samples)] = body
    body[:n_fade] *= ramp
    for start in range(period, n_samples, period):
        fitted[start : start + len(samples)] += body
    return fitted[:n_samples]
