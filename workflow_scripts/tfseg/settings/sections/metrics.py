"""Metrics of scores and events."""

from typing import Literal

from tfseg.settings.fields import PositiveInteger, Seconds, Section, Share, Threshold, setting


class Metrics(Section):
    """Section ``metrics``."""

    tag_threshold: Threshold = setting(
        0.1, "A class is detected in a clip when its tag is above it", json={"by_class": "tag"}
    )
    frame_threshold: Threshold = setting(
        0.1, "A frame belongs to a class when its score is above it", json={"by_class": "frame"}
    )
    mask_threshold: Threshold = setting(
        0.1, "A T-F unit belongs to a class when its score is above it", json={"by_class": "mask"}
    )
    tag_gate: bool = setting(
        True, "Set frame scores to zero where the tag is not positive (released)"
    )
    collar_s: Seconds = setting(
        0.2, "Allowed difference of onsets and offsets (TASLP V-B)", unit="s"
    )
    offset_fraction: Share = setting(
        0.5, "Allowed difference of offsets as a share of the event's length, if larger"
    )
    error_rate: Literal["class_wise", "overall"] = setting(
        "class_wise", "Error rate: D + I as in Table VI, or with substitutions (eq. 10)"
    )
    processes: PositiveInteger = setting(
        2, "Processes that count events of one system; no effect on results", unit="processes"
    )
