"""How scores of a model become decisions: ``detection.json`` beside its weights.

Apart from ``model.json``, because another threshold is no reason to train again.
"""

from dataclasses import asdict, dataclass, fields

from tfseg.errors import DamagedFileError
from tfseg.events import HysteresisSettings
from tfseg.files import read_json, write_json

DETECTION_FORMAT = 1


@dataclass(frozen=True)
class DetectionSettings:
    """Thresholds of a model, alike for all classes.

    Parameters
    ----------
    tag_threshold : float
        A class is said to sound in a clip when its tag is above it.
    tag_gate : bool
        Whether frame scores count as zero where the tag is not above its threshold.
    frame_threshold, mask_threshold : float
        A frame, or a T-F unit, belongs to a class when its score is above it.
    postprocessing : tfseg.events.HysteresisSettings
        From frame scores to events.
    """

    tag_threshold: float
    tag_gate: bool
    frame_threshold: float
    mask_threshold: float
    postprocessing: HysteresisSettings


def write_detection(path, settings):
    """Write `DetectionSettings` as JSON."""
    write_json(path, {"format": DETECTION_FORMAT, **asdict(settings)})


def _typed(path, kind, values):
    """Build a dataclass of exactly its own keys, each of its own type."""
    expected = {field.name: field.type for field in fields(kind)}
    found = sorted(values) if isinstance(values, dict) else values
    if found != sorted(expected):
        raise DamagedFileError(
            f"{path}: expected the keys {', '.join(sorted(expected))}, found {found}"
        )
    for name, wanted in expected.items():
        value = values[name]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if wanted is bool:
            fits, what = isinstance(value, bool), "true or false"
        elif wanted is int:
            fits, what = type(value) is int and value >= 0, "a whole number, at least 0"
        elif wanted is float:
            fits, what = is_number and 0 <= value < 1, "a number, at least 0 and less than 1"
        else:
            continue
        if not fits:
            raise DamagedFileError(f"{path}: key {name}: expected {what}, found {value!r}")
    return kind(**values)


def read_detection(path):
    """Read what `write_detection` wrote; it may have been edited by hand.

    Returns
    -------
    settings : DetectionSettings

    Raises
    ------
    DataError
        When there is no such file.
    DamagedFileError
        When it lacks a key or has one too many, or a value is of another type or out of range.
    """
    try:
        values = read_json(path)
    except DamagedFileError as error:
        # No advice to delete what may have been edited by hand.
        raise DamagedFileError(str(error).removesuffix(" Delete the file and run again.")) from None
    found = values.pop("format", None) if isinstance(values, dict) else None
    if found != DETECTION_FORMAT:
        raise DamagedFileError(
            f"{path}: expected detection format {DETECTION_FORMAT}, found {found!r}"
        )
    settings = _typed(path, DetectionSettings, values)
    hysteresis = _typed(path, HysteresisSettings, values["postprocessing"])
    if hysteresis.low_threshold > hysteresis.high_threshold:
        raise DamagedFileError(
            f"{path}: key postprocessing.low_threshold: expected at most high_threshold "
            f"({hysteresis.high_threshold}), found {hysteresis.low_threshold}"
        )
    return DetectionSettings(**{**vars(settings), "postprocessing": hysteresis})
