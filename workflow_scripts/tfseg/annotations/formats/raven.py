"""Raven's selection table: a time-frequency box for each event."""

import math
from pathlib import Path

from tfseg.annotations.files import label_files, table
from tfseg.annotations.recording import Event, Recording
from tfseg.datasets.corpus_tables import read_table
from tfseg.errors import DataError, TableError
from tfseg.io.validation import savable

DECLARATION = {
    "summary": "a table with the columns Selection, 'Begin Time (s)' and 'End Time (s)' (Raven)",
    "carries": ["times", "empty", "frequency", "confidence"],
    "order": 4,
}
_BEGIN, _END, _OFFSET = "Begin Time (s)", "End Time (s)", "File Offset (s)"
_LOW, _HIGH = "Low Freq (Hz)", "High Freq (Hz)"
_CONFIDENCE = "Confidence"
_FILES = ("Begin Path", "Begin File")  # the first that is there counts
_LABELS = ["Annotation", "Species", "Label", "Common Name"]
_COLUMNS = [
    "Selection",
    "View",
    "Channel",
    _BEGIN,
    _END,
    _LOW,
    _HIGH,
    "Begin File",
    "Annotation",
    _CONFIDENCE,
]


def recognise(source):
    """Whether it is a table with Raven's columns of times."""
    return {"selection", _BEGIN.casefold(), _END.casefold()} <= source.columns


def _label_column(source, columns):
    wanted = _LABELS[:1] if _LABELS[0] in columns else _LABELS
    if source.label_column is not None:
        wanted = [source.label_column]
    there = [name for name in wanted if name in columns]
    if len(there) != 1:
        raise TableError(
            f"{source.path}: expected one column of labels, {' or '.join(wanted)}, found "
            f"{' and '.join(there) or 'none'} among {', '.join(columns)}. Name it with "
            "--label-column"
        )
    return there[0]


def read(source):
    """Read the boxes of one or several recordings.

    A box that is shown in several views is a row for each: they are one event. Where there is a
    ``File Offset (s)``, times count from there.
    """
    frame = read_table(source.path, "raven_selections")
    lines, rows = frame.attrs["lines"], frame.to_dict("records")
    label = _label_column(source, list(frame.columns)) if rows else None
    of_file = next((name for name in _FILES if name in frame.columns), None)
    names = [(row[of_file].strip() if of_file else "") or source.recording for row in rows]
    if len(set(names)) > 1 and _OFFSET not in frame.columns:
        raise TableError(
            f"{source.path}: expected the column {_OFFSET!r} in a table of several recordings, found "
            "none: times may count from the first of them. Save it from Raven with this column"
        )
    found, seen = {}, set()
    for name, row, line in zip(names, rows, lines, strict=True):
        onset_s = row.get(_OFFSET, math.nan)
        if math.isnan(onset_s):
            onset_s = row[_BEGIN]
        box = (name, row["Selection"], row[_BEGIN], row[_END], row[label])
        if box in seen:
            source.notes.append(("merged, shown in two views", f"{name}, {row['Selection']}"))
            continue
        seen.add(box)
        recording = found.setdefault(
            name,
            Recording(name, where=source.at(line)),
        )
        confidence, low_hz, high_hz = (_value(row, c) for c in (_CONFIDENCE, _LOW, _HIGH))
        recording.predicted |= confidence is not None
        recording.events.append(
            Event(
                onset_s,
                round(onset_s + row[_END] - row[_BEGIN], 9),
                row[label],
                confidence,
                low_hz,
                high_hz,
                where=source.at(line),
            )
        )
    return list(found.values()) or [Recording(source.recording, where=str(source.path))]


def _value(row, column):
    value = row.get(column, math.nan)
    return None if math.isnan(value) else value


def selection_table(recording, events):
    """Text of a selection table.

    Parameters
    ----------
    recording : str
        Name of the file that it is about.
    events : sequence of Event or tfseg.apply.detected_events.FoundEvent
        With frequencies.
    """
    rows = [
        [
            number,
            "Spectrogram 1",
            1,
            f"{event.onset_s:.6f}",
            f"{event.offset_s:.6f}",
            f"{event.low_hz:.1f}",
            f"{event.high_hz:.1f}",
            savable(recording),
            event.label,
            "" if event.confidence is None else f"{event.confidence:.4f}",
        ]
        for number, event in enumerate(events, start=1)
    ]
    return table([_COLUMNS, *rows])


def write(recordings, folder):
    """Selection table of each recording, named as it.

    Raises
    ------
    DataError
        When an event has no frequencies, and nobody knows how high its recording reaches.
    """
    return {
        path: selection_table(Path(r.name).name, [_with_range(event, r) for event in r.events])
        for path, r in zip(label_files(folder, recordings), recordings, strict=True)
    }


def _with_range(event, recording):
    """Let an event without frequencies reach up to half the rate of its recording."""
    if event.low_hz is not None:
        return event
    if recording.sample_rate is None:
        raise DataError(
            f"{recording.name}: expected frequencies for Raven's boxes, found an event without: "
            "name the folder of the recordings with --audio, whose rates say how high they reach"
        )
    half_hz = recording.sample_rate / 2
    return Event(event.onset_s, event.offset_s, event.label, event.confidence, 0.0, half_hz)
