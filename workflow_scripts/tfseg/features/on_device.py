"""Spectra on a GPU, with the CPU's values to rounding.

NumPy and SciPy are the way on the CPU, where results are the same bytes in every run. What needs
spectra on either takes them from an object of this module's `arrays_on` or `spectrograms_on`.
"""

import numpy as np
import scipy.fft
import torch

from tfseg.features.logmel import Spectrograms


class HostArrays:
    """The few operations of short-time spectra, with NumPy and SciPy."""

    @staticmethod
    def of(values):
        """An array [dtype=float32] of these operations, from one of NumPy."""
        return values

    @staticmethod
    def to_numpy(values):
        """An array of NumPy."""
        return values

    @staticmethod
    def windows(samples, length, hop):
        """Overlapping windows [shape=(n_windows, n_channels, length)] of samples (n, n_channels)."""
        return np.lib.stride_tricks.sliding_window_view(samples, length, axis=0)[::hop]

    @staticmethod
    def rfft(frames):
        """Spectrum of real frames, over their last axis."""
        return scipy.fft.rfft(frames, axis=-1)

    @staticmethod
    def irfft(spectrum, length):
        """Frames of `length` samples of a spectrum, over its last axis."""
        return scipy.fft.irfft(spectrum, n=length, axis=-1)

    @staticmethod
    def pad(values, n, axis):
        """Append `n` zeros along one axis."""
        return np.pad(values, [(0, n if at == axis else 0) for at in range(values.ndim)])


class DeviceArrays:
    """The operations of `HostArrays`, with torch.

    Parameters
    ----------
    device : str or torch.device
    """

    def __init__(self, device):
        self._device = device

    def of(self, values):
        """A tensor on the device, from an array of NumPy."""
        return torch.from_numpy(np.ascontiguousarray(values)).to(self._device)

    @staticmethod
    def to_numpy(values):
        """An array of NumPy."""
        return values.cpu().numpy()

    @staticmethod
    def windows(samples, length, hop):
        """As `HostArrays.windows`."""
        return samples.unfold(0, length, hop)

    @staticmethod
    def rfft(frames):
        """As `HostArrays.rfft`."""
        return torch.fft.rfft(frames, dim=-1)

    @staticmethod
    def irfft(spectrum, length):
        """As `HostArrays.irfft`."""
        return torch.fft.irfft(spectrum, n=length, dim=-1)

    @staticmethod
    def pad(values, n, axis):
        """As `HostArrays.pad`."""
        shape = [n if at == axis else size for at, size in enumerate(values.shape)]
        return torch.cat([values, values.new_zeros(shape)], dim=axis)


class DeviceSpectrograms(Spectrograms):
    """Spectrograms whose spectra are computed, and stay, on a device; mel magnitudes come back.

    Parameters
    ----------
    settings : tfseg.features.logmel.FeatureSettings
    device : str or torch.device
    """

    def __init__(self, settings, device):
        super().__init__(settings)
        self._arrays = DeviceArrays(device)
        self._device_window = self._arrays.of(self._window)
        self._device_filters = self._arrays.of(self.mel_filters.T)

    def complex(self, samples, frames=None):
        """Complex spectrum, as `Spectrograms.complex` gives it, on the device."""
        samples = self._arrays.of(np.asarray(samples, dtype=np.float32))
        windows = samples.unfold(0, self.settings.window_length, self.settings.hop_length)
        if frames is not None:
            windows = windows[frames]
        return self._arrays.rfft(windows * self._device_window)

    def mel(self, spectrum):
        """Mel magnitudes [shape=(n_frames, n_mels), dtype=float32] of a spectrum on the device."""
        return self._arrays.to_numpy(spectrum.abs() @ self._device_filters)


def arrays_on(device):
    """Return the operations for a device: NumPy's on the CPU."""
    return HostArrays() if torch.device(device).type == "cpu" else DeviceArrays(device)


def spectrograms_on(device, settings):
    """Return the spectrograms for a device: those of `tfseg.features.logmel` on the CPU."""
    if torch.device(device).type == "cpu":
        return Spectrograms(settings)
    return DeviceSpectrograms(settings, device)
