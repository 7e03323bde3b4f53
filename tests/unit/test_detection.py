import pytest

from tfseg.detection import DetectionSettings, read_detection, write_detection
from tfseg.errors import DamagedFileError, DataError
from tfseg.events import HysteresisSettings
from tfseg.files import read_json, write_json

SETTINGS = DetectionSettings(0.1, True, 0.15, 0, HysteresisSettings(0.2, 0.1, 10, 0))


@pytest.fixture
def path(tmp_path):
    write_detection(tmp_path / "detection.json", SETTINGS)
    return tmp_path / "detection.json"


def test_thresholds_come_back_as_they_were(path):
    assert read_detection(path) == SETTINGS


@pytest.mark.parametrize(
    ("section", "key", "value", "says"),
    [
        (None, "tag_threshold", "0.1", "tag_threshold: expected a number, .*found '0.1'"),
        (None, "tag_threshold", True, "tag_threshold: expected a number"),
        (None, "frame_threshold", 1, "frame_threshold: .*less than 1, found 1"),
        (None, "mask_threshold", -0.1, "mask_threshold: .*at least 0"),
        (None, "tag_gate", 1, "tag_gate: expected true or false, found 1"),
        (None, "taggate", 1, "expected the keys .*found .*taggate"),
        (None, "format", 2, "format 1, found 2"),
        (None, "postprocessing", 7, "expected the keys .*high_threshold.*found 7"),
        ("postprocessing", "drop_frames", 1.5, "drop_frames: expected a whole number"),
        ("postprocessing", "low_threshold", None, "low_threshold: expected a number"),
        ("postprocessing", "low_threshold", 0.9, "low_threshold: expected at most high_threshold"),
        ("postprocessing", "more", 1, "expected the keys .*found .*more"),
    ],
)
def test_what_was_edited_wrongly_is_named(path, section, key, value, says):
    values = read_json(path)
    (values[section] if section else values)[key] = value
    write_json(path, values)
    with pytest.raises(DamagedFileError, match=rf"detection\.json: .*{says}"):
        read_detection(path)


def test_a_missing_threshold_is_named(path):
    values = read_json(path)
    del values["tag_gate"]
    write_json(path, values)
    with pytest.raises(DamagedFileError, match=r"expected the keys .*tag_gate"):
        read_detection(path)


def test_what_is_no_detection_file_is_refused(path):
    path.write_text("{")
    with pytest.raises(DamagedFileError, match="expected JSON") as caught:
        read_detection(path)
    assert "Delete" not in str(caught.value)
    path.write_text("[1]")
    with pytest.raises(DamagedFileError, match="format 1, found None"):
        read_detection(path)
    path.unlink()
    with pytest.raises(DataError, match="found nothing there"):
        read_detection(path)
