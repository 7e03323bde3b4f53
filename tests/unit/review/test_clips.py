"""Answers become clips with tags, as training reads them."""

import pytest

from tfseg.datasets.clips import clip_events, list_recordings
from tfseg.errors import TableError
from tfseg.review.clips import (
    clip_rows,
    count,
    labelled_clips,
    write_clips,
    write_tables_beside,
)

CLASSES = ["Bark", "Chime"]


def stretch(number, path="/there/one.wav"):
    return {"number": number, "path": path, "clip": f"clips/{number}.wav", "classes": CLASSES}


def given(*words):
    """Answers to the stretches 1, 2, ...: a letter for each class, "-" for none."""
    names = {"y": "yes", "n": "no", "u": "unsure"}
    return {
        (number, label): names[letter]
        for number, letters in enumerate(words, start=1)
        for label, letter in zip(CLASSES, letters, strict=True)
        if letter != "-"
    }


def test_yes_is_a_tag_and_no_is_none_and_unsure_is_left_out():
    answered = given("yn", "nn", "yu", "y-", "yy", "--")
    stretches = [stretch(number) for number in range(1, 7)]
    rows = clip_rows(stretches, answered)
    assert [(row["path"], row["tags"]) for row in rows] == [
        ("clips/1.wav", "Bark"),
        ("clips/2.wav", ""),
        ("clips/5.wav", "Bark;Chime"),
    ]
    assert {row["group"] for row in rows} == {"/there/one.wav"}
    assert count(stretches, answered) == {"stretches": 6, "clips": 3, "unsure": 1, "open": 2}


@pytest.fixture
def labelled(tmp_path):
    """Clips of the user's, with folds, groups and event times."""
    root = tmp_path / "mine"
    root.mkdir()
    (root / "clips.csv").write_text(
        'path,tags,fold,group\none.wav,"Bark,Chime",1,garden\ntwo.wav,,2,park\n'
    )
    (root / "strong.tsv").write_text(
        "filename\tonset\toffset\tevent_label\none.wav\t0.5\t1.5\tBark\n"
    )
    (root / "attribution.csv").write_text(
        "path,author,licence,source\none.wav,Ann,CC BY-NC 4.0,field\n"
    )
    for name in ("one.wav", "two.wav"):
        (root / name).touch()
    return root / "clips.csv"


def test_stretches_stand_behind_the_labelled_clips_in_the_fold_of_their_origin(labelled):
    mine = labelled_clips(labelled)
    stretches = [stretch(1, str(labelled.parent / "one.wav")), stretch(2)]
    rows = clip_rows(stretches, given("yn", "ny"), mine)
    assert rows[:2] == mine and rows[0]["path"] == str(labelled.parent / "one.wav")
    assert [(row["group"], row["fold"]) for row in rows[2:]] == [
        ("garden", 1),
        ("/there/one.wav", 2),
    ]


def test_training_reads_what_is_written(labelled, tmp_path):
    out = tmp_path / "review"
    (out / "clips").mkdir(parents=True)
    (out / "clips/1.wav").touch()
    stretches = [stretch(1, str(labelled.parent / "one.wav"))]
    write_clips(out / "clips.csv", clip_rows(stretches, given("yn"), labelled_clips(labelled)))
    write_tables_beside(out, labelled, stretches)
    found = list_recordings(out, classes=CLASSES, other_labels="error")
    assert found["label"].tolist() == ["Bark;Chime", "", "Bark"]
    assert found["part"].tolist() == [1, 2, 1]
    # A licence goes with the sound, also with a stretch of it.
    assert found["licence"].tolist() == ["CC BY-NC 4.0", "not stated", "CC BY-NC 4.0"]
    one = str(labelled.parent / "one.wav")
    events, _ = clip_events(
        out, {one: 2.0}, classes=CLASSES, other_labels="error", label_excess_s=0.0
    )
    assert events == {one: [("Bark", 0.5, 1.5)]}


def test_clips_without_folds_stay_without(tmp_path):
    (tmp_path / "clips.csv").write_text("path,tags\none.wav,Bark\n")
    rows = clip_rows([stretch(1)], given("yn"), labelled_clips(tmp_path / "clips.csv"))
    write_clips(tmp_path / "out.csv", rows)
    assert (tmp_path / "out.csv").read_text().splitlines()[0] == "path,tags,group"
    write_tables_beside(tmp_path, tmp_path / "clips.csv", [stretch(1)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clips.csv", "out.csv"]


def test_a_labelled_table_of_something_else_is_refused(tmp_path):
    (tmp_path / "clips.csv").write_text("name,tags\none.wav,Bark\n")
    with pytest.raises(TableError, match="expected the columns path, tags"):
        labelled_clips(tmp_path / "clips.csv")
