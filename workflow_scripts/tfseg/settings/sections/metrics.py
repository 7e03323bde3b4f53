"""How scores and events are judged."""

from typing import Literal

from tfseg.settings.fields import PositiveInteger, Seconds, Section, Share, Threshold, setting


class Metrics(Section):
    """Section ``metrics``."""

    tag_threshold: Threshold = setting(
        0.1, "A class is said to sound when its tag is above it", json={"by_class": "tag"}
    )
    frame_threshold: Threshold = setting(
        0.1, "A frame belongs to a class when its score is above it", json={"by_class": "frame"}
    )
    mask_threshold: Threshold = setting(
        0.1, "A T-F unit belongs to a class when its score is above it", json={"by_class": "mask"}
    )
    tag_gate: bool = setting(
        True, "Frame scores count as zero where the tag is not positive (released)"
    )
    collar_s: Seconds = setting(0.2, "Onsets and offsets may differ by this (TASLP V-B)", unit="s")
    offset_fraction: Share = setting(0.5, "Offsets also by this share of the event's length")
    error_rate: Literal["class_wise", "overall"] = setting(
        "class_wise", "D + I as Table VI, or with substitutions (eq. 10)"
    )
    processes: PositiveInteger = setting(
        2, "Processes that count events of one system; no effect on any value", unit="processes"
    )
