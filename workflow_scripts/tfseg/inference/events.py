"""From frame scores to events with onset and offset times (TASLP IV-C), and their table."""

import csv
import io
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from tfseg.inference.change_points import find_segments
from tfseg.io.files import write_text
from tfseg.settings.detection_keys import DEFAULTS

# Settings that may differ between classes, by their keys.
_DEFAULTS: dict[str, Any] = DEFAULTS

COLUMNS = ["filename", "onset", "offset", "event_label"]


HYSTERESIS, CHANGE_POINTS = "hysteresis", "change_points"


def of_class(value, k):
    """Return the setting of class `k`; a single value is common to all classes."""
    return value[k] if isinstance(value, tuple) else value


@dataclass(frozen=True)
class EventSettings:
    """Settings for detecting events in frame scores: keys of ``postprocessing`` in the config.

    A number is common to all classes; a tuple has one value for each class.

    Parameters
    ----------
    high_threshold : float
        An event needs a frame above it. With change points, its mean score must be above it.
    low_threshold : float
        The event extends from that frame while scores are at least this.
    join_gap_frames : int
        Events with at most this many frames between them are joined (after extension).
    drop_frames : int
        Then, events of at most this many frames are dropped.
    median_frames : int
        Odd length of the median filter applied to the scores first; 1: none.
    candidates : {"hysteresis", "change_points"}
        Candidate events: runs above the low threshold, or segments between an upward and a
        downward step of the scores (`tfseg.inference.change_points`). The latter do not use
        `low_threshold` and `join_gap_frames`.
    step_frames, merge_drop, merge_share
        For change points: see `tfseg.inference.change_points.find_segments`.
    """

    high_threshold: float | tuple
    low_threshold: float | tuple
    join_gap_frames: int | tuple
    drop_frames: int | tuple
    median_frames: int | tuple = _DEFAULTS["median_frames"]
    candidates: str = _DEFAULTS["candidates"]
    step_frames: int | tuple = _DEFAULTS["step_frames"]
    merge_drop: float | tuple = _DEFAULTS["merge_drop"]
    merge_share: float | tuple = _DEFAULTS["merge_share"]

    def of_class(self, k):
        """Return the settings of class `k`, all of them single values."""
        values = {field.name: of_class(getattr(self, field.name), k) for field in fields(self)}
        return EventSettings(**values)


def median_filtered(scores, n_frames):
    """Running median of odd length; mirrored at both ends, as scipy does by default.

    Parameters
    ----------
    scores : np.ndarray [shape=(n,)]
    n_frames : int
        Odd; 1 changes nothing.
    """
    if n_frames == 1 or len(scores) == 0:
        return scores
    padded = np.pad(scores, n_frames // 2, mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, n_frames)
    return np.partition(windows, n_frames // 2, axis=1)[:, n_frames // 2]


def detect_runs(scores, settings):
    """Find events in the frame scores of one class.

    Parameters
    ----------
    scores : np.ndarray [shape=(n_frames,)]
    settings : EventSettings
        Settings of this class.

    Returns
    -------
    runs : list of (first, stop)
        Frames ``first .. stop - 1``, in order.
    """
    scores = median_filtered(scores, settings.median_frames)
    find = _segments if settings.candidates == CHANGE_POINTS else _runs
    return [
        (first, stop)
        for first, stop in find(scores, settings)
        if stop - first > settings.drop_frames
    ]


def _segments(scores, settings):
    """Segments between steps whose mean score is above the threshold."""
    segments = find_segments(
        scores,
        step_frames=settings.step_frames,
        merge_drop=settings.merge_drop,
        merge_share=settings.merge_share,
    )
    return [(a, b) for a, b, confidence in segments if confidence > settings.high_threshold]


def _runs(scores, settings):
    """Runs by hysteresis, joined over short gaps (TASLP IV-C)."""
    # A run of frames at or above the low threshold is an event if one of them is above the high.
    above_low = (scores >= settings.low_threshold) | (scores > settings.high_threshold)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], above_low.view(np.int8), [0]])))
    runs = []
    for first, stop in edges.reshape(-1, 2):
        if not (scores[first:stop] > settings.high_threshold).any():
            continue
        if runs and first - runs[-1][1] <= settings.join_gap_frames:
            runs[-1] = (runs[-1][0], int(stop))
        else:
            runs.append((int(first), int(stop)))
    return runs


def event_confidence(scores, first, stop, settings):
    """Confidence of an event: its largest score, or its mean score with change points.

    Parameters
    ----------
    scores : np.ndarray [shape=(n_frames,)]
    first, stop : int
        A run of `detect_runs`.
    settings : EventSettings
    """
    if settings.candidates == CHANGE_POINTS:
        return float(scores[first:stop].mean(dtype=np.float64))
    return float(scores[first:stop].max())


def detect_events(mixtures, tags, frames, classes, grid, settings, *, tag_threshold):
    """Detect the events of every clip.

    Parameters
    ----------
    mixtures : sequence of str, length n
    tags : np.ndarray [shape=(n, n_classes)]
    frames : sequence of np.ndarray [shape=(n_frames, n_classes)]
        One for each clip.
    classes : sequence of str
    grid : tfseg.features.time_grid.TimeGrid
    settings : EventSettings
    tag_threshold : float or tuple of float
        Events of a class are detected only in clips whose tag is above the class's threshold.

    Returns
    -------
    events : list of (filename, onset_s, offset_s, label)
        A clip without events has one row with None in all columns but the first, so that the table
        lists all scored clips (DESED's convention).
    """
    rows = []
    of_classes = [settings.of_class(k) for k in range(len(classes))]
    tag_threshold = np.asarray(tag_threshold, dtype=np.asarray(tags).dtype)
    for name, clip_tags, clip_frames in zip(mixtures, tags, frames, strict=True):
        found = [
            (name, round(grid.time_at(first), 6), round(grid.time_at(stop), 6), classes[k])
            for k in np.flatnonzero(clip_tags > tag_threshold)
            for first, stop in detect_runs(clip_frames[:, k], of_classes[k])
        ]
        rows += sorted(found, key=lambda row: row[1:]) or [(name, None, None, None)]
    return rows


def write_events(path, events):
    """Write detected events as a tab-separated table, whole or not at all."""
    text = io.StringIO()  # not pandas: importing it takes longer than detecting the events
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerows([COLUMNS, *events])
    write_text(path, text.getvalue())


def read_events(path):
    """Read detected events; returns a dict from clip to a list of (label, onset_s, offset_s)."""
    from tfseg.datasets.corpus_tables import read_table  # here: detecting events needs no pandas

    events = {}
    for row in read_table(path, "detected_events").itertuples(index=False):
        clip = events.setdefault(row.filename, [])
        if row.event_label:
            clip.append((row.event_label, float(row.onset), float(row.offset)))
    return events
