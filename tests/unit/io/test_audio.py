import time

import numpy as np
import pytest
import soundfile

from tfseg.errors import DataError
from tfseg.io import audio


def _read(path, rate, **arguments):
    return audio.read_mono(path, rate, **({"resampler": "soxr_hq"} | arguments))


@pytest.fixture
def ramp(tmp_path):
    """A thousand samples at 1 kHz, each with a value of its own."""
    path = tmp_path / "ramp.wav"
    soundfile.write(path, np.arange(1000) / 1000, 1000, subtype="FLOAT")
    return path


def test_samples_come_back_unchanged_at_the_same_rate(ramp):
    samples = _read(ramp, 1000)
    assert samples.dtype == np.float32
    assert np.array_equal(samples, (np.arange(1000) / 1000).astype(np.float32))


def test_channels_are_averaged(tmp_path):
    left, right = np.random.default_rng(0).uniform(-1, 1, (2, 500)).astype(np.float32)
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.stack([left, right], axis=1), 8000, subtype="FLOAT")
    samples = _read(path, 8000)
    assert samples.shape == (500,)
    np.testing.assert_allclose(samples, (left + right) / 2, atol=1e-7)


@pytest.mark.parametrize("n_channels", [1, 2, 3, 6])
def test_the_average_is_numpys_mean(tmp_path, n_channels):
    samples = np.random.default_rng(0).uniform(-1, 1, (500, n_channels)).astype(np.float32)
    soundfile.write(tmp_path / "channels.wav", samples, 8000, subtype="FLOAT")
    np.testing.assert_array_equal(_read(tmp_path / "channels.wav", 8000), samples.mean(axis=1))


def test_sixteen_bit_samples_are_scaled_to_one(tmp_path):
    path = tmp_path / "pcm.wav"
    soundfile.write(path, np.array([-32768, -16384, 0, 16384, 32767], dtype=np.int16), 8000)
    np.testing.assert_array_equal(_read(path, 8000), np.array([-1, -0.5, 0, 0.5, 32767 / 32768]))


@pytest.mark.parametrize(
    ("start_s", "stop_s", "first", "stop"),
    [
        (0.0, None, 0, 1000),
        (0.25, None, 250, 1000),
        (0.1, 0.3, 100, 300),
        (0.29, 0.58, 290, 580),
        (0.9, 5.0, 900, 1000),  # what there is
        (0.0, 0.001, 0, 1),
    ],
)
def test_the_part_that_is_asked_for_is_read(ramp, start_s, stop_s, first, stop):
    samples = _read(ramp, 1000, start_s=start_s, stop_s=stop_s)
    np.testing.assert_array_equal(samples, (np.arange(first, stop) / 1000).astype(np.float32))


def test_a_decimal_time_loses_no_sample_to_rounding(tmp_path):
    assert 0.35 * 44100 < 15435  # the pitfall
    path = tmp_path / "ramp.wav"
    soundfile.write(path, np.arange(30000) / 30000, 44100, subtype="FLOAT")
    samples = _read(path, 44100, start_s=0.35, stop_s=0.57)
    expected = np.arange(15435, 25137) / 30000
    np.testing.assert_array_equal(samples, expected.astype(np.float32))


@pytest.mark.parametrize("resampler", ["soxr_hq", "soxr_vhq"])
@pytest.mark.parametrize(("rate", "new_rate"), [(44100, 32000), (16000, 32000), (48000, 8000)])
def test_resampling_keeps_pitch_level_and_length(tmp_path, resampler, rate, new_rate):
    path = tmp_path / "tone.wav"
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate), rate, "FLOAT")
    samples = _read(path, new_rate, resampler=resampler)
    assert abs(len(samples) - new_rate) <= 1
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(len(samples)) / new_rate)
    middle = slice(new_rate // 10, -new_rate // 10)  # away from the filter's edges
    np.testing.assert_allclose(samples[middle], expected[middle], atol=1e-4)


def test_resampling_removes_what_the_new_rate_cannot_hold(tmp_path):
    path = tmp_path / "tone.wav"
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * 6000 * np.arange(16000) / 16000), 16000, "FLOAT")
    assert np.abs(_read(path, 8000)[800:-800]).max() < 1e-3


def test_the_resamplers_differ(tmp_path):
    path = tmp_path / "noise.wav"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 4000), 44100, "FLOAT")
    high = _read(path, 32000, resampler="soxr_hq")
    very_high = _read(path, 32000, resampler="soxr_vhq")
    assert not np.array_equal(high, very_high)
    np.testing.assert_allclose(high[200:-200], very_high[200:-200], atol=0.05)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite_are_refused_by_name(tmp_path, value):
    samples = np.zeros(100)
    samples[50] = value
    soundfile.write(tmp_path / "broken.wav", samples, 8000, subtype="FLOAT")
    with pytest.raises(DataError, match=r"broken\.wav: expected finite samples"):
        _read(tmp_path / "broken.wav", 8000)


def test_missing_and_unreadable_files_are_refused_by_name(tmp_path):
    (tmp_path / "text.wav").write_text("this is not sound")
    for name in ("text.wav", "absent.wav"):
        with pytest.raises(DataError, match=rf"{name}: expected a sound file"):
            _read(tmp_path / name, 8000)


def test_a_part_without_samples_is_refused_by_name(tmp_path, ramp):
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 8000)
    with pytest.raises(DataError, match=r"empty\.wav: expected sound from 0\.0 s on, found none"):
        _read(tmp_path / "empty.wav", 8000)
    with pytest.raises(DataError, match=r"ramp\.wav: expected sound from 1\.0 s on, found none"):
        _read(ramp, 1000, start_s=1.0)
    with pytest.raises(DataError, match=r"ramp\.wav: expected sound from 7 s on, found none"):
        _read(ramp, 1000, start_s=7, stop_s=8)
    with pytest.raises(DataError, match=r"ramp\.wav: expected sound from 0\.5 s on, found none"):
        _read(ramp, 1000, start_s=0.5, stop_s=0.4)


def test_equal_samples_give_equal_wav_files_whenever_they_are_written(tmp_path, monkeypatch):
    samples = np.random.default_rng(0).standard_normal(1000)
    for name in ("a.wav", "b.wav"):
        audio.write_wav(tmp_path / name, samples, 16000, "FLOAT")
        time.sleep(1.01)  # libsndfile's clock counts seconds
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    read, rate = soundfile.read(tmp_path / "a.wav", dtype="float32")
    assert rate == 16000
    np.testing.assert_array_equal(read, samples.astype(np.float32))
    for limit, kind in ((100, b"RF64"), (10**9, b"RIFF")):
        monkeypatch.setattr(audio, "_WAV_LIMIT_BYTES", limit)
        for name in ("c.wav", "d.wav"):
            with audio.writing_float_wav(tmp_path / name, 16000, 1, len(samples)) as file:
                file.write(samples)
            time.sleep(1.01)
        assert (tmp_path / "c.wav").read_bytes() == (tmp_path / "d.wav").read_bytes()
        assert (tmp_path / "c.wav").read_bytes()[:4] == kind
        stored, _ = soundfile.read(tmp_path / "c.wav", dtype="float32")
        np.testing.assert_array_equal(stored, read)
