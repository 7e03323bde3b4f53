"""From frame scores to events with onset and offset times (TASLP IV-C), and their table."""

import csv
import io
from dataclasses import dataclass

import numpy as np

from tfseg.files import write_text

COLUMNS = ["filename", "onset", "offset", "event_label"]


@dataclass(frozen=True)
class HysteresisSettings:
    """Fields are the keys of ``postprocessing`` in the config.

    Parameters
    ----------
    high_threshold : float
        An event needs a frame above it.
    low_threshold : float
        From there the event extends while scores are at least this.
    join_gap_frames : int
        Events with at most this many frames between them are joined (after extension).
    drop_frames : int
        Then, events of at most this many frames are dropped.
    """

    high_threshold: float
    low_threshold: float
    join_gap_frames: int
    drop_frames: int


def detect_runs(scores, settings):
    """Find events in the frame scores of one class.

    Parameters
    ----------
    scores : np.ndarray [shape=(n_frames,)]
    settings : HysteresisSettings

    Returns
    -------
    runs : list of (first, stop)
        Frames ``first .. stop - 1``, in order.
    """
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
    return [(first, stop) for first, stop in runs if stop - first > settings.drop_frames]


def detect_events(mixtures, tags, frames, classes, grid, settings, *, tag_threshold):
    """Detect the events of every clip.

    Parameters
    ----------
    mixtures : sequence of str, length n
    tags : np.ndarray [shape=(n, n_classes)]
    frames : sequence of np.ndarray [shape=(n_frames, n_classes)]
        One for each clip.
    classes : sequence of str
    grid : tfseg.timegrid.TimeGrid
    settings : HysteresisSettings
    tag_threshold : float
        Only classes whose tag is above it are looked for in a clip.

    Returns
    -------
    events : list of (filename, onset_s, offset_s, label)
        A clip without events has one row in which all but the first are None, so that the list of
        scored clips is complete (DESED's convention).
    """
    rows = []
    for name, clip_tags, clip_frames in zip(mixtures, tags, frames, strict=True):
        found = [
            (name, round(grid.time_at(first), 6), round(grid.time_at(stop), 6), classes[k])
            for k in np.flatnonzero(clip_tags > tag_threshold)
            for first, stop in detect_runs(clip_frames[:, k], settings)
        ]
        rows += sorted(found, key=lambda row: row[1:]) or [(name, None, None, None)]
    return rows


def write_events(path, events):
    """Write detected events as a tab-separated table, whole or not at all."""
    text = io.StringIO()  # without pandas, which takes longer to load than events to detect
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerows([COLUMNS, *events])
    write_text(path, text.getvalue())


def read_events(path):
    """Read detected events; returns a dict from clip to a list of (label, onset_s, offset_s)."""
    from tfseg.corpora.tables import read_table  # here: detecting events needs no pandas

    events = {}
    for row in read_table(path, "detected_events").itertuples(index=False):
        clip = events.setdefault(row.filename, [])
        if row.event_label:
            clip.append((row.event_label, float(row.onset), float(row.offset)))
    return events
