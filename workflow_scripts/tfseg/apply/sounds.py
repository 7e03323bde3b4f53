"""Separated sounds of a long recording, at its own rate and with its own channels.

The mask of a class says what share of each time-frequency unit is its own. Masks of several
classes that claim more than all of a unit share it in proportion; what none claims is the rest, so
that the sounds sum to the recording. Spectra, masks and overlap-add are computed where the model is.
"""

import contextlib
from pathlib import Path

import numpy as np
import scipy.fft
from threadpoolctl import threadpool_limits

from tfseg.errors import DataError
from tfseg.features.on_device import arrays_on
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
    device : str or torch.device
        Where sounds are synthesised.

    Raises
    ------
    ConfigError
        When there are samples between the features' windows, which no frame holds.
    """

    def __init__(self, spectrograms, sample_rate, n_feature_frames, device="cpu"):
        self.arrays = arrays_on(device)
        grid = spectrograms.grid
        check_separable(grid)
        ratio = sample_rate / grid.sample_rate
        self.length = grid.window_length
        if sample_rate != grid.sample_rate:
            self.length = scipy.fft.next_fast_len(round(grid.window_length * ratio), real=True)
        self.hop = max(round(self.length * grid.hop_length / grid.window_length), 1)
        self.window = self.arrays.of(np.hamming(self.length).astype(np.float32))
        bins_hz = np.arange(self.length // 2 + 1) * sample_rate / self.length
        self._shares = self.arrays.of(band_shares(spectrograms, bins_hz).astype(np.float32))
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
        masks : array of `arrays` [shape=(n_classes, stop - first, length // 2 + 1), dtype=float32]
            Sum to 1 at most.
        """
        centres = (np.arange(first, stop) * self.hop + self.length / 2) / self._ratio
        position = (centres - self._grid.window_length / 2) / self._grid.hop_length
        position = np.clip(position, 0, self._n_feature_frames - 1)
        below = np.floor(position).astype(int)
        above = np.minimum(below + 1, self._n_feature_frames - 1)
        share = (position - below).astype(np.float32)[:, None]
        mel = []
        for k in classes:
            mask = store.read(k, below[0], above[-1] + 1)
            mel.append((1 - share) * mask[below - below[0]] + share * mask[above - below[0]])
        masks = self.arrays.of(np.stack(mel)) @ self._shares
        return masks / masks.sum(axis=0).clip(min=1)


class _OverlapAdd:
    """Samples of overlapping frames, given out as soon as no later frame reaches them."""

    def __init__(self, spectrum, n_sounds, n_channels):
        self._arrays, self._hop = spectrum.arrays, spectrum.hop
        # Frames are cut into pieces of a hop: piece p of a frame falls on piece 0 of the pth after it.
        self._n_pieces = -(-spectrum.length // spectrum.hop)
        self._n_missing = self._n_pieces * spectrum.hop - spectrum.length
        n_held = self._n_pieces - 1
        zeros = np.zeros((n_sounds, n_held, spectrum.hop, n_channels), dtype=np.float32)
        self._total = self._arrays.of(zeros)
        self._gain = self._arrays.of(np.zeros((1, n_held, spectrum.hop, 1), dtype=np.float32))
        self._squared_window = (spectrum.window**2)[None, None, :, None]

    def _added(self, held, frames, n_frames):
        """Add `n_frames` frames, or as often the only one, to what is held of earlier ones."""
        pieces = self._arrays.pad(frames, self._n_missing, 2)
        pieces = pieces.reshape(*frames.shape[:2], self._n_pieces, self._hop, frames.shape[3])
        total = self._arrays.pad(held, n_frames, 1)
        for piece in range(self._n_pieces - 1, -1, -1):  # in order of the frames
            total[:, piece : piece + n_frames] += pieces[:, :, piece]
        return total

    def add(self, frames):
        """Add frames [shape=(n_sounds, n_frames, length, n_channels)]; take what they finish."""
        n_frames = frames.shape[1]
        total = self._added(self._total, frames, n_frames)
        gain = self._added(self._gain, self._squared_window, n_frames)
        self._total, self._gain = total[:, n_frames:], gain[:, n_frames:]
        finished = total[:, :n_frames] / gain[:, :n_frames]
        return finished.reshape(len(finished), n_frames * self._hop, -1)


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
    arrays, length, hop = spectrum.arrays, spectrum.length, spectrum.hop
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
        windows = arrays.windows(arrays.of(held), length, hop)[: stop - first]
        frames = arrays.rfft(windows * spectrum.window)
        masks = spectrum.bin_masks(store, classes, first, stop)[:, :, None]
        separated = arrays.irfft(masks * frames, length) * spectrum.window
        sounds = arrays.to_numpy(sums.add(separated.swapaxes(2, 3)))
        n_out = min((stop - first) * hop, n_samples - first * hop)
        sounds, held_part = sounds[:, :n_out], held[:n_out]
        yield [*sounds, held_part - sounds.sum(axis=0)]
        held = held[(stop - first) * hop :]
