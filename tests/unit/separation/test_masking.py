import dataclasses

import numpy as np
import pytest
import scipy.signal

from tfseg.errors import ConfigError, DataError
from tfseg.evaluation.bss_eval import score_separation
from tfseg.features.logmel import MixtureSpectra, Spectrograms
from tfseg.mixing.remixing import Stems
from tfseg.separation.masking import Separator

RATE = 8000
GRIDS = [(256, 128), (1024, 528), (2048, 1024), (511, 100), (256, 256)]


@pytest.fixture(scope="module")
def separator(tiny_settings):
    return Separator(tiny_settings)


def _with_grid(settings, window, hop):
    return dataclasses.replace(settings, window_length=window, hop_length=hop)


def _level_db(samples):
    return 10 * np.log10(np.mean(np.square(samples)))


@pytest.mark.parametrize(("window", "hop"), GRIDS)
def test_a_mask_of_ones_gives_the_mixture_to_its_first_and_last_sample(tiny_settings, window, hop):
    separator = Separator(_with_grid(tiny_settings, window, hop))
    rng = np.random.default_rng(0)
    for n_samples in (window, window + 1, window + hop - 1, window + hop, 3 * window + 77, 16000):
        samples = rng.standard_normal(n_samples)
        samples[[0, -1]] = [3, -3]
        spectrum = separator.spectrum(samples)
        found = separator.separate(spectrum, np.ones(spectrum.shape), n_samples)
        assert found.shape == (n_samples,)
        assert found.dtype == np.float64
        # Far below the required -100 dB.
        np.testing.assert_allclose(found, samples, atol=1e-12)


def test_float32_mixtures_come_back_as_they_are(separator):
    samples = np.random.default_rng(0).standard_normal(5000).astype(np.float32)
    spectrum = separator.spectrum(samples)
    found = separator.separate(spectrum, np.ones(spectrum.shape, dtype=np.float32), 5000)
    assert _level_db(found - samples) < _level_db(samples) - 200


@pytest.mark.parametrize(("window", "hop"), GRIDS)
def test_its_frames_are_those_of_the_features_and_one_more(tiny_settings, window, hop):
    settings = _with_grid(tiny_settings, window, hop)
    samples = np.random.default_rng(0).standard_normal(9000)
    spectrum = Separator(settings).spectrum(samples)
    features = Spectrograms(settings).complex(samples)
    assert spectrum.dtype == np.complex128
    assert spectrum.shape == (len(features) + 1, window // 2 + 1)
    scale = np.sqrt(np.sum(np.hamming(window) ** 2))
    np.testing.assert_allclose(spectrum[:-1], scale * features, atol=1e-4 * scale)


def test_a_mixture_shorter_than_a_window_is_refused(separator):
    with pytest.raises(DataError, match="shorter than one window"):
        separator.spectrum(np.ones(255))


def test_gaps_between_the_windows_are_refused(tiny_settings):
    with pytest.raises(ConfigError, match=r"features\.hop_length"):
        Separator(_with_grid(tiny_settings, 256, 257))


def test_complementary_masks_share_the_mixture(separator):
    rng = np.random.default_rng(0)
    samples = rng.standard_normal(5000)
    spectrum = separator.spectrum(samples)
    mask = separator.to_bins(rng.random((len(spectrum) - 1, 13)))
    parts = [separator.separate(spectrum, part, 5000) for part in (mask, 1 - mask)]
    np.testing.assert_allclose(parts[0] + parts[1], samples, atol=1e-12)
    assert all(_level_db(part) > _level_db(samples) - 12 for part in parts)


def test_a_mask_of_zeros_gives_silence(separator):
    spectrum = separator.spectrum(np.ones(5000))
    assert not separator.separate(spectrum, np.zeros(spectrum.shape), 5000).any()


def test_a_mask_below_a_frequency_is_a_low_pass(separator, tiny_settings):
    time_s = np.arange(RATE) / RATE
    low, high = np.sin(2 * np.pi * 500 * time_s), np.sin(2 * np.pi * 3000 * time_s + 1)
    spectrum = separator.spectrum(low + high)
    bands = Spectrograms(tiny_settings).mel_hz < 1500
    mask = separator.to_bins(np.tile(bands, (len(spectrum) - 1, 1)))
    inside = slice(256, -256)  # a tone's sudden start has all frequencies
    kept = separator.separate(spectrum, mask, RATE)
    assert _level_db((kept - low)[inside]) < _level_db(low) - 40
    dropped = separator.separate(spectrum, 1 - mask, RATE)
    assert _level_db((dropped - high)[inside]) < _level_db(high) - 40


def test_a_mask_in_time_is_a_gate(separator):
    samples = np.random.default_rng(0).standard_normal(5000)
    spectrum = separator.spectrum(samples)
    mask = np.zeros((len(spectrum) - 1, 13))
    mask[10:20] = 1
    found = separator.separate(spectrum, separator.to_bins(mask), 5000)
    first, stop = 10 * 128, 19 * 128 + 256
    assert not found[:first].any()
    assert not found[stop:].any()
    inner = slice(first + 128, stop - 128)  # here both of a sample's frames are open
    np.testing.assert_allclose(found[inner], samples[inner], atol=1e-12)


def test_an_equal_mask_in_all_bands_is_equal_in_all_bins(tiny_settings):
    for window, n_mels, fmin_hz in [(256, 13, 50.0), (512, 64, 0.0), (511, 5, 300.0), (256, 1, 0)]:
        settings = dataclasses.replace(
            tiny_settings, window_length=window, n_mels=n_mels, fmin_hz=fmin_hz
        )
        bin_mask = Separator(settings).to_bins(np.ones((4, n_mels)))
        np.testing.assert_array_equal(bin_mask, np.ones((5, window // 2 + 1)))  # exactly


def test_bins_are_interpolated_between_the_centres_of_bands(separator, tiny_settings):
    mask = np.random.default_rng(0).random((6, 13))
    bin_mask = separator.to_bins(mask)
    centres_hz = Spectrograms(tiny_settings).mel_hz
    bins_hz = np.arange(129) * RATE / 256
    expected = [np.interp(bins_hz, centres_hz, row) for row in mask]
    np.testing.assert_allclose(bin_mask[:6], expected, atol=1e-12)
    np.testing.assert_array_equal(bin_mask[6], bin_mask[5])
    below, above = bins_hz <= centres_hz[0], bins_hz >= centres_hz[-1]
    assert below.sum() > 1
    assert above.sum() > 1
    np.testing.assert_array_equal(bin_mask[:6, below], np.repeat(mask[:, :1], below.sum(), axis=1))
    np.testing.assert_array_equal(bin_mask[:6, above], np.repeat(mask[:, -1:], above.sum(), axis=1))


def test_binary_masks_are_taken(separator):
    mask = np.random.default_rng(0).random((6, 13)) > 0.5
    np.testing.assert_array_equal(separator.to_bins(mask), separator.to_bins(mask.astype(float)))


@pytest.mark.filterwarnings("ignore:Empty filters detected")
def test_bands_without_bins_say_nothing(tiny_settings):
    settings = dataclasses.replace(tiny_settings, n_mels=250)
    spectrograms = Spectrograms(settings)
    empty = ~spectrograms.mel_filters.any(axis=1)
    assert empty.any()
    assert len(np.unique(spectrograms.mel_hz[~empty])) < np.sum(~empty)  # and equal ones
    separator = Separator(settings)
    np.testing.assert_array_equal(separator.to_bins(np.ones((2, 250))), np.ones((3, 129)))
    assert not separator.to_bins(np.tile(empty, (2, 1))).any()


@pytest.fixture(scope="module")
def two_events():
    """A tone and a hiss of one second each, in three seconds of rumble."""
    rng = np.random.default_rng(3)
    time_s = np.arange(RATE) / RATE
    tone = np.sin(2 * np.pi * 1000 * time_s) + 0.3 * np.sin(2 * np.pi * 2000 * time_s)
    hiss = scipy.signal.sosfilt(
        scipy.signal.butter(4, 2500, "high", fs=RATE, output="sos"), rng.standard_normal(RATE)
    )
    events = [
        (k, onset, np.float32(samples / np.std(samples)))
        for k, onset, samples in ((0, 4000, tone), (2, 12000, hiss))
    ]
    rumble = scipy.signal.lfilter([1], [1, -0.9], rng.standard_normal(3 * RATE))
    return Stems("m", 1, np.float32(rumble / np.std(rumble)), events, {0: 0.1, -5: 0.1, 10: 0.1})


@pytest.mark.parametrize("snr_db", [10, 0, -5])
@pytest.mark.parametrize("k", [0, 2])
def test_ideal_masks_separate(separator, tiny_settings, two_events, k, snr_db):
    stems = two_events
    mixture = stems.mixture_at(snr_db).astype(np.float64)
    reference = stems.mix_gain[snr_db] * 10 ** (snr_db / 20) * stems.event_track(k)
    spectra = MixtureSpectra(Spectrograms(tiny_settings), stems)
    onset = next(onset for j, onset, _ in stems.events if j == k)
    active = np.zeros(spectra.n_frames, dtype=bool)
    active[tiny_settings.grid.active_frames(onset / RATE, onset / RATE + 1, spectra.n_frames)] = 1
    masks = {
        "ibm": spectra.ideal_binary_mask(k, snr_db, active),
        "irm": spectra.ideal_ratio_mask(k, snr_db),
        "all": np.ones((spectra.n_frames, 13)),
    }
    spectrum = separator.spectrum(mixture)
    estimates = {
        name: separator.separate(spectrum, separator.to_bins(mask), len(mixture))
        for name, mask in masks.items()
    }
    scores = score_separation(
        reference,
        mixture - reference,
        {"mixture": mixture, **estimates},
        span=(onset, onset + RATE),
        filter_length=64,
    )
    gains = {
        name: {measure: value - scores["mixture"][measure] for measure, value in values.items()}
        for name, values in scores.items()
    }
    for name in ("ibm", "irm"):
        assert gains[name]["sdr"] > 2
        assert gains[name]["sir"] > 3
        assert gains[name]["si_sdr"] > 2
    for measure in ("sdr", "sir", "si_sdr"):
        assert gains["all"][measure] == pytest.approx(0, abs=1e-6)
