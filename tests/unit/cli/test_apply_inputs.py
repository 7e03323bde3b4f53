"""`tfseg apply` on files and folders as people have them: what is read, named, counted and said."""

import json
import os
import shutil
import unicodedata

import numpy as np
import pandas as pd
import pytest
import soundfile
from small_model import write_small_model

from tfseg.apply.summary import ALL
from tfseg.cli.main import main

RATE = 8000


@pytest.fixture
def field(tmp_path, monkeypatch):
    """A working folder with a model and two sites with the same file names."""
    write_small_model(tmp_path / "model")
    for number, name in enumerate(["A/x.wav", "A/y.wav", "B/x.wav"]):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        samples = 0.1 * np.random.default_rng(number).standard_normal(RATE)
        soundfile.write(tmp_path / name, samples, RATE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def apply(field, capsys):
    """Return a function that runs the command: exit status, lines, and the table of recordings."""

    def run(*arguments, out="out", page=False):
        words = [*map(str, arguments), "--model", str(field / "model"), "--out", str(out)]
        status = main(["apply", *words, *([] if page else ["--no-page"])])
        table = pd.read_csv(os.path.join(out, "recordings.csv"), keep_default_na=False)
        return status, capsys.readouterr().out.splitlines(), table

    return run


def hours(out):
    """Hours of sound behind the summary: its counts per hour rest on them."""
    folders = [path for path in os.listdir(out) if os.path.isfile(f"{out}/{path}/about.json")]
    return sum(json.load(open(f"{out}/{path}/about.json"))["duration_s"] for path in folders)


def test_two_sites_with_the_same_names_are_two_however_they_are_named(apply):
    apply("A")
    status, lines, table = apply("A", "B")
    assert status == 0 and sum("done before" in line for line in lines) == 2
    assert sorted(table["path"]) == ["A/x.wav", "A/y.wav", "B/x.wav"]
    assert table["recording"].is_unique and hours("out") == 3.0
    alone = table.set_index("path")["recording"].to_dict()
    _, _, both = apply("B", "A", out="other")
    assert both.set_index("path")["recording"].to_dict() == alone


def test_a_recording_is_the_same_by_any_spelling_and_from_anywhere(apply, field, monkeypatch):
    apply("A/x.wav")
    (field / "link").symlink_to(field / "A")
    spellings = [field / "A/x.wav", "./A/../A/x.wav", "link/x.wav", field / "link/x.wav"]
    for spelling in spellings:
        status, lines, table = apply(spelling)
        assert status == 0 and "done before" in lines[-2], spelling
        assert len(table) == 1
    monkeypatch.chdir(field / "B")
    status, lines, table = apply("../A/x.wav", out=field / "out")
    assert status == 0 and "done before" in lines[-2] and len(table) == 1
    assert list(table["path"]) == ["../A/x.wav"]


def test_results_of_an_older_version_are_used(apply, field):
    _, _, table = apply("A/x.wav")
    os.rename(field / "out" / table["recording"][0], field / "out/x")
    status, lines, table = apply("A", "B")
    assert status == 0 and sum("done before" in line for line in lines) == 1
    assert "x" in set(table["recording"]) and len(table) == 3


def test_another_content_at_the_same_place_is_another_analysis(apply, field):
    apply("A/x.wav")
    shutil.copy(field / "B/x.wav", field / "A/x.wav")
    status, _, table = apply("A/x.wav")
    assert status == 1 and "other recording_sha256" in table["reason"][0]
    status, _, table = apply("A/x.wav", "--overwrite")
    assert status == 0 and len(table) == 1


def test_results_below_the_recordings_are_not_analysed(apply, field):
    for _ in range(3):
        status, lines, table = apply(field, out=field / "results", page=True)
        assert status == 0 and len(table) == 3
    _, lines, table = apply(field, out="elsewhere")
    assert len(table) == 3 and f"{field}: left out 3 folders of results of tfseg" in lines


def test_results_among_the_recordings_are_not_analysed(apply):
    for _ in range(2):
        status, _, table = apply("A", out="A")
        assert status == 0 and sorted(table["path"]) == ["A/x.wav", "A/y.wav"]


def test_what_is_not_read_is_listed_and_what_is_hidden_counted(apply, field):
    (field / "A/phone.m4a").write_bytes(bytes(4) + b"ftypM4A " + bytes(100))
    (field / "A/film").write_bytes(b"\x1aE\xdf\xa3" + bytes(100))
    (field / "A/._x.wav").touch()
    (field / "A/.DS_Store").touch()
    status, lines, table = apply("A", page=True)
    assert status == 1 and "A: left out 2 hidden" in lines
    failed = table[table["status"] == "failed"]
    assert sorted(failed["path"]) == ["A/film", "A/phone.m4a"]
    assert all(failed["reason"])
    index = (field / "out/index.html").read_text()
    assert "phone.m4a" in index and "left out 2 hidden" in index
    assert any("phone.m4a" in line for line in lines)


def test_what_is_not_there_is_listed_with_its_reason(apply, field, close_folder):
    (field / "A/dead.wav").symlink_to("../.git/annex/objects/none.wav")
    (field / "A/away").symlink_to("/nowhere/site")
    (field / "closed").mkdir()
    (field / "A/closed").symlink_to(field / "closed")
    (field / "list.txt").write_text("B\\x.wav\n")
    close_folder("closed")
    status, lines, table = apply("A", "list.txt")
    assert status == 1 and "A: left out 1 links that lead nowhere" in lines
    reasons = table.set_index("path")["reason"]
    assert "a link that leads nowhere (to ../.git/annex/objects/none.wav)" in reasons["A/dead.wav"]
    assert "cannot be listed (Permission denied)" in reasons["A/closed"]
    assert "write / between folders, as in B/x.wav" in reasons["B\\x.wav"]
    assert sorted(table["path"][table["status"] == "done"]) == ["A/x.wav", "A/y.wav"]


@pytest.mark.parametrize(
    "name",
    [
        b"caf\x82.wav",
        b"\xff\xfe.wav",
        b"two\nlines.wav",
        b"esc\x1b[2J.wav",
        b'it\'s "a" <b>&amp;.wav',
        "🐦 ü.wav".encode(),
        unicodedata.normalize("NFD", "é.wav").encode(),
        ("語" * 80 + ".wav").encode(),
        b"-n.wav",
        b"con.wav",
        b"a,b;c\td.wav",
        b"%20 #2?.wav",
        b"{x}.wav",
        b" .wav",
    ],
)
def test_a_name_of_any_bytes_is_analysed_and_shown(apply, field, name):
    folder = field / "names"
    folder.mkdir()
    shutil.copy(field / "A/x.wav", os.path.join(os.fsencode(folder), name))
    status, lines, table = apply("names", page=True)
    assert status == 0 and list(table["status"]) == ["done"]
    assert all(line.isprintable() for line in lines)
    (found,) = (field / "out").glob("*/about.json")
    assert os.fsencode(json.loads(found.read_text())["recording"]) == b"names/" + name
    for table_name in ("events.tsv", "raven.txt", "page.html"):
        found.with_name(table_name).read_text(encoding="utf-8")
    status, lines, _ = apply("names", page=True)
    assert status == 0 and any("done before" in line for line in lines)


def test_names_that_differ_in_case_or_form_alone_are_two(apply, field):
    for name in ("X.wav", "X.WAV", *(unicodedata.normalize(f, "é.wav") for f in ("NFC", "NFD"))):
        shutil.copy(field / "A/x.wav", field / "A" / name)
    status, _, table = apply("A")
    assert status == 0 and len(table) == 6
    assert table["recording"].str.casefold().is_unique


@pytest.fixture
def truth(field):
    def write(*names):
        rows = "".join(f"{name}\t0.1\t0.2\tBark\n" for name in names)
        (field / "truth.tsv").write_text(f"filename\tonset\toffset\tevent_label\n{rows}")
        return "truth.tsv"

    return write


def pages_with_truth(field, table):
    return {
        row.path
        for row in table.itertuples()
        if "true events" in (field / "out" / row.recording / "page.html").read_text()
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [("A/x.wav", "A/x.wav"), ("y.wav", "A/y.wav"), ("./B/x.wav", "B/x.wav")],
)
def test_rows_of_a_reference_find_their_recording(apply, field, truth, name, expected):
    _, _, table = apply("A", "B", "--reference", truth(name), page=True)
    assert pages_with_truth(field, table) == {expected}


def test_rows_that_mean_no_recording_are_named(apply, truth):
    status, lines, _ = apply("A", "B", "--reference", truth("z.wav", "A/y.wav", "C/x.wav"))
    assert status == 0
    assert "truth.tsv: 2 file names mean none of the recordings: z.wav, C/x.wav" in lines


def test_a_name_that_means_two_recordings_is_refused(apply, field, truth, capsys):
    with pytest.raises(SystemExit):
        apply("A", "B", "--reference", truth("x.wav"))
    assert "'x.wav' may mean A/x.wav, B/x.wav: write more of the path" in capsys.readouterr().err
    assert not (field / "out").exists()


def test_no_box_reaches_above_half_the_rate(apply, field):
    samples = 0.5 * np.random.default_rng(1).standard_normal(3000)
    soundfile.write(field / "low.wav", samples, 3000)
    _, _, table = apply("low.wav")
    about = json.loads((field / "out" / table["recording"][0] / "about.json").read_text())
    assert all(0 <= e["low_hz"] < e["high_hz"] <= 1500 for e in about["events"])


def test_the_summary_counts_each_recording_once(apply):
    apply("A")
    apply("A", "B")
    summary = pd.read_csv("out/summary.csv")
    each = summary[summary["recording"] != ALL].groupby("label")["events"].sum()
    over_all = summary[summary["recording"] == ALL].set_index("label")["events"]
    assert all(over_all[label] == count for label, count in each.items())
