"""Conditions that users of other tools reported, on small inputs of our own.

``docs/explanation/field_reports.md`` names the report of each; what broke there has to come out right
here, or be refused by a message that names it.
"""

import io
import os
import re
import shutil
import struct
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import soundfile
from loud_bands import CLASSES, SETTINGS, make_model, tones
from sklearn.metrics import roc_auc_score
from wav_chunks import AC3, FLOAT, MP3, PCM, chunk, extensible, form, pcm, wav

from tfseg.apply.analysis import analyse, sound_names
from tfseg.apply.listing import Recording, find_recordings
from tfseg.datasets.clips import clip_events
from tfseg.datasets.corpus_tables import mixture_labels, read_table, write_table
from tfseg.datasets.inspection import inspect_recording
from tfseg.errors import DataError, TableError
from tfseg.evaluation.event_based import count_events, event_scores
from tfseg.evaluation.intersection import PsdsCounts, count_intersections, has_psds
from tfseg.features.time_grid import TimeGrid
from tfseg.inference.histogram import ScoreHistogram

LOW, HIGH = CLASSES
EVENTS = [(LOW, 0.7, 1.4), (HIGH, 2.0, 2.8)]
RATE = 44100
FRAME_S, WINDOW_S = 256 / 8000, 512 / 8000  # of the model of known answers


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("bands") / "model")


@pytest.fixture
def apply(model, tmp_path):
    """Return a function that applies the model to a file: its events; sounds must add up to it."""

    def apply_to(path):
        folder = tmp_path / f"{path.name} applied"
        settings = replace(SETTINGS, page=False)
        events = analyse(Recording(path.stem, path), folder, model, settings).events
        sounds = [soundfile.read(wav, always_2d=True)[0] for wav in folder.glob("separated/*")]
        if sounds:
            recording = soundfile.read(path, always_2d=True)[0]
            np.testing.assert_allclose(sum(sounds), recording, atol=1e-6)
        return events

    return apply_to


def _assert_found(events, expected):
    assert [event.label for event in events] == [label for label, _, _ in expected]
    for event, (_, onset_s, offset_s) in zip(events, expected, strict=True):
        # A frame starts up to a window before what it first holds.
        assert event.onset_s == pytest.approx(onset_s, abs=2.5 * FRAME_S)
        assert event.offset_s == pytest.approx(offset_s, abs=2.5 * FRAME_S)


def _problems(path):
    """What the corpus check says of a recording."""
    row = {"role": "event", "path": str(path), "start_s": 0.0, "stop_s": np.nan, "label": "Bark"}
    return [problem["problem"] for problem in inspect_recording(row)[1]]


# Recordings


def _mono(rate=RATE):
    return tones(EVENTS, 3.0, rate)[:, 0]


def _odd():
    """An odd number of samples of 24 bits: an odd number of bytes."""
    return chunk(b"data", pcm(_mono()[:-1], 24), pad=b"")


def _mp3():
    file = io.BytesIO()
    soundfile.write(file, _mono(), RATE, format="MP3")
    return file.getvalue()


_COMMENT = "Recorded at 21:00:00 19/02/2024 (UTC) by AudioMoth 00AB at gain, 4.2V and 20.1°C."
_INFO = b"INFO" + chunk(b"ICMT", _COMMENT.encode("latin-1").ljust(384, b"\0"))
_AFTER = chunk(b"LIST", b"INFO" + chunk(b"ICMT", b"after"))
_DATA = chunk(b"data", pcm(_mono(), 16))
_MP3_FORM = struct.pack("<HHIIHHHHIHHH", MP3, 1, RATE, 16000, 1, 0, 12, 1, 2, 417, 1, 1393)
FORMS = {
    # libsndfile #370, #542: a list of 384 KiB of zeros before the samples
    "zeros before the samples.wav": [form(PCM, 1, RATE, 16), chunk(b"LIST", bytes(393164)), _DATA],
    # libsndfile #331, #887; BWFMetaEdit #155
    "odd, padded.wav": [form(PCM, 1, RATE, 24), _odd() + b"\0", _AFTER],
    "odd, padded by another byte.wav": [form(PCM, 1, RATE, 24), _odd() + b"\x51", _AFTER],
    "odd, not padded.wav": [form(PCM, 1, RATE, 24), _odd(), _AFTER],
    # taglib-sharp #101: chunks of odd length before the samples
    "broadcast.wav": [chunk(b"bext", bytes(603)), form(PCM, 1, RATE, 16), chunk(b"axml", b"<a></a>"),
                      chunk(b"iXML", "<u>ü</u>".encode()), chunk(b"JUNK", bytes(27)), _DATA],
    # librosa #749: bytes of a frame that is not whole
    "part of a frame.wav": [form(FLOAT, 2, RATE, 32),
                            chunk(b"data", np.repeat(_mono(), 2).astype("<f4").tobytes() + bytes(6))],
    # wavio #4
    "extensible.WAV": [extensible(1, 96000, 24, valid_bits=24, speakers=4),
                       chunk(b"data", pcm(_mono(96000), 24))],
    "20 of 24 bits.wav": [extensible(1, RATE, 24, valid_bits=20), chunk(b"data", pcm(_mono(), 24))],
    # opensoundscape #420, #520, #880
    "AudioMoth.WAV": [form(PCM, 1, RATE, 16), chunk(b"LIST", _INFO), _DATA],
    # supercollider #3137
    "mp3 in a wav.wav": [chunk(b"fmt ", _MP3_FORM), chunk(b"data", _mp3())],
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_a_wav_of_a_recorder_or_an_editor_is_read_to_its_end(tmp_path, apply, name):
    path = tmp_path / name
    path.write_bytes(wav(*FORMS[name]))
    assert _problems(path) == []
    assert [recording.path for recording in find_recordings([tmp_path], "out").recordings] == [path]
    _assert_found(apply(path), EVENTS)


def test_a_wav_whose_samples_nobody_can_decode_is_refused_by_name(tmp_path, apply):
    """python-soundfile #345"""
    path = tmp_path / "surround.wav"
    samples = np.random.default_rng(0).bytes(40000)
    path.write_bytes(wav(form(AC3, 2, 48000, 16), chunk(b"data", b"\x0b\x77" + samples)))
    assert _problems(path) == ["unreadable"]
    with pytest.raises(DataError, match=r"surround\.wav: expected a sound file, found one that"):
        apply(path)


def test_a_pointer_in_place_of_a_recording_is_refused_by_name(tmp_path, apply):
    """CREMA-D #3, DNS-Challenge #6: cloned without git-lfs"""
    path = tmp_path / "pointer.wav"
    path.write_text(
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 72862\n"
    )
    assert _problems(path) == ["unreadable"]
    with pytest.raises(DataError, match=r"pointer\.wav: .* a pointer of git-lfs: .*git lfs pull"):
        apply(path)


@pytest.mark.parametrize("rate", [8000, 22050, 48000, 96000, 192000, 384000])
def test_times_do_not_depend_on_the_rate(tmp_path, apply, rate):
    """ReSampler #39, pedalboard #287"""
    path = tmp_path / "a.flac"
    soundfile.write(path, tones(EVENTS, 3.0, rate), rate, subtype="PCM_24")
    events = apply(path)
    _assert_found(events, EVENTS)
    assert events[0].onset_s == pytest.approx(0.672)  # the same frame at every rate


@pytest.mark.parametrize("subtype", ["ULAW", "IMA_ADPCM", "MS_ADPCM", "GSM610"])
def test_recordings_of_telephones_and_loggers(tmp_path, apply, subtype):
    """Steganography #1; blocks of these formats end with up to 0.04 s that nobody recorded."""
    path = tmp_path / "call.wav"
    soundfile.write(path, tones(EVENTS, 3.0, 8000), 8000, subtype=subtype)
    assert _problems(path) == []
    _assert_found(apply(path), EVENTS)


@pytest.mark.parametrize("sounding", [[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]])
def test_microphones_that_record_nothing_hide_no_event(tmp_path, apply, sounding):
    """sof #1475: channels 3 and 4 of 4 are silent"""
    path = tmp_path / "array.wav"
    soundfile.write(
        path, tones(EVENTS, 3.0, 48000, 4) * np.array(sounding), 48000, subtype="PCM_24"
    )
    assert _problems(path) == []
    _assert_found(apply(path), EVENTS)


# Borders of recordings and windows


@pytest.mark.parametrize("more", [-256, -1, 0, 1, 255, 256, 257, 8000, 16001])
def test_a_last_window_of_any_length(tmp_path, apply, more):
    """pyannote-audio #1260, opensoundscape #531: what is left is shorter than a window"""
    path = tmp_path / "a.wav"
    soundfile.write(path, tones([(LOW, 0.5, 1.0)], 5.0, 8000)[: 16000 + more], 8000)
    _assert_found(apply(path), [(LOW, 0.5, 1.0)])


@pytest.mark.parametrize("window_s", [0.7, 1.1, 4 / 3, 2.9, 60.0])
def test_a_window_whose_length_is_no_round_number(tmp_path, model, window_s):
    """opensoundscape #996"""
    path = tmp_path / "a.wav"
    soundfile.write(path, tones(EVENTS, 3.0, 8000), 8000)
    settings = replace(SETTINGS, page=False, sounds=False, window_s=window_s)
    recording = Recording("a", path)
    _assert_found(analyse(recording, tmp_path / "out", model, settings).events, EVENTS)


@pytest.mark.parametrize("duration_s", [2.0, 3.0, 3.02, 10.01])
def test_sounds_at_both_ends_of_a_recording_are_found(tmp_path, apply, duration_s):
    """librosa #585, BirdNET-Analyzer #711: no onset at 0, nothing found near the end"""
    path = tmp_path / "a.wav"
    soundfile.write(
        path, tones([(LOW, 0.0, 0.6), (HIGH, duration_s - 0.6, 99)], duration_s, RATE), RATE
    )
    first, last = apply(path)
    assert (first.label, first.onset_s) == (LOW, 0.0)
    assert last.label == HIGH
    # The last frame is the last that is whole.
    assert duration_s - WINDOW_S - FRAME_S < last.offset_s <= duration_s


def test_overlapping_sounds_of_one_class_are_one_event(tmp_path, apply):
    path = tmp_path / "a.wav"
    soundfile.write(
        path, tones([(LOW, 0.5, 1.5)], 3.0, 8000) + tones([(LOW, 1.0, 2.0)], 3.0, 8000), 8000
    )
    _assert_found(apply(path), [(LOW, 0.5, 2.0)])


# Tables

HEADER = "filename\tonset\toffset\tevent_label\n"


@pytest.mark.parametrize(
    ("text", "encoding", "message"),
    [
        ("path,tags\nü.wav,Bark\n", "cp1252", "clips.csv: expected text saved as UTF-8"),
        ("path,tags\na.wav,Bark\n", "utf-16", "clips.csv: expected text saved as UTF-8"),
        ("a.wav,Bark\n", "utf-8", "clips.csv: expected the columns path, tags"),
        ("path;tags\na.wav;Bark\n", "utf-8", "It is separated by semicolons"),
    ],
    ids=["BirdNET-Analyzer #326", "rachis #433", "sed_eval #15", "semicolons"],
)
def test_a_table_saved_otherwise_is_named(tmp_path, text, encoding, message):
    path = tmp_path / "clips.csv"
    path.write_bytes(text.encode(encoding))
    with pytest.raises(TableError) as error:
        read_table(path, "own_clips")
    assert message in str(error.value)


def _clip_events(folder, rows):
    (folder / "clips.csv").write_text("path,tags\na.wav,Bark\nb.wav,\n")
    (folder / "strong.tsv").write_text(HEADER + rows)
    durations_s = {"a.wav": 10.0, "b.wav": 10.0}
    events, _ = clip_events(
        folder,
        durations_s,
        classes=["Bark", "Gong"],
        other_labels="error",
        label_excess_s=0.0,
    )
    return events


def test_a_table_of_events_with_column_names_alone_is_no_reference(tmp_path):
    """opensoundscape #784, soundata #186; a clip known to have no event has a row of its own"""
    assert _clip_events(tmp_path, "") == {}
    assert _clip_events(tmp_path, "b.wav\t\t\t\n") == {"b.wav": []}


def test_events_of_one_class_that_overlap_are_scored_as_one(tmp_path):
    """DESED #55, dcase20_task4 #8: PSDS refused a public validation set for it"""
    rows = "a.wav\t0.000\t10.000\tBark\na.wav\t4.0\t5.0\tBark\na.wav\t1.1400000000000001\t2\tGong\n"
    events = _clip_events(tmp_path, rows)
    table = [
        {"mixture": clip, "label": label, "onset_s": onset_s, "offset_s": offset_s}
        for clip, of_clip in events.items()
        for label, onset_s, offset_s in of_clip
    ]
    labels = mixture_labels(pd.DataFrame(table))
    assert labels == {"a.wav": [("Bark", 0.0, 10.0), ("Gong", 1.1400000000000001, 2.0)]}


@pytest.mark.parametrize("label", ["कुत्ता", "สุนัข", "Hu\u0308hnerhabicht", "車 horn"])
def test_labels_of_any_script_pass_through_the_tables(tmp_path, label):
    """couchers #9183, xregexp #111, #232: marks that combine with a letter are taken for none"""
    row = {"path": "a.wav", "label": label, "fold": 1, "start_s": 0.0, "stop_s": 1.5, "group": "a",
           "licence": "CC0", "part": "train"}  # fmt: skip
    write_table(tmp_path / "events.csv", pd.DataFrame([row]), "events")
    assert read_table(tmp_path / "events.csv", "events")["label"].tolist() == [label]
    (name,) = sound_names([label]).values()
    assert name and "/" not in name


# Scores


@pytest.mark.skipif(
    not has_psds(), reason="sed_scores_eval is not installed: it needs a C compiler"
)
@pytest.mark.parametrize("last_s", [9.9, 10.0, 10.009])
def test_psds_of_what_overlaps_touches_lasts_no_time_or_ends_with_the_clip(last_s):
    """DESED #55"""
    grid, rng = TimeGrid(1000, 100, 100), np.random.default_rng(0)
    frames = {"a": rng.random((100, 2)), "b": rng.random((100, 2))}
    durations_s = {"a": 10.0, "b": 10.0}
    plain = {"a": [("Bark", 0.0, last_s), ("Gong", 1.0, 2.0)], "b": []}
    cut_up = [("Bark", 0.0, 5.0), ("Bark", 5.0, last_s), ("Bark", 4.0, 6.0), ("Bark", 7.0, 7.0)]
    score = [
        PsdsCounts(frames, reference, durations_s, ["Bark", "Gong"], grid).score()
        for reference in (plain, plain | {"a": [*cut_up, ("Gong", 1.0, 2.0)]})
    ]
    assert score[0] == score[1]
    assert np.isfinite(list(score[0][0].values())).all()


def test_what_is_found_in_a_clip_without_events_counts_as_false():
    """dcase2018_baseline #26, DCASE2017 baseline #40"""
    reference = {"a": [], "b": [("Bark", 0.0, 1.0)]}
    estimated = {"a": [("Bark", 1.0, 2.5)], "b": [("Bark", 0.0, 1.0)]}
    counts = count_events(reference, estimated, classes=["Bark"], collar_s=0.2, offset_fraction=0.5)
    by_class, _, _ = event_scores(counts)
    assert by_class["f1"][0] == pytest.approx(2 / 3)
    predicted, positive, hit = count_intersections(["a", "b"], reference, estimated, ["Bark"])
    assert (predicted.sum(), positive.sum(), hit.sum()) == (2, 1, 1)


def test_a_class_that_is_always_there_has_no_auc_and_spoils_no_mean():
    """sota-music-tagging-models #15, panotti #35: scikit-learn stops or warns"""
    scores = np.array([[0.1, 0.2], [0.3, 0.9]], dtype=np.float16)
    positive = np.array([[True, False], [True, True]])
    auc = ScoreHistogram.of(scores, positive).auc()
    assert np.isnan(auc[0])
    assert auc[1] == roc_auc_score(positive[:, 1], scores[:, 1]) == 1.0


# Machines


@pytest.mark.parametrize("error", ["ENOLCK", "ENOSYS", "EOPNOTSUPP"])
def test_results_on_a_drive_without_locks_are_read(tmp_path, repository, error):
    """h5py #1082, #1101: HDF5 wants to lock what it reads, and NFS may lack the service"""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler, to have a drive refuse locks")
    source = f"#include <errno.h>\nint flock(int f, int o) {{ errno = {error}; return -1 + 0 * (f + o); }}"
    (tmp_path / "no_locks.c").write_text(source)
    library = tmp_path / "no_locks.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", library, tmp_path / "no_locks.c"], check=True
    )
    code = (
        "from tfseg.io.files import create_dataset, reading_hdf5, writing_hdf5\n"
        "with writing_hdf5('a.h5') as file: create_dataset(file, 'x', data=[1, 2, 3])\n"
        "with reading_hdf5('a.h5') as file: print(file['x'][:].sum())\n"
    )
    environment = os.environ | {
        "LD_PRELOAD": str(library), "PYTHONPATH": str(repository / "workflow_scripts")
    }  # fmt: skip
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert found.stdout == "6\n", found.stderr


# The page


def test_every_report_on_the_page_names_a_test(repository):
    page = (repository / "docs/explanation/field_reports.md").read_text(encoding="utf-8")
    source = r"\| ([^|]*#[0-9]|own trial)"
    rows = [line.split(" | ") for line in page.splitlines() if re.match(source, line)]
    assert len(rows) > 60
    names = [name for name in globals() if name.startswith("test_")]
    for row in rows:
        assert len(row) == 4 and "`" in row[3], row
        for word in re.findall(r"`([^`]+)`", row[3]):
            is_file = word.endswith(".py") and (repository / "tests" / word).is_file()
            assert is_file or any(word in name for name in names), word
