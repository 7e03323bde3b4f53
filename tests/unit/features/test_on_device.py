"""Spectra with torch are those of NumPy and SciPy to rounding; torch's CPU stands in for a GPU."""

import numpy as np
import pytest

from tfseg.features.logmel import Spectrograms
from tfseg.features.on_device import (
    DeviceArrays,
    DeviceSpectrograms,
    HostArrays,
    arrays_on,
    spectrograms_on,
)

DEVICE = DeviceArrays("cpu")


@pytest.fixture
def samples():
    return np.random.default_rng(0).normal(0, 0.1, 4000).astype(np.float32)


def test_log_mel_is_the_cpus_to_rounding(tiny_settings, samples):
    host, device = Spectrograms(tiny_settings), DeviceSpectrograms(tiny_settings, "cpu")
    expected = host.logmel(host.complex(samples))
    found = device.logmel(device.complex(samples))
    assert found.dtype == expected.dtype and found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=2e-5)
    some = slice(2, 5)
    np.testing.assert_allclose(
        device.mel(device.complex(samples, some)), host.mel(host.complex(samples))[some], rtol=2e-5
    )


@pytest.mark.parametrize("n_channels", [1, 2])
def test_the_operations_agree(samples, n_channels):
    sound = samples.reshape(-1, n_channels)
    host = HostArrays.windows(sound, 60, 25)
    device = DEVICE.windows(DEVICE.of(sound), 60, 25)
    np.testing.assert_array_equal(DEVICE.to_numpy(device), host)
    spectrum, device_spectrum = HostArrays.rfft(host), DEVICE.rfft(device)
    np.testing.assert_allclose(DEVICE.to_numpy(device_spectrum), spectrum, atol=1e-6)
    frames = DEVICE.to_numpy(DEVICE.irfft(device_spectrum, 60))
    np.testing.assert_allclose(frames, host, atol=1e-6)
    for axis in (0, 2):
        padded = DEVICE.to_numpy(DEVICE.pad(device, 3, axis))
        np.testing.assert_array_equal(padded, HostArrays.pad(host, 3, axis))


def test_the_cpu_takes_numpys_way(tiny_settings):
    assert isinstance(arrays_on("cpu"), HostArrays)
    assert isinstance(arrays_on("cuda:1"), DeviceArrays)
    assert type(spectrograms_on("cpu", tiny_settings)) is Spectrograms
