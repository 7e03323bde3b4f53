"""From masks to waveforms: mixture x mask, with the mixture's phase (TASLP III-D, ICASSP 2018)."""

import numpy as np
import scipy.fft

from tfseg.errors import ConfigError, DataError
from tfseg.features.logmel import Spectrograms


def check_separable(grid):
    """Check that every sample is part of a frame, since sounds are synthesised from frames.

    Raises
    ------
    ConfigError
        When there are samples between the windows.
    """
    if grid.hop_length > grid.window_length:
        raise ConfigError(
            f"separation needs features.hop_length of at most features.window_length "
            f"({grid.window_length} samples), found {grid.hop_length}"
        )


class Separator:
    """Separate a mixture with mel masks, using the mixture's phase.

    There is one frame more than in the features, since those do not cover the last samples of a
    mixture.

    Parameters
    ----------
    settings : tfseg.features.logmel.FeatureSettings

    Raises
    ------
    ConfigError
        When there are samples between the windows, in no frame.
    """

    def __init__(self, settings):
        self._grid = settings.grid
        check_separable(self._grid)
        # Not scaled as in the features, since the scale cancels here.
        self._window = np.hamming(settings.window_length)
        n_bins = settings.window_length // 2 + 1
        bins_hz = np.arange(n_bins) * settings.sample_rate / settings.window_length
        self._weights = band_shares(Spectrograms(settings), bins_hz)

    def spectrum(self, samples):
        """Compute a complex spectrum that covers every sample.

        Parameters
        ----------
        samples : np.ndarray [shape=(n_samples,)]
            At least one window long.

        Returns
        -------
        spectrum : np.ndarray [shape=(n_frames + 1, window_length // 2 + 1), dtype=complex128]
            `n_frames` is the number of feature frames. The last frame extends beyond the end into
            zeros.

        Raises
        ------
        DataError
            When the signal is shorter than one window.
        """
        window_length, hop_length = self._grid.window_length, self._grid.hop_length
        n_frames = self._grid.n_frames(len(samples)) + 1
        padded = np.zeros(self._n_covered(n_frames))
        padded[: len(samples)] = samples
        windows = np.lib.stride_tricks.sliding_window_view(padded, window_length)[::hop_length]
        return scipy.fft.rfft(windows * self._window, axis=-1)

    def to_bins(self, mask):
        """Interpolate a mel mask to the bins and frames of `spectrum`.

        Over frequency it is linear between the centres of the bands, and constant beyond the first
        and the last. The additional frame repeats the last frame's values.

        Parameters
        ----------
        mask : np.ndarray [shape=(n_frames, n_mels)]

        Returns
        -------
        bin_mask : np.ndarray [shape=(n_frames + 1, window_length // 2 + 1), dtype=float64]
        """
        bin_mask = mask @ self._weights
        return np.concatenate([bin_mask, bin_mask[-1:]])

    def separate(self, spectrum, mask, n_samples):
        """Synthesise the waveform of the masked spectrum (inverse STFT by weighted overlap-add).

        Parameters
        ----------
        spectrum : np.ndarray [shape=(n_frames + 1, n_bins)]
            Spectrum of the mixture, from `spectrum`.
        mask : np.ndarray [same shape]
            From `to_bins`. A mask of ones gives the mixture.
        n_samples : int
            Length of the mixture.

        Returns
        -------
        samples : np.ndarray [shape=(n_samples,), dtype=float64]
        """
        frames = scipy.fft.irfft(mask * spectrum, n=self._grid.window_length, axis=-1)
        total = self._overlap_add(frames * self._window)
        # The Hamming window is never zero, so this is not zero either, even at the first sample.
        gain = self._overlap_add(np.broadcast_to(self._window**2, frames.shape))
        return (total / gain)[:n_samples]

    def _n_covered(self, n_frames):
        """Number of samples that `n_frames` frames cover."""
        return (n_frames - 1) * self._grid.hop_length + self._grid.window_length

    def _overlap_add(self, frames):
        total = np.zeros(self._n_covered(len(frames)))
        for index, frame in enumerate(frames):
            onset = index * self._grid.hop_length
            total[onset : onset + len(frame)] += frame
        return total


def separate(samples, masks, settings):
    """Separate a sound with masks, at the sample rate of the features.

    For other sample rates and any length see `tfseg.apply.sounds`.

    Parameters
    ----------
    samples : np.ndarray [shape=(n_samples,)]
        At `settings.sample_rate`.
    masks : dict of str to np.ndarray [shape=(n_frames, n_mels), values in 0..1]
        On the feature frames: as many as the time grid of `settings` has in `samples`.
    settings : tfseg.features.logmel.FeatureSettings
        Settings of the model that made the masks.

    Returns
    -------
    waveforms : dict of str to np.ndarray [shape=(n_samples,), dtype=float64]
        By the names of `masks`.

    Raises
    ------
    DataError
        When the sound is shorter than one window, or a mask has another shape.
    """
    separator = Separator(settings)
    expected = (settings.grid.n_frames(len(samples)), settings.n_mels)
    for name, mask in masks.items():
        if np.shape(mask) != expected:
            raise DataError(f"mask of {name}: expected shape {expected}, found {np.shape(mask)}")
    spectrum = separator.spectrum(samples)
    return {
        name: separator.separate(spectrum, separator.to_bins(mask), len(samples))
        for name, mask in masks.items()
    }


def band_shares(spectrograms, bins_hz):
    """Interpolation weights of mel bands for each frequency, linear between band centres.

    Parameters
    ----------
    spectrograms : tfseg.features.logmel.Spectrograms
    bins_hz : np.ndarray [shape=(n_bins,)]

    Returns
    -------
    shares : np.ndarray [shape=(n_mels, n_bins), dtype=float64]
        The weights of a frequency sum to 1. Below the first centre and above the last, only that
        band has weight.
    """
    # Bands narrower than a bin may be empty or share a centre: leave those out.
    filled = np.flatnonzero(spectrograms.mel_filters.any(axis=1))
    centres_hz, first = np.unique(spectrograms.mel_hz[filled], return_index=True)
    bands = filled[first]
    position = np.interp(bins_hz, centres_hz, np.arange(len(bands)))
    below = position.astype(int)
    above = np.minimum(below + 1, len(bands) - 1)
    share = position - below
    shares = np.zeros((spectrograms.settings.n_mels, len(bins_hz)))
    shares[bands[below], np.arange(len(bins_hz))] = 1 - share
    shares[bands[above], np.arange(len(bins_hz))] += share
    return shares
