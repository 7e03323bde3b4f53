"""From frame scores to events."""

from typing import Literal

from tfseg.settings.fields import (
    Frames,
    OddInteger,
    PositiveInteger,
    Section,
    Threshold,
    setting,
)


def _by_class(column):
    """Of a key that a model may have for each class: its heading in the model card."""
    return {"by_class": column}


class Postprocessing(Section):
    """Section ``postprocessing``; also what ``detection.json`` may hold, but for tune."""

    high_threshold: Threshold = setting(
        0.2, "An event needs a frame above it", json=_by_class("high")
    )
    low_threshold: Threshold = setting(
        0.1, "An event extends while scores are at least this", json=_by_class("low")
    )
    join_gap_frames: Frames = setting(
        10,
        "Events with at most so many frames between them are joined",
        unit="frames",
        json=_by_class("join"),
    )
    drop_frames: Frames = setting(
        10, "Events of at most so many frames are dropped", unit="frames", json=_by_class("drop")
    )
    median_frames: OddInteger = setting(
        1,
        "Length of a median filter that frame scores pass first; 1: none",
        unit="frames",
        json=_by_class("median"),
    )
    candidates: Literal["hysteresis", "change_points"] = setting(
        "hysteresis", "What may be an event: runs of scores, or stretches between their steps"
    )
    step_frames: PositiveInteger = setting(
        10,
        "Of change points: frames on each side of a step",
        unit="frames",
        json=_by_class("step"),
    )
    merge_drop: Threshold = setting(
        0.02,
        "Of change points: neighbours are one when the mean between falls by at most this",
        json=_by_class("merge drop"),
    )
    merge_share: Threshold = setting(
        0.7,
        "Of change points: ... or is at least this share of the stronger's",
        json=_by_class("merge share"),
    )
    tune: bool = setting(
        False, "Choose thresholds and median_frames for each class, on split.validation"
    )
