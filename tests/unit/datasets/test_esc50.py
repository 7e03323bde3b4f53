"""A made-up folder in ESC-50's layout."""

import numpy as np
import pandas as pd
import pytest
import soundfile

from tfseg.datasets import corpus_tables, esc50
from tfseg.errors import DataError

META = "filename,fold,target,category,esc10,src_file,take\n"
# Freesound id, fold, take, target, category, whether in ESC-10; in no order of their names
CLIPS = [
    (100032, 1, "A", 0, "dog", "True"),
    (100032, 1, "B", 0, "dog", "True"),
    (200, 2, "A", 5, "cat", "False"),
    (300, 1, "A", 10, "rain", "True"),
    (17, 5, "A", 16, "wind", "False"),
]
SITE = "http://www.freesound.org/people"
CREDITS = f"""The dataset as a whole is available under the terms of another licence.

101 - Dog:
- [1-100032-A.ogg]: clip derived from rose_bark.wav ({SITE}/nfrae/sounds/100032/) by nfrae [CC0]
- [2-200-A.ogg]:  clip derived from A cat (near, by night) ({SITE}/Bobby%20B/sounds/200/) by Bobby B [CC-BY]
- [1-300-A.ogg]: clip derived from "rain.mp3" ({SITE}/rainy/sounds/300/) by rainy [CC-Sampling+]
- [5-17-A.ogg] something else
"""


def _name(clip, ending):
    source, fold, take, target, *_ = clip
    return f"{fold}-{source}-{take}-{target}.{ending}"


def _meta_row(clip, ending):
    source, fold, take, target, category, esc10 = clip
    return f"{_name(clip, ending)},{fold},{target},{category},{esc10},{source},{take}\n"


@pytest.fixture
def folder(tmp_path):
    """Return a function that makes a folder of some clips."""

    def make(clips=CLIPS, ending="ogg", meta=META):
        (tmp_path / "meta").mkdir()
        (tmp_path / "audio").mkdir()
        rows = [_meta_row(clip, ending) for clip in clips]
        (tmp_path / "meta" / "esc50.csv").write_text(meta + "".join(rows))
        for clip in clips:
            path = tmp_path / "audio" / _name(clip, ending)
            soundfile.write(path, np.full(100, 0.25), 8000)
        return tmp_path

    return make


def _list(folder, classes=("cat", "dog"), scenes=("rain", "wind"), **changes):
    return esc50.list_recordings(folder, classes=classes, scenes=scenes, **changes)


@pytest.mark.parametrize("ending", ["ogg", "wav"])
def test_clips_are_events_or_scenes_by_their_category(folder, ending):
    root = folder(ending=ending)
    frame = _list(root)
    columns = ["role", "path", "label", "part", "group"]
    assert frame[columns].values.tolist() == [
        ["event", f"{root}/audio/1-100032-A-0.{ending}", "dog", 1, "freesound 100032"],
        ["event", f"{root}/audio/1-100032-B-0.{ending}", "dog", 1, "freesound 100032"],
        ["event", f"{root}/audio/2-200-A-5.{ending}", "cat", 2, "freesound 200"],
        ["scene", f"{root}/audio/1-300-A-10.{ending}", "rain", 1, "freesound 300"],
        ["scene", f"{root}/audio/5-17-A-16.{ending}", "wind", 5, "freesound 17"],
    ]
    assert frame["stop_s"].isna().all()
    assert all(soundfile.info(path).frames == 100 for path in frame["path"])


def test_the_list_is_a_table(folder):
    root = folder()
    frame = _list(root)
    corpus_tables.write_table(root / "recordings.csv", frame, "recordings")
    pd.testing.assert_frame_equal(
        corpus_tables.read_table(root / "recordings.csv", "recordings"), frame
    )


def test_the_order_of_the_rows_does_not_count(folder, tmp_path):
    frame = _list(folder())
    lines = (tmp_path / "meta/esc50.csv").read_text().splitlines(keepends=True)
    (tmp_path / "meta/esc50.csv").write_text("".join([lines[0], *lines[:0:-1]]))
    pd.testing.assert_frame_equal(_list(tmp_path), frame)


def test_categories_that_are_not_chosen_are_left_out(folder):
    frame = _list(folder(), classes=["cat"], scenes=["wind"])
    assert frame["label"].tolist() == ["cat", "wind"]


def test_part_of_the_clips_will_do(folder):
    frame = _list(folder(CLIPS[1:4]), scenes=["rain"])
    assert frame["label"].tolist() == ["dog", "cat", "rain"]


# Credits


def test_without_credits_only_the_licence_of_the_whole_is_known(folder):
    frame = _list(folder())
    assert frame["author"].tolist() == ["not stated"] * 5
    assert frame["licence"].tolist() == [
        "CC BY 3.0 (ESC-10 as a whole)",
        "CC BY 3.0 (ESC-10 as a whole)",
        "CC BY-NC 3.0 (ESC-50 as a whole)",
        "CC BY 3.0 (ESC-10 as a whole)",
        "CC BY-NC 3.0 (ESC-50 as a whole)",
    ]


def test_a_list_without_the_column_esc10_has_esc_50s_licence(folder):
    root = folder()
    meta = pd.read_csv(root / "meta/esc50.csv").drop(columns="esc10")
    meta.to_csv(root / "meta/esc50.csv", index=False)
    assert set(_list(root)["licence"]) == {"CC BY-NC 3.0 (ESC-50 as a whole)"}


@pytest.mark.parametrize("ending", ["ogg", "wav"])
def test_credits_are_read_from_the_licence_file(folder, ending):
    root = folder(ending=ending)
    (root / "LICENSE").write_text(CREDITS)
    frame = _list(root)
    whole, subset = "CC BY-NC 3.0 (ESC-50 as a whole)", "CC BY 3.0 (ESC-10 as a whole)"
    assert frame[["author", "licence", "source"]].values.tolist() == [
        ["nfrae", f"CC0; {subset}", f"{SITE}/nfrae/sounds/100032/"],
        ["not stated", subset, "not stated"],
        ["Bobby B", f"CC-BY; {whole}", f"{SITE}/Bobby%20B/sounds/200/"],
        ["rainy", f"CC-Sampling+; {subset}", f"{SITE}/rainy/sounds/300/"],
        ["not stated", whole, "not stated"],
    ]


@pytest.mark.parametrize(
    ("title", "author"),
    [
        ("bark.wav", "nfrae"),
        ("bark (2).wav", "nfrae"),
        ("bark by night (http) by me.wav", "nfrae"),
        ("bark.wav", "n (f) rae"),
        ("bark.wav", "ann by bob"),
        ("bark [1].wav", "[nfrae]"),
        ("bark.wav", "ann [of] bob"),
    ],
)
def test_titles_and_authors_may_hold_what_separates_them(folder, title, author):
    root = folder()
    address = f"{SITE}/x/sounds/100032/"
    (root / "LICENSE").write_text(
        f"- [1-100032-A.ogg]: clip derived from {title} ({address}) by {author} [CC0]\n"
    )
    row = _list(root).iloc[0]
    assert (row["author"], row["source"]) == (author, address)
    assert row["licence"].startswith("CC0; ")


def test_a_table_of_credits_comes_before_the_licence_file(folder):
    root = folder()
    (root / "LICENSE").write_text(CREDITS)
    (root / "CREDITS.csv").write_text(
        "filename,author,licence,source_url\n"
        '1-100032-A-0.ogg,"Rae, N.",CC BY,https://example.org/1\n'
        "5-17-A-16.wav,Bob,CC0,https://example.org/2\n"
    )
    frame = _list(root)
    assert frame["author"].tolist() == ["Rae, N.", *["not stated"] * 3, "Bob"]
    assert frame["licence"].iloc[-1] == "CC0; CC BY-NC 3.0 (ESC-50 as a whole)"
    assert frame["source"].iloc[0] == "https://example.org/1"


@pytest.mark.parametrize("columns", ["filename,author,licence", "clip,author,licence,source_url"])
def test_a_table_of_credits_that_lacks_a_column_is_named(folder, columns):
    root = folder()
    (root / "CREDITS.csv").write_text(columns + "\n" + ",".join("abcd"[: columns.count(",") + 1]))
    with pytest.raises(DataError, match=r"CREDITS\.csv"):
        _list(root)


# What cannot be used


def test_a_missing_list_of_clips_is_named(tmp_path):
    expected = r"meta/esc50\.csv: expected ESC-50's list of clips, found nothing there.*data_root"
    with pytest.raises(DataError, match=expected):
        _list(tmp_path)


def test_a_list_without_its_columns_is_named(folder):
    meta = META.replace("category", "kind").replace("fold", "part")
    with pytest.raises(DataError, match=r"esc50\.csv: expected columns .*missing \['fold', 'categ"):
        _list(folder(meta=meta))


@pytest.mark.parametrize("fold", ["one", "", "1.5"])
def test_a_fold_that_is_no_number_is_named(folder, fold):
    with pytest.raises(DataError, match=r"esc50\.csv: .*fold"):
        _list(folder([(100032, fold, "A", 0, "dog", "True"), *CLIPS[1:]]))


def test_the_number_of_clips_is_checked(folder):
    root = folder()
    assert len(_list(root, expect={"clips": 5})) == 5
    with pytest.raises(DataError, match=r"esc50\.csv: expected 2000 clips, found 5\. "):
        _list(root, expect={"clips": 2000})


def test_a_category_cannot_be_event_and_scene(folder):
    with pytest.raises(DataError, match=r"rain is in corpus\.classes and in corpus\.scenes"):
        _list(folder(), classes=["dog", "rain"])


@pytest.mark.parametrize("scenes", [None, []])
def test_scenes_must_be_chosen(folder, scenes):
    with pytest.raises(DataError, match=r"categories to use as scenes in corpus\.scenes"):
        _list(folder(), scenes=scenes)


@pytest.mark.parametrize(
    ("key", "choice"),
    [("classes", {"classes": ["dog", "wolf"]}), ("scenes", {"scenes": ["rain", "wolf"]})],
)
def test_an_unknown_category_is_named_with_what_there_is(folder, key, choice):
    expected = rf"no recording of wolf \(config key corpus\.{key}\); found cat, dog, rain, wind$"
    with pytest.raises(DataError, match=expected):
        _list(folder(), **choice)
