"""Events of a recording: their times, and where in frequency they lie."""

from dataclasses import replace
from types import SimpleNamespace

import librosa
import numpy as np
import pytest
from loud_bands import FEATURES

from tfseg.apply import detected_events
from tfseg.apply.masks import MaskStore
from tfseg.inference.events import EventSettings

SETTINGS = replace(FEATURES, n_mels=8)
DETECTION = SimpleNamespace(
    tag_threshold=0.1,
    mask_threshold=0.1,
    postprocessing=EventSettings(
        high_threshold=0.2, low_threshold=0.1, join_gap_frames=2, drop_frames=1
    ),
)
CLASSES = ["dog", "Hi-hat", "car horn"]


def test_known_scores_and_masks_give_known_events(tmp_path):
    n_frames = 40
    scores = np.zeros((n_frames, 3))
    scores[5:15, 0] = 0.15
    scores[9, 0] = 0.6
    scores[30:40, 2] = 0.9
    mask = np.zeros((n_frames, 8))
    mask[5:15, 2:4] = 0.5
    store = MaskStore(tmp_path / "m", 8)
    store.add(0, n_frames, {0: mask})
    edges = detected_events.band_edges_hz(SETTINGS)
    events = detected_events.find_events(
        lambda k: scores[:, k], store, CLASSES, SETTINGS, DETECTION, duration_s=1.27
    )
    store.close()
    dog, horn = events
    assert (dog.label, dog.onset_s, dog.offset_s, dog.confidence) == ("dog", 0.16, 0.48, 0.6)
    assert dog.low_hz == round(edges[2], 1) and dog.high_hz == round(edges[4], 1)
    assert (horn.label, horn.onset_s, horn.offset_s) == ("car horn", 0.96, 1.27)


def test_a_model_without_masks_gives_the_whole_range():
    scores = np.full((10, 3), 0.5)
    events = detected_events.find_events(
        lambda k: scores[:, k], None, CLASSES, SETTINGS, DETECTION, duration_s=9.0
    )
    assert {(e.low_hz, e.high_hz) for e in events} == {(50.0, 4000.0)}


def test_band_edges_lie_between_the_centres():
    edges = detected_events.band_edges_hz(SETTINGS)
    centres = librosa.mel_frequencies(10, fmin=50, fmax=4000)[1:-1]
    assert edges[0] == 50 and edges[-1] == 4000
    assert (edges[:-1] < centres).all() and (centres < edges[1:]).all()


@pytest.mark.parametrize(
    "mean, bands",
    [
        ([0, 0, 0.5, 0, 0.2, 0, 0, 0], (2, 4)),
        ([0.09, 0.05, 0, 0, 0, 0, 0, 0], (0, 0)),
        ([1] * 8, (0, 7)),
    ],
)
def test_range_holds_all_bands_above_the_threshold(mean, bands):
    edges = np.arange(9) * 100.0
    low, high = detected_events.frequency_range(np.array(mean), edges, 0.1)
    assert (low, high) == (edges[bands[0]], edges[bands[1] + 1])


@pytest.mark.parametrize(
    ("highest_hz", "mean", "expected"),
    [
        (450, [0, 0, 1, 1, 1, 1, 1, 1], (200, 450)),
        (400, [0, 0, 1, 1, 1, 1, 1, 1], (200, 400)),
        (400.05, [0, 0, 0, 0, 1, 1, 1, 1], (0, 100)),  # of a band too narrow to be written
        (300, [0, 0.05, 0, 0, 1, 1, 1, 1], (100, 200)),
        (0.1, [1] * 8, (0, 0.1)),
    ],
)
def test_no_range_reaches_above_half_the_rate(highest_hz, mean, expected):
    found = detected_events.frequency_range(
        np.array(mean), np.arange(9) * 100.0, 0.1, highest_hz=highest_hz
    )
    assert found == expected


@pytest.mark.parametrize("with_masks", [True, False])
def test_labels_of_a_recording_at_a_low_rate_stay_below_half_of_it(tmp_path, with_masks):
    scores, store = np.full((10, 3), 0.5), None
    if with_masks:
        store = MaskStore(tmp_path / "m", 8)
        store.add(0, 10, {k: np.ones((10, 8)) for k in range(3)})
    events = detected_events.find_events(
        lambda k: scores[:, k], store, CLASSES, SETTINGS, DETECTION, duration_s=9.0, highest_hz=1500
    )
    assert {(e.low_hz, e.high_hz) for e in events} == {(50.0, 1500.0)}


def test_a_very_long_event_is_averaged_in_stretches(tmp_path, monkeypatch):
    mask = np.random.default_rng(0).random((50, 8))
    store = MaskStore(tmp_path / "m", 8)
    store.add(0, 50, {1: mask})
    monkeypatch.setattr(detected_events, "_FRAMES_AT_ONCE", 7)
    mean = detected_events._mean_mask(store, 1, 3, 45)
    store.close()
    np.testing.assert_allclose(mean, mask[3:45].mean(axis=0), atol=1e-3)
