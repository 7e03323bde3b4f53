"""Opening any sound file: which program reads it, and what its header gets wrong.

libsndfile reads what it knows; ffmpeg, where it is installed, the sound of phones and videos.
Lengths are counted by whoever reads to the end: what a header states is kept beside it.
"""

import contextlib
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import soundfile

from tfseg.errors import UnreadableSoundError
from tfseg.io import ffmpeg, headers, mpeg
from tfseg.io.sound_files import OTHER_ENDINGS, content_kind, pointer_text

_BLOCK = 1 << 18
_LEFT_OUT_S = 1.0  # more than the notes that some programs hang behind the samples
_RESCUE = "What is there may be rescued with ffmpeg -i IN OUT.wav"
_FRAMES_OFF = 3  # of mp3: encoders add so much at the ends, and decoders cut it off again

# What libsndfile reads; of some it does not read every codec, and ffmpeg does.
_OF_LIBSNDFILE = {
    "AIFF", "AU", "CAF", "FLAC", "MP3", "NIST", "Ogg", "RF64", "VOC", "W64", "WAV", None
}  # fmt: skip
_OF_BOTH = {"CAF", "MP3", "Ogg"}


@dataclass(frozen=True)
class Fault:
    """Something that is not as it should be with a recording.

    Attributes
    ----------
    problem : str
        One of ``corpus_report.csv``.
    expected, found : str
    """

    problem: str
    expected: str
    found: str

    def __str__(self):
        problem = self.problem.replace("_", " ")
        return f"{problem}: expected {self.expected}, found {self.found}"


class _InOrder(soundfile.SoundFile):
    """Reads in order to the end. Seeking after each read, as soundfile does, fails at some ends."""

    def seekable(self):
        """Say no, so that nothing is sought unless `seek` is called."""
        return False


class SoundStream:
    """A recording that is read in order.

    Parameters
    ----------
    path : path-like

    Attributes
    ----------
    sample_rate : int
        Hz.
    channels : int
    n_stated : int or None
        Samples that the file has, as its header states or its bytes tell; None: nobody knows yet.
    faults : list of Fault
        What the header gets wrong: ``truncated``, ``unfinished_header``. What ffmpeg finds
        (``damaged``) is added when the end was read.

    Raises
    ------
    UnreadableSoundError
        When it cannot be opened or read; it says why.
    """

    def __init__(self, path):
        self.path, self.faults, self.n_stated = path, [], None
        self._ffmpeg: Any = None
        self._file: Any = None
        self._virtual: Any = None
        try:
            # Opened here first, for an error that says more than libsndfile's.
            pointer = pointer_text(path)
            if pointer is not None:
                raise UnreadableSoundError(path, f"it is {pointer}")
            kind = content_kind(path)
            if kind not in _OF_LIBSNDFILE:
                self._open_by_ffmpeg(f"it is {kind}, which libsndfile does not read")
                return
            samples = headers.find_samples(path)
            self._note_cut(samples)
            try:
                self._open_by_libsndfile(kind, samples)
            except soundfile.LibsndfileError as error:
                self.close()
                ending = os.path.splitext(path)[1].lower()
                if not (kind in _OF_BOTH or (kind is None and ending in OTHER_ENDINGS)):
                    raise UnreadableSoundError(path, error.error_string) from None
                self._open_by_ffmpeg(f"libsndfile does not read it ({error.error_string})")
        except OSError as error:
            raise UnreadableSoundError(path, error.strerror or error) from None

    def _open_by_ffmpeg(self, why):
        if not ffmpeg.is_there():
            raise UnreadableSoundError(
                self.path, f"{why}, and ffmpeg is not there. {ffmpeg.REMEDY}"
            )
        self._ffmpeg = ffmpeg.FfmpegStream(self.path)
        self.sample_rate, self.channels = self._ffmpeg.sample_rate, self._ffmpeg.channels

    def _note_cut(self, samples):
        """Note that a file was cut off, whichever program reads what is left."""
        if samples is not None and samples.stated is not None:
            stated, available = samples.stated, samples.available
            if stated > available:
                self.faults.append(
                    Fault(
                        "truncated",
                        f"{stated} bytes of samples, as its header says",
                        f"{available} bytes",
                    )
                )
        if headers.ends_without_last_page(self.path):
            self.faults.append(Fault("truncated", "an Ogg file with its last page", "none"))

    def _open_by_libsndfile(self, kind, samples):
        counted = None
        if kind == "MP3":
            counted = mpeg.count_frames(self.path)
        if samples is not None and samples.stated is None:
            self._virtual = headers.until_the_end(self.path, samples)
        try:
            self._file = _InOrder(self._virtual or os.fsencode(self.path))
        except TypeError:
            raise UnreadableSoundError(
                self.path, "it is of samples without a header; convert it to wav"
            ) from None
        self.sample_rate, self.channels = self._file.samplerate, self._file.channels
        if counted is not None:
            self._count(counted)
        if samples is not None:
            self._compare(samples)
        if not headers.is_flac_of_unknown_length(self.path):
            self.n_stated = self._file.frames

    def _compare(self, samples):
        """Where the header leaves the length open or states too little, read to the end, and say so."""
        stated, available = samples.stated, samples.available
        if stated is None:
            if available:
                self.faults.append(
                    Fault(
                        "unfinished_header",
                        "a header that states the length",
                        f"none; the {available} bytes up to the end of the file are read",
                    )
                )
        elif samples.n_behind * self._file.frames > stated * self.sample_rate * _LEFT_OUT_S:
            virtual = headers.until_the_end(self.path, samples)
            if virtual is not None:
                self._file.close()
                self._virtual, self._file = virtual, _InOrder(virtual)
                self.faults.append(
                    Fault(
                        "unfinished_header",
                        f"{stated} bytes of samples, as its header says",
                        f"{available} bytes; they are read up to the end of the file",
                    )
                )

    def _count(self, frames):
        """Give libsndfile the counted length of an mp3 file where it guesses another one."""
        n_counted = frames.n_frames * frames.samples_per_frame
        if abs(self._file.frames - n_counted) <= _FRAMES_OFF * frames.samples_per_frame:
            return
        if frames.stated is not None and frames.stated > frames.n_frames:
            return  # cut off: what is missing shows at the end
        self._file.close()
        self._virtual = headers.Spliced(mpeg.counted_head(frames), self.path, frames.start)
        self._file = _InOrder(self._virtual)
        if abs(self._file.frames - n_counted) > _FRAMES_OFF * frames.samples_per_frame:
            raise UnreadableSoundError(
                self.path,
                f"{n_counted / frames.sample_rate:.3f} s of sound were counted in it, and "
                f"{self._file.frames / self.sample_rate:.3f} s can be decoded. {_RESCUE}",
            )

    def read(self, n):
        """Read the next `n` samples [shape=(n, channels), dtype=float32]; fewer at the end."""
        if self._ffmpeg is not None:
            samples = self._ffmpeg.read(n)
            if len(samples) < n and self._ffmpeg.complaints and not self.faults:
                self.faults.append(
                    Fault(
                        "damaged",
                        "a file that ffmpeg decodes without an error",
                        self._ffmpeg.complaints,
                    )
                )
            return samples
        try:
            return self._file.read(n, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            why = f"it is damaged or was cut off ({error.error_string}). {_RESCUE}"
            raise UnreadableSoundError(self.path, why) from None

    def skip(self, n):
        """Leave out the first `n` samples, or what there is of them; return their number."""
        if self.n_stated is not None:
            n = min(n, self.n_stated)
            if n:  # where a header lies, seeking to the start leads somewhere else
                try:
                    self._file.seek(n)
                except soundfile.LibsndfileError as error:
                    raise UnreadableSoundError(self.path, error.error_string) from None
            return n
        n_left = n
        while n_left and (n_read := len(self.read(min(n_left, _BLOCK)))):
            n_left -= n_read
        return n - n_left

    def close(self):
        """Close the file."""
        for opened in (self._ffmpeg, self._file, self._virtual):
            if opened is not None:
                opened.close()


@contextlib.contextmanager
def open_sound(path):
    """Open a recording; see `SoundStream`."""
    stream = SoundStream(path)
    try:
        yield stream
    finally:
        stream.close()


def read_all(path):
    """All samples of a recording [shape=(n,) for one channel, else (n, channels), dtype=float32]."""
    with open_sound(path) as sound:
        pieces = []
        while len(piece := sound.read(_BLOCK)) or not pieces:
            pieces.append(piece)
    samples = np.concatenate(pieces)
    return samples[:, 0] if samples.shape[1] == 1 else samples
