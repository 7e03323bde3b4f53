"""Whole recordings, by a model of known answers: times, borders, blocks, sounds, files."""

import errno
import fcntl
import json
import os
import re
from dataclasses import replace
from urllib.parse import unquote

import h5py
import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from loud_bands import FEATURES, SETTINGS, TONE_HZ, LoudBands, LoudFrames, tones

from tfseg.apply import page
from tfseg.apply.analysis import analyse, sound_names
from tfseg.apply.listing import Recording
from tfseg.apply.results import already_there, read_analysis
from tfseg.errors import DataError

EVENTS = [
    ("low tone", 0.7, 1.4),  # across the border of the first windows, at 1 s
    ("high/<i>tone</i>", 1.2, 1.8),
    ("low tone", 2.9, 7.2),  # longer than a window of 2 s
    ("high/<i>tone</i>", 9.3, 10.0),
]
FRAME_S = 256 / 8000


class Certain(LoudBands):
    """Hears everything everywhere."""

    def forward(self, logmel):
        tags, masks = super().forward(logmel)
        return torch.ones_like(tags), torch.ones_like(masks)


def write(path, samples, rate, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, **options)
    return Recording(path.stem, path)


@pytest.mark.parametrize(
    "rate, n_channels, name", [(8000, 1, "a.wav"), (44100, 2, "a.flac"), (11025, 1, "a.ogg")]
)
def test_events_are_found_whole_at_their_times(tmp_path, model, rate, n_channels, name):
    recording = write(tmp_path / name, tones(EVENTS, 10.5, rate, n_channels), rate)
    found = analyse(recording, tmp_path / "out", model, SETTINGS).events
    assert [event.label for event in found] == [label for label, _, _ in EVENTS]
    for event, (_, onset_s, offset_s) in zip(found, EVENTS, strict=True):
        # A frame starts up to a window before what it first holds.
        assert event.onset_s == pytest.approx(onset_s, abs=2.5 * FRAME_S)
        assert event.offset_s == pytest.approx(offset_s, abs=2.5 * FRAME_S)


def test_boxes_hold_the_tone(tmp_path, model):
    recording = write(tmp_path / "a.wav", tones(EVENTS, 10.5, 8000), 8000)
    for event in analyse(recording, tmp_path / "out", model, SETTINGS).events:
        assert event.low_hz < TONE_HZ[event.label] < event.high_hz
        assert event.high_hz - event.low_hz < 1200


@pytest.mark.parametrize("changed", [{"block_s": 0.3}, {"block_s": 1.7}, {"block_s": 3600.0}])
def test_blocks_change_nothing(tmp_path, model, changed):
    recording = write(tmp_path / "a.wav", tones(EVENTS, 10.5, 22050, 2), 22050)
    expected = analyse(recording, tmp_path / "one", model, SETTINGS)
    found = analyse(recording, tmp_path / "two", model, replace(SETTINGS, **changed))
    assert found.events == expected.events
    with h5py.File(tmp_path / "one/scores.h5") as one, h5py.File(tmp_path / "two/scores.h5") as two:
        np.testing.assert_allclose(one["frames"][:], two["frames"][:], atol=1e-4)
    for wav in (tmp_path / "one/separated").glob("*.wav"):
        a, b = soundfile.read(wav)[0], soundfile.read(tmp_path / "two/separated" / wav.name)[0]
        np.testing.assert_allclose(a, b, atol=1e-4)


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_batches_change_nothing_in_float32(tmp_path, model, batch_size):
    recording = write(tmp_path / "a.wav", tones(EVENTS, 10.5, 8000), 8000)
    expected = analyse(recording, tmp_path / "one", model, SETTINGS).events
    other = replace(SETTINGS, batch_size=batch_size)
    assert analyse(recording, tmp_path / "two", model, other).events == expected


def test_scores_of_one_window_are_the_networks_own(tmp_path, model):
    """A recording as long as a training clip gets the scores of inference on that clip."""

    from tfseg.features.logmel import Spectrograms

    samples = tones([("low tone", 0.5, 1.1)], 2.0, 8000)
    recording = write(tmp_path / "a.wav", samples, 8000, subtype="FLOAT")
    analyse(recording, tmp_path / "out", model, SETTINGS)
    spectrograms = Spectrograms(FEATURES)
    logmel = spectrograms.logmel(spectrograms.complex(samples[:, 0])).astype(np.float16)
    tags, masks = model.network(torch.from_numpy(logmel.astype(np.float32))[None])
    expected = masks[0].mean(dim=2).T.numpy() * (tags[0].numpy() > 0.1)
    with h5py.File(tmp_path / "out/scores.h5") as file:
        np.testing.assert_allclose(file["frames"][:], expected, atol=1e-3)
        np.testing.assert_allclose(file["tags"][:], tags.numpy(), atol=1e-6)


def test_sounds_are_the_tones_and_sum_to_the_recording(tmp_path, model):
    samples = tones(EVENTS, 10.5, 44100, 2)
    recording = write(tmp_path / "a.wav", samples, 44100, subtype="FLOAT")
    analyse(recording, tmp_path / "out", model, SETTINGS)
    files = sorted(p.name for p in (tmp_path / "out/separated").iterdir())
    assert files == ["high___i_tone___i.wav", "low_tone.wav", "rest.wav"]
    sounds = {p: soundfile.read(tmp_path / "out/separated" / p)[0] for p in files}
    error = sum(sounds.values()) - samples
    assert 10 * np.log10(np.mean(error**2) / np.mean(samples**2)) < -80
    low = tones([event for event in EVENTS if event[0] == "low tone"], 10.5, 44100, 2)
    error = sounds["low_tone.wav"] - low
    assert 10 * np.log10(np.mean(error**2) / np.mean(low**2)) < -10


def test_level_as_trained_finds_what_is_faint(tmp_path, model):
    samples = 0.01 * tones(EVENTS[2:], 10.5, 8000)
    recording = write(tmp_path / "a.wav", samples, 8000, subtype="FLOAT")
    assert analyse(recording, tmp_path / "one", model, SETTINGS).events == []
    raised = replace(SETTINGS, level="as_trained")
    assert len(analyse(recording, tmp_path / "two", model, raised).events) == 2


def test_a_model_of_clips_as_recorded_takes_recordings_as_they_are(tmp_path, model):
    recording = write(tmp_path / "a.wav", 0.003 * tones(EVENTS, 10.5, 8000), 8000, subtype="FLOAT")
    model.description["data"]["corpus"] = "clips"
    raised = replace(SETTINGS, level="as_trained")
    assert analyse(recording, tmp_path / "out", model, raised).events == []


@pytest.mark.parametrize("n_samples", [1, 300, 512, 513, 8000])
def test_short_recordings(tmp_path, model, n_samples):
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, n_samples)
    recording = write(tmp_path / "a.wav", samples, 8000)
    found = analyse(recording, tmp_path / "out", model, SETTINGS)
    assert found.duration_s == n_samples / 8000
    assert all(event.offset_s <= found.duration_s for event in found.events)
    assert (tmp_path / "out/page.html").is_file()


@pytest.mark.parametrize("level", ["as_trained", "as_recorded"])
def test_digital_silence_has_no_events_whatever_the_model_says(tmp_path, model, level):
    recording = write(tmp_path / "a.wav", np.zeros(40000), 8000)
    settings = replace(SETTINGS, level=level)
    certain = replace(model, network=Certain().eval())
    assert analyse(recording, tmp_path / "out", certain, settings).events == []
    assert not (tmp_path / "out/separated").exists()


def test_the_folder_tells_what_was_done(tmp_path, model):
    recording = write(tmp_path / "a b.wav", tones(EVENTS, 10.5, 8000), 8000)
    found = analyse(recording, tmp_path / "out", model, SETTINGS)
    again = read_analysis(tmp_path / "out")
    assert again.events == found.events and again.duration_s == found.duration_s
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert names == {
        "about.json", "audacity.txt", "events.tsv", "events_confidence.tsv", "overview.png",
        "overview.svg", "page.html", "page_files", "raven.txt", "scores.h5", "separated",
    }  # fmt: skip
    assert set(pd.read_csv(tmp_path / "out/events.tsv", sep="\t")["filename"]) == {"a b.wav"}
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_every_file_that_the_page_names_is_there(tmp_path, model):
    recording = write(tmp_path / "a.wav", tones(EVENTS, 130.0, 8000), 8000)
    analyse(recording, tmp_path / "out", model, SETTINGS, [("low tone", 0.7, 1.4)])
    html = (tmp_path / "out/page.html").read_text()
    views = json.loads(re.search(r'id="views">(.*?)</script>', html, re.S).group(1))
    assert [view["start_s"] for view in views] == [0.0, 1875 * FRAME_S]
    assert sum(view["duration_s"] for view in views) == pytest.approx(130.0)
    urls = {view["logmel"] for view in views}
    urls |= {mask["url"] for view in views for mask in view["masks"]}
    urls |= {sound["url"] for view in views for sound in view["sounds"]}
    urls |= {u for u in re.findall(r'href="([^"#]+)"', html) if not u.startswith(("data:", ".."))}
    for url in urls:
        assert (tmp_path / "out" / unquote(url)).is_file(), url
    assert [lane["name"] for lane in views[0]["lanes"]] == ["true events", "found"]
    assert len(views[0]["lanes"][1]["events"]) == len(EVENTS)
    # Nothing sounds in the second minute, and no picture of an empty mask is shown.
    assert views[1]["masks"] == [] and {m["label"] for m in views[0]["masks"]} == set(model.classes)


def test_without_sounds_and_page(tmp_path, model):
    recording = write(tmp_path / "a.wav", tones(EVENTS, 10.5, 8000), 8000)
    analyse(recording, tmp_path / "out", model, replace(SETTINGS, sounds=False, page=False))
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert names == {
        "about.json", "audacity.txt", "events.tsv", "events_confidence.tsv", "raven.txt", "scores.h5"
    }  # fmt: skip


def test_a_model_without_masks_gives_times_only(tmp_path, model):
    recording = write(tmp_path / "a.wav", tones(EVENTS, 10.5, 8000), 8000)
    expected = analyse(recording, tmp_path / "one", model, SETTINGS).events
    found = analyse(
        recording, tmp_path / "two", replace(model, network=LoudFrames().eval()), SETTINGS
    ).events
    assert [(e.label, e.onset_s, e.offset_s) for e in found] == [
        (e.label, e.onset_s, e.offset_s) for e in expected
    ]
    assert {(e.low_hz, e.high_hz) for e in found} == {(50.0, 4000.0)}
    assert not (tmp_path / "two/separated").exists()


@pytest.mark.parametrize(
    "content, expected",
    [
        (b"", "cannot be read"),
        (b"this is no sound", "cannot be read"),
        (None, "found nothing there"),
        ("empty", "no samples"),
        ("nan", "NaN"),
    ],
)
def test_what_cannot_be_used_is_said_and_nothing_is_left(tmp_path, model, content, expected):
    path = tmp_path / "in" / "bad.wav"
    path.parent.mkdir()
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "empty":
        soundfile.write(path, np.zeros(0), 8000)
    elif content == "nan":
        soundfile.write(path, np.array([0.1] * 9000 + [np.nan]), 8000, subtype="FLOAT")
    with pytest.raises(DataError, match=rf"bad\.wav.*{expected}"):
        analyse(Recording("bad", path), tmp_path / "out" / "bad", model, SETTINGS)
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_results_are_replaced_only_on_demand(tmp_path, model):
    recording = write(tmp_path / "a.wav", tones(EVENTS, 3.0, 8000), 8000)
    folder = tmp_path / "out"
    assert not already_there(recording, folder, model, SETTINGS, overwrite=False)
    analyse(recording, folder, model, SETTINGS)
    assert already_there(recording, folder, model, SETTINGS, overwrite=False)
    assert already_there(recording, folder, model, replace(SETTINGS, block_s=1.0), overwrite=True)
    other = replace(SETTINGS, level="as_trained")
    with pytest.raises(DataError, match=r"other apply.*--overwrite"):
        already_there(recording, folder, model, other, overwrite=False)
    assert not already_there(recording, folder, model, other, overwrite=True)
    write(tmp_path / "a.wav", tones(EVENTS[:1], 3.0, 8000), 8000)
    with pytest.raises(DataError, match="other recording_sha256"):
        already_there(recording, folder, model, SETTINGS, overwrite=False)


def test_other_files_are_never_replaced(tmp_path, model):
    recording = write(tmp_path / "a.wav", tones(EVENTS, 3.0, 8000), 8000)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.tex").touch()
    for overwrite in (False, True):
        with pytest.raises(DataError, match="never overwritten"):
            already_there(recording, tmp_path / "out", model, SETTINGS, overwrite=overwrite)


def test_a_drive_without_locks_has_its_results_and_it_is_said(tmp_path, model, monkeypatch, capsys):
    def refuse(file, operation):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    recording = write(tmp_path / "a.wav", tones(EVENTS, 3.0, 8000), 8000)
    analyse(recording, tmp_path / "out", model, replace(SETTINGS, page=False, sounds=False))
    assert (tmp_path / "out/events.tsv").is_file()
    assert "this drive keeps no locks" in capsys.readouterr().err


def test_results_that_another_process_makes_are_left_to_it(tmp_path, model):
    recording = write(tmp_path / "a.wav", tones(EVENTS, 3.0, 8000), 8000)
    with (tmp_path / ".out.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(DataError, match="another process makes these results just now"):
            analyse(recording, tmp_path / "out", model, SETTINGS)
    assert not (tmp_path / "out").exists()


def test_a_failure_leaves_earlier_results(tmp_path, model, monkeypatch):
    recording = write(tmp_path / "a.wav", tones(EVENTS, 3.0, 8000), 8000)
    expected = analyse(recording, tmp_path / "out", model, SETTINGS)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(page, "write_page", full)
    with pytest.raises(OSError, match="No space"):
        analyse(recording, tmp_path / "out", model, SETTINGS)
    assert read_analysis(tmp_path / "out").events == expected.events
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_sound_names_are_plain_and_differ():
    labels = ["a b", "a_b", "../../x", "$(touch x)", "rest", "Rest", "car horn"]
    names = sound_names(labels)
    assert list(names) == labels
    folded = [name.casefold() for name in names.values()]
    assert len(set(folded)) == len(folded) and "rest" not in folded
    assert all(re.fullmatch(r"[\w.-]+", name) and not name.startswith(".") for name in folded)
