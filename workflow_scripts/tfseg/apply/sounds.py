"""Separated sounds of a long recording, at its own rate and with its own channels.

The mask of a class says what share of each time-frequency unit is its own. Masks of several
classes that claim more than all of a unit share it in proportion; what none claims is the rest, so
that the sounds sum to the recording.
"""

import contextlib
from pathlib import Path

import numpy as np
import scipy.fft
from threadpoolctl import threadpool_limits

from tfseg.errors import DataError
from tfseg.io.audio import writing_float_wav
from tfseg.io.opening import open_sound
from tfseg.separation.masking import band_shares, check_separable

_BLOCK_FRAMES = 128
_BLOCK_VALUES = 1 << 23  # of all sounds of a block together, at most
REST = "rest"


class MaskedSpectrum:
    """The frames of a recording at its own rate, and the masks of a model on them.

    A frame lasts as long as the features' (a little longer, where that makes the Fourier transform
    fast). Masks are interpolated linearly between the centres of the features' frames and bands;
    at the features' own rate that changes nothing.

    Parameters
    ----------
    spectrograms : tfseg.features.logmel.Spectrograms
        Of the model.
    sample_rate : int
        Hz, of the recording.
    n_feature_frames : int
        Of the whole recording.

    Raises
    ------
    ConfigError
        When there are samples between the features' windows, which no frame holds.
    """

    def __init__(self, spectrograms, sample_rate, n_feature_frames):
        grid = spectrograms.grid
        check_separable(grid)
        ratio = sample_rate / grid.sample_rate
        self.length = grid.window_length
        if sample_rate != grid.sample_rate:
            self.length = scipy.fft.next_fast_len(round(grid.window_length * ratio), real=True)
        self.hop = max(round(self.length * grid.hop_length / grid.window_length), 1)
        self.window = np.hamming(self.length).astype(np.float32)
        bins_hz = np.arange(self.length // 2 + 1) * sample_rate / self.length
        self._shares = band_shares(spectrograms, bins_hz).astype(np.float32)
        self._grid, self._ratio, self._n_feature_frames = grid, ratio, n_feature_frames

    def bin_masks(self, store, classes, first, stop):
        """Masks of some classes on frames ``first .. stop - 1``.

        Parameters
        ----------
        store : tfseg.apply.masks.MaskStore
        classes : sequence of int
        first, stop : int

        Returns
        -------
        masks : np.ndarray [shape=(n_classes, stop - first, length // 2 + 1), dtype=float32]
            Sum to 1 at most.
        """
        centres = (np.arange(first, stop) * self.hop + self.length / 2) / self._ratio
        position = (centres - self._grid.window_length / 2) / self._grid.hop_length
        position = np.clip(position, 0, self._n_feature_frames - 1)
        below = np.floor(position).astype(int)
        above = np.minimum(below + 1, self._n_feature_frames - 1)
        share = (position - below).astype(np.float32)[:, None]
        masks = []
        for k in classes:
            mask = store.read(k, below[0], above[-1] + 1)
            mel = (1 - share) * mask[below - below[0]] + share * mask[above - below[0]]
            masks.append(mel @ self._shares)
        stacked = np.stack(masks)
        return stacked / np.maximum(stacked.sum(axis=0), 1)


class _OverlapAdd:
    """Samples of overlapping frames, given out as soon as no later frame reaches them."""

    def __init__(self, spectrum, n_sounds, n_channels):
        self._spectrum = spectrum
        self._total = np.zeros((n_sounds, spectrum.length, n_channels), dtype=np.float32)
        self._gain = np.zeros(spectrum.length, dtype=np.float32)

    def add(self, frames):
        """Add frames [shape=(n_sounds, n_frames, length, n_channels)]; take what they finish."""
        length, hop, n_frames = self._spectrum.length, self._spectrum.hop, frames.shape[1]
        grown = n_frames * hop
        self._total = np.pad(self._total, ((0, 0), (0, grown), (0, 0)))
        self._gain = np.pad(self._gain, (0, grown))
        for index in range(n_frames):
            part = slice(index * hop, index * hop + length)
            self._total[:, part] += frames[:, index]
            self._gain[part] += self._spectrum.window**2
        finished = self._total[:, :grown] / self._gain[:grown, None]
        self._total, self._gain = self._total[:, grown:], self._gain[grown:]
        return finished


def separate_recording(
    path, folder, store, classes, spectrum, *, n_samples, progress=lambda items: items
):
    """Write the sound of each class, and the rest, as wav files of 32-bit floats.

    Parameters
    ----------
    path : path-like
        The recording, of any rate, channel count and length.
    folder : path-like
        Where the files appear. It must exist.
    store : tfseg.apply.masks.MaskStore
    classes : dict of str to int
        File name (without ending) of each class to separate, and its number in `store`.
    spectrum : MaskedSpectrum
    n_samples : int
        Of the recording, counted (`tfseg.io.measuring.measure`).
    progress : callable
        Wraps the iterable of blocks.

    Returns
    -------
    paths : dict of str to Path
        By the names of `classes`, and `REST`.

    Raises
    ------
    DataError
        When the recording ends earlier.
    """
    names = [*classes, REST]
    with open_sound(path) as source:
        shape = (source.sample_rate, source.channels, n_samples)
        paths = {name: Path(folder) / f"{name}.wav" for name in names}
        with contextlib.ExitStack() as stack:
            # Last bits of a matrix product depend on the number of threads: a command and a job
            # that have different ones write the same bytes.
            stack.enter_context(threadpool_limits(1, user_api="blas"))
            files = [
                stack.enter_context(writing_float_wav(path, *shape)) for path in paths.values()
            ]
            blocks = _separated_blocks(
                source, n_samples, store, list(classes.values()), spectrum, progress
            )
            for block in blocks:
                for file, samples in zip(files, block, strict=True):
                    file.write(samples)
    return paths


def _separated_blocks(source, n_samples, store, classes, spectrum, progress):
    """Yield the sounds [shape=(n_classes + 1, n, n_channels)] of successive stretches."""
    length, hop = spectrum.length, spectrum.hop
    n_channels = source.channels
    n_frames = -(-n_samples // hop)
    n_block = min(_BLOCK_FRAMES, max(_BLOCK_VALUES // (len(classes) * n_channels * length), 1))
    held = np.zeros((0, n_channels), dtype=np.float32)
    n_read, sums = 0, _OverlapAdd(spectrum, len(classes), n_channels)
    for first in progress(range(0, n_frames, n_block)):
        stop = min(first + n_block, n_frames)
        wanted = (stop - 1) * hop + length - first * hop - len(held)
        samples = source.read(min(wanted, n_samples - n_read))
        n_read += len(samples)
        if len(samples) < wanted and n_read < n_samples:
            raise DataError(
                f"{source.path}: it ends {n_samples - n_read} samples earlier than it did before"
            )
        held = np.concatenate([held, samples])
        held = np.pad(held, ((0, max((stop - 1 - first) * hop + length - len(held), 0)), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(held, length, axis=0)[::hop]
        frames = scipy.fft.rfft(windows[: stop - first] * spectrum.window, axis=-1)
        masks = spectrum.bin_masks(store, classes, first, stop)[:, :, None]
        separated = scipy.fft.irfft(masks * frames, n=length, axis=-1) * spectrum.window
        sounds = sums.add(separated.swapaxes(2, 3))
        n_out = min((stop - first) * hop, n_samples - first * hop)
        sounds, held_part = sounds[:, :n_out], held[:n_out]
        yield [*sounds, held_part - sounds.sum(axis=0)]
        held = held[(stop - first) * hop :]
