"""The user's own recordings, in folders or as clips with tags."""

import re
import unicodedata

import numpy as np
import pandas as pd
import pytest
import soundfile

from tfseg.datasets import clips, corpus_tables, folders, user_data
from tfseg.errors import DataError, TableError


@pytest.fixture
def put(tmp_path):
    """Return a function that makes files (these are only listed, not read)."""

    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    return make


def _names(frame, root):
    return [path.removeprefix(f"{root}/") for path in frame["path"]]


def _list(root, classes=("Bark", "Gong"), scenes=None, other_labels="error"):
    return folders.list_recordings(root, classes=classes, scenes=scenes, other_labels=other_labels)


# Folders


def test_every_sound_file_is_listed_with_its_label_and_origin(put, tmp_path):
    put("events/Gong/b.wav", "events/Bark/rex__2.flac", "events/Bark/rex__1.wav")
    put("events/Bark/ada.ogg", "scenes/park/p1__a.wav", "scenes/park/p1__b.wav", "scenes/s.wav")
    frame = _list(tmp_path)
    assert frame.drop(columns="path").to_dict("list") == {
        "role": ["event"] * 4 + ["scene"] * 3,
        "label": ["Bark", "Bark", "Bark", "Gong", "park", "park", "scene"],
        "start_s": [0.0] * 7,
        "stop_s": [pytest.approx(np.nan, nan_ok=True)] * 7,
        "part": [0] * 7,
        "group": ["Bark/ada", "Bark/rex", "Bark/rex", "Gong/b", "park/p1", "park/p1", "s"],
        "author": ["not stated"] * 7,
        "licence": ["not stated"] * 7,
        "source": ["not stated"] * 7,
    }
    assert _names(frame, tmp_path) == [
        "events/Bark/ada.ogg",
        "events/Bark/rex__1.wav",
        "events/Bark/rex__2.flac",
        "events/Gong/b.wav",
        "scenes/park/p1__a.wav",
        "scenes/park/p1__b.wav",
        "scenes/s.wav",
    ]


def test_the_list_is_a_table(put, tmp_path):
    put("events/Bark/a.wav", "events/Gong/b.wav", "scenes/s.wav")
    frame = _list(tmp_path)
    corpus_tables.write_table(tmp_path / "recordings.csv", frame, "recordings")
    again = corpus_tables.read_table(tmp_path / "recordings.csv", "recordings")
    pd.testing.assert_frame_equal(again, frame)


@pytest.mark.parametrize(
    "ending", ["wav", "WAV", "flac", "ogg", "oga", "opus", "mp3", "aif", "aiff"]
)
def test_all_formats_of_the_library_are_listed(put, tmp_path, ending):
    put(f"a.{ending}")
    assert user_data.sound_files(tmp_path) == [tmp_path / f"a.{ending}"]


@pytest.mark.parametrize("name", ["a.m4a", "a.mp4", "a.MOV", "a.amr"])
def test_what_the_library_cannot_read_is_listed_to_be_looked_into(put, tmp_path, name):
    put(name)
    assert user_data.sound_files(tmp_path) == [tmp_path / name]


def test_what_is_left_out_is_said(put, tmp_path, capsys):
    put("events/Bark/a.wav", "events/Bark/._a.wav", "events/loose.wav", "events/notes.txt")
    put("events/Gong/b.wav", "scenes/s.wav", "scenes/s.wav.part")
    (tmp_path / "events/Gong/again.wav").symlink_to(tmp_path / "events/Bark/a.wav")
    (tmp_path / "attribution.csv").write_text(
        "path,author,licence,source\nevents/Bark/gone.wav,Ada,CC0,web\n"
    )
    assert len(_list(tmp_path)) == 4
    said = capsys.readouterr().out.splitlines()
    assert said == [
        f"{tmp_path}/events/loose.wav: it lies in no folder of a label, and is left out",
        f"{tmp_path}/events/Bark: left out 1 hidden",
        f"{tmp_path}/scenes: left out 1 unfinished or kept copies (.part, .bak, ...)",
        f"{tmp_path}/events/Bark/a.wav: the same file is also {tmp_path}/events/Gong/again.wav",
        f"{tmp_path}/attribution.csv: not among the recordings: events/Bark/gone.wav",
    ]


def test_a_table_of_another_case_is_said(put, tmp_path, capsys):
    put("events/Bark/a.wav", "scenes/s.wav", "Attribution.CSV")
    _list(tmp_path, ["Bark"])
    said = capsys.readouterr().out
    assert (
        said == f"{tmp_path}/Attribution.CSV: not read; expected it to be called attribution.csv\n"
    )


def test_folders_of_labels_may_be_links(put, tmp_path):
    put("elsewhere/a.wav", "elsewhere/more/b.wav", "more/c.wav", "data/scenes/s.wav")
    (tmp_path / "data/events").mkdir()
    (tmp_path / "data/events/Bark").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/linked").symlink_to(tmp_path / "more")
    frame = _list(tmp_path / "data", ["Bark"])
    names = _names(frame, tmp_path / "data")
    assert names == [
        "events/Bark/a.wav",
        "events/Bark/linked/c.wav",
        "events/Bark/more/b.wav",
        "scenes/s.wav",
    ]


def test_labels_that_look_alike_are_equal(put, tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "Köter") for form in ("NFC", "NFD"))
    put(f"events/{decomposed}/a.wav", "events/Gong/b.wav", "scenes/s.wav")
    assert _list(tmp_path, [composed, "Gong"])["label"].tolist() == [composed, "Gong", "scene"]
    put(f"events/{composed}/c.wav")
    with pytest.raises(DataError, match="another normal form of Unicode; join them"):
        _list(tmp_path, [composed, "Gong"])


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.raw", "a", "wav", ".a.wav", "._a.wav"])
def test_other_and_hidden_files_are_not_listed(put, tmp_path, name):
    put(name)
    assert user_data.sound_files(tmp_path) == []


def test_files_in_hidden_folders_are_not_listed(put, tmp_path):
    put("a.wav", ".ipynb_checkpoints/a-checkpoint.wav", "b/.Trash-1000/files/c.wav")
    assert user_data.sound_files(tmp_path) == [tmp_path / "a.wav"]


def test_a_hidden_folder_above_does_not_count(put, tmp_path):
    put(".data/Bark/a.wav")
    assert user_data.sound_files(tmp_path / ".data") == [tmp_path / ".data/Bark/a.wav"]


def test_a_folder_with_the_name_of_a_file_is_not_listed(put, tmp_path):
    put("a.wav/b.wav")
    assert user_data.sound_files(tmp_path) == [tmp_path / "a.wav/b.wav"]


def test_folders_may_be_nested(put, tmp_path):
    put("events/Bark/rex/old/a__1.wav", "events/Bark/rex/old/a__2.wav", "events/Bark/ada/a__1.wav")
    put("scenes/park/north/s.wav")
    frame = _list(tmp_path, ["Bark"])
    assert frame["label"].tolist() == ["Bark", "Bark", "Bark", "park"]
    groups = ["Bark/ada/a", "Bark/rex/old/a", "Bark/rex/old/a", "park/north/s"]
    assert frame["group"].tolist() == groups


def test_files_of_one_name_in_two_formats_are_one_origin(put, tmp_path):
    put("events/Bark/a.wav", "events/Bark/a.flac", "events/Bark/a.b.wav", "scenes/s.wav")
    groups = _list(tmp_path, ["Bark"])["group"]
    assert groups.tolist() == ["Bark/a.b", "Bark/a", "Bark/a", "s"]


def test_one_underscore_is_part_of_a_name(put, tmp_path):
    put("events/Bark/rex_1.wav", "events/Bark/rex_2__a.wav", "scenes/s_1.wav", "scenes/s_2.wav")
    groups = _list(tmp_path, ["Bark"])["group"]
    assert groups.tolist() == ["Bark/rex_1", "Bark/rex_2", "s_1", "s_2"]


def test_a_name_that_begins_with_two_underscores_is_its_own_origin(put, tmp_path):
    put("events/Bark/__a.wav", "events/Bark/__b.wav", "scenes/s.wav")
    assert _list(tmp_path, ["Bark"])["group"].nunique() == 3


def test_two_underscores_in_the_name_of_a_class_are_no_origin(put, tmp_path):
    put("events/Dog__big/a.wav", "events/Dog__big/b__1.wav", "scenes/quiet__park/s.wav")
    put("scenes/quiet__park/t.wav")
    groups = _list(tmp_path, ["Dog__big"])["group"]
    assert groups.nunique() == 4


def test_classes_are_listed_in_the_order_of_the_config(put, tmp_path, capsys):
    put("events/Bark/a.wav", "events/Gong/b.wav", "scenes/s.wav")
    assert _list(tmp_path, ["Gong", "Bark"])["label"].tolist() == ["Gong", "Bark", "scene"]
    assert capsys.readouterr().out == ""


def test_folders_that_are_no_classes_stop_the_run_and_are_named(put, tmp_path):
    put("events/Bark/a.wav", "events/Gong/b.wav", "events/Barks/c.wav", "events/Xylo/d.wav")
    put("events/readme.txt", "scenes/s.wav")
    expected = (
        r"events: labels that corpus\.classes does not name: "
        r"Barks \(1 times, did you mean Bark\?\); Xylo \(1 times\)\. "
        r".*config key corpus\.other_labels: ignore$"
    )
    with pytest.raises(DataError, match=expected):
        _list(tmp_path)


def test_folders_that_are_no_classes_can_be_left_out_and_are_said(put, tmp_path, capsys):
    put("events/Bark/a.wav", "events/Gong/b.wav", "events/Wolf/c.wav", "scenes/s.wav")
    frame = _list(tmp_path, ["Gong", "Bark"], other_labels="ignore")
    assert frame["label"].tolist() == ["Gong", "Bark", "scene"]
    said = capsys.readouterr().out
    assert "events: labels that corpus.classes does not name: Wolf (1 times). They are left" in said


def test_hidden_folders_are_no_labels(put, tmp_path):
    put("events/Bark/a.wav", "events/.ipynb_checkpoints/a-checkpoint.wav", "scenes/s.wav")
    assert _list(tmp_path, ["Bark"])["label"].tolist() == ["Bark", "scene"]


def test_a_class_without_folder_is_named_with_what_there_is(put, tmp_path):
    put("events/Bark/a.wav", "events/Gong/b.wav", "events/readme.txt", "scenes/s.wav")
    expected = r"events: no recording of Wolf \(config key corpus\.classes\); found Bark, Gong$"
    with pytest.raises(DataError, match=expected):
        _list(tmp_path, ["Bark", "Wolf"])


@pytest.mark.parametrize("folder", ["events", "scenes"])
def test_a_missing_folder_is_named(put, tmp_path, folder):
    put("events/Bark/a.wav", "scenes/s.wav")
    (tmp_path / folder).rename(tmp_path / "other")
    with pytest.raises(DataError, match=rf"{folder}: expected a folder, found none.*data_root"):
        _list(tmp_path, ["Bark"])


def test_an_empty_folder_is_named(put, tmp_path):
    put("events/Bark/a.txt", "events/Gong/b.wav", "scenes/.s.wav")
    with pytest.raises(DataError, match=r"events/Bark: expected sound files, found none"):
        _list(tmp_path)
    put("events/Bark/a.wav")
    with pytest.raises(DataError, match=r"scenes: expected sound files, found none"):
        _list(tmp_path)


def test_scenes_can_be_chosen(put, tmp_path):
    put("events/Bark/a.wav", "scenes/park/p.wav", "scenes/street/s.wav", "scenes/loose.wav")

    def scenes(choice):
        return _names(_list(tmp_path, ["Bark"], choice), tmp_path)[1:]

    assert scenes(None) == ["scenes/loose.wav", "scenes/park/p.wav", "scenes/street/s.wav"]
    assert scenes(["street"]) == ["scenes/street/s.wav"]
    assert scenes(["street", "scene"]) == ["scenes/loose.wav", "scenes/street/s.wav"]
    expected = r"scenes: no recording of hall \(config key corpus\.scenes\); found park, scene, str"
    with pytest.raises(DataError, match=expected):
        scenes(["park", "hall"])


def test_attribution_is_read_where_it_is_given(put, tmp_path):
    put("events/Bark/a.wav", "events/Bark/b.wav", "scenes/s.wav")
    (tmp_path / "attribution.csv").write_text(
        "path,author,licence,source\n"
        "events/Bark/b.wav,Ada,CC BY 4.0,https://example.org/b\n"
        "./scenes/s.wav,Bob,CC0,own\n"
    )
    frame = _list(tmp_path, ["Bark"])
    assert frame[["author", "licence", "source"]].values.tolist() == [
        ["not stated"] * 3,
        ["Ada", "CC BY 4.0", "https://example.org/b"],
        ["Bob", "CC0", "own"],
    ]


def test_a_broken_attribution_is_named(put, tmp_path):
    put("events/Bark/a.wav", "scenes/s.wav")
    (tmp_path / "attribution.csv").write_text("path,author\nevents/Bark/a.wav,Ada\n")
    with pytest.raises(TableError, match=r"attribution\.csv: .*missing licence, source"):
        _list(tmp_path, ["Bark"])


# Clips


@pytest.fixture
def listed(tmp_path):
    """Return a function that lists clips of the given tables."""

    def list_clips(text, strong=None, other_labels="error"):
        (tmp_path / "clips.csv").write_text(text)
        if strong is not None:
            (tmp_path / "strong.tsv").write_text(strong)
        return clips.list_recordings(tmp_path, classes=["Bark", "Gong"], other_labels=other_labels)

    return list_clips


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("", []),
        ("Bark", ["Bark"]),
        ("Gong;Bark", ["Gong", "Bark"]),
        ("Gong,Bark", ["Gong", "Bark"]),
        (" Gong ; Bark,Hi-hat ", ["Gong", "Bark", "Hi-hat"]),
        ("Bark;;Bark, ;", ["Bark"]),
        ("Dog bark;Car horn", ["Dog bark", "Car horn"]),
    ],
)
def test_tags_are_split(text, tags):
    assert clips.split_tags(text) == tags


def test_clips_are_listed_with_their_tags(listed, tmp_path):
    frame = listed('path,tags\nb.wav,Gong;Bark\nsub/a.wav,"Bark, Gong"\n./c.wav,\n')
    assert _names(frame, tmp_path) == ["b.wav", "sub/a.wav", "c.wav"]
    assert frame["label"].tolist() == ["Gong;Bark", "Bark;Gong", ""]
    assert frame["role"].tolist() == ["clip"] * 3
    assert frame["part"].tolist() == [0, 0, 0]
    assert frame["group"].nunique() == 3
    assert frame["stop_s"].isna().all()
    corpus_tables.write_table(tmp_path / "recordings.csv", frame, "recordings")


def test_fold_and_group_are_used_where_given(listed):
    frame = listed("group,path,fold,tags\ng,a.wav,2,Bark\ng,b.wav,1,Gong\n")
    assert frame["part"].tolist() == [2, 1]
    assert frame["group"].tolist() == ["g", "g"]


def test_an_absolute_path_is_kept(listed, tmp_path):
    elsewhere = tmp_path.parent / "elsewhere" / "a.wav"
    frame = listed(f"path,tags\n{elsewhere},Bark\nb.wav,Gong\n")
    assert frame["path"].tolist() == [str(elsewhere), str(tmp_path / "b.wav")]


def test_clips_have_attribution(listed, tmp_path):
    (tmp_path / "attribution.csv").write_text("path,author,licence,source\nb.wav,Ada,CC0,web\n")
    frame = listed("path,tags\na.wav,Bark\nb.wav,Gong\n")
    assert frame["author"].tolist() == ["not stated", "Ada"]


def test_tags_that_are_no_classes_stop_the_run_and_are_named(listed):
    expected = (
        r"clips\.csv: labels that corpus\.classes does not name: "
        r"Gongg \(1 times, did you mean Gong\?\); Wolf \(2 times\)\. "
        r".*config key corpus\.other_labels: ignore$"
    )
    with pytest.raises(DataError, match=expected):
        listed("path,tags\na.wav,Wolf;Bark\nb.wav,Wolf\nc.wav,Gong;Gongg\n")


def test_tags_that_are_no_classes_can_be_left_out_and_are_said(listed, capsys):
    text = "path,tags\na.wav,Wolf;Bark\nb.wav,Wolf\nc.wav,Gong;Owl\n"
    frame = listed(text, other_labels="ignore")
    assert frame["label"].tolist() == ["Bark", "", "Gong"]
    said = capsys.readouterr().out
    assert "clips.csv: labels that corpus.classes does not name: Owl (1 times); Wolf (2" in said
    assert said.endswith("They are left out (corpus.other_labels: ignore).\n")


@pytest.mark.parametrize("other_labels", ["error", "ignore"])
def test_without_other_tags_nothing_is_said(listed, capsys, other_labels):
    listed("path,tags\na.wav,Gong;Bark\nb.wav,\n", other_labels=other_labels)
    assert capsys.readouterr().out == ""


def test_a_class_without_clip_is_named_with_what_there_is(listed):
    expected = r"clips\.csv: no recording of Gong \(config key corpus\.classes\); found Bark, Wolf$"
    with pytest.raises(DataError, match=expected):
        listed("path,tags\na.wav,Wolf;Bark\n")


def test_a_clip_twice_is_refused(listed):
    with pytest.raises(TableError, match=r"clips\.csv: expected every path once.*lines 2, 3"):
        listed("path,tags\na.wav,Bark\na.wav,Gong\n")


def test_a_missing_list_of_clips_is_named(tmp_path):
    with pytest.raises(TableError, match=r"clips\.csv: expected a table of own_clips"):
        clips.list_recordings(tmp_path, classes=["Bark"], other_labels="error")


def test_sounds_that_the_list_of_clips_lacks_are_said(listed, put, tmp_path, capsys):
    put("a.wav", "b.wav", "phone.m4a", "._a.wav", "sub/C.WAV")
    listed("path,tags\na.wav,Bark\nb.wav,Gong\nsub/c.wav,\n")
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path}: left out 1 hidden",
        f"{tmp_path}/clips.csv: it does not name phone.m4a, sub/C.WAV, which are left out",
        f"{tmp_path}/clips.csv: it names c.wav, there is C.WAV",
    ]


def test_names_of_clips_may_be_in_either_normal_form(listed, put, tmp_path, capsys):
    composed, decomposed = (unicodedata.normalize(form, "é.wav") for form in ("NFC", "NFD"))
    put(decomposed, "b.wav")
    frame = listed(f"path,tags\n{composed},Bark\nb.wav,Gong\n")
    assert _names(frame, tmp_path) == [decomposed, "b.wav"]
    assert capsys.readouterr().out == ""
    text = f"{decomposed}\t0\t1\tBark\n"
    assert _events(tmp_path, {composed: 3.0}, text) == {composed: [("Bark", 0.0, 1.0)]}


HEADER = "filename\tonset\toffset\tevent_label\n"


def test_the_times_of_events_are_not_read_with_the_clips(listed):
    frame = listed("path,tags\na.wav,Bark;Gong\n", HEADER + "other.wav\t2\t1\tWolf\n")
    assert frame["stop_s"].isna().all()


def test_a_real_clip_that_is_listed_can_be_read(listed, tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(100), 8000)
    frame = listed("path,tags\n./a.wav,Bark;Gong\n")
    assert soundfile.info(frame["path"][0]).frames == 100


# Times of the events in clips


def _events(
    root,
    durations_s,
    text=None,
    listed=None,
    other_labels="error",
    label_excess_s=0.05,
    with_report=False,
):
    if text is not None:
        rows = "".join(f"{name},\n" for name in listed or durations_s)
        (root / "clips.csv").write_text(f"path,tags\n{rows}")
        (root / "strong.tsv").write_text(HEADER + text)
    events, report = clips.clip_events(
        root,
        durations_s,
        classes=["Bark", "Gong"],
        other_labels=other_labels,
        label_excess_s=label_excess_s,
    )
    return (events, report) if with_report else events


def test_without_times_no_clip_has_a_reference(tmp_path):
    assert _events(tmp_path, {"a.wav": 3.0}) == {}


def test_events_are_grouped_by_clip(tmp_path):
    text = "a.wav\t1\t2.5\tBark\nb.wav\t0\t1\tGong\na.wav\t0.5\t3\tGong\n"
    assert _events(tmp_path, {"a.wav": 3.0, "b.wav": 1.0}, text) == {
        "a.wav": [("Bark", 1.0, 2.5), ("Gong", 0.5, 3.0)],
        "b.wav": [("Gong", 0.0, 1.0)],
    }


def test_a_clip_that_is_named_without_event_is_known_to_have_none(tmp_path):
    text = "a.wav\t\t\t\n"
    assert _events(tmp_path, {"a.wav": 3.0, "b.wav": 3.0}, text) == {"a.wav": []}


def test_a_clip_is_the_same_however_its_path_is_written(tmp_path):
    durations_s = {"a.wav": 3.0, "sub/b.wav": 3.0, "c.wav": 3.0}
    text = (
        "./a.wav\t0\t1\tBark\nsub//b.wav\t0\t1\tBark\n"
        f"{tmp_path}/c.wav\t0\t1\tBark\na.wav\t2\t3\tBark\n"
    )
    found = _events(tmp_path, durations_s, text, listed=["a.wav", "./sub/b.wav", "c.wav"])
    assert {name: len(events) for name, events in found.items()} == {
        "a.wav": 2,
        "sub/b.wav": 1,
        "c.wav": 1,
    }


@pytest.mark.parametrize("before", ["", "a.wav\t0\t1\tBark\n", "\na.wav\t0\t1\tBark\n"])
@pytest.mark.parametrize("event", ["0\t1\tBark", "\t\t"])
def test_a_clip_that_is_not_listed_is_named(tmp_path, before, event):
    text = f"{before}./other.wav\t{event}\n"
    expected = r"strong\.tsv, line [234]: found '\./other\.wav', expected a path of the clips\.csv"
    with pytest.raises(DataError, match=expected):
        _events(tmp_path, {"a.wav": 3.0}, text)


def test_times_need_the_list_of_clips(tmp_path):
    (tmp_path / "strong.tsv").write_text(HEADER)
    with pytest.raises(TableError, match=r"clips\.csv: expected a table of own_clips"):
        _events(tmp_path, {"a.wav": 3.0})


def test_clips_that_were_left_out_do_not_matter(tmp_path):
    text = "b.wav\t0\t99\tBark\nb.wav\t2\t1\tBark\na.wav\t0\t1\tGong\nb.wav\t\t\t\n"
    found = _events(tmp_path, {"a.wav": 3.0}, text, listed=["a.wav", "b.wav"])
    assert found == {"a.wav": [("Gong", 0.0, 1.0)]}


def test_other_labels_among_the_times_stop_the_run_and_are_named(tmp_path):
    text = (
        "a.wav\t0\t1\tbark\na.wav\t0\t1\tBark\nb.wav\t0\t1\tbark\n"
        "b.wav\t0\t1\tXylophone\nb.wav\t\t\t\n"
    )
    expected = (
        r"strong\.tsv: labels that corpus\.classes does not name: "
        r"Xylophone \(1 times\); bark \(2 times, did you mean Bark\?\)\. "
        r".*config key corpus\.other_labels: ignore$"
    )
    with pytest.raises(DataError, match=expected):
        _events(tmp_path, {"a.wav": 3.0, "b.wav": 3.0}, text)


def test_other_labels_among_the_times_can_be_left_out(tmp_path, capsys):
    text = "a.wav\t0\t1\tWolf\na.wav\t0\t1\tBark\nb.wav\t0\t9\tWolf\n"
    found = _events(tmp_path, {"a.wav": 3.0, "b.wav": 3.0}, text, other_labels="ignore")
    assert found == {"a.wav": [("Bark", 0.0, 1.0)], "b.wav": []}
    said = capsys.readouterr().out
    assert "strong.tsv: labels that corpus.classes does not name: Wolf (2 times). They are" in said


@pytest.mark.parametrize(("onset", "offset"), [("2", "1"), ("1.5", "1.5")])
def test_an_event_that_ends_before_it_begins_is_named(tmp_path, onset, offset):
    text = f"a.wav\t0\t1\tBark\na.wav\t{onset}\t{offset}\tBark\n"
    with pytest.raises(
        DataError, match=r"strong\.tsv, line 3: a\.wav, Bark: expected an offset after"
    ):
        _events(tmp_path, {"a.wav": 3.0}, text)


@pytest.mark.parametrize("offset", ["3.009", "3.02", "3.05"])
def test_an_event_that_ends_a_little_after_its_clip_is_cut_and_reported(tmp_path, offset):
    text = f"a.wav\t1\t{offset}\tBark\nb.wav\t0\t3\tGong\n"
    events, report = _events(tmp_path, {"a.wav": 3.0, "b.wav": 3.0}, text, with_report=True)
    assert events == {"a.wav": [("Bark", 1.0, 3.0)], "b.wav": [("Gong", 0.0, 3.0)]}
    assert report.to_dict("records") == [
        {
            "path": f"{tmp_path}/a.wav",
            "role": "clip",
            "start_s": 1.0,
            "label": "Bark",
            "problem": "shorter_than_label",
            "severity": "warning",
            "expected": f"{offset} s, where its label ends",
            "found": "3.000 s: the label is cut there",
        }
    ]
    corpus_tables.write_table(tmp_path / "report.csv", report, "corpus_report")


@pytest.mark.parametrize("onset", ["-0.01", "-.05", "-5E-02"])
def test_an_event_that_begins_a_little_before_its_clip_is_cut_and_reported(tmp_path, onset):
    text = f"a.wav\t{onset}\t1\tBark \n"
    events, report = _events(tmp_path, {"a.wav": 3.0}, text, with_report=True)
    assert events == {"a.wav": [("Bark", 0.0, 1.0)]}
    (row,) = report.to_dict("records")
    assert (row["problem"], row["start_s"]) == ("label_before_start", 0.0)
    assert row["expected"] == f"{float(onset):g} s, where its label begins"
    assert row["found"] == "0.000 s: the label is cut there"
    corpus_tables.write_table(tmp_path / "report.csv", report, "corpus_report")


@pytest.mark.parametrize(("onset", "excess_s"), [("-0.051", 0.05), ("-1", 0.05), ("-0.01", 0)])
def test_an_event_that_begins_before_its_clip_is_named(tmp_path, onset, excess_s):
    expected = (
        r"strong\.tsv, line 2: a\.wav, Bark: expected it to begin within the clip .*, "
        rf"found {float(onset)} s; an excess of up to {excess_s:g} s is cut .*label_excess_s"
    )
    with pytest.raises(DataError, match=expected):
        _events(tmp_path, {"a.wav": 3.0}, f"a.wav\t{onset}\t1\tBark\n", label_excess_s=excess_s)


def test_an_event_that_a_cut_leaves_nothing_of_is_named(tmp_path):
    with pytest.raises(DataError, match="expected an offset after the onset"):
        _events(tmp_path, {"a.wav": 3.0}, "a.wav\t-0.02\t0\tBark\n")


@pytest.mark.parametrize(
    ("onset", "offset", "excess_s"),
    [
        ("1", "3.051", 0.05),
        ("4", "5", 0.05),
        ("3", "3.02", 0.05),
        ("1", "3.02", 0.01),
        ("1", "3.001", 0),
    ],
)
def test_an_event_that_ends_after_its_clip_is_named(tmp_path, onset, offset, excess_s):
    text = f"b.wav\t0\t5\tGong\na.wav\t{onset}\t{offset}\tBark\n"
    expected = (
        r"strong\.tsv, line 3: a\.wav, Bark: expected it to end within the clip \(3\.000 s\), "
        rf"found {float(offset)} s; an excess of up to {excess_s:g} s is cut .*label_excess_s"
    )
    with pytest.raises(DataError, match=expected):
        _events(tmp_path, {"a.wav": 3.0, "b.wav": 5.0}, text, label_excess_s=excess_s)


def test_all_that_is_wrong_with_labels_is_named_at_once(tmp_path):
    text = (
        "a.wav\t0\t3.2\tBark\na.wav\t2\t1\tGong\nz.wav\t0\t1\tBark\n\na.wav\t0\t1\t\n"
        "a.wav\t0\t1\tBarkk\nb.wav\t0\t1\tGong\nb.wav\t0\t1\tGong\nb.wav\t0\t4\tBark\n"
    )
    with pytest.raises(DataError) as error:
        _events(tmp_path, {"a.wav": 3.0, "b.wav": 3.0}, text)
    lines = str(error.value).splitlines()
    assert [re.search(r"line (\d+)", line).group(1) for line in lines[1:]] == [
        *"2346",
        "9",
        "10",
    ]
    assert "Barkk (1 times, did you mean Bark?)" in lines[0]
    assert "expected every row once, found 'Gong' on line 8 too" in lines[5]


def test_a_thousand_wrong_labels_are_counted(tmp_path):
    text = "".join(f"z{n}.wav\t0\t1\tBark\n" for n in range(1000))
    with pytest.raises(DataError) as error:
        _events(tmp_path, {"a.wav": 3.0}, text)
    lines = str(error.value).splitlines()
    assert len(lines) == 101 and lines[-1] == "... and 900 more"


def test_the_times_may_be_separated_by_commas(tmp_path):
    _events(tmp_path, {"a.wav": 3.0}, "")
    (tmp_path / "strong.tsv").rename(tmp_path / "strong.csv")
    (tmp_path / "strong.csv").write_text("filename,onset,offset,event_label\na.wav,0,1,Bark\n")
    assert _events(tmp_path, {"a.wav": 3.0}) == {"a.wav": [("Bark", 0.0, 1.0)]}
    (tmp_path / "strong.tsv").write_text(HEADER)
    with pytest.raises(DataError, match=r"expected one table of times, found also strong\.csv"):
        _events(tmp_path, {"a.wav": 3.0})


@pytest.mark.parametrize("times", ["\t", "1\t", "\t1", "one\t2", "0\t-2", "nan\t2"])
def test_an_event_without_proper_times_is_named(tmp_path, times):
    with pytest.raises(TableError, match=r"strong\.tsv, line 2, column o"):
        _events(tmp_path, {"a.wav": 3.0}, f"a.wav\t{times}\tBark\n")
