"""What the one pass over all recordings finds, on small real files."""

import hashlib
import struct

import numpy as np
import pandas as pd
import pytest
import soundfile

from tfseg.datasets import corpus_tables, inspection
from tfseg.io import headers, measuring

RATE = 8000
ONE_STEP = 1 / 32768  # of 16 bit


def _row(path, **changes):
    row = {"path": str(path), "role": "event", "label": "Bark", "start_s": 0.0}
    return row | {"stop_s": np.nan} | changes


def _noise(*shape, seed=0):
    """Values between 0.1 and 0.5 of both signs, with a mean near zero."""
    rng = np.random.default_rng(seed)
    signs = rng.permuted(np.where(np.arange(np.prod(shape)) % 2, 1, -1)).reshape(shape)
    return (rng.uniform(0.1, 0.5, shape) * signs).astype(np.float32)


def _problems(path, **changes):
    return [
        problem["problem"] for problem in inspection.inspect_recording(_row(path, **changes))[1]
    ]


def _facts(path, **changes):
    return inspection.inspect_recording(_row(path, **changes))[0]


@pytest.fixture
def write(tmp_path):
    """Return a function that writes samples as 32-bit float and gives the path."""

    def write_samples(samples, name="a.wav", subtype="FLOAT"):
        soundfile.write(tmp_path / name, samples, RATE, subtype=subtype)
        return tmp_path / name

    return write_samples


def _state_length(path, n_bytes):
    """Make a wav file's header say how many bytes of samples follow."""
    content = bytearray(path.read_bytes())
    assert content[36:40] == b"data"
    struct.pack_into("<I", content, 40, n_bytes)
    struct.pack_into("<I", content, 4, min(n_bytes + 36, 0xFFFFFFFF))
    path.write_bytes(content)


# Facts


def test_a_good_recording_has_facts_and_no_problem(write):
    samples = _noise(4000)
    path = write(samples)
    facts, problems = inspection.inspect_recording(_row(path))
    assert problems == []
    assert facts == {
        "role": "event",
        "path": str(path),
        "start_s": 0.0,
        "sample_rate": RATE,
        "channels": 1,
        "file_s": 0.5,
        "peak": round(float(np.abs(samples).max()), 9),
        "sound_start_s": 0.0,
        "sound_stop_s": 0.5,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


@pytest.mark.parametrize(("name", "subtype"), [("a.flac", "PCM_16"), ("a.ogg", "VORBIS")])
def test_other_formats_have_facts_too(write, name, subtype):
    path = write(0.5 * np.sin(np.arange(4000) / 5), name, subtype)
    facts, problems = inspection.inspect_recording(_row(path))
    assert problems == []
    assert (facts["sample_rate"], facts["channels"], facts["file_s"]) == (RATE, 1, 0.5)
    assert facts["peak"] == pytest.approx(0.5, abs=0.05)


def test_the_borders_of_a_sound_between_digital_silence_are_found(write):
    samples = np.zeros(8000)
    samples[1000:2000] = _noise(1000)
    samples[1500] = 0  # silence inside does not count
    facts = _facts(write(samples))
    assert (facts["sound_start_s"], facts["sound_stop_s"]) == (0.125, 0.25)


def test_a_single_sample_sounds_for_one_sample(write):
    samples = np.zeros(8000)
    samples[4000] = -0.25
    facts = _facts(write(samples))
    assert (facts["sound_start_s"], facts["sound_stop_s"]) == (0.5, 0.500125)
    assert facts["peak"] == 0.25


def test_less_than_one_step_of_sixteen_bit_is_silence(write):
    samples = np.full(8000, 0.99 * ONE_STEP)
    samples[2000:3000] = -ONE_STEP
    facts = _facts(write(samples))
    assert (facts["sound_start_s"], facts["sound_stop_s"]) == (0.25, 0.375)


def test_any_channel_sounds(write):
    samples = np.zeros((8000, 3))
    samples[1000:2000, 2] = 0.125
    samples[3000:4000, 0] = -0.25
    facts = _facts(write(samples))
    assert facts["channels"] == 3
    assert facts["peak"] == 0.25
    assert (facts["sound_start_s"], facts["sound_stop_s"]) == (0.125, 0.5)


def test_only_the_segment_is_looked_into(write):
    samples = np.zeros(8000)
    samples[:1000] = 0.5
    samples[2000:3000:2], samples[2001:3000:2] = 0.25, -0.25
    samples[7000:] = np.nan
    path = write(samples)
    facts, problems = inspection.inspect_recording(_row(path, start_s=0.2, stop_s=0.8))
    assert problems == []
    assert facts["file_s"] == 1.0
    assert facts["peak"] == 0.25
    assert (facts["sound_start_s"], facts["sound_stop_s"]) == (0.25, 0.375)
    assert _problems(path, start_s=0.2, stop_s=0.25) == ["silent"]
    assert _problems(path, start_s=0.25) == ["not_finite"]


def test_segments_are_cut_at_the_samples_that_are_read_later(write):
    samples = np.full(8000, 0.25)
    samples[1001] = samples[4003] = 0.5
    path = write(samples)
    assert _facts(path, start_s=1002 / RATE, stop_s=4003 / RATE)["peak"] == 0.25
    assert _facts(path, start_s=1001 / RATE, stop_s=4003 / RATE)["peak"] == 0.5
    assert _facts(path, start_s=1002 / RATE, stop_s=4004 / RATE)["peak"] == 0.5


# Files that cannot be used


def test_a_missing_file_is_found(tmp_path):
    facts, problems = inspection.inspect_recording(_row(tmp_path / "a.wav", start_s=1.5))
    assert problems == [
        {
            "path": str(tmp_path / "a.wav"),
            "role": "event",
            "start_s": 1.5,
            "label": "Bark",
            "problem": "missing",
            "severity": "error",
            "expected": "a sound file",
            "found": "nothing there",
        }
    ]
    assert (facts["start_s"], facts["sample_rate"], facts["sha256"]) == (1.5, 0, "")
    assert np.isnan(facts["file_s"])


def test_a_folder_is_no_recording(tmp_path):
    (tmp_path / "a.wav").mkdir()
    assert _problems(tmp_path / "a.wav") == ["missing"]


@pytest.mark.parametrize("content", [b"\0", b"this is not sound" * 50, bytes(range(256)) * 20])
@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg"])
def test_something_else_than_sound_is_unreadable(tmp_path, content, name):
    path = tmp_path / name
    path.write_bytes(content)
    facts, problems = inspection.inspect_recording(_row(path))
    assert [problem["problem"] for problem in problems] == ["unreadable"]
    assert problems[0]["severity"] == "error"
    assert facts["sha256"] == hashlib.sha256(content).hexdigest()
    assert facts["sample_rate"] == 0


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg"])
def test_a_file_of_zero_bytes_is_empty(tmp_path, name):
    (tmp_path / name).touch()
    facts, problems = inspection.inspect_recording(_row(tmp_path / name))
    assert [(p["problem"], p["severity"]) for p in problems] == [("empty", "error")]
    assert (problems[0]["expected"], problems[0]["found"]) == ("a sound file", "no bytes")
    assert (facts["sample_rate"], facts["sha256"]) == (0, "")


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_truncated_flac_file_is_unreadable(write, kept):
    path = write(_noise(40000), "a.flac", "PCM_16")
    content = path.read_bytes()
    assert _problems(path) == []
    path.write_bytes(content[: int(kept * len(content))])
    assert _problems(path) == ["unreadable"]


def test_why_a_file_is_unreadable_is_said_without_its_path(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"no sound")
    problem = inspection.inspect_recording(_row(tmp_path / "a.wav"))[1][0]
    assert problem["expected"] == "a file that libsndfile or ffmpeg reads"
    assert "Format not recognised" in problem["found"]
    assert str(tmp_path) not in problem["found"]


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "FLOAT"])
@pytest.mark.parametrize("n_lost", [1, 100, 4001])
def test_a_truncated_wav_file_is_found(write, subtype, n_lost):
    path = write(_noise(8000), subtype=subtype)
    assert _problems(path) == []
    content = path.read_bytes()
    path.write_bytes(content[:-n_lost])
    assert _problems(path) == ["truncated"]


def test_how_much_a_truncated_file_lacks_is_said(write):
    path = write(_noise(8000), subtype="PCM_16")
    path.write_bytes(path.read_bytes()[:-1000])
    facts, problems = inspection.inspect_recording(_row(path))
    assert problems[0]["expected"] == "16000 bytes of samples, as its header says"
    assert problems[0]["found"] == "15000 bytes"
    assert problems[0]["severity"] == "error"
    assert facts["file_s"] == 0.9375


def test_a_truncated_wav_file_is_found_behind_long_metadata(write):
    # libsndfile tells of 2 kB; a broadcast wav file's notes alone may be longer.
    path = write(_noise(8000), subtype="PCM_16")
    notes = b"LIST" + struct.pack("<I", 4 + 50 * 108) + b"INFO"
    notes += 50 * (b"ICMT" + struct.pack("<I", 100) + b"x" * 99 + b"\0")
    content = path.read_bytes()
    content = content[:36] + notes + content[36:]
    path.write_bytes(b"RIFF" + struct.pack("<I", len(content) - 8) + content[8:])
    assert _problems(path) == []
    path.write_bytes(path.read_bytes()[:-4000])
    assert _problems(path) == ["truncated"]


def test_a_truncated_wav_file_is_found_behind_a_chunk_of_odd_length(write):
    path = write(_noise(8000), subtype="PCM_16")
    content = path.read_bytes()
    content = content[:36] + b"note" + struct.pack("<I", 3) + b"abc\0" + content[36:]
    path.write_bytes(b"RIFF" + struct.pack("<I", len(content) - 8) + content[8:])
    assert _problems(path) == []
    path.write_bytes(path.read_bytes()[:-2])
    assert _problems(path) == ["truncated"]


@pytest.mark.parametrize("n_lost", [2, 4000])
@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])  # FLOAT makes an AIFF file AIFC
@pytest.mark.parametrize("name", ["a.aiff", "a.au"])
def test_a_truncated_file_of_another_format_is_found(write, name, subtype, n_lost):
    path = write(_noise(8000), name, subtype)
    assert _problems(path) == []
    path.write_bytes(path.read_bytes()[:-n_lost])
    assert _problems(path) == ["truncated"]


def test_an_mp3_file_that_ends_before_its_header_says_is_truncated(write):
    path = write(_noise(40000), "a.mp3", "MPEG_LAYER_III")
    assert _problems(path) == []
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    problem = inspection.inspect_recording(_row(path))[1][0]
    assert (problem["problem"], problem["severity"]) == ("truncated", "error")
    assert problem["expected"] == "5.000 s, as its header says"
    assert 2 < float(problem["found"].removesuffix(" s")) < 3


def _pages(content):
    """Where the pages of an Ogg file begin."""
    starts, position = [], 0
    while position < len(content):
        assert content[position : position + 4] == b"OggS"
        starts.append(position)
        n_parts = content[position + 26]
        position += 27 + n_parts + sum(content[position + 27 : position + 27 + n_parts])
    return starts


# The shorter file is smaller than what is read of its end, the longer one is not.
@pytest.mark.parametrize("n_samples", [4 * RATE, 60 * RATE])
@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_a_truncated_ogg_file_is_found(write, subtype, n_samples):
    path = write(_noise(n_samples), "a.ogg", subtype)
    assert _problems(path) == []
    content = path.read_bytes()
    assert (len(content) > headers.OGG_PAGE) == (n_samples == 60 * RATE)
    pages = _pages(content)
    middle, last = pages[len(pages) // 2], pages[-1]
    # At the border of a page, in its header (before its flags), in its middle.
    for kept in (middle, middle + 3, middle + 5, middle + 27, middle + 1000, last, last + 5):
        path.write_bytes(content[:kept])
        assert _problems(path) == ["truncated"], kept
    problem = inspection.inspect_recording(_row(path))[1][0]
    assert (problem["severity"], problem["found"]) == ("error", "none")
    assert problem["expected"] == "an Ogg file with its last page"


@pytest.mark.parametrize("kept", [6, 27, 100, -1])
@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_an_ogg_file_that_was_cut_off_within_its_last_page_is_found(write, subtype, kept):
    path = write(_noise(4 * RATE), "a.ogg", subtype)
    content = path.read_bytes()
    last = _pages(content)[-1]
    path.write_bytes(content[:kept] if kept < 0 else content[: last + kept])
    assert _problems(path) == ["truncated"]


def test_a_truncated_ogg_file_of_one_page_of_sound_is_found(write):
    path = write(_noise(200), "a.ogg", "VORBIS")
    assert _problems(path) == []
    content = path.read_bytes()
    _, _, sound = _pages(content)  # two pages of headers
    for kept in (sound, sound + 5):
        path.write_bytes(content[:kept])
        assert _problems(path) == ["truncated", "empty"], kept
    for kept in (sound + 27, len(content) - 1):
        path.write_bytes(content[:kept])
        assert "empty" in _problems(path), kept
    for kept in (3, 20, sound // 2):
        path.write_bytes(content[:kept])
        assert _problems(path) == ["unreadable"], kept


# 0x7FFFF000: what SoX writes (MS_UNSPEC in its wav.c)
@pytest.mark.parametrize("stated", [0xFFFFFFFF, 0xFFFFFFFF - 36, 0x7FFFFFFF, 0x7FFFF000])
def test_a_wav_file_out_of_a_pipe_is_not_truncated(write, stated):
    path = write(_noise(8000), subtype="PCM_16")
    _state_length(path, stated)
    facts, problems = inspection.inspect_recording(_row(path))
    assert [(p["problem"], p["severity"]) for p in problems] == [("unfinished_header", "warning")]
    assert facts["file_s"] == 1.0


def test_bytes_after_the_samples_are_not_truncation(write):
    path = write(_noise(8000), subtype="PCM_16")
    path.write_bytes(path.read_bytes() + b"LIST\x04\x00\x00\x00INFO")
    assert _problems(path) == []


@pytest.mark.parametrize("name", ["a.wav", "a.ogg"])
def test_a_file_without_samples_is_empty(write, name):
    path = write(np.zeros(0), name, "VORBIS" if name == "a.ogg" else "PCM_16")
    facts, problems = inspection.inspect_recording(_row(path))
    assert [problem["problem"] for problem in problems] == ["empty"]
    assert (problems[0]["severity"], problems[0]["found"]) == ("error", "none")
    assert facts["sample_rate"] == RATE
    assert np.isnan(facts["peak"])


@pytest.mark.parametrize(("start_s", "stop_s"), [(1.0, np.nan), (7.0, 8.0), (0.5, 0.5), (0.5, 0.2)])
def test_a_segment_without_samples_is_empty(write, start_s, stop_s):
    path = write(_noise(8000))
    problems = inspection.inspect_recording(_row(path, start_s=start_s, stop_s=stop_s))[1]
    assert problems[0]["problem"] == "empty"
    assert problems[0]["expected"] == f"samples from {start_s:g} s on"
    assert problems[0]["found"] == "a file of 1.000 s"


@pytest.mark.parametrize("level", [0.0, 0.99 * ONE_STEP])
def test_a_file_without_sound_is_silent(write, level):
    facts, problems = inspection.inspect_recording(_row(write(np.full(100, level))))
    assert [(p["problem"], p["severity"]) for p in problems] == [("silent", "error")]
    assert facts["peak"] == pytest.approx(level, abs=1e-9)
    assert np.isnan(facts["sound_start_s"])
    assert np.isnan(facts["sound_stop_s"])


def test_one_step_of_sixteen_bit_is_not_silent(write):
    assert _problems(write(np.full(100, ONE_STEP))) == []


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("channel", [0, 1])
def test_samples_that_are_not_finite_are_found(write, value, channel):
    samples = _noise(1000, 2)
    samples[500, channel] = value
    facts, problems = inspection.inspect_recording(_row(write(samples)))
    assert [(p["problem"], p["severity"]) for p in problems] == [("not_finite", "error")]
    assert np.isnan(facts["peak"])
    assert np.isnan(facts["sound_start_s"])


def test_a_file_shorter_than_its_label_is_found(write):
    path = write(_noise(8000))
    assert _problems(path, stop_s=1.0) == []
    assert _problems(path, stop_s=1.009) == []  # labels are not so exact
    problems = inspection.inspect_recording(_row(path, stop_s=1.02))[1]
    assert [(p["problem"], p["severity"]) for p in problems] == [("shorter_than_label", "error")]
    assert problems[0]["expected"] == "1.02 s, where its label ends"
    assert problems[0]["found"] == "1.000 s"


# Clipping


def _with_runs(*runs, n_samples=100, level=1.0):
    """Quiet samples with runs of full scale at (first, length)."""
    samples = _noise(n_samples)
    for first, length in runs:
        samples[first : first + length] = level
    return samples


@pytest.mark.parametrize("level", [1.0, -1.0])
@pytest.mark.parametrize("first", [0, 50, 97])
def test_three_samples_at_full_scale_in_a_row_are_clipped(write, level, first):
    path = write(_with_runs((first, 3), level=level))
    facts, problems = inspection.inspect_recording(_row(path))
    assert [(p["problem"], p["severity"]) for p in problems] == [("clipped", "warning")]
    assert facts["peak"] == 1.0


@pytest.mark.parametrize("runs", [[(0, 2)], [(98, 2)], [(10, 2), (13, 2), (16, 1), (18, 2)]])
def test_two_samples_at_full_scale_in_a_row_are_not_clipped(write, runs):
    assert _problems(write(_with_runs(*runs))) == []


def test_full_scale_of_sixteen_bit_counts(write):
    assert _problems(write(_with_runs((50, 3)), subtype="PCM_16")) == ["clipped"]


def test_a_clipped_channel_is_enough(write):
    samples = np.stack([_noise(100), _with_runs((50, 3))], axis=1)
    assert _problems(write(samples)) == ["clipped"]


def test_a_clipped_segment_counts_and_what_is_outside_does_not(write):
    path = write(_with_runs((4000, 4), n_samples=8000))
    assert _problems(path, start_s=0.25, stop_s=0.75) == ["clipped"]
    assert _problems(path, start_s=4002 / RATE) == []  # two of them
    assert _problems(path, stop_s=0.5) == []


@pytest.mark.parametrize("block", [1, 2, 3, 4, 5, 7, 50, 99, 100, 101])
@pytest.mark.parametrize(
    "samples",
    [
        _with_runs((48, 3)),
        _with_runs((49, 3)),
        _with_runs((47, 5)),
        _with_runs((0, 100)),
        _with_runs((48, 2), (51, 2)),
        _with_runs((3, 2), (98, 2)),
        np.concatenate([np.zeros(37), _noise(20), np.zeros(43)]),
        np.zeros(100),
        np.concatenate([_noise(60), [np.nan], _with_runs((10, 3), n_samples=39)]),
        np.stack([_with_runs((40, 2)), _with_runs((60, 2))], axis=1),
    ],
    ids=[
        "run48",
        "run49",
        "run47",
        "all",
        "two_twos",
        "far_twos",
        "sound",
        "silent",
        "nan",
        "stereo",
    ],
)
def test_the_block_size_changes_nothing(write, monkeypatch, samples, block):
    path = write(samples)
    whole = inspection.inspect_recording(_row(path))
    monkeypatch.setattr(measuring, "_STRETCH_S", 1 / RATE)
    monkeypatch.setattr(measuring, "_BLOCK", block)
    np.testing.assert_equal(inspection.inspect_recording(_row(path)), whole)  # NaN is NaN


@pytest.mark.parametrize("block", [1, 2, 50])
@pytest.mark.parametrize(("length", "found"), [(2, []), (3, ["clipped"]), (4, ["clipped"])])
def test_a_run_that_spans_blocks_is_counted_whole(write, monkeypatch, block, length, found):
    monkeypatch.setattr(measuring, "_STRETCH_S", 1 / RATE)
    monkeypatch.setattr(measuring, "_BLOCK", block)
    assert _problems(write(_with_runs((49, length)))) == found


def test_a_file_may_have_several_problems(write):
    path = write(_with_runs((10, 3), n_samples=8000), subtype="PCM_16")
    path.write_bytes(path.read_bytes()[:-8000])
    assert _problems(path, stop_s=1.0) == ["truncated", "shorter_than_label", "clipped"]


# The whole table


@pytest.fixture
def corpus(write, tmp_path):
    """Rows of recordings with every kind of problem, in no order of their names."""
    write(_noise(8000), "good.wav")
    write(_with_runs((10, 3)), "clipped.wav")
    write(np.zeros(100), "silent.wav")
    write(np.zeros(0), "empty.wav")
    write(np.full(100, np.nan), "nan.wav")
    cut = write(_noise(100), "cut.wav")
    cut.write_bytes(cut.read_bytes()[:-40])
    (tmp_path / "text.wav").write_text("no sound")
    rows = [
        _row(tmp_path / "silent.wav"),
        _row(tmp_path / "good.wav", start_s=0.5, stop_s=2.0),
        _row(tmp_path / "good.wav", stop_s=0.5),
        _row(tmp_path / "nan.wav", role="scene", label="park"),
        _row(tmp_path / "text.wav"),
        _row(tmp_path / "clipped.wav"),
        _row(tmp_path / "absent.wav", role="scene", label="street"),
        _row(tmp_path / "empty.wav"),
        _row(tmp_path / "cut.wav", role="clip", label=""),
    ]
    return pd.DataFrame(rows)


def test_every_row_has_its_facts_and_every_problem_its_row(corpus):
    facts, report = inspection.inspect(corpus)
    keys = ["role", "path", "start_s"]
    pd.testing.assert_frame_equal(facts[keys], corpus[keys])
    found = [(row.path.split("/")[-1], row.problem) for row in report.itertuples()]
    assert found == [
        ("silent.wav", "silent"),
        ("good.wav", "shorter_than_label"),
        ("nan.wav", "not_finite"),
        ("text.wav", "unreadable"),
        ("clipped.wav", "clipped"),
        ("absent.wav", "missing"),
        ("empty.wav", "empty"),
        ("cut.wav", "truncated"),
    ]
    assert report.query("severity == 'warning'")["problem"].tolist() == ["clipped"]
    assert report.query("problem == 'not_finite'")[["role", "label"]].values.tolist() == [
        ["scene", "park"]
    ]


def test_the_number_of_processes_changes_nothing(corpus):
    one, two = (inspection.inspect(corpus, processes=n) for n in (1, 2))
    for frame, again in zip(one, two, strict=True):
        pd.testing.assert_frame_equal(frame, again, check_exact=True)


@pytest.mark.parametrize("processes", [1, 2])
def test_progress_sees_every_result_and_their_number(corpus, processes):
    seen = []

    def progress(items, total):
        seen.append(total)
        for item in items:
            seen.append(item[0]["path"])
            yield item

    inspection.inspect(corpus, processes=processes, progress=progress)
    assert seen == [len(corpus), *corpus["path"]]


def test_the_tables_come_back_as_they_were_written(corpus, tmp_path):
    for kind, frame in zip(
        ("inspection", "corpus_report"), inspection.inspect(corpus), strict=True
    ):
        path = tmp_path / f"{kind}.csv"
        corpus_tables.write_table(path, frame, kind)
        pd.testing.assert_frame_equal(corpus_tables.read_table(path, kind), frame, check_exact=True)


@pytest.mark.parametrize("rows", [slice(1, 3), slice(0, 0)], ids=["good", "none"])
def test_an_empty_report_is_a_table(corpus, tmp_path, rows):
    facts, report = inspection.inspect(corpus[rows].assign(stop_s=np.nan))
    assert len(report) == 0
    for kind, frame in (("inspection", facts), ("corpus_report", report)):
        corpus_tables.write_table(tmp_path / f"{kind}.csv", frame, kind)
        assert len(corpus_tables.read_table(tmp_path / f"{kind}.csv", kind)) == len(frame)
    assert len(facts) == len(corpus[rows])
