import numpy as np
import pandas as pd
import pytest

from tfseg.datasets import corpus_tables
from tfseg.datasets.recordings import NOT_STATED, check_count, recordings, wanted
from tfseg.errors import DataError


def test_what_is_not_said_has_its_default(tmp_path):
    frame = recordings("event", [tmp_path / "a.wav"], "Bark", ["g"])
    expected = {
        "role": "event",
        "path": str(tmp_path / "a.wav"),
        "label": "Bark",
        "start_s": 0.0,
        "stop_s": np.nan,
        "part": 0,
        "group": "g",
        "author": NOT_STATED,
        "licence": NOT_STATED,
        "source": NOT_STATED,
    }
    pd.testing.assert_frame_equal(frame, pd.DataFrame([expected]))


def test_columns_take_one_value_or_one_for_each():
    labels = pd.Series(["Bark", "Gong"], index=[7, 3])  # as it comes out of a filtered table
    frame = recordings(
        "event", ["a", "b"], labels, ("g", "h"), part=np.array([2, 1]), licence="CC0", start_s=1.5
    )
    assert frame["label"].tolist() == ["Bark", "Gong"]
    assert frame["group"].tolist() == ["g", "h"]
    assert frame["part"].tolist() == [2, 1]
    assert frame["licence"].tolist() == ["CC0", "CC0"]
    assert frame["start_s"].tolist() == [1.5, 1.5]


def test_a_column_of_another_length_is_refused():
    with pytest.raises(ValueError, match="length"):
        recordings("event", ["a", "b"], ["Bark"], ["g", "h"])


@pytest.mark.parametrize("n_recordings", [0, 2])
def test_the_rows_are_a_table(tmp_path, n_recordings):
    names = ["a.wav", "b.wav"][:n_recordings]
    frame = recordings("scene", names, "park", names, stop_s=[1.5] * n_recordings)
    path = tmp_path / "recordings.csv"
    corpus_tables.write_table(path, frame, "recordings")
    again = corpus_tables.read_table(path, "recordings")
    pd.testing.assert_frame_equal(again, frame, check_dtype=n_recordings > 0)


def test_a_count_that_is_right_passes_and_another_is_named():
    check_count("scenes", 4, 4, "meta.csv")
    for found in (3, 5, 0):
        with pytest.raises(DataError, match=rf"meta\.csv: expected 4 scenes, found {found}\. "):
            check_count("scenes", 4, found, "meta.csv")


def test_names_that_exist_pass():
    wanted(["a", "b", "a"], ["a"], "corpus.classes", "meta.csv")
    wanted((name for name in "ab"), ["b", "a"], "corpus.classes", "meta.csv")
    wanted([], [], "corpus.classes", "meta.csv")


def test_a_name_that_does_not_exist_is_said_with_key_and_what_there_is():
    expected = r"meta\.csv: no recording of Wolf \(config key corpus\.classes\); found Bark, Gong$"
    with pytest.raises(DataError, match=expected):
        wanted(["Gong", "Bark", "Gong"], ["Bark", "Wolf"], "corpus.classes", "meta.csv")


def test_long_lists_of_names_are_cut():
    with pytest.raises(DataError) as caught:
        wanted([f"n{i:03d}" for i in range(61)], [f"x{i}" for i in range(9)], "key", "meta.csv")
    message = str(caught.value)
    assert "no recording of x0, x1, x2, x3, x4 (config" in message
    assert message.endswith("n058, n059, ...")
