"""`snakemake apply` and the command, with the tiny run's model on good and bad recordings."""

import contextlib
import os
import shutil
import subprocess
import sys

import long_recording
import numpy as np
import pandas as pd
import pytest
import soundfile
from workflow_project import TINY, Project, copy_project

from tfseg.apply.listing import results_name

pytestmark = pytest.mark.workflow
FILES = {
    "bad": "bad.wav",
    "odd": "odd {x} <b> $(y).wav",  # which means something to Snakemake and to a shell
    "short": "short.flac",
    "u": "ü 1.wav",
    "bytes": "caf\udc82.wav",  # a name that is no UTF-8
}
MODEL = "results/tiny/models/snr10/gwrp/fold1/seed0"


@pytest.fixture(scope="module")
def project(finished, tmp_path_factory):
    """A copy of the finished run, and a folder of recordings, one of them not audio."""
    folder = tmp_path_factory.mktemp("apply") / "copy"
    shutil.copytree(finished.folder, folder, symlinks=True)
    recordings = folder / "my recordings"
    recordings.mkdir()
    rng = np.random.default_rng(0)
    soundfile.write(recordings / "ü 1.wav", 0.1 * rng.standard_normal((44100 * 7, 2)), 44100)
    soundfile.write(recordings / "short.flac", 0.1 * rng.standard_normal(8000), 48000)
    soundfile.write(recordings / FILES["odd"], np.zeros(16000), 8000)
    (recordings / "bad.wav").write_text("this is no sound")
    (recordings / "._bad.wav").touch()
    shutil.copy(recordings / "short.flac", recordings / FILES["bytes"])
    return Project(folder, TINY)


def folder_names(project, *keys):
    """Names of the folders of results."""
    with contextlib.chdir(project.folder):
        return [results_name(f"my recordings/{FILES[key]}") for key in keys]


def apply(project, *more, check=True, recordings="my recordings"):
    return project.snakemake(
        "apply", *more, "--config", f"recordings={recordings}", f"model={MODEL}", check=check
    )


def command(project, *arguments):
    result = subprocess.run(
        [sys.executable, "-m", "tfseg.cli", "apply", *map(str, arguments)],
        cwd=project.folder,
        env=os.environ | {"PYTHONPATH": str(project.folder / "workflow_scripts")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    result.text = result.stdout + result.stderr
    return result


def contents(folder, names):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for name in names
        for path in sorted((folder / name).rglob("*"))
        if path.is_file() and path.name != ".snakemake_timestamp"
    }


def test_the_good_are_done_the_bad_is_listed_and_the_exit_code_says_so(project):
    result = apply(project, check=False)
    assert result.returncode != 0
    assert "1 of 5 recordings could not be analysed" in result.text
    assert "my recordings: left out 1 hidden" in result.text
    applied = project.folder / "results/tiny/applied"
    table = pd.read_csv(applied / "recordings.csv", keep_default_na=False).set_index("recording")
    bad, odd, u, *others = folder_names(project, "bad", "odd", "u", "short", "bytes")
    expected = {bad: "failed", odd: "done with warnings"}  # silence
    assert dict(table["status"]) == expected | dict.fromkeys([u, *others], "done")
    assert "cannot be read" in table.loc[bad, "reason"]
    assert table.loc[others[-1], "path"] == "my recordings/caf\\x82.wav"
    assert (applied / u / "page.html").is_file() and (applied / "index.html").is_file()
    index = (applied / "index.html").read_text()
    assert "bad.wav" in index and "left out 1 hidden" in index


def test_a_mended_recording_is_done_alone_and_then_all_is_well(project):
    apply(project, check=False)
    path = project.folder / "my recordings/bad.wav"
    broken = path.read_bytes()
    soundfile.write(path, np.zeros(32000), 16000)
    try:
        result = apply(project)
        assert result.text.count("Applying the model to") == 1
        assert "index.html" in result.text
        idle = apply(project, "-n").text
        assert idle.count("Nothing to be done") == 1 and "Exception" not in idle
    finally:
        path.write_bytes(broken)


def test_the_command_gives_what_the_rule_gives(project):
    apply(project, check=False)
    result = command(project, "my recordings", "--model", MODEL, "--out", "out", "--threads", 1)
    assert result.returncode == 1
    assert "FAILED" in result.text and "times real time" in result.text
    names = folder_names(project, "odd", "short", "u", "bytes")
    made = contents(project.folder / "out", names)
    expected = contents(project.folder / "results/tiny/applied", names)
    assert made == expected and len(made) > 10
    summary = (project.folder / "out/summary.csv").read_bytes()
    assert summary == (project.folder / "results/tiny/applied/summary.csv").read_bytes()
    again = command(project, "my recordings", "--model", MODEL, "--out", "out", "--threads", 1)
    assert again.text.count("done before") == 4
    other = MODEL.replace("snr10", "snr0")
    refused = command(project, "my recordings", "--model", other, "--out", "out")
    assert refused.returncode == 2 and "results of this model" in refused.stderr
    assert contents(project.folder / "out", names) == expected
    assert (project.folder / "out/summary.csv").read_bytes() == summary
    replaced = command(project, "my recordings", "--model", other, "--out", "out", "--overwrite")
    assert replaced.text.count("times real time") == 4


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["missing.wav", "--model", MODEL, "--out", "o"], "missing.wav: expected"),
        (["my recordings", "--model", "docs", "--out", "o"], "docs: expected"),
        (["my recordings", "--model", MODEL], "--out"),
        (["my recordings", "--model", MODEL, "--out", "Snakefile"], "expected a folder"),
        (["my recordings", "--model", MODEL, "--out", "o", "--window-s", "-1"], "window_s"),
        (["my recordings", "--model", MODEL, "--out", "o", "--batch-size", "0"], "batch_size"),
    ],
)
def test_wrong_use_is_told_in_a_line(project, arguments, expected):
    result = command(project, *arguments)
    assert result.returncode == 2
    assert expected in result.stderr and "Traceback" not in result.stderr


def test_files_of_the_user_are_not_overwritten(project):
    folder = project.folder / "mine"
    folder.mkdir()
    (folder / "index.html").write_text("my home page")
    result = command(project, "my recordings/short.flac", "--model", MODEL, "--out", folder)
    assert result.returncode == 2 and "index.html: expected nothing there" in result.stderr
    assert [path.name for path in folder.iterdir()] == ["index.html"]
    assert (folder / "index.html").read_text() == "my home page"


def test_the_index_keeps_what_was_found_before(project):
    for name in ("short.flac", "ü 1.wav"):
        command(project, f"my recordings/{name}", "--model", MODEL, "--out", "two", "--no-page")
    table = pd.read_csv(project.folder / "two/recordings.csv")
    assert sorted(table["recording"]) == sorted(folder_names(project, "short", "u"))


def test_help_is_enough_to_use_it(project):
    text = command(project, "--help").stdout
    for word in ("--model", "--out", "--overwrite", "Exit status", "Audacity", "index.html"):
        assert word in text


def test_a_list_may_name_a_file_that_is_not_there(project):
    (project.folder / "list.txt").write_text("my recordings/short.flac\nmy recordings/gone.wav\n")
    result = apply(project, check=False, recordings="list.txt")
    assert result.returncode != 0 and "1 of 2 recordings" in result.text
    assert "gone.wav" in result.text


def test_what_is_missing_is_said_before_anything_runs(project):
    result = project.snakemake("apply", check=False)
    assert result.returncode != 0 and "config key recordings: expected a path" in result.text


def test_the_corpus_gives_a_long_recording_with_its_labels(finished):
    folder = finished.folder / "results/tiny/soundscapes"
    info = soundfile.info(folder / "soundscape.flac")
    assert (info.samplerate, info.channels, info.frames) == (22050, 2, 8 * 22050)
    table = pd.read_csv(folder / "events.tsv", sep="\t")
    assert set(table["filename"]) == {"soundscape.flac"} and table["offset"].max() <= 8


def test_the_benchmark_of_long_recordings_runs_in_small(finished, capsys, monkeypatch):
    monkeypatch.chdir(finished.folder)  # the corpus's tables name files from there
    run = finished.folder / "results/tiny"
    long_recording.main(finished.folder / MODEL, minutes=(0.2, 0.3), run=run)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["0.2 minutes", "0.3 minutes"]
    assert all("'peak_mib': " in line for line in lines)


def test_a_model_can_be_applied_to_what_the_same_run_makes(tmp_path):
    fresh = copy_project(tmp_path / "fresh", TINY)
    soundscapes = "results/tiny/soundscapes"
    given = (f"recordings={soundscapes}", f"reference={soundscapes}/events.tsv", f"model={MODEL}")
    everything, planned = fresh.planned("all"), fresh.planned("all", "apply", "--config", *given)
    applying = {"apply_model": 1, "summarise_recordings": 1, "check_recordings": 1, "apply": 1}
    assert planned == everything | applying
