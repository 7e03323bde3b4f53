"""A made-up development set of TUT Rare Sound Events 2017."""

import pandas as pd
import pytest

from tfseg.datasets import corpus_tables, tut_rare2017
from tfseg.datasets.tut_rare2017 import FOLDER
from tfseg.errors import DataError

EVENTS = {
    "devtrain": """\
babycry:
- {audio_filename: babycry/101.wav, segment: [0.5, 2.25]}
- {audio_filename: 102.wav, segment: [0, 1]}
gunshot:
- {audio_filename: gunshot/103.wav, segment: [1, 1.5]}
""",
    "devtest": """\
babycry:
- {audio_filename: 201.wav, segment: [2, 3]}
- {audio_filename: 201.wav, segment: [4.5, 5]}
gunshot:
- {audio_filename: 202.wav, segment: [0.25, 0.75]}
""",
}
SCENES = {
    "devtrain": """\
- {filepath: audio/a001_0_30.wav, classname: park}
- {filepath: audio/a001_30_60.wav, classname: park}
- {filepath: audio/b002_0_30.wav, classname: beach}
""",
    "devtest": """\
- {filepath: audio/c003_0_30.wav, classname: park}
- {filepath: audio/c004_0_30.wav, classname: beach}
""",
}
EXPECT = {"devtrain_backgrounds": 3, "devtest_backgrounds": 2}
FACTS = {
    "babycry/101": "license: http://creativecommons.org/licenses/by/3.0/\nusername: ada\n",
    "babycry/102": "licence: CC0\nuser: bob\n",
    "gunshot/103": "author: 2001\n",
    "gunshot/202": "- a list\n",
}
DEPTHS = [
    f"{FOLDER}/data/source_data",
    f"{FOLDER}/source_data",
    f"{FOLDER}/{FOLDER}/data/source_data",
]


def _make(root, depth=DEPTHS[0]):
    source = root / depth
    for folder in ("cv_setup", "bgs/audio", "events/babycry", "events/gunshot"):
        (source / folder).mkdir(parents=True)
    for part in ("devtrain", "devtest"):
        (source / "cv_setup" / f"events_{part}.yaml").write_text(EVENTS[part])
        (source / "cv_setup" / f"bgs_{part}.yaml").write_text(SCENES[part])
    for name, facts in FACTS.items():
        (source / "events" / f"{name}.yaml").write_text(facts)
    return source


@pytest.fixture
def source(tmp_path):
    """The folder source_data, where the archives put it."""
    return _make(tmp_path)


def _list(root, classes=("babycry", "gunshot"), scenes=None, expect=EXPECT):
    return tut_rare2017.list_recordings(root, classes=classes, scenes=scenes, expect=expect)


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_sources_are_found_however_deep_they_lie(tmp_path, depth):
    source = _make(tmp_path, depth)
    assert tut_rare2017.source_folder(tmp_path) == source
    frame = _list(tmp_path)
    assert len(frame) == 11
    assert all(path.startswith(f"{source}/") for path in frame["path"])


def test_events_have_their_segments_and_part_1_is_the_test_part(source, tmp_path):
    frame = _list(tmp_path).query("role == 'event'")
    rows = [
        ["babycry/201.wav", "babycry", 2.0, 3.0, 1, "freesound 201"],
        ["babycry/201.wav", "babycry", 4.5, 5.0, 1, "freesound 201"],
        ["gunshot/202.wav", "gunshot", 0.25, 0.75, 1, "freesound 202"],
        ["babycry/101.wav", "babycry", 0.5, 2.25, 2, "freesound 101"],
        ["babycry/102.wav", "babycry", 0.0, 1.0, 2, "freesound 102"],
        ["gunshot/103.wav", "gunshot", 1.0, 1.5, 2, "freesound 103"],
    ]
    expected = [[str(source / "events" / name), *rest] for name, *rest in rows]
    columns = ["path", "label", "start_s", "stop_s", "part", "group"]
    assert frame[columns].values.tolist() == expected


def test_backgrounds_are_grouped_by_their_place(source, tmp_path):
    frame = _list(tmp_path).query("role == 'scene'")
    rows = [
        ["c003_0_30.wav", "park", 1, "c003"],
        ["c004_0_30.wav", "beach", 1, "c004"],
        ["a001_0_30.wav", "park", 2, "a001"],
        ["a001_30_60.wav", "park", 2, "a001"],
        ["b002_0_30.wav", "beach", 2, "b002"],
    ]
    expected = [[str(source / "bgs/audio" / name), *rest] for name, *rest in rows]
    assert frame[["path", "label", "part", "group"]].values.tolist() == expected
    assert set(frame["licence"]) == {tut_rare2017.BACKGROUND_LICENCE}
    assert frame["stop_s"].isna().all()


def test_no_place_and_no_sound_is_in_both_parts(source, tmp_path):
    frame = _list(tmp_path)
    assert frame.groupby(["role", "group"])["part"].nunique().max() == 1


def test_author_and_licence_come_from_the_file_beside_the_sound(source, tmp_path):
    frame = _list(tmp_path).query("role == 'event'").drop_duplicates("path")
    facts = {row.path[-7:-4]: [row.author, row.licence] for row in frame.itertuples()}
    assert facts == {
        "101": ["ada", "http://creativecommons.org/licenses/by/3.0/"],
        "102": ["bob", "CC0"],
        "103": ["2001", "not stated"],
        "201": ["not stated", "not stated"],  # no file
        "202": ["not stated", "not stated"],  # another thing in it
    }
    assert frame["source"].iloc[0] == "freesound.org sound 201 (TUT Rare Sound Events 2017)"


def test_the_list_is_a_table(source, tmp_path):
    frame = _list(tmp_path)
    corpus_tables.write_table(tmp_path / "recordings.csv", frame, "recordings")
    again = corpus_tables.read_table(tmp_path / "recordings.csv", "recordings")
    pd.testing.assert_frame_equal(again, frame)


def test_classes_and_scenes_can_be_chosen(source, tmp_path):
    frame = _list(tmp_path, ["gunshot"], ["beach"])
    assert frame["label"].tolist() == ["gunshot", "beach", "gunshot", "beach"]
    assert frame["part"].tolist() == [1, 1, 2, 2]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (
            {"classes": ["babycry", "wolf"]},
            r"events_devtest\.yaml: .*wolf.*found babycry, gunshot$",
        ),
        ({"scenes": ["hall"]}, r"bgs_devtest\.yaml: .*hall.*corpus\.scenes.*found beach, park$"),
    ],
)
def test_an_unknown_name_is_said_with_what_there_is(source, tmp_path, choice, expected):
    with pytest.raises(DataError, match=expected):
        _list(tmp_path, **choice)


@pytest.mark.parametrize("part", ["devtrain", "devtest"])
def test_the_number_of_backgrounds_is_checked(source, tmp_path, part):
    found = EXPECT[f"{part}_backgrounds"]
    with pytest.raises(
        DataError, match=rf"bgs_{part}\.yaml: expected 9 backgrounds, found {found}\."
    ):
        _list(tmp_path, expect=EXPECT | {f"{part}_backgrounds": 9})


# What cannot be used


@pytest.mark.parametrize("folder", [None, FOLDER, f"{FOLDER}/data", "data/source_data"])
def test_a_folder_without_sources_is_named(tmp_path, folder):
    if folder:
        (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(DataError, match=rf"{FOLDER}: expected data/source_data inside, found none"):
        _list(tmp_path)


@pytest.mark.parametrize("kind", ["events", "bgs"])
@pytest.mark.parametrize("part", ["devtrain", "devtest"])
def test_a_missing_file_of_the_split_is_named(source, tmp_path, kind, part):
    (source / f"cv_setup/{kind}_{part}.yaml").unlink()
    with pytest.raises(
        DataError, match=rf"{kind}_{part}\.yaml: expected a file of the authors' spl"
    ):
        _list(tmp_path)


@pytest.mark.parametrize("content", [b"babycry: [", b"a: b: c", b"\xff\xfe\x00", b"\ta: 1"])
@pytest.mark.parametrize("name", ["cv_setup/events_devtest", "cv_setup/bgs_devtrain"])
def test_a_file_that_is_no_yaml_is_named(source, tmp_path, name, content):
    (source / f"{name}.yaml").write_bytes(content)
    with pytest.raises(DataError, match=rf"{name}\.yaml: expected YAML, found: "):
        _list(tmp_path)


def test_facts_that_are_no_yaml_are_named(source, tmp_path):
    (source / "events/gunshot/103.yaml").write_text("license: [")
    with pytest.raises(DataError, match=r"events/gunshot/103\.yaml: expected YAML"):
        _list(tmp_path)


@pytest.mark.parametrize(
    "entry",
    [
        "{segment: [0, 1]}",
        "{audio_filename: a.wav}",
        "{audio_filename: a.wav, segment: 1}",
        "{audio_filename: a.wav, segment: [1]}",
        "{audio_filename: a.wav, segment: [1, 2, 3]}",
        "{audio_filename: a.wav, segment: [zero, one]}",
        "{audio_filename: a.wav, segment: [null, 1]}",
        "{audio_filename: 5, segment: [0, 1]}",
        "a.wav",
        "null",
    ],
)
def test_an_event_without_name_or_segment_is_named(source, tmp_path, entry):
    text = EVENTS["devtrain"].replace("gunshot:", f"gunshot:\n- {entry}")
    (source / "cv_setup/events_devtrain.yaml").write_text(text)
    expected = r"events_devtrain\.yaml: expected audio_filename and segment .* of gunshot, found"
    with pytest.raises(DataError, match=expected):
        _list(tmp_path)


@pytest.mark.parametrize("content", ["", "3", "- babycry\n- gunshot\n", "babycry:\ngunshot: 3\n"])
def test_a_list_of_events_of_another_shape_is_named(source, tmp_path, content):
    (source / "cv_setup/events_devtest.yaml").write_text(content)
    with pytest.raises(DataError, match=r"events_devtest\.yaml"):
        _list(tmp_path)


@pytest.mark.parametrize(
    "content", ["", "3", "- audio/a.wav\n", "- {filepath: a.wav}\n", "park: [a.wav]\n", "- null\n"]
)
def test_a_list_of_backgrounds_of_another_shape_is_named(source, tmp_path, content):
    (source / "cv_setup/bgs_devtest.yaml").write_text(content)
    with pytest.raises(DataError, match=r"bgs_devtest\.yaml: expected filepath and classname"):
        _list(tmp_path)


@pytest.mark.parametrize(
    "name", ["cv_setup/events_devtest", "cv_setup/bgs_devtest", "events/babycry/101"]
)
def test_yaml_cannot_run_anything(source, tmp_path, name):
    made = tmp_path / "made"
    (source / f"{name}.yaml").write_text(f"a: !!python/object/apply:os.mkdir ['{made}']\n")
    with pytest.raises(DataError, match=rf"{name}\.yaml: expected YAML, found: .*python/object"):
        _list(tmp_path)
    assert not made.exists()
