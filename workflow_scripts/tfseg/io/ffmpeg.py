"""Sound of files that libsndfile does not read, through the program ffmpeg where it is installed."""

import contextlib
import os
import shutil
import struct
import subprocess
import tempfile
from typing import IO

import numpy as np

from tfseg.errors import UnreadableSoundError

REMEDY = (
    "Install ffmpeg (it has to be on the PATH), or convert the file where ffmpeg is: ffmpeg -i IN "
    "OUT.wav"
)
# Of files alone, no playlists and no devices: a sound file leads nowhere else.
_DEMUXERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dts,eac3,flac,flv,gsm,iff,matroska,mov,mp3,mpc,mpc8,mpeg,"
    "mpegts,ogg,oma,qcp,rm,shn,tak,tta,w64,wav,wv"
)
_AU_HEADER = 24
_AU_FLOAT = 6
_SHOWN = 300


def is_there():
    """Whether the program is on the PATH."""
    return shutil.which("ffmpeg") is not None


class FfmpegStream:
    """The first sound track of a file as ffmpeg decodes it, in order, without a copy on disk.

    The file is read by the `file` protocol alone, so that nothing in it leads elsewhere.

    Attributes
    ----------
    sample_rate : int
        Hz, the track's own.
    channels : int
    complaints : str
        What ffmpeg said about the file; complete when `read` has given nothing.

    Raises
    ------
    UnreadableSoundError
        When ffmpeg finds no sound, or ends with an error; it says what ffmpeg said.
    """

    def __init__(self, path):
        self._path, self.complaints = path, ""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115, `close` closes it
        # AU: the simplest header that tells rate and channels, and no length.
        self._process = subprocess.Popen(
            [
                "ffmpeg", "-nostdin", "-hide_banner", "-v", "error",
                "-protocol_whitelist", "file", "-format_whitelist", _DEMUXERS,
                "-i", b"file:" + os.fsencode(path),
                "-map", "0:a:0", "-c:a", "pcm_f32be", "-f", "au", "pipe:1",
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._errors,
        )  # fmt: skip
        self._samples: IO[bytes] = self._process.stdout  # type: ignore[assignment]
        try:
            head = self._samples.read(_AU_HEADER)
            if len(head) < _AU_HEADER:
                self._end()
                raise UnreadableSoundError(path, "ffmpeg finds no sound in it")
            name, start, _, encoding, self.sample_rate, self.channels = struct.unpack(
                ">4sIIIII", head
            )
            if name != b".snd" or encoding != _AU_FLOAT or not self.channels:
                raise UnreadableSoundError(path, f"expected floats from ffmpeg, found {head!r}")
            self._samples.read(start - _AU_HEADER)
        except BaseException:
            self.close()
            raise

    def _end(self):
        status = self._process.wait()
        self._errors.seek(max(self._errors.seek(0, os.SEEK_END) - (1 << 16), 0))
        text = self._errors.read().decode("utf-8", errors="replace")
        said = " ".join(line.strip() for line in text.splitlines() if line.strip())
        self.complaints = said.replace(f"file:{self._path}: ", "")[:_SHOWN]
        if status:
            raise UnreadableSoundError(
                self._path, f"ffmpeg ended with status {status}: {self.complaints}"
            )

    def read(self, n):
        """Read the next `n` samples [shape=(n, channels), dtype=float32]; fewer at the end."""
        size = 4 * self.channels
        content = self._samples.read(n * size)
        if len(content) < n * size and self._process.returncode is None:
            self._end()
        values = np.frombuffer(content, dtype=">f4", count=len(content) // size * self.channels)
        return values.astype(np.float32).reshape(-1, self.channels)

    def close(self):
        """End the program if it still runs."""
        self._samples.close()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        self._errors.close()
