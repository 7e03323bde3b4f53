"""Conversion between frames and seconds; no other module does it."""

from dataclasses import dataclass

import numpy as np

from tfseg.errors import DataError

# A decimal onset times a rate may be slightly below a whole number (0.29 x 100 = 28.99..); this
# keeps floor from losing a frame or a sample.
_ROUNDING = 1e-6


def samples_in(duration_s, sample_rate):
    """Whole samples in `duration_s` seconds at `sample_rate` Hz."""
    return int(np.floor(duration_s * sample_rate + _ROUNDING))


@dataclass(frozen=True)
class TimeGrid:
    """Frames of a short-time Fourier transform without centre padding.

    Frame ``i`` covers samples ``[i * hop_length, i * hop_length + window_length)``. As in the
    released code, the time of a frame is its start, ``i * hop_length / sample_rate`` seconds. The
    window's centre is half a window later (``docs/explanation/deviations.md``).

    Parameters
    ----------
    sample_rate : int
        Hz.
    window_length, hop_length : int
        Samples.
    """

    sample_rate: int
    window_length: int
    hop_length: int

    @property
    def hop_s(self):
        """Seconds from one frame to the next."""
        return self.hop_length / self.sample_rate

    def n_samples(self, duration_s):
        """Whole samples in `duration_s` seconds."""
        return samples_in(duration_s, self.sample_rate)

    def n_frames(self, n_samples):
        """Number of complete frames in `n_samples` samples (311 for 10 s, TASLP Table I).

        Raises
        ------
        DataError
            When the signal is shorter than one window.
        """
        if n_samples < self.window_length:
            raise DataError(
                f"a signal of {n_samples} samples is shorter than one window of "
                f"{self.window_length} samples"
            )
        return 1 + (n_samples - self.window_length) // self.hop_length

    def n_frames_in(self, duration_s):
        """Number of complete frames in `duration_s` seconds."""
        return self.n_frames(self.n_samples(duration_s))

    def frame_at(self, time_s):
        """Index of the frame at `time_s`, as in the released code: floor(time x rate / hop)."""
        return int(np.floor(time_s * self.sample_rate / self.hop_length + _ROUNDING))

    def time_at(self, frame):
        """Start of a frame in seconds."""
        return frame * self.hop_s

    def active_frames(self, onset_s, offset_s, n_frames):
        """Frames of an event: from its onset's frame to its offset's frame, inclusive.

        Returns
        -------
        frames : slice
            Within ``[0, n_frames)``; empty for an event after the last frame.
        """
        first = min(max(self.frame_at(onset_s), 0), n_frames)
        last = min(self.frame_at(offset_s), n_frames - 1)
        return slice(first, max(last + 1, first))

    def strong_labels(self, events, classes, n_frames):
        """Frame-wise reference of one mixture.

        Parameters
        ----------
        events : iterable of (label, onset_s, offset_s)
        classes : sequence of str
            Labels in column order.
        n_frames : int

        Returns
        -------
        labels : np.ndarray [shape=(n_frames, n_classes), dtype=bool]
        """
        column = {label: k for k, label in enumerate(classes)}
        labels = np.zeros((n_frames, len(classes)), dtype=bool)
        for label, onset_s, offset_s in events:
            labels[self.active_frames(onset_s, offset_s, n_frames), column[label]] = True
        return labels
