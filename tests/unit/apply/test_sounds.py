"""Separated sounds of a recording: they sum to it, and are what the separation of a clip gives."""

import numpy as np
import pytest
import soundfile

from tfseg.apply import sounds
from tfseg.apply.masks import MaskStore
from tfseg.errors import ConfigError, DataError
from tfseg.features.logmel import FeatureSettings, Spectrograms
from tfseg.features.on_device import DeviceArrays
from tfseg.separation.masking import Separator

N_MELS = 12


def settings(**changed):
    values = {
        "sample_rate": 8000,
        "window_length": 512,
        "hop_length": 256,
        "n_mels": N_MELS,
        "fmin_hz": 50.0,
        "fmax_hz": 4000.0,
        "log_offset": 1e-8,
        "ibm_criterion_db": -5.0,
    }
    return FeatureSettings(**(values | changed))


def store_of(tmp_path, masks, n_frames):
    store = MaskStore(tmp_path / "masks.part", N_MELS)
    store.add(0, n_frames, masks)
    return store


def separated(tmp_path, samples, rate, masks_of, features=None, subtype="FLOAT"):
    """Separate with masks that `masks_of(n_frames)` gives; the sounds by name."""
    features = features or settings()
    soundfile.write(tmp_path / "in.wav", samples, rate, subtype=subtype)
    n_frames = features.grid.n_frames(int(len(samples) * features.sample_rate / rate))
    store = store_of(tmp_path, masks_of(n_frames), n_frames)
    spectrum = sounds.MaskedSpectrum(Spectrograms(features), rate, n_frames)
    names = {f"class{k}": k for k in masks_of(n_frames)}
    paths = sounds.separate_recording(
        tmp_path / "in.wav", tmp_path, store, names, spectrum, n_samples=len(samples)
    )
    store.close()
    return {
        name: soundfile.read(path, dtype="float64", always_2d=True)[0]
        for name, path in paths.items()
    }


def level_db(error, signal):
    return 10 * np.log10(np.mean(error**2) / np.mean(signal**2) + 1e-30)


@pytest.mark.parametrize("n_channels", [1, 2, 6])
@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000])
def test_sounds_sum_to_the_recording(tmp_path, rate, n_channels):
    rng = np.random.default_rng(rate)
    samples = rng.uniform(-0.9, 0.9, (2 * rate + 37, n_channels))
    parts = separated(
        tmp_path,
        samples,
        rate,
        lambda n: {k: rng.random((n, N_MELS)) for k in (0, 1, 4)},
    )
    assert set(parts) == {"class0", "class1", "class4", sounds.REST}
    assert all(part.shape == samples.shape for part in parts.values())
    assert level_db(sum(parts.values()) - samples, samples) < -120


def test_at_the_features_rate_it_is_the_separation_of_a_clip(tmp_path):
    rng = np.random.default_rng(5)
    features = settings()
    samples = rng.standard_normal(8000)[:, None] * 0.2
    n_frames = features.grid.n_frames(8000)
    mask = rng.random((n_frames, N_MELS)).astype(np.float16).astype(np.float64)
    part = separated(tmp_path, samples, 8000, lambda n: {0: mask})["class0"][:, 0]
    separator = Separator(features)
    spectrum = separator.spectrum(samples[:, 0])
    expected = separator.separate(spectrum, separator.to_bins(mask), 8000)
    # The last window of a clip is padded in another way.
    inner = slice(0, -2 * features.window_length)
    assert level_db((part - expected)[inner], expected[inner]) < -100


def test_a_full_mask_takes_everything_and_leaves_no_rest(tmp_path):
    rng = np.random.default_rng(6)
    samples = 0.3 * rng.standard_normal((20000, 2))
    parts = separated(tmp_path, samples, 22050, lambda n: {0: np.ones((n, N_MELS))})
    assert level_db(parts["class0"] - samples, samples) < -90
    assert level_db(parts[sounds.REST], samples) < -90


def test_masks_that_claim_too_much_share(tmp_path):
    rng = np.random.default_rng(7)
    samples = 0.3 * rng.standard_normal((16000, 1))
    parts = separated(
        tmp_path, samples, 8000, lambda n: {0: np.full((n, N_MELS), 0.5), 1: np.ones((n, N_MELS))}
    )
    assert level_db(parts["class0"] * 2 - parts["class1"], samples) < -60
    assert level_db(parts[sounds.REST], samples) < -60


def test_a_mask_selects_its_time_and_frequency_at_any_rate(tmp_path):
    """Two tones one after the other, and a mask of the first one's time and band."""
    rate, features = 44100, settings()
    t = np.arange(2 * rate) / rate
    first, second = np.sin(2 * np.pi * 600 * t) * (t < 1), np.sin(2 * np.pi * 2500 * t) * (t >= 1)
    spectrograms = Spectrograms(features)

    def masks_of(n_frames):
        mask = np.zeros((n_frames, N_MELS))
        times = (np.arange(n_frames) * 256 + 256) / 8000
        mask[np.ix_(times < 1, spectrograms.mel_hz < 1500)] = 1
        return {0: mask}

    parts = separated(tmp_path, (first + second)[:, None] * 0.4, rate, masks_of)
    away = np.abs(t - 1) > 0.1
    assert level_db((parts["class0"][:, 0] - 0.4 * first)[away], first) < -30
    assert level_db((parts[sounds.REST][:, 0] - 0.4 * second)[away], second) < -30


@pytest.mark.parametrize("n_values", [1, 40_000, 1_000_000_000])
def test_blocks_do_not_change_the_sounds(tmp_path, monkeypatch, n_values):
    rng = np.random.default_rng(8)
    samples = 0.3 * rng.standard_normal((30000, 2))
    mask = rng.random((200, N_MELS))
    expected = separated(tmp_path, samples, 11025, lambda n: {0: mask[:n], 3: mask[-n:]})
    monkeypatch.setattr(sounds, "_BLOCK_VALUES", n_values)
    parts = separated(tmp_path, samples, 11025, lambda n: {0: mask[:n], 3: mask[-n:]})
    for name, part in parts.items():
        np.testing.assert_allclose(part, expected[name], atol=1e-6)


@pytest.mark.parametrize(("rate", "hop"), [(8000, 256), (11025, 200)])
def test_torch_synthesises_the_same_sounds_to_rounding(tmp_path, monkeypatch, rate, hop):
    rng = np.random.default_rng(10)
    samples = 0.3 * rng.standard_normal((20000, 2))
    mask = rng.random((200, N_MELS))

    def sounds_now():
        return separated(
            tmp_path, samples, rate, lambda n: {0: mask[:n], 3: mask[-n:]}, settings(hop_length=hop)
        )

    expected = sounds_now()
    monkeypatch.setattr(sounds, "arrays_on", lambda device: DeviceArrays("cpu"))
    for name, part in sounds_now().items():
        assert level_db(part - expected[name], samples) < -120


@pytest.mark.parametrize("n_samples", [1, 100, 511, 512, 513])
def test_recordings_shorter_than_a_window(tmp_path, n_samples):
    samples = np.random.default_rng(9).uniform(-0.5, 0.5, (n_samples, 1))
    soundfile.write(tmp_path / "in.wav", samples, 8000, subtype="FLOAT")
    store = store_of(tmp_path, {0: np.full((1, N_MELS), 0.25)}, 1)
    spectrum = sounds.MaskedSpectrum(Spectrograms(settings()), 8000, 1)
    paths = sounds.separate_recording(
        tmp_path / "in.wav", tmp_path, store, {"a": 0}, spectrum, n_samples=n_samples
    )
    part, rest = (soundfile.read(paths[name], always_2d=True)[0] for name in ("a", sounds.REST))
    np.testing.assert_allclose(part, samples / 4, atol=1e-6)
    np.testing.assert_allclose(part + rest, samples, atol=1e-7)


def test_frames_with_gaps_are_refused():
    with pytest.raises(ConfigError, match="hop_length"):
        sounds.MaskedSpectrum(Spectrograms(settings(hop_length=600)), 8000, 10)


def test_a_file_that_ends_early_is_named(tmp_path, monkeypatch):
    samples = np.zeros((9000, 1))
    monkeypatch.setattr(
        soundfile.SoundFile,
        "read",
        lambda self, n, **_: np.zeros((min(n, 100), 1), dtype=np.float32),
    )
    with pytest.raises(DataError, match=r"in\.wav: it ends \d+ samples earlier"):
        separated(tmp_path, samples, 8000, lambda n: {0: np.ones((n, N_MELS))})
