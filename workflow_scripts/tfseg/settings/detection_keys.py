"""Keys that ``detection.json`` may hold: their kind, limits and defaults, without pydantic.

Written by ``make settings`` from `tfseg.settings.sections`; do not edit. ``by_class`` is a key's
heading in the model card, and stands where each class may have a value of its own.
"""

# fmt: off
METRICS = {
    "tag_threshold": {"type": "number", "minimum": 0, "exclusiveMaximum": 1, "default": 0.1, "by_class": "tag"},
    "frame_threshold": {"type": "number", "minimum": 0, "exclusiveMaximum": 1, "default": 0.1, "by_class": "frame"},
    "mask_threshold": {"type": "number", "minimum": 0, "exclusiveMaximum": 1, "default": 0.1, "by_class": "mask"},
    "tag_gate": {"type": "boolean", "default": True},
}
POSTPROCESSING = {
    "high_threshold": {"type": "number", "minimum": 0, "exclusiveMaximum": 1, "default": 0.2, "by_class": "high"},
    "low_threshold": {"type": "number", "minimum": 0, "exclusiveMaximum": 1, "default": 0.1, "by_class": "low"},
    "join_gap_frames": {"type": "integer", "minimum": 0, "default": 10, "by_class": "join"},
    "drop_frames": {"type": "integer", "minimum": 0, "default": 10, "by_class": "drop"},
    "median_frames": {"type": "integer", "minimum": 1, "odd": True, "default": 1, "by_class": "median"},
    "candidates": {"enum": ["hysteresis", "change_points"], "default": "hysteresis"},
    "step_frames": {"type": "integer", "minimum": 1, "default": 10, "by_class": "step"},
    "merge_drop": {"type": "number", "minimum": 0, "exclusiveMaximum": 1, "default": 0.02, "by_class": "merge drop"},
    "merge_share": {"type": "number", "minimum": 0, "exclusiveMaximum": 1, "default": 0.7, "by_class": "merge share"},
}
