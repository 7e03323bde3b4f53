"""Thresholds and event settings of a model: ``detection.json`` beside its weights.

They are not in ``model.json``, so that a changed threshold does not start a new training.
"""

import math
from dataclasses import asdict, dataclass, fields, replace

from tfseg.errors import DamagedFileError
from tfseg.inference.events import EventSettings
from tfseg.io.files import read_json, write_json
from tfseg.settings.detection_keys import HEADINGS, LIMITS

DETECTION_FORMAT = 2
# The older format, still read: one value for all classes, and fewer keys.
_FORMAT_WITHOUT_CLASSES = 1
# Values that the older format implies.
_ADDED_SINCE = {
    "median_frames": 1,
    "candidates": "hysteresis",
    "step_frames": 10,
    "merge_drop": 0.02,
    "merge_share": 0.7,
}


def _fits(value, limits):
    """Whether a value has a key's type and is within its limits."""
    if "enum" in limits:
        return value in limits["enum"]
    if limits["type"] == "boolean":
        return isinstance(value, bool)
    kinds = int if limits["type"] == "integer" else int | float
    return (
        isinstance(value, kinds)
        and not isinstance(value, bool)
        and value >= limits["minimum"]
        and value < limits.get("exclusiveMaximum", math.inf)
        and not (limits.get("odd") and value % 2 == 0)
    )


def _wanted(limits):
    """Describe in words what `_fits` accepts."""
    if "enum" in limits:
        return f"one of {', '.join(limits['enum'])}"
    if limits["type"] == "boolean":
        return "true or false"
    kind = {"integer": "whole number", "number": "number"}[limits["type"]]
    article = "an odd" if limits.get("odd") else "a"
    below = f" and less than {limits['exclusiveMaximum']}" if "exclusiveMaximum" in limits else ""
    return f"{article} {kind}, at least {limits['minimum']}{below}"


@dataclass(frozen=True)
class DetectionSettings:
    """Thresholds of a model; a number is common to all classes, a tuple has one per class.

    Parameters
    ----------
    tag_threshold : float or tuple of float
        A class is detected in a clip when its tag is above it.
    tag_gate : bool
        Whether frame scores count as zero where the tag is not above its threshold.
    frame_threshold, mask_threshold : float or tuple of float
        A frame, or a T-F unit, belongs to a class when its score is above it.
    postprocessing : tfseg.inference.events.EventSettings
        Settings of the event detection.
    """

    tag_threshold: float | tuple
    tag_gate: bool
    frame_threshold: float | tuple
    mask_threshold: float | tuple
    postprocessing: EventSettings


def detection_settings(thresholds, postprocessing):
    """Build `DetectionSettings` from sections of the config: keys of ``metrics``, and of events."""
    return DetectionSettings(**thresholds, postprocessing=EventSettings(**postprocessing))


def _compact(value):
    """Replace equal values of all classes by one number."""
    if isinstance(value, dict):
        return {key: _compact(item) for key, item in value.items()}
    return value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value


def write_detection(path, settings):
    """Write `DetectionSettings` as JSON; equal values of all classes become one number."""
    write_json(path, {"format": DETECTION_FORMAT, **_compact(asdict(settings))})


def _checked(path, key, value, n_classes):
    """Check a value against its key; keys that may differ between classes also take a list."""
    if key not in LIMITS:  # a section
        return value
    limits = LIMITS[key]
    if key in HEADINGS and isinstance(value, list):
        if len(value) != n_classes:
            raise DamagedFileError(
                f"{path}: key {key}: expected one number, or {n_classes} (one for each class of "
                f"model.json, in its order), found {len(value)}"
            )
        for index, item in enumerate(value):
            if not _fits(item, limits):
                raise DamagedFileError(
                    f"{path}: key {key}[{index}]: expected {_wanted(limits)}, found {item!r}"
                )
        return tuple(value)
    if not _fits(value, limits):
        raise DamagedFileError(f"{path}: key {key}: expected {_wanted(limits)}, found {value!r}")
    return value


def _typed(path, kind, values, n_classes):
    """Build a dataclass from exactly its own keys, each of the right type."""
    expected = sorted(field.name for field in fields(kind))
    found = sorted(values) if isinstance(values, dict) else values
    if found != expected:
        raise DamagedFileError(f"{path}: expected the keys {', '.join(expected)}, found {found}")
    return kind(**{name: _checked(path, name, values[name], n_classes) for name in values})


def read_detection(path, n_classes):
    """Read the file of `write_detection`, which may have been edited by hand.

    Parameters
    ----------
    path : path-like
    n_classes : int
        Number of classes of the model beside it.

    Returns
    -------
    settings : DetectionSettings

    Raises
    ------
    DataError
        When the file is missing.
    DamagedFileError
        When a key is missing or unknown, a value has another type or is out of range, or a list
        does not have one value per class.
    """
    try:
        values = read_json(path)
    except DamagedFileError as error:
        # The file may have been edited by hand: do not advise to delete it.
        raise DamagedFileError(str(error).removesuffix(" Delete the file and run again.")) from None
    found = values.pop("format", None) if isinstance(values, dict) else None
    if found not in (DETECTION_FORMAT, _FORMAT_WITHOUT_CLASSES) or isinstance(found, bool):
        raise DamagedFileError(
            f"{path}: expected detection format {DETECTION_FORMAT}, found {found!r}"
        )
    events = values.get("postprocessing")
    if found == _FORMAT_WITHOUT_CLASSES and isinstance(events, dict):
        values["postprocessing"] = _ADDED_SINCE | events
    settings = _typed(path, DetectionSettings, values, n_classes)
    events = _typed(path, EventSettings, values["postprocessing"], n_classes)
    for k in range(n_classes):
        of_class = events.of_class(k)
        if of_class.low_threshold > of_class.high_threshold:
            one = f"[{k}]" if isinstance(events.low_threshold, tuple) else ""
            raise DamagedFileError(
                f"{path}: key postprocessing.low_threshold{one}: expected at most high_threshold "
                f"({of_class.high_threshold}), found {of_class.low_threshold}"
            )
    return replace(settings, postprocessing=events)
