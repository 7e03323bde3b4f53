import numpy as np
import pandas as pd
import pytest
import soundfile

from tfseg.corpora.dcase2018 import EVENT_FOLDER, EVENT_META, SCENE_FOLDER, read_corpus
from tfseg.corpora.tables import check_rows
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


def _read(root, **changes):
    return read_corpus(root, **({"classes": CLASSES, "n_folds": 2, "seed": 1} | changes))


def test_tables_follow_their_schemas(root):
    events, scenes, attribution = _read(root)
    check_rows(events, "events", "events")
    check_rows(scenes, "scenes", "scenes")
    check_rows(attribution, "attribution", "attribution")
    assert list(attribution["path"]) == [*events["path"], *scenes["path"]]


def test_verified_clips_of_the_classes_are_kept_and_others_dropped(root):
    events, _, _ = _read(root)
    kept = [i for i in range(24) if i % 4 != 3 and i % 6 != 5]
    assert events["path"].tolist() == [
        str(root / EVENT_FOLDER / f"{index:08x}.wav") for index in kept
    ]
    assert events["label"].tolist() == [CLASSES[index % 4] for index in kept]
    assert events["group"].tolist() == [str(100000 + index) for index in kept]
    np.testing.assert_allclose(events["stop_s"], [0.1 + 0.01 * index for index in kept])
    assert (events["start_s"] == 0).all()
    assert set(events["licence"]) == {"Creative Commons 0"}
    assert 0 < len(kept) < 18  # some of the classes' clips are not verified


def test_all_scenes_are_kept(root):
    _, scenes, _ = _read(root)
    assert scenes["path"].tolist() == [
        str(root / SCENE_FOLDER / f"audio/park-city-{i // 2}-{i}-a.wav") for i in range(8)
    ]
    assert set(scenes["scene"]) == {"park"}
    assert scenes["group"].tolist() == [f"city-{i // 2}" for i in range(8)]
    assert scenes["licence"].str.contains("non-commercial").all()


def test_every_recording_is_attributed(root):
    events, _, attribution = _read(root)
    of_events = attribution[: len(events)]
    for row, source in zip(events["group"], of_events["source"], strict=True):
        assert row in source
    assert attribution["author"].iloc[-1] == "Tampere University of Technology"


@pytest.mark.parametrize("n_folds", [2, 4])
def test_folds_are_of_even_size(root, n_folds):
    for table in _read(root, n_folds=n_folds)[:2]:
        sizes = table["fold"].value_counts()
        assert sorted(sizes.index) == list(range(1, n_folds + 1))
        assert sizes.max() - sizes.min() <= 1


def test_folds_depend_on_the_seed_and_not_on_the_order_of_the_rows(root):
    events, scenes, _ = _read(root)
    for path, separator in ((root / EVENT_META, ","), (root / SCENE_FOLDER / "meta.csv", "\t")):
        meta = pd.read_csv(path, sep=separator)
        meta.sample(frac=1, random_state=3).to_csv(path, sep=separator, index=False)
    again_events, again_scenes, _ = _read(root)
    pd.testing.assert_frame_equal(events, again_events)
    pd.testing.assert_frame_equal(scenes, again_scenes)
    assert not events["fold"].equals(_read(root, seed=2)[0]["fold"])


def test_a_missing_folder_is_named_with_what_belongs_there(tmp_path):
    with pytest.raises(
        DataError,
        match=r"expected FSDKaggle2018's list.*found nothing there.*unpack its archive.*data_root",
    ):
        _read(tmp_path / "absent")
    with pytest.raises(DataError, match=str(tmp_path / "absent" / EVENT_META)):
        _read(tmp_path / "absent")


def test_missing_scenes_are_named(root):
    (root / SCENE_FOLDER / "meta.csv").rename(root / "elsewhere.csv")
    with pytest.raises(
        DataError, match=rf"{SCENE_FOLDER}/meta\.csv: expected the scenes' meta data"
    ):
        _read(root)


def test_missing_recordings_are_counted_and_one_is_named(root):
    for index in (0, 4):
        (root / EVENT_FOLDER / f"{index:08x}.wav").unlink()
    with pytest.raises(DataError, match=r"2 of 16 recordings are missing, first .*/00000000\.wav"):
        _read(root)


def test_a_missing_scene_recording_is_named(root):
    (root / SCENE_FOLDER / "audio/park-city-1-3-a.wav").unlink()
    with pytest.raises(
        DataError, match=r"1 of 8 scenes are missing, first .*/park-city-1-3-a\.wav"
    ):
        _read(root)


def test_a_recording_that_is_not_verified_may_be_missing(root):
    (root / EVENT_FOLDER / f"{5:08x}.wav").unlink()
    assert len(_read(root)[0]) == 16


def test_another_table_is_refused_by_name(root):
    (root / EVENT_META).write_text("fname,label\na.wav,Bark\n")
    with pytest.raises(DataError, match=r"train_post_competition\.csv: expected columns .*missing"):
        _read(root)


def test_an_unreadable_recording_is_named(root):
    (root / EVENT_FOLDER / f"{8:08x}.wav").write_text("not sound")
    with pytest.raises(DataError, match=r"00000008\.wav: expected a sound file"):
        _read(root)
