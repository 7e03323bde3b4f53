"""Keys that ``detection.json`` may hold: their limits and defaults, without pydantic.

``HEADINGS`` are the model card's headings of keys that may differ between classes.
Written by ``make settings`` from `tfseg.settings.sections`; do not edit.
"""

LIMITS = {
    "tag_threshold": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
    "frame_threshold": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
    "mask_threshold": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
    "tag_gate": {"type": "boolean"},
    "high_threshold": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
    "low_threshold": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
    "join_gap_frames": {"type": "integer", "minimum": 0},
    "drop_frames": {"type": "integer", "minimum": 0},
    "median_frames": {"type": "integer", "minimum": 1, "odd": True},
    "candidates": {"enum": ["hysteresis", "change_points"]},
    "step_frames": {"type": "integer", "minimum": 1},
    "merge_drop": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
    "merge_share": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
}

DEFAULTS = {
    "tag_threshold": 0.1,
    "frame_threshold": 0.1,
    "mask_threshold": 0.1,
    "tag_gate": True,
    "high_threshold": 0.2,
    "low_threshold": 0.1,
    "join_gap_frames": 10,
    "drop_frames": 10,
    "median_frames": 1,
    "candidates": "hysteresis",
    "step_frames": 10,
    "merge_drop": 0.02,
    "merge_share": 0.7,
}

HEADINGS = {
    "tag_threshold": "tag",
    "frame_threshold": "frame",
    "mask_threshold": "mask",
    "high_threshold": "high",
    "low_threshold": "low",
    "join_gap_frames": "join",
    "drop_frames": "drop",
    "median_frames": "median",
    "step_frames": "step",
    "merge_drop": "merge drop",
    "merge_share": "merge share",
}
