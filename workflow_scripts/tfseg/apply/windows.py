"""A long recording as overlapping windows of one training clip's length, and back again.

Windows begin at every half of their length, the last one ends with the recording. Their scores are
averaged where they overlap, each weighted most in its middle, so that a sound across a border is
one sound. Nothing here depends on how much of a recording is read at a time.
"""

from dataclasses import dataclass

import numpy as np

from tfseg.io import audio


@dataclass(frozen=True)
class Window:
    """A stretch of frames.

    Attributes
    ----------
    start : int
        Its first frame.
    frames : np.ndarray [shape=(n_frames, ...)]
    """

    start: int
    frames: np.ndarray


def read_mel(path, measured, spectrograms, *, resampler, block_frames):
    """Read a recording of any rate, channel count and length as mel magnitudes, block by block.

    Parameters
    ----------
    path : path-like
    measured : tfseg.io.measuring.Measured
        Its length is read, and its offset taken out.
    spectrograms : tfseg.features.logmel.Spectrograms
    resampler : str
    block_frames : int
        Frames at a time; no effect on any value.

    Yields
    ------
    mel : np.ndarray [shape=(n_frames, n_mels), dtype=float32]
    extremes : np.ndarray [shape=(n_frames, 2), dtype=float32]
        Least and largest of the samples of each frame.

    Raises
    ------
    DataError
        When the file cannot be read to its end, or holds NaN or infinite samples.
    """
    grid = spectrograms.grid
    blocks = audio.read_blocks(
        path,
        grid.sample_rate,
        resampler=resampler,
        n_block=block_frames * grid.hop_length,
        n_overlap=grid.window_length - grid.hop_length,
        n_least=grid.window_length,
        offset=measured.offset,
        n_samples=measured.n_samples,
    )
    for samples in blocks:
        frames = np.lib.stride_tricks.sliding_window_view(samples, grid.window_length)
        frames = frames[:: grid.hop_length]
        extremes = np.stack([frames.min(axis=1), frames.max(axis=1)], axis=1)
        yield spectrograms.mel(spectrograms.complex(samples)), extremes


def cut_windows(blocks, n_window):
    """Cut blocks of frames into windows that overlap by half.

    Parameters
    ----------
    blocks : iterable of np.ndarray [shape=(n_frames, ...)]
    n_window : int
        Frames of a window, at least 2. A recording of fewer frames is one shorter window.

    Yields
    ------
    window : Window
        In order of their starts; every frame lies in at least one.
    """
    n_hop = n_window // 2
    held, first, start = None, 0, 0
    for block in blocks:
        held = block if held is None else np.concatenate([held, block])
        while start + n_window <= first + len(held):
            yield Window(start, held[start - first : start - first + n_window])
            start += n_hop
        # The last window of the recording may begin up to a window before the newest frame.
        kept = max(min(start, first + len(held) - n_window) - first, 0)
        held, first = held[kept:], first + kept
    n_frames = 0 if held is None else first + len(held)
    covered = start - n_hop + n_window if start else 0
    if held is not None and n_frames > covered:
        last = max(n_frames - n_window, 0)
        yield Window(last, held[last - first :])


def count_windows(n_frames, n_window):
    """Number of windows that `cut_windows` makes of so many frames."""
    n_hop = n_window // 2
    if n_frames <= n_window:
        return 1
    n_regular = 1 + (n_frames - n_window) // n_hop
    return n_regular + ((n_frames - n_window) % n_hop > 0)


def window_weights(n_frames):
    """Weight of each frame of a window: rises to its middle and falls again [dtype=float64]."""
    rising = np.arange(1, n_frames + 1, dtype=np.float64)
    return np.minimum(rising, rising[::-1])


class OverlapAverage:
    """Weighted mean of the values of overlapping windows, in memory that does not grow.

    Parameters
    ----------
    shape : tuple of int
        Of one frame's values.
    """

    def __init__(self, shape):
        self._first = 0
        self._total = np.zeros((0, *shape))
        self._weight = np.zeros(0)

    def add(self, start, values):
        """Add a window's values [shape=(n_frames, *shape)]; `start` never falls behind `finish`."""
        stop = start - self._first + len(values)
        missing = stop - len(self._weight)
        if missing > 0:
            self._total = np.concatenate([self._total, np.zeros((missing, *values.shape[1:]))])
            self._weight = np.concatenate([self._weight, np.zeros(missing)])
        weights = window_weights(len(values))
        part = slice(start - self._first, stop)
        self._weight[part] += weights
        self._total[part] += weights.reshape(-1, *[1] * (values.ndim - 1)) * values

    def finish(self, before=None):
        """Means of the frames not yet taken, up to frame `before` (None: all there are).

        No window that begins before `before` may be added after that.
        """
        n_frames = len(self._weight) if before is None else max(before - self._first, 0)
        weight = self._weight[:n_frames]
        values = self._total[:n_frames] / weight.reshape(-1, *[1] * (self._total.ndim - 1))
        self._total, self._weight = self._total[n_frames:], self._weight[n_frames:]
        self._first += n_frames
        return values
