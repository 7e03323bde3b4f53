import numpy as np
import pandas as pd
import pytest
import soundfile

from tfseg.datasets.corpus_tables import check_rows
from tfseg.datasets.dcase2018 import EVENT_FOLDER, EVENT_META, SCENE_FOLDER, list_recordings
from tfseg.errors import DataError

CLASSES = ("Bark", "Hi-hat", "Gong")


@pytest.fixture
def root(tmp_path):
    """The archives as zenodo has them, in miniature: 24 clips and 8 scenes."""
    rng = np.random.default_rng(0)
    root = tmp_path / "data"
    (root / EVENT_FOLDER).mkdir(parents=True)
    (root / EVENT_META).parent.mkdir()
    rows = []
    for index in rng.permutation(24):  # the table is not sorted
        name = f"{index:08x}.wav"
        label = (*CLASSES, "Cough")[index % 4]  # Cough is not among the classes
        verified = int(index % 6 != 5)
        rows.append((name, label, verified, 100000 + index, "Creative Commons 0"))
        samples = rng.normal(0, 0.1, 4410 + 441 * index)
        soundfile.write(root / EVENT_FOLDER / name, samples, 44100)
    columns = ["fname", "label", "manually_verified", "freesound_id", "license"]
    pd.DataFrame(rows, columns=columns).to_csv(root / EVENT_META, index=False)
    (root / SCENE_FOLDER / "audio").mkdir(parents=True)
    rows = []
    for index in range(8):
        name = f"audio/park-city-{index // 2}-{index}-a.wav"
        rows.append((name, "park", f"city-{index // 2}", "a"))
        soundfile.write(root / SCENE_FOLDER / name, rng.normal(0, 0.1, (4800, 2)), 48000)
    columns = ["filename", "scene_label", "identifier", "source_label"]
    pd.DataFrame(rows, columns=columns).to_csv(
        root / SCENE_FOLDER / "meta.csv", sep="\t", index=False
    )
    return root


EXPECT = {"verified_recordings": 20, "labels": 4, "scenes": 8, "scene_kinds": 1}


def _list(root, **changes):
    return list_recordings(
        root, **({"classes": CLASSES, "scenes": None, "expect": EXPECT} | changes)
    )


def _of(recordings, role):
    return recordings[recordings["role"] == role]


def test_the_list_follows_its_schema(root):
    check_rows(_list(root), "recordings", "recordings")


def test_verified_clips_of_the_classes_are_kept_and_others_dropped(root):
    events = _of(_list(root), "event")
    kept = [i for i in range(24) if i % 4 != 3 and i % 6 != 5]
    assert events["path"].tolist() == [
        str(root / EVENT_FOLDER / f"{index:08x}.wav") for index in kept
    ]
    assert events["label"].tolist() == [CLASSES[index % 4] for index in kept]
    assert events["group"].tolist() == [str(100000 + index) for index in kept]
    assert events["stop_s"].isna().all()
    assert (events["start_s"] == 0).all()
    assert set(events["licence"]) == {"Creative Commons 0"}
    assert 0 < len(kept) < 18  # some of the classes' clips are not verified


def test_all_scenes_are_kept(root):
    scenes = _of(_list(root), "scene")
    assert scenes["path"].tolist() == [
        str(root / SCENE_FOLDER / f"audio/park-city-{i // 2}-{i}-a.wav") for i in range(8)
    ]
    assert set(scenes["label"]) == {"park"}
    assert scenes["group"].tolist() == [f"city-{i // 2}" for i in range(8)]
    assert scenes["licence"].str.contains("non-commercial").all()


def test_only_the_chosen_kinds_of_scene_are_kept(root):
    path = root / SCENE_FOLDER / "meta.csv"
    path.write_text(path.read_text().replace("-7-a.wav\tpark", "-7-a.wav\ttram"))
    expect = EXPECT | {"scene_kinds": 2}
    assert len(_of(_list(root, expect=expect, scenes=["tram"]), "scene")) == 1
    with pytest.raises(DataError, match=r"no recording of metro .*corpus\.scenes.*park, tram"):
        _list(root, expect=expect, scenes=["metro"])


def test_every_recording_is_attributed(root):
    recordings = _list(root)
    for row in _of(recordings, "event").itertuples():
        assert row.group in row.source
        assert row.group in row.author
    assert set(_of(recordings, "scene")["author"]) == {"Tampere University of Technology"}


def test_the_list_does_not_depend_on_the_order_of_the_rows(root):
    before = _list(root)
    for path, separator in ((root / EVENT_META, ","), (root / SCENE_FOLDER / "meta.csv", "\t")):
        meta = pd.read_csv(path, sep=separator)
        meta.sample(frac=1, random_state=3).to_csv(path, sep=separator, index=False)
    pd.testing.assert_frame_equal(before, _list(root))


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("verified_recordings", r"post_competition\.csv: expected 21 manually verified.*found 20"),
        ("labels", r"post_competition\.csv: expected 5 labels, found 4"),
        ("scenes", r"meta\.csv: expected 9 scenes, found 8"),
        ("scene_kinds", r"meta\.csv: expected 2 kinds of scene, found 1"),
    ],
)
def test_another_number_than_the_authors_state_is_refused(root, key, says):
    with pytest.raises(DataError, match=says):
        _list(root, expect=EXPECT | {key: EXPECT[key] + 1})


def test_an_unknown_class_is_named_with_those_there_are(root):
    with pytest.raises(DataError, match=r"no recording of Brak .*corpus\.classes.*Bark, Cough"):
        _list(root, classes=["Brak", "Gong"])


def test_a_missing_folder_is_named_with_what_belongs_there(tmp_path):
    with pytest.raises(
        DataError,
        match=r"expected FSDKaggle2018's list.*found nothing there.*unpack its archive.*data_root",
    ):
        _list(tmp_path / "absent")
    with pytest.raises(DataError, match=str(tmp_path / "absent" / EVENT_META)):
        _list(tmp_path / "absent")


def test_missing_scenes_are_named(root):
    (root / SCENE_FOLDER / "meta.csv").rename(root / "elsewhere.csv")
    with pytest.raises(
        DataError, match=rf"{SCENE_FOLDER}/meta\.csv: expected the scenes' meta data"
    ):
        _list(root)


def test_another_table_is_refused_by_name(root):
    (root / EVENT_META).write_text("fname,label\na.wav,Bark\n")
    with pytest.raises(DataError, match=r"train_post_competition\.csv: expected columns .*missing"):
        _list(root)
