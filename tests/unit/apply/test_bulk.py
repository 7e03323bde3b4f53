"""Many recordings: going on with them, in several processes, and the table of all events."""

import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from loud_bands import SETTINGS, TONE_HZ
from small_model import write_small_model
from threadpoolctl import threadpool_limits

from tfseg.apply import bulk, events_table, inspection, results
from tfseg.apply.bulk import Batch, apply_to
from tfseg.apply.known_digests import KnownDigests, state_of
from tfseg.apply.listing import Recording
from tfseg.cli.main import main

RATE = 8000
QUIET = SETTINGS.__class__(sounds=False, page=False)


def write_sounds(folder, n, n_s=1.0):
    """Write recordings of noise with a tone, each of its own length."""
    folder.mkdir()
    for number in range(n):
        t = np.arange(round(RATE * (n_s + 0.1 * number))) / RATE
        noise = 0.05 * np.random.default_rng(number).standard_normal(len(t))
        tone = 0.3 * np.sin(2 * np.pi * TONE_HZ["low tone"] * t) * (t > 0.4)
        soundfile.write(folder / f"{number:02d}.wav", noise + tone, RATE)
    return folder


def files_in(folder):
    """Bytes of every file, by its path."""
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def one_thread():
    """One thread in this process, as the processes of ``--workers`` have."""
    n_threads = torch.get_num_threads()
    with threadpool_limits(1):
        yield
    torch.set_num_threads(n_threads)


def test_the_bytes_do_not_depend_on_the_number_of_processes(tmp_path, capsys, one_thread):
    model, sounds = write_small_model(tmp_path / "model"), write_sounds(tmp_path / "in", 3)
    (sounds / "bad.wav").write_bytes(b"RIFF")
    found, said = [], []
    for name, cores in (("one", ["--threads", "1"]), ("two", ["--workers", "2"])):
        out = tmp_path / name
        words = [str(sounds), "--model", str(model), "--out", str(out), "--no-page"]
        assert main(["apply", *words, *cores]) == 1
        found.append(files_in(out))
        lines = capsys.readouterr().out.splitlines()
        said.append([line.split(":")[0] for line in lines if line[:2] in ("00", "01", "02", "ba")])
    assert found[0] == found[1] and len(found[0]) > 12
    assert said[0] == said[1] and len(said[0]) == 4


def test_the_two_ways_to_say_threads_exclude_each_other(tmp_path, capsys):
    for wrong in (["--workers", "2", "--threads", "1"], ["--workers", "0"], ["--workers", "x"]):
        with pytest.raises(SystemExit):
            main(["apply", "a.wav", "--model", "m", "--out", str(tmp_path / "o"), *wrong])
    assert "expected a number from 1, found 'x'" in capsys.readouterr().err


def test_a_killed_process_costs_one_recording_and_its_scratch_files_go(tmp_path):
    batch = Batch(tmp_path, QUIET)
    (tmp_path / ".one.part").mkdir()
    (tmp_path / ".one.part/masks.part").touch()
    item = (Recording("one", Path("one.wav")), None)
    outcome = bulk._died(batch, item, bulk.TfsegError("its process was killed"))
    assert outcome.reason == "one.wav: its process was killed"
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def batch(tmp_path, model):
    sounds = write_sounds(tmp_path / "in", 3)
    recordings = [Recording(path.stem, path) for path in sorted(sounds.iterdir())]

    def run():
        lines = []
        done, failures = apply_to(
            recordings, Batch(tmp_path / "out", QUIET), model, say=lines.append
        )
        return done, failures, lines

    run.out, run.recordings = tmp_path / "out", recordings
    return run


def test_a_finished_recording_is_neither_decoded_nor_read(batch, monkeypatch):
    batch()

    def refuse(*_):
        raise AssertionError("was read again")

    monkeypatch.setattr(inspection, "measure", refuse)
    monkeypatch.setattr(results, "digest_of", refuse)
    done, failures, lines = batch()
    assert len(done) == 3 and not failures
    assert lines == [f"0{number}: done before" for number in range(3)]


def test_work_goes_on_at_the_first_recording_that_is_not_done(batch):
    batch()
    shutil.rmtree(batch.out / "01")
    done, _, lines = batch()
    assert len(done) == 3
    assert lines[:3] == ["00: done before", "02: done before", lines[2]]
    assert lines[2] == "2 of 3 recordings have their results: 1 to do"
    assert lines[3].startswith("01: ") and len(lines) == 4


def test_a_recording_that_changed_is_noticed(batch):
    batch()
    path = batch.recordings[1].path
    before = path.stat()
    path.write_bytes(path.read_bytes()[:-2] + b"\x01\x01")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    _, failures, _ = batch()
    assert "other recording_sha256" in failures["01", str(path)]


def test_a_line_that_was_cut_off_costs_one_reading(tmp_path):
    (tmp_path / "a").touch()
    state = state_of(tmp_path / "a")
    KnownDigests(tmp_path).add("a", state, "1" * 64)
    KnownDigests(tmp_path).add("b", state, "2" * 64)
    file = tmp_path / "digests.jsonl"
    file.write_bytes(file.read_bytes()[:-9])
    known = KnownDigests(tmp_path)
    assert known.get("a", state) == "1" * 64 and known.get("b", state) is None
    assert known.get("a", [0, 0, 0]) is None and state_of(tmp_path) is None


def analyses():
    event = results.detected_events.FoundEvent
    return [
        results.Analysis(
            "a", "x/a\udc82.wav", 9.0, [event(0.5, 1.25, "dog", 0.75, 50.0, 900.5)] * 3
        ),
        results.Analysis("b", "x/b.wav", 9.0, []),
        results.Analysis("c", "x/c.wav", 9.0, [event(2.0, 3.0, "cat", 1.0, 0.0, 4000.0)]),
    ]


def test_every_event_is_a_row_with_its_types_and_units(tmp_path, model, monkeypatch):
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(events_table, "_ROWS_AT_ONCE", 2)
    with events_table.events_table(tmp_path, model) as table:
        for analysis in analyses():
            table.add(analysis)
    found = parquet.read_table(tmp_path / "events.parquet")
    assert found.num_rows == 4 and found["path"][0].as_py() == "x/a\\x82.wav"
    assert found.to_pylist()[3] == {
        "recording": "c", "path": "x/c.wav", "onset_s": 2.0, "offset_s": 3.0, "class": "cat",
        "confidence": 1.0, "low_hz": 0.0, "high_hz": 4000.0,
    }  # fmt: skip
    units = {field.name: (field.metadata or {}).get(b"unit") for field in found.schema}
    assert units["onset_s"] == b"s" and units["high_hz"] == b"Hz" and units["class"] is None
    assert found.schema.metadata[b"model_sha256"].decode() == model.sha256


def test_a_table_without_events_has_its_columns(tmp_path, model):
    parquet = pytest.importorskip("pyarrow.parquet")
    with events_table.events_table(tmp_path, model):
        pass
    found = parquet.read_table(tmp_path / "events.parquet")
    assert found.num_rows == 0
    assert found.column_names == [name for name, _, _ in events_table.COLUMNS]


def test_without_pyarrow_the_table_is_left_out_and_no_old_one_stays(tmp_path, model, monkeypatch):
    find_spec = sys.modules["importlib.util"].find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *_: None if name == "pyarrow" else find_spec(name)
    )
    (tmp_path / "events.parquet").touch()
    with events_table.events_table(tmp_path, model) as table:
        table.add(analyses()[0])
    assert list(tmp_path.glob("*.parquet")) == []
    assert "pip install 'tfseg[parquet]'" in events_table.NO_PARQUET


def test_the_summary_forgets_the_events(batch):
    batch()
    about = json.loads((batch.out / "00/about.json").read_text())
    assert "events" in about and "events" not in results.results_in(batch.out)["00"]
