"""Detection of events in frame scores."""

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
    """Mark a key that may differ between classes, with its heading in the model card."""
    return {"by_class": column}


class Postprocessing(Section):
    """Section ``postprocessing``; without ``tune``, also the keys of ``detection.json``."""

    high_threshold: Threshold = setting(
        0.2, "An event needs a frame above it", json=_by_class("high")
    )
    low_threshold: Threshold = setting(
        0.1, "An event extends while scores are at least this", json=_by_class("low")
    )
    join_gap_frames: Frames = setting(
        10,
        "Events with at most this many frames between them are joined",
        unit="frames",
        json=_by_class("join"),
    )
    drop_frames: Frames = setting(
        10, "Events of at most this many frames are dropped", unit="frames", json=_by_class("drop")
    )
    median_frames: OddInteger = setting(
        1,
        "Length of a median filter on the frame scores; 1: none",
        unit="frames",
        json=_by_class("median"),
    )
    candidates: Literal["hysteresis", "change_points"] = setting(
        "hysteresis", "Candidate events: runs of scores, or segments between their steps"
    )
    step_frames: PositiveInteger = setting(
        10,
        "Change points: frames on each side of a step",
        unit="frames",
        json=_by_class("step"),
    )
    merge_drop: Threshold = setting(
        0.02,
        "Change points: merge neighbours if the mean score between them drops by at most this",
        json=_by_class("merge drop"),
    )
    merge_share: Threshold = setting(
        0.7,
        "Change points: or if it is at least this share of the stronger one's mean",
        json=_by_class("merge share"),
    )
    tune: bool = setting(
        False, "Tune thresholds and median_frames for each class on the validation clips"
    )
