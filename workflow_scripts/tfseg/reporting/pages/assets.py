"""Images and sounds of a page: embedded in the page, or in files beside it."""

import base64
import io
import re
from pathlib import Path
from urllib.parse import quote

import matplotlib as mpl
import numpy as np
import soundfile
from PIL import Image

from tfseg.io.files import whole_file

# Orange over grey is distinguishable with any colour blindness. The page shows the log-mel
# spectrogram in grey under a mask.
MASK_RGB = (255, 128, 0)
_LEVEL_MAP = "viridis"
_FULL_SCALE = 32767 / 32768  # the largest sample of 16 bit


def _png(indices, palette, alpha=None):
    """Encode a PNG with one byte per pixel: palette entries, bands upwards, frames to the right."""
    image = Image.fromarray(np.ascontiguousarray(indices.T[::-1]), mode="P")
    image.putpalette(palette.astype(np.uint8).tobytes())
    stream = io.BytesIO()
    transparency = {} if alpha is None else {"transparency": alpha.astype(np.uint8).tobytes()}
    image.save(stream, "PNG", optimize=True, **transparency)
    return stream.getvalue()


def logmel_png(logmel, low, high):
    """Draw a log-mel spectrogram in viridis, a pixel per unit.

    Parameters
    ----------
    logmel : np.ndarray [shape=(n_frames, n_mels)]
    low, high : float
        Values of the darkest and of the brightest colour.

    Returns
    -------
    png : bytes
    """
    scaled = (logmel - low) / max(high - low, 1e-9)
    indices = np.round(255 * np.clip(scaled, 0, 1)).astype(np.uint8)
    palette = np.round(255 * mpl.colormaps[_LEVEL_MAP](np.arange(256))[:, :3])
    return _png(indices, palette)


def mask_png(mask):
    """Draw a mask in one colour whose opacity is the mask's value, a pixel per unit.

    Parameters
    ----------
    mask : np.ndarray [shape=(n_frames, n_mels), values in 0..1]

    Returns
    -------
    png : bytes
    """
    indices = np.round(255 * np.clip(mask, 0, 1)).astype(np.uint8)
    return _png(indices, np.tile(MASK_RGB, (256, 1)), alpha=np.arange(256))


def flac(samples, sample_rate):
    """Encode a sound as 16-bit FLAC.

    If it would clip, it is scaled so that its peak is full scale.

    Parameters
    ----------
    samples : np.ndarray [shape=(n_samples,) or (n_samples, n_channels)]
    sample_rate : int
        Hz.

    Returns
    -------
    flac : bytes
    """
    peak = np.max(np.abs(samples), initial=0.0)
    if peak > _FULL_SCALE:
        samples = samples * (_FULL_SCALE / peak)
    stream = io.BytesIO()
    soundfile.write(stream, samples, sample_rate, format="FLAC", subtype="PCM_16")
    return stream.getvalue()


class _Assets:
    """Base class: stores an image or sound and returns its address for the page."""

    def _url(self, name, content, media_type, ending):
        raise NotImplementedError

    def image(self, name, png):
        """Store a PNG and return its address.

        Parameters
        ----------
        name : str
            Content of the image; part of a file's name.
        png : bytes

        Returns
        -------
        url : str
        """
        return self._url(name, png, "image/png", "png")

    def sound(self, name, samples, sample_rate):
        """Store a sound, encoded by `flac`, and return its address.

        Parameters
        ----------
        name : str
            Content of the sound; part of a file's name.
        samples : np.ndarray [shape=(n_samples,) or (n_samples, n_channels)]
        sample_rate : int
            Hz.

        Returns
        -------
        url : str
        """
        return self._url(name, flac(samples, sample_rate), "audio/flac", "flac")


class Embedded(_Assets):
    """Embed images and sounds in the page (``data:`` addresses)."""

    def _url(self, name, content, media_type, ending):
        return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


class Beside(_Assets):
    """Write images and sounds to files, each whole or not at all.

    Parameters
    ----------
    folder : path-like
        Folder of the files.
    relative : str
        The same folder, relative to the page.
    """

    def __init__(self, folder, relative):
        self._folder, self._relative, self._n_files = Path(folder), relative, 0

    def _url(self, name, content, media_type, ending):
        # Numbered, since class names may differ only in characters that file names cannot contain.
        self._n_files += 1
        plain = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:60]
        file_name = f"{self._n_files:04d}-{plain}.{ending}"
        with whole_file(self._folder / file_name) as path:
            Path(path).write_bytes(content)
        return quote(f"{self._relative}/{file_name}")
