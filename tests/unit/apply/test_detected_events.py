"""Events of a recording and the formats that hold them: each is read again to the same events."""

import csv
from dataclasses import replace
from types import SimpleNamespace

import librosa
import numpy as np
import pandas as pd
import pytest
from loud_bands import FEATURES

from tfseg.apply import detected_events
from tfseg.apply.masks import MaskStore
from tfseg.errors import TableError
from tfseg.inference.events import EventSettings, read_events

SETTINGS = replace(FEATURES, n_mels=8)
DETECTION = SimpleNamespace(
    tag_threshold=0.1,
    mask_threshold=0.1,
    postprocessing=EventSettings(
        high_threshold=0.2, low_threshold=0.1, join_gap_frames=2, drop_frames=1
    ),
)
CLASSES = ["dog", "Hi-hat", "car horn"]
EVENTS = [
    detected_events.FoundEvent(0.32, 1.984, "dog", 0.8125, 250.5, 1800.0),
    detected_events.FoundEvent(0.5, 0.75, "car horn", 1.0, 50.0, 4000.0),
    detected_events.FoundEvent(3599.123456, 3600.0, "dog", 0.2001, 0.0, 16000.0),
]


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
    detected_events.write_raven(tmp_path / "raven.txt", "caf\udc82.wav", events)
    raven = pd.read_csv(tmp_path / "raven.txt", sep="\t")
    assert raven["High Freq (Hz)"].max() == 1500 and set(raven["Begin File"]) == {"caf\\x82.wav"}
    detected_events.write_audacity(tmp_path / "audacity.txt", events)
    assert {e[4] for e in detected_events.read_audacity(tmp_path / "audacity.txt")} == {1500.0}


def test_a_very_long_event_is_averaged_in_stretches(tmp_path, monkeypatch):
    mask = np.random.default_rng(0).random((50, 8))
    store = MaskStore(tmp_path / "m", 8)
    store.add(0, 50, {1: mask})
    monkeypatch.setattr(detected_events, "_FRAMES_AT_ONCE", 7)
    mean = detected_events._mean_mask(store, 1, 3, 45)
    store.close()
    np.testing.assert_allclose(mean, mask[3:45].mean(axis=0), atol=1e-3)


def test_desed_reads_as_the_same_events(tmp_path):
    detected_events.write_desed(tmp_path / "e.tsv", "a b.wav", EVENTS, confidence=False)
    assert read_events(tmp_path / "e.tsv") == {
        "a b.wav": [(e.label, e.onset_s, e.offset_s) for e in EVENTS]
    }


def test_desed_with_confidence_reads_in_pandas(tmp_path):
    detected_events.write_desed(tmp_path / "e.tsv", 'q"uote\t.wav', EVENTS, confidence=True)
    table = pd.read_csv(tmp_path / "e.tsv", sep="\t")
    assert list(table) == ["filename", "onset", "offset", "event_label", "confidence"]
    assert set(table["filename"]) == {'q"uote\t.wav'}
    read = list(table.drop(columns="filename").itertuples(index=False, name=None))
    assert read == [(e.onset_s, e.offset_s, e.label, e.confidence) for e in EVENTS]


@pytest.mark.parametrize("confidence", [False, True])
def test_a_recording_without_events_is_a_row(tmp_path, confidence):
    detected_events.write_desed(tmp_path / "e.tsv", "a.wav", [], confidence=confidence)
    table = pd.read_csv(tmp_path / "e.tsv", sep="\t")
    assert list(table["filename"]) == ["a.wav"] and table["onset"].isna().all()


def test_audacity_reads_as_the_same_events(tmp_path):
    detected_events.write_audacity(tmp_path / "a.txt", EVENTS)
    assert detected_events.read_audacity(tmp_path / "a.txt") == [
        (e.onset_s, e.offset_s, e.label, e.low_hz, e.high_hz) for e in EVENTS
    ]
    first, second = (tmp_path / "a.txt").read_text().splitlines()[:2]
    assert first == "0.320000\t1.984000\tdog" and second == "\\\t250.5\t1800.0"


def test_audacity_labels_without_frequencies_are_read(tmp_path):
    (tmp_path / "a.txt").write_text("0.5\t1.5\tdog\n")
    assert detected_events.read_audacity(tmp_path / "a.txt") == [(0.5, 1.5, "dog", None, None)]


@pytest.mark.parametrize("line", ["0.5\tdog\n", "a\tb\tdog\n", "\\\t1\t2\n"])
def test_what_is_no_label_is_named(tmp_path, line):
    (tmp_path / "a.txt").write_text(line)
    with pytest.raises(TableError, match=r"a\.txt, line 1"):
        detected_events.read_audacity(tmp_path / "a.txt")


def test_raven_reads_as_the_same_boxes(tmp_path):
    detected_events.write_raven(tmp_path / "r.txt", "a.wav", EVENTS)
    with open(tmp_path / "r.txt", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    assert [int(row["Selection"]) for row in rows] == [1, 2, 3]
    assert {(row["View"], row["Channel"], row["Begin File"]) for row in rows} == {
        ("Spectrogram 1", "1", "a.wav")
    }
    read = [
        detected_events.FoundEvent(
            float(row["Begin Time (s)"]),
            float(row["End Time (s)"]),
            row["Annotation"],
            float(row["Confidence"]),
            float(row["Low Freq (Hz)"]),
            float(row["High Freq (Hz)"]),
        )
        for row in rows
    ]
    assert read == EVENTS
