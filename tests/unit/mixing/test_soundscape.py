"""Long recordings made from a corpus: known times, known levels, any format."""

import itertools

import numpy as np
import pandas as pd
import pytest
import soundfile

from tfseg.mixing.soundscape import SoundscapeSettings, make_soundscape, write_soundscape

RATE = 8000


@pytest.fixture
def corpus(tmp_path):
    rng = np.random.default_rng(0)
    t = np.arange(RATE) / RATE
    sounds = {
        "tone.wav": 0.1 * np.sin(2 * np.pi * 1000 * t),
        "click.wav": 0.5 * np.sin(2 * np.pi * 2500 * t[: RATE // 2]),
        "scene.wav": 0.01 * rng.standard_normal(3 * RATE),
        "hum.wav": 0.3 * rng.standard_normal(5 * RATE),
    }
    for name, samples in sounds.items():
        soundfile.write(tmp_path / name, samples, RATE, subtype="FLOAT")
    events = pd.DataFrame(
        {
            "path": [str(tmp_path / "tone.wav"), str(tmp_path / "click.wav")],
            "label": ["tone", "click"],
            "start_s": [0.0, 0.1],
            "stop_s": [1.0, 0.5],
        }
    )
    scenes = pd.DataFrame({"path": [str(tmp_path / "scene.wav"), str(tmp_path / "hum.wav")]})
    return events, scenes


def make(corpus, seed=1, **changed):
    values = {"name": "a.wav", "duration_s": 90.0, "snr_db": 10, "sample_rate": RATE, "channels": 1}
    settings = SoundscapeSettings(**(values | changed))
    return make_soundscape(*corpus, settings, max_event_s=0.8, resampler="soxr_hq", seed=seed)


def rms_db(samples):
    return 10 * np.log10(np.mean(np.square(samples, dtype=np.float64)))


def test_events_stand_where_the_table_says_at_their_snr(corpus):
    samples, labels = make(corpus)
    assert len(samples) == 90 * RATE and np.abs(samples).max() == pytest.approx(0.5)
    assert {label for _, _, label in labels} == {"tone", "click"}
    active = np.zeros(len(samples), dtype=bool)
    for onset_s, offset_s, _ in labels:
        active[round(onset_s * RATE) : round(offset_s * RATE)] = True
    lengths = {round(offset_s - onset_s, 3) for onset_s, offset_s, _ in labels}
    assert lengths == {0.8, 0.4}
    # Scenes have unit RMS whatever their own level: event plus scene is 10 log10(1 + 10) above it.
    assert rms_db(samples[active]) - rms_db(samples[~active]) == pytest.approx(10.41, abs=0.3)


def test_events_do_not_overlap_and_fit(corpus):
    _, labels = make(corpus, duration_s=30.0)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(labels))
    assert labels[-1][1] <= 30.0 and labels[0][0] > 0


def test_channels_hold_an_event_of_constant_power(corpus):
    samples, labels = make(corpus, channels=2, snr_db=60)
    scene = np.var(samples[: round(labels[0][0] * RATE) - 100])
    for onset_s, offset_s, _ in labels:
        part = samples[round(onset_s * RATE) : round(offset_s * RATE)]
        assert np.var(part, axis=0).sum() / scene == pytest.approx(1e6, rel=0.2)


def test_same_seed_same_samples_other_name_other_draw(corpus):
    samples, labels = make(corpus)
    again, same = make(corpus)
    np.testing.assert_array_equal(samples, again)
    assert labels == same
    assert make(corpus, name="b.wav")[1] != labels and make(corpus, seed=2)[1] != labels


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.aiff"])
def test_any_format_is_written(tmp_path, corpus, name):
    samples, _ = make(corpus, duration_s=5.0, channels=2, sample_rate=22050)
    write_soundscape(tmp_path / name, samples, 22050)
    read, rate = soundfile.read(tmp_path / name)
    assert rate == 22050 and read.shape == samples.shape
    assert rms_db(read - samples) < rms_db(samples) - 60
