"""Each format: what its writer says is what its reader, and readers of others, take it for."""

import copy
import csv
import io
import json
import xml.etree.ElementTree as ElementTree

import pandas as pd
import pytest
import sed_eval

import tfseg
from tfseg.annotations import Event, Recording, read
from tfseg.annotations.formats import audacity, clips, desed, esc50, label_studio, raven
from tfseg.annotations.registry import CARRIED, formats
from tfseg.annotations.report import Report, fitted
from tfseg.apply.detected_events import FoundEvent
from tfseg.errors import DataError
from tfseg.inference.events import read_events
from tfseg.io.files import write_text

EVENTS = [
    FoundEvent(0.32, 1.984, "dog", 0.8125, 250.5, 1800.0),
    FoundEvent(0.5, 0.75, "car horn", 1.0, 50.0, 4000.0),
    FoundEvent(3599.123456, 3600.0, "dog", 0.2001, 0.0, 16000.0),
]
RECORDINGS = [
    Recording("monday.wav", [Event(0.32, 1.984, "dog", 0.8125, 250.5, 1800.0)], predicted=True, fold=1, group="m"),
    Recording("site 1/tuesday.flac", [Event(1.0, 2.5, "é, <x> & \"y\"")], fold=2, group="t"),
    Recording("site 1/no sound.wav", fold=1, group="n"),
    Recording("tags only.wav", tags=["dog", "siren"], times_known=False, fold=1, group="o"),
    Recording("one tag.wav", tags=["siren"], times_known=False, fold=2, group="p"),
]  # fmt: skip
WRITTEN = [name for name, known in formats().items() if known.is_written]


def test_every_format_declares_itself():
    assert list(formats()) == ["clips", "desed", "audacity", "raven", "event_list", "label_studio",
                               "esc50", "urbansound8k", "applied"]  # fmt: skip
    assert set(WRITTEN) == set(formats()) - {"applied"}
    assert all(known.carries <= CARRIED.keys() for known in formats().values())
    assert tfseg.annotations.read is read


def _carried(recordings, carries):
    """What a format must give back of recordings, by what it says that it carries."""
    return {
        recording.name: (
            recording.labels,
            [
                Event(
                    event.onset_s,
                    event.offset_s,
                    event.label,
                    event.confidence if "confidence" in carries else None,
                    event.low_hz if "frequency" in carries else None,
                    event.high_hz if "frequency" in carries else None,
                )
                for event in recording.events
                if "times" in carries
            ],
            recording.fold if "fold" in carries else None,
            recording.group if "group" in carries else None,
            recording.times_known and "times" in carries,
        )
        for recording in recordings
    }


def _kept(name):
    """Recordings that a format takes, with frequencies where it needs them."""
    kept = fitted(copy.deepcopy(RECORDINGS), formats()[name], Report())
    if name == "raven":
        for recording in kept:
            recording.sample_rate = 8000
            recording.events = [raven._with_range(event, recording) for event in recording.events]
    if name == "label_studio":  # where people have annotated some tasks, the others are not read
        for recording in kept:
            recording.predicted = True
    if name == "clips":
        return [recording for recording in kept if "," not in "".join(recording.labels)]
    if name in ("esc50", "urbansound8k"):
        return [recording for recording in kept if len(recording.labels) == 1 and recording.group]
    return kept


# What stands for these names where a format has no place for the folder, or has one of its own.
NAMES = {
    "raven": {"tuesday.flac": "site 1/tuesday.flac"},
    "urbansound8k": {"fold1/monday.wav": "monday.wav", "fold2/tuesday.flac": "site 1/tuesday.flac",
                     "fold2/one tag.wav": "one tag.wav"},
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
def test_a_format_gives_back_what_it_says_that_it_carries(tmp_path, name):
    kept, carries = _kept(name), formats()[name].carries
    assert len(kept) >= 3
    for path, text in formats()[name].module.write(kept, tmp_path).items():
        write_text(path, text)
    found = read(tmp_path)
    for recording in found:
        recording.name = NAMES.get(name, {}).get(recording.name, recording.name)
    assert _carried(found, carries) == _carried(kept, carries)


def test_what_a_format_cannot_carry_is_said():
    report = Report()
    kept = fitted(RECORDINGS, formats()["event_list"], report)
    assert [recording.name for recording in kept] == [r.name for r in RECORDINGS[:3]]
    lines = report.lines(kept)
    assert "event_list cannot carry frequency bounds: 1 (monday.wav)" in lines
    assert "event_list cannot carry confidence: 1 (monday.wav)" in lines
    assert "left out, event_list has no tags without times: 2 (tags only.wav, one tag.wav)" in lines
    kept = fitted(RECORDINGS, formats()["esc50"], Report())
    assert "site 1/no sound.wav" not in [recording.name for recording in kept]


def test_the_label_track_has_known_bytes():
    assert audacity.label_track(EVENTS) == (
        "0.320000\t1.984000\tdog\n\\\t250.5\t1800.0\n"
        "0.500000\t0.750000\tcar horn\n\\\t50.0\t4000.0\n"
        "3599.123456\t3600.000000\tdog\n\\\t0.0\t16000.0\n"
    )
    assert audacity.label_track([Event(0.5, 1.5, "dog")]) == "0.500000\t1.500000\tdog\n"


def test_the_selection_table_has_known_bytes():
    first, second, *rest = raven.selection_table("caf\udc82 1.wav", EVENTS).splitlines()
    assert first == (
        "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\t"
        "Begin File\tAnnotation\tConfidence"
    )
    assert second == (
        "1\tSpectrogram 1\t1\t0.320000\t1.984000\t250.5\t1800.0\tcaf\\x82 1.wav\tdog\t0.8125"
    )
    assert [row.split("\t")[0] for row in rest] == ["2", "3"]


def test_desed_reads_as_the_same_events(tmp_path):
    write_text(tmp_path / "e.tsv", desed.event_table([("a b.wav", EVENTS)]))
    assert read_events(tmp_path / "e.tsv") == {
        "a b.wav": [(e.label, e.onset_s, e.offset_s) for e in EVENTS]
    }


def test_desed_with_confidence_reads_in_pandas():
    text = desed.event_table([('q"uote\t.wav', EVENTS)], confidence=True)
    table = pd.read_csv(io.StringIO(text), sep="\t")
    assert list(table) == ["filename", "onset", "offset", "event_label", "confidence"]
    assert set(table["filename"]) == {'q"uote\t.wav'}
    found = list(table.drop(columns="filename").itertuples(index=False, name=None))
    assert found == [(e.onset_s, e.offset_s, e.label, e.confidence) for e in EVENTS]


def test_sed_eval_reads_its_list_and_desed_s_table(tmp_path):
    for name in ("event_list", "desed"):
        # It takes a label with & for a list of labels.
        kept = [recording for recording in _kept(name) if "&" not in "".join(recording.labels)]
        ((path, text),) = formats()[name].module.write(kept, tmp_path).items()
        write_text(path, text)
        rows = sed_eval.io.load_event_list(str(path))
        found = [
            (r["filename"], r["onset"], r["offset"], r["event_label"]) for r in rows if r.onset
        ]
        assert found == [(r.name, e.onset_s, e.offset_s, e.label) for r in kept for e in r.events]
        assert {row["filename"] for row in rows} == {recording.name for recording in kept}


@pytest.mark.parametrize("confidence", [False, True])
def test_a_recording_without_events_is_a_row(confidence):
    text = desed.event_table([("a.wav", [])], confidence=confidence)
    table = pd.read_csv(io.StringIO(text), sep="\t")
    assert list(table["filename"]) == ["a.wav"] and table["onset"].isna().all()


def test_the_tables_of_a_training_hold_tags_and_times(tmp_path):
    texts = clips.write([RECORDINGS[0], *RECORDINGS[2:]], tmp_path)
    rows = list(csv.DictReader(io.StringIO(texts[tmp_path / "clips.csv"])))
    assert [row["tags"] for row in rows] == ["dog", "", "dog;siren", "siren"]
    assert [row["fold"] for row in rows] == ["1", "1", "1", "2"]
    assert texts[tmp_path / "strong.tsv"].splitlines()[1:] == [
        "monday.wav\t0.32\t1.984\tdog", "site 1/no sound.wav\t\t\t"
    ]  # fmt: skip
    assert list(clips.write(RECORDINGS[3:], tmp_path)) == [tmp_path / "clips.csv"]
    with pytest.raises(DataError, match="labels without , and ;"):
        clips.write(RECORDINGS, tmp_path)
    with pytest.raises(DataError, match=r"found the name 'monday'.*--audio"):
        clips.write([Recording("monday", where="monday.txt")], tmp_path)


def test_raven_is_not_given_boxes_without_frequencies(tmp_path):
    event = Recording("a.wav", [Event(0, 1, "dog")])
    with pytest.raises(DataError, match=r"a\.wav: expected frequencies.*--audio"):
        raven.write([event], tmp_path)
    event.sample_rate = 8000
    (text,) = raven.write([event], tmp_path).values()
    assert "\t0.0\t4000.0\t" in text


def test_a_class_list_takes_one_label_and_a_fold(tmp_path):
    with pytest.raises(DataError, match=r"tags only\.wav: expected one label .* found dog, siren"):
        esc50.write([RECORDINGS[3]], tmp_path)
    with pytest.raises(DataError, match="found dog and no fold"):
        esc50.write([Recording("a.wav", tags=["dog"])], tmp_path)


def _project(recordings, folder):
    texts = label_studio.write(recordings, folder)
    return texts[folder / "label_config.xml"], json.loads(texts[folder / "tasks.json"])


def test_a_project_names_the_sounds_and_all_labels(tmp_path):
    (tmp_path / "a b#1.wav").write_bytes(b"")
    recordings = [
        Recording("a b#1.wav", path=tmp_path / "a b#1.wav", classes=("siren", "dog")),
        RECORDINGS[1],
    ]
    config, tasks = _project(recordings, tmp_path)
    view = ElementTree.fromstring(config)
    assert [label.get("value") for label in view.iter("Label")] == ["dog", "siren", 'é, <x> & "y"']
    assert view.find("Labels").get("toName") == view.find("Audio").get("name") == "audio"
    address = tasks[0]["data"]["audio"]
    assert address.startswith("/data/local-files/?d=") and address.endswith("/a%20b%231.wav")
    assert tasks[0]["data"]["recording"] == "a b#1.wav"


def test_what_a_model_found_is_a_prediction_and_what_people_said_an_annotation(tmp_path):
    found = Recording(
        "a.wav", [Event(0.5, 1, "dog", 0.9), Event(1, 2, "dog", 0.25)], predicted=True
    )
    _, (task, other, empty) = _project(
        [found, RECORDINGS[1], Recording("b.wav", predicted=True)], tmp_path
    )
    (prediction,) = task["predictions"]
    assert "annotations" not in task and prediction["score"] == 0.25
    assert [region["score"] for region in prediction["result"]] == [0.9, 0.25]
    value = {"start": 0.5, "end": 1, "channel": 0, "labels": ["dog"]}
    assert prediction["result"][0]["value"] == value
    assert "predictions" not in other and len(other["annotations"][0]["result"]) == 1
    assert empty["predictions"] == [{"model_version": "tfseg", "result": []}]
