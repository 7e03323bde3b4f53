"""A model from Python: the values are the command's, whatever form a sound has."""

import gc
import tempfile
from dataclasses import replace

import h5py
import numpy as np
import pytest
import soundfile
from loud_bands import CLASSES, FEATURES, SETTINGS, LoudFrames, make_model, tones

import tfseg
from tfseg.apply.analysis import analyse
from tfseg.apply.in_memory import apply_model
from tfseg.apply.listing import Recording
from tfseg.errors import ConfigError, DataError, TfsegError

LOW, HIGH = CLASSES
EVENTS = [(LOW, 0.7, 1.4), (HIGH, 1.2, 1.8), (LOW, 2.9, 5.2)]


@pytest.fixture
def sound(tmp_path):
    """A recording in two channels at another rate than the model's, quieter than in training."""
    path = tmp_path / "sound.wav"
    soundfile.write(path, 0.05 * tones(EVENTS, 6.5, 11025, 2), 11025)
    return path


@pytest.fixture
def no_leftovers(tmp_path, monkeypatch):
    """Folder that temporary files go to; it has to be empty in the end."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    gc.collect()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("level", ["as_trained", "as_recorded"])
def test_a_file_gives_what_the_command_gives(tmp_path, model, sound, level, no_leftovers):
    settings = replace(SETTINGS, level=level, page=False)
    expected = analyse(Recording("sound", sound), tmp_path / "out", model, settings)
    with apply_model(model, sound, level=level) as applied:
        assert applied.events == expected.events
        assert applied.duration_s == expected.duration_s
        with h5py.File(tmp_path / "out/scores.h5") as file:
            np.testing.assert_array_equal(applied.frames, file["frames"][:])
            np.testing.assert_array_equal(applied.tags, file["tags"][:])
            hop_s = FEATURES.hop_length / FEATURES.sample_rate
            np.testing.assert_allclose(applied.window_s, file["window_start"][:] * hop_s)
        waveforms = applied.separate()
    written = {path.stem: path for path in (tmp_path / "out").glob("separated/*.wav")}
    if level == "as_recorded":  # all of it is too quiet for this model
        assert not written and list(waveforms) == ["rest"]
    else:
        assert len(written) == 3 and set(waveforms) == {LOW, HIGH, "rest"}
        np.testing.assert_array_equal(waveforms[LOW], soundfile.read(written["low_tone"])[0])
        np.testing.assert_array_equal(waveforms["rest"], soundfile.read(written["rest"])[0])


def test_the_levels_of_the_two_ways_differ(model, sound):
    assert apply_model(model, sound).events
    assert not apply_model(model, sound, level="as_recorded").events


def test_samples_give_what_their_file_gives(model, sound, no_leftovers):
    samples, rate = soundfile.read(sound, dtype="float32")
    one, two = apply_model(model, sound), apply_model(model, samples, rate)
    assert one.events == two.events
    np.testing.assert_array_equal(one.frames, two.frames)
    np.testing.assert_array_equal(one.mask(LOW), two.mask(LOW))
    for label, waveform in one.separate().items():
        np.testing.assert_array_equal(waveform, two.separate()[label])


def test_a_mask_lies_where_its_class_sounds(model):
    samples = tones(EVENTS, 6.5, 8000)[:, 0]
    with apply_model(model, samples, 8000, level="as_recorded") as applied:
        mask = applied.mask(LOW)
        assert mask.shape == (len(applied.frames), FEATURES.n_mels)
        inside = (applied.frame_s > 3.0) & (applied.frame_s < 5.0)
        outside = applied.frame_s > 5.4
        assert mask[inside, 5].min() > 0.5 > 10 * mask[outside, 5].max()


def test_sounds_of_one_channel_are_vectors_that_sum_to_the_recording(model):
    samples = tones(EVENTS, 6.5, 8000)[:, 0].astype(np.float32)
    waveforms = apply_model(model, samples, 8000, level="as_recorded").separate([HIGH])
    assert set(waveforms) == {HIGH, "rest"}
    assert waveforms[HIGH].shape == samples.shape
    np.testing.assert_allclose(sum(waveforms.values()), samples, atol=1e-6)
    assert np.square(waveforms[HIGH]).sum() > 100 * np.square(samples[:4000]).sum()


def test_where_nothing_is_found_all_is_rest(model):
    samples = np.zeros((16000, 2), dtype=np.float32)
    applied = apply_model(model, samples, 8000)
    assert applied.events == []
    waveforms = applied.separate()
    assert list(waveforms) == ["rest"]
    np.testing.assert_array_equal(waveforms["rest"], samples)
    assert not applied.mask(LOW).any()


def test_arrays_and_events_outlive_the_files(model, sound, no_leftovers):
    applied = apply_model(model, sound)
    assert len(list(no_leftovers.iterdir())) == 1
    applied.close()
    assert list(no_leftovers.iterdir()) == []
    assert applied.events and len(applied.frames)


@pytest.mark.parametrize(
    "samples, rate, expected",
    [
        (np.zeros(8000), None, "sample rate of the samples"),
        (np.zeros(8000), 0, "sample rate of the samples"),
        (np.zeros(8000, dtype=np.int16), 8000, "samples as floats"),
        (np.zeros((2, 3, 4)), 8000, "samples as floats"),
        (np.zeros(0), 8000, "there are no samples"),
        (np.array([0.0, np.nan]), 8000, "NaN"),
    ],
)
def test_samples_that_cannot_be_used_are_refused(model, samples, rate, expected, no_leftovers):
    with pytest.raises(DataError, match=expected):
        apply_model(model, samples, rate)


def test_files_and_settings_that_cannot_be_used_are_refused(tmp_path, model, sound, no_leftovers):
    (tmp_path / "bad.wav").write_text("this is no sound")
    for path in (tmp_path / "bad.wav", tmp_path / "gone.wav"):
        with pytest.raises(DataError, match=path.name):
            apply_model(model, path)
    with pytest.raises(DataError, match="own sample rate"):
        apply_model(model, sound, 8000)
    with pytest.raises(ConfigError, match="level: expected as_trained or as_recorded"):
        apply_model(model, sound, level="loud")
    with pytest.raises(ConfigError, match="window_s"):
        apply_model(model, sound, window_s=-1)
    with pytest.raises(DataError, match=r"low tone.*found Bark"):
        apply_model(model, sound).mask("Bark")


def test_a_system_without_masks_has_events_and_no_sounds(tmp_path, sound):
    applied = apply_model(make_model(tmp_path / "frames", LoudFrames()), sound)
    assert applied.events
    for ask in (lambda: applied.mask(LOW), applied.separate):
        with pytest.raises(TfsegError, match="without masks"):
            ask()


def test_separate_multiplies_with_the_mask(model):
    samples = tones(EVENTS, 3.0, 8000)[:, 0]
    n_frames = FEATURES.grid.n_frames(len(samples))
    low = np.zeros((n_frames, FEATURES.n_mels))
    low[:, :9] = 1
    waveforms = tfseg.separate(samples, {"low": low, "high": 1 - low}, FEATURES)
    np.testing.assert_allclose(waveforms["low"] + waveforms["high"], samples, atol=1e-9)
    middle = slice(int(1.5 * 8000), int(1.7 * 8000))  # the high tone alone
    assert (
        np.square(waveforms["high"][middle]).sum() > 100 * np.square(waveforms["low"][middle]).sum()
    )
    with pytest.raises(DataError, match="mask of low: expected shape"):
        tfseg.separate(samples, {"low": low[:-1]}, FEATURES)
