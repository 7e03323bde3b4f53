from dataclasses import replace

import pytest

from tfseg.errors import DamagedFileError, DataError
from tfseg.inference.events import EventSettings, of_class
from tfseg.inference.operating_point import DetectionSettings, read_detection, write_detection
from tfseg.io.files import read_json, write_json

SETTINGS = DetectionSettings(0.1, True, 0.15, 0, EventSettings(0.2, 0.1, 10, 0))


@pytest.fixture
def path(tmp_path):
    write_detection(tmp_path / "detection.json", SETTINGS)
    return tmp_path / "detection.json"


def test_thresholds_come_back_as_they_were(path):
    assert read_detection(path, 3) == SETTINGS


def test_values_of_each_class_come_back_and_common_ones_are_one_number(path):
    events = replace(SETTINGS.postprocessing, median_frames=(1, 3, 9), drop_frames=(4, 4, 4))
    settings = replace(SETTINGS, tag_threshold=(0.1, 0.2, 0.3), postprocessing=events)
    write_detection(path, settings)
    values = read_json(path)
    assert values["format"] == 2
    assert values["tag_threshold"] == [0.1, 0.2, 0.3]
    assert values["postprocessing"]["drop_frames"] == 4
    again = read_detection(path, 3)
    assert again.tag_threshold == (0.1, 0.2, 0.3)
    assert again.postprocessing.of_class(2) == EventSettings(0.2, 0.1, 10, 4, median_frames=9)
    assert of_class(again.mask_threshold, 1) == of_class(again.tag_threshold, 0) - 0.1 == 0


def test_a_file_of_the_format_before_is_read_as_it_was_meant(path):
    values = read_json(path)
    old = ("high_threshold", "low_threshold", "join_gap_frames", "drop_frames")
    values["postprocessing"] = {key: values["postprocessing"][key] for key in old}
    write_json(path, values | {"format": 1})
    assert read_detection(path, 3) == SETTINGS


@pytest.mark.parametrize(
    ("section", "key", "value", "says"),
    [
        (None, "tag_threshold", "0.1", "tag_threshold: expected a number, .*found '0.1'"),
        (None, "tag_threshold", True, "tag_threshold: expected a number"),
        (None, "frame_threshold", 1, "frame_threshold: .*less than 1, found 1"),
        (None, "mask_threshold", -0.1, "mask_threshold: .*at least 0"),
        (None, "tag_gate", 1, "tag_gate: expected true or false, found 1"),
        (None, "taggate", 1, "expected the keys .*found .*taggate"),
        (None, "format", 3, "format 2, found 3"),
        (None, "postprocessing", 7, "expected the keys .*high_threshold.*found 7"),
        ("postprocessing", "drop_frames", 1.5, "drop_frames: expected a whole number"),
        ("postprocessing", "low_threshold", None, "low_threshold: expected a number"),
        ("postprocessing", "low_threshold", 0.9, "low_threshold: expected at most high_threshold"),
        (None, "tag_threshold", [0.1, 0.2], "tag_threshold: expected one number, or 3 .*found 2"),
        (None, "mask_threshold", [0.1, 2, 0.3], r"mask_threshold\[1\]: .*less than 1, found 2"),
        (None, "tag_gate", [True] * 3, r"tag_gate: expected true or false, found \[True"),
        (
            "postprocessing",
            "median_frames",
            4,
            "median_frames: expected an odd whole number.*found 4",
        ),
        ("postprocessing", "median_frames", [1, 2, 3], r"median_frames\[1\]: expected an odd"),
        ("postprocessing", "candidates", "boxes", "candidates: expected one of hysteresis, change"),
        ("postprocessing", "step_frames", 0, "step_frames: expected a whole number, at least 1"),
        (
            "postprocessing",
            "low_threshold",
            [0.1, 0.1, 0.3],
            r"low_threshold\[2\]: expected at most",
        ),
        (
            "postprocessing",
            "high_threshold",
            [0.2, 0.05, 0.2],
            "low_threshold: expected at most high",
        ),
        ("postprocessing", "more", 1, "expected the keys .*found .*more"),
    ],
)
def test_what_was_edited_wrongly_is_named(path, section, key, value, says):
    values = read_json(path)
    (values[section] if section else values)[key] = value
    write_json(path, values)
    with pytest.raises(DamagedFileError, match=rf"detection\.json: .*{says}"):
        read_detection(path, 3)


def test_a_missing_threshold_is_named(path):
    values = read_json(path)
    del values["tag_gate"]
    write_json(path, values)
    with pytest.raises(DamagedFileError, match=r"expected the keys .*tag_gate"):
        read_detection(path, 3)


def test_what_is_no_detection_file_is_refused(path):
    path.write_text("{")
    with pytest.raises(DamagedFileError, match="expected JSON") as caught:
        read_detection(path, 3)
    assert "Delete" not in str(caught.value)
    path.write_text("[1]")
    with pytest.raises(DamagedFileError, match="format 2, found None"):
        read_detection(path, 3)
    path.unlink()
    with pytest.raises(DataError, match="found nothing there"):
        read_detection(path, 3)
