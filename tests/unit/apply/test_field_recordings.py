"""What people's recordings are like: each costs only itself, and says what is wrong with it."""

import struct
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import soundfile
from loud_bands import SETTINGS, tones

from tfseg.apply import inspection
from tfseg.apply.analysis import analyse
from tfseg.apply.bulk import Batch, apply_to, attempt
from tfseg.apply.listing import Recording
from tfseg.apply.results import analyses_in, read_analysis
from tfseg.apply.summary import write_summary
from tfseg.errors import DataError, NotWrittenError

RATE = 8000
EVENTS = [("low tone", 0.7, 1.4), ("low tone", 2.9, 4.2)]


def _sound(n_s=6.0, rate=RATE, n_channels=1):
    return tones(EVENTS, n_s, rate, n_channels)


@pytest.fixture
def batch(tmp_path, model):
    """Return a function that analyses files beside a good one; gives rows of recordings.csv."""

    def run(write, name="odd.wav"):
        folder, out = tmp_path / "in", tmp_path / "out"
        folder.mkdir()
        for good in ("before.wav", "later.wav"):
            soundfile.write(folder / good, _sound(), RATE)
        write(folder / name)
        recordings = [
            Recording(path.stem, path)
            for path in (folder / "before.wav", folder / name, folder / "later.wav")
        ]
        done, failures = apply_to(recordings, Batch(out, SETTINGS), model)
        write_summary(out, analyses_in(out, done), failures, model)
        table = pd.read_csv(out / "recordings.csv", keep_default_na=False).set_index("recording")
        for good in ("before", "later"):
            row = table.loc[good]
            assert (row.status, row.reason, int(row.events)) == ("done", "", len(EVENTS))
        return table.loc["odd"], out

    return run


def _cut(n_bytes):
    def write(path):
        soundfile.write(path, _sound(12.0), RATE)
        path.write_bytes(path.read_bytes()[:n_bytes])

    return write


def test_a_wav_that_promises_more_than_it_holds(batch, capsys):
    row, out = batch(_cut(44 + 6 * 2 * RATE))
    assert row.status == "done with warnings"
    assert row.reason == (
        "truncated: expected 192000 bytes of samples, as its header says, found 96000 bytes"
    )
    assert (float(row.duration_s), int(row.events)) == (6.0, 2)
    assert "WARNING, truncated" in capsys.readouterr().out
    assert "truncated: expected" in (out / "odd" / "page.html").read_text(encoding="utf-8")
    assert "truncated: expected" in (out / "index.html").read_text(encoding="utf-8")
    assert "1 analysed with a warning" in (out / "index.html").read_text(encoding="utf-8")
    assert read_analysis(out / "odd").notes == (row.reason,)


def _unfinished(path):
    soundfile.write(path, _sound(), RATE)
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, 4, 0)
    struct.pack_into("<I", content, 40, 0)
    path.write_bytes(content)


def test_a_header_that_was_never_finished(batch):
    row, _ = batch(_unfinished)
    assert row.status == "done with warnings"
    assert row.reason.startswith("unfinished header")
    assert (float(row.duration_s), int(row.events)) == (6.0, 2)


def _half_flac(path):
    soundfile.write(path, _sound(), RATE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_a_flac_cut_in_half_fails_alone(batch):
    row, out = batch(_half_flac, "odd.flac")
    assert row.status == "failed"
    assert "odd.flac" in row.reason
    assert "cut off" in row.reason
    assert not (out / "odd").exists()


def _flac_of_unknown_length(path):
    soundfile.write(path, _sound(), RATE)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)


def test_a_flac_of_unknown_length_is_whole(batch):
    row, out = batch(_flac_of_unknown_length, "odd.flac")
    assert (row.status, float(row.duration_s), int(row.events)) == ("done", 6.0, 2)
    sounds = [soundfile.read(path)[0] for path in sorted((out / "odd/separated").iterdir())]
    np.testing.assert_allclose(sum(sounds), _sound()[:, 0], atol=1e-4)


def test_channels_that_cancel_are_refused_with_the_remedy(batch):
    def write(path):
        soundfile.write(path, _sound() * [[1, -1]], RATE)

    row, _ = batch(write)
    assert row.status == "failed"
    assert "cancel each other" in row.reason
    assert "ffmpeg" in row.reason


@pytest.mark.parametrize("offset", [0.2, -0.45])
def test_an_offset_changes_no_event(tmp_path, model, offset):
    found, settings = {}, replace(SETTINGS, level="as_trained")
    for name, add in (("plain", 0), ("offset", offset)):
        path = tmp_path / f"{name}.wav"
        soundfile.write(path, 0.1 * _sound() + add, RATE, subtype="FLOAT")
        found[name] = analyse(Recording(name, path), tmp_path / "out" / name, model, settings)
    times = {
        name: [(e.label, e.onset_s, e.offset_s) for e in a.events] for name, a in found.items()
    }
    assert len(times["plain"]) == len(EVENTS)
    assert times["offset"] == times["plain"]
    assert found["plain"].notes == ()
    (note,) = found["offset"].notes
    assert note.startswith("dc offset")


@pytest.mark.parametrize("n_samples", [1, 300, 511])
def test_a_sound_shorter_than_one_frame_says_so(batch, n_samples):
    def write(path):
        soundfile.write(path, _sound()[8000 : 8000 + n_samples], RATE, subtype="FLOAT")

    row, _ = batch(write)
    assert row.status == "done with warnings"
    assert "shorter than one frame" in row.reason
    assert f"found {n_samples} sample" in row.reason
    assert float(row.duration_s) == pytest.approx(n_samples / RATE)


def test_floats_beyond_full_scale_are_heard_unclipped(batch):
    def write(path):
        soundfile.write(path, 20000 * _sound(), RATE, subtype="FLOAT")

    row, out = batch(write)
    assert (row.status, int(row.events)) == ("done", 2)
    samples = soundfile.read(out / "odd/page_files/recording.flac")[0]
    assert (np.abs(samples) > 0.999).mean() < 0.01
    expected = _sound()[:, 0] / np.abs(_sound()).max()
    np.testing.assert_allclose(samples, expected, atol=1e-3)
    page = (out / "odd/page.html").read_text(encoding="utf-8")
    assert "dB lower" in page
    assert "page_files/separated0.flac" in page
    own = soundfile.read(out / "odd/separated/rest.wav")[0]
    assert np.abs(own).max() > 100  # the files keep the recording's level


def _with_header(place, code, value):
    def write(path):
        soundfile.write(path, _sound(), RATE)
        content = bytearray(path.read_bytes())
        struct.pack_into(code, content, place, value)
        path.write_bytes(content)

    return write


@pytest.mark.parametrize(
    "write",
    [
        _with_header(22, "<H", 0), _with_header(22, "<H", 60000), _with_header(24, "<I", 0),
        _with_header(24, "<I", 0xFFFFFFFF), _with_header(34, "<H", 0), _with_header(34, "<H", 99),
        _with_header(16, "<I", 0xFFFFFFF0), _with_header(20, "<H", 0x55),
        lambda path: soundfile.write(path, np.full(9000, np.inf), RATE, subtype="FLOAT"),
        lambda path: soundfile.write(path, np.full(9000, np.nan), RATE, subtype="FLOAT"),
        lambda path: path.write_bytes(b"\0" * 5000), lambda path: path.mkdir(),
        lambda path: path.symlink_to("nowhere.wav"),
    ],
)  # fmt: skip
def test_whatever_a_file_does_it_costs_only_itself(batch, write):
    row, _ = batch(write)
    assert row.status in ("failed", "done with warnings") or float(row.duration_s) > 0
    assert row.status == "done" or row.reason


@pytest.mark.parametrize("error", [ValueError("odd"), MemoryError(), RuntimeError("deep")])
def test_an_error_that_nobody_expected_costs_one_recording(tmp_path, model, monkeypatch, error):
    path = tmp_path / "a.wav"
    soundfile.write(path, _sound(), RATE)

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(inspection, "measure", fail)
    batch = Batch(tmp_path / "out", SETTINGS)
    done, failures = apply_to([Recording("a", path)], batch, model)
    assert done == {}
    assert type(error).__name__ in failures["a", str(path)]


@pytest.mark.parametrize(
    "error", [NotWrittenError("full"), OSError(28, "full"), KeyboardInterrupt()]
)
def test_what_is_no_fault_of_a_recording_ends_the_batch(error):
    def fail():
        raise error

    with pytest.raises(type(error)):
        attempt(fail)


def test_a_reason_is_given_for_what_cannot_be_used():
    def fail():
        raise DataError("a.wav: bad")

    assert attempt(fail) == (None, "a.wav: bad")
    assert attempt(lambda: 3) == (3, None)
