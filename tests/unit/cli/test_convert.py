"""The command `tfseg convert`: labels in and out, and what was found back into a training."""

import json
import re

import numpy as np
import pytest
import soundfile
from small_model import CLASSES, write_small_model

from tfseg.cli.main import main
from tfseg.datasets.clips import clip_events, list_recordings


@pytest.fixture
def run(capsys):
    """Return a function that runs a command line, and gives the exit status and what it says."""

    def run(*arguments):
        try:
            status = main(["convert", *map(str, arguments)])
        except SystemExit as error:
            status = error.code
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


@pytest.fixture
def field(tmp_path):
    """Two sounds of two seconds, and labels of one beside it."""
    folder = tmp_path / "field"
    for name in ("monday.wav", "site/tuesday.wav"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(1).normal(size=16000) * 0.1
        soundfile.write(folder / name, noise, 8000)
    (folder / "monday.txt").write_text("0.25\t1\tdog\n\\\t100\t900\n")
    return folder


def test_labels_become_the_tables_of_a_training(run, field):
    status, said = run(field, "--audio", field, "--out", field)
    assert status == 0
    assert (field / "clips.csv").read_text() == "path,tags\nmonday.wav,dog\n"
    assert (field / "strong.tsv").read_text().endswith("\nmonday.wav\t0.25\t1.0\tdog\n")
    for line in (
        "read: 1 files (audacity: 1)",
        "kept: 1 recordings (0 without any sound), 1 events, 1 labels",
        "clips cannot carry frequency bounds: 1 (monday.wav)",
        f"Wrote {field / 'clips.csv'} and 1 more",
    ):
        assert line in said.splitlines()


def test_recordings_elsewhere_are_named_by_their_whole_paths(run, field, tmp_path):
    assert run(field / "monday.txt", "--audio", field, "--out", tmp_path / "new/labels")[0] == 0
    assert (tmp_path / "new/labels/clips.csv").read_text().splitlines()[1] == (
        f"{field / 'monday.wav'},dog"
    )


def test_files_that_are_there_are_kept(run, field, tmp_path):
    out = tmp_path / "out"
    assert run(field, "--out", out, "--to", "desed")[0] == 0
    (out / "events.tsv").write_text("mine")
    status, said = run(field, "--out", out, "--to", "desed")
    assert status == 2 and "events.tsv: expected nothing there" in said and "--overwrite" in said
    assert (out / "events.tsv").read_text() == "mine"
    assert run(field, "--out", out, "--to", "desed", "--overwrite")[0] == 0
    assert "dog" in (out / "events.tsv").read_text()


def test_wrong_use_is_refused_and_writes_nothing(run, field, tmp_path):
    out = tmp_path / "out"
    for arguments, words in (
        ([field, "--rename", "dog"], "--rename: expected OLD=NEW"),
        ([field, "--from", "raven"], "expected the columns Selection"),
        ([field, "--to", "applied"], "invalid choice"),
        ([tmp_path / "gone"], "found nothing there"),
    ):
        status, said = run(*arguments, "--out", out)
        assert status == 2 and words in said
    (tmp_path / "file").write_text("")
    status, said = run(field, "--out", tmp_path / "file")
    assert status == 1 and "could not be written" in said
    assert not out.exists()


def test_nothing_is_left_for_a_format_that_takes_none(run, tmp_path):
    (tmp_path / "clips.csv").write_text("path,tags\na.wav,dog\n")
    status, said = run(tmp_path, "--to", "audacity", "--out", tmp_path / "out")
    assert status == 0
    assert "left out, audacity has no tags without times: 1 (a.wav)" in said
    assert "Wrote nothing: no recording is left" in said and not (tmp_path / "out").exists()


@pytest.fixture
def applied(field, tmp_path, capsys):
    """What a model found in the two sounds: its folder."""
    model = write_small_model(tmp_path / "model")
    arguments = ["apply", field, "--model", model, "--out", tmp_path / "applied", "--no-page"]
    assert main([*map(str, arguments), "--no-sounds"]) == 0
    capsys.readouterr()
    return tmp_path / "applied"


def _found(applied):
    """Events by the end of the recording's name, from the files of the analyses."""
    abouts = [json.loads(path.read_text()) for path in applied.glob("*/about.json")]
    return {re.split("[-/]", about["recording"])[-1]: about["events"] for about in abouts}


def test_what_was_found_is_corrected_and_trained_on(run, applied, field, tmp_path):
    found = _found(applied)
    assert found["monday.wav"], "the model found nothing: choose another seed"
    (applied / "notes.txt").write_text("0\t1\tdog\n")
    status, said = run(
        applied, "--to", "label_studio", "--audio", field, "--out", tmp_path / "project"
    )
    assert status == 0
    assert f"left out, beside results of tfseg apply: 1 ({applied / 'notes.txt'})" in said
    assert "found by a model, not by people: 2 recordings" in said
    assert "label_studio cannot carry frequency bounds" in said
    config = (tmp_path / "project/label_config.xml").read_text()
    assert all(f'<Label value="{label}"/>' in config for label in CLASSES)

    # As people do in Label Studio: one label and one offset are changed, one task is left alone.
    tasks = json.loads((tmp_path / "project/tasks.json").read_text())
    (task,) = (task for task in tasks if task["data"]["recording"] == "monday.wav")
    (prediction,) = task["predictions"]
    scores = [region["score"] for region in prediction["result"]]
    assert scores == [event["confidence"] for event in found["monday.wav"]]
    first = prediction["result"][0]["value"]
    first["labels"], first["end"] = ["Bark" if first["labels"] == ["Chime"] else "Chime"], 1.9375
    for region in prediction["result"]:
        region["original_length"] = 2.0
    task["annotations"] = [{"id": 1, "was_cancelled": False, "result": prediction["result"][:1]}]
    (tmp_path / "export.json").write_text(json.dumps(tasks))

    status, said = run(tmp_path / "export.json", "--audio", field, "--out", field)
    assert status == 0 and "left out, not annotated yet: 1 (site/tuesday.wav)" in said
    recordings = list_recordings(field, classes=first["labels"], other_labels="error")
    assert list(recordings["label"]) == first["labels"]
    times, cut = clip_events(
        field,
        {"monday.wav": 2.0},
        classes=first["labels"],
        other_labels="error",
        label_excess_s=0.0,
    )
    assert times == {"monday.wav": [(first["labels"][0], first["start"], 1.9375)]} and cut.empty


@pytest.mark.parametrize("target", ["audacity", "raven"])
def test_what_was_found_goes_through_an_editor(run, applied, field, tmp_path, target):
    labels = tmp_path / "labels"
    assert run(applied, "--to", target, "--audio", field, "--out", labels)[0] == 0
    path = labels / "monday.wav.txt"
    written = path.read_text()
    (folder,) = applied.glob("monday-*")
    assert written == (folder / f"{target}.txt").read_text()  # the writers of `apply` are the same
    old = f"{_found(applied)['monday.wav'][0]['offset_s']:.6f}"
    path.write_text(written.replace(old, "1.875000", 1))
    assert run(labels, "--audio", field, "--to", "desed", "--out", tmp_path / "new")[0] == 0
    assert "\t1.875\t" in (tmp_path / "new/events.tsv").read_text()


def test_a_label_file_in_results_is_about_their_recording(run, applied, tmp_path):
    (folder,) = applied.glob("monday-*")
    assert run(folder / "audacity.txt", "--to", "desed", "--out", tmp_path / "out")[0] == 0
    rows = (tmp_path / "out/events.tsv").read_text().splitlines()[1:]
    assert rows and all(row.split("\t")[0].endswith("field/monday.wav") for row in rows)
